"""Agencies merge, split, are renamed, end or begin, by a document and on a day (rules 35, 36)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import (
    Account,
    AgencyRow,
    Assignment,
    ContactKind,
    GroupRow,
    LinkToken,
    MemberRow,
    ReorganisationRow,
    SuccessionRow,
)
from operations.accounts import NewAccount, add_account
from operations.contacts import ContactInput, contacts_of, set_contact
from operations.errors import Conflict, NotPermitted
from operations.links import LinkPurpose, issue
from operations.opening import open_due
from operations.reorganising import ReorganisationRefused, reorganise
from operations.reorganising_look import Fate
from operations.reorganising_preview import apply_seen, preview
from operations.state import load_directory
from rules.actors import AccountRole
from rules.lifecycle import MOVABLE, Status
from rules.reorganising import (
    Accounts,
    ChangeKind,
    NewAgency,
    Reorganisation,
    Successor,
)
from rules.values import Role
from tests import world
from tests.portal_site import SECRET
from tests.world import COORDINATOR, PLAN, TODAY, A, B, C

MERGE = Reorganisation(
    kind=ChangeKind.MERGE,
    effective_on=TODAY,
    document_code="1667/NQ-UBTVQH15",
    document_issued_on=date(2027, 2, 20),
    predecessors=(A, B),
    successors=(Successor(new=NewAgency(name="Xã Vạn Trang", kind="commune")),),
)
SPLIT = Reorganisation(
    kind=ChangeKind.SPLIT,
    effective_on=TODAY,
    document_code="12/NQ-HĐND",
    predecessors=(A,),
    successors=(
        Successor(new=NewAgency(name="Xã Vạn Đông", kind="commune")),
        Successor(agency=C, items=("II.5",)),
    ),
)
RENAME = Reorganisation(
    kind=ChangeKind.RENAME,
    effective_on=TODAY,
    document_code="12/NQ-HĐND",
    predecessors=(A,),
    successors=(Successor(new=NewAgency(name="Xã Vạn Giã")),),
)
END = Reorganisation(
    kind=ChangeKind.END, effective_on=TODAY, document_code="12/NQ-HĐND", predecessors=(B,)
)
FOUND = Reorganisation(
    kind=ChangeKind.FOUND,
    effective_on=TODAY,
    document_code="12/NQ-HĐND",
    successors=(
        Successor(new=NewAgency(name="Phường Cam Linh", kind="ward"), groups=("communes",)),
    ),
)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        session.add(GroupRow(key="communes", name="UBND cấp xã", certainty="SEEN"))
        session.flush()
        for n, key in enumerate((A, B)):
            session.add(MemberRow(group_key="communes", position=n, ref=key))
        session.flush()
        yield session


def do(session: Session, one: Reorganisation) -> None:
    reorganise(session, world.coordinator(), [one])


def rows(session: Session, agency: str) -> dict[str, str]:
    found = session.scalars(select(Assignment).where(Assignment.agency_key == agency))
    return {f"{row.occurrence_id}/{row.role}": row.status for row in found}


def refusal(session: Session, one: Reorganisation) -> tuple[str, str]:
    with pytest.raises(ReorganisationRefused) as error:
        do(session, one)
    return error.value.problems[0].field, error.value.problems[0].text


def test_a_merger_moves_open_work_into_one_row_with_its_dates(session: Session) -> None:
    """(35) Two predecessors with the same occurrence become one row."""
    work = world.open_work(session)
    due = {world.row_of(session, work, key).due_on for key in (A, B)}
    do(session, MERGE)
    heir = world.row_of(session, work, "xa_van_trang")
    for key in (A, B):
        old = world.row_of(session, work, key)
        assert (old.status, old.successor_id) == (Status.TRANSFERRED, heir.id)
    assert (heir.status, {heir.due_on}) == (Status.NOT_STARTED, due)
    assert heir.next_reminder_on is not None
    entries = session.scalars(select(SuccessionRow).order_by(SuccessionRow.predecessor)).all()
    assert {(one.predecessor, one.successor) for one in entries} == {
        (A, "xa_van_trang"),
        (B, "xa_van_trang"),
    }
    assert entries[0].document == "1667/NQ-UBTVQH15 ngày 20/2/2027"
    assert session.get_one(AgencyRow, A).valid_to == TODAY - timedelta(days=1)
    assert load_directory(session).resolve(["@communes"], TODAY) == ("xa_van_trang",)


def test_what_is_closed_is_not_touched(session: Session) -> None:
    """(35)"""
    work = world.open_work(session)
    closed = world.row_of(session, work, A)
    closed.status, closed.next_reminder_on = Status.CONFIRMED.value, None
    version = closed.version
    do(session, MERGE)
    assert (closed.status, closed.version) == (Status.CONFIRMED, version)


def test_a_split_gives_each_item_to_who_was_named_and_the_rest_to_one(session: Session) -> None:
    """(35) Splits name who gets what."""
    first, fifth = world.open_work(session), world.open_work(session, "II.5", leads=(A,))
    do(session, SPLIT)
    assert world.row_of(session, first, "xa_van_dong").status == Status.NOT_STARTED
    assert world.row_of(session, fifth, C).status == Status.NOT_STARTED
    assert f"{fifth.id}/lead" not in rows(session, "xa_van_dong")


def test_a_renamed_agency_keeps_its_old_name_on_old_rows(session: Session) -> None:
    """(12, 35)"""
    work = world.open_work(session)
    do(session, RENAME)
    old, new = world.row_of(session, work, A), world.row_of(session, work, "xa_van_gia")
    assert (old.agency_name, new.agency_name) == ("Xã Vạn Ninh", "Xã Vạn Giã")
    assert session.get_one(AgencyRow, "xa_van_gia").kind == session.get_one(AgencyRow, A).kind


def test_an_end_with_open_work_needs_a_reason(session: Session) -> None:
    """(35)"""
    work = world.open_work(session)
    field, text = refusal(session, END)
    assert field == "reason"
    assert "Còn 1 phân công đang mở" in text
    do(session, replace(END, reason="Kết thúc cấp huyện"))
    row = world.row_of(session, work, B)
    assert row.status == Status.CANCELLED
    last = world.events(session, "assignment", row.id)[-1]
    assert "Kết thúc cấp huyện" in (last.reason or "")


def test_a_founded_agency_enters_its_groups_from_its_day(session: Session) -> None:
    """(35)"""
    do(session, FOUND)
    directory = load_directory(session)
    assert "phuong_cam_linh" in directory.resolve(["@communes"], TODAY)
    assert "phuong_cam_linh" not in directory.resolve(["@communes"], TODAY - timedelta(days=1))


NEW = MERGE.successors[0]


@pytest.mark.parametrize(
    ("one", "field", "says"),
    [
        (replace(MERGE, document_code=" "), "document", "ghi số, ký hiệu"),
        (replace(MERGE, document_issued_on=date(2027, 3, 2)), "issued_on", "chưa đến"),
        (replace(MERGE, predecessors=(A,)), "predecessors.0", "chọn đổi tên"),
        (replace(MERGE, predecessors=(A, A, B)), "predecessors.1", "hai lần"),
        (replace(MERGE, predecessors=(A, "xa_la")), "predecessors.1", "Không có cơ quan"),
        (replace(MERGE, successors=(Successor(agency=A),)), "successors.0.agency", "vừa là"),
        (
            replace(
                MERGE, successors=(Successor(new=NewAgency(name="sở  tài chính", kind="ward")),)
            ),
            "successors.0.name",
            "Đã có cơ quan tên",
        ),
        (replace(MERGE, successors=(Successor(),)), "successors.0.agency", "không cả hai"),
        (
            replace(SPLIT, successors=(NEW, Successor(agency=C))),
            "successors.1.items",
            "nhận phần còn lại",
        ),
        (
            replace(SPLIT, successors=(replace(NEW, items=("I.1",)), SPLIT.successors[1])),
            "successors.0.items",
            "đúng một cơ quan",
        ),
        (
            replace(SPLIT, successors=(NEW, Successor(agency=C, items=("X.9",)))),
            "successors.1.items",
            "Không có nhiệm vụ “X.9”",
        ),
        (replace(RENAME, successors=(Successor(agency=B),)), "successors.0.name", "ghi tên mới"),
        (replace(END, predecessors=()), "predecessors.0", "kết thúc"),
        (replace(FOUND, successors=(NEW,)), "successors.0.groups", "ít nhất một nhóm"),
        (
            replace(END, predecessors=(COORDINATOR,), reason="Hết việc"),
            "predecessors.0",
            "cơ quan điều phối",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(
    session: Session, one: Reorganisation, field: str, says: str
) -> None:
    """(9, 35)"""
    found = refusal(session, one)
    assert found[0] == field, found
    assert says in found[1]
    assert session.scalars(select(ReorganisationRow)).all() == []


def test_an_agency_that_ended_cannot_end_again_and_the_heir_is_named(session: Session) -> None:
    """(35)"""
    do(session, MERGE)
    field, text = refusal(session, replace(RENAME, effective_on=TODAY + timedelta(days=9)))
    assert field == "predecessors.0"
    assert "Xã Vạn Trang" in text


def test_agencies_never_follow_each_other_in_a_circle(session: Session) -> None:
    """(9, 35)"""
    do(session, replace(MERGE, predecessors=(A,), successors=(Successor(agency=B),)))
    back = replace(MERGE, predecessors=(B,), effective_on=TODAY + timedelta(days=1))
    field, text = refusal(session, replace(back, successors=(Successor(agency=A),)))
    assert field == "successors.0.agency"
    assert "không hoạt động" in text
    assert session.get_one(AgencyRow, B).valid_to is None


def test_work_opened_since_the_day_moves_only_when_that_is_said(session: Session) -> None:
    """(35) A document is often known late; nothing stays with an agency that has ended."""
    work = world.open_work(session, opens_on=date(2027, 2, 22))
    early = replace(MERGE, effective_on=date(2027, 2, 15))
    field, text = refusal(session, early)
    assert field == "effective_on"
    assert "22/2/2027" in text
    do(session, replace(early, late=True))
    assert world.row_of(session, work, "xa_van_trang").status == Status.NOT_STARTED


def test_an_agency_that_is_to_take_over_later_does_not_end_before(session: Session) -> None:
    """(35)"""
    later = replace(MERGE, predecessors=(B,), effective_on=date(2027, 6, 1))
    do(session, replace(later, successors=(Successor(agency=C),)))
    field, text = refusal(session, replace(RENAME, predecessors=(C,)))
    assert field == "effective_on"
    assert "1/6/2027" in text


def test_only_the_coordinator_changes_agencies(session: Session) -> None:
    with pytest.raises(NotPermitted):
        reorganise(session, world.agency(), [MERGE])


def test_a_closed_row_of_the_successor_is_for_people_to_review(session: Session) -> None:
    """(35) Sở Nội vụ decides on reopening."""
    work = world.open_work(session, "II.5", leads=(A, C))
    there = world.row_of(session, work, C)
    there.status, there.next_reminder_on = Status.CONFIRMED.value, None
    into = replace(MERGE, predecessors=(A,), successors=(Successor(agency=C),))
    look = preview(session, world.coordinator(), [into])
    assert [move.fate for move in look.moves if move.item == "II.5"] == [Fate.REVIEW]
    do(session, into)
    assert world.row_of(session, work, A).successor_id == there.id
    assert there.status == Status.CONFIRMED


def test_a_row_that_moved_on_is_followed_to_where_it_went(session: Session) -> None:
    """(35) Recorded in whatever order, no open work is left behind."""
    work = world.open_work(session)
    do(session, replace(RENAME, predecessors=(B,), effective_on=TODAY))
    heir = world.row_of(session, work, "xa_van_gia")
    early = replace(MERGE, predecessors=(A,), successors=(Successor(agency=B),), late=True)
    do(session, replace(early, effective_on=TODAY - timedelta(days=7)))
    assert world.row_of(session, work, A).successor_id == heir.id
    assert heir.status == Status.NOT_STARTED


def _people(session: Session) -> str:
    box = ContactInput(agency_key=A, kind=ContactKind.MAILBOX, email="vanninh@khanhhoa.test")
    set_contact(session, world.coordinator(), box)
    account = NewAccount(username="vanninh", name="Lan", role=AccountRole.AGENCY, agency=A)
    add_account(session, world.admin(), account)
    issue(
        session,
        world.flow(),
        mailbox="vanninh@khanhhoa.test",
        agency=A,
        purpose=LinkPurpose.WORK,
        secret=SECRET,
        days=30,
    )
    return "vanninh"


def test_links_end_and_accounts_and_contacts_follow_as_chosen(session: Session) -> None:
    """(34, 36)"""
    _people(session)
    look = preview(session, world.coordinator(), [replace(RENAME, contacts=True)])
    assert look.accounts == (("vanninh", "Xã Vạn Giã"),)
    assert (look.links, look.contacts) == (1, (("Xã Vạn Giã", "Hộp thư cơ quan"),))
    assert look.silent == ()
    do(session, replace(RENAME, contacts=True))
    account = session.scalars(select(Account)).one()
    assert (account.agency_key, account.active, account.session_epoch) == ("xa_van_gia", True, 1)
    assert session.scalars(select(LinkToken)).one().revoked_at is not None
    assert [row.email for row in contacts_of(session, "xa_van_gia")] == ["vanninh@khanhhoa.test"]


def test_accounts_are_closed_where_that_was_chosen(session: Session) -> None:
    """(36)"""
    _people(session)
    look = preview(session, world.coordinator(), [replace(RENAME, accounts=Accounts.CLOSE)])
    assert (look.accounts, look.silent) == ((("vanninh", None),), ("Xã Vạn Giã",))
    do(session, replace(RENAME, accounts=Accounts.CLOSE))
    assert session.scalars(select(Account)).one().active is False


def test_a_day_ahead_takes_effect_when_it_comes_however_many_days_were_missed(
    session: Session,
) -> None:
    """(35)"""
    work = world.open_work(session)
    _people(session)
    do(session, replace(MERGE, effective_on=date(2027, 3, 8)))
    assert world.row_of(session, work, A).status == Status.NOT_STARTED
    assert session.scalars(select(Account)).one().agency_key == A
    open_due(session, world.flow(date(2027, 3, 5)), PLAN)
    assert world.row_of(session, work, A).status == Status.NOT_STARTED
    for _ in range(2):
        open_due(session, world.flow(date(2027, 3, 12)), PLAN)
    assert world.row_of(session, work, A).status == Status.TRANSFERRED
    assert session.scalars(select(Account)).one().agency_key == "xa_van_trang"
    row = session.scalars(select(ReorganisationRow)).one()
    assert row.settled_on == date(2027, 3, 12)
    words = [one.action for one in world.events(session, "reorganisation")]
    assert words == ["merge", "take_effect"]


def test_the_preview_is_what_happens_and_leaves_nothing(session: Session) -> None:
    """(35)"""
    work = world.open_work(session)
    before, events = rows(session, A), len(world.events(session, "assignment"))
    look = preview(session, world.coordinator(), [MERGE])
    assert rows(session, A) == before
    assert len(world.events(session, "assignment")) == events
    assert session.scalars(select(ReorganisationRow)).all() == []
    found = {(move.agency, move.to, move.fate, move.due_on) for move in look.moves}
    assert found == {
        ("Xã Vạn Ninh", "Xã Vạn Trang", Fate.CREATED, world.DUE),
        ("Phường Nha Trang", "Xã Vạn Trang", Fate.CREATED, world.DUE),
    }
    assert look.groups == (("Xã Vạn Trang", "UBND cấp xã"),)
    party = next(one for one in look.parties if one.item == "I.1")
    assert (party.leads_before, party.leads) == (
        ("Xã Vạn Ninh", "Phường Nha Trang"),
        ("Xã Vạn Trang",),
    )
    moved = apply_seen(session, world.coordinator(), [MERGE], seal=look.seal)
    assert (moved.created, moved.linked) == (1, 1)
    assert world.row_of(session, work, "xa_van_trang").role == Role.LEAD


def test_what_changed_since_the_preview_is_not_passed_over(session: Session) -> None:
    """(26, 35)"""
    world.open_work(session)
    look = preview(session, world.coordinator(), [MERGE])
    world.open_work(session, "II.5", leads=(A,))
    with pytest.raises(Conflict):
        apply_seen(session, world.coordinator(), [MERGE], seal=look.seal)
    assert session.scalars(select(ReorganisationRow)).all() == []


def test_open_work_always_has_an_owner_that_exists(session: Session) -> None:
    """(35)"""
    world.open_work(session)
    world.open_work(session, "II.5", leads=(A, C))
    do(session, SPLIT)
    owners = set(
        session.scalars(
            select(Assignment.agency_key).where(
                Assignment.status.in_([status.value for status in MOVABLE])
            )
        )
    )
    directory = load_directory(session)
    assert all(directory.agency(key).valid_on(TODAY) for key in owners)
