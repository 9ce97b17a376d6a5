"""The flows as Prefect runs them, on a real database: what they open, name, refuse and repair."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect.client.schemas.objects import State
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import get_current_settings
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase

import flows.items
import flows.reporting
from cli.surroundings import flows_in_prefect
from deployments.dead_runs import NAME as WATCHING
from deployments.plan import Deployed, deployed, later
from deployments.pool import register
from deployments.serve import runner_deployments
from deployments.sweeping import sweep
from flows.naming import item_flows
from flows.shell import FAILED, Job
from models.tables import (
    Assignment,
    DatabaseFact,
    Event,
    Letter,
    LetterState,
    Occurrence,
    PeriodDate,
    RunLog,
)
from notifications.mailbox import LocalMailbox, list_messages
from operations.doctor import Level
from operations.state import Facts
from rules.run_state import RunState
from runtime.backup_shelf import shelf
from runtime.prefect_client import PrefectClient
from runtime.preparing import prepare
from runtime.settings import Settings, load_settings
from runtime.wiring import Runtime, open_runtime
from tasks_catalog.loader import CATALOG, load_plan

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(180)]

PLAN = load_plan(CATALOG / "qd_1718_2023").plan
ALL = PLAN.decided
ITEMS = [item.key for item in ALL]
OTHERS = 6
"""Deployments that are no item: letters, the Monday summary, the nightly checks, the backup,
sealing and verifying the history."""
TODAY = datetime.now(ZoneInfo(PLAN.time_zone)).date()
NEXT_YEAR = TODAY.year + 1
LATE = date(NEXT_YEAR, 12, 1)
"""A day on which every item of next year is open; in the future, so in a trial only."""


@pytest.fixture(scope="session", name="api_url")
def _api_url() -> Iterator[str]:
    with prefect_test_harness(server_startup_timeout=120):
        url = get_current_settings().api.url
        assert url is not None
        yield url


@pytest.fixture(scope="session", name="new_trial")
def _new_trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a new trial, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("trial") / "var"
    with open_runtime(Settings(_env_file=None, data_dir=folder)) as runtime:
        assert prepare(runtime).trial
    return folder


@pytest.fixture(name="runtime")
def _runtime(
    api_url: str, new_trial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runtime]:
    """A new trial in a folder of its own; the flows find it by the environment, as children do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIENDO_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("TIENDO_PREFECT_API_URL", api_url)
    monkeypatch.setenv("TIENDO_OPERATORS_ADDRESS", "van-hanh@tiendo.test")
    flows.items._known.cache_clear()
    shutil.copytree(new_trial, tmp_path / "var")
    with open_runtime(load_settings()) as runtime:
        yield runtime


async def run_item(key: str, as_of: date | None = None) -> State[Any]:
    """A run of an item's flow, found by its entrypoint."""
    name = f"{PLAN.key}__{key.lower().replace('.', '_')}"
    flow: Any = load_flow_from_entrypoint(f"flows.items.{name}")
    state = await flow(as_of=as_of, return_state=True)
    assert isinstance(state, State)
    return state


async def run(entrypoint: str, **parameters: Any) -> State[Any]:
    """A run of any other flow."""
    flow: Any = load_flow_from_entrypoint(entrypoint)
    state = await flow(**parameters, return_state=True)
    assert isinstance(state, State)
    return state


def count(runtime: Runtime, table: type[DeclarativeBase], *conditions: Any) -> int:
    with runtime.database.read() as session:
        query = select(func.count()).select_from(table).where(*conditions)
        return session.scalar(query) or 0


def logged(runtime: Runtime, job: str = "item") -> list[RunLog]:
    with runtime.database.read() as session:
        return list(session.scalars(select(RunLog).where(RunLog.job == job).order_by(RunLog.id)))


async def test_every_item_opens_its_work_and_names_its_state(runtime: Runtime) -> None:
    for key in ITEMS:
        state = await run_item(key, LATE)
        assert state.is_completed(), state.message
        assert state.name == RunState.IN_PROGRESS, key
        assert state.message is not None
        assert "Phân công mở trong lần chạy này" in state.message
    for key, entry in zip(ITEMS, logged(runtime), strict=True):
        assert (entry.item_key, entry.as_of, entry.state) == (key, LATE, RunState.IN_PROGRESS)
        assert count(runtime, Occurrence, Occurrence.item_key == key) >= 1
        events = count(runtime, Event, Event.run == entry.run, Event.item_key == key)
        assert events > count(runtime, Occurrence, Occurrence.item_key == key), "and assignments"
    assert count(runtime, Event, Event.entity == "assignment", Event.run.is_(None)) == 0


