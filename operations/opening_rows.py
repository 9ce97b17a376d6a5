"""The assignments of an occurrence that opens, in bulk (rules 10, 11).

They differ by agency alone: what all of a kind share, most of their snapshots included, is worked
out once, and they pass to the driver in parts, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models.bulk import CHUNK, allocate_ids, insert_rows
from models.queries_mail import in_parts
from models.tables import Assignment, Base, Occurrence
from operations.history import Change, record_alike
from operations.notices import add_opening_notices
from operations.stamp import Stamp
from operations.state import PlanState
from rules.events import canonical_frame
from rules.ladder import NO_RUNG, next_step
from rules.lifecycle import Status
from rules.planning import Opening, Party, ladder_key
from rules.values import DateAuthority, Role

_TABLE = Base.metadata.tables[Assignment.__tablename__]
_VARYING = ("agency_key", "agency_name", "id")
_Row = tuple[str, str, int]
"""By ``_VARYING``."""
_SHARED = tuple(column.name for column in _TABLE.columns if column.name not in _VARYING)


class _Kind:
    """What the rows of one role, reminded or not, have in common."""

    def __init__(self, shared: Mapping[str, object]) -> None:
        self.shared = shared
        self.snapshot = canonical_frame(shared, _VARYING)


class OpeningRows:
    """Writes the assignments of one occurrence, their events, and word to the leads."""

    def __init__(
        self, session: Session, stamp: Stamp, state: PlanState, opening: Opening, row: Occurrence
    ) -> None:
        self._session, self._stamp, self._state = session, stamp, state
        self._opening, self._occurrence = opening, row
        self._kinds: dict[tuple[Role, bool], _Kind] = {}
        self._assigned = Change(
            entity=_TABLE.name,
            entity_id="",
            action="assign",
            snapshot={},
            effective_on=opening.opens_on,
            plan=row.plan_key,
            item=row.item_key,
            period=row.period_key,
            document=opening.document.code if opening.document else None,
        )

    def write(self) -> int:
        """Write them all; returns how many there were."""
        for parties in in_parts(self._opening.parties, CHUNK):
            self._write_some(parties)
        return len(self._opening.parties)

    def _write_some(self, parties: Sequence[Party]) -> None:
        session, stamp = self._session, self._stamp
        ids = allocate_ids(session, _TABLE.name, len(parties))
        kinds: defaultdict[_Kind, list[_Row]] = defaultdict(list)
        told: list[tuple[int, str]] = []
        for number, party in zip(ids, parties, strict=True):
            kinds[self._kind(party)].append((party.agency, party.name, number))
            if self._has_letters(party, self._opening.opens_on):
                told.append((number, party.agency))
        for kind, rows in kinds.items():
            insert_rows(session, _TABLE, _VARYING, rows, shared=kind.shared)
            record_alike(
                session,
                stamp,
                self._assigned,
                [(row[0], str(row[2]), kind.snapshot(row)) for row in rows],
            )
        add_opening_notices(session, stamp, told, self._opening.mode)

    def _has_letters(self, party: Party, on: date) -> bool:
        return party.role is Role.LEAD and self._state.directory.letters_on(party.agency, on)

    def _kind(self, party: Party) -> _Kind:
        key = (party.role, self._has_letters(party, self._opening.original_due_on))
        found = self._kinds.get(key)
        if found is None:
            found = _Kind(self._shared(*key))
            self._kinds[key] = found
        return found

    def _shared(self, role: Role, reminded: bool) -> dict[str, Any]:  # noqa: FBT001 - half of a key
        opening, stamp = self._opening, self._stamp
        shared: dict[str, Any] = dict.fromkeys(_SHARED)
        return shared | {
            "occurrence_id": self._occurrence.id,
            "role": role.value,
            "round": 1,
            "status": (Status.NOT_STARTED if role is Role.LEAD else Status.DORMANT).value,
            "nominal_due_on": opening.nominal_due_on,
            "original_due_on": opening.original_due_on,
            "due_on": opening.original_due_on,
            "authority": opening.authority.value,
            "document_code": opening.document.code if opening.document else None,
            "late_entry": False,
            "self_confirmed": False,
            "sampled": False,
            "extensions": 0,
            "returns": 0,
            "next_reminder_on": self._first_reminder() if reminded else None,
            "updated_at": stamp.at,
            "updated_by": stamp.actor.name,
            "version": 1,
        }

    def _first_reminder(self) -> date | None:
        opening, state = self._opening, self._state
        key = ladder_key(
            opening.item.calendar.ladder,
            kind=opening.item.calendar.kind,
            mode=opening.mode,
            role=Role.LEAD,
            provisional=opening.authority is DateAuthority.PROVISIONAL,
        )
        ladder = state.plan.ladders.get(key) if key else None
        if ladder is None:
            return None
        step = next_step(ladder, opening.original_due_on, state.calendar, last_rung=NO_RUNG)
        return None if step is None else step.day
