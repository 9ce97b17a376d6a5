"""Two plans in one database: an account of one reads no row of the other, wherever it looks."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import pytest
from httpx import Response
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.seeing import SIGHT, Seen, Sight, UnseenRead, everything
from models.tables import (
    Account,
    AddedWork,
    AgencyRow,
    Assignment,
    Contact,
    ExtensionRequest,
    Finding,
    Letter,
    LetterLine,
    Money,
    Obstacle,
    Occurrence,
    PeriodDate,
    PlanRow,
    PlanVersion,
    PolicySetting,
    RunLog,
    Submission,
    Urging,
)
from operations.account_plans import set_plans
from operations.accounts import NewAccount, add_account
from operations.api_tokens import NewToken, issue_token
from operations.errors import Refused
from operations.history import Change, record
from operations.state import PLAN_ADAPTER, plan_keys
from portal.permissions import API_SCOPES, EVERY_PLAN, TABLE, Visitor
from portal.sight import COOKIE
from rules.actors import AccountRole
from tests import portal_site, world
from tests.integration.test_portal_permissions import SAMPLES
from tests.portal_routes import ROUTES, address
from tests.portal_site import Site, mark_of, text_of

OTHER = "de_an_hai"
SECRET = "CHUYENCUADEANHAI"
"""Stands in every row of the other plan, and nowhere else."""
FAR = "so_xa"
"""An agency of the other plan alone."""
RESTRICTED = (Visitor.COORDINATOR, Visitor.AGENCY, Visitor.LEADERSHIP, Visitor.AUDITOR)
"""Who is walked with; each opens what none before may open."""
DEEDS = ("xac-nhan", "tra-lai", "cap-nhat", "ghi-focal")
OWN_ACTS = frozenset({"logout", "own_account_act", "choose_plan", "agency_calendar_renew"})
UNSEEN = frozenset({"metrics", "static", "health", "guidance", "guidance_page", "guidance_picture"})
"""Routes that tell nobody of any work."""


def second_plan(session: Session) -> dict[str, int]:
    """Another plan beside that of the world, with something in every table of plans."""
    first = world.plan()
    items = tuple(
        replace(one, text=replace(one.text, task=f"{SECRET} {one.key}")) for one in first.items
    )
    other = replace(first, key=OTHER, short_code="DA-HAI", title=f"Đề án {SECRET}", items=items)
    session.add(AgencyRow(key=FAR, name=f"Sở {SECRET}", kind="so", certainty="SEEN", position=99))
    session.add(PlanRow(key=OTHER, current_version=1, tracking_start=date(2026, 1, 1), active=True))
    session.flush()
    when = world.at(date(2026, 1, 1))
    session.add(
        PlanVersion(
            plan_key=OTHER,
            version=1,
            effective_from=other.effective_from,
            content=PLAN_ADAPTER.dump_json(other).decode(),
            digest="0" * 64,
            applied_at=when,
            applied_by=SECRET,
        )
    )
    session.flush()
    names = {FAR: f"Sở {SECRET}"}
    with patch.object(world, "PLAN", OTHER), patch.dict(world.NAMES, names):
        made = [
            world.open_work(session, key, leads=(world.A, FAR), partners=(world.B,))
            for key in ("I.1", "II.3")
        ]
    works = session.scalars(
        select(Assignment).where(Assignment.occurrence_id.in_([one.id for one in made]))
    ).all()
    for work in works:
        work.document_code, work.updated_by = SECRET, SECRET
        _hang_on(session, work.id, work.agency_key)
    _beside(session)
    mine = next(one for one in works if one.agency_key == world.A and one.role == "lead")
    far = next(one for one in works if one.agency_key == FAR)
    return {"mine": mine.id, "far": far.id, "occurrence": mine.occurrence_id}


def _hang_on(session: Session, work: int, agency: str) -> None:
    """What may hang on an assignment, each with the secret in it."""
    when, day = world.at(world.TODAY), world.TODAY
    letter = Letter(
        key=f"{SECRET}-{work}",
        kind="digest",
        mailbox=f"{SECRET}@co-quan.test",
        agency_key=agency,
        day=day,
        state="sent",
        payload="{}",
        queued_at=when,
        sent_at=when,
        attempts=1,
        message_id=f"<{work}@x>",
        subject=SECRET,
        body_text=SECRET,
        body_html=SECRET,
    )
    session.add(letter)
    session.flush()
    common = {"assignment_id": work}
    session.add_all(
        [
            LetterLine(letter_id=letter.id, assignment_id=work, kind="rung", rung=-5),
            Submission(
                **common,
                round=1,
                revision=1,
                text=SECRET,
                submitted_at=when,
                submitted_on=day,
                completed_on=day,
                late_entry=False,
                identity="account:x",
                stated_name=SECRET,
            ),
            ExtensionRequest(
                **common,
                round=1,
                asked_at=when,
                asked_on=day,
                asked_by="account:x",
                asked_name=SECRET,
                requested_due_on=date(2027, 6, 30),
                reason=SECRET,
                asked_overdue=False,
                state="asked",
            ),
            Obstacle(
                **common,
                agency_key=agency,
                text=SECRET,
                raised_at=when,
                raised_by=SECRET,
                state="raised",
            ),
            Finding(
                **common,
                document_code=SECRET,
                issued_on=day,
                text=SECRET,
                agency_key=agency,
                state="open",
                recorded_at=when,
                recorded_by=SECRET,
                due_on=date(2027, 6, 30),
            ),
            Money(
                **common,
                line=SECRET,
                source=SECRET,
                planned=1,
                spent=1,
                note=SECRET,
                updated_at=when,
                updated_by=SECRET,
            ),
            Urging(
                **common,
                round=1,
                due_on=day,
                document_code=SECRET,
                issued_on=day,
                issuer="department",
                data_at=when,
                recorded_at=when,
                recorded_by=SECRET,
                state="recorded",
            ),
        ]
    )
    change = Change(
        entity="assignment",
        entity_id=str(work),
        action="open",
        snapshot={"text": SECRET, "id": work},
        plan=OTHER,
        item="I.1",
        period="2027",
        agency=agency,
        reason=SECRET,
        document=SECRET,
    )
    record(session, world.admin(), [change])


def _beside(session: Session) -> None:
    """What belongs to the plan itself, and to an agency of its own."""
    when, day = world.at(world.TODAY), world.TODAY
    given = world.plan().items[0]
    session.add_all(
        [
            AddedWork(
                plan_key=OTHER,
                year=2027,
                number=1,
                code="BS-2027/01",
                basis_code=SECRET,
                basis_on=day,
                created_at=when,
                content=json.dumps(_content(replace(given, key="BS-2027/01"))),
                created_by=SECRET,
                updated_at=when,
                updated_by=SECRET,
            ),
            PeriodDate(
                plan_key=OTHER,
                item_key="I.1",
                period_key="2027",
                due_on=date(2027, 3, 31),
                authority="coordinator",
                document_code=SECRET,
                set_at=when,
                set_by=SECRET,
            ),
            PolicySetting(
                plan_key=OTHER,
                name="blast_factor",
                value="2.0",
                basis=SECRET,
                reason=SECRET,
                set_on=day,
                set_at=when,
                set_by=SECRET,
            ),
            RunLog(
                run=SECRET,
                job="item",
                plan_key=OTHER,
                item_key="I.1",
                as_of=day,
                started_at=when,
                finished_at=when,
                state=SECRET,
                figures="{}",
            ),
            Contact(
                agency_key=FAR,
                kind="focal",
                name=SECRET,
                post=SECRET,
                email="xa@co-quan.test",
                phone=SECRET,
                updated_at=when,
            ),
        ]
    )
    session.flush()


def _content(given: object) -> object:
    from operations.state import ITEM_ADAPTER

    return json.loads(ITEM_ADAPTER.dump_json(given))  # type: ignore[arg-type]


@pytest.fixture
def there() -> dict[str, int]:
    """Numbers of the other plan's things, once the site is there."""
    return {}