async def test_second_run_changes_nothing(runtime: Runtime) -> None:
    await run_item("I.1", LATE)
    before = count(runtime, Event), count(runtime, Assignment), count(runtime, Letter)
    await run_item("I.1", LATE)
    assert (count(runtime, Event), count(runtime, Assignment), count(runtime, Letter)) == before
    assert len(logged(runtime)) == 2


async def test_state_says_overdue_the_day_after_a_date_that_was_fixed(runtime: Runtime) -> None:
    due = date(NEXT_YEAR, 3, 31)
    with runtime.database.write() as session:
        session.add(
            PeriodDate(
                plan_key=PLAN.key,
                item_key="II.3",
                period_key=str(NEXT_YEAR),
                due_on=due,
                authority="coordinator",
                document_code="12/KH-SNV",
                set_at=runtime.clock.now(),
                set_by="thử",
            )
        )
    in_time = await run_item("II.3", due)
    late = await run_item("II.3", due + timedelta(days=7))
    assert in_time.name == RunState.IN_PROGRESS
    assert late.name == RunState.OVERDUE
    assert late.is_completed(), "work that is late is no fault of the run"


async def test_item_that_is_not_open_says_so(runtime: Runtime) -> None:
    state = await run_item("I.1", TODAY - timedelta(days=4000))
    assert state.name == RunState.NOTHING_OPEN


