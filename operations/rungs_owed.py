"""Which rung each assignment is owed, and who is told: thousands of rows of few kinds (27, 28, 30).

Items of one year fall due together, so most of what an agency is reminded of is alike: its ladder,
its recipients and the words of its lines are worked out once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.queries_due import DueKind, DueRow
from notifications.lines import LineKind
from operations.address_book import AddressBook
from operations.open_plans import OpenPlans
from operations.parcels import Climb, Collected, RungLine
from rules.digest import Owed, Recipient
from rules.restore_gap import Gap
from rules.values import Audience, DateAuthority, ItemKind, Role, Rung, TrackingMode

Said = tuple[int, int, date, int, str]
"""A reminder that was queued before: assignment, round, date, rung, mailbox."""


def line_kind(row: Any, as_of: date, *, for_coordinator: bool = False) -> LineKind:
    """Why an assignment stands in a digest by its ladder.

    ``row`` has ``role``, ``mode``, ``kind`` (of the occurrence), ``respond_by``, ``authority`` and
    ``due_on``. What is due today is not overdue (rule 2), a provisional date never is (rule 17).
    """
    provisional = row.authority == DateAuthority.PROVISIONAL
    if for_coordinator and provisional:
        return LineKind.FIX_DATE
    if row.role == Role.PARTNER:
        return LineKind.REQUEST
    if row.mode == TrackingMode.RECORD:
        return LineKind.RECORD_REMIND
    if row.kind == ItemKind.CHECK_IN:
        return LineKind.CHECK_IN
    if row.respond_by is not None:
        return LineKind.RETURNED
    if as_of <= row.due_on:
        return LineKind.DUE
    return LineKind.PAST_PROVISIONAL if provisional else LineKind.OVERDUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is owed to all work that is alike."""

    anchor: date
    rung: Rung | None
    """None where nothing is owed yet."""
    climb: Climb
    to: Sequence[tuple[Recipient, LineKind]]
    """Nobody where not even the coordinator can be reached."""
    maybe_said: bool


class RungReader:
    """Reads what due assignments are owed, once for all that are alike."""

    def __init__(
        self, plans: OpenPlans, book: AddressBook, *, as_of: date, gap: Gap | None
    ) -> None:
        self._plans, self._book, self._as_of, self._gap = plans, book, as_of, gap
        self._known: dict[DueKind, Told | None] = {}

    def read(self, kind: DueKind) -> Told | None:
        """What is owed to work of this kind; None where it is never reminded."""
        if kind not in self._known:
            self._known[kind] = self._read(kind)
        return self._known[kind]

    def _read(self, row: DueKind) -> Told | None:
        plans = self._plans
        state = plans.state(row.plan_key)
        if state is None or not state.directory.letters_on(row.agency_key, self._as_of):
            return None
        ladder = plans.ladder(row)
        if ladder is None:
            return None
        anchor = row.respond_by or row.due_on
        found = plans.reader(row.plan_key).read(ladder, anchor, row.last_rung)
        rung, gap = found.rung, self._gap
        return Told(
            anchor=anchor,
            rung=rung,
            climb=_climb(row.last_rung if rung is None else rung.offset, found),
            to=() if rung is None else self._recipients(row, rung),
            maybe_said=gap is not None
            and rung is not None
            and gap.rung_may_have_gone(anchor, rung.offset),
        )

    def _recipients(self, row: DueKind, rung: Rung) -> Sequence[tuple[Recipient, LineKind]]:
        """Each mailbox once, for the first audience that it stands for."""
        coordinator = self._plans.coordinator(row.plan_key)
        to: dict[str, tuple[Recipient, LineKind]] = {}
        for audience in rung.audience:
            found = self._book.to_whom(
                audience, row.agency_key, coordinator=coordinator, handler=row.handler_mailbox
            )
            if found is not None and found.address not in to:
                decides = audience is Audience.COORDINATOR
                to[found.address] = found, line_kind(row, self._as_of, for_coordinator=decides)
        return tuple(to.values())


def _climb(rung: int | None, found: Owed) -> Climb:
    return Climb(rung, None if found.then is None else found.then.day)


def collect_rungs(
    rows: Sequence[DueRow], reader: RungReader, said: Collection[Said], collected: Collected
) -> None:
    """Put the rungs that ``rows`` are owed into the parcels of their recipients.

    A mailbox that was told a rung before, while another one's digest was closed, is left out.
    """
    for row in rows:
        told = reader.read(row.kind)
        if told is None:
            continue
        rung, number, anchor = told.rung, row.id, told.anchor
        if rung is not None and not told.to:
            collected.unreachable += 1
            continue
        collected.climbs[number] = told.climb
        if rung is None:
            continue
        for recipient, kind in told.to:
            mailbox = recipient.address
            if (number, row.round, anchor, rung.offset, mailbox) not in said:
                line = RungLine(
                    assignment_id=number,
                    round=row.round,
                    anchor=anchor,
                    rung=rung.offset,
                    kind=kind,
                    mailbox=mailbox,
                    maybe_said=told.maybe_said,
                )
                collected.parcel(recipient).rungs.append(line)
