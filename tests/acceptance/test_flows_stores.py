"""What the flows do, without Prefect, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows.checks import run_checks
from flows.items import work_on
from flows.mail import send_letters
from flows.naming import ItemFlow, item_flows
from flows.shell import FAILED, BusinessDate, Outcome, noting_failure, perform
from models.tables import Event, Letter, Occurrence, RunLog
from notifications.mailbox import LocalMailbox, list_messages
from operations.errors import Refused
from operations.stamp import Stamp
from rules.run_state import RunState
from runtime.clock import FixedClock
from runtime.preparing import prepare
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""A Monday morning early in the year: full tracking begins with it (rule 19)."""
MONDAY = date(2026, 3, 2)


@pytest.fixture(name="mailbox")
def _mailbox(tmp_path: Path) -> Iterator[LocalMailbox]:
    with LocalMailbox(tmp_path / "var" / "mailbox") as mailbox:
        yield mailbox


@pytest.fixture(name="runtime")
def _runtime(tmp_path: Path, database_url: str, mailbox: LocalMailbox) -> Iterator[Runtime]:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "var",
        database_url=database_url,
        local_mail_port=mailbox.port,
        operators_address="van-hanh@tiendo.test",
    )
    with open_runtime(settings, clock=FixedClock(START)) as runtime:
        prepare(runtime)
        yield runtime


def items_of(runtime: Runtime) -> list[ItemFlow]:
    with runtime.database.read() as session:
        return item_flows(session)


def run_item(runtime: Runtime, one: ItemFlow, as_of: date | None = None) -> Outcome:
    def work(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        return work_on(one, session, stamp, day)

    return perform(runtime, one.job, work, run="thử", as_of=as_of)


def test_day_of_the_engine_from_opening_to_letters(runtime: Runtime, mailbox: LocalMailbox) -> None:
    for one in items_of(runtime):
        outcome = run_item(runtime, one)
        assert outcome.state in {RunState.IN_PROGRESS, RunState.NOTHING_OPEN}
    outcome = send_letters(runtime, "thử", None)
    assert outcome.state == "Đã gửi thư", outcome.message
    assert (
        len(list_messages(runtime.settings.mailbox_dir, limit=1000))
        == outcome.figures["Thư đã gửi"]
    )
    with runtime.database.read() as session:
        assert run_checks(session, MONDAY, runtime.clock.now()) == []
        jobs = set(session.scalars(select(RunLog.job)))
    assert jobs == {"item", "remind", "delivery"}


def periods(runtime: Runtime) -> list[tuple[str, date, date]]:
    with runtime.database.read() as session:
        rows = session.scalars(select(Occurrence).order_by(Occurrence.period_first)).all()
        return [(row.period_key, row.opens_on, row.due_on) for row in rows]


def test_missed_days_end_where_daily_runs_end(runtime: Runtime) -> None:
    """Level-triggered: what is owed does not depend on how often somebody looked."""
    one = items_of(runtime)[0]
    run_item(runtime, one, MONDAY + timedelta(days=400))
    late = periods(runtime)
    for days in range(401, 405):
        run_item(runtime, one, MONDAY + timedelta(days=days))
    assert len(late) > 1
    assert periods(runtime) == late


def test_failure_is_noted_and_leaves_no_half(runtime: Runtime) -> None:
    one = items_of(runtime)[0]

    def broken(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        work_on(one, session, stamp, day)
        raise ConnectionError("cắt giữa chừng")

    for _ in range(2):
        with (
            pytest.raises(ConnectionError),
            noting_failure(runtime, one.job, run="thử", as_of=None),
        ):
            perform(runtime, one.job, broken, run="thử", as_of=None)
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Occurrence)) == 0
        assert session.scalar(select(func.count()).where(Event.entity == "assignment")) == 0
        assert list(session.scalars(select(RunLog.state))) == [FAILED, FAILED]
        told = session.scalars(select(Letter)).all()
    assert [letter.mailbox for letter in told] == ["van-hanh@tiendo.test"], "once a day"


def test_refusal_is_no_fault(runtime: Runtime) -> None:
    one = items_of(runtime)[0]
    with pytest.raises(Refused), noting_failure(runtime, one.job, run=None, as_of=None):
        raise Refused("không được")
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RunLog)) == 0


def test_checks_name_what_was_not_opened_and_who_has_no_mailbox(runtime: Runtime) -> None:
    with runtime.database.read() as session:
        found = {one.word for one in run_checks(session, date(2026, 6, 1), runtime.clock.now())}
    assert {"runs_missing", "periods_unopened"} <= found
    with runtime.database.read() as session:
        far = {one.word for one in run_checks(session, date(2032, 6, 1), runtime.clock.now())}
    assert "days_unresolved" in far
