"""Every list can be taken as a file by whoever may see it, narrowed as it is seen (40, 46)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, AgencyRow, Assignment, ContactKind, Letter
from operations.added import AddedInput, add_work
from operations.contacts import ContactInput, set_contact
from operations.days import change_day
from operations.extensions import ask_extension
from operations.findings import NewFinding, record_finding
from operations.links import LINK_PATH
from operations.obstacles import raise_obstacle
from portal.app import page_routes
from portal.exporting import takes_away
from portal.permissions import BY_TOKEN, FILES, TABLE, Visitor, may_open
from rules.actors import AccountRole
from rules.lifecycle import Status
from tests import portal_site, world
from tests.portal_site import Site, text_of

ROUTES = page_routes()
FORMULA = "=HYPERLINK(1)"
REHEARSAL = "letter_rehearsal"

NO_LIST = {
    "health": "a sign of life",
    "metrics": "figures for Prometheus",
    "static": "style sheets",
    "home": "figures; each list behind them is a table of its own",
    "login_form": "a form",
    "link_work": "one piece of work",
    "link_recorded": "one piece of work",
    "link_file": "a file",
    "agency_work": "one piece of work",
    "agency_recorded": "one piece of work",
    "agency_file": "a file",
    "work": "one piece of work",
    "work_recorded": "one piece of work",
    "work_file": "a file",
    "run": "one run",
    "api_tokens": "what opens the API is told on its page only",
    "audit": "where those who check begin",
    "documents": "forms of documents, each a file by itself",
    "document_file": "a file",
    "milestone_dossier": "a file",
    "task_dossier": "a file",
    "letter_stored": "one letter",
    "letter_stored_body": "one letter",
    "year_dates": "a form; the dates are the list moc-du-kien",
    "catalog": "leads to the agencies",
    "agency_entry": "one agency",
    "account": "one account",
    "group": "one group",
    "reorganisation_form": "a form",
    "contact_file": "a form",
    "import_file": "a form",
    "agency_calendar_file": "a calendar file",
    "agency_findings_file": "a file",
    "link_findings_file": "a file",
    "finding_file": "a file",
    "agency_contacts": "the agency's own few contacts",
    "agency_requests": "a form",
    "calendar_feed": "a calendar for programs",
    "link_calendar_file": "a calendar file",
    "link_contacts": "the agency's own few contacts",
    "link_requests": "a form",
    "added_one": "one piece of added work",
    "turn": "its rows are the list phan-cong, narrowed",
    "policies": "a short page of settings",
    "open_data": "a short page of settings",
    "open_home": "leads to the data itself, as JSON and Atom",
    "open_schema": "a description for programs",
    "open_json": "data for programs",
    "open_atom": "a feed for programs",
    "open_rss": "a feed for programs",
    "outlets": "a short page of settings",
    "outlet": "the last hundred attempts of one outlet",
    "guidance": "a page to read",
    "guidance_page": "a page to read",
    "guidance_picture": "a picture",
    "item_calendar": "its dates are those of catalog export",
    "calendar_edit": "a form; its preview is a passing view",
    "first_account_form": "a form",
    "login_code_form": "a form",
    "new_password_form": "a form",
    "own_account": "one's own account",
    "own_codes": "one's own codes",
    "own_codes_picture": "a picture",
    "contact_file_template": "a file to fill in",
    "import_file_template": "a file to fill in",
    "items": "its file is the list nhiem-vu",
    "agency_targets": "the agency's own numbers",
    "item": "its file is the list phan-cong, narrowed",
    "heat_map": "its file is the list ban-do",
    "briefing": "a sheet to print",
    "bulk": "a form over the queue of results",
    "entering_one": "one piece of work",
    "requests_one": "one piece of work",
    "mailbox": "the local mailbox of a trial",
    "letter": "one letter of the local mailbox",
    "letter_body": "one letter of the local mailbox",
    "letter_file": "a file",
    "verifying": "how the log stands",
    "checkpoint_file": "a file",
    "seal_keys": "a file",
    "event_proof": "the proof of one event",
    "event_proof_file": "a file",
    "sign_on_return": "a step of signing on",
}
"""Pages without a list, and why: a new page is put here or gets its file."""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal in which every list has a row that somebody could have meant as a formula."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(lambda session: play(session, found))
        yield found


def play(session: Session, found: Site) -> None:
    """Give every list something to show."""
    first, second = found.work["I.1/xa_van_ninh"], found.work["II.5/xa_van_ninh"]
    until = world.DUE.replace(month=5)
    ask_extension(session, world.agency(), first, until=until, reason=FORMULA)
    raise_obstacle(session, world.agency(), text=FORMULA, assignment_id=first)
    row = session.get_one(Assignment, second)
    row.status, row.next_reminder_on = Status.SUBMITTED.value, None
    row.submitted_on = row.completed_on = world.TODAY
    session.get_one(AgencyRow, world.C).name = FORMULA
    session.get_one(AgencyRow, world.B).pilot = True
    leader = world.stamp(world.person("Lãnh đạo", AccountRole.LEADERSHIP, world.COORDINATOR))
    finding = NewFinding(document="15/KL-TTr", text=FORMULA, agency=world.A, due_on=world.DUE)
    record_finding(session, leader, finding)
    change_day(
        session,
        world.coordinator(),
        date(2027, 4, 2),
        working=False,
        name=FORMULA,
        document="1/QĐ-A",
    )
    focal = ContactInput(
        agency_key=world.A, kind=ContactKind.FOCAL, name=FORMULA, email="a@co-quan.test"
    )
    set_contact(session, world.coordinator(), focal)


def test_every_page_either_has_its_file_or_says_why_it_has_no_list() -> None:
    """(40) A list that cannot be taken as a file does not pass here."""
    pages = {
        name
        for name, route in ROUTES.items()
        if "GET" in (route.methods or set())
        and not name.endswith("_export")
        and not name.startswith("v1_")
    }
    undecided = sorted(pages - set(FILES) - set(NO_LIST))
    assert not undecided, undecided
    assert not set(FILES) & set(NO_LIST)
    assert sorted(set(NO_LIST) - pages) == []
    for page in FILES:
        assert TABLE[f"{page}_export"] == TABLE[page]
        assert "GET" in (ROUTES[f"{page}_export"].methods or set())


def test_a_file_is_declared_beside_its_page() -> None:
    with pytest.raises(LookupError, match="nowhere"):
        takes_away(APIRouter(), "nowhere", lambda _request: pytest.fail("never built"))


def address_of(site: Site, page: str, token: str = "") -> str:
    """Where a page with a list is, with what makes it show one."""
    path = ROUTES[page].path.format(token=token, table="phan-cong")
    fields = {
        "letter_rehearsal": "?tu=1/3/2027&den=2/3/2027",
        "sample": "?hat=7f&luc=2027-03-01T02:00:00Z",
    }
    return path + fields.get(page, "")


def file_of(page: str, address: str, kind: str = "xlsx") -> str:
    """Where the file of a page is."""
    path, mark, query = address.partition("?")
    named = f"{path.replace('/bang/', '/xuat/')}.{kind}" if page == "table" else ""
    return f"{named or f'{path}/xuat/{kind}'}{mark}{query}"


def opened(content: bytes) -> Worksheet:
    """The sheet of a file, opened as people's programs open it."""
    sheet = load_workbook(BytesIO(content)).active
    assert isinstance(sheet, Worksheet)
    return sheet


