"""The API: what a token may do, what it never sees, and that nothing is done twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select

from models.tables import AccessLog, ApiToken, Assignment, Event, Submission
from operations.act import act as decide
from operations.added import AddedInput, add_work
from operations.api_tokens import revoke_token
from portal.permissions import Visitor
from rules.lifecycle import Action
from tests import portal_site, world
from tests.portal_site import PDF, Site

RESULT: dict[str, Any] = {
    "text": "Đã ban hành quyết định phân công.",
    "documents": [{"code": "125/QĐ-UBND", "issued_on": "2027-02-26"}],
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def own(site: Site) -> TestClient:
    """The program of the commune."""
    return site.program(site.api_token())


def path_of(site: Site, work: str = "I.1/xa_van_ninh", action: str = "") -> str:
    """The address of an assignment, or of an action on it."""
    path = f"/api/v1/assignments/{site.work[work]}"
    return f"{path}/actions/{action}" if action else path


def act(
    site: Site, client: TestClient, action: str, body: dict[str, Any], **headers: str
) -> Response:
    """Take an action on the commune's own work, on the version that is there."""
    path = path_of(site)
    version = client.get(path).json().get("version")
    given = {"version": version, **body}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: Response = client.post(f"{path}/actions/{action}", json=given, headers=named)
    return answer


def is_problem(answer: Response, status: int) -> dict[str, Any]:
    """The problem that an answer says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == status
    assert said["type"].startswith("/api/v1/docs#")
    assert said["title"]
    assert said["detail"]
    return said


def test_result_goes_in_with_file_and_stands_in_the_history_by_token(
    site: Site, own: TestClient
) -> None:
    """Rules 20, 37: the program's name, its token and its agency are separate fields."""
    filed = own.post("/api/v1/files", files={"file": ("qd.pdf", PDF)})
    assert filed.status_code == 201
    assert filed.json()["sha256"] == hashlib.sha256(PDF).hexdigest()
    paper = RESULT["documents"][0] | {"sha256": filed.json()["sha256"]}
    body = RESULT | {"documents": [paper], "stated_name": "Nguyễn Thị Hoa"}
    answer = act(site, own, "submit", body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["version"]) == ("submitted", 2)
    event = site.read(lambda s: s.scalars(select(Event).where(Event.action == "submit")).one())
    assert event.actor_kind == "token"
    assert (event.actor_name, event.actor_post) == ("Nguyễn Thị Hoa", "Phần mềm quản lý văn bản")
    assert event.actor_agency == world.A
    assert event.actor_account is not None
    assert event.actor_account.startswith("td_")
    detail = own.get(path_of(site)).json()
    assert detail["results"][0]["documents"][0]["file_name"] == "qd.pdf"
    assert [one["action"] for one in detail["actions"]] == ["withdraw"]
    assert own.get(f"/api/v1/files/{filed.json()['sha256']}").content == PDF


def test_agency_never_learns_of_another_agency_s_work(site: Site, own: TestClient) -> None:
    """Rule 46: what is another's reads like what is not there."""
    other = path_of(site, "I.1/phuong_nha_trang")
    nothing = own.get("/api/v1/assignments/999999")
    assert own.get(other).json() == nothing.json()
    is_problem(nothing, 404)
    for body in ({"version": 1}, {}):
        assert own.post(f"{other}/actions/start", json=body).json() == nothing.json()
    asked = {"assignment": site.work["I.1/phuong_nha_trang"], "text": "x"}
    is_problem(own.post("/api/v1/obstacles", json=asked), 404)
    rows = own.get("/api/v1/assignments").json()["items"]
    assert {row["agency"] for row in rows} == {world.A}
    for path in ("assignments", "summary", "findings"):
        is_problem(own.get(f"/api/v1/{path}?agency={world.B}"), 404)
    counted = own.get("/api/v1/summary?by_agency=true").json()
    assert list(counted["by_agency"]) == [world.A]
    everything = site.program(site.api_token(None)).get("/api/v1/summary?by_agency=true").json()
    assert everything["total"] > counted["total"]
    assert set(everything["by_agency"]) > {world.A, world.B}


