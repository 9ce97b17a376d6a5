"""Groups of agencies and their automatic letters: on or off, since when, on what basis (rule 36)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Event, GroupRow
from operations.plans_seen import agencies_elsewhere
from operations.queries_history import HistoryLine, lines_of
from operations.state import load_directory
from rules.values import Agency, Certainty

SWITCHES = ("letters_on", "letters_off")
"""What the history calls the switching of letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group as of a day. ``switched`` is when and by whom its letters were last switched, None
    while they stand as the catalog has them; ``silent`` are members that get no letters, for
    whatever cause."""

    key: str
    name: str
    letters: bool
    certainty: Certainty
    note: str | None
    agencies: tuple[Agency, ...]
    silent: tuple[Agency, ...]
    switched: HistoryLine | None


def letter_groups(session: Session, as_of: date) -> list[GroupView]:
    """Every group, those without automatic letters first, then in the order of the catalog."""
    directory = load_directory(session)
    switched = {
        line.entity_id: line
        for line in lines_of(
            session,
            select(Event)
            .where(Event.entity == "group", Event.action.in_(SWITCHES))
            .order_by(Event.at, Event.id),
        )
    }
    found, hidden = [], agencies_elsewhere(session)
    for row in session.scalars(select(GroupRow).order_by(GroupRow.letters, GroupRow.position)):
        members = directory.resolve([f"@{row.key}"], as_of)
        keys = [key for key in members if key not in hidden]
        if members and not keys:
            continue
        found.append(
            GroupView(
                key=row.key,
                name=row.name,
                letters=row.letters,
                certainty=Certainty(row.certainty),
                note=row.note,
                agencies=tuple(directory.agency(key) for key in keys),
                silent=tuple(
                    directory.agency(key) for key in keys if not directory.letters_on(key, as_of)
                ),
                switched=switched.get(row.key),
            )
        )
    return found


def group_history(session: Session, key: str) -> list[HistoryLine]:
    """What became of a group, the newest first."""
    query = select(Event).where(Event.entity == "group", Event.entity_id == key)
    return lines_of(session, query.order_by(Event.at.desc(), Event.id.desc()))
