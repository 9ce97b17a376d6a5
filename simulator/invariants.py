"""What must be true of every database at every moment, however a run ended.

It reads the tables as they are and trusts nothing that the operations say about them; all that is
broken is told at once. Any test may call :func:`check_invariants` at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy.orm import Session

from models.engine import Database
from simulator.promises_of_letters import (
    letters_stand_in_legal_states,
    no_letter_sent_twice,
    no_rung_twice,
    nothing_on_a_day_off,
    one_digest_a_mailbox_a_day,
    reminders_point_to_a_letter,
)
from simulator.promises_of_work import (
    due_dates_are_working_days,
    events_are_in_the_log,
    history_begins_with_the_opening,
    last_event_says_what_the_row_says,
    no_lead_is_its_own_partner,
    occurrences_have_a_history,
    statuses_fit_their_roles,
)

Promise = Callable[[Session], Iterator[str]]
"""Reads the database and tells what breaks it, a line each; its docstring says it in words."""


class InvariantsBroken(AssertionError):
    """Everything that is broken, a line each."""

    def __init__(self, broken: list[str]) -> None:
        self.broken = broken
        shown = broken[:40] + ([f"... and {len(broken) - 40} more"] if len(broken) > 40 else [])
        super().__init__("\n".join(["the database breaks its promises:", *shown]))


def check_invariants(database: Database) -> None:
    """Read the whole database and say what is broken.

    Raises:
        InvariantsBroken: with every broken promise.
    """
    with database.read() as session:
        broken = broken_promises(session)
    if broken:
        raise InvariantsBroken(broken)


def broken_promises(session: Session) -> list[str]:
    """All that is broken as this session sees the database, a line each."""
    return [line for check in CHECKS for line in check(session)]


CHECKS: tuple[Promise, ...] = (
    history_begins_with_the_opening,
    last_event_says_what_the_row_says,
    occurrences_have_a_history,
    events_are_in_the_log,
    no_rung_twice,
    reminders_point_to_a_letter,
    one_digest_a_mailbox_a_day,
    letters_stand_in_legal_states,
    no_letter_sent_twice,
    nothing_on_a_day_off,
    statuses_fit_their_roles,
    due_dates_are_working_days,
    no_lead_is_its_own_partner,
)
"""Every promise, by itself; a new one is added here."""