def head_of(sheet: Worksheet) -> list[str]:
    """The lines above the header."""
    found = []
    for row in sheet.iter_rows(max_col=1, values_only=True):
        if row[0] is None:
            break
        found.append(str(row[0]))
    return found


def looks_right(sheet: Worksheet, who: str) -> None:
    """Head, widths and cells of a file, whatever the list."""
    head = head_of(sheet)
    assert head[1].startswith("Số liệu lúc 09 giờ 00 ngày 1/3/2027"), head
    assert head[2].startswith("Đề án: "), head
    assert any(one.startswith(("Lọc theo", "Không lọc")) for one in head), head
    assert head[-1].startswith(f"Người xuất: {who}"), head
    for number, cell in enumerate(sheet[len(head) + 2], start=1):
        assert cell.value, (head, number)
        assert sheet.column_dimensions[cell.column_letter].width >= 8
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.data_type != "f", cell.value
            if isinstance(cell.value, str):
                assert not re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", cell.value), "a date as text"


@pytest.mark.parametrize("visitor", [one for one in Visitor if one is not Visitor.ANYBODY])
def test_every_list_opens_as_a_spreadsheet_for_every_role_that_may(
    site: Site, visitor: Visitor
) -> None:
    """(40) And for nobody else."""
    by_link = visitor is Visitor.LINK
    # The link itself is the permission; without it there is only a forged one.
    token = site.link().removeprefix(LINK_PATH) if by_link else "forged.token"
    if visitor in BY_TOKEN:
        home = world.A if visitor is Visitor.TOKEN_AGENCY else None
        browser = site.program(site.api_token(home))
    else:
        browser = site.browser() if by_link else site.logged_in(visitor)
    who = "hộp thư xa_van_ninh@co-quan.test" if by_link else f"Người dùng {visitor.value} (tài"
    # A rehearsal plays a month in a database of its own: once is enough.
    pages = [page for page in FILES if page != REHEARSAL or visitor is Visitor.COORDINATOR]
    for page in pages:
        address = address_of(site, page, token)
        answer = browser.get(file_of(page, address))
        if not may_open(page, visitor, trial=True):
            assert answer.status_code in ({404} if page.startswith("link_") else {401, 403}), page
            continue
        assert answer.status_code == 200, (page, text_of(answer)[:300])
        name = re.search(r'filename="([^"]+)"', answer.headers["content-disposition"])
        assert name is not None
        assert re.fullmatch(r"tien-do-[a-z0-9-]+-20270301-0900\.xlsx", name[1]), name[1]
        looks_right(opened(answer.content), who)
        plain = browser.get(file_of(page, address, "csv"))
        assert plain.content.startswith(b"\xef\xbb\xbf"), page
        assert browser.get(file_of(page, address, "exe")).status_code == 404, page
    taken = site.read(
        lambda s: s.scalars(select(AccessLog.path).where(AccessLog.method == "EXPORT")).all()
    )
    allowed = [page for page in pages if may_open(page, visitor, trial=True)]
    assert len(taken) == 2 * len(allowed)
    assert not any(token in path for path in taken)


