"""Who fills in a form, as stated on it, and the proof of notice that a form by link is."""

from __future__ import annotations

from fastapi import Request

from operations.links import mark_first_post
from operations.stamp import Stamp
from portal.doorway import Doorway, forget, remember
from portal.forms import Posted
from portal.portal import portal_of
from portal.reading import Reading
from portal.visitors import token_of


def note_notice(request: Request, door: Doorway) -> None:
    """The first POST by a link is the proof of notice, whatever becomes of it (rule 34)."""
    if not door.by_link:
        return
    portal, token = portal_of(request), token_of(request)
    if token.first_post_at is None:
        with portal.runtime.database.write() as session:
            mark_first_post(session, door.stamp(portal), session.merge(token))


def stated(request: Request, door: Doorway, posted: Posted) -> tuple[Stamp, dict[str, str]]:
    """Who fills in, with what is wrong with it; remembered on this device where that is allowed."""
    portal = portal_of(request)
    if not door.by_link:
        return door.stamp(portal), {}
    reading = Reading(posted)
    name, title = reading.line("who_name"), reading.line("who_post")
    if not name:
        reading.errors.setdefault("who_name", "Đề nghị ghi họ và tên người cập nhật.")
    elif posted.ticked("remember"):
        remember(portal, request, name, title)
    elif door.name:
        forget(portal, request)
    return door.stamp(portal, name=name, post=title), reading.errors