@pytest.fixture
def site(database_url: str, tmp_path: Path, there: dict[str, int]) -> Iterator[Site]:
    """A portal over two plans."""
    with portal_site.site(database_url, tmp_path) as found:
        there.update(found.write(second_plan))
        yield found


def restrict(site: Site, username: str, *plans: str) -> None:
    """Have an account see these plans only."""
    site.write(lambda session: set_plans(session, world.admin(), username, plans))


def said(answer: Response) -> str:
    """Everything that an answer says, whatever kind of file it is."""
    content = answer.content
    if content[:2] == b"PK":
        with zipfile.ZipFile(BytesIO(content)) as parts:
            content = b"\n".join(parts.read(name) for name in parts.namelist())
    return content.decode("utf-8", errors="replace")


def paths(there: dict[str, int], route: str) -> list[str]:
    """The addresses of a route: with things of one's own plan in them, and of the other's."""
    values = SAMPLES | {"token": "forged.token", "letter_id": "x", "name": FAR}
    found = [
        address(
            route,
            values
            | {"work_id": str(number), "assignment": str(number), "number": str(number)}
            | {"occurrence": str(there["occurrence"]), "plan": plan, "number:int": "1"},
        )
        for number, plan in (
            (there["mine" if "agency" in route else "far"], OTHER),
            (1, world.PLAN),
        )
    ]
    found[-1] += f"?de-an={OTHER}&nam=tat-ca"
    return list(dict.fromkeys(found))


