"""The life of II.3 · 2027, from the day it opens to the day it is confirmed.

A real Prefect server, a real conversation with a mail server, the portal's own pages; only the
clock is ours. What is said of each day is what an official of Sở Nội vụ, or of a partner, would
find in the mailbox that morning.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as reading
from itertools import pairwise
from pathlib import Path
from typing import Any

import icalendar
import pytest
from fastapi.testclient import TestClient
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import get_current_settings
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy import select

import flows.items
import runtime.wiring
from models.tables import Assignment, ContactKind, Event, Letter, LetterState, Occurrence
from notifications.mailbox import LocalMailbox
from operations.accounts import NewAccount, add_account
from operations.catalog import apply_catalog
from operations.contacts import ContactInput, store_contacts
from operations.dates import fix_year_dates
from operations.links import LINK_PATH
from operations.partners import PartnerRequest, close_silence, request_contribution
from operations.stamp import Stamp
from portal.app import create_app
from rules.actors import AccountRole, Actor, ActorKind
from rules.run_state import RunState
from rules.values import Document, Role
from runtime.clock import FixedClock
from runtime.settings import load_settings
from runtime.wiring import Runtime, open_runtime
from tasks_catalog.loader import CATALOG, load_plan
from tests.invariants import check_invariants
from tests.portal_site import mark_of, send, text_of

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]

CATALOG_OF_1718 = load_plan(CATALOG / "qd_1718_2023")
PLAN = CATALOG_OF_1718.plan
ITEM, PERIOD = "II.3", "2027"
COORDINATOR = "so_noi_vu"
ASKED = ("so_tai_chinh", "phuong_nha_trang", "xa_van_ninh")
"""Two that answer, and one that stays silent."""
FIRST, SECOND, SILENT = ASKED
PASSWORD = "mat-khau-rat-dai-2027"
TET_EVE, OPENS = date(2026, 12, 31), date(2027, 1, 2)
DUE, NEW_DUE = date(2027, 3, 31), date(2027, 4, 14)
ANSWER_BY = date(2027, 3, 5)

STAFF = Actor(
    kind=ActorKind.PERSON,
    name="Trần Thị Bình",
    role=AccountRole.COORDINATOR,
    account="chuyen.vien",
    agency=COORDINATOR,
)


def box(agency: str, kind: str = "van-thu") -> str:
    """An address that is no sample, under a domain that nobody can own."""
    return f"{kind}@{agency.replace('_', '-')}.example"


OFFICE, OFFICER = box(COORDINATOR), box(COORDINATOR, "dau-moi")


@dataclass
class Life:
    """One trial database, its clock, its mail server, and what has arrived so far."""

    runtime: Runtime
    clock: FixedClock
    folder: Path
    seen: set[str] = field(default_factory=set)
    arrived: dict[str, set[date]] = field(default_factory=dict)
    """The days on which each mailbox had a letter."""

    def at(self, day: date, hour: int) -> None:
        """Set the clock to an hour of ``day`` in Vietnam."""
        self.clock.instant = datetime.combine(day, time(hour - 7), UTC)

    @property
    def today(self) -> date:
        return self.clock.today(PLAN.time_zone)

    def stamp(self, actor: Actor = STAFF) -> Stamp:
        return Stamp(at=self.clock.now(), as_of=self.today, actor=actor)

    async def morning(self, day: date) -> dict[str, list[EmailMessage]]:
        """What runs every day; the letters of that morning, by mailbox."""
        self.at(day, 8)
        await run_item()
        return await self.post()

    async def post(self) -> dict[str, list[EmailMessage]]:
        """Send what waits; the letters that came, by mailbox."""
        state = await run("flows.mail.delivery")
        assert state.is_completed(), state.message
        found: dict[str, list[EmailMessage]] = {}
        for path in sorted(self.folder.glob("*.eml")):
            if path.name not in self.seen:
                self.seen.add(path.name)
                message = BytesParser(policy=reading).parsebytes(path.read_bytes())
                assert isinstance(message, EmailMessage)
                to = str(message["Delivered-To"])
                assert to in str(message["To"])
                found.setdefault(to, []).append(message)
                self.arrived.setdefault(to, set()).add(self.today)
        return found

    def row(self, agency: str = COORDINATOR, role: Role = Role.LEAD) -> Assignment:
        with self.runtime.database.read() as session:
            return session.scalars(
                select(Assignment)
                .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
                .where(
                    Occurrence.item_key == ITEM,
                    Occurrence.period_key == PERIOD,
                    Assignment.agency_key == agency,
                    Assignment.role == role.value,
                )
            ).one()

    def partner(self, agency: str) -> Assignment:
        return self.row(agency, Role.PARTNER)

    def browser(self) -> TestClient:
        return TestClient(
            create_app(self.runtime),
            base_url=self.runtime.settings.portal_url,
            follow_redirects=False,
        )

    def logged_in(self, username: str) -> TestClient:
        browser = self.browser()
        page = browser.get("/dang-nhap")
        values = {"mark": mark_of(page), "username": username, "password": PASSWORD}
        answer = browser.post("/dang-nhap", data=values)
        assert answer.status_code == 303, text_of(answer)
        return browser

    def do(self, username: str, path: str, deed: str, **values: str) -> str:
        """Fill in a form of the lead's work as somebody with an account; what the page says."""
        browser = self.logged_in(username)
        answer = send(browser, f"{path}/viec/{self.row().id}", deed, values)
        assert answer.status_code == 303, text_of(answer)
        return text_of(browser.get(answer.headers["location"]))