def test_file_of_another_agency_can_neither_be_read_nor_cited(site: Site, own: TestClient) -> None:
    """Rule 46: knowing a file's digest does not open it."""
    other = site.program(site.api_token(world.B))
    sha256 = other.post("/api/v1/files", files={"file": ("a.pdf", PDF)}).json()["sha256"]
    is_problem(own.get(f"/api/v1/files/{sha256}"), 404)
    body = RESULT | {"documents": [{"sha256": sha256}]}
    assert is_problem(act(site, own, "submit", body), 422)["field"] == "documents.0.sha256"
    empty = is_problem(act(site, own, "submit", {"text": " ", "documents": []}), 422)
    assert [one["field"] for one in empty["errors"]] == ["text", "documents.0.code"]
    assert site.program(site.api_token(None)).get(f"/api/v1/files/{sha256}").status_code == 200


def test_second_of_two_hears_who_was_first_and_when(site: Site, own: TestClient) -> None:
    """Rule 26: a stale version is a conflict, and none at all is asked for."""
    start = path_of(site, action="start")
    assert own.post(start, json={"version": 1}).status_code == 200
    said = is_problem(own.post(path_of(site, action="submit"), json=RESULT | {"version": 1}), 409)
    assert "đã được cập nhật bởi Phần mềm quản lý văn bản lúc 09 giờ" in said["detail"]
    is_problem(own.post(path_of(site, action="submit"), json=RESULT), 428)
    tag = own.get(path_of(site)).headers["etag"]
    answer = own.post(path_of(site, action="submit"), json=RESULT, headers={"if-match": tag})
    assert answer.status_code == 200


