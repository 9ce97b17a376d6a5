"""The base of all values in letters: text is made safe as the value is made."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import ClassVar, Final

from notifications.formats import clean_line, clean_text


class CleanText:
    """Cleans the text fields of a frozen dataclass when it is made."""

    __slots__ = ()

    MULTILINE: ClassVar[frozenset[str]] = frozenset({"note", "reason", "summary"})
    """Fields that keep their line breaks."""
    VERBATIM: ClassVar[frozenset[str]] = frozenset({"link"})
    """Fields that the program itself fills in."""

    def __post_init__(self) -> None:
        for name in _field_names(type(self)):
            value = getattr(self, name)
            if type(value) is str:
                cleaned = clean_text(value) if name in self.MULTILINE else _line(value)
                if cleaned != value:
                    object.__setattr__(self, name, cleaned)
            elif type(value) is tuple and value and type(value[0]) is str:
                object.__setattr__(self, name, tuple(_line(text) for text in value))


_SHORT: Final = 400
_cleaned = lru_cache(maxsize=4096)(clean_line)


def _line(text: str) -> str:
    """``clean_line``, remembered: the same names and tasks stand in thousands of lines."""
    return _cleaned(text) if len(text) <= _SHORT else clean_line(text)


_names: dict[type, tuple[str, ...]] = {}


def _field_names(kind: type) -> tuple[str, ...]:
    if kind not in _names:
        _names[kind] = tuple(
            field.name for field in fields(kind) if field.name not in CleanText.VERBATIM
        )
    return _names[kind]
