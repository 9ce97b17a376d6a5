"""What changes the ground on which everybody works: dates, days off, agencies, switches (3, 17, 35)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from models.tables import AddedWork, AgencyRow
from operations.added import AddedInput, add_work
from operations.added_changes import Amendment, amend_added, cancel_added
from operations.dates import fix_year_dates
from operations.day_effects import DayOrder
from operations.days import change_days
from operations.item_calendar_effects import CalendarEdit
from operations.item_calendars import edit_calendar
from operations.letter_switches import set_letters, set_pilot
from operations.policies import set_policy
from operations.reorganising import reorganise
from rules.month_days import DayInPeriod
from rules.recurrence import expand
from rules.reorganising import ChangeKind, NewAgency, Reorganisation, Successor
from rules.values import Confirmation, DateAuthority, Document, ItemKind, LeadMode
from simulator.deeds import deed
from simulator.scene import NothingToDo, Scene

_ABOVE = {DateAuthority.PROVINCE, DateAuthority.MINISTRY}


@deed(4, centre=True)
def fix_dates(scene: Scene) -> None:
    """Early in the year as it should be, late, for some items only, or never."""
    year = scene.day.year
    if year in scene.memory.fixed or scene.chance.random() < 0.3:
        raise NothingToDo
    plan = scene.state.plan
    dates = {
        (item.key, one.period.key): one.nominal_due_on
        + timedelta(days=scene.chance.choice((0, 0, 0, -10, 15)))
        for item in plan.decided
        if item.calendar.authority not in _ABOVE and scene.chance.random() < 0.8
        for one in expand(item.calendar, plan.first_year, plan.last_year)
        if one.period.year == year
    }
    document = Document(code=scene.document("KH-SNV"), issued_on=scene.day)
    fix_year_dates(scene.session, scene.clerk(), scene.memory.plan, year, dates, document=document)
    scene.memory.fixed.add(year)


@deed(1.5, centre=True)
def let_the_ministry_fix_one(scene: Scene) -> None:
    plan, year = scene.state.plan, scene.day.year
    item = plan.item(scene.one_of([one.key for one in plan.decided]))
    periods = [
        one
        for one in expand(item.calendar, plan.first_year, plan.last_year)
        if one.period.year == year
    ]
    if not periods:
        raise NothingToDo
    one = scene.chance.choice(periods)
    asked = one.nominal_due_on + timedelta(days=scene.chance.randint(-20, 60))
    fix_year_dates(
        scene.session,
        scene.clerk(),
        scene.memory.plan,
        year,
        {(item.key, one.period.key): asked},
        document=Document(code=scene.document("BNV-CCHC"), issued_on=scene.day),
        authority=DateAuthority.MINISTRY,
    )


@deed(1.5, centre=True)
def correct_days(scene: Scene) -> None:
    """A day off that nobody knew of, or a swap of a day off and a working day."""
    calendar = scene.state.calendar
    ahead = [scene.day + timedelta(days=n) for n in range(60)]
    off = scene.one_of([day for day in ahead if calendar.is_working(day)])
    orders = [DayOrder(day=off, working=False)]
    saturdays = [day for day in ahead if day.weekday() == 5 and not calendar.is_working(day)]
    if scene.chance.random() < 0.5 and saturdays:
        orders.append(DayOrder(day=scene.chance.choice(saturdays), working=True))
    if any(one.day in scene.memory.corrected for one in orders):
        raise NothingToDo
    change_days(
        scene.session,
        scene.clerk(),
        orders,
        name="Nghỉ hoán đổi",
        document=scene.document("TB-BNV"),
    )
    scene.memory.corrected.update(one.day for one in orders)


@deed(1.5, centre=True)
def give_more_work(scene: Scene) -> None:
    agencies = scene.agencies()
    leads = scene.chance.sample(agencies, min(len(agencies), scene.chance.randint(1, 3)))
    others = [one for one in agencies if one not in leads]
    asked = AddedInput(
        basis_code=scene.document("QĐ-UBND"),
        basis_on=scene.day,
        task="Báo cáo chuyên đề",
        product="Báo cáo",
        due_on=scene.ahead(3, 120),
        leads=tuple(sorted(leads)),
        partners=tuple(scene.chance.sample(others, min(2, len(others)))),
        lead_mode=LeadMode.SINGLE if len(leads) == 1 else LeadMode.EACH,
        confirmation=scene.chance.choice(list(Confirmation)),
    )
    add_work(scene.session, scene.clerk(), scene.memory.plan, asked)


@deed(0.7, centre=True)
def change_added_work(scene: Scene) -> None:
    row = scene.session.scalars(
        select(AddedWork).where(AddedWork.plan_key == scene.memory.plan).order_by(AddedWork.id)
    ).all()
    if not row:
        raise NothingToDo
    one = scene.chance.choice(row)
    if scene.chance.random() < 0.5:
        cancel_added(
            scene.session, scene.clerk(), scene.memory.plan, one.code, reason="Không cần nữa"
        )
        return
    asked = Amendment(
        basis_code=one.basis_code,
        basis_on=one.basis_on,
        task="Báo cáo chuyên đề, bổ sung",
        product="Báo cáo",
        due_on=scene.ahead(10, 90),
        confirmation=Confirmation.REQUIRED,
        authority=DateAuthority.COORDINATOR,
        reason="Điều chỉnh theo thực tế",
    )
    amend_added(scene.session, scene.clerk(), scene.memory.plan, one.code, asked)


@deed(0.6, centre=True)
def edit_an_item(scene: Scene) -> None:
    plan = scene.state.plan
    yearly = [
        one.key
        for one in plan.items
        if one.calendar.kind is ItemKind.TASK and one.calendar.period.value == "year"
    ]
    key = scene.one_of(yearly)
    edit = CalendarEdit(
        opens=DayInPeriod(day=1, month=scene.chance.randint(1, 6)),
        due=DayInPeriod(day=scene.chance.randint(1, 28), month=scene.chance.randint(7, 12)),
        ladder=plan.item(key).calendar.ladder,
        authority=scene.chance.choice((DateAuthority.PROVISIONAL, DateAuthority.COORDINATOR)),
        fixed_by=None,
        basis=scene.document("KH-SNV"),
        reason="Điều chỉnh lịch",
    )
    edit_calendar(scene.session, scene.clerk(), plan.key, key, edit)


@deed(0.6, centre=True)
def switch_letters(scene: Scene) -> None:
    agency = scene.one_of(scene.agencies())
    row = scene.session.get_one(AgencyRow, agency)
    set_letters(scene.session, scene.clerk(), agency, on=not row.letters, reason="Theo đề nghị")


@deed(1, centre=True)
def switch_pilots(scene: Scene) -> None:
    query = select(AgencyRow.key).where(AgencyRow.pilot).order_by(AgencyRow.key)
    pilots = scene.session.scalars(query).all()
    if not pilots and scene.chance.random() < 0.9:
        raise NothingToDo
    chosen = pilots or scene.chance.sample(scene.agencies(), 3)
    set_pilot(scene.session, scene.clerk(), chosen, on=not pilots, reason="Thí điểm")


@deed(0.5, centre=True)
def set_a_policy(scene: Scene) -> None:
    name, value = scene.chance.choice(
        (
            ("extension_cap", str(scene.chance.randint(0, 3))),
            ("respond_workdays", str(scene.chance.randint(1, 10))),
            ("late_entry_workdays", str(scene.chance.randint(0, 10))),
            ("blast_factor", scene.chance.choice(("0,5", "1,5", "3"))),
            ("sample_percent", str(scene.chance.randint(0, 100))),
        )
    )
    set_policy(
        scene.session,
        scene.leader(),
        scene.memory.plan,
        name,
        value=value,
        basis=scene.document("KH-SNV"),
        reason="Theo thực tế",
    )


@deed(0.8, centre=True)
def reorganise_agencies(scene: Scene) -> None:
    """Merge, split, rename, end or found, from a day that is near, past or ahead."""
    kind = scene.chance.choice(list(ChangeKind))
    agencies = scene.agencies()
    if len(agencies) < 6 and kind in {ChangeKind.MERGE, ChangeKind.END}:
        raise NothingToDo
    old = tuple(scene.chance.sample(agencies, 2 if kind is ChangeKind.MERGE else 1))
    if kind is ChangeKind.RENAME and scene.chance.random() < 0.1:
        old = (scene.centre,)
    asked = Reorganisation(
        kind=kind,
        effective_on=_effective(scene),
        document_code=scene.document("NQ-HĐND"),
        document_issued_on=scene.day,
        predecessors=() if kind is ChangeKind.FOUND else old,
        successors=_successors(scene, kind, old),
        reason="Sắp xếp bộ máy",
        contacts=scene.chance.random() < 0.8,
        late=scene.chance.random() < 0.7,
    )
    reorganise(scene.session, scene.clerk(), [asked])


def _effective(scene: Scene) -> date:
    return scene.day + timedelta(days=scene.chance.choice((-20, -3, 0, 1, 10, 40)))


def _successors(scene: Scene, kind: ChangeKind, old: tuple[str, ...]) -> tuple[Successor, ...]:
    scene.memory.numbers += 1
    number = scene.memory.numbers
    new = Successor(new=NewAgency(name=f"Cơ quan số {number}"))
    if kind is ChangeKind.END:
        return ()
    if kind is ChangeKind.FOUND:
        founded = NewAgency(name=f"Cơ quan số {number}", kind="department")
        return (Successor(new=founded, groups=("all_units",)),)
    if kind is ChangeKind.SPLIT:
        items = [one.key for one in scene.state.plan.items]
        some = tuple(scene.chance.sample(items, 3))
        second = Successor(new=NewAgency(name=f"Cơ quan số {number} B"), items=some)
        return (new, second)
    if kind is ChangeKind.MERGE and scene.chance.random() < 0.5:
        there = [one for one in scene.agencies() if one not in old]
        return (Successor(agency=scene.one_of(there)),)
    return (new,)
