"""Open data as JSON and as an Atom feed (RFC 4287); ``docs/open-data.md`` tells the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Literal
from urllib.parse import quote
from xml.etree import ElementTree as ET  # writing only; nothing of others is ever parsed here

from pydantic import BaseModel, ConfigDict

from notifications.formats import vn_date
from operations.open_data import OpenDate, OpenKind, OpenPaper
from rules.events import plain
from rules.periods import Period

VERSION: Final = "1"
"""Grows only when a field goes away or means something else; new fields may come at any time."""
PATH: Final = "/mo"
WORDS: Final = {
    OpenKind.RESULTS: ("ket-qua", "Kết quả đã xác nhận"),
    OpenKind.DATES: ("thoi-han", "Thời hạn đã ấn định bằng văn bản"),
    OpenKind.MATERIALS: ("tai-lieu", "Chương trình, tài liệu, bài giảng đã ban hành"),
}
"""The word of a kind in addresses, and its title."""
_ATOM: Final = "http://www.w3.org/2005/Atom"
_SINCE: Final = "2026"
"""A year in which the domain of the tag URIs was the office's (RFC 4151)."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PaperOut(_Shape):
    """Một văn bản kết quả đã được xác nhận."""

    id: int
    plan: str
    item: str
    task: str
    period: str
    agency: str
    document: str
    issued_on: date | None
    title: str | None
    confirmed_at: datetime


class DateOut(_Shape):
    """Một thời hạn đã được ấn định bằng văn bản."""

    id: int
    plan: str
    item: str
    task: str
    period: str
    due_on: date
    document: str
    issued_on: date | None
    set_at: datetime


class PaperPage(_Shape):
    """Một trang văn bản kết quả, theo số tăng dần."""

    version: Literal["1"] = VERSION
    kind: Literal["results", "materials"]
    basis: str
    items: list[PaperOut]
    next: str | None


class DatePage(_Shape):
    """Một trang thời hạn, theo số tăng dần."""

    version: Literal["1"] = VERSION
    kind: Literal["dates"]
    basis: str
    items: list[DateOut]
    next: str | None


def kind_of(word: str) -> OpenKind | None:
    """The kind that an address names."""
    return next((kind for kind, (slug, _) in WORDS.items() if slug == word), None)


def json_page(
    kind: OpenKind, basis: str, rows: Sequence[OpenPaper | OpenDate], following: str | None
) -> bytes:
    """A page as JSON, in UTF-8."""
    shape: type[DatePage | PaperPage] = DatePage if kind is OpenKind.DATES else PaperPage
    entry: type[DateOut | PaperOut] = DateOut if kind is OpenKind.DATES else PaperOut
    items = [entry(**{name: getattr(one, name) for name in entry.model_fields}) for one in rows]
    page = shape.model_validate(
        {"kind": kind.value, "basis": basis, "items": items, "next": following}
    )
    return page.model_dump_json(indent=1).encode()


def schema() -> dict[str, object]:
    """The JSON Schema of both pages."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": VERSION,
        "results": PaperPage.model_json_schema(),
        "materials": PaperPage.model_json_schema(),
        "dates": DatePage.model_json_schema(),
    }


def atom(
    kind: OpenKind,
    rows: Sequence[OpenPaper | OpenDate],
    *,
    office: str,
    site: str,
    domain: str,
    updated: datetime,
) -> bytes:
    """The newest entries of a kind as an Atom feed; ``site`` is the portal's address."""
    word, title = WORDS[kind]
    # No prefixes: some readers of feeds know the names of elements only without.
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "vi"})
    _put(feed, "id", f"tag:{domain},{_SINCE}:{word}")
    _put(feed, "title", f"{title} – {office}")
    _put(feed, "updated", str(plain(updated)))
    ET.SubElement(feed, "link", {"rel": "self", "href": f"{site}{PATH}/{word}.atom"})
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": f"{site}{PATH}"})
    _put(ET.SubElement(feed, "author"), "name", office)
    for row in rows:
        entry = ET.SubElement(feed, "entry")
        at = row.set_at if isinstance(row, OpenDate) else row.confirmed_at
        # A date that is fixed anew is a new entry; a document stays the one it was.
        mark = f"{row.id}/{quote(row.document, safe='')}"
        _put(entry, "id", f"tag:{domain},{_SINCE}:{word}/{mark}")
        _put(entry, "title", _title(row))
        _put(entry, "updated", str(plain(at)))
        ET.SubElement(entry, "link", {"rel": "alternate", "href": f"{site}{PATH}"})
        _put(entry, "summary", _summary(row))
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _title(row: OpenPaper | OpenDate) -> str:
    period = Period.parse(row.period).label
    if isinstance(row, OpenDate):
        return f"{row.item}, {period}: hạn {vn_date(row.due_on)}"
    return f"{row.agency}: {row.document}{_dated(row.issued_on)}, {row.item}, {period}"


def _summary(row: OpenPaper | OpenDate) -> str:
    if isinstance(row, OpenDate):
        return f"{row.task}. Theo văn bản {row.document}{_dated(row.issued_on)}."
    return f"{row.title}. {row.task}." if row.title else f"{row.task}."


def _dated(day: date | None) -> str:
    return "" if day is None else f" ngày {vn_date(day)}"


def _put(above: ET.Element, name: str, text: str) -> None:
    # XML 1.0 knows no control characters, not even escaped (section 2.2).
    ET.SubElement(above, name).text = "".join(one for one in text if one >= " " or one in "\n\t")
