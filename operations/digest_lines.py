"""The lines of digests as values, from what is true now (rules 28-30).

A digest is rendered from the lines still owed at that moment: work that was handed in, moved or
reopened since it was queued has no line any more.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models.queries_delivery import lines_of
from notifications.formats import vn_date
from notifications.lines import Line, LineKind
from notifications.values import DueEvent, PlanRef
from operations.loose_lines import LooseLine, read_loose
from operations.remembered import Before
from operations.state import load_plan, states_of
from rules.digest import NoticeKind, worth_saying
from rules.lifecycle import REMINDED, RETURNED_WORD, STATUS_WORDS, Status
from rules.periods import Period
from rules.values import DateAuthority, Item, Plan, Role

_NEW_DATES = frozenset({NoticeKind.OPENED, NoticeKind.DATE_CHANGED, NoticeKind.EXTENSION_DECIDED})
"""Notices with which a calendar entry comes: the date is new, or another one."""
_INVITES = frozenset({NoticeKind.OPENED, NoticeKind.RECORD_INVITE, NoticeKind.REQUEST})
"""Notices that a reminder of the same work in the same letter says as well."""
_ENDED = frozenset(
    {Status.NOT_APPLICABLE, Status.COVERED, Status.TRANSFERRED, Status.CANCELLED, Status.LAPSED}
)
"""The work ended without a result: its calendar entry is cancelled."""


@dataclass(frozen=True, slots=True)
class LetterLines:
    """What a digest says now. ``gone`` are assignments of which nothing is owed any more."""

    lines: tuple[Line, ...] = ()
    events: tuple[DueEvent, ...] = ()
    plans: tuple[PlanRef, ...] = ()
    gone: tuple[int, ...] = ()


class LineReader:
    """Reads the lines of many letters for one day; plans and days off are loaded once.

    ``before`` as for :func:`operations.state.states_of`.
    """

    def __init__(self, session: Session, before: Before | None = None) -> None:
        self._session = session
        self.state = states_of(session, before)
        """The state of a plan by its key."""

    def read(
        self, letter_ids: Sequence[int], as_of: date, *, previews: bool = False
    ) -> dict[int, LetterLines]:
        """The lines of these letters, counted from ``as_of``; a letter without any is left out.

        ``previews`` are letters whose rungs were never queued (no reminder row).
        """
        rows: defaultdict[int, list[Any]] = defaultdict(list)
        for row in lines_of(self._session, letter_ids):
            rows[row.letter_id].append(row)
        loose = read_loose(self._session, letter_ids, as_of, self.state)
        return {
            number: self._one(rows.get(number, ()), loose.get(number, ()), as_of, previews=previews)
            for number in sorted({*rows, *loose})
        }

    def _one(
        self, rows: Sequence[Any], loose: Sequence[LooseLine], as_of: date, *, previews: bool
    ) -> LetterLines:
        owed = [row for row in rows if _still_owed(row, previews=previews)]
        since = _moved_from(owed)
        still = _moved_once(owed, since)
        gone = {row.assignment_id for row in rows} - {row.assignment_id for row in still}
        return LetterLines(
            lines=(
                *(
                    self.line(row, as_of, moved_from=since.get(row.assignment_id))
                    for row in _said_once(still)
                ),
                *(one.line for one in loose),
            ),
            events=tuple(self.event(row) for row in still if row.notice_kind in _NEW_DATES),
            plans=plan_refs(
                [
                    *(self.state(row.plan_key).plan for row in still),
                    *(one.plan.plan for one in loose),
                ]
            ),
            gone=tuple(sorted(gone)),
        )

    def item(self, row: Any) -> Item:
        """The item in the version under which the occurrence opened (rule 8)."""
        plan = self.state(row.plan_key).plan
        if plan.version != row.plan_version:
            plan = load_plan(self._session, row.plan_key, row.plan_version)
        return plan.item(row.item_key)

    def line(self, row: Any, as_of: date, *, moved_from: date | None = None) -> Line:
        """One line, with its days counted from ``as_of``.

        ``moved_from`` is the date before the changes that this letter tells of.
        """
        state, item = self.state(row.plan_key), self.item(row)
        anchor = row.respond_by or row.due_on
        moved = row.notice_kind == NoticeKind.DATE_CHANGED
        return Line(
            kind=LineKind(row.line_kind),
            plan_code=state.plan.short_code,
            item=row.item_key,
            item_task=item.text.task,
            period_key=row.period_key,
            period_label=Period.parse(row.period_key).label,
            agency=row.agency_key,
            agency_name=row.agency_name,
            role=Role(row.role),
            due_on=row.due_on,
            days=state.calendar.between(as_of, anchor),
            assignment_id=str(row.assignment_id),
            provisional=row.authority == DateAuthority.PROVISIONAL,
            rung=row.rung,
            status_word=status_word(row),
            expected=item.calendar.expected,
            note=_note(row),
            respond_by=row.respond_by,
            previous_due_on=moved_from if moved else None,
            document=_payload(row).get("document") if moved else None,
        )

    def event(self, row: Any) -> DueEvent:
        """The calendar entry of a line.

        SEQUENCE is the row's version, which grows with every change of the assignment and so with
        every change of its date.
        """
        return DueEvent(
            assignment_id=str(row.assignment_id),
            round=row.round,
            sequence=row.assignment_version,
            due_on=row.due_on,
            item=row.item_key,
            item_task=self.item(row).text.task,
            period_label=Period.parse(row.period_key).label,
            agency_name=row.agency_name,
            provisional=row.authority == DateAuthority.PROVISIONAL,
            cancelled=Status(row.status) in _ENDED,
        )


def plan_refs(plans: Iterable[Plan]) -> tuple[PlanRef, ...]:
    """The plans as letters name them, each once."""
    found = {plan.key: plan for plan in plans}
    return tuple(
        PlanRef(code=plan.short_code, decision_line=decision_line(plan))
        for _, plan in sorted(found.items())
    )


def decision_line(plan: Plan) -> str:
    """``Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh``."""
    issued = plan.decision.issued_on
    day = "" if issued is None else f" ngày {vn_date(issued)}"
    return f"Quyết định số {plan.decision.code}{day} của {plan.issued_by}"


def status_word(row: Any) -> str:
    """The status as people read it; returned work has a word of its own."""
    status = Status(row.status)
    if row.role == Role.LEAD and row.respond_by is not None and status in REMINDED:
        return RETURNED_WORD
    return STATUS_WORDS[status]


def _still_owed(row: Any, *, previews: bool) -> bool:
    status = Status(row.status)
    if row.notice_kind is not None:
        return worth_saying(NoticeKind(row.notice_kind), status)
    if status not in REMINDED:
        return False
    if previews:
        return True
    return bool(row.rung_round == row.round and row.rung_date == (row.respond_by or row.due_on))


def _said_once(rows: Sequence[Any]) -> list[Any]:
    """Leaves out what another line of the letter says already.

    An opening beside a reminder of the same work; a date to fix, which is one for all agencies of
    an occurrence.
    """
    reminded = {row.assignment_id for row in rows if row.rung is not None}
    dates: set[int] = set()
    found = []
    for row in rows:
        if row.notice_kind in _INVITES and row.assignment_id in reminded:
            continue
        if row.line_kind == LineKind.FIX_DATE:
            if row.occurrence_id in dates:
                continue
            dates.add(row.occurrence_id)
        found.append(row)
    return found


def _moved_from(rows: Sequence[Any]) -> dict[int, date]:
    """The dates from before the changes that a letter tells of, by assignment."""
    found: dict[int, date] = {}
    for row in rows:
        if row.notice_kind == NoticeKind.DATE_CHANGED and row.assignment_id not in found:
            found[row.assignment_id] = date.fromisoformat(_payload(row)["previous_due_on"])
    return found


def _moved_once(rows: Sequence[Any], since: Mapping[int, date]) -> list[Any]:
    """One line for a date that moved several times; none where it is back where it stood."""
    newest = {row.assignment_id: row for row in rows if row.notice_kind == NoticeKind.DATE_CHANGED}
    return [
        row
        for row in rows
        if row.notice_kind != NoticeKind.DATE_CHANGED
        or (row is newest[row.assignment_id] and since[row.assignment_id] != row.due_on)
    ]


def _payload(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.notice_payload or "{}")
    return found


def _note(row: Any) -> str | None:
    if row.role == Role.PARTNER:
        return row.request_text or None
    payload = _payload(row)
    return payload.get("note") or payload.get("reason") or None
