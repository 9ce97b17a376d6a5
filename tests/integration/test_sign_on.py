"""Single sign-on by OpenID Connect: away from the sign-in page, back, and in where there is an account.

What of the provider's word is believed is proved in ``test_sign_on_provider``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from prometheus_client import generate_latest
from pydantic import SecretStr
from sqlalchemy import select

from models.tables import AccessLog, Account, SignOn
from operations.accounts import disable_account, set_email
from operations.sign_on import authenticate_by_provider
from portal.permissions import Visitor
from runtime.sign_on import Provider
from tests import portal_site, world
from tests.integration.test_portal_doors import (
    LONG,
    code,
    own,
    password,
    second,
    stranger_mark,
    switch_on,
)
from tests.portal_site import PASSWORD, RESULT, Site, mark_of, send, text_of
from tests.providers import CLIENT, SECRET, Liar, agree, by_key, lying_provider, real_provider

NAME = "tài khoản dùng chung của tỉnh"


def settings(issuer: str) -> dict[str, object]:
    return {
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SecretStr(SECRET),
        "oidc_name": NAME,
    }


def provide(site: Site, **more: object) -> None:
    """Other settings of single sign-on, as after a start with them."""
    changed = site.runtime.settings.model_copy(update=dict(more))
    runtime = replace(site.runtime, settings=changed)
    portal = site.app.state.portal
    site.app.state.portal = replace(portal, runtime=runtime, provider=Provider(changed))


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_provider(lambda: datetime.now(UTC)) as found:
        yield found


@pytest.fixture
def site(database_url: str, tmp_path: Path, liar: Liar) -> Iterator[Site]:
    """A portal with open work and a provider that does as it is told."""
    with portal_site.site(database_url, tmp_path, **settings(liar.issuer)) as found:
        liar.now = found.clock.now
        yield found


def away(browser: TestClient, **fields: str) -> Response:
    """Press the button of the sign-in page."""
    page = browser.get("/dang-nhap")
    assert f"Đăng nhập bằng {NAME}" in text_of(page)
    data = {"mark": stranger_mark(page), **fields}
    answer: Response = browser.post("/dang-nhap/mot-lan", data=data)
    return answer


def led_to(answer: Response) -> str:
    """The address that the page leads to, by itself and by its button."""
    assert answer.status_code == 200, text_of(answer)
    address = answer.headers["refresh"].removeprefix("0; url=")
    assert unescape(re.findall(r'class="button" href="([^"]+)"', answer.text)[0]) == address
    return str(address)


def inside(address: str) -> str:
    return address.removeprefix("http://tiendo.test")


def patient(site: Site) -> TestClient:
    """A browser in front of limits that have counted nobody yet."""
    site.app.state.portal.throttle._limiter.storage.reset()
    return site.browser()


def come_back(site: Site, liar: Liar, browser: TestClient, **fields: str) -> Response:
    back = liar.agree(led_to(away(browser, **fields)))
    answer: Response = browser.get(inside(back))
    return answer


def test_real_provider_lets_in_whom_it_knows_and_we_know(database_url: str, tmp_path: Path) -> None:
    """oidc-provider-mock as its own process: away, agreed there, back, in; and out again."""
    people = [
        {"sub": "u-7", "preferred_username": "coordinator"},
        {"sub": "u-8", "preferred_username": "khong.quen"},
    ]
    with (
        real_provider(*people) as issuer,
        portal_site.site(database_url, tmp_path, **settings(issuer)) as site,
    ):
        site.clock.instant = datetime.now(UTC)  # that of the provider
        site.account(Visitor.COORDINATOR)
        browser = site.browser()
        back = agree(led_to(away(browser, onward="/tai-khoan-cua-toi")), "u-7")
        answer = browser.get(inside(back))
        assert (answer.status_code, answer.headers["location"]) == (303, "/tai-khoan-cua-toi")
        page = browser.get("/tai-khoan-cua-toi")
        assert "● Thành công, qua đăng nhập một lần" in text_of(page)
        again = browser.get(inside(back))
        assert again.status_code == 403
        assert "đã được dùng" in text_of(again)
        out = browser.post("/dang-xuat", data={"mark": mark_of(page)})
        assert "vẫn còn trên máy này" in text_of(out)
        assert f'href="{issuer}/oauth2/end_session?client_id=tiendo' in out.text
        assert browser.get("/tai-khoan-cua-toi").status_code == 401
        stranger = site.browser()
        refused = stranger.get(inside(agree(led_to(away(stranger)), "u-8")))
        assert refused.status_code == 403
        assert "“khong.quen”, nhưng chưa có tài khoản" in text_of(refused)
        assert site.read(lambda s: len(s.scalars(select(Account)).all())) == 1


def test_sign_on_and_refusal_are_logged_as_those_of_passwords_are(site: Site, liar: Liar) -> None:
    site.account(Visitor.AGENCY)
    assert come_back(site, liar, site.browser()).status_code == 303
    liar.claims = {"preferred_username": "ai\u202e-do"}
    assert come_back(site, liar, site.browser()).status_code == 403
    figures = generate_latest(site.app.state.portal.meters.registry).decode()
    assert "tiendo_logins_refused_total 1.0" in figures
    rows = site.read(
        lambda s: s.scalars(
            select(AccessLog).where(AccessLog.method == "login").order_by(AccessLog.id)
        ).all()
    )
    assert [(one.actor, one.path) for one in rows] == [
        ("agency", "provider_ok"),
        ("ai-do", "refused"),
    ]
    assert all(one.address for one in rows)


def test_word_that_is_not_believed_lets_nobody_in_and_loses_nothing(site: Site, liar: Liar) -> None:
    site.account(Visitor.AGENCY)
    liar.sign, browser = by_key("two", kid="one"), site.browser()
    answer = come_back(site, liar, browser, onward="/co-quan")
    assert answer.status_code == 403
    assert "hệ thống không cho vào" in text_of(answer)
    liar.raw["/token"] = (500, b"")
    silent = come_back(site, liar, browser, onward="/co-quan")
    assert silent.status_code == 503
    assert "hoặc đăng nhập bằng mật khẩu" in text_of(silent)
    for page in (answer, silent):
        assert 'name="password"' in page.text
        assert 'name="onward" value="/co-quan"' in page.text
    assert "tiendo_phien" not in browser.cookies


def test_state_is_good_once_in_its_browser_and_for_ten_minutes(site: Site, liar: Liar) -> None:
    site.account(Visitor.AGENCY)
    browser, other = site.browser(), site.browser()
    back = inside(liar.agree(led_to(away(browser))))
    other.get("/dang-nhap")
    assert "trình duyệt khác" in text_of(other.get(back))
    assert browser.head(back).status_code == 200
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403
    forged = back.replace("state=", "state=x")
    assert "đăng nhập lại" in text_of(browser.get(forged))
    late = inside(liar.agree(led_to(away(site.browser()))))
    site.clock.instant += timedelta(minutes=11)
    assert "quá 10 phút" in text_of(browser.get(late))
    led_to(away(site.browser()))
    assert len(site.read(lambda s: s.scalars(select(SignOn)).all())) == 1, "the rest is forgotten"


def test_code_of_another_request_is_good_for_nothing(site: Site, liar: Liar) -> None:
    """A code is bound to its verifier (PKCE), an ID token to its nonce: nobody can be planted."""
    site.account(Visitor.AGENCY)
    mine, theirs = site.browser(), site.browser()
    stolen = liar.agree(led_to(away(theirs)))
    back = liar.agree(led_to(away(mine)))
    their_code = re.findall(r"code=([^&]+)", stolen)[0]
    mixed = re.sub(r"code=[^&]+", f"code={their_code}", inside(back))
    assert "hệ thống không cho vào" in text_of(mine.get(mixed))
    replayed = liar.agree(led_to(away(mine)))
    assert mine.get(inside(replayed)).status_code == 303
    used = re.findall(r"code=([^&]+)", replayed)[0]
    fresh = re.sub(r"code=[^&]+", f"code={used}", inside(liar.agree(led_to(away(mine)))))
    assert mine.get(fresh).status_code == 403


def test_address_that_leads_away_says_what_it_must(site: Site, liar: Liar) -> None:
    address = led_to(away(site.browser()))
    for word in ("code_challenge_method=S256", "nonce=", "state=", "scope=openid"):
        assert word in address
    assert SECRET not in address
    assert "/dang-nhap/mot-lan/ve" in address.replace("%2F", "/")


def test_provider_that_says_no_or_names_another_issuer_is_told_kindly(
    site: Site, liar: Liar
) -> None:
    browser = site.browser()
    state = re.findall(r"state=([^&]+)", led_to(away(browser)))[0]
    denied = browser.get(f"/dang-nhap/mot-lan/ve?error=access_denied&state={state}")
    assert denied.status_code == 403
    assert "chưa hoàn thành" in text_of(denied)
    back = inside(liar.agree(led_to(away(browser))))
    mixed_up = browser.get(f"{back}&iss=https://khac.test")
    assert "chưa hoàn thành" in text_of(mixed_up)


def test_provider_that_is_gone_leaves_the_password(site: Site) -> None:
    provide(site, oidc_issuer="http://127.0.0.1:9")
    answer = away(site.browser(), onward="/co-quan")
    assert answer.status_code == 503
    assert "chưa trả lời" in text_of(answer)
    assert 'name="onward" value="/co-quan"' in answer.text


def test_second_factor_of_the_provider_counts_only_where_it_says_so(site: Site, liar: Liar) -> None:
    provide(site, oidc_second_factor_acr=("muc-2",))
    secret, _ = switch_on(site, site.logged_in(Visitor.AGENCY), "agency")
    strong: tuple[dict[str, Any], ...] = ({"amr": ["pwd", "mfa"]}, {"acr": "muc-2"})
    for told in strong:
        liar.claims = told
        answer = come_back(site, liar, site.browser(), onward="/co-quan")
        assert answer.headers["location"] == "/co-quan", told
    liar.claims, browser = {"amr": ["pwd"], "acr": "muc-1"}, site.browser()
    answer = come_back(site, liar, browser, onward="/co-quan")
    assert "cần thêm mã xác thực của Tiến độ" in text_of(answer)
    assert browser.get("/co-quan").status_code == 401
    wrong = second(browser, answer, "000000")
    assert f"Đã đăng nhập bằng {NAME}" in text_of(wrong)
    site.clock.instant += timedelta(minutes=1)
    assert second(browser, wrong, code(site, secret)).headers["location"] == "/co-quan"


def test_locked_ended_and_switched_off_accounts_stay_closed(site: Site, liar: Liar) -> None:
    site.account(Visitor.AGENCY)
    for _ in range(5):
        password(site.browser(), "agency", "sai")
    assert "tạm khóa" in text_of(come_back(site, liar, site.browser()))
    site.clock.instant += timedelta(minutes=16)
    browser = site.browser()
    assert come_back(site, liar, browser).status_code == 303
    site.write(lambda s: disable_account(s, world.admin(), "agency", reason="Chuyển công tác"))
    assert browser.get("/co-quan").status_code == 401, "out at once, as after a password"
    assert "ngừng sử dụng" in text_of(come_back(site, liar, site.browser()))


ALIKE = ("a\u200bgency", "\u0430gency", "agenc\u00fd", "\uff41gency", "agency\u202e", "a" * 500)
"""Hidden between letters, Cyrillic, accented, wide, written from the right, and too long."""


def test_name_that_only_looks_alike_is_another_name(site: Site, liar: Liar) -> None:
    site.account(Visitor.AGENCY)
    for told in ALIKE:
        liar.claims = {"preferred_username": told}
        answer = come_back(site, liar, patient(site))
        assert answer.status_code == 403, ascii(told)
        assert "chưa có tài khoản" in text_of(answer)
        assert "\u202e" not in answer.text


def test_kelvin_sign_is_no_k(site: Site) -> None:
    """Its small letter is an ASCII k: what is lowered first would be somebody else."""
    site.account(Visitor.AGENCY, username="kien")
    found = site.write(
        lambda s: authenticate_by_provider(
            s, world.admin(), "\u212aien", by_email=False, strong=False
        )
    )
    assert found.account is None
    site.write(lambda s: set_email(s, world.admin(), "kien", "kien@tinh.test"))
    for told, right in (("\u212aien@tinh.test", False), ("KIEN@tinh.test", True)):
        with site.runtime.database.write() as session:
            found = authenticate_by_provider(
                session, world.admin(), told, by_email=True, strong=False
            )
        assert (found.account is not None) is right


def test_address_counts_only_where_the_provider_verified_it(site: Site, liar: Liar) -> None:
    provide(site, oidc_claim="email", oidc_match="email")
    site.account(Visitor.AGENCY)
    site.write(lambda s: set_email(s, world.admin(), "agency", "hoa@vanninh.test"))
    liar.claims = {"email": "Hoa@vanninh.test"}
    assert come_back(site, liar, site.browser()).status_code == 403
    liar.claims["email_verified"] = "true"
    assert come_back(site, liar, site.browser()).status_code == 403
    liar.claims["email_verified"] = True
    assert come_back(site, liar, site.browser()).status_code == 303
    site.account(Visitor.ADMIN)
    site.write(lambda s: set_email(s, world.admin(), "admin", "hoa@vanninh.test"))
    two = come_back(site, liar, site.browser())
    assert "ghi ở nhiều tài khoản" in text_of(two)


def test_nobody_writes_an_address_by_which_others_sign_in(site: Site, liar: Liar) -> None:
    """Who could write another's address into the own account would be signed in as."""
    browser = site.logged_in(Visitor.AGENCY)
    provide(site, oidc_claim="email", oidc_match="email")
    data = {"name": "Nguyễn Thị Hoa", "post": "", "email": "admin@tinh.test"}
    assert own(browser, "thong-tin", **data).status_code == 303
    page = browser.get("/tai-khoan-cua-toi")
    assert "do quản trị hệ thống sửa" in text_of(page)
    assert 'name="email"' not in page.text
    emails = site.read(lambda s: s.scalars(select(Account.email)).all())
    assert emails == [None]
    admin = site.logged_in(Visitor.ADMIN)
    path = "/danh-muc/tai-khoan/agency"
    for email, status in (("không phải", 422), ("hoa@vanninh.test", 303)):
        data = {"mark": mark_of(admin.get(path)), "email": email}
        assert admin.post(f"{path}/thu-dien-tu", data=data).status_code == status
    assert "hoa@vanninh.test" in text_of(admin.get(path))
    event = site.read(lambda s: world.events(s, "account", "agency"))[-1]
    assert (event.action, event.actor_name) == ("correct", "Người dùng admin")


