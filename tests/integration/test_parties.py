"""Agencies added and dropped, letters switched, pilots (rules 12, 19, 36)."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Assignment, Occurrence, Proposal
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.letter_switches import set_letters, set_pilot
from operations.parties import Addition, add_agency, drop_agency
from rules.lifecycle import ActionNotAllowed, Status
from rules.values import DateAuthority, Role, TrackingMode
from tests import world
from tests.world import COORDINATOR, DUE, A, B, C

LATE = date(2027, 4, 6)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def add(
    session: Session,
    occurrence: Occurrence,
    agency: str = C,
    role: Role = Role.LEAD,
    *,
    day: date = world.TODAY,
    due_on: date | None = None,
) -> Assignment:
    addition = Addition(agency=agency, role=role, reason="Giao thêm", due_on=due_on)
    number = add_agency(session, world.coordinator(day), occurrence.id, addition)
    return session.get_one(Assignment, number)


def test_an_added_agency_has_the_date_and_the_ladder_of_the_others(session: Session) -> None:
    """Rule 12."""
    row = add(session, world.open_work(session))
    assert (row.status, row.due_on, row.agency_name) == (Status.NOT_STARTED, DUE, "Sở Tài chính")
    assert row.next_reminder_on == date(2027, 3, 10)
    (event,) = world.events(session, "assignment", row.id)
    assert (event.action, event.reason) == ("add", "Giao thêm")
    assert [one.agency_key for one in world.notices(session, "opened")] == [C]


def test_an_added_partner_sleeps_until_it_is_asked(session: Session) -> None:
    """Rule 14."""
    row = add(session, world.open_work(session), role=Role.PARTNER)
    assert (row.status, row.next_reminder_on) == (Status.DORMANT, None)
    assert world.notices(session) == []


def test_an_agency_added_late_needs_a_date_of_its_own(session: Session) -> None:
    occurrence = world.open_work(session)
    with pytest.raises(Refused, match="nêu hạn riêng") as error:
        add(session, occurrence, day=LATE)
    assert error.value.field == "due_on"
    row = add(session, occurrence, day=LATE, due_on=date(2027, 5, 8))
    assert (row.nominal_due_on, row.due_on) == (date(2027, 5, 8), date(2027, 5, 10))
    assert row.original_due_on == row.due_on


def test_a_provisional_or_recorded_date_may_have_passed(session: Session) -> None:
    """Rules 17, 19."""
    guessed = world.open_work(session, authority=DateAuthority.PROVISIONAL)
    recorded = world.open_work(session, "II.5", mode=TrackingMode.RECORD)
    assert add(session, guessed, day=LATE).authority == DateAuthority.PROVISIONAL
    add(session, recorded, day=LATE)
    kinds = [one.kind for one in world.notices(session)]
    assert kinds == ["opened", "record_invite"]


def test_an_agency_takes_part_once_and_a_lead_is_not_its_own_partner(session: Session) -> None:
    """Rule 14."""
    joint = world.open_work(session, "II.5", partners=(C,))
    for key, role in ((A, Role.LEAD), (A, Role.PARTNER), (C, Role.LEAD)):
        with pytest.raises(Refused, match="đã là cơ quan"):
            add(session, joint, key, role)
    each = world.open_work(session, "I.1", leads=(A,), partners=(COORDINATOR,))
    add(session, each, COORDINATOR, Role.LEAD)


def test_an_item_with_one_lead_gets_no_second(session: Session) -> None:
    """Rule 13."""
    single = world.open_work(session, "II.3", leads=(A,), partners=())
    with pytest.raises(Refused, match="hiện là Xã Vạn Ninh"):
        add(session, single, B)
    lead = world.row_of(session, single, A)
    drop_agency(session, world.coordinator(), lead.id, reason="Giao cơ quan khác")
    add(session, single, B)


def test_an_agency_that_does_not_exist_on_the_day_is_not_added(session: Session) -> None:
    session.get_one(AgencyRow, C).valid_to = date(2026, 12, 31)
    session.flush()
    occurrence = world.open_work(session)
    with pytest.raises(Refused, match="không hoạt động ngày 1/3/2027"):
        add(session, occurrence)
    with pytest.raises(NotFound):
        add(session, occurrence, "so_khong_co")


def test_adding_needs_a_reason_and_the_coordinator(session: Session) -> None:
    occurrence = world.open_work(session)
    with pytest.raises(Refused, match="lý do"):
        add_agency(
            session,
            world.coordinator(),
            occurrence.id,
            Addition(agency=C, role=Role.LEAD, reason=" "),
        )
    addition = Addition(agency=C, role=Role.LEAD, reason="Giao thêm")
    for stamp in (world.agency(A), world.auditor(), world.admin()):
        with pytest.raises(NotPermitted):
            add_agency(session, stamp, occurrence.id, addition)
    with pytest.raises(NotFound):
        add_agency(session, world.coordinator(), 999, addition)


def test_a_dropped_agency_is_cancelled_with_a_reason(session: Session) -> None:
    """Rule 12."""
    row = world.row_of(session, world.open_work(session), A)
    with pytest.raises(Refused, match="lý do"):
        drop_agency(session, world.coordinator(), row.id, reason="")
    with pytest.raises(Conflict):
        drop_agency(session, world.coordinator(), row.id, reason="x", expected_version=7)
    with pytest.raises(ActionNotAllowed):
        drop_agency(session, world.agency(A), row.id, reason="Không muốn làm")
    result = drop_agency(session, world.coordinator(), row.id, reason="Giao nhầm")
    assert result.status is Status.CANCELLED
    assert row.next_reminder_on is None


def test_an_agency_that_was_dropped_takes_part_again_in_a_new_round(session: Session) -> None:
    """Rules 10, 12: its one row, from the beginning; what was before stays in the history."""
    occurrence = world.open_work(session)
    row = world.row_of(session, occurrence, A)
    drop_agency(session, world.coordinator(), row.id, reason="Giao nhầm")
    again = add(session, occurrence, A)
    assert (again.id, again.round, again.status) == (row.id, 2, Status.NOT_STARTED)
    assert (again.due_on, again.next_reminder_on) == (DUE, date(2027, 3, 10))
    assert again.status_before is None
    actions = [one.action for one in world.events(session, "assignment", row.id)]
    assert actions[-2:] == ["cancel", "reassign"]
    partner = world.row_of(session, occurrence, COORDINATOR, Role.PARTNER)
    drop_agency(session, world.leadership(), partner.id, reason="Giao nhầm")
    asleep = add(session, occurrence, COORDINATOR, Role.PARTNER)
    assert (asleep.id, asleep.status) == (partner.id, Status.DORMANT)
    with pytest.raises(Refused, match="đã là cơ quan chủ trì"):
        add(session, occurrence, A)


def test_dropping_can_take_two_steps(session: Session) -> None:
    """Rule 20."""
    world.set_policies(session, two_step=frozenset({"cancel"}))
    row = world.row_of(session, world.open_work(session), A)
    result = drop_agency(session, world.coordinator(), row.id, reason="Giao nhầm")
    assert result.proposal is not None
    assert session.get_one(Proposal, result.proposal).state == "proposed"
    assert row.status == Status.NOT_STARTED


def test_letters_of_an_agency_are_switched_off_and_on(session: Session) -> None:
    """Rule 36."""
    occurrence = world.open_work(session)
    row, other = world.row_of(session, occurrence, A), world.row_of(session, occurrence, B)
    stamp = world.coordinator()
    change = set_letters(session, stamp, A, on=False, reason="Theo dõi thủ công")
    assert (change.agencies, change.reminders) == ((A,), 1)
    assert row.next_reminder_on is None
    assert other.next_reminder_on == date(2027, 3, 10)
    set_letters(session, stamp, A, on=True, reason="Đã có hộp thư")
    assert row.next_reminder_on == date(2027, 3, 10)
    words = [one.action for one in world.events(session, "agency", A)]
    assert words == ["letters_off", "letters_on"]


def test_letters_of_a_group_are_switched_for_its_members(session: Session) -> None:
    """Rule 36."""
    world.silence(session, A)
    occurrence = world.open_work(session)
    row = world.row_of(session, occurrence, A)
    assert row.next_reminder_on is None
    change = set_letters(session, world.coordinator(), "@silent", on=True, reason="Đã sẵn sàng")
    assert (change.agencies, change.still_silent) == ((A,), ())
    assert row.next_reminder_on == date(2027, 3, 10)


def test_an_agency_that_its_group_still_silences_is_named(session: Session) -> None:
    world.silence(session, A)
    change = set_letters(session, world.coordinator(), A, on=True, reason="Đã sẵn sàng")
    assert change.still_silent == (A,)


def test_switching_to_what_is_so_already_is_no_event(session: Session) -> None:
    set_letters(session, world.coordinator(), A, on=True, reason="Đã sẵn sàng")
    assert world.events(session, "agency", A) == []


def test_switching_letters_needs_a_reason_a_name_and_the_coordinator(session: Session) -> None:
    with pytest.raises(Refused, match="lý do"):
        set_letters(session, world.coordinator(), A, on=False, reason="")
    for ref in ("khong_co", "@khong_co"):
        with pytest.raises(NotFound, match=ref):
            set_letters(session, world.coordinator(), ref, on=False, reason="Lý do")
    with pytest.raises(NotPermitted):
        set_letters(session, world.agency(A), A, on=False, reason="Không muốn nhận")


def test_pilots_are_marked_with_a_reason_or_not_at_all(session: Session) -> None:
    """Rule 19."""
    stamp = world.coordinator()
    with pytest.raises(NotFound):
        set_pilot(session, stamp, [A, "khong_co"], on=True, reason="Thí điểm")
    assert not session.get_one(AgencyRow, A).pilot
    assert set_pilot(session, stamp, [A, B], on=True, reason="Thí điểm") == (A, B)
    assert set_pilot(session, stamp, [A, C], on=True, reason="Thí điểm") == (C,)
    assert set_pilot(session, stamp, [A, B, C], on=False, reason="Hết thí điểm") == (A, B, C)
    with pytest.raises(NotPermitted):
        set_pilot(session, world.agency(A), [A], on=True, reason="Xin")
