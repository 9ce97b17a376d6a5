"""What every door is guarded by: headers, cookies, sessions, marks, hosts, methods, even timing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from models.tables import AccessLog, EndedSession
from operations import accounts
from portal.guard import HEADERS
from portal.permissions import API_SCOPES, TABLE, Visitor
from tests import portal_site
from tests.integration.test_portal_doors import LONG, password, stranger_mark
from tests.integration.test_portal_permissions import path_of
from tests.portal_routes import ROUTES
from tests.portal_site import Site, mark_of, text_of

OPEN_AND_KEPT = {"static", "guidance_picture", "calendar_feed", "open_schema"} | {
    f"open_{kind}" for kind in ("json", "atom", "rss")
}
"""What is nobody's own, or has a secret address, and may be kept for a while."""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        found.letter = found.token = "khong-co"
        yield found


def everything(site: Site, browser: TestClient, visitor: Visitor) -> Iterator[tuple[str, Response]]:
    """Every address that can be read, whatever becomes of it."""
    for name, route in ROUTES.items():
        if "GET" in (route.methods or ()):
            yield name, browser.get(path_of(site, name, visitor))


def test_every_answer_has_every_header_and_no_private_one_is_kept(site: Site) -> None:
    """Pages, files, errors, redirections, the API, for somebody with an account and a stranger."""
    for visitor in (Visitor.COORDINATOR, Visitor.ANYBODY):
        browser = site.browser() if visitor is Visitor.ANYBODY else site.logged_in(visitor)
        seen = 0
        for name, answer in everything(site, browser, visitor):
            seen += 1
            missing = [one for one in HEADERS if one not in answer.headers]
            assert not missing, (name, missing)
            assert answer.headers["x-content-type-options"] == "nosniff", name
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy, name
            assert "script-src" not in policy or "script-src 'none'" in policy, name
            assert "frame-ancestors" in policy, name
            if name not in OPEN_AND_KEPT:
                assert answer.headers["cache-control"] == "no-store", name
            assert "server" not in answer.headers, name
        assert seen > 80


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "XYZ"])
def test_other_methods_do_nothing(site: Site, method: str) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    before = site.counts()
    for name in ("work", "home", "logout", "login", "queue_act", "v1_act"):
        answer = browser.request(method, path_of(site, name, Visitor.COORDINATOR))
        assert answer.status_code == 405, name
        assert set(HEADERS) <= set(answer.headers), name
    assert site.counts() == before


