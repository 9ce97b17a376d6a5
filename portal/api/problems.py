"""Everything that goes wrong in the API, as RFC 9457 problems: where, what, and what is right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from operations.errors import Conflict, NotFound, NotPermitted, Refused
from portal.api.door import BASE, TokenNeeded
from portal.errors import PageError, TooLarge, TooMany
from portal.guard import BodyTooLarge
from portal.portal import number_of
from rules.documents import NotADocumentCode
from rules.lifecycle import ActionNotAllowed
from rules.timeliness import FutureDate
from rules.workdays import OutsideHorizon
from runtime.logs import logger

MEDIA_TYPE: Final = "application/problem+json"
DOCS: Final = f"{BASE}/docs"


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str
    detail: str
    expected: str | None = None


class Problem(BaseModel):
    """What is wrong (RFC 9457). ``field`` says where, ``expected`` what would be right."""

    type: str = Field(description="Địa chỉ trang giải thích loại lỗi.")
    title: str
    status: int
    detail: str
    field: str | None = None
    expected: str | None = None
    errors: list[FieldProblem] | None = Field(
        default=None, description="Mọi trường sai, khi có từ hai trường trở lên."
    )


class BadInput(PageError):
    """Fields that cannot be taken as they came."""

    status, title = 422, "Nội dung gửi lên chưa đúng"

    def __init__(self, errors: Sequence[FieldProblem]) -> None:
        self.errors = list(errors)
        super().__init__(self.errors[0].detail)


class WrongMedia(PageError):
    """A body of another kind than this address takes."""

    status, title = 415, "Kiểu nội dung không được nhận"


class VersionNeeded(PageError):
    """A change that does not say which version of the row it was prepared on (rule 26)."""

    status, title = 428, "Cần phiên bản"

    def __init__(self) -> None:
        super().__init__(
            "Đề nghị gửi phiên bản đã xem của phân công: trường “version”, hoặc tiêu đề "
            "“If-Match” với giá trị ETag, để không ghi đè cập nhật của người khác."
        )


class KeyReused(PageError):
    """An ``Idempotency-Key`` that was used for something else."""

    status, title = 422, "Khóa chống gửi trùng đã dùng cho nội dung khác"

    def __init__(self) -> None:
        super().__init__(
            "Tiêu đề “Idempotency-Key” này đã dùng cho một yêu cầu khác nội dung; "
            "đề nghị tạo khóa mới cho mỗi yêu cầu mới."
        )


NAMES: Final[Mapping[int, str]] = {
    400: "bad-request", 401: "token", 403: "forbidden", 404: "not-found", 405: "method", 408: "too-slow",
    409: "conflict", 413: "too-large", 415: "media-type", 422: "invalid", 428: "version",
    429: "too-many", 500: "failure", 503: "unavailable",
}  # fmt: skip
"""Status to the last part of a problem's type, which is an anchor of the documentation."""
_FIELDS: Final = {
    "document": "documents.0.code",
    "issued_on": "documents.0.issued_on",
    "file": "documents.0.sha256",
}
"""Operations name the fields of forms; these are called otherwise here."""
_EXPECTED: Final = {
    "documents.0.code": "số, ký hiệu văn bản, ví dụ 125/QĐ-UBND",
    "documents.0.issued_on": "ngày ban hành dạng 2027-03-31, không sau hôm nay",
    "documents.0.sha256": "SHA-256 do POST /files trả về cho cơ quan này",
    "until": "ngày làm việc sau hạn hiện nay, dạng 2027-04-30",
}


