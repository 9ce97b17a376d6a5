"""One posted form into one operation: files, checks, one transaction, then an answer.

A form that cannot be taken comes back as it was typed, with what is wrong beside the field. A
second tap of the same button leads to what the first one recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.queries import history_of
from operations.queries_detail import WorkDetail, work_detail
from operations.stamp import Stamp
from operations.transition import check_version, load_work
from portal.deeds import Deed, Job
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.forms import FieldError, FormState, Posted
from portal.portal import Portal, portal_of
from portal.reading import FormErrors, Reading, Taken
from portal.stating import note_notice, stated
from portal.throttle import POSTS
from portal.uploads import gather
from rules.documents import NotADocumentCode
from rules.lifecycle import ActionNotAllowed
from rules.timeliness import FutureDate
from rules.workdays import OutsideHorizon

Show = Callable[[Request, Doorway, int, FormState, int], Response]
"""Draws the page of a piece of work: request, doorway, its id, what the form holds, status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One posted form on its way."""

    request: Request
    door: Doorway
    work_id: int
    deed: Deed
    posted: Posted
    show: Show

    @property
    def portal(self) -> Portal:
        """The application."""
        return portal_of(self.request)


def take(
    request: Request,
    door: Doorway,
    work_id: int,
    deed_key: str,
    posted: Posted,
    *,
    deeds: Mapping[str, Deed],
    show: Show,
    may_see: Callable[[WorkDetail], bool],
) -> Response:
    """Do what a form asks, and lead to a page that says what was recorded."""
    deed = deeds.get(deed_key)
    if deed is None:
        raise NotThere
    post = Post(request=request, door=door, work_id=work_id, deed=deed, posted=posted, show=show)
    portal = post.portal
    portal.throttle.hit(POSTS, door.key)
    _need_sight(post, may_see)
    note_notice(request, door)
    form, files = _files(post, FormState(deed=deed.key, values=posted.fields))
    stamp, mistakes = stated(request, door, posted)
    reading = Reading(posted, files, {**form.errors, **mistakes})
    return _take(post, form, stamp, reading)


def _need_sight(post: Post, may_see: Callable[[WorkDetail], bool]) -> None:
    with post.portal.runtime.database.read() as session:
        try:
            detail = work_detail(session, post.work_id, as_of=post.portal.today)
        except NotFound:
            raise NotThere from None
        if not may_see(detail):
            raise NotThere


def _files(post: Post, form: FormState) -> tuple[FormState, list[Taken]]:
    """The files of the form, stored; and those of an earlier try, which need not come again."""
    if not post.deed.files:
        return form, []
    portal, door = post.portal, post.door
    return gather(portal, door.stamp(portal), door.key, post.posted, form)


def _take(post: Post, form: FormState, stamp: Stamp, reading: Reading) -> Response:
    portal, version = post.portal, post.posted.number("version")
    try:
        with portal.runtime.database.write() as session:
            detail = work_detail(session, post.work_id, as_of=portal.today)
            job = Job(session=session, stamp=stamp, detail=detail, reading=reading, version=version)
            if not post.deed.again(job):
                check_version(load_work(session, post.work_id), version)
                post.deed.take(job)
            event = history_of(session, post.work_id)[-1].id
    except FormErrors as error:
        return _back(post, replace(form, errors={**form.errors, **error.errors}))
    except (Conflict, ActionNotAllowed) as error:
        return _back(post, form.with_error(None, str(error)), status=409)
    except NotPermitted as error:
        return _back(post, form.with_error(None, str(error)), status=403)
    except Refused as error:
        return _back(post, form.refused(error))
    except (NotADocumentCode, FutureDate, OutsideHorizon, FieldError) as error:
        return _back(post, form.with_error(*_read_error(error)))
    query = f"viec={post.deed.key}&su-kien={event}"
    path = f"{post.door.base}/viec/{post.work_id}/da-ghi-nhan?{query}"
    return RedirectResponse(path, status_code=303)


def _read_error(error: Exception) -> tuple[str, str]:
    if isinstance(error, NotADocumentCode):
        return "document", str(error)
    if isinstance(error, FutureDate):
        return "issued_on", str(error)
    return "issued_on", "Ngày này nằm ngoài các năm đang theo dõi; đề nghị kiểm tra lại năm."


def _back(post: Post, form: FormState, *, status: int = 422) -> Response:
    """The page again, with what was typed and what is wrong with it."""
    return post.show(post.request, post.door, post.work_id, form, status)
