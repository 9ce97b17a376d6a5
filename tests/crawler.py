"""Somebody who opens every link of a site and fills in every form with what we choose.

It knows nothing of the pages: what it does not find by links and forms, no user finds either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

import lxml.html
from fastapi.testclient import TestClient
from httpx import Response

_TYPED: Final = frozenset({"text", "search", "email", "tel", "url", "password", "date", "number"})
_LEAVES: Final = ("/dang-xuat",)
"""Forms that would end the walk."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it stands on a page: where it goes, what it carries, what a person fills in."""

    page: str
    action: str
    method: str
    carried: tuple[tuple[str, str], ...]
    typed: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What tells kinds of forms apart: the path without numbers, and its fields."""
        path = urlsplit(self.action).path
        kind = "/".join("#" if any(map(str.isdigit, part)) else part for part in path.split("/"))
        return kind, self.typed + self.files


@dataclass
class Crawler:
    """Walks one site as one visitor."""

    browser: TestClient
    most: int = 400
    """Pages at most; a walk that needs more has found an endless page."""
    seen: dict[str, Response] = field(default_factory=dict)
    forms: dict[tuple[str, tuple[str, ...]], Form] = field(default_factory=dict)

    def walk(self, *starts: str) -> None:
        """Open everything that can be reached from ``starts``."""
        waiting, kinds = list(starts), dict[str, int]()
        while waiting:
            path = waiting.pop(0)
            kind = _kind(path)
            if path in self.seen or kinds.get(kind, 0) >= 2:
                continue
            kinds[kind] = kinds.get(kind, 0) + 1
            assert len(self.seen) < self.most, f"more than {self.most} pages, the last: {path}"
            answer = self.browser.get(path)
            self.seen[path] = answer
            if answer.is_redirect and answer.headers["location"].startswith("/"):
                waiting.append(answer.headers["location"])
            if _is_page(answer):
                waiting += self._found(path, answer)

    def _found(self, path: str, answer: Response) -> Iterator[str]:
        tree = lxml.html.fromstring(answer.text)
        for form in tree.iter("form"):
            read = _form(path, form)
            if read.method == "post" and urlsplit(read.action).path not in _LEAVES:
                self.forms.setdefault(read.key, read)
        for link in tree.xpath("//a/@href | //iframe/@src"):
            target = urldefrag(urljoin(path, str(link)))[0]
            if target.startswith("/"):
                yield target

    def send(self, form: Form, text: Callable[[str], str], file: tuple[str, bytes]) -> Response:
        """Open the form's page again and send the form, each typed field filled by ``text``."""
        fresh = self._again(form)
        data: dict[str, Any] = {}
        for name, value in fresh.carried:
            data.setdefault(name, []).append(value)
        data |= {name: text(name) for name in fresh.typed}
        files = [(name, (*file, "application/octet-stream")) for name in fresh.files]
        answer: Response = self.browser.post(fresh.action, data=data, files=files or None)
        return answer

    def _again(self, form: Form) -> Form:
        answer = self.browser.get(form.page)
        if _is_page(answer):
            for one in lxml.html.fromstring(answer.text).iter("form"):
                read = _form(form.page, one)
                if read.key == form.key and read.method == "post":
                    return read
        return form


def _kind(path: str) -> str:
    parts = urlsplit(path)
    names = sorted(one.partition("=")[0] for one in parts.query.split("&"))
    inner = "/".join("#" if any(map(str.isdigit, part)) else part for part in parts.path.split("/"))
    return f"{inner}?{'&'.join(names)}"


def _is_page(answer: Response) -> bool:
    return "text/html" in answer.headers.get("content-type", "") and bool(answer.text.strip())


def _form(page: str, form: Any) -> Form:
    carried: list[tuple[str, str]] = []
    typed: list[str] = []
    files: list[str] = []
    for one in form.xpath(".//input | .//textarea | .//select | .//button"):
        name, kind = one.get("name"), _input_kind(one)
        if not name or kind == "button":
            continue
        if kind == "file":
            files.append(name)
        elif kind in _TYPED:
            typed.append(name)
        elif kind == "select":
            options = [option.get("value") or "" for option in one.iter("option")]
            carried.append((name, next(filter(None, options), "")))
        elif kind not in {"checkbox", "radio"} or one.get("checked") is not None:
            carried.append((name, one.get("value") or ""))
    action = urljoin(page, form.get("action") or page)
    return Form(
        page=page,
        action=action,
        method=(form.get("method") or "get").lower(),
        carried=tuple(carried),
        typed=tuple(dict.fromkeys(typed)),
        files=tuple(dict.fromkeys(files)),
    )


def _input_kind(one: Any) -> str:
    if one.tag == "textarea":
        return "text"
    if one.tag in {"select", "button"}:
        return str(one.tag)
    return str(one.get("type") or "text").lower()


def filled(values: Mapping[str, str], otherwise: str) -> Callable[[str], str]:
    """``values`` where a field has one of them, else ``otherwise``."""
    return lambda name: values.get(name, otherwise)
