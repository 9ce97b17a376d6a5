"""Tokens of the API: who issues them, what is kept of them, how they end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from models.tables import ApiToken, Event
from operations.api_tokens import NewToken, issue_token, list_tokens, revoke_token
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.stamp import Stamp
from portal.permissions import Visitor
from rules.actors import Actor, ActorKind
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def new(**changes: object) -> NewToken:
    """A token that can be issued, with changes."""
    usual: dict[str, object] = {
        "name": "QLVB",
        "purpose": "Công văn 15",
        "scopes": ["read"],
        "valid_to": date(2027, 12, 31),
        "agency": world.A,
    }
    return NewToken(**(usual | changes))  # type: ignore[arg-type]


def test_only_the_digest_is_kept_and_the_history_says_nothing_of_it(site: Site) -> None:
    """Rule 37."""
    issued = site.write(lambda s: issue_token(s, world.admin(), new()))
    assert re.fullmatch(r"td_[0-9a-f]{10}_[A-Za-z0-9_-]{43}", issued.text)
    row = site.read(lambda s: s.get_one(ApiToken, issued.id))
    assert row.secret_hash == hashlib.sha256(issued.text.encode()).hexdigest()
    event = site.read(lambda s: s.scalars(select(Event).where(Event.entity == "api_token")).one())
    assert (event.action, event.agency_key, event.reason) == ("issue", world.A, "Công văn 15")
    assert row.secret_hash not in event.snapshot
    assert issued.text not in event.snapshot


def test_only_administrators_issue_and_revoke(site: Site) -> None:
    program = Actor(kind=ActorKind.TOKEN, name="QLVB", account="td_0000000000", agency=world.A)
    others: list[Callable[[], Stamp]] = [
        world.coordinator,
        world.leadership,
        world.auditor,
        world.agency,
        lambda: world.stamp(program),
    ]
    issued = site.write(lambda s: issue_token(s, world.admin(), new()))
    for who in others:
        with pytest.raises(NotPermitted):
            site.write(lambda s, who=who: issue_token(s, who(), new()))  # type: ignore[misc]
        with pytest.raises(NotPermitted):
            site.write(lambda s, who=who: revoke_token(s, who(), issued.id, reason="x"))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 301}, "purpose"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["events"]}, "scopes"),
        ({"scopes": ["act"], "agency": None}, "scopes"),
        ({"valid_to": None}, "valid_to"),
        ({"valid_to": date(2027, 2, 28)}, "valid_to"),
        ({"valid_to": date(2031, 1, 1)}, "valid_to"),
        ({"agency": "khong_co"}, "agency"),
    ],
)
def test_token_that_says_too_little_or_too_much_is_not_issued(
    site: Site, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        site.write(lambda s: issue_token(s, world.admin(), new(**changes)))
    assert refused.value.field == field
    assert site.read(list_tokens) == []


def test_revoking_needs_a_reason_and_happens_once(site: Site) -> None:
    issued = site.write(lambda s: issue_token(s, world.admin(), new()))
    with pytest.raises(Refused, match="lý do"):
        site.write(lambda s: revoke_token(s, world.admin(), issued.id, reason=" "))
    site.write(lambda s: revoke_token(s, world.admin(), issued.id, reason="Lộ mã"))
    with pytest.raises(Conflict, match="Quản trị"):
        site.write(lambda s: revoke_token(s, world.admin(), issued.id, reason="Lộ mã"))
    with pytest.raises(NotFound):
        site.write(lambda s: revoke_token(s, world.admin(), "td_khac", reason="x"))


def test_administrator_issues_a_token_on_the_page_and_sees_it_once(site: Site) -> None:
    browser = site.logged_in(Visitor.ADMIN)
    page = browser.get("/danh-muc/ma-api")
    mark = re.findall(r'name="mark" value="([^"]+)"', page.text)[-1]
    form = {"mark": mark, "name": "QLVB", "agency": world.A, "scope.read": "1", "scope.act": "1"}
    wrong = browser.post("/danh-muc/ma-api", data=form | {"valid_to": "31/13/2027"})
    assert wrong.status_code == 422
    assert 'value="QLVB"' in wrong.text
    good = form | {"purpose": "Công văn 15", "valid_to": "31/12/2027"}
    answer = browser.post("/danh-muc/ma-api", data=good)
    found = re.search(r"td_[0-9a-f]{10}_[A-Za-z0-9_-]{43}", answer.text)
    assert found is not None
    assert answer.headers["cache-control"] == "no-store"
    assert site.program(found[0]).get("/api/v1/me").json()["scopes"] == ["act", "read"]
    again = browser.get("/danh-muc/ma-api")
    assert found[0] not in again.text
    assert "dùng gần nhất" in text_of(again)
    name = found[0][:13]
    gone = browser.post(
        f"/danh-muc/ma-api/{name}/thu-hoi", data={"mark": mark_of(again), "reason": "Thôi dùng"}
    )
    assert gone.status_code == 303
    assert "Đã thu hồi" in text_of(browser.get("/danh-muc/ma-api"))
    assert site.program(found[0]).get("/api/v1/me").status_code == 401