def test_no_header_and_no_field_makes_one_method_another(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    mark = mark_of(browser.get("/"))
    for word in ("x-http-method-override", "x-http-method", "x-method-override"):
        assert browser.get("/dang-xuat", headers={word: "POST"}).status_code == 405
    assert browser.get(f"/dang-xuat?_method=POST&mark={mark}").status_code == 405
    assert browser.get("/").status_code == 200, "nobody was signed out"


def test_form_without_its_mark_or_from_another_site_does_nothing(site: Site) -> None:
    """Every form of every role; the mark of one session is no other's."""
    other = mark_of(site.logged_in(Visitor.ADMIN, username="khac").get("/"))
    for visitor in (Visitor.COORDINATOR, Visitor.ADMIN, Visitor.AGENCY):
        browser = site.logged_in(visitor)
        own, before = mark_of(browser.get("/", follow_redirects=True)), site.counts()
        for name, route in ROUTES.items():
            if "POST" not in (route.methods or ()) or name in API_SCOPES:
                continue
            path = path_of(site, name, visitor)
            site.app.state.portal.throttle._limiter.storage.reset()
            for mark in ("", "x", other):
                answer = browser.post(path, data={"mark": mark, "version": "1"})
                assert answer.status_code in {403, 404}, (name, answer.status_code)
            if TABLE[name] >= {Visitor.COORDINATOR} and "login" not in name:
                sent = {"mark": own, "version": "1"}
                away = browser.post(path, data=sent, headers={"sec-fetch-site": "cross-site"})
                assert away.status_code in {403, 404}, name
        assert site.counts() == before


def test_host_that_somebody_makes_up_stands_nowhere(site: Site) -> None:
    """Neither in pages, nor in addresses that lead on, nor in what others take over."""
    browser = site.logged_in(Visitor.COORDINATOR)
    headers = {"host": "evil.test", "x-forwarded-host": "evil.test", "forwarded": "host=evil.test"}
    for path in ("/", "/dang-nhap", "/mo", "/mo/ket-qua.json", "/api/v1/openapi.json", "/xuat/no"):
        answer = browser.get(path, headers=headers)
        assert "evil.test" not in answer.text, path
        assert "evil.test" not in str(answer.headers), path


def test_nobody_is_led_out_of_the_portal(site: Site) -> None:
    site.account(Visitor.AGENCY)
    for onward in (
        *("https://evil.test", "//evil.test", "/\\evil.test", "///evil.test", "\\\\evil.test"),
        *("javascript:alert(1)", "/\r\nlocation: https://evil.test", " /co-quan", "\t//evil.test"),
    ):
        site.app.state.portal.throttle._limiter.storage.reset()
        answer = password(site.browser(), "agency", onward=onward)
        place = answer.headers["location"]
        assert place.startswith("/"), ascii(onward)
        assert not place.startswith(("//", "/\\")), ascii(onward)
        shown = site.browser().get("/dang-nhap", params={"tiep": onward})
        assert not re.search(r"""(href|action|src)=["'][^"']*evil""", shown.text)


def test_by_https_cookies_are_of_this_host_alone_and_the_browser_stays_with_it(
    database_url: str, tmp_path: Path
) -> None:
    """A neighbour below the same domain can plant none (``__Host-``)."""
    address = "https://tiendo.tinh.test"
    with portal_site.site(database_url, tmp_path, portal_public_url=address) as site:
        browser = site.logged_in(Visitor.AGENCY)
        answer = password(site.browser(), "agency")
        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 2
        for one in cookies:
            assert re.match(r"__Host-tiendo_\w+=", one)
            for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
                assert word in one
            assert "Domain" not in one
        assert "max-age=31536000" in answer.headers["strict-transport-security"]
        assert browser.get("/co-quan").status_code == 200
        planted = site.browser()
        planted.cookies.set("tiendo_phien", browser.cookies["__Host-tiendo_phien"])
        assert planted.get("/co-quan").status_code == 401


def copied(site: Site, browser: TestClient) -> TestClient:
    """Another browser with a copy of somebody's session."""
    thief = site.browser()
    thief.cookies.set("tiendo_phien", browser.cookies["tiendo_phien"])
    return thief


def test_copy_of_a_session_ends_with_the_session(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    thief = copied(site, browser)
    assert thief.get("/co-quan").status_code == 200
    mark = mark_of(browser.get("/co-quan"))
    assert browser.post("/dang-xuat", data={"mark": mark}).status_code == 303
    assert thief.get("/co-quan").status_code == 401
    assert password(browser, "agency").status_code == 303
    assert browser.get("/co-quan").status_code == 200
    assert thief.get("/co-quan").status_code == 401
    site.clock.instant += timedelta(hours=13)
    again = site.browser()
    password(again, "agency")
    assert (
        again.post("/dang-xuat", data={"mark": mark_of(again.get("/co-quan"))}).status_code == 303
    )
    kept = site.read(lambda s: s.scalars(select(EndedSession)).all())
    assert len(kept) == 1, "what is over by itself is forgotten"


def test_no_session_lasts_longer_than_a_working_day(site: Site) -> None:
    """However busy: who copied a cookie could keep it warm for ever."""
    browser = site.logged_in(Visitor.COORDINATOR)
    for _ in range(71):
        site.clock.instant += timedelta(minutes=10)
        assert browser.get("/tai-khoan-cua-toi").status_code == 200
    site.clock.instant += timedelta(minutes=14)
    ended = browser.get("/tai-khoan-cua-toi")
    assert ended.status_code == 401
    assert "Đăng nhập" in text_of(ended)


def test_cookies_of_one_kind_open_no_other_door(site: Site) -> None:
    """Each signed value has a salt of its own, and one byte less is nothing."""
    browser = site.logged_in(Visitor.COORDINATOR)
    stranger = site.browser()
    stranger.get("/dang-nhap")
    values = {"tiendo_phien": browser.cookies["tiendo_phien"]}
    values["tiendo_truoc_dang_nhap"] = stranger.cookies["tiendo_truoc_dang_nhap"]
    for value in (values["tiendo_truoc_dang_nhap"], values["tiendo_phien"][:-1], "", "." * 5_000):
        thief = site.browser()
        for name in ("tiendo_phien", "tiendo_cho_ma", "tiendo_nguoi_cap_nhat"):
            thief.cookies.set(name, value)
        assert thief.get("/tong-quan").status_code in {401, 404}
        assert thief.get("/tai-khoan-cua-toi").status_code == 401


def test_unknown_wrong_and_locked_cost_the_same_and_read_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash is worked out in each case, with the same settings; counted, for clocks lie."""
    site.account(Visitor.AGENCY)
    worked: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, stored: str, typed: str) -> bool:
        worked.append(stored.split("$")[3])
        return verify(self, stored, typed)

    monkeypatch.setattr(accounts._HASHER.__class__, "verify", counted)
    told, costs = set(), []
    for name in ("khong.co", "agency", "agency", "agency", "agency", "agency", "agency"):
        worked.clear()
        answer = password(site.browser(), name, "mat-khau-sai-hoan-toan")
        assert answer.status_code == 403
        told.add(text_of(answer).replace(name, ""))
        costs.append(tuple(worked))
    assert len(told) == 1
    assert len(set(costs)) == 1
    assert len(costs[0]) == 1


def test_nothing_tells_who_has_an_account_or_a_mailbox(site: Site) -> None:
    """There is no form for a forgotten password; links that are none read alike; so do letters."""
    site.account(Visitor.AGENCY)
    browser = site.browser()
    assert "Quên mật khẩu: liên hệ quản trị hệ thống" in text_of(browser.get("/dang-nhap"))
    pages = [text_of(browser.get(f"/dat-mat-khau/{one}")) for one in ("agency", "khong", "x.y")]
    assert len({re.sub(r"yêu cầu: \w+", "", one) for one in pages}) == 1
    path = site.link(days=1)
    site.clock.instant += timedelta(days=2)
    page = browser.get(path)
    again = browser.post(f"{path}/gui-lai", data={"mark": mark_of(page)})
    assert again.status_code == 200
    assert "@" not in text_of(again)


def test_five_wrong_passwords_lock_also_when_tried_from_everywhere(site: Site) -> None:
    site.account(Visitor.AGENCY)
    for _ in range(5):
        site.app.state.portal.throttle._limiter.storage.reset()
        password(site.browser(), "agency", LONG)
    assert password(site.browser(), "agency").status_code == 403
    rows = site.read(lambda s: s.scalars(select(AccessLog.path)).all())
    assert rows.count("refused") == 6


def test_too_many_parts_or_fields_are_refused_with_a_page(site: Site) -> None:
    browser = site.browser()
    mark = stranger_mark(browser.get("/dang-nhap"))
    many = {f"o-{number}": "x" for number in range(5_000)}
    long = {"mark": mark, "username": "x" * 400_000}
    parts = {"files": [("file", (f"{one}.pdf", b"x")) for one in range(500)]}
    for how in ({"data": {"mark": mark, **many}}, {"data": long, "files": {"a": b""}}, parts):
        answer = browser.post("/dang-nhap", **how)
        assert 400 <= answer.status_code < 500
        assert "<main" in answer.text
    broken = browser.post(
        "/dang-nhap",
        content=b'--x\r\ncontent-disposition: form-data; name="a\r\n\r\n',
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    assert 400 <= broken.status_code < 500
    assert "<main" in broken.text


def test_deep_and_odd_json_is_refused_where_it_stands(site: Site) -> None:
    client = site.program(site.api_token())
    for body in (
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"",
        b"null",
        b"\xff",
        b'{"text": NaN}',
        b"1e999",
    ):
        answer = client.post(
            f"/api/v1/assignments/{site.work['I.1/xa_van_ninh']}/submit",
            content=body,
            headers={"content-type": "application/json"},
        )
        assert answer.status_code in {404, 422}, body[:10]
        assert answer.headers["content-type"] == "application/problem+json"
