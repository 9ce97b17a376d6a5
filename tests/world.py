"""A small plan for database tests: a coordinator, two agencies, and work that is open.

Rows are inserted directly, so that a test stands on what it says and on nothing else. The plan
runs 2026-2030; ``TODAY`` is a Monday with the due date of I.1 a month away.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import (
    AgencyRow,
    Assignment,
    DatabaseFact,
    DayRow,
    Event,
    GroupRow,
    MemberRow,
    Notice,
    Occurrence,
    PlanRow,
    PlanVersion,
)
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import PLAN_ADAPTER
from operations.transition import load_work, set_next_reminder
from rules.actors import AccountRole, Actor, ActorKind, flow_actor
from rules.lifecycle import Status
from rules.periods import Period
from rules.values import (
    Audience,
    Confirmation,
    DateAuthority,
    Document,
    Item,
    ItemCalendar,
    ItemKind,
    ItemParties,
    ItemText,
    Ladder,
    LeadMode,
    PartySpan,
    PeriodKind,
    Plan,
    Policies,
    Role,
    Rung,
    TaskGroup,
    TrackingMode,
)

PLAN = "qd_1718_2023"
COORDINATOR, A, B, C = "so_noi_vu", "xa_van_ninh", "phuong_nha_trang", "so_tai_chinh"
NAMES = {
    COORDINATOR: "Sở Nội vụ",
    A: "Xã Vạn Ninh",
    B: "Phường Nha Trang",
    C: "Sở Tài chính",
}
TODAY = date(2027, 3, 1)
DUE = date(2027, 3, 31)
STANDARD = (-15, -5, -1, 2, 6, 15, 30)


def at(day: date, hour: int = 2) -> datetime:
    """An instant of ``day``: 9 o'clock in the plan's time zone unless told."""
    return datetime.combine(day, time(hour), UTC)


def stamp(actor: Actor, day: date = TODAY) -> Stamp:
    """An act of ``actor`` on ``day``."""
    return Stamp(at=at(day), as_of=day, actor=actor)


def person(name: str, role: AccountRole, agency: str | None) -> Actor:
    """Somebody with an account; the account is called like the person."""
    return Actor(kind=ActorKind.PERSON, name=name, role=role, account=name, agency=agency)


def coordinator(day: date = TODAY, name: str = "Điều phối viên") -> Stamp:
    """Staff of the coordinating agency."""
    return stamp(person(name, AccountRole.COORDINATOR, COORDINATOR), day)


def leadership(day: date = TODAY) -> Stamp:
    """The coordinator's leadership."""
    return stamp(person("Lãnh đạo", AccountRole.LEADERSHIP, COORDINATOR), day)


def admin(day: date = TODAY) -> Stamp:
    """An administrator."""
    return stamp(person("Quản trị", AccountRole.ADMIN, None), day)


def auditor(day: date = TODAY) -> Stamp:
    """Somebody who reads everything and changes nothing."""
    return stamp(person("Kiểm tra", AccountRole.AUDITOR, None), day)


def agency(key: str = A, day: date = TODAY) -> Stamp:
    """Somebody with an account at an agency."""
    return stamp(person(f"Cán bộ {NAMES[key]}", AccountRole.AGENCY, key), day)


def link(key: str = A, day: date = TODAY) -> Stamp:
    """Whoever holds the link of a letter to an agency."""
    mailbox = f"{key}@co-quan.test"
    name = f"Người giữ hộp thư {NAMES[key]}"
    return stamp(Actor(kind=ActorKind.MAILBOX, name=name, mailbox=mailbox, agency=key), day)


def flow(day: date = TODAY) -> Stamp:
    """The engine."""
    return stamp(flow_actor("daily"), day)


def _ladders() -> Mapping[str, Ladder]:
    everyone = (Audience.MAILBOX, Audience.FOCAL)
    offsets = {
        "standard": STANDARD,
        "check_in": (-5, -1),
        "provisional": (-15, -5, 1),
        "request": (-3, -1, 2),
        "record": (-10,),
    }
    return {
        key: Ladder(
            key=key, rungs=tuple(Rung(offset=one, audience=everyone) for one in rungs), basis="thử"
        )
        for key, rungs in offsets.items()
    }


