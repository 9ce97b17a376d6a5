"""The figures of the yearly report: those of the overview, asked by the same operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.dashboard import Figures, Scope, figures, figures_by, scoped_rows, tallies
from operations.errors import Refused
from operations.guards import vn_date
from operations.heatmap import OTHERS, homes
from operations.money import MoneyRow, money_rows
from operations.queries import WorkRow
from operations.state import PlanState, load_state
from operations.targets import targets
from operations.urging_records import urged_words
from reports.official.late import LateLine
from reports.official.offices import Office, office
from reports.official.yearly import Cells, YearlyFacts
from reports.official.yearly_extra import MoneyLine, MoneySums, TargetLine
from rules.timeliness import Cell
from rules.values import Budget
from rules.workdays import OutsideHorizon


def yearly_facts(
    session: Session,
    plan: str,
    year: int,
    *,
    cutoff: date,
    at: datetime,
    original: bool = False,
    known_at: datetime | None = None,
) -> YearlyFacts:
    """The facts of a plan's year up to ``cutoff``, read at ``at``.

    ``session`` is that of the instant ``known_at``, where one is asked for (rule 39).

    Raises:
        Refused: the plan has no such year, or the cut-off lies before it.
    """
    state = load_state(session, plan)
    _need_year(state, year, cutoff)
    scope = Scope(cutoff=cutoff, plan=plan, year=year, original=original)
    outside = Scope(cutoff=cutoff, plan=plan, year=year, original=original, added=True)
    beside = Scope(cutoff=cutoff, plan=plan, year=year, original=original, beside=True)
    by_item = figures_by(session, scope, Occurrence.item_key)
    known = state.plan
    return YearlyFacts(
        office=coordinating(state, cutoff),
        plan_title=known.title,
        decision=known.decision.code,
        decision_on=known.decision.issued_on,
        issued_by=known.issued_by,
        year=year,
        cutoff=cutoff,
        original=original,
        at=at,
        known_at=known_at,
        overall=cells("Tổng cộng", figures(session, scope)),
        by_item=tuple(
            cells(item.key, by_item[(item.key,)]) for item in known.items if (item.key,) in by_item
        ),
        tasks={item.key: item.text.task for item in known.items},
        by_block=_by_block(session, scope, state),
        added=cells("Giao bổ sung", figures(session, outside)),
        beside=cells("Ngoài Phụ lục", figures(session, beside)),
        late=late_lines(session, state, _overdue(session, scope), cutoff),
        targets=_targets(session, state, year),
        money=_money(session, state, year),
        last=year >= known.last_year,
    )


def _targets(session: Session, state: PlanState, year: int) -> tuple[TargetLine, ...]:
    return tuple(
        TargetLine(
            label=one.title,
            unit=one.unit,
            part=one.part,
            whole=one.whole,
            percent=one.percent,
            answered=len(one.answered),
            asked=len(one.rows),
        )
        for one in targets(session, state, year)
        if one.rows
    )


def _money(session: Session, state: PlanState, year: int) -> MoneySums | None:
    """The sums of every source and line that the plan names; None where nothing was entered."""
    rows = money_rows(session, state.plan.key, year=year)
    if not rows:
        return None

    def lines(known: Iterable[Budget], of: Callable[[MoneyRow], str]) -> tuple[MoneyLine, ...]:
        # What an earlier version of the plan named is kept under its key.
        labels = {one.key: one.label for one in known}
        found = {key: [0, 0] for key in labels}
        for row in rows:
            sums = found.setdefault(of(row), [0, 0])
            sums[0] += row.planned
            sums[1] += row.spent
        return tuple(
            MoneyLine(label=labels.get(key, key), planned=planned, spent=spent)
            for key, (planned, spent) in found.items()
        )

    return MoneySums(
        by_source=lines(state.plan.cost_sources, lambda row: row.source),
        by_line=lines(state.plan.cost_lines, lambda row: row.line),
    )


def _need_year(state: PlanState, year: int, cutoff: date) -> None:
    first, last = state.plan.first_year, state.plan.last_year
    if not first <= year <= last:
        msg = f"Đề án thực hiện từ năm {first} đến năm {last}; không có báo cáo của năm {year}."
        raise Refused(msg, field="year")
    if cutoff < date(year, 1, 1):
        msg = f"Ngày {vn_date(cutoff)} trước năm báo cáo {year}; đề nghị chọn ngày từ 1/1/{year} trở đi."
        raise Refused(msg, field="cutoff")


def coordinating(state: PlanState, on: date) -> Office:
    """The coordinating agency of a day, as its papers name it."""
    return office(state.directory.agency(state.coordinator(on)).name)


def cells(name: str, counted: Figures) -> Cells:
    """Figures as the report holds them."""
    return Cells(
        name=name,
        done_in_time=counted.cells[Cell.DONE_IN_TIME],
        done_late=counted.cells[Cell.DONE_LATE],
        open_in_time=counted.cells[Cell.OPEN_IN_TIME],
        open_overdue=counted.cells[Cell.OPEN_OVERDUE],
        past_provisional=counted.cells[Cell.PAST_PROVISIONAL],
        own=sum(counted.own.values()),
        late_entry=counted.late_entry,
        outside=counted.outside,
        check_ins=counted.check_ins,
        answered=counted.answered,
    )


def _by_block(session: Session, scope: Scope, state: PlanState) -> tuple[Cells, ...]:
    """The groups of the heat map, by the first that lists an agency by its own name."""
    places, found = homes(state.directory), dict[str, Figures]()
    for one in tallies(session, scope, Assignment.agency_key):
        found.setdefault(places.get(one.keys[0], ""), Figures()).add(one)
    names = {one.key: one.name for one in state.directory.groups} | {"": OTHERS}
    return tuple(cells(names[key], found[key]) for key in names if key in found)


def _overdue(session: Session, scope: Scope) -> list[WorkRow]:
    rows = scoped_rows(session, scope)
    return [row for row in rows if row.timeliness is Cell.OPEN_OVERDUE]


def late_lines(
    session: Session, state: PlanState, rows: list[WorkRow], on: date
) -> tuple[LateLine, ...]:
    """Overdue rows as documents list them, with the days since they were due."""
    urged = urged_words(session, [row.id for row in rows])
    tasks = {item.key: item.text.task for item in state.plan.every_item}
    return tuple(_line(row, state, on, tasks, urged) for row in rows)


def _line(
    row: WorkRow,
    state: PlanState,
    on: date,
    tasks: Mapping[str, str],
    urged: Mapping[int, str],
) -> LateLine:
    try:
        days: int | None = state.calendar.between(row.due_on, on)
    except OutsideHorizon:
        days = None
    return LateLine(
        agency=row.agency_name,
        item=row.item,
        task=tasks.get(row.item, ""),
        period=row.period_label,
        due_on=row.due_on,
        days=days,
        status=row.status_word,
        urged=urged.get(row.id, ""),
    )
