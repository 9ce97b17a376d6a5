"""Every list can be drawn as it was known at an instant, with nothing to do on it (rule 39)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from models.tables import Assignment, ContactKind
from operations.act import ActRequest
from operations.added import AddedInput, add_work
from operations.contacts import ContactInput, set_contact
from operations.dashboard import Scope, figures
from operations.days import change_day
from operations.exceptions import exceptions
from operations.heatmap import heat_map
from operations.known_at import work_known_at
from operations.past import as_known_at
from operations.policies import set_policy
from operations.queries import work_list
from operations.queries_detail import work_detail
from operations.rescheduling import reschedule
from operations.standing import Standing
from operations.state import load_calendar, load_directory, load_state
from portal.instants import address_instant
from portal.past_links import keep_instant
from portal.permissions import Visitor
from rules.actors import AccountRole
from rules.lifecycle import Action
from rules.values import Role
from tests import portal_site, world
from tests.engine import Engine, engine, filed, person, stamp
from tests.integration.test_portal_history import tell_openings
from tests.portal_site import PDF, RESULT, Site, send, text_of

DAYS = (date(2026, 1, 31), date(2026, 2, 5), date(2026, 2, 6), date(2026, 3, 2), date(2026, 3, 31))
AGAIN = ActRequest(reason="thiếu biểu", due_on=date(2026, 3, 16))


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    with engine(database_url) as made:
        yield made


def everything(session: Session, plan: str, day: date) -> dict[str, object]:
    """What the pages draw of a day, from whatever tables ``session`` reads."""
    rows = work_list(session, as_of=day)
    state = load_state(session, plan)
    standing = Standing(session, day, {plan: state})
    scope = Scope(cutoff=day, year=2026)
    return {
        "rows": rows,
        "figures": figures(session, scope),
        "map": heat_map(session, scope, load_directory(session)),
        "details": [
            (one.results, one.extensions, one.obstacles, one.item, one.others)
            for one in (work_detail(session, row.id, as_of=day) for row in rows)
        ],
        "exceptions": exceptions(session),
        "waiting": standing.waiting(),
        "urge": standing.to_urge(),
        "provisional": standing.provisional(),
        "runs": standing.runs(datetime.combine(day, datetime.min.time(), UTC)),
        "calendar": sorted(load_calendar(session).days_off),
        "directory": [agency.name for agency in load_directory(session).agencies],
        "groups": [(one.key, one.members) for one in load_directory(session).groups],
    }


def play(one: Engine) -> list[tuple[datetime, date, dict[str, object]]]:
    """Some weeks of the small plan, with all that pages draw after each step."""
    copies = []

    def keep(day: date) -> None:
        with one.database.read() as session:
            copies.append((stamp(day).at, day, everything(session, one.plan, day)))

    def row_of(number: int) -> Assignment:
        with one.database.read() as session:
            return session.get_one(Assignment, number)

    one.run(DAYS[0])
    keep(DAYS[0])
    with one.database.read() as session:
        rows = [row for row in work_list(session, as_of=DAYS[0]) if row.role is Role.LEAD]
    first, second = rows[0], rows[1]
    lead = person(AccountRole.AGENCY, first.agency)
    boss = person(AccountRole.COORDINATOR, one.coordinator, "Trần Thị B")
    result = filed(issued_on=DAYS[1], ho_so="12")
    one.act(row_of(first.id), Action.SUBMIT, lead, DAYS[1], result)
    keep(DAYS[1])
    with one.database.write() as session:
        reschedule(session, stamp(DAYS[2], boss), second.id, until=date(2026, 4, 30), reason="Tết")
    if row_of(first.id).status == "submitted":
        again = ActRequest(reason="thiếu biểu")
        one.act(row_of(first.id), Action.RETURN, boss, DAYS[2], again)
    else:
        one.act(row_of(first.id), Action.REOPEN, boss, DAYS[2], AGAIN)
    keep(DAYS[2])
    with one.database.write() as session:
        how = {"working": False, "name": "Nghỉ bù", "document": "9/TB"}
        change_day(session, stamp(DAYS[3], boss), date(2026, 3, 16), **how)  # type: ignore[arg-type]
    keep(DAYS[3])
    one.run(DAYS[4])
    keep(DAYS[4])
    return copies


def test_everything_drawn_of_the_past_equals_what_was_drawn_then(one: Engine) -> None:
    """(39) Rows, cells, map, results and their outcomes, exceptions, days off: the same values."""
    copies = play(one)
    with one.database.read() as session:
        for instant, day, copy in copies:
            with as_known_at(session, instant) as past:
                again = everything(past, one.plan, day)
                for name, value in copy.items():
                    assert again[name] == value, (day, name)
                assert work_list(past, as_of=day) == work_known_at(session, instant, as_of=day)
        with as_known_at(session, copies[0][0] - timedelta(days=400)) as past:
            assert work_list(past, as_of=DAYS[0]) == []


def test_whatever_is_written_into_the_past_is_lost(one: Engine) -> None:
    """(39) The tables of an instant are a copy that nothing leads out of."""
    one.run(DAYS[0])
    with one.database.read() as session:
        with as_known_at(session, stamp(DAYS[0]).at) as past:
            row = past.get_one(Assignment, 1)
            row.agency_name = "Khác"
            past.commit()
        with as_known_at(session, stamp(DAYS[0]).at) as past:
            assert past.get_one(Assignment, 1).agency_name != "Khác"
        assert session.get_one(Assignment, 1).agency_name != "Khác"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """Work that was answered, an address that was set, and a day that was corrected later."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(tell_openings)
        found.clock.instant += timedelta(minutes=5)
        yield found


