"""Everything that goes wrong, as a page in Vietnamese that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from operations.account_links import AccountLinkForged, AccountLinkRefused
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.links import LINK_PATH, LinkExpired, LinkForged, LinkRefused, TooManyLinks
from portal.api import problems
from portal.api.problems import is_api
from portal.errors import AccountUnready, BadForm, LoginNeeded, NotThere, PageError, TooMany
from portal.forms import read_form
from portal.pages.login import show_expired
from portal.portal import OWN, number_of, portal_of
from rules.documents import NotADocumentCode
from rules.lifecycle import ActionNotAllowed
from rules.timeliness import FutureDate
from rules.workdays import OutsideHorizon
from runtime.logs import logger

_HTTP: dict[int, PageError] = {404: NotThere(), 400: BadForm(), 422: BadForm()}


def show_error(request: Request, *, status: int, title: str, message: str) -> Response:
    """The page of a failure, with the way back that this visitor has and the request's number."""
    text = request.scope.get("state", {}).get("link_text")
    return portal_of(request).pages(
        request,
        "error.html",
        status=status,
        title=title,
        message=message,
        number=number_of(request),
        failed=status >= 500,
        back=f"{LINK_PATH}{text}" if text else "/",
        back_words="Về danh sách nhiệm vụ" if text else "Về trang đầu",
    )


async def _page_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageError)  # noqa: S101 - registered for this class alone
    if isinstance(error, LoginNeeded):
        return show_expired(request, await read_form(request) if _is_post(request) else None)
    if isinstance(error, AccountUnready):
        return RedirectResponse(OWN, status_code=303)
    answer = show_error(request, status=error.status, title=error.title, message=error.message)
    if isinstance(error, TooMany):
        answer.headers["retry-after"] = str(error.seconds)
    return answer


def _is_post(request: Request) -> bool:
    return request.method == "POST"


async def _link_refused(request: Request, error: Exception) -> Response:
    state, expired = request.scope.get("state", {}), isinstance(error, LinkExpired)
    too_many = isinstance(error, TooManyLinks)
    titles = {LinkForged: "Liên kết không đúng", LinkExpired: "Liên kết đã hết hạn"}
    title = titles.get(type(error), "Liên kết không dùng được")
    return portal_of(request).pages(
        request,
        "link_refused.html",
        status=429 if too_many else 410 if not isinstance(error, LinkForged) else 404,
        title=title,
        message=str(error),
        again=f"{LINK_PATH}{state['link_text']}/gui-lai" if expired else "",
        mark=state.get("mark", ""),
        number=number_of(request),
    )


async def _account_link_refused(request: Request, error: Exception) -> Response:
    forged = isinstance(error, AccountLinkForged)
    return portal_of(request).pages(
        request,
        "account_link_refused.html",
        status=404 if forged else 410,
        title="Liên kết không đúng" if forged else "Liên kết không dùng được",
        message=str(error),
        number=number_of(request),
    )


async def _refused(request: Request, error: Exception) -> Response:
    kinds: tuple[tuple[type[Exception], int, str], ...] = (
        (NotFound, 404, "Không tìm thấy"),
        (NotPermitted, 403, "Không có quyền thực hiện"),
        (Conflict, 409, "Nội dung đã thay đổi"),
        (ActionNotAllowed, 409, "Không thực hiện được ở trạng thái này"),
    )
    status, title = next(
        ((status, title) for kind, status, title in kinds if isinstance(error, kind)),
        (422, "Nội dung chưa được ghi"),
    )
    return show_error(request, status=status, title=title, message=str(error))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 422
    known = _HTTP.get(status, NotThere())
    if status == 405:
        known = BadForm("Trang này chỉ để gửi biểu mẫu. Đề nghị quay lại trang trước.")
    return show_error(request, status=status, title=known.title, message=known.message)


async def _invalid(request: Request, _error: Exception) -> Response:
    """A number in the address that is none: there is no such page."""
    known = NotThere()
    return show_error(request, status=404, title=known.title, message=known.message)


def show_crash(request: Request, error: Exception) -> Response:
    """What nobody foresaw: logged under the request's number, which the page names."""
    logger(__name__).error(
        "a page failed",
        method=request.method,
        route=getattr(request.scope.get("route"), "name", None),
        exc_info=error,
    )
    return show_error(
        request,
        status=500,
        title="Hệ thống gặp sự cố",
        message="Nội dung chưa chắc đã được ghi. Đề nghị chờ ít phút, mở lại danh sách nhiệm vụ "
        "để kiểm tra rồi gửi lại nếu cần. Nếu vẫn lỗi, đề nghị liên hệ đầu mối ghi ở cuối trang.",
    )


def on_crash(request: Request, error: Exception) -> Response:
    """What nobody foresaw, as a page or as a problem of the API."""
    return problems.crash(request, error) if is_api(request) else show_crash(request, error)


_BUSY = (
    "Cơ sở dữ liệu chưa trả lời. Đề nghị chờ một phút rồi mở lại trang; nếu vừa gửi biểu mẫu, đề "
    "nghị xem nội dung đã được ghi chưa trước khi gửi lại."
)


async def _unavailable(request: Request, error: Exception) -> Response:
    """The database is locked, full, away or starting again: nothing that a page could mend."""
    cause = getattr(error, "orig", None)
    logger(__name__).error(
        "the database did not answer", fault=type(error).__name__, why=str(cause)[:200]
    )
    if is_api(request):
        answer = problems.problem(503, "Hệ thống tạm thời chưa trả lời", _BUSY)
    else:
        answer = show_error(
            request, status=503, title="Hệ thống tạm thời chưa trả lời", message=_BUSY
        )
    answer.headers["retry-after"] = "60"
    return answer


_Handler = Callable[[Request, Exception], Coroutine[None, None, Response]]


def _either(page: _Handler) -> _Handler:
    """``page`` for people, a problem for programs."""

    async def handler(request: Request, error: Exception) -> Response:
        return await (problems.answer if is_api(request) else page)(request, error)

    return handler


def install(app: FastAPI) -> None:
    """Register an answer for each kind of failure."""
    kinds: tuple[tuple[type[Exception], _Handler], ...] = (
        (PageError, _page_error),
        (LinkRefused, _link_refused),
        (AccountLinkRefused, _account_link_refused),
        (Refused, _refused),
        (ActionNotAllowed, _refused),
        (FutureDate, _refused),
        (NotADocumentCode, _refused),
        (OutsideHorizon, _refused),
        (RequestValidationError, _invalid),
        (HTTPException, _http),
    )
    for kind, page in kinds:
        app.add_exception_handler(kind, _either(page))
    for gone in (OperationalError, InterfaceError):
        app.add_exception_handler(gone, _unavailable)