def is_api(request: Request) -> bool:
    """Whether a request went to the API and not to its page of documentation."""
    path = request.url.path
    return path.startswith(f"{BASE}/") and path != DOCS


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem as an answer."""
    first = errors[0] if errors else None
    said = Problem(
        type=f"{DOCS}#{NAMES.get(status, 'failure')}",
        title=title,
        status=status,
        detail=detail,
        field=first.field if first else None,
        expected=first.expected if first else None,
        errors=list(errors) if len(errors) > 1 else None,
    )
    return JSONResponse(
        said.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


async def answer(_request: Request, error: Exception) -> Response:
    """The problem that an exception stands for."""
    if isinstance(error, HTTPException):
        return _http(error)
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, BadInput):
        return problem(error.status, error.title, error.message, errors=error.errors)
    if isinstance(error, PageError):
        return problem(error.status, error.title, error.message, headers=_headers(error))
    return _refused(error)


def _headers(error: PageError) -> dict[str, str]:
    if isinstance(error, TooMany):
        return {"retry-after": str(error.seconds)}
    if isinstance(error, TokenNeeded):
        return {"www-authenticate": 'Bearer realm="tiendo"'}
    return {}


def _refused(error: Exception) -> Response:
    if isinstance(error, NotFound) and error.field in {None, "assignment", "file"}:
        return problem(404, "Không tìm thấy", str(error))
    if isinstance(error, NotPermitted):
        return problem(403, "Không có quyền thực hiện", str(error))
    if isinstance(error, Conflict):
        return problem(409, "Nội dung đã thay đổi", str(error))
    if isinstance(error, ActionNotAllowed):
        return problem(409, "Không thực hiện được ở trạng thái này", str(error))
    if isinstance(error, Refused) and len(error.each) > 1:
        found = [one for each in error.each for one in _where(each.field or "", str(each))]
        return problem(422, "Nội dung chưa được ghi", str(error), errors=found)
    detail, field = str(error), getattr(error, "field", None) or ""
    if isinstance(error, FutureDate):
        field = "issued_on"
    elif isinstance(error, NotADocumentCode):
        field = "document"
    elif isinstance(error, OutsideHorizon):
        detail = "Ngày này nằm ngoài các năm đang theo dõi; đề nghị kiểm tra lại năm."
    return problem(422, "Nội dung chưa được ghi", detail, errors=_where(field, detail))


def _where(field: str, detail: str) -> list[FieldProblem]:
    if not field:
        return []
    name = _FIELDS.get(field, field.replace("figure.", "figures.").replace("outcome.", "outcomes."))
    return [FieldProblem(field=name, detail=detail, expected=_EXPECTED.get(name))]


def _http(error: HTTPException) -> Response:
    status = error.status_code
    if isinstance(error.__cause__, BodyTooLarge):
        status = 413
    told = {
        404: ("Không tìm thấy", f"Không có địa chỉ này; xem danh sách tại {DOCS}."),
        405: ("Phương thức không được nhận", f"Địa chỉ này không nhận phương thức đó; xem {DOCS}."),
        413: ("Nội dung gửi lên quá lớn", TOO_LARGE),
    }
    title, detail = told.get(status, ("Yêu cầu không đọc được", "Đề nghị kiểm tra lại yêu cầu."))
    return problem(status, title, detail, headers=error.headers)


TOO_LARGE: Final = "Nội dung lớn hơn mức nhận: 256 KB với JSON, 20 MB với một tệp."


def too_large() -> TooLarge:
    """More than this address takes."""
    return TooLarge(TOO_LARGE)


def _invalid(error: RequestValidationError) -> Response:
    found = [one for one in error.errors() if one["loc"]]
    if any(one["loc"][0] == "path" for one in found):
        return problem(404, "Không tìm thấy", "Không có nội dung này, hoặc không dành cho mã này.")
    errors = field_problems(found, skip=1)
    return problem(422, BadInput.title, errors[0].detail, errors=errors)


def field_problems(errors: Sequence[Any], *, skip: int = 0) -> list[FieldProblem]:
    """What pydantic found, in Vietnamese; ``skip`` leaves out the beginning of a location."""
    return [_field_problem(one, skip) for one in errors] or [
        FieldProblem(field="", detail="Nội dung chưa đúng.")
    ]


def _field_problem(error: Mapping[str, Any], skip: int) -> FieldProblem:
    field = ".".join(_plain(str(part)) for part in error["loc"][skip:])[:200]
    kind, context = str(error["type"]), error.get("ctx", {})
    named = f"Trường “{field}”" if field else "Nội dung"
    for pattern, said, expected in _WORDS:
        if re.match(pattern, kind):
            right = expected.format(**{name: str(value) for name, value in context.items()})
            return FieldProblem(field=field, detail=f"{named} {said}.", expected=right or None)
    detail = str(context.get("error", "")) if kind == "value_error" else ""
    return FieldProblem(field=field, detail=f"{named}: {detail or 'giá trị chưa đúng'}.")


_WORDS: Final[Sequence[tuple[str, str, str]]] = (
    ("missing", "còn thiếu", "bắt buộc có"),
    ("extra_forbidden", "không có trong giao diện này", "bỏ trường này"),
    ("json_invalid", "không phải JSON hợp lệ", "JSON theo RFC 8259, mã hóa UTF-8"),
    ("string_too_long", "dài quá mức", "tối đa {max_length} ký tự"),
    ("string_too_short", "ngắn quá mức", "tối thiểu {min_length} ký tự"),
    ("string_pattern_mismatch", "chưa đúng dạng", "dạng {pattern}"),
    ("string", "phải là chuỗi ký tự", "chuỗi ký tự UTF-8"),
    ("date", "không phải một ngày", "ngày dạng 2027-03-31"),
    ("(timezone|datetime)", "không phải một thời điểm", "thời điểm dạng 2027-03-31T01:30:00Z"),
    ("enum|literal", "không thuộc danh sách", "một trong: {expected}"),
    ("int", "phải là số nguyên", "số nguyên"),
    ("bool", "phải là true hoặc false", "true hoặc false"),
    ("greater_than_equal", "nhỏ quá mức", "từ {ge} trở lên"),
    ("less_than_equal", "lớn quá mức", "đến {le}"),
    ("too_long", "có quá nhiều phần tử", "tối đa {max_length}"),
    ("(list|dict|model)", "chưa đúng cấu trúc", "xem tài liệu"),
)


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def crash(request: Request, error: Exception) -> Response:
    """What nobody foresaw: logged under the request's number, which the answer names."""
    logger(__name__).error(
        "the API failed",
        method=request.method,
        route=getattr(request.scope.get("route"), "name", None),
        exc_info=error,
    )
    return problem(
        500,
        "Hệ thống gặp sự cố",
        f"Nội dung chưa chắc đã được ghi; đề nghị đọc lại trước khi gửi lại. Mã yêu cầu: "
        f"{number_of(request)}.",
    )
