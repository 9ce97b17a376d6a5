"""The lines of the log: what they say of each request, and what they never say."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models.tables import Letter, LetterState
from operations.account_links import issue_password_link
from operations.links import LINK_PATH
from portal.app import page_routes
from portal.permissions import Visitor
from runtime.delivery import deliver
from runtime.logs import logger, mask_path
from runtime.preparing import first_link
from tests import portal_site, world
from tests.heard import heard, secrets_in
from tests.integration.test_portal_doors import code, password, second, stranger_mark, switch_on
from tests.integration.test_smtp_session import ScriptedServer
from tests.portal_site import PASSWORD, PDF, RESULT, SECRET, Site, mark_of, send, text_of

NEW_PASSWORD = "con ngựa sắt biết bay 2027"
SMTP_PASSWORD = "thu-di-bang-mat-khau-nay"


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """All lines so far."""
    file = tmp_path / "heard.jsonl"

    def so_far() -> list[dict[str, Any]]:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    with heard(file, "debug"):
        yield so_far


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal whose letters leave by a mail server with a password."""
    with (
        ScriptedServer() as server,
        portal_site.site(
            database_url,
            tmp_path,
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_user="nhacviec",
            smtp_password=SecretStr(SMTP_PASSWORD),
            smtp_security="none",
        ) as found,
    ):
        yield found


def requests(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in lines if one["event"] == "request"]


