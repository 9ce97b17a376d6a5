"""Lượt chạy: what ran, what should have run, a run now, and Prefect that does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from models.tables import AccessLog, Assignment, Occurrence, RunLog
from operations.queries_runs import item_runs, last_expected, run_list
from portal.pages import runs
from portal.permissions import Visitor
from runtime.prefect_client import Answer, Deployment, PrefectDown, Run
from tests import portal_site, world
from tests.portal_site import MORNING, Site, mark_of, text_of

CRON = "30 5 * * *"
NOWHERE = "http://127.0.0.1:9/api"
RUN = Run(
    id="r1",
    name="I.1 ngày 1/3/2027",
    deployment="d1",
    type="RUNNING",
    state="Running",
    message=None,
    expected_at=None,
    started_at=MORNING,
    ended_at=None,
    tags=(),
)
ITEM = Deployment(
    id="d1",
    name="CCHC-1718",
    entrypoint="flows.items.x__i_1",
    tags=("nhiệm vụ", world.PLAN, "I.1"),
    crons=(CRON,),
)
MAIL = replace(ITEM, id="d2", name="chung", entrypoint="flows.mail.delivery", tags=("thư",))


class Prefect:
    """Answers as Prefect would."""

    def __init__(self, *, down: bool = False) -> None:
        self.down, self.started = down, list[str]()

    def recent_runs(self, **_: object) -> Answer:
        return Answer(runs=() if self.down else (RUN,), asked_at=0.0, stale=self.down)

    def deployments(self) -> list[Deployment]:
        if self.down:
            raise PrefectDown
        return [ITEM, MAIL]

    def start_run(self, number: str) -> str:
        self.started.append(number)
        return "new-run"

    def post(self, path: str, body: Any) -> Any:
        assert path == "/logs/filter"
        if self.down:
            raise PrefectDown
        line = {"timestamp": MORNING.isoformat(), "level": 40, "message": "<b>không nối được</b>"}
        return [line]


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Prefect:
    """A Prefect that answers."""
    found = Prefect()
    monkeypatch.setattr(runs, "client_of", lambda _: found)
    return found


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal beside a Prefect that is not there, unless a test brings one."""
    with portal_site.site(database_url, tmp_path, prefect_api_url=NOWHERE) as found:
        yield found


def ran(site: Site, item: str, at: datetime = MORNING, state: str = "Đang thực hiện") -> int:
    """A run of an item in the log."""
    row = RunLog(
        run=f"run-{item}",
        job="item",
        plan_key=world.PLAN,
        item_key=item,
        as_of=at.date(),
        started_at=at,
        finished_at=at + timedelta(seconds=3),
        state=state,
        figures=json.dumps({"Kỳ mở trong lần chạy này": 1, "Thư lập mới": 0}),
    )
    site.write(lambda session: session.add(row))
    return row.id


def test_expected_run_is_the_last_one_before_now() -> None:
    now = datetime(2027, 3, 1, 2, tzinfo=UTC)
    assert last_expected(CRON, now, "Asia/Ho_Chi_Minh").isoformat() == "2027-03-01T05:30:00+07:00"
    early = datetime(2027, 2, 28, 20, tzinfo=UTC)
    assert last_expected(CRON, early, "Asia/Ho_Chi_Minh").date() == date(2027, 2, 28)


