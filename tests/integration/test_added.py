"""Giao bổ sung: work outside the appendix, counted apart (rule 44)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import (
    AddedWork,
    Assignment,
    ContactKind,
    Letter,
    LetterLine,
    Occurrence,
    PlanRow,
)
from operations.act import act
from operations.added import AddedInput, add_work
from operations.added_changes import Amendment, amend_added, cancel_added
from operations.added_preview import preview_added
from operations.added_records import added_records
from operations.catalog import apply_catalog, stored_catalog
from operations.contacts import ContactInput, store_contacts
from operations.contacts import checked as checked_contact
from operations.dashboard import Scope, figures
from operations.errors import Conflict, NotPermitted, Refused
from operations.heatmap import heat_map
from operations.known_at import unlike_history
from operations.opening import open_due
from operations.reminding import remind
from operations.state import load_directory, load_plan
from rules.lifecycle import Action, Status
from rules.timeliness import Cell
from rules.values import Confirmation, DateAuthority, LeadMode, Role, TrackingMode
from runtime.rehearsal import Dates, Rehearsal, rehearse
from tasks_catalog.export import documents, export_plan
from tasks_catalog.loader import load_plan as load_files
from tests import world
from tests.engine import SMALL
from tests.world import PLAN, TODAY, A, B, C

ASKED = AddedInput(
    basis_code="512/UBND-NC",
    basis_on=date(2027, 2, 15),
    task="Rà soát thủ tục nội bộ",
    product="Báo cáo kết quả rà soát",
    due_on=date(2027, 5, 8),
    leads=(A, B),
    partners=(C,),
)
CODE = "BS-2027/01"
CHANGED = Amendment(
    basis_code="520/UBND-NC",
    basis_on=date(2027, 2, 20),
    task="Rà soát thủ tục nội bộ và liên thông",
    product="Báo cáo kết quả rà soát",
    due_on=date(2027, 6, 30),
    confirmation=Confirmation.ACCEPT,
    authority=DateAuthority.COORDINATOR,
    reason="Theo văn bản mới",
)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def give(session: Session, **changes: object) -> str:
    asked = replace(ASKED, **changes)  # type: ignore[arg-type]
    return add_work(session, world.coordinator(), PLAN, asked).code


def rows(session: Session, code: str = CODE) -> list[Assignment]:
    query = select(Assignment).join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    return list(session.scalars(query.where(Occurrence.item_key == code).order_by(Assignment.id)))


def test_added_work_is_opened_at_once_with_its_code_and_its_date_rolled(session: Session) -> None:
    """Rules 4, 11, 44: 8 May 2027 is a Saturday."""
    assert give(session) == CODE
    leads = [one for one in rows(session) if one.role == Role.LEAD]
    assert [one.agency_key for one in leads] == [A, B]
    assert {(one.nominal_due_on, one.due_on) for one in leads} == {
        (date(2027, 5, 8), date(2027, 5, 10))
    }
    assert {one.document_code for one in leads} == {"512/UBND-NC"}
    assert all(one.next_reminder_on is not None for one in leads)
    (partner,) = (one for one in rows(session) if one.role == Role.PARTNER)
    assert (partner.agency_key, partner.status) == (C, Status.DORMANT)
    assert [one.agency_key for one in world.notices(session, "opened")] == [A, B]
    (event,) = world.events(session, "added_work")
    assert (event.action, event.item_key, event.document) == ("give", CODE, "512/UBND-NC")


def test_running_the_flows_again_adds_nothing_and_the_next_code_follows(session: Session) -> None:
    """Rules 10, 44."""
    give(session)
    before = len(rows(session))
    open_due(session, world.flow(), PLAN)
    assert len(rows(session)) == before
    assert [give(session), give(session)] == ["BS-2027/02", "BS-2027/03"]


def test_added_work_is_followed_in_full_in_a_year_that_is_only_recorded(session: Session) -> None:
    """Rules 19, 44: it has a date of its own, whenever tracking began."""
    session.get_one(PlanRow, PLAN).tracking_start = date(2027, 9, 1)
    session.flush()
    stamp = world.coordinator(date(2027, 10, 1))
    asked = replace(ASKED, due_on=date(2027, 12, 1))
    code = add_work(session, stamp, PLAN, asked).code
    above = session.scalars(select(Occurrence).where(Occurrence.item_key == code)).one()
    assert (above.mode, above.due_on) == (TrackingMode.FULL, date(2027, 12, 1))


def test_the_four_cells_of_the_appendix_never_count_it(session: Session) -> None:
    """Rules 21, 44."""
    world.open_work(session)
    scope = Scope(cutoff=TODAY, year=2027)
    before = figures(session, scope).cells
    give(session)
    assert figures(session, scope).cells == before
    assert figures(session, replace(scope, added=True)).cells == {Cell.OPEN_IN_TIME: 2}
    assert figures(session, replace(scope, added=None)).total == 4
    late = replace(scope, cutoff=date(2027, 5, 11), added=True)
    assert figures(session, late).cells == {Cell.OPEN_OVERDUE: 2}
    plain = heat_map(session, scope, load_directory(session))
    assert {key for group in plain for row in group.rows for key in row.cells} == {(PLAN, "I.1")}
    apart = heat_map(session, replace(scope, added=True), load_directory(session))
    assert {key for group in apart for row in group.rows for key in row.cells} == {(PLAN, CODE)}


def test_letters_remind_of_it_by_the_ladder(session: Session) -> None:
    """Rules 27, 28, 44: the sweep of all letters knows it like any other work."""
    contact = ContactInput(
        agency_key=A, kind=ContactKind.MAILBOX, name="Văn thư", email="xa@co-quan.test"
    )
    store_contacts(session, world.admin(), [checked_contact(contact)])
    give(session)
    row = rows(session)[0]
    day = row.next_reminder_on
    assert day is not None
    remind(session, world.flow(day))
    told = session.execute(
        select(Letter.mailbox, LetterLine.rung)
        .join(LetterLine, LetterLine.letter_id == Letter.id)
        .where(LetterLine.assignment_id == row.id)
    ).all()
    assert ("xa@co-quan.test", -15) in [tuple(one) for one in told]


def test_a_date_that_is_near_reminds_at_once_with_the_latest_rung_only(session: Session) -> None:
    """Rule 28."""
    near = replace(ASKED, due_on=date(2027, 3, 4))
    found = preview_added(session, world.coordinator(), PLAN, near)
    days = [(one.day, one.offset) for one in found.letters if one.offset is not None]
    assert days[0] == (TODAY, -5)
    assert [offset for _, offset in days] == [-5, -1, 2, 6, 15, 30]


def test_a_preview_says_whom_it_reaches_and_changes_nothing(session: Session) -> None:
    world.silence(session, B)
    found = preview_added(session, world.coordinator(), PLAN, ASKED)
    assert (found.code, found.due_on) == (CODE, date(2027, 5, 10))
    assert [(one.name, one.letters) for one in found.leads] == [
        ("Xã Vạn Ninh", True),
        ("Phường Nha Trang", False),
    ]
    assert session.scalars(select(AddedWork)).all() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"basis_code": ""}, "basis_code"),
        ({"basis_on": None}, "basis_on"),
        ({"basis_on": date(2027, 3, 2)}, "basis_on"),
        ({"task": "  "}, "task"),
        ({"product": ""}, "product"),
        ({"due_on": None}, "due_on"),
        ({"due_on": date(2027, 2, 26)}, "due_on"),
        ({"due_on": date(2050, 1, 1)}, "due_on"),
        ({"leads": ()}, "leads"),
        ({"leads": ("@silent",)}, "leads"),
        ({"leads": ("khong_co",)}, "leads"),
        ({"lead_mode": LeadMode.SINGLE}, "lead_mode"),
        ({"authority": DateAuthority.MINISTRY}, "basis_code"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_written(
    session: Session, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as error:
        give(session, **changes)
    assert error.value.field == field
    assert session.scalars(select(AddedWork)).all() == []


def test_an_agency_adds_no_work(session: Session) -> None:
    with pytest.raises(NotPermitted):
        add_work(session, world.agency(), PLAN, ASKED)


def test_a_form_sent_twice_adds_work_once(session: Session) -> None:
    """Rule 26."""
    stamp = world.coordinator()
    add_work(session, stamp, PLAN, ASKED, expected_code=CODE)
    with pytest.raises(Conflict, match="gửi hai lần"):
        add_work(session, stamp, PLAN, ASKED, expected_code=CODE)


def test_codes_have_no_gap_and_no_double_when_many_give_work_at_once(database_url: str) -> None:
    """Rules 10, 44."""
    database = Database(database_url)
    with database.write() as session:
        world.found(session)
    start, codes, many = threading.Barrier(6), list[str](), 6

    def go() -> None:
        start.wait()
        with database.write() as session:
            codes.append(add_work(session, world.coordinator(), PLAN, ASKED).code)

    threads = [threading.Thread(target=go) for _ in range(many)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    database.close()
    assert sorted(codes) == [f"BS-2027/0{number}" for number in range(1, many + 1)]


def test_untouched_work_is_amended_with_a_reason_and_its_agencies_are_told(
    session: Session,
) -> None:
    """Rules 15, 44."""
    give(session)
    changed = amend_added(session, world.coordinator(), PLAN, CODE, CHANGED)
    assert changed == ("căn cứ", "nội dung", "hạn", "cách xác nhận")
    assert load_plan(session, PLAN).item(CODE).text.task == CHANGED.task
    lead = rows(session)[0]
    assert (lead.due_on, lead.original_due_on) == (date(2027, 6, 30), date(2027, 6, 30))
    assert lead.document_code == "520/UBND-NC"
    above = session.get_one(Occurrence, lead.occurrence_id)
    assert (above.due_on, above.confirmation) == (date(2027, 6, 30), "accept")
    assert {one.agency_key for one in world.notices(session, "date_changed")} == {A, B}
    assert unlike_history(session, world.at(TODAY, 23)) == []
    with pytest.raises(Refused, match="không khác"):
        amend_added(session, world.coordinator(), PLAN, CODE, CHANGED)
    stale = replace(CHANGED, task="Khác", expected_version=1)
    with pytest.raises(Conflict):
        amend_added(session, world.coordinator(), PLAN, CODE, stale)


def test_work_that_somebody_has_begun_is_not_amended(session: Session) -> None:
    """Rule 15."""
    give(session)
    act(session, world.agency(A), rows(session)[0].id, Action.START)
    with pytest.raises(Refused, match="đã có cơ quan bắt đầu"):
        amend_added(session, world.coordinator(), PLAN, CODE, CHANGED)
    with pytest.raises(Refused) as error:
        amend_added(session, world.coordinator(), PLAN, CODE, replace(CHANGED, reason=" "))
    assert error.value.field == "reason"


def test_work_that_is_no_longer_followed_keeps_its_code(session: Session) -> None:
    """Rules 24, 44."""
    give(session)
    done = cancel_added(session, world.coordinator(), PLAN, CODE, reason="Đã giao nơi khác")
    assert (done.ended, done.proposed) == (3, 0)
    assert {one.status for one in rows(session)} == {Status.CANCELLED}
    assert figures(session, Scope(cutoff=TODAY, added=True)).total == 0
    with pytest.raises(Refused, match="không còn việc"):
        cancel_added(session, world.coordinator(), PLAN, CODE, reason="Lần nữa")
    assert give(session) == "BS-2027/02"


def test_cancelling_takes_two_steps_where_that_is_asked(session: Session) -> None:
    """Rule 20."""
    world.set_policies(session, two_step=frozenset({"cancel"}))
    give(session, partners=())
    done = cancel_added(session, world.coordinator(), PLAN, CODE, reason="Đã giao nơi khác")
    assert (done.ended, done.proposed) == (0, 2)
    assert {one.status for one in rows(session)} == {Status.NOT_STARTED}


@pytest.fixture
def small(database_url: str) -> Iterator[Session]:
    """The small plan, applied from its files."""
    database = Database(database_url)
    with database.write() as session:
        apply_catalog(session, world.admin(), load_files(SMALL), tracking_start=date(2027, 1, 1))
        yield session
    database.close()


def test_applying_and_exporting_a_catalog_leaves_added_work_alone(
    small: Session, tmp_path: Path
) -> None:
    """Rules 8, 44."""
    catalog = load_files(SMALL)
    key, lead = catalog.plan.key, catalog.directory.agencies[0].key
    asked = replace(ASKED, leads=(lead,), partners=())
    code = add_work(small, world.coordinator(), key, asked).code
    stored = stored_catalog(small, key)
    assert stored.plan.added == ()
    export_plan(
        stored.plan,
        stored.directory,
        tmp_path / "plan",
        tmp_path / "agencies",
        corrections=stored.corrections,
    )
    written = load_files(tmp_path / "plan", tmp_path / "agencies")
    policies = replace(written.plan.policies, extension_cap=7)
    changed = replace(written, plan=replace(written.plan, policies=policies))
    done = apply_catalog(small, world.admin(), changed, tracking_start=TODAY, overwrite=True)
    assert done.version == catalog.plan.version + 1
    after = load_plan(small, key)
    assert (after.policies.extension_cap, after.item(code).key) == (7, code)
    assert (
        documents(after, stored.directory)["plan.yaml"]
        == documents(replace(after, added=()), stored.directory)["plan.yaml"]
    )


def test_a_rehearsal_knows_the_work_that_was_added(small: Session) -> None:
    """Rules 31, 44."""
    catalog = load_files(SMALL)
    key, lead = catalog.plan.key, catalog.directory.agencies[0].key
    asked = replace(ASKED, leads=(lead,), partners=())
    code = add_work(small, world.coordinator(), key, asked).code
    letters = rehearse(
        Rehearsal(
            catalogs=[stored_catalog(small, key)],
            date_from=TODAY,
            date_to=date(2027, 5, 31),
            dates=Dates.PROVISIONAL,
            tracking_start=date(2027, 1, 1),
            added=added_records(small),
        )
    )
    rungs = [line.rung for one in letters for line in one.lines if line.item == code]
    assert None in rungs
    assert any(rung is not None and rung < 0 for rung in rungs)
    assert any(rung is not None and rung > 0 for rung in rungs)