def test_form_is_kept_through_single_sign_on(site: Site, liar: Liar) -> None:
    """Rule 26."""
    browser = site.logged_in(Visitor.AGENCY)
    page = f"/co-quan/viec/{site.work['I.1/xa_van_ninh']}"
    seen = browser.get(page)
    site.clock.instant += timedelta(minutes=20)
    ended = send(browser, page, "cap-nhat", RESULT, page=seen)
    assert ended.status_code == 401
    kept = ended.text.split('name="kept" value="')[1].split('"')[0]
    data = {"mark": stranger_mark(ended), "kept": kept}
    back = liar.agree(led_to(browser.post("/dang-nhap/mot-lan", data=data)))
    again = browser.get(inside(back))
    assert "Đã ban hành quyết định phân công." in text_of(again)
    body = again.text.split("<main")[1]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body))
    assert browser.post(f"{page}/cap-nhat", data=hidden).status_code == 303


def test_session_is_a_new_one_and_its_rules_are_the_same(site: Site, liar: Liar) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    before = browser.cookies["tiendo_phien"]
    assert come_back(site, liar, browser).status_code == 303
    assert browser.cookies["tiendo_phien"] != before
    new = {"current": PASSWORD, "password": LONG, "password_again": LONG}
    there = site.browser()
    assert come_back(site, liar, there).status_code == 303
    assert own(browser, "mat-khau", **new).status_code == 303
    assert there.get("/co-quan").status_code == 401
    site.clock.instant += timedelta(minutes=16)
    assert browser.get("/co-quan").status_code == 401


def test_start_without_the_mark_of_the_page_goes_nowhere(site: Site, liar: Liar) -> None:
    browser = site.browser()
    assert browser.post("/dang-nhap/mot-lan", data={}).status_code == 403
    assert browser.get("/dang-nhap/mot-lan").status_code == 405
    assert not liar.asked


def test_nobody_is_led_out_of_the_portal_afterwards(site: Site, liar: Liar) -> None:
    site.account(Visitor.AGENCY)
    for onward in ("https://khac.test", "//khac.test", "/\\khac.test", "x", "javascript:alert(1)"):
        answer = come_back(site, liar, patient(site), onward=onward)
        assert answer.headers["location"] == "/", onward


def test_without_a_provider_there_is_no_such_door(database_url: str, tmp_path: Path) -> None:
    with portal_site.site(database_url, tmp_path) as site:
        browser = site.browser()
        page = browser.get("/dang-nhap")
        assert "Đăng nhập bằng" not in text_of(page)
        data = {"mark": stranger_mark(page)}
        assert browser.post("/dang-nhap/mot-lan", data=data).status_code == 404
        assert browser.get("/dang-nhap/mot-lan/ve?code=a&state=b").status_code == 404
