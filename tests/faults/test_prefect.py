"""Prefect that dies, comes twice or not at all: the engine ends in the same rows (rules 10, 11)."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from deployments.environment import child_environment
from deployments.sweeping import sweep
from models.engine import Database
from notifications.mailbox import LocalMailbox, list_messages
from operations.opening import open_due
from operations.state import plan_keys
from runtime.prefect_client import PrefectClient
from runtime.preparing import prepare
from runtime.settings import Settings
from runtime.wiring import open_runtime
from tests.databases import Copies
from tests.engine import SMALL, stamp
from tests.faults.conftest import SmallGrounds
from tests.faults.pictures import picture
from tests.faults.portals import free_port
from tests.faults.small import DAY
from tests.faults.test_together import opened
from tests.faults.tried import Tried
from tests.invariants import check_invariants

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(1500)]

Note = Callable[[Tried], None]
ITEM, DELIVERY = "flows.items.huyen_mau__a_1", "flows.mail.delivery"
FLOWS = (ITEM, DELIVERY)
YEAR = datetime.now(UTC).year + 1
"""The flows read the real clock; a trial may be played ahead, so the days lie in the next year,
from a Monday of March on."""
FIRST = date(YEAR, 3, 7) - timedelta(days=date(YEAR, 3, 7).weekday())
ROOT = Path(__file__).parents[2]
KILLS, SERVERS = 20, 10
"""Kills in ``make faults``, half on each database: of flow runs, and of the server."""


@dataclass
class Server:
    """A Prefect server as a process of its own."""

    settings: Settings
    log: Path
    _process: subprocess.Popen[bytes] | None = None
    seconds: float = field(default=0.0)

    def start(self) -> float:
        """Start it and wait until it answers; the seconds that this took."""
        began, port = time.monotonic(), self.settings.prefect_port
        words = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deployments.child", *words],
                env=child_environment(self.settings),
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        with PrefectClient(self.settings.prefect_url) as client:
            while not client.healthy():
                assert time.monotonic() - began < 120, self.log.read_text()[-3000:]
                time.sleep(0.2)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as the kernel does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass
class Place:
    """A trial of the small district and its mailbox, over which flows run."""

    settings: Settings
    url: str

    def begin(self, *runs: tuple[str, date]) -> subprocess.Popen[str]:
        """Start a process that runs these flows, one after the other."""
        asked = [f"{flow}={json.dumps({'as_of': day.isoformat()})}" for flow, day in runs]
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.run_now", *asked],
            env=child_environment(self.settings),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *runs: tuple[str, date]) -> str:
        """The same to the end; what it wrote."""
        with self.begin(*runs) as child:
            said, _ = child.communicate(timeout=180)
        assert child.returncode == 0, said[-3000:]
        return said

    def doubled(self) -> int:
        """Letters that arrived more than once."""
        heads = list_messages(self.settings.mailbox_dir, limit=100_000)
        found = Counter(
            next(
                line
                for line in (self.settings.mailbox_dir / f"{one.id}.eml").read_text().splitlines()
                if line.lower().startswith("message-id:")
            )
            for one in heads
        )
        return sum(times - 1 for times in found.values())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Prefect server for the tests of this module."""
    folder = tmp_path_factory.mktemp("prefect")
    settings = Settings(_env_file=None, data_dir=folder, prefect_port=free_port())
    made = Server(settings, folder / "server.log")
    try:
        made.start()
        yield made
    finally:
        made.kill()


def register(settings: Settings) -> None:
    """Make the deployments of the flows that are run here."""
    subprocess.run(
        [sys.executable, "-m", "tests.faults.register", *FLOWS],
        env=child_environment(settings),
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


@contextmanager
def placed(server: Server, copies: Copies, folder: Path) -> Iterator[Place]:
    folder.mkdir()
    with copies.one(folder, migrated=True) as url:
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=url,
            plan_folders=(SMALL,),
            prefect_port=server.settings.prefect_port,
            prefect_api_url=server.settings.prefect_url,
            local_mail_port=free_port(),
        )
        with (
            open_runtime(settings) as runtime,
            LocalMailbox(settings.mailbox_dir, port=settings.local_mail_port),
        ):
            prepare(runtime)
            register(settings)
            yield Place(settings, url)


