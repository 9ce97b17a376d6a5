"""Every route with every visitor: exactly what the one table of permissions says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from operations.links import LINK_PATH
from operations.state import Facts, set_fact
from portal.permissions import BY_LINK, MAILBOX_ROUTES, TABLE, Visitor, may_open
from tests import portal_site, world
from tests.portal_routes import ROUTES, address
from tests.portal_site import PDF, RESULT, Site, mark_of, send

TOKENS = {Visitor.TOKEN_AGENCY: world.A, Visitor.TOKEN_SERVICE: None}
STRANGERS = {Visitor.ANYBODY, Visitor.LINK, *TOKENS}
"""Who opens no page by an account of their own."""


def browser_of(site: Site, visitor: Visitor) -> TestClient:
    """Whatever a visitor comes with: nothing, a session, a token."""
    if visitor in TOKENS:
        return site.program(site.api_token(TOKENS[visitor]))
    return site.browser() if visitor in STRANGERS else site.logged_in(visitor)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with a letter in the mailbox and a filed file."""
    from notifications.mailbox import store

    with portal_site.site(database_url, tmp_path) as found:
        letter = b"Subject: thu\r\nFrom: a@b.test\r\n\r\nxin chao\r\n"
        folder = found.runtime.settings.mailbox_dir
        folder.mkdir(parents=True)
        name = store(folder, letter, to="xa@co-quan.test", received_at=portal_site.MORNING)
        link = found.link()
        path = f"{link}/viec/{found.work['I.1/xa_van_ninh']}"
        send(found.browser(), path, "cap-nhat", RESULT, files=[("a.pdf", PDF)])
        found.letter, found.token = name, link.removeprefix(LINK_PATH)
        yield found


SAMPLES = {
    "deed": "vuong-mac",
    "change": "hop-nhat",
    "evidence_id": "1",
    "occurrence": "1",
    "number": "0",
    "name": "style.css",
    "table": "phan-cong",
    "plan": world.PLAN,
    "item": "I.1",
    "kind": "csv",
    "key": "forged.key",
    "secret": "khong.co",
    "open_json.kind": "ket-qua",
    "open_atom.kind": "ket-qua",
    "open_rss.kind": "ket-qua",
    "open_kind": "results",
    "guide": "co-quan",
    "picture_name": "co-quan-thu.png",
    "v1_item.key": "I.1",
    "action": "start",
    "sha256": "0" * 64,
    "what": "don-doc",
    "document_file.kind": "pdf",
    "task_dossier.kind": "docx",
    "milestone_dossier.kind": "pdf",
    "year": "2027",
}
"""Parameters of routes; those of the letter, the work and the link are known once a site is."""


def path_of(site: Site, route: str, visitor: Visitor) -> str:
    """The address of a route, with things in it that are there."""
    own = {Visitor.COORDINATOR: "II.3/so_noi_vu"}.get(visitor, "I.1/xa_van_ninh")
    values = SAMPLES | {
        "token": site.token if visitor is Visitor.LINK else "forged.token",
        "work_id": str(site.work[own]),
        "assignment": str(site.work[own]),
        "letter_id": site.letter,
    }
    return address(route, values)


def ask(site: Site, browser: TestClient, route: str, visitor: Visitor) -> Response:
    """Ask for a route, with the mark of this visitor where a form is sent."""
    path = path_of(site, route, visitor)
    if "POST" not in (ROUTES[route].methods or set()):
        answer: Response = browser.get(path)
        return answer
    if path.startswith("/api/"):
        sent: Response = browser.post(path, json={})
        return sent
    if visitor is Visitor.LINK and "{token}" in ROUTES[route].path:
        mark = mark_of(browser.get(f"{LINK_PATH}{site.token}/viec/{site.work['I.1/xa_van_ninh']}"))
    else:
        stranger = route in {"login", "login_code", "sign_on", "first_account", "new_password"}
        home = browser.get("/dang-nhap" if stranger else "/", follow_redirects=True)
        # The form of the page itself is the last one; above it stands the one that logs out.
        mark = (re.findall(r'name="mark" value="([^"]+)"', home.text) or [""])[-1]
    posted: Response = browser.post(path, data={"mark": mark, "version": "0"})
    return posted


def is_open(answer: Response, route: str) -> bool:
    """Whether somebody was let in, whatever became of it."""
    if route == "login_code":
        return answer.status_code == 401 and "đăng nhập lại" in answer.text
    if route == "login":
        return answer.status_code == 403 and "không đúng" in answer.text
    return answer.status_code not in {401, 403}


@pytest.mark.parametrize("visitor", list(Visitor))
def test_every_route_opens_for_whom_the_table_says(site: Site, visitor: Visitor) -> None:
    stranger, browser = visitor in STRANGERS, browser_of(site, visitor)
    for route, who in sorted(TABLE.items(), key=lambda row: row[0] == "logout"):
        if route == "logout" and stranger:
            assert browser.post("/dang-xuat").status_code == 401
            continue
        answer = ask(site, browser, route, visitor)
        if "{token}" in ROUTES[route].path:
            # More forged links than anybody has; how many are too many is another test's.
            site.app.state.portal.throttle._limiter.storage.reset()
            # The link itself is the permission: an account opens none of these pages.
            assert (answer.status_code == 404 and "Liên kết không đúng" in answer.text) is (
                visitor is not Visitor.LINK
            ), (route, answer.status_code)
            continue
        assert who != BY_LINK
        assert is_open(answer, route) is may_open(route, visitor, trial=True), (
            route,
            answer.status_code,
        )


def test_local_mailbox_of_a_live_database_is_for_those_who_run_it(site: Site) -> None:
    site.write(lambda s: set_fact(s, world.admin(), Facts.TRIAL, "false"))
    for visitor in Visitor:
        browser = browser_of(site, visitor)
        for route in sorted(MAILBOX_ROUTES - {"letter_file"}):
            answer = ask(site, browser, route, visitor)
            assert is_open(answer, route) is may_open(route, visitor, trial=False), (route, visitor)
    assert "Hộp thư thử" not in site.browser().get("/").text


def test_those_who_only_read_see_no_form_that_decides(site: Site) -> None:
    for visitor in (Visitor.AUDITOR, Visitor.ADMIN):
        browser = site.logged_in(visitor)
        page = browser.get(f"/viec/{site.work['I.1/xa_van_ninh']}")
        assert page.status_code == 200
        main = page.text.split("<main")[1]
        # The form that asks how the page was known at an instant changes nothing.
        assert 'method="post"' not in main
        assert main.count("<form") == main.count('<form method="get"')


def test_a_route_that_the_table_does_not_know_stops_the_start() -> None:
    assert set(ROUTES) == set(TABLE)
