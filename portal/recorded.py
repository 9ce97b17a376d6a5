"""The page that a form leads to: what was recorded, when, by whom, and how the work stands now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request
from fastapi.responses import Response

from operations.errors import NotFound
from operations.queries import history_of
from operations.queries_detail import WorkDetail, work_detail
from portal.deeds import Deed
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.portal import portal_of
from portal.words import pill
from rules.documents import NotADocumentCode, check_document_code


def show_recorded(
    request: Request,
    door: Doorway,
    work_id: int,
    *,
    deeds: Mapping[str, Deed],
    may_see: Callable[[WorkDetail], bool],
    back_to: str,
) -> Response:
    """Draw it from the history, so that it says what is there and not what was meant.

    Raises:
        NotThere: no such deed or event of this piece of work, or not for this visitor.
    """
    portal = portal_of(request)
    deed = deeds.get(request.query_params.get("viec", ""))
    number = request.query_params.get("su-kien", "")
    with portal.runtime.database.read() as session:
        try:
            detail = work_detail(session, work_id, as_of=portal.today)
        except NotFound:
            raise NotThere from None
        history = history_of(session, work_id)
    event = next((one for one in history if str(one.id) == number), None)
    if deed is None or event is None or not may_see(detail):
        raise NotThere
    document = next((one.document for one in history if one.at == event.at and one.document), None)
    return portal.pages(
        request,
        "recorded.html",
        door=door,
        row=detail.row,
        deed=deed,
        event=event,
        document=document,
        warnings=_warnings(document),
        pill=pill(detail.row, portal.today, detail.state.calendar),
        back=f"{door.base}/viec/{work_id}",
        list=back_to,
    )


def _warnings(document: str | None) -> list[str]:
    """A word about a document code of an unusual form; it was recorded all the same."""
    try:
        found = check_document_code(document) if document else None
    except NotADocumentCode:
        return []
    return [found.warning] if found is not None and found.warning else []
