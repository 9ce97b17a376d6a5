"""What somebody has before them when they act: a transaction, the day, and work to choose from."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.results import OutcomeFiled, Paper, Result
from operations.stamp import Stamp
from operations.state import PlanState, load_state
from rules.actors import AccountRole, Actor, ActorKind
from rules.lifecycle import OPEN, Status
from rules.values import Role

Work = Row[tuple[int, str, str, str, int, date, int, str, str]]
"""id, agency_key, role, status, version, due_on, occurrence_id, item_key, lead_mode."""


class NothingToDo(Exception):
    """There is nothing of this kind to act on today."""


class ShouldHaveBeenRefused(Exception):
    """What must be refused was done."""


@dataclass(slots=True)
class Memory:
    """What the people of a life remember from day to day."""

    plan: str
    numbers: int = 0
    """Of the documents that were issued so far."""
    addresses: int = 0
    """Of the mailboxes that were opened so far."""
    fixed: set[int] = field(default_factory=set)
    """Years whose dates were fixed."""
    corrected: set[date] = field(default_factory=set)
    """Days that were corrected already."""


_WORKS = (
    select(
        Assignment.id,
        Assignment.agency_key,
        Assignment.role,
        Assignment.status,
        Assignment.version,
        Assignment.due_on,
        Assignment.occurrence_id,
        Occurrence.item_key,
        Occurrence.lead_mode,
    )
    .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    .where(
        Assignment.role == bindparam("role"),
        Assignment.status.in_(bindparam("statuses", expanding=True)),
    )
    .order_by(Assignment.due_on, Assignment.id)
)


class Scene:
    """One act: its transaction, its chances, and whoever may be in it."""

    def __init__(
        self,
        session: Session,
        chance: random.Random,
        memory: Memory,
        *,
        now: Callable[[], datetime],
        day: date,
        link_in: Callable[[str], str | None],
    ) -> None:
        self.session, self.chance, self.memory, self.day = session, chance, memory, day
        self.link_in = link_in
        self._now = now

    @cached_property
    def state(self) -> PlanState:
        """The plan as the database holds it now."""
        return load_state(self.session, self.memory.plan)

    @property
    def centre(self) -> str:
        """The coordinating agency of today."""
        return self.state.coordinator(self.day)

    def stamp(self, actor: Actor) -> Stamp:
        """An act of ``actor``, now."""
        return Stamp(at=self._now(), as_of=self.day, actor=actor)

    def person(self, agency: str, number: int = 1) -> Stamp:
        """Somebody of an agency; of the coordinator's staff, where it is that."""
        role = AccountRole.COORDINATOR if agency == self.centre else AccountRole.AGENCY
        return self.stamp(account(role, agency, number))

    def clerk(self, number: int = 2) -> Stamp:
        """Somebody of the coordinator's staff."""
        return self.stamp(account(AccountRole.COORDINATOR, self.centre, number))

    def leader(self) -> Stamp:
        """The coordinator's leadership."""
        return self.stamp(account(AccountRole.LEADERSHIP, self.centre, 1))

    def decider(self, agency: str) -> Stamp:
        """Whoever decides on an agency's work (rule 20)."""
        return self.leader() if agency == self.centre else self.clerk()

    def works(
        self,
        statuses: Collection[Status] = OPEN,
        *,
        role: Role = Role.LEAD,
        agency: str | None = None,
    ) -> list[Work]:
        """The work in these statuses, the most urgent first."""
        asked = {"role": role.value, "statuses": sorted(one.value for one in statuses)}
        found = self.session.execute(_WORKS, asked).all()
        return [one for one in found if agency is None or one.agency_key == agency]

    def work(
        self,
        statuses: Collection[Status] = OPEN,
        *,
        role: Role = Role.LEAD,
        where: Callable[[Work], bool] = lambda _: True,
    ) -> Work:
        """One of them, rather an urgent one.

        Raises:
            NothingToDo: there is none.
        """
        found = [one for one in self.works(statuses, role=role) if where(one)]
        if not found:
            raise NothingToDo
        return found[int(len(found) * self.chance.random() ** 2)]

    def one_of(self, values: Collection[Any]) -> Any:
        """One of these.

        Raises:
            NothingToDo: there are none.
        """
        if not values:
            raise NothingToDo
        return self.chance.choice(sorted(values))

    def agencies(self) -> list[str]:
        """Those that exist today, without the coordinator."""
        found = (one.key for one in self.state.directory.valid_on(self.day))
        return [key for key in found if key != self.centre]

    def document(self, kind: str = "BC-UBND") -> str:
        """The number of a new document."""
        self.memory.numbers += 1
        return f"{self.memory.numbers}/{kind}"

    def ahead(self, least: int, most: int) -> date:
        """A day between so many days from now."""
        return self.day + timedelta(days=self.chance.randint(least, most))

    def result(self, item: str, *, issued_on: date | None = None) -> Result:
        """A result with all that its item asks for."""
        calendar = self.state.plan.item(item).calendar
        issued = issued_on or self.day - timedelta(days=self.chance.choice((0, 0, 1, 3, 20)))
        return Result(
            text="Đã thực hiện xong.",
            papers=(Paper(code=self.document(), issued_on=issued),),
            figures={one.key: "10" for one in calendar.figures},
            outcomes={
                one.key: OutcomeFiled(none_because="Không phát sinh trong năm")
                for one in calendar.outcomes
            },
        )


def account(role: AccountRole, agency: str, number: int) -> Actor:
    """Somebody with an account."""
    name = f"Cán bộ {number} {agency}"
    return Actor(
        kind=ActorKind.PERSON,
        name=name,
        role=role,
        account=f"{role.value}.{number}.{agency}",
        agency=agency,
    )