def test_every_page_with_a_list_leads_to_its_file_with_its_filters_kept(site: Site) -> None:
    browser = site.logged_in(Visitor.ADMIN)
    empty = {
        "letters",
        "letter_rehearsal",
        "queue_proposals",
        "agency_list",
        "agency_findings",
        "added",
        "entering",
        "requests",
        "link_list",
        "link_findings",
        "letter_proofs",
        "reorganisations",
        "runs_all",
    }
    for page in sorted(set(FILES) - empty):
        address = address_of(site, page)
        shown = browser.get(address + ("&" if "?" in address else "?") + "trang=1&nam=2027")
        assert shown.status_code == 200, page
        links = [unescape(one) for one in re.findall(r'href="([^"]*/?xuat/[^"]+)"', shown.text)]
        files = [one for one in links if "xlsx" in one]
        assert files, page
        assert any("csv" in one for one in links), page
        assert "nam=2027" in files[0] or page in {"history", "reading"}, files[0]
        assert browser.get(files[0]).content[:2] == b"PK", (page, files[0])


def rows_of(browser: TestClient, address: str) -> list[tuple[object, ...]]:
    """The rows of a file, below its header."""
    sheet = opened(browser.get(address).content)
    start = len(head_of(sheet)) + 3
    return list(sheet.iter_rows(min_row=start, values_only=True))


def test_a_file_holds_the_rows_that_the_page_shows(site: Site) -> None:
    browser = site.logged_in(Visitor.LEADERSHIP)
    queue = "/dieu-phoi/gia-han/xuat/xlsx"
    assert [row[8] for row in rows_of(browser, queue)] == [FORMULA]
    assert rows_of(browser, f"{queue}?nhiem-vu=II.5") == []
    assert [row[4] for row in rows_of(browser, "/dieu-phoi/vuong-mac/xuat/xlsx")] == [FORMULA]
    asked = rows_of(browser, queue)[0]
    assert isinstance(asked[5], datetime)
    assert asked[5].date() == world.DUE.replace(month=5)
    lacking = rows_of(browser, "/danh-muc/co-quan/xuat/xlsx?thieu=dau-moi")
    assert world.A not in [row[0] for row in lacking]
    assert len(lacking) == 3
    head = head_of(opened(browser.get("/danh-muc/co-quan/xuat/xlsx?thieu=dau-moi").content))
    assert "Lọc theo thiếu: đầu mối dùng được." in head
    named = head_of(opened(browser.get(f"/thu/xuat/xlsx?co-quan={world.A}").content))
    assert "Lọc theo cơ quan: Xã Vạn Ninh." in named
    unknown = head_of(opened(browser.get("/thu/xuat/xlsx?trang-thai=khong-co").content))
    assert "Không lọc, gồm mọi dòng của danh sách." in unknown


