"""The base of all values in letters: text is made safe as the value is made."""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar

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
                cleaned = clean_text(value) if name in self.MULTILINE else clean_line(value)
                if cleaned != value:
                    object.__setattr__(self, name, cleaned)
            elif type(value) is tuple and value and type(value[0]) is str:
                object.__setattr__(self, name, tuple(clean_line(text) for text in value))


_names: dict[type, tuple[str, ...]] = {}


def _field_names(kind: type) -> tuple[str, ...]:
    if kind not in _names:
        _names[kind] = tuple(
            field.name for field in fields(kind) if field.name not in CleanText.VERBATIM
        )
    return _names[kind]
