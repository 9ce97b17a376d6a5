"""The plans of a sweep, each loaded when its first row asks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from operations.remembered import Before
from operations.state import PlanState, states_of
from rules.digest import LadderReader
from rules.planning import ladder_key
from rules.values import DateAuthority, ItemKind, Ladder, Role, TrackingMode


class OpenPlans:
    """The states and ladder readers of the active plans, loaded when the first row asks."""

    def __init__(
        self, session: Session, as_of: date, keys: Collection[str], before: Before | None = None
    ) -> None:
        self._as_of, self._keys = as_of, frozenset(keys)
        self._load = states_of(session, before)
        self._states: dict[str, PlanState] = {}
        self._readers: dict[str, LadderReader] = {}
        self._coordinators: dict[str, str] = {}
        self._ladders: dict[tuple[str, ...], Ladder | None] = {}

    def state(self, key: str) -> PlanState | None:
        """The state of a plan; None when it is not active, or not asked for."""
        if key not in self._keys:
            return None
        if key not in self._states:
            state = self._load(key)
            self._states[key] = state
            self._readers[key] = LadderReader(state.calendar, self._as_of)
            self._coordinators[key] = state.coordinator(self._as_of)
        return self._states[key]

    def reader(self, key: str) -> LadderReader:
        """Reads the ladders of a plan whose state was asked for before."""
        return self._readers[key]

    def coordinator(self, key: str) -> str:
        """The coordinator of a plan whose state was asked for before."""
        return self._coordinators[key]

    def ladder(self, row: Any) -> Ladder | None:
        """The ladder that a due assignment follows; its plan's state was asked for before.

        ``row`` has ``plan_key``, ``ladder``, ``kind``, ``mode``, ``role`` and ``authority``: there
        are thousands of rows and few such kinds.
        """
        kind = (row.plan_key, row.ladder, row.kind, row.mode, row.role, row.authority)
        if kind not in self._ladders:
            key = ladder_key(
                row.ladder,
                kind=ItemKind(row.kind),
                mode=TrackingMode(row.mode),
                role=Role(row.role),
                provisional=row.authority == DateAuthority.PROVISIONAL,
            )
            ladders = self._states[row.plan_key].plan.ladders
            self._ladders[kind] = None if key is None else ladders.get(key)
        return self._ladders[kind]