@pytest.fixture
def place(server: Server, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    """A fresh trial, on each database."""
    with placed(server, copies, tmp_path / "place") as made:
        yield made


@pytest.fixture
def sqlite_place(server: Server, sqlite_copies: Copies, tmp_path: Path) -> Iterator[Place]:
    """A fresh trial on SQLite alone, where a sample is enough."""
    with placed(server, sqlite_copies, tmp_path / "place") as made:
        yield made


def strike(place: Place, day: date, delay: float, harm: Callable[[], None]) -> None:
    """Start the day's flows, and harm so many seconds after the first began."""
    with place.begin((ITEM, day), (DELIVERY, day)) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "Beginning flow run" in line:
                break
        time.sleep(delay)
        harm()
        child.kill()
        child.stdout.read()


def whole(place: Place) -> None:
    with opened(place.url) as database:
        check_invariants(database)


def killed_runs(place: Place, store: str, note: Note, times: int) -> None:
    draw = random.Random(f"flow {store}")
    for number in range(times):
        day = FIRST + timedelta(days=number)
        strike(place, day, draw.uniform(0.0, 1.5), lambda: None)
        whole(place)
        began = time.monotonic()
        place.run((ITEM, day), (DELIVERY, day))
        seconds = time.monotonic() - began
        whole(place)
        doubled = place.doubled()
        said = "the next run does the rest"
        note(
            Tried(
                fault="flow run killed",
                store=store,
                happened=said,
                doubled=doubled,
                seconds=seconds,
            )
        )
        assert doubled == 0


def killed_servers(place: Place, server: Server, store: str, note: Note, times: int) -> None:
    draw = random.Random(f"server {store}")
    for number in range(times):
        day = FIRST + timedelta(days=number)
        strike(place, day, draw.uniform(0.0, 1.5), server.kill)
        whole(place)
        seconds = server.start()
        sweep(place.settings)
        place.run((ITEM, day), (DELIVERY, day))
        whole(place)
        doubled = place.doubled()
        said = "work of the run whole or not there; the next run does the rest"
        note(
            Tried(
                fault="Prefect server killed while a run is on",
                store=store,
                happened=said,
                doubled=doubled,
                seconds=seconds,
            )
        )
        assert doubled == 0


def test_a_flow_run_and_a_server_that_die_cost_nothing(
    sqlite_place: Place, server: Server, note: Note
) -> None:
    """Rules 10, 11, 28, 33: a sample."""
    killed_runs(sqlite_place, "sqlite", note, 1)
    killed_servers(sqlite_place, server, "sqlite", note, 1)


@pytest.mark.faults
def test_many_flow_runs_die(place: Place, store: str, note: Note) -> None:
    """All of them."""
    killed_runs(place, store, note, KILLS // 2)
    assert list_messages(place.settings.mailbox_dir), "no letter was ever due"


@pytest.mark.faults
def test_many_servers_die(place: Place, server: Server, store: str, note: Note) -> None:
    """All of them."""
    killed_servers(place, server, store, note, SERVERS // 2)


@pytest.mark.faults
def test_a_run_that_is_delivered_twice_has_one_effect(place: Place, store: str, note: Note) -> None:
    """Two processes run the same flows for the same day at the same time."""
    runs = ((ITEM, FIRST), (DELIVERY, FIRST))
    with place.begin(*runs) as one, place.begin(*runs) as other:
        for child in (one, other):
            said, _ = child.communicate(timeout=180)
            assert child.returncode == 0, said[-3000:]
    whole(place)
    doubled = place.doubled()
    said = "one effect"
    note(Tried(fault="run delivered twice", store=store, happened=said, doubled=doubled))
    assert doubled == 0


@pytest.mark.faults
def test_a_run_that_hangs_in_submitting_holds_nobody_up(
    place: Place, store: str, note: Note
) -> None:
    """It is ended before anything new runs; the next run does the work."""
    with PrefectClient(place.settings.prefect_url, timeout=10.0, tries=3) as client:
        found = {one.entrypoint: one.id for one in client.deployments()}
        hanging = client.start_run(found[ITEM])
        client.set_state(hanging, type="PENDING", name="Submitting", message="")
        swept = sweep(place.settings)
        states = {one.id: one.type for one in client.runs(deployment_ids=[found[ITEM]])}
    assert swept.crashed >= 1
    assert states[hanging] == "CRASHED"
    place.run((ITEM, FIRST), (DELIVERY, FIRST))
    whole(place)
    note(Tried(fault="run hung in Submitting", store=store, happened="ended; the next run works"))


def _opened(database: Database) -> dict[str, Counter[str]]:
    found = picture(database)
    rows = Counter(line.partition(" last_rung=")[0] for line in found["assignment"].elements())
    return {"occurrence": found["occurrence"], "assignment": rows}


def test_three_weeks_of_missed_runs_end_in_the_same_work(
    small_grounds: SmallGrounds, small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rule 11: a late occurrence does not stop the next; dates are those of its opening day."""
    last = DAY + timedelta(days=21)

    def sweep_on(url: str, day: date) -> None:
        with opened(url) as database, database.write() as session:
            for plan in plan_keys(session):
                open_due(session, stamp(day), plan)

    (tmp_path / "daily").mkdir()
    with small_grounds(store).one(tmp_path / "daily") as daily:
        for number in range(22):
            sweep_on(daily, DAY + timedelta(days=number))
        with opened(daily) as database:
            wanted = _opened(database)
    sweep_on(small_url, last)
    with opened(small_url) as database:
        found = _opened(database)
        check_invariants(database)
    lost = sum((wanted[name] - found[name]).total() for name in wanted)
    doubled = sum((found[name] - wanted[name]).total() for name in wanted)
    said = "the same work as by daily runs"
    fault = "three weeks of missed runs"
    note(Tried(fault=fault, store=store, happened=said, lost=lost, doubled=doubled))
    assert (lost, doubled) == (0, 0)
