"""Pages and lists "như đã biết lúc" (rule 39): the same page over the tables of an instant.

A page that reads by :func:`looking` takes ``luc=`` in its address. It then stands on the history
alone, says so at its top, and offers nothing that changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from notifications.formats import clean_line, vn_datetime
from operations.known_at import business_date
from operations.past import as_known_at
from portal.errors import BadForm
from portal.forms import FieldError
from portal.instants import address_instant, exact_instant, read_instant
from portal.past_links import FIELD, Past
from portal.portal import portal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page reads: the tables of now or of an instant, that instant, and its day."""

    session: Session
    present: Session
    """The real database, for the history itself."""
    now: datetime
    today: date
    past: Past

    @property
    def is_past(self) -> bool:
        """Whether nothing may be done from here."""
        return self.past.instant is not None

    @property
    def until(self) -> datetime | None:
        """The instant after which no event counts; None for now."""
        return self.past.instant

    @property
    def notes(self) -> tuple[str, ...]:
        """What a file says of its instant."""
        if self.past.instant is None:
            return ()
        instant = self.past.instant
        return (f"Như đã biết lúc {vn_datetime(instant)} ({exact_instant(instant)}).",)


_FILES: Final = "/xuat/"
"""What the addresses of files hold: no file is made of another instant than was asked for."""


def is_past(request: Request) -> bool:
    """Whether the page was read as of an earlier instant, so that nothing may be done from it."""
    past = request.scope["state"].get("past")
    return isinstance(past, Past) and past.instant is not None


@contextmanager
def looking(request: Request) -> Iterator[View]:
    """Read the tables of now, or those of the instant that the address asks for.

    Raises:
        BadForm: a file was asked for at an instant that cannot be read.
    """
    portal = portal_of(request)
    now = portal.runtime.clock.now()
    past = _asked(request, now)
    if past.problem and _FILES in request.url.path:
        raise BadForm(past.problem)
    if request.method in {"GET", "HEAD"}:
        request.scope["state"]["past"] = past
    with portal.runtime.database.read() as session:
        if past.instant is None:
            yield View(session=session, present=session, now=now, today=portal.today, past=past)
            return
        with as_known_at(session, past.instant) as known:
            yield View(
                session=known,
                present=session,
                now=past.instant,
                today=business_date(past.instant),
                past=past,
            )


@contextmanager
def present(request: Request) -> Iterator[View]:
    """Read the tables of now, whatever the address asks for."""
    portal = portal_of(request)
    past = Past(instant=None, exact="", typed="", problem=None, path=request.url.path, kept=())
    request.scope["state"].pop("past", None)
    with portal.runtime.database.read() as session:
        now, today = portal.runtime.clock.now(), portal.today
        yield View(session=session, present=session, now=now, today=today, past=past)


def _asked(request: Request, now: datetime) -> Past:
    reads = request.method in {"GET", "HEAD"}
    typed = clean_line(request.query_params.get(FIELD, ""))[:60] if reads else ""
    instant, problem = None, None
    try:
        instant = read_instant(typed)
    except FieldError as error:
        problem = f"Như đã biết lúc: {error} Trang này đang hiện số liệu hiện nay."
    kept = [(name, text) for name, text in request.query_params.multi_items() if name != FIELD]
    instant = None if instant is None or instant >= now else instant
    return Past(
        instant=instant,
        exact="" if instant is None else address_instant(instant),
        typed=typed,
        problem=problem,
        path=request.url.path,
        kept=tuple((name, text[:200]) for name, text in kept[:20]),
    )