def answer(site: Site) -> str:
    """File a result and confirm it an hour later; the instant between, for an address."""
    number = site.work["I.1/xa_van_ninh"]
    send(site.browser(), f"{site.link()}/viec/{number}", "cap-nhat", RESULT, files=[("a.pdf", PDF)])
    between = site.clock.instant + timedelta(minutes=30)
    site.clock.instant += timedelta(hours=1)
    boss = site.logged_in(Visitor.COORDINATOR)
    send(boss, f"/viec/{number}", "xac-nhan", {})
    wanted = ContactInput(agency_key=world.A, kind=ContactKind.HEAD, name="Lê Văn Sau")
    late = {"working": False, "name": "Nghỉ đột xuất", "document": "9/TB-UBND"}
    admin = replace(world.admin(), at=site.clock.instant)
    centre = replace(world.coordinator(), at=site.clock.instant)
    site.write(lambda s: set_contact(s, admin, wanted))
    site.write(lambda s: change_day(s, centre, date(2027, 5, 5), **late))  # type: ignore[arg-type]
    return address_instant(between)


PAGES = (
    *("/", "/ban-do", "/nhiem-vu", "/nhiem-vu/qd_1718_2023/I.1", "/giao-ban"),
    *(
        f"/bang/{one}"
        for one in ("phan-cong", "qua-han", "sap-den-han", "cho-xac-nhan", "gia-han", "vuong-mac")
    ),
    *(f"/bang/{one}" for one in ("don-doc", "viec-dieu-phoi", "moc-du-kien", "thu", "luot-chay")),
    *("/bang/thieu-hop-thu", "/bang/ban-do", "/bang/nhiem-vu", "/viec/{work}"),
    *("/kiem-tra/ngoai-le", "/kiem-tra/can-cu", "/kiem-tra/kien-nghi"),
    *("/danh-muc/co-quan", "/danh-muc/co-quan/xa_van_ninh", "/danh-muc/ngay-nghi"),
    *("/danh-muc/sap-xep", "/danh-muc/chinh-sach", "/danh-muc/lich", "/van-ban"),
    *("/nhiem-vu/giao-bo-sung", "/nhiem-vu/chi-tieu", "/nhiem-vu/kinh-phi"),
)


def test_every_list_says_its_instant_and_offers_nothing_to_do(site: Site) -> None:
    """(39) And every link that can show the past keeps it."""
    luc = quote(answer(site))
    for who in (Visitor.AUDITOR, Visitor.LEADERSHIP):
        browser = site.logged_in(who)
        for path in (one.format(work=site.work["I.1/xa_van_ninh"]) for one in PAGES):
            page = browser.get(f"{path}?luc={luc}")
            assert page.status_code == 200, path
            assert "Như đã biết lúc 09 giờ 35 ngày 1/3/2027" in text_of(page), path
            main = page.text.partition("<main")[2].partition("</main>")[0]
            assert 'method="post"' not in main, path
            for address in re.findall(r'<a\b[^>]*href="(/(?:viec|bang|nhiem-vu)[^"]*)"', main):
                assert "luc=" in address, (path, address)


