"""What goes in: bodies read after the caller is known, strictly, with every mistake told at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from models.tables import ContactKind
from notifications.formats import clean_line, clean_text
from operations.contacts import ContactInput
from operations.results import OutcomeFiled, Paper, Result
from portal.api.problems import BadInput, FieldProblem, WrongMedia, field_problems, too_large
from portal.forms import MAX_FILES, MAX_LINE, MAX_TEXT
from portal.guard import BodyTooLarge

MAX_JSON: Final = 256 * 1024
"""Bytes of a JSON body."""
BIGGEST: Final = 2**53 - 1
"""The largest number of a row: every JSON reader keeps it whole."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def _sensible(day: date) -> date:
    if not 1990 <= day.year <= 2100:
        raise ValueError("năm phải từ 1990 đến 2100")
    return day


Text = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(clean_text)]
Line = Annotated[str, StringConstraints(max_length=MAX_LINE), AfterValidator(clean_line)]
Day = Annotated[date, AfterValidator(_sensible)]
Number = Annotated[int, Field(ge=1, le=BIGGEST)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Taken(BaseModel):
    """A body: nothing that is not named here, and no value of another kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Stated(Taken):
    """Who did it at the agency, as the program knows; stands in the history beside its name."""

    stated_name: Line | None = Field(default=None, description="Họ và tên người thực hiện.")
    stated_post: Line | None = Field(default=None, description="Chức vụ.")


class PaperIn(Taken):
    """A document by number and date, a file that ``POST /files`` answered, or both."""

    code: Line | None = Field(default=None, examples=["125/QĐ-UBND"])
    issued_on: Day | None = None
    title: Line | None = None
    sha256: Sha256 | None = None


class OutcomeIn(Taken):
    """An outcome that the item asks for: its document, or why there is none."""

    code: Line | None = Field(default=None, examples=["125/QĐ-UBND"])
    issued_on: Day | None = None
    none_because: Line | None = Field(default=None, description="Lý do không phát sinh.")


class FocalIn(Taken):
    """The agency's focal point, confirmed or named anew with the result (I.1)."""

    name: Line
    post: Line | None = None
    email: Line
    phone: Line | None = None


class ActIn(Stated):
    """What comes with an action; each action reads what it needs (rule 20)."""

    version: Number | None = Field(
        default=None, description="Phiên bản đã xem; hoặc gửi tiêu đề If-Match."
    )
    text: Text = Field(default="", description="Tóm tắt kết quả, nội dung phối hợp.")
    documents: list[PaperIn] = Field(default_factory=list, max_length=MAX_FILES)
    figures: dict[Line, Line] = Field(default_factory=dict, max_length=50)
    outcomes: dict[Line, OutcomeIn] = Field(default_factory=dict, max_length=50)
    focal: FocalIn | None = None
    reason: Text | None = None
    covered_by: Number | None = Field(
        default=None, description="Phân công của cơ quan chủ trì kia, khi thực hiện chung."
    )

    def result(self, names: dict[str, str], agency: str, *, unchanged: bool = False) -> Result:
        """The same as a result; ``names`` are those of the files, by digest."""
        papers = [
            Paper(
                code=one.code,
                issued_on=one.issued_on,
                title=one.title,
                sha256=one.sha256,
                file_name=names.get(one.sha256 or ""),
            )
            for one in self.documents
        ]
        outcomes = {
            key: OutcomeFiled(code=one.code, issued_on=one.issued_on, none_because=one.none_because)
            for key, one in self.outcomes.items()
        }
        focal = None
        if self.focal is not None:
            given = self.focal.model_dump()
            focal = ContactInput(agency_key=agency, kind=ContactKind.FOCAL, **given)
        return Result(
            text=self.text,
            papers=papers,
            figures=self.figures,
            outcomes=outcomes,
            focal=focal,
            unchanged=unchanged,
        )


class ExtensionIn(Stated):
    """A request for another date (rule 23)."""

    assignment: Number
    version: Number | None = None
    until: Day
    reason: Text = Field(default="", description="Bắt buộc.")
    explanation: Text | None = Field(default=None, description="Bắt buộc khi đã quá hạn.")


class ObstacleIn(Stated):
    """An obstacle, about one assignment or in general (rule 42)."""

    assignment: Number | None = None
    text: Text


M = TypeVar("M", bound=Taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(Generic[M]):
    """A body as values; ``digest`` tells it from another, ``key`` is its ``Idempotency-Key``."""

    value: M
    digest: str
    key: str | None
    version: int | None


def json_body(model: type[M]) -> Callable[[Request], Awaitable[Body[M]]]:
    """A dependency that reads a JSON body as ``model``.

    The framework would read it before it asks who calls, so that is done here.
    """

    async def read(request: Request) -> Body[M]:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise WrongMedia("Đề nghị gửi nội dung JSON với “Content-Type: application/json”.")
        raw = await _read(request)
        try:
            value = model.model_validate_json(raw)
        except ValidationError as error:
            raise BadInput(field_problems(error.errors(include_url=False))) from None
        asked = f"{request.method} {request.url.path}\n".encode(errors="replace")
        return Body(
            value=value,
            digest=hashlib.sha256(asked + raw).hexdigest(),
            key=key_of(request),
            version=_version(request, getattr(value, "version", None)),
        )

    return read


async def _read(request: Request) -> bytes:
    if request.scope["state"].get("too_large"):
        raise too_large()
    found = bytearray()
    try:
        async for chunk in request.stream():
            found += chunk
            if len(found) > MAX_JSON:
                raise too_large()
    except BodyTooLarge:
        raise too_large() from None
    return bytes(found)


def key_of(request: Request) -> str | None:
    """The ``Idempotency-Key`` of a request.

    Raises:
        BadInput: it is too long, or holds other than visible ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is None or _KEY.fullmatch(key):
        return key
    right = "từ 1 đến 255 ký tự ASCII hiện được, ví dụ một UUID"
    told = "Tiêu đề “Idempotency-Key” chưa đúng."
    raise BadInput([FieldProblem(field="Idempotency-Key", detail=told, expected=right)])


def _version(request: Request, given: Any) -> int | None:
    """The row version that the caller saw: of the body, or of ``If-Match``."""
    header = request.headers.get("if-match")
    if header is None:
        return given if isinstance(given, int) else None
    found = re.fullmatch(r'"([0-9]{1,15})"', header.strip())
    if found is None or (given is not None and given != int(found[1])):
        right = 'giá trị ETag đã nhận, ví dụ "3", và trùng với “version” nếu có cả hai'
        told = "Tiêu đề “If-Match” chưa đúng."
        raise BadInput([FieldProblem(field="If-Match", detail=told, expected=right)])
    return int(found[1])


ActBody = Annotated[Body[ActIn], Depends(json_body(ActIn))]
ExtensionBody = Annotated[Body[ExtensionIn], Depends(json_body(ExtensionIn))]
ObstacleBody = Annotated[Body[ObstacleIn], Depends(json_body(ObstacleIn))]


def described(model: type[BaseModel]) -> dict[str, Any]:
    """How a route that takes ``model`` describes its body to OpenAPI."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
