"""Errors that a person can mend; the text says what is wrong and what would be right."""

from __future__ import annotations


class Refused(Exception):
    """An operation that cannot be done as asked. Nothing was changed.

    ``field`` names the input that is wrong, where there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class NotFound(Refused):
    """What was asked for is not there, or not for this actor."""


class Conflict(Refused):
    """Somebody else was first (rule 26): the text says who and when."""


class NotPermitted(Refused):
    """The actor may not do this."""