async def run(entrypoint: str, **parameters: Any) -> State[Any]:
    """A flow, run under the server's eyes; its last state."""
    state = await load_flow_from_entrypoint(entrypoint)(**parameters, return_state=True)
    assert isinstance(state, State)
    return state


async def run_item(as_of: date | None = None) -> State[Any]:
    """The item's own flow."""
    state = await run("flows.items.qd_1718_2023__ii_3", as_of=as_of)
    assert state.is_completed(), state.message
    return state


def words(message: EmailMessage) -> str:
    """The plain text of a letter."""
    part = message.get_body(preferencelist=("plain",))
    assert part is not None
    return str(part.get_content())


@dataclass(frozen=True, slots=True)
class Entry:
    """A date in somebody's calendar."""

    uid: str
    sequence: int
    day: date


def entry(message: EmailMessage) -> Entry:
    """The calendar entry that came with a letter."""
    (file,) = [p for p in message.iter_attachments() if p.get_content_type() == "text/calendar"]
    (event,) = icalendar.Calendar.from_ical(file.get_content()).walk("VEVENT")
    return Entry(str(event["UID"]), int(event.decoded("SEQUENCE")), event.decoded("DTSTART"))


def link_in(message: EmailMessage) -> str:
    """The path of the live link in a letter."""
    found = re.search(rf"{re.escape(LINK_PATH)}\S+", words(message))
    assert found is not None, words(message)
    return found[0]


@pytest.fixture(scope="module", name="api_url")
def _api_url() -> Iterator[str]:
    """A Prefect server: the one that other tests have up, or one of our own."""
    if up := get_current_settings().api.url:
        yield up
        return
    with prefect_test_harness(server_startup_timeout=120):
        url = get_current_settings().api.url
        assert url is not None
        yield url


