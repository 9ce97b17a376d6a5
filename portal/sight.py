"""What somebody sees of several plans in one database: by their account, and by their own choice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from models.seeing import SIGHT, Seen
from operations.plans_seen import plan_names
from portal.portal import Portal

COOKIE: Final = "tiendo_de_an"
"""Remembers on this device which plan is looked at."""
_NAMED: Final = frozenset(
    {"work_id", "evidence_id", "number", "occurrence", "assignment", "plan", "sha256"}
)
"""Parameters that name one thing: it opens whichever plan is looked at just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The plans that somebody may choose from, where there are several; ``chosen`` None is all."""

    names: Mapping[str, str]
    chosen: str | None


def look_at(allowed: frozenset[str] | None) -> None:
    """Have the sessions of this request see these plans; None for every plan there is."""
    sight = SIGHT.get()
    if sight is None or allowed is None:
        return
    sight.reading = sight.writing = Seen(shown=allowed, allowed=allowed)


def narrow_to(chosen: str, allowed: frozenset[str] | None) -> None:
    """Have this request read one plan alone; what it writes is not narrowed by a choice."""
    sight = SIGHT.get()
    if sight is not None:
        sight.reading = Seen(shown=frozenset({chosen}), allowed=allowed)


def write_everything() -> None:
    """Let an act on what all plans share, such as a contact, reach every plan."""
    sight = SIGHT.get()
    if sight is not None:
        sight.writing = None


def choice_of(
    portal: Portal, request: Request, session: Session, keys: Collection[str]
) -> Choice | None:
    """What may be chosen from, and what was; None where there are not several plans."""
    if len(keys) < 2:
        return None
    asked = portal.cookie(request, COOKIE)
    names = {key: name for key, name in plan_names(session).items() if key in keys}
    return Choice(names=names, chosen=asked if asked in keys else None)


def follow(choice: Choice | None, request: Request, allowed: frozenset[str] | None) -> None:
    """Narrow a request to the chosen plan, unless its address names one thing."""
    if choice is None or choice.chosen is None or _NAMED & request.path_params.keys():
        return
    if request.method in {"GET", "HEAD"}:
        narrow_to(choice.chosen, allowed)
