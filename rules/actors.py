"""Who does a thing, as values.

An actor is stored in separate fields of an event (rule 37): the person, the mailbox, the agency,
on whose behalf, or the flow. What an actor may do with one assignment is decided here (rule 20)
and looked up in the table of transitions (``rules.lifecycle``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountRole(StrEnum):
    """The five roles of an account."""

    ADMIN = "admin"
    """Quản trị: runs the system, decides nothing about work."""
    COORDINATOR = "coordinator"
    """Điều phối: staff of the coordinating agency."""
    LEADERSHIP = "leadership"
    """Lãnh đạo: decides on the coordinator's own work, approves second steps."""
    AGENCY = "agency"
    """Cơ quan: an agency's own work only."""
    AUDITOR = "auditor"
    """Kiểm tra: reads everything, changes nothing."""


class ActorKind(StrEnum):
    """Through which door an act came in."""

    PERSON = "person"
    """Somebody with an account."""
    MAILBOX = "mailbox"
    """Whoever holds the link of a letter, under a stated name and post (rule 34)."""
    FLOW = "flow"
    """A run of the engine itself."""
    OPERATOR = "operator"
    """Somebody at the command line of the server."""
    TOKEN = "token"  # noqa: S105 - a word
    """A program of an agency, by the token that the API asks for; never a decision's (rule 20)."""


class Capacity(StrEnum):
    """In which capacity an actor stands towards one assignment; the table speaks of these."""

    LEAD = "lead"
    """The agency whose assignment it is, as lead."""
    PARTNER = "partner"
    """The agency whose assignment it is, as partner."""
    OCCURRENCE_LEAD = "occurrence_lead"
    """A lead of the occurrence, towards a partner's assignment."""
    DECIDER = "decider"
    """Whoever confirms, returns, extends: the coordinator, or for the coordinator's own work its
    leadership (rule 20)."""
    SYSTEM = "system"
    """The engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who acts. Fields that do not apply are None.

    ``agency`` is the agency the actor belongs to; ``on_behalf_of`` the one for which an answer is
    entered ("nhập thay"). ``name`` and ``post`` are those of the account, or as stated on a form.
    A token's public part stands in ``account``.
    """

    kind: ActorKind
    name: str
    role: AccountRole | None = None
    account: str | None = None
    mailbox: str | None = None
    agency: str | None = None
    on_behalf_of: str | None = None
    post: str | None = None
    address: str | None = None
    """The network address the request came from."""

    @property
    def identity(self) -> str:
        """What tells this actor from another when two must differ (rule 20)."""
        if self.kind is ActorKind.TOKEN:
            return f"token:{self.account}"
        if self.account is not None:
            return f"account:{self.account}"
        if self.mailbox is not None:
            return f"mailbox:{self.mailbox}"
        return f"{self.kind}:{self.name}"


def flow_actor(name: str) -> Actor:
    """The engine, acting in the flow ``name``."""
    return Actor(kind=ActorKind.FLOW, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The facts about one assignment that decide the capacities of an actor."""

    agency: str
    partner: bool
    leads: frozenset[str]
    coordinator: str


def capacities(actor: Actor, standing: Standing) -> frozenset[Capacity]:
    """In which capacities ``actor`` stands towards an assignment.

    The coordinator's own work is submitted by account only (rule 34) and decided by its
    leadership (rule 20): a coordinator's account is its lead and not its decider.
    """
    if actor.kind is ActorKind.FLOW:
        return frozenset({Capacity.SYSTEM})
    found: set[Capacity] = set()
    own = standing.agency == standing.coordinator
    works_there = actor.agency == standing.agency and actor.role in {
        None,
        AccountRole.AGENCY,
        AccountRole.COORDINATOR,
    }
    if works_there and not (own and actor.kind in {ActorKind.MAILBOX, ActorKind.TOKEN}):
        found.add(Capacity.PARTNER if standing.partner else Capacity.LEAD)
    if standing.partner and actor.agency in standing.leads:
        found.add(Capacity.OCCURRENCE_LEAD)
    if actor.role is AccountRole.LEADERSHIP or (actor.role is AccountRole.COORDINATOR and not own):
        found.add(Capacity.DECIDER)
    return frozenset(found)
