"""Which process dies or fails where: drawn in advance, met at a moment of its work.

A moment is a statement, the beginning of a transaction, before a commit, after it, or a command to
the mail server. A process that has died does nothing more: every moment after its last raises
:class:`Died` again, so that no ``finally`` of ours can tidy up after a death.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.engine import Database


class Place(StrEnum):
    """Where a process can be struck."""

    BEGIN = "as a transaction begins"
    STATEMENT = "at a statement"
    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    MAIL = "while talking to the mail server"


class Died(BaseException):
    """The process is gone; its database session is thrown away."""

    def __init__(self, process: Process) -> None:
        self.process = process
        super().__init__(f"{process.name} died")


@dataclass(slots=True)
class Process:
    """A process of the engine, or one request of the portal. ``owner`` is what it claims under."""

    name: str
    owner: str
    dies_at: int = 0
    fails_at: int = 0
    moments: int = 0
    dead: bool = False
    afar: bool = False
    """On a machine of which nothing is known: whether it lives cannot be asked."""


@dataclass(slots=True)
class Fate:
    """Draws deaths and failures, and counts those that were met."""

    random: random.Random
    deaths: float = 0.03
    """How likely a process is to die."""
    failures: float = 0.02
    """How likely its database is to fail once, as one that is locked too long does."""
    met: Counter[str] = field(default_factory=Counter)
    living: dict[str, Process] = field(default_factory=dict)
    _stack: list[Process] = field(default_factory=list)
    _usual: dict[str, int] = field(default_factory=dict)
    _count: int = 0

    @contextmanager
    def process(self, name: str) -> Iterator[Process]:
        """A process from its start to its end or death, which goes no further than here."""
        self._count += 1
        afar = self.random.random() < 0.1
        one = Process(name, f"{'afar' if afar else 'here'}:{self._count}:0", afar=afar)
        usual = self._usual.get(name, 20)
        chance = self.random.random()
        if chance < self.deaths:
            one.dies_at = self.random.randint(1, usual)
        elif chance < self.deaths + self.failures:
            one.fails_at = self.random.randint(1, usual)
        self._stack.append(one)
        self.living[one.owner] = one
        try:
            yield one
        except Died as death:
            if death.process is not one:
                raise
        finally:
            self._stack.pop()
            del self.living[one.owner]
            if not one.dead:
                self._usual[name] = max(1, one.moments)

    def alive(self, owner: str) -> bool | None:
        """What a recovering delivery learns of an owner; None for another machine."""
        if owner.startswith("afar:"):
            return None
        return owner in self.living

    @property
    def depth(self) -> int:
        """How many processes stand in each other's way now."""
        return len(self._stack)

    @property
    def now(self) -> Process | None:
        """The process at work, None where the simulator itself looks."""
        return self._stack[-1] if self._stack else None

    def moment(self, place: Place) -> None:
        """A moment of the process at work.

        Raises:
            Died: its last has come, or had come before.
            OperationalError: its database fails here.
        """
        one = self.now
        if one is None:
            return
        if one.dead:
            raise Died(one)
        one.moments += 1
        if one.moments == one.dies_at:
            one.dead = True
            self.met[f"death {place.value}"] += 1
            raise Died(one)
        if one.fails_at and one.moments >= one.fails_at and place in _FAILING:
            one.fails_at = 0
            self.met[f"database error {place.value}"] += 1
            raise OperationalError("locked", None, sqlite3.OperationalError("database is locked"))


_FAILING = frozenset({Place.BEGIN, Place.STATEMENT, Place.BEFORE_COMMIT})


class MortalDatabase(Database):
    """A database whose every statement and commit is a moment of fate."""

    def __init__(self, url: str, fate: Fate) -> None:
        super().__init__(url, durable=False)
        self._fate = fate

        @event.listens_for(self.engine, "before_cursor_execute")
        def _statement(*_: Any) -> None:
            fate.moment(Place.STATEMENT)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """As in earnest, but it may be the last thing that its process does."""
        self._fate.moment(Place.BEGIN)
        with super().write() as session:
            yield session
            session.flush()
            self._fate.moment(Place.BEFORE_COMMIT)
        self._fate.moment(Place.AFTER_COMMIT)