def item(
    key: str, *, mode: LeadMode = LeadMode.EACH, kind: ItemKind = ItemKind.TASK, position: int = 1
) -> Item:
    """An item that opens on 2 January and is due on 31 March; a check-in is quarterly."""
    yearly = kind is ItemKind.TASK
    text = ItemText(
        number="1",
        task=f"Nhiệm vụ {key}",
        activity_intro=None,
        activity_bullets=(),
        lead=("Các cơ quan, đơn vị, địa phương",),
        partners=("Sở Nội vụ",),
        timing="Hàng năm" if yearly else "Thường xuyên",
    )
    calendar = ItemCalendar(
        kind=kind,
        period=PeriodKind.YEAR if yearly else PeriodKind.QUARTER,
        opens="0 8 2 1 *" if yearly else "0 8 1 3,6,9,12 *",
        due="0 17 31 3 *" if yearly else "0 17 L 3,6,9,12 *",
        authority=DateAuthority.COORDINATOR,
        confirmation=Confirmation.REQUIRED,
        ladder="standard" if yearly else "check_in",
        basis="thử",
    )
    parties = ItemParties(
        lead_mode=mode,
        leads=(PartySpan(refs=(A, B)),),
        partners=(PartySpan(refs=(COORDINATOR,)),),
        basis="thử",
    )
    return Item(
        key=key, group="I", position=position, text=text, calendar=calendar, parties=parties
    )


def plan(policies: Policies | None = None, items: Sequence[Item] | None = None) -> Plan:
    """The plan: I.1 led by each, II.3 by one, II.5 jointly or separately, III.1 a check-in."""
    return Plan(
        key=PLAN,
        short_code="CCHC-1718",
        title="Đề án thử",
        decision=Document(code="1718/QĐ-UBND", issued_on=date(2023, 7, 21)),
        issued_by="UBND tỉnh",
        time_zone="Asia/Ho_Chi_Minh",
        first_year=2026,
        last_year=2030,
        effective_from=date(2026, 1, 1),
        version=1,
        coordinator=COORDINATOR,
        groups=(TaskGroup(key="I", title="Nhóm I"),),
        items=tuple(
            items
            or (
                item("I.1"),
                item("II.3", mode=LeadMode.SINGLE, position=2),
                item("II.5", mode=LeadMode.JOINT_OR_SEPARATE, position=3),
                item("III.1", mode=LeadMode.SINGLE, kind=ItemKind.CHECK_IN, position=4),
            )
        ),
        ladders=_ladders(),
        policies=policies or Policies(),
        agencies_file="thu",
    )


def found(session: Session, the_plan: Plan | None = None) -> None:
    """Store the plan, the agencies and the group ``silent`` (letters off, no members yet)."""
    stored = the_plan or plan()
    for number, (key, name) in enumerate(NAMES.items()):
        kind = "xa" if number in {1, 2} else "so"
        session.add(AgencyRow(key=key, name=name, kind=kind, certainty="SEEN"))
    session.add(GroupRow(key="silent", name="Theo dõi thủ công", letters=False, certainty="SEEN"))
    for name, value in (("days.first", "2026-01-01"), ("days.last", "2031-12-31")):
        session.add(DatabaseFact(key=name, value=value, updated_at=at(date(2026, 1, 1))))
    session.add(PlanRow(key=PLAN, current_version=1, tracking_start=date(2026, 1, 1), active=True))
    session.flush()
    session.add(
        PlanVersion(
            plan_key=PLAN,
            version=1,
            effective_from=stored.effective_from,
            content=PLAN_ADAPTER.dump_json(stored).decode(),
            digest="0" * 64,
            applied_at=at(date(2026, 1, 1)),
            applied_by="thử",
        )
    )
    session.flush()


def set_policies(session: Session, **changes: object) -> None:
    """Store the plan again with other policies."""
    stored = session.get_one(PlanVersion, (PLAN, 1))
    current = PLAN_ADAPTER.validate_json(stored.content)
    policies = replace(current.policies, **changes)  # type: ignore[arg-type]
    stored.content = PLAN_ADAPTER.dump_json(replace(current, policies=policies)).decode()
    session.flush()


def day_off(session: Session, day: date, name: str = "Ngày nghỉ") -> None:
    """A weekday that nobody works on."""
    session.add(DayRow(day=day, working=False, name=name, source="library"))
    session.flush()


def silence(session: Session, key: str) -> None:
    """Put an agency into the group whose letters are off (rule 36)."""
    session.add(MemberRow(group_key="silent", position=1, ref=key))
    session.flush()


