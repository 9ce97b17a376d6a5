""" "Gửi lại liên kết": a fresh link, to the mailbox of the old one and to no other (rule 34)."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from operations.links import LINK_PATH, request_fresh_link
from portal.forms import posted
from portal.portal import address_of, portal_of
from portal.throttle import AGAIN
from portal.visitors import token_of
from rules.actors import Actor, ActorKind

router = APIRouter()
PATH = LINK_PATH.rstrip("/") + "/{token}/gui-lai"


@router.post(PATH, name="link_again", dependencies=[Depends(posted)])
def link_again(request: Request) -> Response:
    """Queue the letter; the page never says which mailbox it is."""
    portal, token = portal_of(request), token_of(request)
    portal.throttle.hit(AGAIN, address_of(request))
    actor = Actor(
        kind=ActorKind.MAILBOX,
        name=token.mailbox,
        mailbox=token.mailbox,
        agency=token.agency_key,
        address=address_of(request),
    )
    with portal.runtime.database.write() as session:
        request_fresh_link(session, portal.stamp(actor), session.merge(token))
    return portal.pages(request, "link_sent.html")
