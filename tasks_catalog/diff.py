"""What differs between two catalogs, line by line for people (rules 8, 15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tasks_catalog.export import days_off_document, documents
from tasks_catalog.loader import DAYS_OFF, LoadedCatalog

_NOTHING = "(không có)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that differs. ``before`` None means that it is new, ``after`` None that it goes.

    ``file`` is the kind of file (``calendar.yaml``, ``agencies``), ``field`` the way to the field.
    """

    file: str
    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        before, after = self.before or _NOTHING, self.after or _NOTHING
        return f"{self.file}: {self.field}: {before} → {after}"


def diff_catalog(old: LoadedCatalog, new: LoadedCatalog) -> list[Change]:
    """Every field that differs, in the order of the files; empty when they say the same."""
    before, after = _fields(old), _fields(new)
    return [
        Change(file=key[0], field=key[1], before=before.get(key), after=after.get(key))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]


def _fields(catalog: LoadedCatalog) -> dict[tuple[str, str], str]:
    files = documents(catalog.plan, catalog.directory)
    files[DAYS_OFF] = days_off_document(catalog.corrections)
    return {
        (file, field): text for file, content in files.items() for field, text in _leaves(content)
    }


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{path} > {key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for n, one in enumerate(value, start=1):
            yield from _leaves(one, f"{path} > {_name(one, n)}")
    elif isinstance(value, list):
        if value:
            yield path, ", ".join(str(one) for one in value)
    else:
        yield path, f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


def _name(entry: object, position: int) -> str:
    """What names an entry of a list, so that moving it about is no change of the others."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict):
        if "predecessor" in entry:
            return f"{entry['predecessor']} → {entry['successor'] or 'không'}"
        for field in ("key", "ref", "offset", "day"):
            if field in entry:
                return str(entry[field])
    return f"#{position}"