@pytest.fixture
def life(
    api_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Life]:
    """A trial of the province on the eve of 2027, with mailboxes that exist for its mail server."""
    clock = FixedClock(datetime.combine(TET_EVE, time(2), UTC))
    folder = tmp_path / "received"
    with LocalMailbox(folder) as server:
        monkeypatch.chdir(tmp_path)
        for name, value in {
            "DATA_DIR": str(tmp_path / "var"),
            "DATABASE_URL": database_url,
            "PREFECT_API_URL": api_url,
            "SMTP_HOST": server.host,
            "SMTP_PORT": str(server.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "nhac-viec@tiendo.example",
            "PORTAL_PUBLIC_URL": "http://tiendo.example",
        }.items():
            monkeypatch.setenv(f"TIENDO_{name}", value)
        monkeypatch.setattr(runtime.wiring, "SystemClock", lambda: clock)
        flows.items._known.cache_clear()
        with open_runtime(load_settings()) as opened:
            found = Life(runtime=opened, clock=clock, folder=folder)
            _settle(found)
            yield found
        flows.items._known.cache_clear()


def _settle(life: Life) -> None:
    """The catalog, the mailboxes, and the document that fixes the year's dates."""
    installer = life.stamp(Actor(kind=ActorKind.OPERATOR, name="Vận hành"))
    with life.runtime.database.write() as session:
        apply_catalog(session, installer, CATALOG_OF_1718, tracking_start=date(2027, 1, 1))
        for agency in (COORDINATOR, *ASKED):
            contacts = [
                ContactInput(agency_key=agency, kind=ContactKind.MAILBOX, email=box(agency)),
                ContactInput(
                    agency_key=agency,
                    kind=ContactKind.FOCAL,
                    name="Lê Văn Cường",
                    email=box(agency, "dau-moi"),
                ),
            ]
            store_contacts(session, installer, contacts)
        fix_year_dates(
            session,
            life.stamp(),
            PLAN.key,
            2027,
            {(ITEM, PERIOD): DUE},
            document=Document(code="15/KH-SNV", issued_on=date(2026, 12, 28)),
        )


def accounts_are_opened(life: Life) -> None:
    """For those who will decide; an account that nobody uses for long is switched off."""
    admin = life.stamp(Actor(kind=ActorKind.OPERATOR, name="Vận hành"))
    with life.runtime.database.write() as session:
        for username, name, role in (
            ("chuyen.vien", STAFF.name, AccountRole.COORDINATOR),
            ("lanh.dao", "Phạm Quốc Dũng", AccountRole.LEADERSHIP),
        ):
            new = NewAccount(
                username=username,
                name=name,
                role=role,
                password=PASSWORD,
                agency=COORDINATOR,
                basis="Quyết định phân công",
            )
            add_account(session, admin, new)


async def it_opens(life: Life) -> Entry:
    """Opened on its day by the item's flow; told on Monday. The calendar entry of the letter."""
    assert (await run_item()).name == RunState.NOTHING_OPEN
    assert (await run_item(as_of=OPENS)).name == RunState.IN_PROGRESS
    row = life.row()
    assert (row.due_on, row.authority, row.document_code) == (DUE, "coordinator", "15/KH-SNV")
    assert await life.morning(OPENS) == {}, "a Saturday"
    came = await life.morning(date(2027, 1, 4))
    assert set(came) == {OFFICE}
    (digest,) = came[OFFICE]
    assert "II.3" in words(digest)
    assert "31/3/2027" in words(digest)
    assert LINK_PATH not in words(digest), "work of its own is submitted by account"
    opening = entry(digest)
    assert opening.day == DUE
    return opening


async def partners_are_asked(life: Life) -> None:
    """Each one's next Monday digest has the request; two answer by its link."""
    assert await life.morning(date(2027, 1, 12)) == {}
    ids = [life.partner(agency).id for agency in ASKED]
    with life.runtime.database.write() as session:
        asked = PartnerRequest(content="Danh sách học viên dự tập huấn", respond_by=ANSWER_BY)
        request_contribution(session, life.stamp(), life.row().id, ids, asked)
    assert await life.morning(date(2027, 1, 13)) == {}, "rides on Monday"
    came = await life.morning(date(2027, 1, 18))
    assert set(came) == {box(agency, "dau-moi") for agency in ASKED}
    for (digest,) in came.values():
        assert "Danh sách học viên dự tập huấn" in words(digest)
        assert "5/3/2027" in words(digest)
    life.at(date(2027, 1, 20), 9)
    answer_by_link(life, FIRST, came[box(FIRST, "dau-moi")][0])
    await lead_learns_of_an_answer(life, date(2027, 1, 25))


async def lead_learns_of_an_answer(life: Life, monday: date) -> None:
    """What a partner contributed stands in the lead's next Monday digest, and nowhere else."""
    came = await life.morning(monday)
    assert set(came) == {OFFICER}
    assert "II.3" in words(came[OFFICER][0])


def answer_by_link(life: Life, agency: str, letter: EmailMessage) -> None:
    """A partner opens the link of its letter and sends what it was asked for."""
    browser, path = life.browser(), link_in(letter)
    work = f"{path}/viec/{life.partner(agency).id}"
    assert "Danh sách học viên dự tập huấn" in text_of(browser.get(work))
    values = {
        "text": "Gửi danh sách 12 học viên",
        "document": "7/CV-UBND",
        "issued_on": "19/1/2027",
        "who_name": "Đỗ Thị Em",
        "who_post": "Công chức",
    }
    answer = send(browser, work, "phoi-hop", values)
    assert answer.status_code == 303, text_of(answer)
    row = life.partner(agency)
    assert row.status == "contributed"
    assert row.submitted_by == f"mailbox:{letter['Delivered-To']}"


async def rungs_arrive_on_their_days(life: Life) -> None:
    """The partners' ladder before their day, the standard one before the due date."""
    second, silent = box(SECOND), box(SILENT)
    assert await life.morning(date(2027, 3, 1)) == {}
    came = await life.morning(date(2027, 3, 2))
    assert set(came) == {second, box(SECOND, "dau-moi"), silent, box(SILENT, "dau-moi")}
    answer_by_link(life, SECOND, came[second][0])
    assert await life.morning(date(2027, 3, 3)) == {}
    assert set(await life.morning(date(2027, 3, 4))) == {silent, box(SILENT, "dau-moi")}
    await lead_learns_of_an_answer(life, date(2027, 3, 8))
    came = await life.morning(date(2027, 3, 9))
    assert set(came) == {box(SILENT, "dau-moi")}
    for eve, day in ((date(2027, 3, 9), date(2027, 3, 10)), (date(2027, 3, 23), date(2027, 3, 24))):
        assert OFFICE not in await life.morning(eve)
        came = await life.morning(day)
        assert set(came) == {OFFICE, OFFICER}
        assert all("31/3/2027" in words(letter) for (letter,) in came.values())


async def it_is_extended(life: Life, opening: Entry) -> None:
    """Asked by staff, granted by leadership: a letter at once moves the entry in the calendar."""
    life.at(date(2027, 3, 25), 9)
    accounts_are_opened(life)
    life.do(
        "chuyen.vien",
        "/co-quan",
        "gia-han",
        until="14/4/2027",
        reason="Giảng viên của Bộ Nội vụ dời lịch",
    )
    assert await life.post() == {}, "asking is no news to whoever asks"
    life.at(date(2027, 3, 26), 9)
    told = life.do(
        "lanh.dao", "", "dong-y-gia-han", reason="Lý do khách quan", document="31/QĐ-SNV"
    )
    assert "Đã ghi quyết định gia hạn" in told
    came = await life.post()
    (letter,) = came.pop(OFFICER)
    assert came == {}
    assert "14/4/2027" in words(letter)
    moved = entry(letter)
    assert (moved.uid, moved.day) == (opening.uid, NEW_DUE)
    assert moved.sequence > opening.sequence
    row = life.row()
    assert (row.due_on, row.original_due_on, row.extensions) == (NEW_DUE, DUE, 1)
    for day in (date(2027, 3, 30), DUE, date(2027, 4, 6)):
        assert await life.morning(day) == {}, "the old date's ladder is over"
    assert set(await life.morning(date(2027, 4, 7))) == {OFFICE, OFFICER}


async def it_is_submitted_returned_and_confirmed(life: Life) -> None:
    """A return goes at once and does not make the work late; leadership confirms."""
    life.at(date(2027, 4, 9), 9)
    result = {
        "text": "Đã ban hành kế hoạch tập huấn năm 2027",
        "document": "45/KH-SNV",
        "issued_on": "8/4/2027",
    }
    told = life.do("chuyen.vien", "/co-quan", "cap-nhat", **result)
    assert "Đã ghi nhận kết quả" in told
    (receipt,) = (await life.post())[OFFICE]
    assert "45/KH-SNV" in words(receipt)

    life.at(date(2027, 4, 12), 9)
    life.do("lanh.dao", "", "tra-lai", reason="Bổ sung danh sách lớp")
    came = await life.post()
    (letter,) = came[OFFICER]
    assert "Bổ sung danh sách lớp" in words(letter)
    assert life.row().respond_by == date(2027, 4, 20), "five working days; 16 April is off"
    assert await life.morning(date(2027, 4, 13)) == {}, "the day to respond moves reminders"

    life.at(date(2027, 4, 15), 9)
    result["text"] += ", kèm danh sách lớp"
    life.do("chuyen.vien", "/co-quan", "cap-nhat", **result)
    with life.runtime.database.write() as session:
        closed = close_silence(
            session, life.stamp(), life.row().id, reason="Đã đủ số học viên, không chờ thêm"
        )
    assert closed == (life.partner(SILENT).id,)
    life.at(date(2027, 4, 15), 14)
    life.do("lanh.dao", "", "xac-nhan")
    row = life.row()
    assert (row.status, row.self_confirmed) == ("confirmed", True)
    assert row.completed_on is not None
    assert row.completed_on <= NEW_DUE
    page = text_of(life.logged_in("lanh.dao").get(f"/viec/{row.id}"))
    assert "tự xác nhận" in page
    assert "Hoàn thành đúng hạn" in page
    assert set(await life.post()) == {OFFICE}, "the second receipt"


async def monday_says_so(life: Life) -> None:
    """The digest of the Monday after tells that it was confirmed; then there is nothing to say."""
    came = await life.morning(date(2027, 4, 19))
    (digest,) = came.pop(OFFICER)
    assert came == {}
    assert "II.3" in words(digest)
    assert "xác nhận" in words(digest)
    for day in (date(2027, 4, 20), date(2027, 4, 26), date(2027, 5, 26)):
        assert await life.morning(day) == {}
    assert (await run_item()).name == RunState.DONE_IN_TIME


async def runs_of_the_item() -> list[FlowRun]:
    """What the server keeps of the item's runs, in the order of their business dates."""
    name = next(one for one in PLAN.items if one.key == ITEM).text.task[:20]
    async with get_client() as client:
        found = await client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(like_=f"{ITEM} · {name}")), limit=200
        )
    return sorted(found, key=lambda one: one.start_time or datetime.min.replace(tzinfo=UTC))


