"""A small form into one operation: one transaction, then a page that says what was recorded.

A form that cannot be taken comes back as it was typed, with what is wrong beside the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.stamp import Stamp
from portal.forms import FormState, Posted
from portal.portal import address_of, portal_of
from portal.reading import FormErrors, Reading
from portal.throttle import POSTS
from portal.told import say
from portal.visitors import person_of
from rules.documents import NotADocumentCode
from rules.lifecycle import ActionNotAllowed
from rules.workdays import OutsideHorizon

Do = Callable[[Session, Stamp, Reading], str]
"""Does what the form asks and returns one sentence about what was recorded."""
Show = Callable[[FormState, int], Response]
"""Draws the page that the form stands on: what the form holds, and the status."""


def file_form(
    request: Request, form: Posted, deed: str, do: Do, *, then: str, show: Show
) -> Response:
    """Do what a form asks and lead to ``then``; or show the form again with what is wrong."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    state = FormState(deed=deed, values=form.fields)
    stamp, reading = portal.stamp(person.actor(address_of(request))), Reading(form)
    try:
        with portal.runtime.database.write() as session:
            sentence = do(session, stamp, reading)
    except FormErrors as error:
        return show(replace(state, errors=error.errors), 422)
    except (Conflict, ActionNotAllowed) as error:
        return show(state.with_error(None, str(error)), 409)
    except NotPermitted as error:
        return show(state.with_error(None, str(error)), 403)
    except NotFound as error:
        return show(state.with_error(None, str(error)), 404)
    except Refused as error:
        return show(state.refused(error), 422)
    except NotADocumentCode as error:
        return show(state.with_error("document", str(error)), 422)
    except OutsideHorizon:
        message = "Ngày này nằm ngoài các năm đang theo dõi; đề nghị kiểm tra lại năm."
        return show(state.with_error(None, message), 422)
    return RedirectResponse(say(request, then, sentence), status_code=303)