def test_a_request_leaves_one_line_that_says_who_what_and_how_long(
    site: Site, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    answer = browser.get("/nhiem-vu?tu=Nguyễn+Văn+A")
    last = requests(lines())[-1]
    assert answer.headers["x-request-id"] == last["request"]
    assert re.fullmatch(r"[0-9A-F]{12}", last["request"])
    assert (last["route"], last["method"], last["status"]) == ("items", "GET", 200)
    assert (last["who"], last["agency"]) == ("account:coordinator", world.COORDINATOR)
    assert last["ms"] > 0
    assert "Nguyễn" not in json.dumps(last, ensure_ascii=False)


def test_links_and_tokens_are_named_by_what_may_be_shown(
    site: Site, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    link, token = site.link(), site.api_token()
    site.browser().get(link)
    site.program(token).get("/api/v1/me")
    by_link, by_token = requests(lines())[-2:]
    handle = link.removeprefix(LINK_PATH).partition(".")[0]
    assert (by_link["who"], by_link["agency"]) == (f"link:{handle}", world.A)
    assert by_link["path"] == f"{LINK_PATH}***"
    assert by_token["who"] == f"token:{token[:13]}"


def test_an_error_page_names_the_number_under_which_its_lines_stand(
    site: Site, lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("nobody foresaw this")

    browser = site.logged_in(Visitor.COORDINATOR)
    refused = browser.get("/khong-co-trang-nay")
    assert f"Mã yêu cầu: <b>{refused.headers['x-request-id']}</b>" in refused.text
    monkeypatch.setattr("portal.visitors.may_open", fail)
    crashed = browser.get("/nhiem-vu")
    assert crashed.status_code == 500
    number = crashed.headers["x-request-id"]
    assert f"<b>{number}</b>" in crashed.text
    mine = [one for one in lines() if one.get("request") == number]
    assert [(one["event"], one["level"]) for one in mine] == [
        ("a page failed", "error"),
        ("request", "error"),
    ]
    assert "nobody foresaw this" in mine[0]["exception"]
    assert "nobody foresaw" not in crashed.text


@pytest.mark.parametrize(
    ("trusted", "given", "taken"),
    [
        (True, "proxy-7f3a9c0e.1", True),
        (True, "a b\tc", False),
        (True, "x" * 65, False),
        (True, "short", False),
        (False, "proxy-7f3a9c0e.1", False),
    ],
)
def test_a_proxys_number_is_taken_over_only_where_it_is_trusted(
    database_url: str, tmp_path: Path, trusted: bool, given: str, taken: bool
) -> None:
    with portal_site.site(database_url, tmp_path, trust_request_id=trusted) as found:
        answer = found.browser().get("/health", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) == taken


def test_two_requests_never_have_one_number(site: Site) -> None:
    browser = site.browser()
    numbers = {browser.get("/health").headers["x-request-id"] for _ in range(20)}
    assert len(numbers) == 20


def test_every_path_that_holds_a_secret_is_masked() -> None:
    """A new route with a secret in its path fails here until it is masked."""
    secret = "Zk3-bi_mat-Q9.c2lnbmF0dXJl"
    holds = [
        route
        for route in page_routes().values()
        if re.search(r"\{(?:token|secret)\}", route.path)
        or route.name.startswith(("first_account", "new_password"))
    ]
    assert len(holds) > 20
    for route in holds:
        path = re.sub(r"\{(?:token|secret|key)\}", secret, route.path)
        assert secret.partition(".")[0] not in mask_path(path), route.name


@pytest.mark.parametrize(
    "path",
    [
        "/lien-ket-cu/Zk3aaaaaaaaaaaaaaaaaaaaaaaaaaaaa.Q9bbbbbbb",
        "/LIEN-KET/Zk3aaaaaaaaaaaaaaaaaaaaaaaaaaaaa.Q9bbbbbbb",
        "//lien-ket/Zk3aaaa.Q9",
    ],
)
def test_a_mistyped_link_is_masked_as_well(path: str) -> None:
    assert "Zk3a" not in mask_path(path)


def test_secrets_within_lists_and_exceptions_are_blotted_out(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    log = logger("runtime.thử")
    log.info("x", tried=["postgresql://sa:bimat@maychu/x"], more={"password": "bimat", "n": 1})
    try:
        raise ValueError("GET /lien-ket/bimat.bimat failed with Bearer bimat")
    except ValueError as error:
        log.error("y", exc_info=error)
    logging.getLogger("some.library").warning("refused: %s", "td_0123456789_bimatbimat")
    found = lines()
    assert len(found) == 3
    assert "bimat" not in json.dumps(found)
    assert found[0]["more"]["n"] == 1


def test_a_days_story_leaves_no_secret_in_any_line(
    site: Site, lines: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    """Log in, wrong password, one-time codes, link, token, uploads, letters, a new password."""
    secrets = [PASSWORD, SECRET, NEW_PASSWORD, SMTP_PASSWORD]
    browser = site.logged_in(Visitor.COORDINATOR)
    totp, codes = switch_on(site, browser, "coordinator")
    password(site.browser(), "coordinator", "sai-bét-" + SECRET)
    site.clock.instant += timedelta(seconds=60)
    page = password(site.browser(), "coordinator")
    assert second(site.browser(), page, code(site, totp)).status_code in {303, 403}
    secrets += [totp, *codes, *browser.cookies.values()]

    link, token = site.link(), site.api_token()
    work = site.work["I.1/xa_van_ninh"]
    answer = send(site.browser(), f"{link}/viec/{work}", "cap-nhat", RESULT, files=[("a.pdf", PDF)])
    assert answer.status_code == 303
    site.browser().get(f"{link}x")
    assert site.program(token).post("/api/v1/files", files={"file": ("qd.pdf", PDF)}).is_success
    site.program(f"{token}x").get("/api/v1/me")
    secrets += [link.removeprefix(LINK_PATH), token.rpartition("_")[2]]

    operator = world.admin()
    reset = site.write(
        lambda session: issue_password_link(session, operator, "coordinator", secret=SECRET)
    )
    stranger = site.browser()
    form = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
    stranger.post(reset, data={"mark": stranger_mark(stranger.get(reset)), **form})
    secrets += [reset.rpartition("/")[2]]
    first = first_link(site.runtime)
    secrets += [first.rpartition("/")[2]] if first else []

    office = replace(site.runtime.post_office(), real_server=False)
    deliver(office, as_of=world.TODAY)
    with site.runtime.database.read() as session:
        sent = session.scalars(select(Letter).where(Letter.state == LetterState.SENT.value)).all()
        assert sent
        bodies = [line for one in sent for line in (one.body_text or "").splitlines()]
    secrets += [line for line in bodies if len(line) > 30]

    said = json.dumps(lines(), ensure_ascii=False)
    assert len(requests(lines())) > 15
    assert [one for one in secrets if one in said] == []
    assert secrets_in(said.replace("}, {", "}\n{")) == []


def test_what_must_not_stand_in_a_log_is_found_when_it_does() -> None:
    line = f'{{"path": "{LINK_PATH}Zk3aaaaaaa.Q9bbbbbb", "event": "Kính gửi {PASSWORD}"}}'
    assert {found.partition(":")[0] for found in secrets_in(line)} == {
        "a live link",
        "the body of a letter",
        "a password of the tests",
    }


def test_logging_out_is_seen_by_its_route(
    site: Site, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    browser = site.logged_in(Visitor.ADMIN)
    browser.post("/dang-xuat", data={"mark": mark_of(browser.get("/"))})
    assert requests(lines())[-1]["route"] == "logout"


def test_a_database_that_does_not_answer_is_told_as_such(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked, full or away: wait and look before sending again, and no word of a broken system."""

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("UPDATE x", {"name": "Nguyễn Thị Hoa"}, Exception("is locked"))

    monkeypatch.setattr("portal.pages.home.plan_keys", locked)
    page = site.browser().get("/")
    assert (page.status_code, page.headers["retry-after"]) == (503, "60")
    assert "trước khi gửi lại" in text_of(page)
    monkeypatch.setattr("portal.api.door.check_token", locked)
    problem = site.program(site.api_token()).get("/api/v1/me")
    assert (problem.status_code, problem.json()["status"]) == (503, 503)
    assert problem.headers["content-type"] == "application/problem+json"