def open_work(
    session: Session,
    item_key: str = "I.1",
    period: str = "2027",
    *,
    leads: Sequence[str] = (A, B),
    partners: Sequence[str] = (COORDINATOR,),
    due_on: date = DUE,
    authority: DateAuthority = DateAuthority.COORDINATOR,
    mode: TrackingMode = TrackingMode.FULL,
    opens_on: date = date(2027, 1, 4),
) -> Occurrence:
    """An open occurrence of an item with its leads and partners, reminders set."""
    stored = session.get_one(PlanVersion, (PLAN, 1))
    asked = PLAN_ADAPTER.validate_json(stored.content).item(item_key)
    span = Period.parse(period)
    row = Occurrence(
        plan_key=PLAN,
        plan_version=1,
        item_key=item_key,
        period_key=period,
        period_first=span.first_day,
        period_last=span.last_day,
        opens_on=opens_on,
        nominal_due_on=due_on,
        original_due_on=due_on,
        due_on=due_on,
        mode=mode.value,
        kind=asked.calendar.kind.value,
        lead_mode=asked.parties.lead_mode.value,
        confirmation=asked.calendar.confirmation.value,
        ladder=asked.calendar.ladder,
        opened_at=at(opens_on),
    )
    session.add(row)
    session.flush()
    for role, keys in ((Role.LEAD, leads), (Role.PARTNER, partners)):
        for key in keys:
            assign(session, row, key, role, authority=authority)
    return row


def assign(
    session: Session,
    occurrence: Occurrence,
    key: str,
    role: Role = Role.LEAD,
    *,
    authority: DateAuthority = DateAuthority.COORDINATOR,
) -> Assignment:
    """An agency's row of an occurrence, as it is right after opening."""
    status = Status.NOT_STARTED if role is Role.LEAD else Status.DORMANT
    row = Assignment(
        occurrence_id=occurrence.id,
        agency_key=key,
        agency_name=NAMES[key],
        role=role.value,
        status=status.value,
        nominal_due_on=occurrence.nominal_due_on,
        original_due_on=occurrence.original_due_on,
        due_on=occurrence.due_on,
        authority=authority.value,
        updated_at=occurrence.opened_at,
        updated_by="daily",
    )
    session.add(row)
    session.flush()
    set_next_reminder(load_work(session, row.id))
    session.flush()
    return row


def row_of(
    session: Session, occurrence: Occurrence, key: str, role: Role = Role.LEAD
) -> Assignment:
    """The row of an agency in an occurrence."""
    return session.scalars(
        select(Assignment).where(
            Assignment.occurrence_id == occurrence.id,
            Assignment.agency_key == key,
            Assignment.role == role.value,
        )
    ).one()


def remember(session: Session) -> None:
    """Give the rows that were inserted directly their first events: what is known of an instant
    comes from the history alone."""
    session.flush()
    known: list[tuple[str, Occurrence | Assignment]] = [
        ("occurrence", one) for one in session.scalars(select(Occurrence))
    ]
    known += [("assignment", one) for one in session.scalars(select(Assignment))]
    changes = [
        Change(entity=entity, entity_id=str(row.id), action="open", snapshot=snapshot_of(row))
        for entity, row in known
    ]
    record(session, flow(), changes)


def events(session: Session, entity: str, entity_id: object = None) -> list[Event]:
    """The history of an entity, oldest first."""
    query = select(Event).where(Event.entity == entity).order_by(Event.id)
    if entity_id is not None:
        query = query.where(Event.entity_id == str(entity_id))
    return list(session.scalars(query))


def notices(session: Session, kind: str | None = None) -> list[Notice]:
    """What waits to be said, oldest first."""
    query = select(Notice).order_by(Notice.id)
    return list(session.scalars(query if kind is None else query.where(Notice.kind == kind)))


@contextmanager
def opened(url: str, the_plan: Plan | None = None) -> Iterator[Session]:
    """A writing session on the database at ``url`` with the plan stored; never committed."""
    database = Database(url, durable=False)
    try:
        with database.write() as session:
            found(session, the_plan)
            yield session
            session.rollback()
    finally:
        database.close()


def work_row(session: Session, item_key: str, period: str, key: str) -> int:
    """The number of a lead's row."""
    return session.scalars(
        select(Assignment.id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.item_key == item_key,
            Occurrence.period_key == period,
            Assignment.agency_key == key,
            Assignment.role == Role.LEAD.value,
        )
    ).one()
