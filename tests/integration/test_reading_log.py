"""Whatever somebody who checks reads leaves a line, pages, files and the API alike (rule 40)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.tables import AccessLog
from portal.permissions import API_SCOPES, TABLE, Visitor, may_open
from tests import portal_site
from tests.integration.test_portal_permissions import path_of
from tests.portal_routes import ROUTES
from tests.portal_site import Site, text_of

SEES_NOBODY = {
    *("health", "metrics", "static", "calendar_feed", "v1_openapi", "guidance_picture"),
    *("open_schema", "open_json", "open_atom", "open_rss"),
}
"""Looked at without anybody being asked for: signs of life, style sheets, a secret address, the
description of the API, pictures of the guidance, and what is published for everybody."""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        found.letter, found.token = "khong-co", "forged.token"
        yield found


def lines(site: Site, actor: str) -> int:
    """How many lines of the access log are of ``actor``."""
    query = select(func.count()).select_from(AccessLog).where(AccessLog.actor.startswith(actor))
    return site.read(lambda session: session.scalar(query) or 0)


def test_every_page_and_file_that_an_auditor_opens_leaves_a_line(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    opened = [
        route
        for route in sorted(TABLE)
        if may_open(route, Visitor.AUDITOR, trial=True)
        and route not in SEES_NOBODY
        and "{token}" not in ROUTES[route].path
        and "GET" in (ROUTES[route].methods or set())
    ]
    assert {"work", "findings_export", "reading", "finding_file", "v1_docs"} <= set(opened)
    for route in opened:
        for ask in (browser.get, browser.head):
            before = lines(site, "account:auditor")
            ask(path_of(site, route, Visitor.AUDITOR))
            assert lines(site, "account:auditor") > before, route


def test_every_call_of_a_service_leaves_a_line(site: Site) -> None:
    program = site.program(site.api_token(None))
    for route in sorted(API_SCOPES):
        if "GET" not in (ROUTES[route].methods or set()):
            continue
        before = lines(site, "token:")
        program.get(path_of(site, route, Visitor.TOKEN_SERVICE))
        assert lines(site, "token:") > before, route


def test_administrators_and_auditors_see_all_reading_others_their_own(site: Site) -> None:
    site.logged_in(Visitor.LEADERSHIP).get("/kiem-tra/kien-nghi/xuat/csv")
    site.logged_in(Visitor.AUDITOR).get("/kiem-tra/ngoai-le")
    path = "/kiem-tra/nhat-ky/xuat/csv"
    for visitor in (Visitor.ADMIN, Visitor.AUDITOR):
        browser = site.logged_in(visitor, username=f"{visitor.value}.hai")
        seen = browser.get(path).content.decode("utf-8-sig")
        assert "Người dùng leadership (leadership)" in seen
        assert "Người dùng auditor (auditor)" in seen
        assert "Của mọi tài khoản" in text_of(browser.get("/kiem-tra/nhat-ky"))
    for visitor in (Visitor.COORDINATOR, Visitor.LEADERSHIP):
        browser = site.logged_in(visitor, username=f"{visitor.value}.hai")
        seen = browser.get(path).content.decode("utf-8-sig")
        assert "(leadership)" not in seen
        assert "(auditor)" not in seen


def test_what_an_agency_downloads_is_logged_under_its_account(site: Site) -> None:
    site.logged_in(Visitor.AGENCY).get("/co-quan/xuat/csv")
    assert lines(site, "account:agency") == 1
