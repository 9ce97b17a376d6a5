"""An invented nation: as many provinces as asked for, each with the shipped plan for its own.

A province is the shipped catalog under keys of its own (plan, agencies, groups, coordinator),
with more communes: 34 of them are some 3,500 agencies that live in 2027, and 34 plans.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import Contact
from operations.act import ActRequest, act
from operations.catalog import apply_catalog
from operations.dates import fix_year_dates
from operations.results import OutcomeFiled, Paper, Result
from operations.sample_contacts import seed_sample_contacts
from operations.stamp import Stamp
from operations.state import PlanState, load_state
from rules.actors import AccountRole, Actor, ActorKind, flow_actor
from rules.directory import Directory
from rules.lifecycle import Action, Status
from rules.recurrence import expand
from rules.values import Agency, DateAuthority, Document, Group, Item, Member, PartySpan, Plan
from tasks_catalog.loader import LoadedCatalog, load_plan
from tests.engine import PROVINCE

PROVINCES: Final = 34
MORE_COMMUNES: Final = 24
"""More than the shipped province has, so that the mean is a hundred agencies a province."""
START: Final = date(2027, 1, 1)


def at_eight(day: date, actor: Actor | None = None) -> Stamp:
    """Eight in the morning of ``day``, local time."""
    at = datetime.combine(day, time(1), UTC)
    return Stamp(at=at, as_of=day, actor=actor or flow_actor("đo"))


def province(shipped: LoadedCatalog, number: int) -> LoadedCatalog:
    """The shipped catalog as that of another province."""
    mark = f"t{number:02}"
    more = [
        Agency(key=f"xa_them_{n:02}_{mark}", name=f"Xã thêm {n}, tỉnh {number}", kind="commune")
        for n in range(MORE_COMMUNES)
    ]
    directory = shipped.directory
    agencies = [replace(one, key=_key(one.key, mark), code=None) for one in directory.agencies]
    groups = [_group(one, mark, more) for one in directory.groups]
    successions = [
        replace(
            one,
            predecessor=_key(one.predecessor, mark),
            successor=None if one.successor is None else _key(one.successor, mark),
        )
        for one in directory.successions
    ]
    return replace(
        shipped,
        plan=_plan(shipped.plan, number, mark),
        directory=Directory(agencies=[*agencies, *more], groups=groups, successions=successions),
        digest="",
    )


def _key(key: str, mark: str) -> str:
    return f"{key}_{mark}"


def _group(one: Group, mark: str, more: list[Agency]) -> Group:
    members = [replace(member, ref=_key(member.ref, mark)) for member in one.members]
    if one.key == "communes":
        members += [Member(ref=new.key) for new in more]
    return replace(one, key=_key(one.key, mark), members=tuple(members))


def _plan(plan: Plan, number: int, mark: str) -> Plan:
    return replace(
        plan,
        key=_key(plan.key, mark),
        short_code=f"CCHC-T{number:02}",
        coordinator=_key(plan.coordinator, mark),
        agencies_file=_key(plan.agencies_file, mark),
        items=tuple(_item(one, mark) for one in plan.items),
        beside=tuple(_item(one, mark) for one in plan.beside),
    )


def _item(item: Item, mark: str) -> Item:
    def spans(given: tuple[PartySpan, ...]) -> tuple[PartySpan, ...]:
        return tuple(replace(one, refs=tuple(_key(ref, mark) for ref in one.refs)) for one in given)

    parties = item.parties
    return replace(
        item,
        parties=replace(parties, leads=spans(parties.leads), partners=spans(parties.partners)),
    )


def found(database: Database, provinces: int) -> list[str]:
    """Store the provinces with a made-up mailbox for every agency; the keys of their plans."""
    shipped = load_plan(PROVINCE)
    made = [province(shipped, number) for number in range(1, provinces + 1)]
    for one in made:
        with database.write() as session:
            apply_catalog(session, at_eight(START), one, tracking_start=START)
            seed_sample_contacts(session, at_eight(START), agencies_file=one.plan.agencies_file)
    return [one.plan.key for one in made]


def agencies(session: Session, day: date, plan: str) -> tuple[int, int]:
    """How many agencies live on ``day``, and how many addresses are known."""
    living = sum(one.valid_on(day) for one in load_state(session, plan).directory.agencies)
    return living, session.scalar(select(func.count()).select_from(Contact)) or 0


def person(role: AccountRole, agency: str) -> Actor:
    """Somebody with an account of that agency."""
    return Actor(
        kind=ActorKind.PERSON,
        name="Nguyễn Thị Hoa",
        role=role,
        account=f"{role}.{agency}",
        agency=agency,
    )


def fix_dates(session: Session, plan: str, day: date) -> None:
    """Fix the dates of the year by a document, as the coordinator does in January (rule 17)."""
    state = load_state(session, plan)
    above = {DateAuthority.PROVINCE, DateAuthority.MINISTRY}
    dates = {
        (item.key, one.period.key): one.nominal_due_on
        for item in state.plan.decided
        if item.calendar.authority not in above
        for one in expand(item.calendar, state.plan.first_year, state.plan.last_year)
        if one.period.year == day.year
    }
    stamp = at_eight(day, person(AccountRole.COORDINATOR, state.coordinator(day)))
    document = Document(code="01/KH-SNV", issued_on=day)
    fix_year_dates(session, stamp, plan, day.year, dates, document=document)


def answer(session: Session, state: PlanState, day: date, work: tuple[int, str, str]) -> None:
    """File the result of an assignment (its id, agency and item) and confirm it where needed."""
    number, agency, item = work
    centre = state.coordinator(day)
    own, calendar = agency == centre, state.plan.item(item).calendar
    result = Result(
        text="Đã thực hiện xong.",
        papers=(Paper(code=f"{number}/BC-UBND", issued_on=day),),
        figures={one.key: "0" for one in calendar.figures},
        outcomes={one.key: OutcomeFiled(none_because="Không có") for one in calendar.outcomes},
    )
    filer = person(AccountRole.COORDINATOR if own else AccountRole.AGENCY, agency)
    asked = ActRequest(result=result)
    if act(session, at_eight(day, filer), number, Action.SUBMIT, asked).status is Status.SUBMITTED:
        role = AccountRole.LEADERSHIP if own else AccountRole.COORDINATOR
        act(session, at_eight(day, person(role, centre)), number, Action.CONFIRM)
