"""What the API offers, as OpenAPI 3.1, and the page that is drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from operations.api_tokens import SCOPE_WORDS, Scope
from portal.api import acts, figures, files, lists
from portal.api.door import BASE
from portal.api.problems import MEDIA_TYPE, NAMES, Problem
from portal.api.taken import ActIn, ExtensionIn, ObstacleIn
from portal.permissions import API_SCOPES
from portal.portal import portal_of

router = APIRouter(prefix=BASE)
OFFERED: Final = (lists.router, acts.router, files.router, figures.router)
_REF: Final = "#/components/schemas/{model}"
_WRONG: Final[Mapping[int, str]] = {
    400: "Yêu cầu không đọc được.",
    401: "Chưa có mã API, hoặc mã không dùng được.",
    403: "Mã API không được làm việc này.",
    404: "Không có, hoặc không dành cho mã này.",
    409: "Người khác đã cập nhật trước, hoặc trạng thái không cho phép.",
    413: "Nội dung quá lớn.",
    415: "Kiểu nội dung không được nhận.",
    422: "Nội dung chưa đúng; cho biết chỗ sai, sai gì và thế nào là đúng.",
    428: "Chưa cho biết phiên bản đã xem.",
    429: "Gọi quá nhiều lần; chờ theo Retry-After.",
    500: "Hệ thống gặp sự cố.",
}
_READS: Final = (400, 401, 403, 404, 422, 429, 500)
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Khóa chống gửi trùng: gửi lại cùng khóa, cùng nội dung thì nhận lại trả lời cũ.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "ETag đã nhận, thay cho trường “version”.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,15}"$'},
}


def _without_head(route: BaseRoute) -> BaseRoute:
    """The same route as it is described: a HEAD is a GET without its body."""
    if not isinstance(route, APIRoute):
        return route
    told = copy(route)
    told.methods = (route.methods or set()) - {"HEAD"}
    return told


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole description."""
    routes = [_without_head(route) for one in OFFERED for route in one.routes]
    found = get_openapi(
        title="Tiến độ",
        version="1",
        openapi_version="3.1.0",
        summary="Theo dõi nhiệm vụ của đề án bằng phần mềm của cơ quan.",
        description="Xác thực bằng mã API trong tiêu đề Authorization: Bearer td_…",
        routes=routes,
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    given = [(one, "validation") for one in (ActIn, ExtensionIn, ObstacleIn, Problem)]
    schemas |= models_json_schema(given, ref_template=_REF)[1]["$defs"]  # type: ignore[arg-type]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    found["security"] = [{"token": []}]
    names = {(route.path_format, verb): route.name for route in routes for verb in route.methods}  # type: ignore[attr-defined]
    for path, verbs in found["paths"].items():
        for verb, operation in verbs.items():
            _complete(operation, verb, names[path, verb.upper()])
    return found


def _complete(operation: dict[str, Any], verb: str, name: str) -> None:
    """Add what every operation answers when something is wrong, and the headers it takes."""
    operation["operationId"] = name.removeprefix("v1_")
    operation["x-scope"] = API_SCOPES[name].value
    schema = {"schema": {"$ref": _REF.format(model=Problem.__name__)}}
    for status in _WRONG if verb == "post" else _READS:
        answer: dict[str, Any] = {"description": _WRONG[status], "content": {MEDIA_TYPE: schema}}
        if status == 401:
            answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
        if status == 429:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        operation["responses"][str(status)] = answer
    if verb == "post":
        versioned = name in {"v1_act", "v1_extensions"}
        operation.setdefault("parameters", []).extend([_KEY, _MATCH] if versioned else [_KEY])


@router.get("/openapi.json", name="v1_openapi")
def openapi() -> Response:
    """The description, for programs that read it."""
    return JSONResponse(document())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One operation as the page shows it."""

    verb: str
    path: str
    summary: str
    scope: str
    parameters: tuple[tuple[str, str], ...]
    body: str
    status: str


def _shown() -> list[Shown]:
    return [
        Shown(
            verb=verb.upper(),
            path=path,
            summary=operation["description"],
            scope=SCOPE_WORDS[Scope(operation["x-scope"])],
            parameters=tuple(
                (one["name"], one.get("description") or one["schema"].get("description", ""))
                for one in operation.get("parameters", ())
            ),
            body=", ".join(operation.get("requestBody", {}).get("content", ())),
            status=next(iter(operation["responses"])),
        )
        for path, verbs in document()["paths"].items()
        for verb, operation in verbs.items()
    ]


@router.api_route("/docs", methods=["GET", "HEAD"], name="v1_docs")
def docs(request: Request) -> Response:
    """The page for those who write programs."""
    portal = portal_of(request)
    return portal.pages(
        request,
        "api_docs.html",
        shown=_shown(),
        base=f"{portal.runtime.settings.portal_url.rstrip('/')}{BASE}",
        wrong=[(status, NAMES[status], said) for status, said in _WRONG.items()],
        scopes=SCOPE_WORDS,
    )