def test_an_account_of_one_plan_reads_no_row_of_the_other_on_any_page_list_or_file(
    site: Site, there: dict[str, int]
) -> None:
    """Each seen by its own people; (46)."""
    leaks, opened = [], set()
    walked: set[str] = set()
    for visitor in RESTRICTED:
        browser = site.logged_in(visitor)
        restrict(site, visitor.value, world.PLAN)
        for route, who in sorted(TABLE.items()):
            is_read = "GET" in (ROUTES[route].methods or set())
            if visitor not in who or not is_read or route in walked | UNSEEN:
                continue
            walked.add(route)
            for path in paths(there, route):
                answer = browser.get(path)
                if answer.status_code >= 500:
                    leaks.append((visitor.value, path, "failed"))
                if answer.status_code == 200:
                    opened.add(route)
                if SECRET in said(answer):
                    leaks.append((visitor.value, path, "tells"))
                if route in EVERY_PLAN:
                    assert answer.status_code == 403, path
    assert not leaks, "\n".join(map(str, leaks))
    assert {"table", "history", "letters", "heat_map", "agency_list", "work", "item"} <= opened


def test_the_secret_is_told_to_those_who_see_every_plan(site: Site, there: dict[str, int]) -> None:
    """What the walk looks for is there to be found."""
    browser = site.logged_in(Visitor.AUDITOR)
    pages = ("/lich-su", "/thu", "/ban-do", "/nhiem-vu", "/luot-chay", "/danh-muc/co-quan")
    for page in (*pages, f"/viec/{there['far']}", "/xuat/phan-cong.xlsx?nam=tat-ca"):
        assert SECRET in said(browser.get(page)), page


def test_a_service_token_of_one_plan_reads_nothing_of_the_other(
    site: Site, there: dict[str, int]
) -> None:
    new = NewToken(
        name="Kho dữ liệu",
        purpose="Công văn thử",
        scopes=("read", "events"),
        valid_to=date(2027, 12, 31),
        plans=(world.PLAN,),
    )
    token = site.write(lambda session: issue_token(session, world.admin(), new)).text
    program, whole = site.program(token), site.program(site.api_token(None))
    told_to_all = 0
    for route in sorted(API_SCOPES):
        if "GET" not in (ROUTES[route].methods or set()):
            continue
        for path in paths(there, route):
            assert SECRET not in said(program.get(path)), path
            told_to_all += SECRET in said(whole.get(path))
    assert told_to_all >= 5
    assert program.get(f"/api/v1/assignments/{there['far']}").status_code == 404


def test_an_account_of_one_plan_changes_nothing_of_the_other(
    site: Site, there: dict[str, int]
) -> None:
    sent: set[str] = set()
    for visitor in (Visitor.COORDINATOR, Visitor.LEADERSHIP):
        browser = site.logged_in(visitor)
        restrict(site, visitor.value, world.PLAN)
        mark = mark_of(browser.get("/", follow_redirects=True))
        before = site.counts()
        for route, who in sorted(TABLE.items()):
            if visitor not in who or "POST" not in (ROUTES[route].methods or set()):
                continue
            if route in sent | EVERY_PLAN | OWN_ACTS:
                continue
            sent.add(route)
            path = paths(there, route)[0]
            data = {"mark": mark, "reason": "Lý do", "text": "Nội dung", "version": "1"}
            for deed in DEEDS if "{deed}" in ROUTES[route].path else ("",):
                answer = browser.post(path.replace("vuong-mac", deed), data=data)
                assert answer.status_code in {303, 403, 404, 409, 413, 422}, path
                assert SECRET not in said(answer), path
        assert site.counts() == before


