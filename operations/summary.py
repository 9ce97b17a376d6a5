"""The coordinator's week: one letter on Monday, composed when it goes (rules 27, 30, 36)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import (
    Assignment,
    ExtensionRequest,
    Letter,
    LetterState,
    Mailbox,
    Obstacle,
    Occurrence,
)
from notifications.compose import render_monday_summary
from notifications.formats import shorten, vn_date
from notifications.values import (
    FourCells,
    MondaySummary,
    Rendered,
    SummaryRow,
    SummarySection,
    SummaryTopic,
)
from operations.address_book import address_book, contact_gaps
from operations.digest_lines import plan_refs
from operations.history import record
from operations.outbox import HeldReason, LetterKind, NewLetter, held_changes, insert_letters
from operations.queries import WorkRow, cell_counts, work_list
from operations.restored import gap_of
from operations.stamp import Stamp
from operations.state import PlanState, load_state, plan_keys
from operations.urging_records import urged_now
from rules.added import is_added, is_beside, is_counted_apart
from rules.ladder import at_end
from rules.lifecycle import OPEN, Status
from rules.planning import ladder_key
from rules.timeliness import Cell
from rules.values import DateAuthority, ItemKind, Role, TrackingMode

SHOWN = 10
"""Rows of a section that are written out; the rest is said as a number."""


def queue_monday_summary(session: Session, stamp: Stamp) -> int:
    """Queue this week's summary to each coordinator's mailbox; returns how many are new.

    It goes on the first working day of the week, or on the next one after a Monday that was
    missed; never twice in a week and never on a day off (rules 5, 30).
    """
    letters: dict[str, NewLetter] = {}
    book = address_book(session)
    gap = gap_of(session)
    for key in plan_keys(session):
        state = load_state(session, key)
        if not state.calendar.is_working(stamp.as_of):
            return 0
        monday = state.calendar.first_working_of_week(stamp.as_of)
        to = book.of(state.coordinator(stamp.as_of))
        if to is None or stamp.as_of < monday or to.address in letters:
            continue
        if not _told_since(session, to.address, monday):
            letters[to.address] = NewLetter(
                key=f"{LetterKind.MONDAY}:{stamp.as_of}:{to.address}",
                kind=LetterKind.MONDAY,
                recipient=to,
                held=HeldReason.RESTORED if gap and gap.week_may_have_gone(monday) else None,
            )
    ids = insert_letters(session, stamp, list(letters.values()))
    held = [number for number, one in zip(ids, letters.values(), strict=True) if one.held]
    record(session, stamp, held_changes(session, held))
    return len(letters)


def _told_since(session: Session, mailbox: str, monday: date) -> bool:
    gone = (LetterState.SUPERSEDED.value, LetterState.DROPPED.value)
    return (
        session.scalar(
            select(func.count())
            .select_from(Letter)
            .where(
                Letter.mailbox == mailbox,
                Letter.kind == LetterKind.MONDAY.value,
                Letter.day >= monday,
                Letter.state.not_in(gone),
            )
        )
        or 0
    ) > 0


def render_summary(
    session: Session, address: Mapping[str, Any], letter: Letter, *, as_of: date
) -> Rendered:
    """The summary as it stands on ``as_of``; ``address`` is what every letter begins with."""
    states = [load_state(session, key) for key in plan_keys(session)]
    own = [state for state in states if state.coordinator(as_of) == letter.agency_key]
    leads = [
        row
        for state in own
        for row in work_list(session, as_of=as_of, plan=state.plan.key, roles=[Role.LEAD])
    ]
    counted = [row for row in leads if row.due_on.year == as_of.year or _is_open(row)]
    beside = [row for row in counted if is_beside(row.item)]
    added = [row for row in counted if is_added(row.item)]
    value = MondaySummary(
        **address,
        plans=plan_refs(state.plan for state in own),
        year=as_of.year,
        cells=_four(row for row in counted if not is_counted_apart(row.item)),
        beside=_four(beside) if beside else None,
        added=_four(added) if added else None,
        closed_last_week=_closed_last_week(leads, as_of),
        sections=(
            *_of_work(leads),
            *_waiting(session, {row.id: row for row in leads}),
            _urge(session, own),
            *_of_mail(session, as_of),
        ),
    )
    return render_monday_summary(value)


def _four(rows: Iterable[WorkRow]) -> FourCells:
    cells = cell_counts(rows)
    return FourCells(
        on_time=cells[Cell.DONE_IN_TIME],
        late=cells[Cell.DONE_LATE],
        open_in_time=cells[Cell.OPEN_IN_TIME],
        open_overdue=cells[Cell.OPEN_OVERDUE],
    )


def _is_open(row: WorkRow) -> bool:
    return row.status in OPEN or row.status in {Status.SUBMITTED, Status.SUSPENDED}


def _closed_last_week(leads: Iterable[WorkRow], as_of: date) -> int:
    since = as_of - timedelta(days=7)
    return sum(
        1
        for row in leads
        if row.confirmed_at is not None
        and row.status is Status.CONFIRMED
        and since <= row.confirmed_at.date() <= as_of
    )


def _section(
    topic: SummaryTopic, rows: Sequence[tuple[str, str, str]], total: int | None = None
) -> SummarySection:
    return SummarySection(
        topic=topic,
        total=len(rows) if total is None else total,
        rows=tuple(
            SummaryRow(agency_name=agency, item=item, detail=detail)
            for agency, item, detail in rows[:SHOWN]
        ),
    )


def _of_work(leads: Sequence[WorkRow]) -> list[SummarySection]:
    def said(row: WorkRow, detail: str) -> tuple[str, str, str]:
        return row.agency_name, f"{row.item} · {row.period_label}", detail

    confirm = [
        said(row, f"cập nhật ngày {vn_date(row.submitted_on or row.due_on)}")
        for row in leads
        if row.status is Status.SUBMITTED
    ]
    overdue = [said(row, f"hạn {vn_date(row.due_on)}") for row in leads if row.overdue]
    dates: dict[int, tuple[str, str, str]] = {}
    for row in leads:
        if row.timeliness is Cell.PAST_PROVISIONAL:
            dates.setdefault(row.occurrence, said(row, f"mốc dự kiến {vn_date(row.due_on)}"))
    return [
        _section(SummaryTopic.CONFIRM, confirm),
        _section(SummaryTopic.OVERDUE, overdue),
        _section(SummaryTopic.FIX_DATES, list(dates.values())),
    ]


def _waiting(session: Session, leads: Mapping[int, WorkRow]) -> list[SummarySection]:
    asked = [
        (row.agency_name, f"{row.item} · {row.period_label}", f"xin đến {vn_date(until)}")
        for number, until in session.execute(
            select(ExtensionRequest.assignment_id, ExtensionRequest.requested_due_on)
            .where(ExtensionRequest.state.in_(("asked", "proposed")))
            .order_by(ExtensionRequest.id)
        )
        if (row := leads.get(number)) is not None
    ]
    raised = [
        (agency, "", shorten(words, 120))
        for agency, words in session.execute(
            select(Obstacle.agency_key, Obstacle.text)
            .where(Obstacle.state == "raised")
            .order_by(Obstacle.id)
        )
    ]
    return [
        _section(SummaryTopic.EXTENSIONS, asked),
        _section(SummaryTopic.OBSTACLES, raised),
    ]


def _urge(session: Session, states: Sequence[PlanState]) -> SummarySection:
    """Open work whose ladder has ended: a person has to write now (rule 27)."""
    found: list[tuple[str, str, str]] = []
    for state in states:
        rows = session.execute(
            select(Assignment, Occurrence)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .where(
                Occurrence.plan_key == state.plan.key,
                Assignment.role == Role.LEAD.value,
                Assignment.status.in_([status.value for status in OPEN]),
                Assignment.next_reminder_on.is_(None),
                Assignment.last_rung.is_not(None),
                Assignment.authority != DateAuthority.PROVISIONAL.value,
            )
            .order_by(Assignment.due_on, Assignment.id)
        ).all()
        urged = urged_now(session, [row.id for row, _ in rows])
        found += [
            (
                row.agency_name,
                f"{above.item_key} · {above.period_key}",
                f"hạn {vn_date(row.due_on)}",
            )
            for row, above in rows
            if row.id not in urged and _ladder_ended(state, row, above)
        ]
    return _section(SummaryTopic.URGE, found)


def _ladder_ended(state: PlanState, row: Assignment, above: Occurrence) -> bool:
    key = ladder_key(
        above.ladder,
        kind=ItemKind(above.kind),
        mode=TrackingMode(above.mode),
        role=Role.LEAD,
        provisional=False,
    )
    ladder = state.plan.ladders.get(key or "")
    task = above.kind == ItemKind.TASK and above.mode == TrackingMode.FULL
    return task and ladder is not None and at_end(ladder, row.last_rung or 0)


def _of_mail(session: Session, as_of: date) -> list[SummarySection]:
    gaps = [
        (gap.agency_name, "", "chưa có hộp thư" if not gap.mailbox else "chưa có đầu mối")
        for gap in contact_gaps(session, as_of)
    ]
    broken = [
        (address, "", shorten(answer or "", 120))
        for address, answer in session.execute(
            select(Mailbox.address, Mailbox.answer)
            .where(Mailbox.state == "undeliverable")
            .order_by(Mailbox.address)
        )
    ]
    return [
        _section(SummaryTopic.NO_CONTACT, gaps),
        _section(SummaryTopic.UNDELIVERABLE, broken),
        _letters_section(session, SummaryTopic.UNKNOWN_MAIL, LetterState.UNKNOWN, as_of),
        _letters_section(session, SummaryTopic.HELD, LetterState.HELD, as_of),
    ]


def _letters_section(
    session: Session, topic: SummaryTopic, state: LetterState, as_of: date
) -> SummarySection:
    """Letters of the last two weeks in this state."""
    rows = session.execute(
        select(Letter.mailbox, Letter.subject, Letter.day)
        .where(Letter.state == state.value, Letter.day > as_of - timedelta(days=14))
        .order_by(Letter.id)
    )
    return _section(
        topic, [(mailbox, "", subject or vn_date(day)) for mailbox, subject, day in rows]
    )
