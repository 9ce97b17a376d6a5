"""A portal over the small world of ``tests.world``, asked as a browser would ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from html import unescape
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Base
from operations.accounts import NewAccount, add_account
from operations.api_tokens import NewToken, issue_token
from operations.links import LINK_PATH, LinkPurpose, issue
from operations.stamp import Stamp
from portal.app import create_app
from portal.permissions import Visitor
from rules.actors import AccountRole, flow_actor
from rules.values import Role
from runtime.clock import FixedClock
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime
from tests import world

PASSWORD = "mat-khau-rat-dai-2027"
SECRET = "a-secret-for-tests-that-is-long-enough-indeed"
MORNING = datetime.combine(world.TODAY, time(2), UTC)

_T = TypeVar("_T")
_ROLES = {
    Visitor.AGENCY: (AccountRole.AGENCY, world.A),
    Visitor.COORDINATOR: (AccountRole.COORDINATOR, world.COORDINATOR),
    Visitor.LEADERSHIP: (AccountRole.LEADERSHIP, world.COORDINATOR),
    Visitor.ADMIN: (AccountRole.ADMIN, None),
    Visitor.AUDITOR: (AccountRole.AUDITOR, None),
}


@cache
def _hashed() -> str:
    """The password as accounts store it, in the quick way of the tests."""
    return PasswordHasher(1, 8, 1).hash(PASSWORD)


@dataclass
class Site:
    """The wired portal, its clock, and the rows it begins with."""

    runtime: Runtime
    app: FastAPI
    clock: FixedClock
    letter: str = ""
    token: str = ""
    work: dict[str, int] = field(default_factory=dict)
    """``I.1/xa_van_ninh`` to the id of the assignment."""

    def browser(self) -> TestClient:
        """A browser without any cookie."""
        return TestClient(
            self.app,
            base_url=self.runtime.settings.portal_url,
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def write(self, do: Callable[[Session], _T]) -> _T:
        """Do something to the database, and commit it."""
        with self.runtime.database.write() as session:
            return do(session)

    def read(self, ask: Callable[[Session], _T]) -> _T:
        """Ask the database something."""
        with self.runtime.database.read() as session:
            return ask(session)

    def link(self, agency: str = world.A, *, mailbox: str | None = None, days: int = 30) -> str:
        """The path of a fresh link of an agency's letter."""
        box = mailbox or f"{agency}@co-quan.test"
        stamp = Stamp(at=self.clock.now(), as_of=world.TODAY, actor=flow_actor("delivery"))
        text = self.write(
            lambda session: issue(
                session,
                stamp,
                mailbox=box,
                agency=agency,
                purpose=LinkPurpose.WORK,
                secret=SECRET,
                days=days,
            )
        )
        return f"{LINK_PATH}{text}"

    def account(self, visitor: Visitor, username: str = "", agency: str | None = None) -> str:
        """Open an account for ``visitor`` and return its user name."""
        role, home = _ROLES[visitor]
        name = username or visitor.value
        new = NewAccount(
            username=name,
            name=f"Người dùng {name}",
            role=role,
            agency=agency or home,
            basis="Quyết định thử",
            valid_to=date(2028, 12, 31),
        )
        self.write(
            lambda session: setattr(
                add_account(session, world.admin(), new), "password_hash", _hashed()
            )
        )
        return name

    def logged_in(self, visitor: Visitor, **how: str) -> TestClient:
        """A browser in which somebody has logged in."""
        username, browser = self.account(visitor, **how), self.browser()
        page = browser.get("/dang-nhap")
        answer = browser.post(
            "/dang-nhap",
            data={"mark": mark_of(page), "username": username, "password": PASSWORD},
        )
        assert answer.status_code == 303, text_of(answer)
        return browser

    def api_token(
        self, agency: str | None = world.A, *scopes: str, valid_to: date = date(2027, 12, 31)
    ) -> str:
        """The text of a fresh token of the API; ``agency`` None is a service's."""
        usual = ("read", "act") if agency else ("read", "events")
        new = NewToken(
            name="Phần mềm quản lý văn bản",
            purpose="Công văn số 15/UBND-VX",
            scopes=scopes or usual,
            valid_to=valid_to,
            agency=agency,
        )
        return self.write(lambda session: issue_token(session, world.admin(), new)).text

    def program(self, token: str) -> TestClient:
        """A program that calls with a token."""
        client = self.browser()
        client.headers["authorization"] = f"Bearer {token}"
        return client

    def counts(self) -> dict[str, int]:
        """How many rows each table has; the access log is left out, for looking is logged."""

        def ask(session: Session) -> dict[str, int]:
            return {
                name: session.scalar(select(func.count()).select_from(table)) or 0
                for name, table in Base.metadata.tables.items()
                if name != "access_log"
            }

        return self.read(ask)


@contextmanager
def site(url: str, folder: Path, **settings: object) -> Iterator[Site]:
    """A portal on a database with the small plan and its open work."""
    values: dict[str, object] = {
        "data_dir": folder,
        "database_url": url,
        "link_secret": SECRET,
        "portal_public_url": "http://tiendo.test",
    }
    clock = FixedClock(MORNING)
    runtime = open_runtime(Settings(_env_file=None, **(values | settings)), clock=clock)  # type: ignore[arg-type]
    try:
        with runtime.database.write() as session:
            world.found(session)
            known = open_everything(session)
        yield Site(runtime=runtime, app=create_app(runtime), clock=clock, work=known)
    finally:
        runtime.close()


def open_everything(session: Session) -> dict[str, int]:
    """Open I.1 for two agencies, II.3 for the coordinator, and a check-in."""
    known: dict[str, int] = {}
    for item, leads, partners in (
        ("I.1", (world.A, world.B), (world.COORDINATOR,)),
        ("II.3", (world.COORDINATOR,), (world.A,)),
        ("II.5", (world.A, world.C), ()),
    ):
        occurrence = world.open_work(session, item, leads=leads, partners=partners)
        for key in leads:
            known[f"{item}/{key}"] = world.row_of(session, occurrence, key).id
        for key in partners:
            row = world.row_of(session, occurrence, key, Role.PARTNER)
            known[f"{item}/{key}/partner"] = row.id
    return known


def mark_of(page: Response) -> str:
    """The mark that the forms of a page carry."""
    found = re.search(r'name="mark" value="([^"]+)"', page.text)
    assert found is not None, page.text[:400]
    return found[1]


def version_of(page: Response) -> str:
    """The row version that the forms of a page carry."""
    found = re.search(r'name="version" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def text_of(page: Response) -> str:
    """The words of a page, without tags."""
    body = re.sub(r"<[^>]+>", " ", page.text)
    return " ".join(unescape(body).split())


RESULT: Mapping[str, str] = {
    "document": "125/QĐ-UBND",
    "issued_on": "26/2/2027",
    "text": "Đã ban hành quyết định phân công.",
    "who_name": "Nguyễn Thị Hoa",
    "who_post": "Công chức Văn phòng",
}
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def send(
    browser: TestClient,
    page_path: str,
    deed: str,
    values: Mapping[str, str],
    *,
    files: Sequence[tuple[str, bytes]] = (),
    page: Response | None = None,
) -> Response:
    """Open a page of work, fill in one of its forms and send it."""
    seen = page or browser.get(page_path)
    data = {"mark": mark_of(seen), "version": version_of(seen), **values}
    parts = [("file", (name, content, "application/octet-stream")) for name, content in files]
    answer: Response = browser.post(f"{page_path}/{deed}", data=data, files=parts or None)
    return answer
