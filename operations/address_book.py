"""Who can be reached at an agency, and who takes a letter when nobody can (rules 30, 36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.queries_mail import reachable_contacts
from models.tables import AgencyRow, ContactKind
from rules.digest import Reach, Recipient, recipient
from rules.values import Audience

_SPEAKS_FOR: Mapping[Audience, tuple[ContactKind, ...]] = {
    Audience.MAILBOX: (ContactKind.MAILBOX, ContactKind.REGISTRY),
    Audience.FOCAL: (ContactKind.FOCAL, ContactKind.DEPUTY),
    Audience.HEAD: (ContactKind.HEAD,),
}
"""Whose address serves an audience, the first that has one: a deputy stands in for the focal
point, the registry for the agency's mailbox."""


class AddressBook:
    """Every working address, read at once; answers who gets what without asking again.

    ``people`` are the names behind an agency's working addresses.
    """

    def __init__(
        self, reaches: Mapping[str, Reach], people: Mapping[tuple[str, str], str | None]
    ) -> None:
        self._reaches, self._people = reaches, people

    def recipient(self, audience: Audience, agency: str, *, coordinator: str) -> Recipient | None:
        """Who gets a letter for ``audience`` of ``agency``, by the fallbacks of rule 30.

        ``coordinator`` is the key of the agency whose mailbox is the last resort.
        """
        return recipient(audience, self._reaches.get(agency), self._reaches.get(coordinator))

    def to_whom(
        self, audience: Audience, agency: str, *, coordinator: str, handler: str | None
    ) -> Recipient | None:
        """As :meth:`recipient`, but the colleague who handles the work stands for the focal point.

        ``handler`` is that colleague's address; one that is no working contact of the agency any
        more is passed over. No copies: the focal point's own letter is without that line (30).
        """
        if audience is Audience.FOCAL and handler and (agency, handler) in self._people:
            name = self._people[agency, handler]
            return Recipient(address=handler, agency=agency, audience=audience, name=name)
        return self.recipient(audience, agency, coordinator=coordinator)

    def of(self, agency: str) -> Recipient | None:
        """The agency's own mailbox, or whoever of it can be reached; no fallback beyond it."""
        return recipient(Audience.COORDINATOR, None, self._reaches.get(agency))

    def has(self, agency: str, audience: Audience) -> bool:
        """Whether the agency has a working address of its own for ``audience`` (rule 36)."""
        reach = self._reaches.get(agency)
        return reach is not None and audience in reach.boxes


def address_book(session: Session) -> AddressBook:
    """The working addresses of all agencies: active contacts whose address takes letters."""
    found: dict[str, dict[ContactKind, tuple[str, str | None]]] = {}
    people: dict[tuple[str, str], str | None] = {}
    for agency, kind, name, email in session.execute(reachable_contacts()):
        if email:
            people.setdefault((agency, email), name)
            found.setdefault(agency, {}).setdefault(ContactKind(kind), (email, name))
    reaches = {agency: Reach(_boxes(agency, kinds)) for agency, kinds in found.items()}
    return AddressBook(reaches, people)


def _boxes(
    agency: str, kinds: Mapping[ContactKind, tuple[str, str | None]]
) -> dict[Audience, Recipient]:
    boxes: dict[Audience, Recipient] = {}
    for audience, speakers in _SPEAKS_FOR.items():
        for kind in speakers:
            if kind in kinds:
                address, name = kinds[kind]
                boxes[audience] = Recipient(
                    address=address, agency=agency, audience=audience, name=name
                )
                break
    return boxes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactGap:
    """An agency that letters cannot reach as they should (rule 36)."""

    agency_key: str
    agency_name: str
    mailbox: bool
    """Whether its own mailbox works."""
    focal: bool
    """Whether its focal point's does."""


def contact_gaps(session: Session, as_of: date) -> list[ContactGap]:
    """The agencies of ``as_of`` without a working mailbox or focal point of their own (rule 36)."""
    book = address_book(session)
    columns = (AgencyRow.key, AgencyRow.name, AgencyRow.valid_from, AgencyRow.valid_to)
    gaps = []
    for row in session.execute(select(*columns).where(AgencyRow.letters).order_by(AgencyRow.key)):
        if (row.valid_from and row.valid_from > as_of) or (row.valid_to and row.valid_to < as_of):
            continue
        box, focal = book.has(row.key, Audience.MAILBOX), book.has(row.key, Audience.FOCAL)
        if not (box and focal):
            gaps.append(
                ContactGap(agency_key=row.key, agency_name=row.name, mailbox=box, focal=focal)
            )
    return gaps
