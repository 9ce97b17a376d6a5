"""A small form of an agency's page into one operation, by link or by account."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.stamp import Stamp
from portal.attempts import attempt
from portal.doorway import Doorway
from portal.forms import FormState, Posted
from portal.portal import portal_of
from portal.reading import Reading, Taken
from portal.stating import note_notice, stated
from portal.throttle import POSTS
from portal.told import say
from portal.uploads import gather

Do = Callable[[Session, Stamp, Reading], str]
"""Does what the form asks and returns one sentence about what was recorded.

It calls ``Reading.done``, which also tells of a missing name of whoever fills in.
"""


def file_at_door(
    request: Request,
    door: Doorway,
    form: Posted,
    deed: str,
    do: Do,
    *,
    then: str,
    show: Callable[[FormState, int], Response],
    files: bool = False,
) -> Response:
    """Do what a form asks and lead to ``then``; or show the form again with what is wrong.

    ``deed`` names the form among those of its page; ``files`` says whether it takes any.
    """
    portal = portal_of(request)
    portal.throttle.hit(POSTS, door.key)
    note_notice(request, door)
    stamp, mistakes = stated(request, door, form)
    state, taken = FormState(deed=deed, values=form.fields), list[Taken]()
    if files:
        state, taken = gather(portal, stamp, door.key, form, state)
    reading = Reading(form, taken, {**state.errors, **mistakes})
    said: list[str] = []
    failed = attempt(
        portal,
        state,
        lambda session: said.append(do(session, stamp, reading)),
    )
    if failed is not None:
        return show(failed.form, failed.status)
    path, mark, place = then.partition("#")
    return RedirectResponse(f"{say(request, path, said[0])}{mark}{place}", status_code=303)
