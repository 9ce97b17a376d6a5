"""``tiendo up`` as a whole: from nothing to work that shows, stopped, started again, killed."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from deployments.first_runs import ENDED
from models.engine import Database
from models.tables import Event, Letter, Occurrence, RunLog
from notifications.mailbox import list_messages
from runtime.prefect_client import PrefectClient
from tasks_catalog.loader import CATALOG, load_plan

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(420)]

ITEMS = {item.key for item in load_plan(CATALOG / "qd_1718_2023").plan.decided}
UP = [str(Path(sys.executable).with_name("tiendo")), "up"]
READY = "Dừng bằng Ctrl+C."


@dataclass(frozen=True)
class Running:
    """A supervisor with the text it has printed so far."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def until(self, true: Callable[[], bool], seconds: float = 240.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)


def environment(folder: Path, ports: tuple[int, int, int]) -> dict[str, str]:
    names = ("TIENDO_PORTAL_PORT", "TIENDO_PREFECT_PORT", "TIENDO_LOCAL_MAIL_PORT")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TIENDO_", "PREFECT_"))
    }
    set_here = dict(zip(names, map(str, ports), strict=True))
    return {**inherited, **set_here, "TIENDO_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}


@contextmanager
def up(folder: Path, ports: tuple[int, int, int], output: Path) -> Iterator[Running]:
    with (
        output.open("wb") as file,
        subprocess.Popen(
            UP,
            env=environment(folder, ports),
            cwd=folder.parent,
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield Running(process, output)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def free_ports() -> tuple[int, int, int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    first, second, third = (int(one.getsockname()[1]) for one in held)
    for one in held:
        one.close()
    return first, second, third


def processes_of(folder: Path) -> dict[int, str]:
    """Command lines of the processes that were told of this data folder, by id."""
    return processes_with(f"TIENDO_DATA_DIR={folder}")


def processes_with(variable: str) -> dict[int, str]:
    """Command lines of the processes that have this in their environment, by id."""
    mark = variable.encode()
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(entry.name)] = line
        except OSError:
            continue
    return found


def run_of_the_runner(prefect: str) -> tuple[str, str]:
    """How a run of an item's deployment ends that the runner starts, as it does by schedule."""
    with PrefectClient(f"{prefect}/api", timeout=30.0, tries=6) as client:
        item = next(one for one in client.deployments() if "I.1" in one.tags)
        run = client.start_run(item.id)
        deadline = time.monotonic() + 60
        while True:
            (found,) = client.runs(ids=[run])
            if found.type in ENDED:
                return found.type, found.state
            assert time.monotonic() < deadline, found
            time.sleep(0.2)


def killed_run(folder: Path, prefect: str) -> str:
    """How a run of the runner ends whose process is killed while it waits for the database."""
    with (
        PrefectClient(f"{prefect}/api", timeout=30.0, tries=6) as client,
        closing(sqlite3.connect(folder / "tiendo.sqlite", isolation_level=None)) as busy,
    ):
        item = next(one for one in client.deployments() if "I.1" in one.tags)

        def reaches(run: str, *types: str) -> str:
            deadline = time.monotonic() + 60
            while (found := client.runs(ids=[run])[0]).type not in types:
                assert time.monotonic() < deadline, found
                time.sleep(0.2)
            return found.type

        busy.execute("BEGIN IMMEDIATE")
        run = client.start_run(item.id)
        reaches(run, "RUNNING")
        (process,) = processes_with(f"PREFECT__FLOW_RUN_ID={run}")
        os.kill(process, signal.SIGKILL)
        busy.rollback()
        return reaches(run, *ENDED)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code < 500
    except httpx.HTTPError:
        return False


def counts(folder: Path) -> dict[str, int]:
    database = Database(f"sqlite:///{folder / 'tiendo.sqlite'}")
    try:
        with database.read() as session:
            return {
                table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
                for table in (Event, Occurrence, Letter, RunLog)
            }
    finally:
        database.close()


def items_that_ran(folder: Path) -> list[str]:
    database = Database(f"sqlite:///{folder / 'tiendo.sqlite'}")
    try:
        with database.read() as session:
            query = select(RunLog.item_key).where(RunLog.job == "item", RunLog.run.is_not(None))
            return [str(key) for key in session.scalars(query)]
    finally:
        database.close()


def test_everything_starts_works_stops_and_comes_back(tmp_path: Path) -> None:
    folder, ports = tmp_path / "var", free_ports()
    portal, prefect = (f"http://127.0.0.1:{port}" for port in ports[:2])

    with up(folder, ports, tmp_path / "first.txt") as first:
        first.until(lambda: READY in first.said)
        assert sorted(items_that_ran(folder)) == sorted(ITEMS), "each of the items, once"
        assert answers(portal)
        assert answers(f"{prefect}/api/health")
        assert portal in first.said
        assert prefect in first.said
        letters = list_messages(folder / "mailbox", limit=1000)
        assert len(letters) == counts(folder)["letter"] > 0
        assert run_of_the_runner(prefect) == ("COMPLETED", "Đang thực hiện")
        assert killed_run(folder, prefect) == "CRASHED", "said by the runner, which minds it"
        assert run_of_the_runner(prefect) == ("COMPLETED", "Đang thực hiện"), "nothing is held up"
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(60) == 0, first.said
    assert processes_of(folder) == {}
    assert "LỖI" not in first.said
    assert not re.search(r"Traceback|đã dừng \(mã", first.said)
    before = counts(folder)

    with up(folder, ports, tmp_path / "second.txt") as second:
        second.until(lambda: READY in second.said)
        assert "Chạy lần đầu" not in second.said
        assert counts(folder)["occurrence"] == before["occurrence"]
        assert counts(folder)["event"] >= before["event"]

        (page,) = (
            pid for pid, line in processes_of(folder).items() if "deployments.portal" in line
        )
        os.kill(page, signal.SIGKILL)
        second.until(lambda: "Trang tác nghiệp đã dừng" in second.said)
        second.until(lambda: answers(portal))

        again = subprocess.run(
            UP,
            env=environment(folder, ports),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert again.returncode == 1
        assert "Hệ thống đã chạy" in again.stdout + again.stderr
        assert portal in again.stdout + again.stderr

        second.process.kill()
        second.process.wait()
        deadline = time.monotonic() + 60
        while processes_of(folder):
            assert time.monotonic() < deadline, processes_of(folder)
            time.sleep(0.2)
