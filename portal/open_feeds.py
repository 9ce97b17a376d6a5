"""Open data as feeds: Atom (RFC 4287) and RSS 2.0, the same entries under the same names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import format_datetime
from html import escape
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET  # writing only; nothing of others is ever parsed here

from notifications.formats import vn_date
from operations.open_data import OpenDate, OpenKind, OpenPaper
from portal.open_shapes import PATH, WORDS
from rules.events import plain
from rules.periods import Period

_ATOM: Final = "http://www.w3.org/2005/Atom"
_SINCE: Final = "2026"
"""A year in which the domain of the tag URIs was the office's (RFC 4151)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The newest entries of a kind, and whose they are.

    ``site`` is the portal's address without a slash at its end, ``domain`` that of the tag URIs.
    """

    kind: OpenKind
    rows: Sequence[OpenPaper | OpenDate]
    office: str
    site: str
    domain: str
    updated: datetime

    @property
    def word(self) -> str:
        """The kind's word in addresses."""
        return WORDS[self.kind][0]

    @property
    def title(self) -> str:
        """The feed's title."""
        return f"{WORDS[self.kind][1]} – {self.office}"

    @property
    def home(self) -> str:
        """The page for people."""
        return f"{self.site}{PATH}"

    @property
    def name(self) -> str:
        """The feed's tag URI."""
        return f"tag:{self.domain},{_SINCE}:{self.word}"

    def name_of(self, row: OpenPaper | OpenDate) -> str:
        """An entry's tag URI: a date that is fixed anew is a new entry, a document stays one."""
        return f"{self.name}/{row.id}/{quote(row.document, safe='')}"


def atom(feed: Feed) -> bytes:
    """The feed as Atom."""
    # No prefixes: some readers of feeds know the names of elements only without.
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "vi"})
    _put(root, "id", feed.name)
    _put(root, "title", feed.title)
    _put(root, "updated", str(plain(feed.updated)))
    ET.SubElement(root, "link", {"rel": "self", "href": f"{feed.home}/{feed.word}.atom"})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": feed.home})
    _put(ET.SubElement(root, "author"), "name", feed.office)
    for row in feed.rows:
        entry = ET.SubElement(root, "entry")
        _put(entry, "id", feed.name_of(row))
        _put(entry, "title", _title(row))
        _put(entry, "updated", str(plain(_at(row))))
        ET.SubElement(entry, "link", {"rel": "alternate", "href": feed.home})
        _put(entry, "summary", _summary(row))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def rss(feed: Feed) -> bytes:
    """The feed as RSS 2.0 (rssboard.org/rss-specification); dates as in RFC 822, in GMT."""
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": _ATOM})
    channel = ET.SubElement(root, "channel")
    _put(channel, "title", feed.title)
    _put(channel, "link", feed.home)
    _put(channel, "description", feed.title)
    _put(channel, "language", "vi")
    _put(channel, "lastBuildDate", format_datetime(feed.updated, usegmt=True))
    own = {
        "rel": "self",
        "type": "application/rss+xml",
        "href": f"{feed.home}/{feed.word}.rss",
    }
    ET.SubElement(channel, "atom:link", own)
    for row in feed.rows:
        item = ET.SubElement(channel, "item")
        _put(item, "title", _title(row))
        _put(item, "link", feed.home)
        # Readers take a description for HTML: its words are escaped once as such, once as XML.
        _put(item, "description", escape(_summary(row), quote=False))
        _put(item, "guid", feed.name_of(row)).set("isPermaLink", "false")
        _put(item, "pubDate", format_datetime(_at(row), usegmt=True))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _at(row: OpenPaper | OpenDate) -> datetime:
    return row.set_at if isinstance(row, OpenDate) else row.confirmed_at


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


def _put(above: ET.Element, name: str, text: str) -> ET.Element:
    found = ET.SubElement(above, name)
    # XML 1.0 knows no control characters, not even escaped (section 2.2).
    found.text = "".join(one for one in text if one >= " " or one in "\n\t")
    return found
