""" "Lịch sử" and "như đã biết lúc": what was done, and how things stood at any instant (37, 39)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from notifications.formats import vn_datetime
from operations.audit import WINDOW, search_history
from operations.known_at import business_date, work_known_at
from operations.queries import WorkRow, cell_counts
from portal.errors import BadForm
from portal.exporting import cut_note, export, most
from portal.history_tables import history_table, who, work_of, work_table
from portal.history_words import ENTITY_WORDS, OFFERED_ACTS, act_word, told_lines
from portal.instants import address_instant, exact_instant, read_instant
from portal.portal import portal_of
from portal.searching import (
    SEARCH_FIELDS,
    Asked,
    Choices,
    asked_of,
    choices,
    history_search,
    place_fields,
    place_of,
)
from rules.added import is_added, is_beside, is_counted_apart
from rules.lifecycle import Status
from rules.timeliness import Cell

router = APIRouter()
_READ = ["GET", "HEAD"]
PAGE = 50
LISTED = 300
"""Rows of the work list on a page; a file holds them all."""


@router.api_route("/lich-su", methods=_READ, name="history")
def history(request: Request) -> Response:
    """The events that fit, the newest first, each with before and after."""
    portal, asked = portal_of(request), asked_of(request, SEARCH_FIELDS)
    search, place = history_search(asked), place_of(request)
    with portal.runtime.database.read() as session:
        known = choices(session)
        found = search_history(session, search, after=place, limit=PAGE, window=WINDOW)
    following = found.next_place
    return portal.pages(
        request,
        "history.html",
        asked=asked,
        choices=known,
        found=[
            (one, told_lines(one, known.agencies), who(one), work_of(one)) for one in found.events
        ],
        entities=ENTITY_WORDS,
        acts=OFFERED_ACTS,
        act_word=act_word,
        known_until=search.until if asked.text("luc") else None,
        read_until=found.read_until,
        window=WINDOW,
        next=asked.address("/lich-su", **place_fields(following)) if following else None,
        files={kind: asked.address(f"/lich-su/xuat/{kind}") for kind in ("xlsx", "csv")},
        exact=address_instant,
    )


@router.api_route("/lich-su/xuat/{kind}", methods=_READ, name="history_export")
def history_export(request: Request, kind: str) -> Response:
    """The events that fit as a file."""
    portal, asked = portal_of(request), asked_of(request, SEARCH_FIELDS)
    search, limit = history_search(asked), most(kind)
    refuse_errors(asked)
    with portal.runtime.database.read() as session:
        known = choices(session)
        found = search_history(session, search, limit=limit)
    notes = [cut_note(kind)] if found.next_place else []
    return export(request, history_table(found.events, known.agencies, notes), kind)


def refuse_errors(asked: Asked) -> None:
    """A file is never made from fields that could not be read.

    Raises:
        BadForm: with what is wrong.
    """
    if asked.errors:
        raise BadForm(" ".join(asked.errors.values()))


KNOWN_FIELDS = ("luc", "de-an", "nhiem-vu", "nam", "co-quan", "tinh-trang", "o")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The work list at an instant, with what there is to choose from."""

    instant: datetime
    rows: list[WorkRow]
    choices: Choices


def _known(request: Request, asked: Asked) -> Known:
    portal = portal_of(request)
    now = portal.runtime.clock.now()
    instant = min(asked.read("luc", read_instant, None) or now, now)
    year, status, cell = asked.text("nam"), asked.text("tinh-trang"), asked.text("o")
    with portal.runtime.database.read() as session:
        rows = work_known_at(
            session,
            instant,
            plan=asked.text("de-an") or None,
            item=asked.text("nhiem-vu") or None,
            year=int(year) if year.isdecimal() and len(year) == 4 else None,
            agency=asked.text("co-quan") or None,
            statuses=[Status(status)] if status in set(Status) else None,
            cells=[Cell(cell)] if cell in set(Cell) else None,
        )
        return Known(instant=instant, rows=rows, choices=choices(session))


@router.api_route("/nhu-da-biet", methods=_READ, name="known_at")
def known_at(request: Request) -> Response:
    """The work list as known at an instant (rule 39)."""
    asked = asked_of(request, KNOWN_FIELDS)
    found = _known(request, asked)
    exact = address_instant(found.instant)
    return portal_of(request).pages(
        request,
        "known_at.html",
        asked=asked,
        choices=found.choices,
        instant=found.instant,
        as_of=business_date(found.instant),
        counts=cell_counts(row for row in found.rows if not is_counted_apart(row.item)),
        beside=cell_counts(row for row in found.rows if is_beside(row.item)),
        added=cell_counts(row for row in found.rows if is_added(row.item)),
        years=[(str(year), str(year)) for year in found.choices.years],
        total=len(found.rows),
        rows=found.rows[:LISTED],
        files={
            kind: asked.address(f"/nhu-da-biet/xuat/{kind}", luc=exact) for kind in ("xlsx", "csv")
        },
        exact=exact,
    )


@router.api_route("/nhu-da-biet/xuat/{kind}", methods=_READ, name="known_at_export")
def known_at_export(request: Request, kind: str) -> Response:
    """The work list as known at an instant, as a file."""
    asked, limit = asked_of(request, KNOWN_FIELDS), most(kind)
    found = _known(request, asked)
    refuse_errors(asked)
    notes = [f"Như đã biết lúc {vn_datetime(found.instant)} ({exact_instant(found.instant)})."]
    notes += [cut_note(kind)] if len(found.rows) > limit else []
    return export(request, work_table(found.rows[:limit], notes), kind)