async def test_future_date_is_refused_in_a_live_database(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        session.get_one(DatabaseFact, Facts.TRIAL).value = "false"
    state = await run_item("I.1", TODAY + timedelta(days=1))
    assert state.is_failed()
    assert state.message is not None
    assert "chưa đến" in state.message
    assert "diễn tập" in state.message
    assert count(runtime, Occurrence) == 0
    assert logged(runtime) == []
    assert count(runtime, Letter) == 0, "who asked is told, not the operators"


async def test_date_that_has_passed_opens_but_sends_nothing(runtime: Runtime) -> None:
    await run_item("I.1", TODAY - timedelta(days=1))
    state = await run("flows.mail.delivery", as_of=TODAY - timedelta(days=1))
    assert state.is_completed()
    assert count(runtime, Letter) == 0


async def test_failed_run_leaves_no_half_and_the_next_repairs(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ConnectionError("bí mật của máy chủ")

    with monkeypatch.context() as patched:
        patched.setattr(flows.items, "remind", broken)
        state = await run_item("I.1", LATE)
    assert state.is_failed()
    assert count(runtime, Occurrence) == count(runtime, Assignment) == 0
    assert count(runtime, Event, Event.entity == "assignment") == 0
    assert [entry.state for entry in logged(runtime)] == [FAILED]
    with runtime.database.read() as session:
        told = session.scalars(select(Letter).where(Letter.kind == "operator_notice")).one()
        assert told.mailbox == "van-hanh@tiendo.test"
        assert "ConnectionError" in told.payload
        assert "bí mật" not in told.payload

    assert (await run_item("I.1", LATE)).is_completed()
    assert count(runtime, Occurrence) > 0
    assert [entry.state for entry in logged(runtime)] == [FAILED, RunState.IN_PROGRESS]


async def test_figures_that_cannot_be_shown_do_not_fail_the_run(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(**_: Any) -> None:
        raise OSError("Prefect is away")

    monkeypatch.setattr("prefect.artifacts.acreate_table_artifact", broken)
    assert (await run_item("I.1", LATE)).is_completed()
    assert count(runtime, Occurrence) > 0


async def test_figures_are_a_table_in_vietnamese(runtime: Runtime, api_url: str) -> None:
    await run_item("I.1", LATE)
    wanted = {
        "key": {"any_": [artifact_of("I.1")]},
        "flow_run_id": {"any_": [logged(runtime)[0].run]},
    }
    with PrefectClient(api_url, timeout=10.0) as client:
        found = client.post("/artifacts/filter", {"artifacts": wanted})
    rows = {row["Chỉ tiêu"]: row["Số lượng"] for row in json.loads(found[0]["data"])}
    assert rows["Kỳ đang theo dõi"] > 0


def artifact_of(item: str) -> str:
    job = Job(word="item", title="", time_zone=PLAN.time_zone, plan=PLAN.key, item=item)
    return flows.reporting.artifact_key(job)


async def test_letters_are_made_and_sent(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monday = TODAY + timedelta(days=7 - TODAY.weekday())
    await run_item("I.1", monday)
    folder = tmp_path / "mailbox"
    with LocalMailbox(folder) as mailbox:
        monkeypatch.setenv("TIENDO_LOCAL_MAIL_PORT", str(mailbox.port))
        state = await run("flows.mail.delivery", as_of=monday)
    assert state.name == "Đã gửi thư", state.message
    sent = count(runtime, Letter, Letter.state == LetterState.SENT.value)
    assert sent == len(list_messages(folder, limit=1000)) > 0
    assert [entry.state for entry in logged(runtime, "delivery")] == ["Đã gửi thư"]


async def test_trial_shows_the_next_letters_on_a_day_off(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sunday = TODAY + timedelta(days=13 - TODAY.weekday())
    await run_item("I.1", sunday)
    with LocalMailbox(tmp_path / "mailbox") as mailbox:
        monkeypatch.setenv("TIENDO_LOCAL_MAIL_PORT", str(mailbox.port))
        plain = await run("flows.mail.delivery", as_of=sunday)
        shown = await run("flows.mail.delivery", as_of=sunday, preview=True)
    assert (plain.name, shown.name) == ("Không có thư phải gửi", "Đã gửi thư")
    assert "Thư xem trước" in (shown.message or "")
    found = list_messages(tmp_path / "mailbox", limit=1000)
    assert found
    assert all("Bản xem trước" in letter.subject for letter in found)


async def test_letters_wait_while_the_mail_server_is_away(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monday = TODAY + timedelta(days=7 - TODAY.weekday())
    await run_item("I.1", monday)
    monkeypatch.setenv("TIENDO_LOCAL_MAIL_PORT", "9")
    state = await run("flows.mail.delivery", as_of=monday)
    assert state.is_failed()
    assert "Máy chủ thư chưa nhận thư" in (state.message or "")
    assert count(runtime, Letter, Letter.state == LetterState.SENT.value) == 0
    assert count(runtime, Letter, Letter.state == LetterState.QUEUED.value) > 0


async def test_summary_is_made_once_a_week(runtime: Runtime) -> None:
    monday = TODAY + timedelta(days=7 - TODAY.weekday())
    first = await run("flows.mail.summary", as_of=monday)
    second = await run("flows.mail.summary", as_of=monday + timedelta(days=1))
    assert (first.name, second.name) == ("Đã lập tổng hợp", "Chưa đến ngày hoặc đã lập")


async def test_nightly_checks_see_what_did_not_run(runtime: Runtime) -> None:
    before = await run("flows.nightly.nightly")
    assert before.name == "Có việc cần xử lý"
    assert "chưa có lần chạy nào" in (before.message or "")
    assert count(runtime, Letter, Letter.kind == "operator_notice") == 1
    for key in ITEMS:
        await run_item(key)
    after = await run("flows.nightly.nightly")
    assert after.name == "Không có việc cần xử lý", after.message


async def test_the_backup_is_made_and_read_back(runtime: Runtime) -> None:
    state = await run("flows.backup.backup")
    assert state.name == "Khôi phục thử đạt", state.message
    (found,) = shelf(runtime.settings.backups_dir)
    assert found.card is not None
    assert found.card.tried_well is True


async def test_the_history_is_sealed_and_then_verified(runtime: Runtime) -> None:
    """(38) The key is made on the way."""
    assert (await run("flows.log.sealing")).name == "Đã niêm phong"
    assert (await run("flows.log.sealing")).name == "Không có sự kiện mới"
    state = await run("flows.log.verifying")
    assert state.name == "Lịch sử còn nguyên vẹn", state.message


def plan_of(runtime: Runtime) -> list[Deployed]:
    with runtime.database.read() as session:
        return deployed(session, runtime.settings)


def test_each_item_has_a_flow_and_a_deployment_of_its_own(runtime: Runtime) -> None:
    found = plan_of(runtime)
    items = [one for one in found if one.item is not None]
    assert [one.item for one in items] == ITEMS
    assert (
        len({one.entrypoint for one in found})
        == len({one.full_name for one in found})
        == len(ITEMS) + OTHERS
    )
    for one, item in zip(items, ALL, strict=True):
        assert one.flow_name.startswith(f"{item.key} · {item.text.task[:20]}")
        assert load_flow_from_entrypoint(one.entrypoint).name == one.flow_name


def test_schedules_are_plain_cron_without_a_year_in_local_time(runtime: Runtime) -> None:
    made = runner_deployments(runtime.settings)
    assert len(made) == len(ITEMS) + OTHERS
    for one, asked in zip(made, plan_of(runtime), strict=True):
        assert one.entrypoint == asked.entrypoint
        crons = [each.schedule.cron for each in one.schedules]
        assert crons == list(asked.crons)
        assert all(re.fullmatch(r"\S+( \S+){4}", cron) for cron in crons)
        assert {each.schedule.timezone for each in one.schedules} == {"Asia/Ho_Chi_Minh"}
    starts = [one.crons[0] for one in plan_of(runtime) if one.item]
    assert len(set(starts)) == len(ITEMS), "not all at once"


@pytest.mark.parametrize(
    ("cron", "minutes", "expected"),
    [
        ("30 5 * * *", 11, "41 5 * * *"),
        ("50 5 * * 1-5", 15, "5 6 * * 1-5"),
        ("50 23 * * *", 30, "59 23 * * *"),
        ("*/15 8-17 * * *", 3, "*/15 8-17 * * *"),
    ],
)
def test_starts_are_spread_within_the_day(cron: str, minutes: int, expected: str) -> None:
    assert later(cron, minutes) == expected


def test_names_fit_what_prefect_takes(runtime: Runtime) -> None:
    with runtime.database.read() as session:
        for one in item_flows(session):
            assert one.name.isidentifier()
            assert not set("/%&<>") & set(one.title + one.deployment)
            assert len(one.title) <= 120
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", flows.reporting.artifact_key(one.job))


def test_a_pool_has_every_flow_once_and_leaves_out_what_is_no_more(
    runtime: Runtime, api_url: str
) -> None:
    more = {"prefect_api_url": api_url, "work_pool": "tinh"}
    pooled = replace(runtime, settings=runtime.settings.model_copy(update=more))
    first = register(pooled.settings, "tinh")
    assert set(first.deployments) == {one.full_name for one in plan_of(runtime)}
    assert first.paused == ()
    with PrefectClient(api_url, timeout=10.0) as client:
        old = {
            "name": "nhiệm vụ đã bỏ",
            "flow_id": client.post("/flows/", {"name": "cũ"})["id"],
            "entrypoint": "flows.items.gone",
            "work_pool_name": "tinh",
        }
        client.post("/deployments/", old)
        second = register(pooled.settings, "tinh")
        assert (second.deployments, second.paused) == (first.deployments, ("nhiệm vụ đã bỏ",))
        ours = [one for one in client.deployments() if one.pool == "tinh" and not one.paused]
        assert len(ours) == len(ITEMS) + OTHERS
        watching = [
            one for one in client.post("/automations/filter", {}) if one["name"] == WATCHING
        ]
        assert [one["enabled"] for one in watching] == [True], "however often it was registered"
        with pooled.database.read() as session:
            told = list(flows_in_prefect(pooled, session, client, pooled.clock.now()))
    assert [one.level for one in told] == [Level.WRONG, Level.OK], "flows, and nobody runs them"
    assert "không có tiến trình nào" in told[0].text


async def test_runs_are_read_with_a_kept_answer(runtime: Runtime, api_url: str) -> None:
    await run_item("I.1", LATE)
    with PrefectClient(api_url, timeout=10.0) as client:
        assert client.healthy()
        answer = client.recent_runs(types=["COMPLETED"])
        newest = next(one for one in answer.runs if one.name == f"I.1 · {LATE:%d/%m/%Y}")
        assert (newest.type, newest.state) == ("COMPLETED", "Đang thực hiện")
        assert client.recent_runs(types=["COMPLETED"]) is answer, "asked a moment ago"


def test_prefect_that_is_away_gives_an_answer_marked_stale() -> None:
    with PrefectClient("http://127.0.0.1:9/api") as client:
        assert not client.healthy()
        answer = client.recent_runs()
    assert answer.stale
    assert answer.runs == ()


async def test_what_hangs_from_a_crash_is_ended(runtime: Runtime, api_url: str) -> None:
    with PrefectClient(api_url, timeout=10.0, tries=3) as client:
        flow = client.post("/flows/", {"name": "thử quét"})
        made = client.post("/deployments/", {"name": "thử quét", "flow_id": flow["id"]})
        hanging, old, new = (client.start_run(made["id"]) for _ in range(3))
        client.set_state(hanging, type="PENDING", name="Submitting", message="")
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        coming = client.post(
            f"/deployments/{made['id']}/create_flow_run",
            {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": tomorrow}}},
        )["id"]
        swept = sweep(runtime.settings)
        assert (swept.crashed, swept.skipped) == (1, 1)
        states = {one.id: one.type for one in client.runs(deployment_ids=[made["id"]])}
        left = dict.fromkeys((new, coming), "SCHEDULED")
        assert states == {hanging: "CRASHED", old: "CANCELLED", **left}
        for one in left:
            client.set_state(one, type="CANCELLED", name="Cancelled", message="")
