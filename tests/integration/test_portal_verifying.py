"""Kiểm chứng lịch sử in the portal: what it says, the button, what auditors take away (38)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from flows.log import verify_history
from models.tables import Event, Verification
from operations.proofs import check_proof
from portal.permissions import Visitor
from rules.notes import parse_note
from runtime.prefect_client import Deployment, PrefectClient, Run
from runtime.sealing import seal_now
from tests import portal_site
from tests.portal_site import MORNING, Site, mark_of, text_of
from tests.sealed import Log
from tests.tampering import edit

PATH = "/kiem-tra/lich-su"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(database_url, tmp_path / "var") as made:
        yield made


def _event(site: Site) -> int:
    return (
        site.read(lambda session: session.scalars(select(Event.id).order_by(Event.id)).first()) or 0
    )


def test_before_the_first_seal_it_says_what_will_come(site: Site) -> None:
    """(38) Nothing is claimed that was not looked at."""
    auditor = site.logged_in(Visitor.AUDITOR)
    page = auditor.get(PATH)
    assert page.status_code == 200
    text = text_of(page)
    assert "Chưa kiểm chứng lần nào" in text
    assert "Các sự kiện này chưa được bảo vệ" in text
    assert auditor.get(f"{PATH}/niem-phong").status_code == 404
    assert auditor.get(f"{PATH}/khoa").status_code == 404


def test_an_auditor_verifies_and_reads_the_result(site: Site) -> None:
    """(38) Sealed, pending, the last checkpoint and its age, the last verification."""
    auditor = site.logged_in(Visitor.AUDITOR)
    seal_now(site.runtime)
    site.clock.instant += timedelta(minutes=10)
    page = auditor.get(PATH)
    assert "10 phút trước" in text_of(page)
    answer = auditor.post(f"{PATH}/kiem-chung", data={"mark": mark_of(page), "note": ""})
    assert answer.status_code == 303
    text = text_of(auditor.get(answer.headers["location"]))
    assert "Đã kiểm chứng: lịch sử còn nguyên vẹn." in text
    assert "√ Lịch sử còn nguyên vẹn" in text
    assert "Người dùng auditor" in text


def test_what_is_wrong_is_named(site: Site) -> None:
    """(38)"""
    auditor = site.logged_in(Visitor.AUDITOR)
    seal_now(site.runtime)
    number = _event(site)
    edit(Log(runtime=site.runtime, clock=site.clock), number)
    Log(runtime=site.runtime, clock=site.clock).behind(
        f"UPDATE event SET reason = 'bịa' WHERE id = {number}"
    )
    page = auditor.get(PATH)
    answer = auditor.post(f"{PATH}/kiem-chung", data={"mark": mark_of(page)})
    text = text_of(auditor.get(answer.headers["location"]))
    assert "▲ Phát hiện 1 chỗ sai" in text
    assert f"Sự kiện số {number} " in text
    proof = text_of(auditor.get(f"/lich-su/{number}/bang-chung"))
    assert "không còn là nội dung đã niêm phong" in proof


def test_a_checkpoint_kept_outside_is_compared_and_nonsense_is_given_back(site: Site) -> None:
    """(38) Pasted from a letter; what was typed is never lost."""
    auditor = site.logged_in(Visitor.AUDITOR)
    done = seal_now(site.runtime)
    page = auditor.get(PATH)
    letter = f"Kính gửi: Thanh tra\n\n{done.note}\nTrân trọng."
    good = auditor.post(f"{PATH}/kiem-chung", data={"mark": mark_of(page), "note": letter})
    assert good.status_code == 303
    row = site.read(lambda session: session.scalars(select(Verification)).one())
    # The day's own file beside the key, and the one that was pasted.
    assert (row.outside, row.wrong) == (2, 0)
    bad = auditor.post(f"{PATH}/kiem-chung", data={"mark": mark_of(page), "note": "không phải"})
    assert bad.status_code == 422
    assert "Nội dung dán vào không có niêm phong" in text_of(bad)
    assert "không phải</textarea>" in bad.text


def test_checkpoint_key_and_proof_are_taken_away_as_files(site: Site) -> None:
    """(38) What is taken fits together without this system."""
    auditor = site.logged_in(Visitor.AUDITOR)
    done = seal_now(site.runtime)
    note = auditor.get(f"{PATH}/niem-phong")
    assert note.text == done.note
    assert note.headers["content-disposition"].startswith("attachment")
    keys = site.runtime.key_folder.verifying()
    assert auditor.get(f"{PATH}/khoa").text == f"{keys[-1].text}\n"
    assert parse_note(note.text).signer(keys)
    number = _event(site)
    page = auditor.get(f"/lich-su/{number}/bang-chung")
    assert page.status_code == 200
    assert f"/lich-su/{number}/bang-chung/tep" in page.text
    proof = auditor.get(f"/lich-su/{number}/bang-chung/tep")
    assert check_proof(json.loads(proof.text), keys) is None
    assert f"/lich-su/{number}/bang-chung" in auditor.get("/lich-su?thu=1").text


def test_a_pending_event_says_so_and_a_missing_one_is_not_there(site: Site) -> None:
    """(38)"""
    auditor = site.logged_in(Visitor.AUDITOR)
    number = _event(site)
    page = auditor.get(f"/lich-su/{number}/bang-chung")
    assert page.status_code == 200
    assert "còn chờ niêm phong" in text_of(page)
    assert auditor.get(f"/lich-su/{number}/bang-chung/tep").status_code == 404
    assert auditor.get("/lich-su/99999999/bang-chung").status_code == 404


def test_an_agency_sees_none_of_it(site: Site) -> None:
    """(46)"""
    agency = site.logged_in(Visitor.AGENCY)
    for path in (PATH, f"{PATH}/niem-phong", f"/lich-su/{_event(site)}/bang-chung"):
        assert agency.get(path).status_code == 403


class Prefect:
    """Answers as Prefect would; the run of the coming night is planned already."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        self.now: list[Run] = []

    def deployments(self) -> list[Deployment]:
        common = Deployment(
            id="d1", name="chung", entrypoint="flows.log.sealing", tags=(), crons=()
        )
        return [common, replace(common, id="d2", entrypoint="flows.log.verifying")]

    def runs(self, *, deployment_ids: Sequence[str], **_: object) -> list[Run]:
        assert deployment_ids == ["d2"]
        return [a_run(MORNING + timedelta(hours=17)), *self.now]

    def start_run(self, number: str, *, parameters: Mapping[str, object]) -> str:
        self.asked.append((number, parameters))
        self.now.append(a_run(MORNING))
        return "r1"


