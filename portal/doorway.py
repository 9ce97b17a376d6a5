"""Through which door an agency came in: a letter's link or an account. Its pages are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session

from models.tables import AgencyRow
from operations.links import LINK_PATH
from operations.queries_detail import WorkDetail
from operations.stamp import Stamp
from portal.errors import NotThere
from portal.portal import REMEMBERED_COOKIE, Portal, address_of, portal_of
from portal.signing import REMEMBERED
from portal.visitors import person_of, token_of
from rules.actors import Actor, ActorKind, Capacity, capacities

_REMEMBER_SECONDS = 180 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """One agency's way in. ``base`` is the address that its pages begin with."""

    base: str
    agency: str
    agency_name: str
    addressed_as: str
    actor: Actor
    by_link: bool
    mark: str
    key: str
    """What limits count by, and what kept files are bound to."""
    name: str = ""
    """Who fills in, as remembered on this device."""
    post: str = ""
    token_id: str | None = None

    @property
    def reader(self) -> str:
        """As whom the access log names this visitor (rule 40)."""
        return self.key if self.by_link else self.actor.identity

    def held(self, detail: WorkDetail) -> frozenset[Capacity]:
        """In which capacities this visitor stands towards a piece of work."""
        return capacities(self.actor, detail.standing)

    def stamp(self, portal: Portal, *, name: str = "", post: str = "") -> Stamp:
        """The circumstances of an act now, under the stated name and post."""
        actor = self.actor
        if self.by_link:
            stated = name or self.name or str(actor.mailbox)
            actor = replace(actor, name=stated, post=(post or self.post) or None)
        return portal.stamp(actor)


def by_link(request: Request) -> Doorway:
    """The doorway of the link behind this request."""
    portal, token = portal_of(request), token_of(request)
    text = request.scope["state"]["link_text"]
    with portal.runtime.database.read() as session:
        agency = session.get_one(AgencyRow, token.agency_key)
    remembered = _remembered(portal, request)
    return Doorway(
        base=f"{LINK_PATH}{text}",
        agency=agency.key,
        agency_name=agency.name,
        addressed_as=agency.formal_name or agency.name,
        actor=Actor(
            kind=ActorKind.MAILBOX,
            name=token.mailbox,
            mailbox=token.mailbox,
            agency=agency.key,
            address=address_of(request),
        ),
        by_link=True,
        mark=request.scope["state"]["mark"],
        key=f"link:{token.id}",
        name=remembered[0],
        post=remembered[1],
        token_id=token.id,
    )


async def account_door(request: Request) -> Doorway:
    """:func:`by_account` for a page's signature: it waits for nothing and needs no thread."""
    return by_account(request)


def by_account(request: Request) -> Doorway:
    """The doorway of the account behind this request, to its own agency.

    Raises:
        NotThere: the account belongs to no agency.
    """
    person = person_of(request)
    if person.agency is None or person.agency_name is None:
        raise NotThere("Tài khoản này chưa gắn với cơ quan nào; đề nghị liên hệ quản trị hệ thống.")
    return Doorway(
        base="/co-quan",
        agency=person.agency,
        agency_name=person.agency_name,
        addressed_as=person.addressed_as or person.agency_name,
        actor=person.actor(address_of(request)),
        by_link=False,
        mark=request.scope["state"]["mark"],
        key=f"account:{person.account}",
        name=person.name,
        post=person.post or "",
    )


def remember(portal: Portal, request: Request, name: str, post: str) -> None:
    """Keep who filled in on this device, as allowed by the form."""
    text = portal.signing.write(REMEMBERED, [name, post])
    portal.set_cookie(request, REMEMBERED_COOKIE, text, max_age=_REMEMBER_SECONDS)


def forget(portal: Portal, request: Request) -> None:
    """Keep nothing on this device."""
    portal.drop_cookie(request, REMEMBERED_COOKIE)


def _remembered(portal: Portal, request: Request) -> tuple[str, str]:
    found: Any = portal.signing.read(REMEMBERED, portal.cookie(request, REMEMBERED_COOKIE))
    if isinstance(found, list) and len(found) == 2:
        return str(found[0]), str(found[1])
    return "", ""


def coordinator_name(session: Session, key: str) -> str:
    """The name of the coordinating agency, as sentences use it."""
    row = session.get(AgencyRow, key)
    return "cơ quan điều phối" if row is None else row.name