def lines_of(life: Life, row: Assignment) -> list[Event]:
    """The history of an assignment, oldest first."""
    with life.runtime.database.read() as session:
        query = select(Event).where(Event.entity == "assignment", Event.entity_id == str(row.id))
        return list(session.scalars(query.order_by(Event.id)))


async def history_has_each_step(life: Life, since: datetime) -> None:
    """Every step, by whom; the engine's own steps name their run, and the server knows it."""
    lead = lines_of(life, life.row())
    assert [(one.action, one.actor_kind) for one in lead] == [
        ("assign", "flow"),
        ("extend", "person"),
        ("submit", "person"),
        ("return", "person"),
        ("submit", "person"),
        ("confirm", "person"),
    ]
    assert [one.reason for one in lead if one.action == "return"] == ["Bổ sung danh sách lớp"]
    for agency, actions in (
        (FIRST, ["assign", "request", "contribute"]),
        (SECOND, ["assign", "request", "contribute"]),
        (SILENT, ["assign", "request", "close_unanswered"]),
    ):
        assert [one.action for one in lines_of(life, life.partner(agency))] == actions
    (why,) = [one.reason for one in lines_of(life, life.partner(SILENT)) if one.reason]
    assert why == "Đã đủ số học viên, không chờ thêm"
    dues = [json.loads(one.snapshot)["due_on"] for one in lead]
    assert sorted(set(dues)) == [DUE.isoformat(), NEW_DUE.isoformat()]

    runs = [one for one in await runs_of_the_item() if one.start_time and one.start_time >= since]
    known = {str(one.id) for one in runs}
    with life.runtime.database.read() as session:
        mine = list(session.scalars(select(Event).where(Event.actor_kind == "flow")))
        unsent = list(session.scalars(select(Letter.state).where(Letter.state != LetterState.SENT)))
    assert all(one.run for one in mine)
    assert {one.run for one in mine if one.item_key == ITEM} <= known
    assert unsent == []
    names = [one.state.name for one in runs if one.state is not None]
    changes = [names[0], *(after for before, after in pairwise(names) if before != after)]
    assert changes == [RunState.NOTHING_OPEN, RunState.IN_PROGRESS, RunState.DONE_IN_TIME]


async def test_life_of_ii_3_in_2027(life: Life) -> None:
    since = datetime.now(UTC)
    opening = await it_opens(life)
    await partners_are_asked(life)
    await rungs_arrive_on_their_days(life)
    await it_is_extended(life, opening)
    await it_is_submitted_returned_and_confirmed(life)
    await monday_says_so(life)
    await history_has_each_step(life, since)
    others = set(life.arrived) - {
        box(agency, kind) for agency in (COORDINATOR, *ASKED) for kind in ("van-thu", "dau-moi")
    }
    assert others == set(), "whoever was not asked is left in peace"
    check_invariants(life.runtime.database)
