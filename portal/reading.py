"""Forms into the values that operations take; all mistakes of a form are told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from models.tables import ContactKind
from operations.contacts import ContactInput
from operations.money import MoneyInput
from operations.results import NEEDS_CODE, OutcomeFiled, Paper, Result
from portal.forms import FieldError, Posted
from rules.values import Item

_T = TypeVar("_T")


class FormErrors(Exception):
    """What is wrong with a form, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(self.errors.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file that was checked and stored."""

    sha256: str
    file_name: str
    size: int


class Reading:
    """Reads the fields of one form and gathers what is wrong with them."""

    def __init__(
        self,
        posted: Posted,
        files: Sequence[Taken] = (),
        errors: Mapping[str, str] | None = None,
    ) -> None:
        self.posted, self.files = posted, tuple(files)
        self.errors: dict[str, str] = dict(errors or {})

    def _read(self, name: str, read: Callable[[str], _T], missing: _T) -> _T:
        try:
            return read(name)
        except FieldError as error:
            self.errors[name] = str(error)
            return missing

    def text(self, name: str) -> str:
        """A text of several lines."""
        return self._read(name, self.posted.text, "")

    def line(self, name: str) -> str:
        """A text of one line."""
        return self._read(name, self.posted.line, "")

    def day(self, name: str) -> date | None:
        """A date, None when nothing was typed."""
        return self._read(name, self.posted.day, None)

    def amount(self, name: str, what: str) -> int:
        """Whole đồng, as ``15.000.000``; ``what`` names the amount."""
        text = self.line(name).replace(".", "").replace(" ", "").removesuffix("đ")
        if text.isdecimal() and len(text) <= 16:
            return int(text)
        told = f"{what}: ghi bằng đồng, là số nguyên không âm, ví dụ 15.000.000; chưa có thì ghi 0."
        self.errors.setdefault(name, told)
        return 0

    def money(self) -> MoneyInput:
        """What a form says of money (rule 43)."""
        return MoneyInput(
            line=self.line("line"),
            source=self.line("source"),
            planned=self.amount("planned", "Dự toán"),
            spent=self.amount("spent", "Đã chi"),
            note=self.line("note") or None,
        )

    def needed(self, name: str, message: str) -> str:
        """A text that has to be there; ``message`` says what is asked for."""
        found = self.text(name)
        if not found.strip():
            self.errors.setdefault(name, message)
        return found

    def needed_day(self, name: str, message: str) -> date:
        """A date that has to be there; ``message`` says what is asked for."""
        found = self.day(name)
        if found is None:
            self.errors.setdefault(name, message)
            return date.min
        return found

    def done(self) -> None:
        """Say what is wrong, once everything was read.

        Raises:
            FormErrors: something is.
        """
        if self.errors:
            raise FormErrors(self.errors)

    def result(self, item: Item | None, *, unchanged: bool = False) -> Result:
        """A result: text, document, files, and the figures that ``item`` asks for."""
        figures = {} if item is None else self._figures(item)
        outcomes = {} if item is None else self._outcomes(item)
        return Result(
            text=self.text("text"),
            papers=self._papers(),
            figures=figures,
            outcomes=outcomes,
            unchanged=unchanged,
            entered_channel=self.line("entered_channel") or None,
            entered_number=self.line("entered_number") or None,
        )

    def _figures(self, item: Item) -> dict[str, str]:
        given = {one.key: self.line(f"figure.{one.key}") for one in item.calendar.figures}
        return {key: text for key, text in given.items() if text}

    def _outcomes(self, item: Item) -> dict[str, OutcomeFiled]:
        return {
            one.key: OutcomeFiled(
                code=self.line(f"outcome.{one.key}.document") or None,
                issued_on=self.day(f"outcome.{one.key}.issued_on"),
                none_because=self.line(f"outcome.{one.key}.none") or None,
            )
            for one in item.calendar.outcomes
        }

    def focal(self, agency: str) -> ContactInput | None:
        """The focal point that a result names; None when all of its fields are empty."""
        given = {key: self.line(f"focal.{key}") for key in ("name", "post", "email", "phone")}
        if not any(given.values()):
            return None
        return ContactInput(agency_key=agency, kind=ContactKind.FOCAL, **given)

    def _papers(self) -> tuple[Paper, ...]:
        code, issued_on = self.line("document") or None, self.day("issued_on")
        title = self.line("title") or None
        if code is None and issued_on is not None:
            self.errors.setdefault("document", NEEDS_CODE)
        first, rest = (self.files[0] if self.files else None), self.files[1:]
        papers = []
        if code is not None or first is not None:
            papers.append(
                Paper(
                    code=code,
                    issued_on=issued_on,
                    title=title,
                    sha256=None if first is None else first.sha256,
                    file_name=None if first is None else first.file_name,
                )
            )
        papers += [Paper(sha256=one.sha256, file_name=one.file_name) for one in rest]
        return tuple(papers)