def test_somebody_who_sees_several_plans_chooses_one_and_goes_back(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    page = browser.get("/nhiem-vu")
    assert SECRET in page.text
    assert "Tất cả 2 đề án" in text_of(page)
    asked = {"mark": mark_of(page), "plan": world.PLAN, "back": "/nhiem-vu"}
    answer = browser.post("/de-an-dang-xem", data=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/nhiem-vu")
    assert SECRET not in browser.get("/nhiem-vu").text
    assert SECRET not in said(browser.get("/bang/phan-cong?nam=tat-ca"))
    assert SECRET in browser.get(f"/nhiem-vu/{OTHER}/I.1").text, (
        "an address that names a plan opens"
    )
    browser.post("/de-an-dang-xem", data=asked | {"plan": ""})
    assert SECRET in browser.get("/nhiem-vu").text


def test_a_choice_never_shows_more_than_the_account_sees(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    restrict(site, "auditor", world.PLAN)
    browser.cookies.set(COOKIE, OTHER)
    page = browser.get("/nhiem-vu")
    assert SECRET not in page.text
    assert "Đề án đang xem" not in text_of(page), "there is nothing to choose from"


def test_a_plan_is_taken_away_from_an_open_session_at_once(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    assert SECRET in browser.get("/nhiem-vu").text
    restrict(site, "auditor", world.PLAN)
    assert SECRET not in browser.get("/nhiem-vu").text
    restrict(site, "auditor")
    assert SECRET in browser.get("/nhiem-vu").text


def test_which_plans_an_account_sees_is_checked_and_recorded(site: Site) -> None:
    site.account(Visitor.ADMIN)
    new = NewAccount(
        username="dieu.phoi.hai",
        name="Điều phối",
        role=AccountRole.COORDINATOR,
        agency=world.COORDINATOR,
        plans=(OTHER,),
    )
    site.write(lambda session: add_account(session, world.admin(), new))
    told = site.read(lambda session: world.events(session, "account", "dieu.phoi.hai"))
    assert json.loads(told[0].snapshot)["plans"] == OTHER
    with pytest.raises(Refused, match="Không có đề án “khong_co”"):
        restrict(site, "dieu.phoi.hai", "khong_co")
    with pytest.raises(Refused, match="phụ trách mọi đề án"):
        restrict(site, "admin", world.PLAN)
    stored = select(Account.plans).where(Account.username == "dieu.phoi.hai")
    assert site.read(lambda session: session.scalar(stored)) == OTHER


def test_a_statement_that_cannot_be_narrowed_is_refused_before_it_runs(site: Site) -> None:
    held = SIGHT.set(Sight(reading=Seen(shown=frozenset({world.PLAN}))))
    work = Occurrence.__table__
    try:
        with site.runtime.database.read() as session:
            assert plan_keys(session) == [world.PLAN]
            with pytest.raises(UnseenRead, match="occurrence"):
                session.execute(select(work.c.id)).all()
            with pytest.raises(UnseenRead, match="event"):
                session.execute(text("SELECT snapshot FROM event")).all()
            with pytest.raises(UnseenRead, match="occurrence"):
                session.connection().execute(select(work.c.id)).all()
            with everything(session):
                assert len(session.scalars(select(Occurrence.id)).all()) == 5
    finally:
        SIGHT.reset(held)


def test_the_map_of_several_plans_is_a_row_a_plan_and_leads_to_each(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get("/ban-do")
    told = text_of(page)
    assert "Bản đồ tiến độ các đề án năm 2027" in told
    assert "Xã Vạn Ninh" not in told, "agencies stand on the map of a plan"
    own = browser.get(f"/ban-do?de-an={world.PLAN}&nam=2027")
    assert f"/ban-do?nam=2027&amp;de-an={world.PLAN}" in page.text
    assert "Xã Vạn Ninh" in text_of(own)
    assert "CCHC-1718, I.1: Chưa hoàn thành, trong hạn: 2" in page.text
    restrict(site, "coordinator", world.PLAN)
    assert "Xã Vạn Ninh" in text_of(browser.get("/ban-do")), "one plan needs no choice"


def test_an_earlier_instant_shows_no_row_of_the_other_plan_either(
    site: Site, there: dict[str, int]
) -> None:
    """(39): the instant is laid whole, and read through the same conditions."""
    site.write(world.remember)
    site.clock.instant += timedelta(hours=2)
    browser, whole = site.logged_in(Visitor.AUDITOR), site.logged_in(Visitor.ADMIN)
    restrict(site, "auditor", world.PLAN)
    then, own = "luc=1/3/2027+09:30", site.work["I.1/xa_van_ninh"]
    assert browser.get(f"/viec/{own}?{then}").status_code == 200
    assert browser.get(f"/viec/{there['far']}?{then}").status_code == 404
    assert whole.get(f"/viec/{there['far']}?{then}").status_code == 200
    for page in ("/", "/ban-do", "/nhiem-vu", "/bang/phan-cong", "/danh-muc/co-quan"):
        answer = browser.get(f"{page}?nam=2027&{then}")
        assert answer.status_code == 200, page
        assert SECRET not in answer.text, page
    assert SECRET in whole.get(f"/bang/phan-cong?nam=2027&{then}").text
