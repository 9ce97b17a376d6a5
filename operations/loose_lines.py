"""What letters say that is about no assignment: findings of inspections, obstacles in general.

Such a notice names what it is about in its payload; whose letters it rides in, and whether it
still means anything, is asked of that (rules 30, 42, 45).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy.orm import Session

from models.queries_delivery import loose_lines_of
from models.tables import AgencyRow, Finding, Obstacle
from notifications.formats import TIME_ZONE, vn_date
from notifications.lines import Line, LineKind
from operations.address_book import AddressBook
from operations.finding_notices import plan_of
from operations.findings import STATE_WORDS
from operations.state import PlanState, load_state, plan_keys
from rules.digest import FINDING_KINDS, NoticeKind, Recipient, finding_worth_saying, rides_on
from rules.values import Audience, Role

FINDING_TITLE: Final = "Kiến nghị kiểm tra"
OBSTACLE_TITLE: Final = "Vướng mắc, kiến nghị"


@dataclass(slots=True)
class Loose:
    """What rides today of all that is about no assignment, before anything of it is written."""

    rides: list[tuple[Recipient, int, NoticeKind]] = field(default_factory=list)
    """To whom, the notice's number, and its kind."""
    void: list[int] = field(default_factory=list)
    unreachable: int = 0


def collect_loose(session: Session, rows: Iterable[Any], as_of: date, book: AddressBook) -> Loose:
    """Sort pending notices about no assignment: who gets them today, and what to forget."""
    found, told = Loose(), set[tuple[str, int, str]]()
    for row in rows:
        kind, payload = NoticeKind(row.kind), json.loads(row.payload)
        state = _state_of(session, kind, payload)
        if state is None:
            found.void.append(row.id)
            continue
        created, calendar = row.created_on, state.calendar
        if not rides_on(kind, at_once=False, created_on=created, as_of=as_of, calendar=calendar):
            continue
        to = book.recipient(
            Audience(row.audience), row.agency_key, coordinator=state.coordinator(as_of)
        )
        if to is None:
            found.unreachable += 1
            continue
        about = (kind.value, payload.get("finding") or payload.get("obstacle"), to.address)
        if about in told:
            # The mailbox speaks for the focal point as well: once is enough.
            found.void.append(row.id)
            continue
        told.add(about)
        found.rides.append((to, row.id, kind))
    return found


def _state_of(session: Session, kind: NoticeKind, payload: Mapping[str, Any]) -> PlanState | None:
    """The plan that a notice counts its days by; None when it means nothing any more."""
    if kind in FINDING_KINDS:
        row = session.get(Finding, payload["finding"])
        known = row is not None and finding_worth_saying(kind, row.state)
        return plan_of(session, row) if row is not None and known else None
    keys = plan_keys(session)
    return load_state(session, keys[0]) if keys and "obstacle" in payload else None


@dataclass(frozen=True, slots=True)
class LooseLine:
    """A line about no assignment, and the plan under which the letter names it."""

    line: Line
    plan: PlanState


def read_loose(
    session: Session, letter_ids: Sequence[int], as_of: date, load: Callable[[str], PlanState]
) -> Mapping[int, list[LooseLine]]:
    """The lines of these letters that are about no assignment and still mean something.

    ``load`` gives the state of a plan by its key.
    """
    found: defaultdict[int, list[LooseLine]] = defaultdict(list)
    for row in loose_lines_of(session, letter_ids):
        kind, payload = NoticeKind(row.notice_kind), json.loads(row.notice_payload)
        known = _state_of(session, kind, payload)
        if known is None:
            continue
        state, name = load(known.plan.key), session.get_one(AgencyRow, row.agency_key).name
        said = _Said(row.agency_key, name, payload, state, as_of)
        if kind in FINDING_KINDS:
            line = _of_finding(session.get_one(Finding, payload["finding"]), kind, said)
        else:
            line = _of_obstacle(session.get_one(Obstacle, payload["obstacle"]), said)
        found[row.letter_id].append(LooseLine(line, state))
    return {letter: _said_once(lines) for letter, lines in found.items()}


@dataclass(frozen=True, slots=True)
class _Said:
    """What a notice holds, whose it is, and the day its line is counted from."""

    agency: str
    agency_name: str
    payload: Mapping[str, Any]
    state: PlanState
    as_of: date

    def common(self) -> dict[str, Any]:
        return {
            "plan_code": self.state.plan.short_code,
            "agency": self.agency,
            "agency_name": self.agency_name,
            "role": Role.LEAD,
            "rung": self.payload.get("rung"),
            "note": self.payload.get("note"),
        }


def _said_once(lines: list[LooseLine]) -> list[LooseLine]:
    """Leaves out that a finding is new, or due, where another line of the letter says more."""
    order = (LineKind.FINDING, LineKind.FINDING_DUE, LineKind.FINDING_RETURNED)
    best: dict[str, int] = {}
    for one in lines:
        if one.line.kind in order:
            rank = order.index(one.line.kind)
            best[one.line.assignment_id] = max(rank, best.get(one.line.assignment_id, 0))
    return [
        one
        for one in lines
        if one.line.kind not in order or order.index(one.line.kind) == best[one.line.assignment_id]
    ]


def _of_finding(row: Finding, kind: NoticeKind, said: _Said) -> Line:
    due = row.due_on or said.as_of
    return Line(
        kind=LineKind(kind.value),
        item=FINDING_TITLE,
        item_task=row.text,
        period_key=str(row.id),
        period_label=f"kết luận {row.document_code}",
        due_on=due,
        days=said.state.calendar.between(said.as_of, due),
        assignment_id=f"finding-{row.id}",
        status_word=STATE_WORDS[row.state],
        dated=row.due_on is not None,
        **said.common(),
    )


def _of_obstacle(row: Obstacle, said: _Said) -> Line:
    raised = row.raised_at.astimezone(TIME_ZONE).date()
    return Line(
        kind=LineKind.OBSTACLE_ANSWERED,
        item=OBSTACLE_TITLE,
        item_task=row.text,
        period_key=str(row.id),
        period_label=f"phản ánh ngày {vn_date(raised)}",
        due_on=said.as_of,
        days=0,
        assignment_id=f"obstacle-{row.id}",
        dated=False,
        **said.common(),
    )