def test_due_period_without_a_run_is_an_alarm(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    site.write(lambda session: session.execute(delete(Assignment)))
    site.write(lambda session: session.execute(delete(Occurrence)))
    page = text_of(browser.get("/luot-chay"))
    assert "Phải chạy mà không chạy" in page
    assert "I.1 : đã đến ngày mở kỳ năm 2026, năm 2027" in page


def test_item_that_ran_in_time_is_no_alarm(site: Site) -> None:
    ran(site, "I.1")
    ran(site, "II.3", MORNING - timedelta(days=2))
    with site.runtime.database.read() as session:
        found = item_runs(session, now=MORNING, as_of=world.TODAY, cron=CRON)
    assert {one.item.key: one.missed for one in found} == {
        "I.1": False,
        "II.3": True,
        "II.5": True,
        "III.1": True,
    }


def test_prefect_down_is_said_and_the_rest_works(site: Site) -> None:
    number = ran(site, "I.1", state="Lỗi kỹ thuật")
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get("/luot-chay")
    assert page.status_code == 200
    assert "không trả lời" in text_of(page)
    assert "Chạy ngay" not in page.text.split("<h2>Theo nhiệm vụ")[1]
    assert "bị lỗi kỹ thuật" in text_of(page)
    detail = browser.get(f"/luot-chay/{number}")
    assert detail.status_code == 200
    assert "chưa xem được nhật ký" in text_of(detail)
    posted = browser.post("/luot-chay/chay-ngay", data={"mark": mark_of(page), "deployment": "d1"})
    assert posted.status_code == 503
    assert browser.get("/").status_code == 200


def test_run_now_asks_prefect_and_is_logged(site: Site, prefect: Prefect) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get("/luot-chay")
    assert "I.1 ngày 1/3/2027: đang chạy" in text_of(page)
    assert "Gửi thư nhắc" in text_of(page)
    data = {"mark": mark_of(page), "deployment": "d1", "title": "I.1"}
    answer = browser.post("/luot-chay/chay-ngay", data=data)
    assert answer.status_code == 303
    assert prefect.started == ["d1"]
    assert "Đã đặt chạy ngay: I.1" in text_of(browser.get(answer.headers["location"]))
    logged = site.read(lambda session: session.scalars(select(AccessLog.path)).all())
    assert "/luot-chay/chay-ngay?run=new-run" in logged
    assert browser.post("/luot-chay/chay-ngay", data=data | {"deployment": "x"}).status_code == 404
    assert browser.post("/luot-chay/chay-ngay", data={"deployment": "d1"}).status_code == 403
    assert prefect.started == ["d1"]


def test_those_who_only_read_start_nothing(site: Site, prefect: Prefect) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    page = browser.get("/luot-chay")
    assert "Chạy ngay" not in page.text
    data = {"mark": mark_of(page), "deployment": "d1"}
    assert browser.post("/luot-chay/chay-ngay", data=data).status_code == 403
    assert not prefect.started


def test_a_sentence_that_we_did_not_sign_is_not_shown(site: Site) -> None:
    page = site.logged_in(Visitor.AUDITOR).get("/luot-chay?ghi=Ch%C3%BAc")
    assert 'class="recorded"' not in page.text


def test_run_shows_its_figures_and_its_log(site: Site, prefect: Prefect) -> None:
    number = ran(site, "I.1")
    page = site.logged_in(Visitor.COORDINATOR).get(f"/luot-chay/{number}")
    assert "Kỳ mở trong lần chạy này 1" in text_of(page)
    assert "LỖI &lt;b&gt;không nối được" in " ".join(page.text.split())
    assert f"{NOWHERE.removesuffix('/api')}/runs/flow-run/run-I.1" in page.text
    assert site.logged_in(Visitor.ADMIN).get("/luot-chay/999999").status_code == 404


def test_runs_are_filtered_and_paged(site: Site, prefect: Prefect) -> None:
    for days in range(55):
        ran(site, "I.1", MORNING - timedelta(days=days))
    ran(site, "II.3")
    browser = site.logged_in(Visitor.AUDITOR)
    first = browser.get("/luot-chay/tat-ca?nhiem-vu=I.1")
    assert first.text.count('data-head="Chạy lúc"') == runs.LISTED
    link = first.text.split('class="button quiet" href="')[-1].split('"')[0].replace("&amp;", "&")
    assert browser.get(link).text.count('data-head="Chạy lúc"') == 5
    assert "Không có lượt chạy nào" in text_of(browser.get("/luot-chay/tat-ca?loai=nightly"))
    with site.runtime.database.read() as session:
        assert len(run_list(session, item="II.3")) == 1


def backed_up(site: Site, job: str, state: str, at: datetime) -> None:
    row = RunLog(
        run=None,
        job=job,
        as_of=at.date(),
        started_at=at,
        finished_at=at + timedelta(minutes=1),
        state=state,
        figures="{}",
    )
    site.write(lambda session: session.add(row))


def test_the_age_of_backup_and_trial_stands_where_the_coordinator_looks(site: Site) -> None:
    backed_up(site, "backup", "Đã sao lưu", MORNING - timedelta(hours=8))
    backed_up(site, "restore_trial", "Khôi phục thử đạt", MORNING - timedelta(hours=8))
    browser = site.logged_in(Visitor.COORDINATOR)
    for page in ("/", "/luot-chay"):
        text = text_of(browser.get(page))
        assert "Sao lưu" in text
        assert "7 giờ trước" in text
        assert "▲ Sao lưu cần xem lại" not in text


def test_a_trial_restore_that_failed_or_is_old_is_an_alarm(site: Site) -> None:
    backed_up(site, "backup", "Đã sao lưu", MORNING - timedelta(hours=8))
    backed_up(site, "restore_trial", "Khôi phục thử đạt", MORNING - timedelta(days=3))
    backed_up(site, "restore_trial", "Lỗi kỹ thuật", MORNING - timedelta(hours=8))
    browser = site.logged_in(Visitor.ADMIN)
    overview = text_of(browser.get("/"))
    assert "lần khôi phục thử gần nhất không đạt" in overview
    assert "đã quá 36 giờ không khôi phục thử đạt" in overview
    assert "tiendo backup" in text_of(browser.get("/luot-chay"))