def a_run(expected: datetime) -> Run:
    return Run(
        id="r1",
        name="kiểm chứng",
        deployment="d2",
        type="SCHEDULED",
        state="Scheduled",
        message=None,
        expected_at=expected,
        tags=(),
        started_at=None,
        ended_at=None,
    )


def test_a_history_too_long_for_a_page_is_verified_in_the_background(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(38) Nobody waits minutes for a page; who asked stands in the result."""
    prefect = Prefect()
    monkeypatch.setattr("portal.pages.verifying.MOST_HERE", 0)
    monkeypatch.setattr("portal.pages.verifying.client_of", lambda *_: prefect)
    auditor = site.logged_in(Visitor.AUDITOR)
    done = seal_now(site.runtime)
    page = auditor.get(PATH)
    assert "chờ đến lượt" not in text_of(page)
    asked = {"mark": mark_of(page), "note": done.note}
    answer = auditor.post(f"{PATH}/kiem-chung", data=asked)
    page = auditor.get(answer.headers["location"])
    assert "Đã đặt kiểm chứng chạy nền." in text_of(page)
    assert "chờ đến lượt" in text_of(page)
    assert "đang chạy nền" in text_of(auditor.post(f"{PATH}/kiem-chung", data=asked))
    ((deployment, told),) = prefect.asked
    assert deployment == "d2"
    # What the run then does with what it was given.
    verify_history(site.runtime, None, None, **told)  # type: ignore[arg-type]
    row = site.read(lambda session: session.scalars(select(Verification)).one())
    assert (row.by, row.outside, row.wrong) == ("Người dùng auditor", 2, 0)


def test_without_prefect_a_long_history_is_not_promised(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was pasted in is given back."""
    monkeypatch.setattr("portal.pages.verifying.MOST_HERE", 0)
    monkeypatch.setattr(
        "portal.pages.verifying.client_of", lambda *_: PrefectClient("http://127.0.0.1:9/api")
    )
    auditor = site.logged_in(Visitor.AUDITOR)
    done = seal_now(site.runtime)
    asked = {"mark": mark_of(auditor.get(PATH)), "note": done.note}
    answer = auditor.post(f"{PATH}/kiem-chung", data=asked)
    assert answer.status_code == 503
    assert "(Prefect) không trả lời" in text_of(answer)
    assert str(done.note).splitlines()[0] in answer.text
