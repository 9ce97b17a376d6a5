"""Open data as JSON; ``docs/open-data.md`` tells the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from operations.open_data import OpenDate, OpenKind, OpenPaper

VERSION: Final = "1"
"""Grows only when a field goes away or means something else; new fields may come at any time."""
PATH: Final = "/mo"
WORDS: Final = {
    OpenKind.RESULTS: ("ket-qua", "Kết quả đã xác nhận"),
    OpenKind.DATES: ("thoi-han", "Thời hạn đã ấn định bằng văn bản"),
    OpenKind.MATERIALS: ("tai-lieu", "Chương trình, tài liệu, bài giảng đã ban hành"),
}
"""The word of a kind in addresses, and its title."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PaperOut(_Shape):
    """Một văn bản kết quả đã được xác nhận."""

    id: int
    plan: str
    item: str
    task: str
    period: str
    agency: str
    document: str
    issued_on: date | None
    title: str | None
    confirmed_at: datetime


class DateOut(_Shape):
    """Một thời hạn đã được ấn định bằng văn bản."""

    id: int
    plan: str
    item: str
    task: str
    period: str
    due_on: date
    document: str
    issued_on: date | None
    set_at: datetime


class PaperPage(_Shape):
    """Một trang văn bản kết quả, theo số tăng dần."""

    version: Literal["1"] = VERSION
    kind: Literal["results", "materials"]
    basis: str
    items: list[PaperOut]
    next: str | None


class DatePage(_Shape):
    """Một trang thời hạn, theo số tăng dần."""

    version: Literal["1"] = VERSION
    kind: Literal["dates"]
    basis: str
    items: list[DateOut]
    next: str | None


def kind_of(word: str) -> OpenKind | None:
    """The kind that an address names."""
    return next((kind for kind, (slug, _) in WORDS.items() if slug == word), None)


def json_page(
    kind: OpenKind, basis: str, rows: Sequence[OpenPaper | OpenDate], following: str | None
) -> bytes:
    """A page as JSON, in UTF-8."""
    shape: type[DatePage | PaperPage] = DatePage if kind is OpenKind.DATES else PaperPage
    entry: type[DateOut | PaperOut] = DateOut if kind is OpenKind.DATES else PaperOut
    items = [entry(**{name: getattr(one, name) for name in entry.model_fields}) for one in rows]
    page = shape.model_validate(
        {"kind": kind.value, "basis": basis, "items": items, "next": following}
    )
    return page.model_dump_json(indent=1).encode()


def schema() -> dict[str, object]:
    """The JSON Schema of both pages."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": VERSION,
        "results": PaperPage.model_json_schema(),
        "materials": PaperPage.model_json_schema(),
        "dates": DatePage.model_json_schema(),
    }
