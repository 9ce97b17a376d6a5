"""Errors that a person can mend; the text says what is wrong and what would be right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Refused(Exception):
    """An operation that cannot be done as asked. Nothing was changed.

    ``field`` names the input that is wrong, where there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)

    @property
    def each(self) -> tuple[Refused, ...]:
        """Everything that is wrong, one by one."""
        return (self,)


class SeveralRefused(Refused):
    """Several things are wrong with one input; ``field`` is that of the first."""

    def __init__(self, problems: Sequence[Refused]) -> None:
        self._problems = tuple(problems)
        super().__init__(" ".join(str(one) for one in problems), field=problems[0].field)

    @property
    def each(self) -> tuple[Refused, ...]:
        """Everything that is wrong, one by one."""
        return self._problems


class NotFound(Refused):
    """What was asked for is not there, or not for this actor."""


class Conflict(Refused):
    """Somebody else was first (rule 26): the text says who and when."""


class NotPermitted(Refused):
    """The actor may not do this."""


class Checks:
    """The checks of one input, all of them made before it is refused with all that is wrong."""

    def __init__(self) -> None:
        self._found: list[Refused] = []

    def run(self, check: Callable[[], _T], otherwise: _T) -> _T:
        """What ``check`` returns; ``otherwise``, when it refuses."""
        try:
            return check()
        except (NotFound, Conflict, NotPermitted):
            raise
        except Refused as error:
            self.add(error)
            return otherwise

    def add(self, error: Refused) -> None:
        """Keep what another check refused."""
        self._found += error.each

    def done(self) -> None:
        """Say what is wrong, once every check was made.

        Raises:
            Refused: something is.
        """
        if len(self._found) > 1:
            raise SeveralRefused(self._found)
        if self._found:
            raise self._found[0]