def test_same_key_is_done_once_and_answered_alike(site: Site, own: TestClient) -> None:
    key = {"idempotency-key": "6f1c0f0e-1b7e"}
    body = {"text": "Chưa có hướng dẫn.", "assignment": site.work["I.1/xa_van_ninh"]}
    first = own.post("/api/v1/obstacles", json=body, headers=key)
    again = own.post("/api/v1/obstacles", json=body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    is_problem(own.post("/api/v1/obstacles", json=body | {"text": "Khác"}, headers=key), 422)
    count = select(func.count()).select_from(Event).where(Event.entity == "obstacle")
    assert site.read(lambda s: s.scalar(count)) == 1
    # A refusal is not kept: mended, the same key can be used.
    other = {"idempotency-key": "hai"}
    is_problem(own.post("/api/v1/obstacles", json={"text": " "}, headers=other), 422)
    assert own.post("/api/v1/obstacles", json={"text": "Rõ"}, headers=other).status_code == 201


def test_decisions_are_people_s(site: Site, own: TestClient) -> None:
    """Rule 20: no token confirms, returns, extends or reopens."""
    assert act(site, own, "submit", RESULT).status_code == 200
    service = site.program(site.api_token(None))
    for action in ("confirm", "return", "waive", "reopen", "cancel", "suspend"):
        said = is_problem(act(site, own, action, {"reason": "x"}), 403)
        assert "người có tài khoản" in said["detail"]
        is_problem(service.post(path_of(site, action=action), json={"version": 2}), 403)
    row = site.read(lambda s: s.get_one(Assignment, site.work["I.1/xa_van_ninh"]))
    assert row.status == "submitted"


def test_coordinator_s_own_work_is_submitted_by_account_only(site: Site) -> None:
    """Rule 34: a token of the coordinating agency is no account."""
    client = site.program(site.api_token(world.COORDINATOR))
    path = path_of(site, "II.3/so_noi_vu")
    assert client.get(path).json()["actions"] == []
    is_problem(client.post(f"{path}/actions/submit", json=RESULT | {"version": 1}), 409)


def test_extension_is_asked_for_and_waits(site: Site, own: TestClient) -> None:
    """Rule 23: asked with a reason; the day moves to a working day and is told."""
    asked = {"assignment": site.work["I.1/xa_van_ninh"], "version": 1, "reason": "Chờ nhân sự."}
    answer = own.post("/api/v1/extensions", json=asked | {"until": "2027-04-30"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["asked_for"] == "2027-04-30"
    detail = own.get(path_of(site)).json()
    assert detail["due_on"] == "2027-03-31"
    assert detail["extension_requests"][0]["state"] == "asked"
    assert not detail["may_ask_extension"]
    early = own.post("/api/v1/extensions", json=asked | {"until": "2027-03-01"})
    assert is_problem(early, 422)["field"] == "until"


def test_token_that_no_longer_holds_opens_nothing(site: Site) -> None:
    text = site.api_token(valid_to=world.TODAY)
    client = site.program(text)
    assert client.get("/api/v1/me").status_code == 200
    site.clock.instant += timedelta(days=1)
    assert "hết hạn ngày 1/3/2027" in is_problem(client.get("/api/v1/me"), 401)["detail"]
    fresh = site.api_token()
    site.write(lambda s: revoke_token(s, world.admin(), fresh[:13], reason="Lộ mã"))
    answer = site.program(fresh).get("/api/v1/me")
    assert "thu hồi" in is_problem(answer, 401)["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    forged = fresh[:-1] + ("A" if fresh[-1] != "A" else "B")
    for text in (forged, "td_0000000000_" + "x" * 43, "đ", "td_\x00"):
        answer = site.browser().get(
            "/api/v1/me", headers={b"authorization": f"Bearer {text}".encode()}
        )
        assert "không đúng" in is_problem(answer, 401)["detail"]


def test_guessing_tokens_is_stopped(site: Site) -> None:
    client = site.program("td_0000000000_" + "x" * 43)
    answers = [client.get("/api/v1/me") for _ in range(22)]
    assert [one.status_code for one in answers] == [401] * 20 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0


def test_token_opens_no_page_and_a_session_opens_no_address_of_the_api(
    site: Site, own: TestClient
) -> None:
    assert own.get("/co-quan").status_code == 401
    session = site.logged_in(Visitor.AGENCY)
    assert session.get("/co-quan").status_code == 200
    is_problem(session.get("/api/v1/me"), 401)
    is_problem(session.post(path_of(site, action="start"), json={"version": 1}), 401)


def test_scope_that_was_not_given_is_refused(site: Site) -> None:
    client = site.program(site.api_token(world.A, "read"))
    said = is_problem(client.post(path_of(site, action="start"), json={"version": 1}), 403)
    assert "act" in said["detail"]
    plain = site.program(site.api_token(None, "read"))
    is_problem(plain.get("/api/v1/events"), 403)


def test_looking_changes_nothing_but_the_access_log(site: Site, own: TestClient) -> None:
    """Rule 40: who read what is logged, by the token's public part only."""
    before = site.counts()
    for path in ("me", "assignments", "summary", "agencies", "items/I.1", "occurrences"):
        assert own.get(f"/api/v1/{path}").status_code == 200
    assert site.counts() == before
    rows = site.read(lambda s: list(s.scalars(select(AccessLog))))
    assert {row.path for row in rows} >= {"/api/v1/me", "/api/v1/summary"}
    secret = own.headers["authorization"].rpartition("_")[2]
    token = site.read(lambda s: s.scalars(select(ApiToken)).one())
    assert {row.actor for row in rows} == {f"token:{token.id}"}
    assert not any(secret in f"{row.path}{row.actor}{row.token_id}" for row in rows)


def test_events_carry_what_their_digest_is_made_from(site: Site, own: TestClient) -> None:
    """Rule 38: a third party makes the leaf digest again, page by page, without a gap."""
    act(site, own, "start", {})
    service = site.program(site.api_token(None))
    young = service.get("/api/v1/events?limit=200").json()["items"]
    site.clock.instant += timedelta(minutes=5)
    seen: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = service.get(f"/api/v1/events?limit=2&after={after}").json()
        seen += page["items"]
        after = page["next"]
    total = site.read(lambda s: s.scalar(select(func.count()).select_from(Event)))
    assert len(seen) == total
    assert len(young) < len(seen)
    for one in seen:
        assert one["digest"] == hashlib.sha256(b"\0" + one["canonical"].encode()).hexdigest()
    assert not any(own.headers["authorization"][-20:] in one["canonical"] for one in seen)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", ""),
        (b'{"text": "\\ud800"}', ""),
        (b'{"text": 5}', "text"),
        (b'{"version": 99999999999999999999999, "text": "x"}', "version"),
        (b'{"documents": [{"issued_on": "2027-02-30"}]}', "documents.0.issued_on"),
        (b'{"documents": [{"issued_on": "0001-01-01"}]}', "documents.0.issued_on"),
        (b'{"khac": 1}', "khac"),
    ],
)
def test_wrong_body_is_told_where_what_and_right(
    site: Site, own: TestClient, body: bytes, field: str
) -> None:
    answer = own.post(
        path_of(site, action="submit"), content=body, headers={"content-type": "application/json"}
    )
    assert is_problem(answer, 422).get("field", "") == field


def test_characters_that_no_database_keeps_are_left_out(site: Site, own: TestClient) -> None:
    body = RESULT | {"text": "Đã\x00 ban hành.\u202e"}
    assert act(site, own, "submit", body).status_code == 200
    stored = site.read(lambda s: s.scalars(select(Submission.text)).one())
    assert stored == "Đã ban hành."
    for path in ("assignments?agency=%00", "items/%00", "assignments/%00", "files/%00", "%00"):
        assert own.get(f"/api/v1/{path}").status_code in {404, 422}


def test_what_is_too_large_or_no_json_is_refused(site: Site, own: TestClient) -> None:
    path = path_of(site, action="submit")
    is_problem(own.post(path, json={"text": "x" * 300_000}), 413)
    is_problem(own.post(path, data={"text": "x"}), 415)
    is_problem(own.post("/api/v1/files", json={}), 415)
    is_problem(own.post("/api/v1/files", files={"file": ("a.exe", b"MZ")}), 422)
    is_problem(own.put("/api/v1/me"), 405)


def test_figures_of_the_past_are_those_known_then(site: Site, own: TestClient) -> None:
    """Rule 39."""
    before = site.clock.now().isoformat()
    site.clock.instant += timedelta(minutes=1)
    assert act(site, own, "submit", RESULT).status_code == 200
    decider = replace(world.coordinator(), at=site.clock.now())
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda session: decide(session, decider, number, Action.CONFIRM))
    now = own.get("/api/v1/summary", params={"year": 2027}).json()
    then = own.get("/api/v1/summary", params={"year": 2027, "known_at": before}).json()
    assert (now["done_in_time"], then["done_in_time"]) == (1, 0)
    late = date(2099, 1, 1).isoformat()
    assert is_problem(own.get(f"/api/v1/summary?cutoff={late}"), 422)["field"] == "cutoff"


def test_whatever_is_read_may_be_asked_for_by_head(site: Site, own: TestClient) -> None:
    """(34, 40) Like a GET it changes nothing and is logged; the description says GET alone."""
    for path in ("/me", "/plans", "/items/I.1", "/assignments", "/findings"):
        answer = own.head(f"/api/v1{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "application/json"
    assert site.browser().head("/api/v1/me").status_code == 401
    offered = site.browser().get("/api/v1/openapi.json").json()["paths"]
    assert {verb for verbs in offered.values() for verb in verbs} == {"get", "post"}


def test_added_work_is_read_by_its_code_with_a_slash(site: Site, own: TestClient) -> None:
    """(44)"""
    added = AddedInput(
        basis_code="512/UBND-NC",
        basis_on=date(2027, 2, 15),
        task="Rà soát thủ tục nội bộ",
        product="Báo cáo",
        due_on=date(2027, 5, 7),
        leads=(world.A,),
    )
    site.write(lambda session: add_work(session, world.coordinator(), world.PLAN, added))
    found = own.get("/api/v1/items/BS-2027/01")
    assert found.status_code == 200
    assert found.json()["key"] == "BS-2027/01"
    is_problem(own.get("/api/v1/items/BS-2027/02"), 404)
    assert "/api/v1/items/{key}" in site.browser().get("/api/v1/openapi.json").json()["paths"]