def test_a_result_confirmed_later_still_waits(site: Site) -> None:
    """(39)"""
    luc, number = quote(answer(site)), site.work["I.1/xa_van_ninh"]
    browser = site.logged_in(Visitor.AUDITOR)
    assert "Đã xác nhận" in text_of(browser.get(f"/viec/{number}"))
    then = text_of(browser.get(f"/viec/{number}?luc={luc}"))
    assert "Chờ xác nhận" in then
    assert "Đã xác nhận" not in then
    assert "Xã Vạn Ninh" in text_of(browser.get(f"/bang/cho-xac-nhan?luc={luc}"))
    assert "Không có kết quả nào chờ" in text_of(browser.get("/bang/cho-xac-nhan"))
    file = browser.get(f"/xuat/cho-xac-nhan.xlsx?luc={luc}")
    assert file.content[:2] == b"PK"


def test_contacts_and_days_off_are_those_of_then(site: Site) -> None:
    """(36, 39)"""
    luc = quote(answer(site))
    browser = site.logged_in(Visitor.AUDITOR)
    for path, word in (
        ("/danh-muc/co-quan/xa_van_ninh", "Lê Văn Sau"),
        ("/danh-muc/ngay-nghi", "Nghỉ đột xuất"),
    ):
        assert word in text_of(browser.get(path))
        assert word not in text_of(browser.get(f"{path}?luc={luc}"))


def test_added_work_and_policies_are_those_of_then(site: Site) -> None:
    """(39, 44) And a file says its instant, as its page does."""
    luc = quote(answer(site))
    site.clock.instant += timedelta(hours=1)
    centre = replace(world.coordinator(), at=site.clock.instant)
    boss = replace(world.leadership(), at=site.clock.instant)
    given = AddedInput(
        basis_code="15/QĐ-UBND",
        basis_on=world.TODAY,
        task="Rà soát hồ sơ lưu trữ",
        product="Báo cáo",
        due_on=date(2027, 6, 30),
        leads=(world.A,),
    )
    site.write(lambda s: add_work(s, centre, world.PLAN, given))
    cap = {"value": "4", "basis": "9/QĐ-SNV", "reason": "Thử"}
    site.write(lambda s: set_policy(s, boss, world.PLAN, "extension_cap", **cap))  # type: ignore[arg-type]
    browser = site.logged_in(Visitor.AUDITOR)
    for path, word in (
        ("/nhiem-vu/giao-bo-sung", "Rà soát hồ sơ lưu trữ"),
        ("/danh-muc/chinh-sach", "9/QĐ-SNV"),
    ):
        assert word in text_of(browser.get(path))
        assert word not in text_of(browser.get(f"{path}?luc={luc}"))
    file = browser.get(f"/nhiem-vu/giao-bo-sung/xuat/xlsx?luc={luc}")
    book = load_workbook(io.BytesIO(file.content))
    cells = [
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row
    ]
    assert any("Như đã biết lúc" in one for one in cells)
    assert not any("lưu trữ" in one for one in cells)


def test_work_that_was_not_there_yet_is_said_so(site: Site) -> None:
    page = site.logged_in(Visitor.AUDITOR).get(f"/viec/{site.work['II.3/so_noi_vu']}?luc=1/1/2026")
    assert page.status_code == 404
    assert "Đến lúc đó chưa có nhiệm vụ này" in text_of(page)


def test_an_instant_that_cannot_be_read_is_said_and_no_file_is_made(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    page = browser.get("/ban-do?luc=mai&nam=2027")
    assert "đang hiện số liệu hiện nay" in text_of(page)
    assert 'value="mai"' in page.text
    assert browser.get("/xuat/ban-do.xlsx?luc=mai").status_code == 422


def test_links_and_searches_of_a_page_keep_its_instant() -> None:
    page = (
        '<main><a href="/viec/1">a</a><a class="x" href="/bang/thu?nam=2027#y">b</a>'
        '<a href="/thu">c</a><a href="/">d</a><form method="get" action="/"></form>'
        '<form method="post" action="/x"></form></main>'
    )
    kept = keep_instant(page, "2027-03-01T00:00:00.000000Z")
    held = "luc=2027-03-01T00%3A00%3A00.000000Z"
    assert f'href="/viec/1?{held}"' in kept
    assert f'href="/bang/thu?nam=2027&amp;{held}#y"' in kept
    assert f'href="/?{held}"' in kept
    assert 'href="/thu"' in kept
    assert kept.count('type="hidden"') == 1
