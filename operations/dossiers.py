"""Dossiers: a task's for the archive (Luật Lưu trữ 33/2024), and those of sơ kết and tổng kết.

Everything is read up to an instant, that of the newest event of the work in it unless told, so
that a dossier drawn twice of the same data is the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Event, Evidence, Occurrence, StoredFile, Submission
from operations.errors import NotFound
from operations.known_at import business_date
from operations.state import PlanState, load_state
from operations.yearly_facts import coordinating
from reports.official.dossiers import DossierFacts, ItemPeriod, Missing, PaperLine
from rules.lifecycle import SETTLED, UNCOUNTED, Status
from rules.periods import Period
from rules.recurrence import expand
from rules.values import Role

_GONE = ("withdrawn", "returned")
"""Results that are kept in an archive and count nowhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which work: one occurrence, or all of a plan's years, which makes a milestone's dossier."""

    plan: str
    occurrence: int | None = None
    first_year: int = 0
    last_year: int = 0
    milestone: str = ""

    @property
    def condition(self) -> ColumnElement[bool]:
        """For a query over occurrences."""
        if self.occurrence is not None:
            return Occurrence.id == self.occurrence
        first, last = date(self.first_year, 1, 1), date(self.last_year, 12, 31)
        return and_(Occurrence.plan_key == self.plan, Occurrence.period_first.between(first, last))


def of_task(session: Session, occurrence: int) -> Choice:
    """One task: an item in a period.

    Raises:
        NotFound: there is none.
    """
    row = session.get(Occurrence, occurrence)
    if row is None:
        msg = f"Không có kỳ thực hiện số {occurrence}."
        raise NotFound(msg, field="occurrence")
    year = row.period_first.year
    return Choice(plan=row.plan_key, occurrence=row.id, first_year=year, last_year=year)


def milestones(state: PlanState) -> Mapping[int, str]:
    """The years of sơ kết and tổng kết, as the calendar of the plan names them."""
    return {
        int(period[:4]): word
        for item in state.plan.items
        for period, word in item.calendar.milestones.items()
    }


def of_milestone(session: Session, plan: str, year: int) -> Choice:
    """All work of a plan up to a year of sơ kết or tổng kết.

    Raises:
        NotFound: there is no such plan, or its calendar names no milestone in that year.
    """
    state = load_state(session, plan)
    known = milestones(state)
    if year not in known:
        years = ", ".join(str(one) for one in known) or "(không có)"
        msg = f"Năm {year} không phải năm sơ kết, tổng kết; các năm: {years}."
        raise NotFound(msg, field="year")
    first = state.plan.first_year
    return Choice(plan=plan, first_year=first, last_year=year, milestone=known[year])


def newest_event(session: Session, choice: Choice, *, until: datetime) -> datetime | None:
    """The instant of the newest event up to ``until`` of the work itself; None without any."""
    own = select(cast(Assignment.id, String)).join(
        Occurrence, Occurrence.id == Assignment.occurrence_id
    )
    results = select(cast(Submission.id, String)).join(
        Assignment, Assignment.id == Submission.assignment_id
    )
    results = results.join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    above = select(cast(Occurrence.id, String)).where(choice.condition)
    return session.scalar(
        select(func.max(Event.at)).where(
            Event.at <= until,
            or_(
                and_(
                    Event.entity == "assignment", Event.entity_id.in_(own.where(choice.condition))
                ),
                and_(
                    Event.entity == "submission",
                    Event.entity_id.in_(results.where(choice.condition)),
                ),
                and_(Event.entity == "occurrence", Event.entity_id.in_(above)),
            ),
        )
    )


def papers(session: Session, choice: Choice) -> Iterator[PaperLine]:
    """Every paper, by item, period, agency and the order of filing; constant memory."""
    for row in session.execute(_papers(choice).execution_options(yield_per=200)):
        yield _paper(row)


def _papers(choice: Choice) -> Select[Any]:
    query = (
        select(
            *(Occurrence.item_key, Occurrence.period_key, Assignment.agency_key),
            *(Assignment.agency_name, Submission.outcome, Submission.text),
            *(Evidence.id, Evidence.document_code, Evidence.issued_on, Evidence.title),
            *(Evidence.file_name, Evidence.sha256, StoredFile.quarantined_at),
        )
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .outerjoin(StoredFile, StoredFile.sha256 == Evidence.sha256)
        .where(choice.condition)
        .order_by(
            *(Occurrence.period_first, Occurrence.item_key, Assignment.agency_key, Evidence.id)
        )
    )
    if choice.milestone:
        query = query.where(or_(Submission.outcome.is_(None), Submission.outcome.not_in(_GONE)))
    return query


_OUTCOMES = {"withdrawn": "kết quả đã rút", "returned": "kết quả đề nghị bổ sung"}


def _paper(row: Any) -> PaperLine:
    kept = row.sha256 is not None and row.quarantined_at is None
    notes = [_OUTCOMES.get(row.outcome or "", "")]
    if row.sha256 is None:
        notes.append("chưa có tệp")
    elif not kept:
        notes.append(f"tệp {row.file_name} đã được cách ly, không kèm theo")
    title = row.title or (row.text if len(row.text) <= 160 else f"{row.text[:157]}…")
    return PaperLine(
        item=row.item_key,
        period=Period.parse(row.period_key).label,
        agency=row.agency_name,
        code=row.document_code,
        issued_on=row.issued_on,
        title=" ".join(title.split()),
        member=_member(row) if kept else None,
        sha256=row.sha256,
        note="; ".join(one for one in notes if one),
    )


def _member(row: Any) -> str:
    """The place of a file within the zip: unlike any other, and safe on every machine."""
    name = "".join(
        "_" if one in '\\/:*?"<>|' or not one.isprintable() else one for one in row.file_name
    )
    return f"tep/{row.item_key}/{row.period_key}/{row.agency_key}/{row.id:06}-{name}"


def dossier_facts(session: Session, choice: Choice, *, at: datetime) -> DossierFacts:
    """What a dossier holds, as values; ``at`` dates it."""
    state, on = load_state(session, choice.plan), business_date(at)
    found = tuple(papers(session, choice))
    rows = _leads(session, choice)
    keys = {row.item for row in rows}
    items = [one for one in state.plan.every_item if choice.milestone or one.key in keys]
    return DossierFacts(
        office=coordinating(state, on),
        plan_title=state.plan.title,
        decision=state.plan.decision.code,
        title=_title(state, rows, choice),
        first_year=choice.first_year,
        last_year=choice.last_year,
        milestone=choice.milestone,
        at=at,
        on=on,
        tasks={one.key: one.text.task for one in items},
        periods=tuple(_periods(state, choice, rows, found, on)),
        papers=found,
        missing=tuple(_missing(state, choice, rows, on)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lead:
    item: str
    period: str
    agency: str
    status: Status
    results: int
    papers: int
    files: int


def _leads(session: Session, choice: Choice) -> list[_Lead]:
    """The leads that count, each with how many papers and files stand behind it."""
    stands = or_(Submission.outcome.is_(None), Submission.outcome.not_in(_GONE))
    query = (
        select(
            *(Occurrence.item_key, Occurrence.period_key, Assignment.agency_name),
            Assignment.status,
            func.count(func.distinct(Submission.id)).label("results"),
            func.count(Evidence.id).label("papers"),
            func.count(Evidence.sha256).label("files"),
        )
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .outerjoin(Submission, and_(Submission.assignment_id == Assignment.id, stands))
        .outerjoin(Evidence, Evidence.submission_id == Submission.id)
        .where(
            choice.condition,
            Assignment.role == Role.LEAD.value,
            Assignment.status.not_in([one.value for one in UNCOUNTED]),
        )
        .group_by(Assignment.id, Occurrence.id)
        .order_by(Occurrence.period_first, Occurrence.item_key, Assignment.agency_key)
    )
    return [
        _Lead(
            item=row.item_key,
            period=row.period_key,
            agency=row.agency_name,
            status=Status(row.status),
            results=row.results,
            papers=row.papers,
            files=row.files,
        )
        for row in session.execute(query)
    ]


def _title(state: PlanState, rows: Sequence[_Lead], choice: Choice) -> str:
    if choice.milestone or not rows:
        return f"Giai đoạn {choice.first_year} - {choice.last_year}"
    one = rows[0]
    task = state.plan.item(one.item).text.task
    return f"Nhiệm vụ {one.item}, {Period.parse(one.period).label}: {task}"


_Slots = Mapping[tuple[str, str], date | None]
"""Items and periods, each with the day on which it opens; None for what has opened."""


def _slots(state: PlanState, choice: Choice, rows: Sequence[_Lead]) -> _Slots:
    """Items and periods that should be there, and those that are, in the order of the plan."""
    there: dict[tuple[str, str], date | None] = {(row.item, row.period): None for row in rows}
    if choice.occurrence is not None:
        return dict(sorted(there.items()))
    order = {item.key: n for n, item in enumerate(state.plan.every_item)}
    asked: dict[tuple[str, str], date | None] = {
        (item.key, one.period.key): one.opens_on
        for item in state.plan.items
        for one in expand(item.calendar, state.plan.first_year, state.plan.last_year)
        if choice.first_year <= one.period.year <= choice.last_year
    }
    found = asked | there
    places = sorted(found, key=lambda slot: (order.get(slot[0], len(order)), slot[1]))
    return {slot: found[slot] for slot in places}


def _periods(
    state: PlanState,
    choice: Choice,
    rows: Sequence[_Lead],
    found: Sequence[PaperLine],
    on: date,
) -> Iterator[ItemPeriod]:
    for (item, period), opens_on in _slots(state, choice, rows).items():
        label = Period.parse(period).label
        leads = [row for row in rows if (row.item, row.period) == (item, period)]
        filed = [one for one in found if (one.item, one.period) == (item, label)]
        yield ItemPeriod(
            item=item,
            period=label,
            opened=bool(leads),
            ahead=opens_on is not None and opens_on > on,
            leads=len(leads),
            finished=sum(1 for row in leads if row.status in SETTLED),
            papers=len(filed),
            files=sum(1 for one in filed if one.member),
        )


def _missing(
    state: PlanState, choice: Choice, rows: Sequence[_Lead], on: date
) -> Iterator[Missing]:
    """What is not there by ``on``; a period that opens later lacks nothing yet."""
    for (item, period), opens_on in _slots(state, choice, rows).items():
        if opens_on is not None and opens_on <= on:
            what = "Kỳ này chưa được ghi nhận trong hệ thống"
            label = Period.parse(period).label
            yield Missing(item=item, period=label, agency="–", what=what)
    for row in rows:
        if what := _lacks(row):
            label = Period.parse(row.period).label
            yield Missing(item=row.item, period=label, agency=row.agency, what=what)


def _lacks(row: _Lead) -> str:
    if row.status not in SETTLED:
        return "Chưa hoàn thành, chưa có kết quả" if not row.results else "Kết quả chưa xác nhận"
    if row.status is not Status.CONFIRMED:
        return ""  # covered by another's document, or nothing arose
    if not row.papers:
        return "Chưa có văn bản, tài liệu kiểm chứng"
    return "" if row.files else "Có số văn bản, chưa có tệp"