def test_an_agency_takes_its_own_work_and_no_other(site: Site) -> None:
    """(46)"""
    site.write(lambda s: setattr(s.get_one(AgencyRow, world.C), "name", "Sở Tài chính"))
    link = site.link()
    for browser, address in (
        (site.logged_in(Visitor.AGENCY), "/co-quan"),
        (site.browser(), link),
    ):
        assert f"{address}/xuat/xlsx" in browser.get(address).text
        sheet = opened(browser.get(f"{address}/xuat/xlsx").content)
        words = " ".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
        assert "Xã Vạn Ninh" in words
        for other in ("Phường Nha Trang", "Sở Tài chính"):
            assert other not in words
        owned = [key for key in site.work if f"/{world.A}" in key]
        waiting = [key for key in owned if not key.endswith("partner")]
        assert len(rows_of(browser, f"{address}/xuat/xlsx")) == len(waiting)


def test_an_account_file_tells_nothing_that_helps_to_log_in(site: Site) -> None:
    """(40)"""
    answer = site.logged_in(Visitor.ADMIN).get("/danh-muc/tai-khoan/xuat/csv")
    assert "argon2" not in answer.text
    assert "mật khẩu" not in answer.text.splitlines()[0].lower()
    assert (
        site.logged_in(Visitor.COORDINATOR).get("/danh-muc/tai-khoan/xuat/csv").status_code == 403
    )


def test_a_rehearsal_is_taken_only_when_one_was_asked_for(site: Site) -> None:
    """(31)"""
    browser = site.logged_in(Visitor.AUDITOR)
    assert browser.get("/thu/dien-tap/xuat/xlsx").status_code == 404
    late = browser.get("/thu/dien-tap/xuat/xlsx?tu=1/1/2026")
    assert late.status_code == 404
    assert "Diễn tập từ hôm nay" in text_of(late)
    assert site.read(lambda session: session.scalars(select(Letter)).all()) == []


def test_an_agencys_file_holds_its_own_part_where_the_page_does(site: Site) -> None:
    """ "Việc của tôi": the file honours what the address says."""
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda s: setattr(s.get_one(Assignment, number), "handler_account", "agency"))
    browser = site.logged_in(Visitor.AGENCY)
    page = browser.get("/co-quan?loc=cua-toi").text
    (file,) = re.findall(r'href="(/co-quan/xuat/xlsx[^"]*)"', page)
    assert len(rows_of(browser, unescape(file))) == 1
    assert len(rows_of(browser, "/co-quan/xuat/xlsx")) > 1


def test_added_work_and_the_desks_open_work_can_be_taken(site: Site) -> None:
    added = AddedInput(
        basis_code="512/UBND-NC",
        basis_on=date(2027, 2, 15),
        task=FORMULA,
        product="Báo cáo",
        due_on=date(2027, 5, 7),
        leads=(world.A,),
    )
    site.write(lambda session: add_work(session, world.coordinator(), world.PLAN, added))
    browser = site.logged_in(Visitor.COORDINATOR)
    places = {
        "/nhiem-vu/giao-bo-sung": ("BS-2027/01", ""),
        "/dieu-phoi/nhap-thay": ("CCHC-1718 · I.1", f"?co-quan={world.A}"),
        "/dieu-phoi/phoi-hop": ("CCHC-1718 · II.3", ""),
    }
    for path, (code, query) in places.items():
        assert f"{path}/xuat/xlsx{query}" in unescape(browser.get(path + query).text)
        found = rows_of(browser, f"{path}/xuat/xlsx{query}")
        assert any(code in row for row in found), (path, found)
