"""What somebody looks for in the history, read from the address and written back into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow
from notifications.formats import clean_line
from operations.audit import MACHINE, HistorySearch, Place
from operations.plans_seen import agencies_elsewhere
from operations.remembered import remember
from operations.state import known_plans
from portal.errors import BadForm
from portal.forms import FieldError, read_date
from portal.history_words import ENTITY_WORDS
from portal.instants import address_instant, end_of, exact_instant, read_instant, start_of
from portal.past_links import FIELD
from rules.periods import Period

_T = TypeVar("_T")
MAX_TEXT = 100


@dataclass(slots=True, kw_only=True)
class Asked:
    """The fields of an address as typed, and what is wrong with them by field."""

    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field as it was typed; empty when it was left out."""
        return self.typed.get(name, "")

    def read(self, name: str, read: Callable[[str], _T], missing: _T) -> _T:
        """A field as a value; what is wrong with it is kept beside it."""
        try:
            return read(self.text(name))
        except (FieldError, ValueError) as error:
            known = isinstance(error, FieldError)
            self.errors[name] = str(error) if known else "Nội dung chưa đúng; đề nghị kiểm tra."
            return missing

    def address(self, path: str, **changed: str) -> str:
        """``path`` with the same fields, some of them changed; empty ones are left out."""
        fields = {name: text for name, text in (self.typed | changed).items() if text}
        return f"{path}?{urlencode(fields)}" if fields else path


def asked_of(request: Request, names: tuple[str, ...]) -> Asked:
    """The fields ``names`` of this request's address, cleaned.

    Raises:
        BadForm: a field is longer than any that we offer.
    """
    typed = {name: clean_line(request.query_params.get(name, "")) for name in names}
    if any(len(text) > MAX_TEXT for text in typed.values()):
        raise BadForm(f"Nội dung tìm dài quá {MAX_TEXT} ký tự; đề nghị rút gọn.")
    if typed.get(FIELD, "").endswith("Z"):
        typed[FIELD] = _readable(typed[FIELD])
    return Asked(typed={name: text for name, text in typed.items() if text})


def _readable(text: str) -> str:
    """An instant as an address of ours carries it, as people read it; else ``text`` itself."""
    try:
        found = read_instant(text)
    except FieldError:
        return text
    return text if found is None else exact_instant(found)


SEARCH_FIELDS = (
    *("de-an", "nhiem-vu", "ky", "co-quan", "viec", "nguoi", "tu", "den", "noi-dung"),
    *("luc", "thu", "phan-cong"),
)
PLACE_FIELDS = ("truoc", "so")


def history_search(asked: Asked) -> HistorySearch:
    """What to look for in the history; a field that cannot be read narrows nothing."""
    since = asked.read("tu", read_date, None)
    until = asked.read("den", read_date, None)
    known = asked.read("luc", read_instant, None)
    ends = [one for one in (end_of(until) if until else None, known) if one is not None]
    entity, _, action = asked.text("viec").partition(":")
    acts = ((entity, action),) if entity in ENTITY_WORDS else ()
    work = asked.text("phan-cong")
    return HistorySearch(
        plan=asked.text("de-an") or None,
        item=asked.text("nhiem-vu") or None,
        period=asked.read("ky", _period, None),
        agency=asked.text("co-quan") or None,
        entity_id=work or None,
        acts=(("assignment", ""),) if work else acts,
        person=asked.text("nguoi"),
        text=asked.text("noi-dung"),
        since=start_of(since) if since else None,
        until=min(ends) if ends else None,
        without=() if acts or asked.text("thu") else MACHINE,
    )


def _period(text: str) -> str | None:
    if not text:
        return None
    try:
        return Period.parse(text.upper()).key
    except ValueError:
        raise FieldError(
            f"“{text[:20]}” chưa đúng dạng kỳ; đề nghị ghi như 2027, 2027-Q4 hoặc 2027-03."
        ) from None


def place_of(request: Request) -> Place | None:
    """Where the page begins; None on the first, and for what no page of ours says."""
    number = request.query_params.get("so", "")
    try:
        at = read_instant(request.query_params.get("truoc", ""))
    except FieldError:
        return None
    return (at, int(number)) if at and number.isdecimal() and len(number) < 19 else None


def place_fields(place: Place) -> dict[str, str]:
    """The fields of an address that begin a page at ``place``."""
    return {"truoc": address_instant(place[0]), "so": str(place[1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What there is to choose from: plans, their items and years, agencies."""

    plans: Mapping[str, str]
    items: Mapping[str, str]
    years: tuple[int, ...]
    agencies: Mapping[str, str]


def choices(session: Session) -> Choices:
    """The choices of the database as it is now."""
    return remember(session, "choices", lambda: _choices(session))


def _choices(session: Session) -> Choices:
    plans = known_plans(session)
    items: dict[str, Any] = {}
    for plan in plans:
        for item in plan.every_item:
            items.setdefault(item.key, f"{item.key} {item.text.task}")
    rows = session.execute(select(AgencyRow.key, AgencyRow.name).order_by(AgencyRow.position))
    hidden = agencies_elsewhere(session)
    first = min((plan.first_year for plan in plans), default=2026)
    last = max((plan.last_year for plan in plans), default=2026)
    return Choices(
        plans={plan.key: f"{plan.short_code} {plan.decision.code}" for plan in plans},
        items=items,
        years=tuple(range(first, last + 1)),
        agencies={key: name for key, name in rows if key not in hidden},
    )
