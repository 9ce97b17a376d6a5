"""What the doctor asks of what stands around the engine: limits, disks, PostgreSQL's roles."""

import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.surroundings import disks, limits, postgresql
from deployments.worker import command
from models.engine import Database
from operations.doctor import Level
from runtime.preparing import Prepared, prepare
from runtime.settings import Settings, SettingsError
from runtime.wiring import open_runtime


def settings(folder: Path, **more: object) -> Settings:
    return Settings.model_validate({"data_dir": folder, **more})


class Usage(NamedTuple):
    """As ``shutil.disk_usage`` tells it."""

    total: int
    used: int
    free: int


def test_limits_that_several_portals_share_have_to_answer(tmp_path: Path) -> None:
    assert limits(settings(tmp_path)).level is Level.OK
    gone = limits(settings(tmp_path, limits_storage="redis://127.0.0.1:1/0"))
    assert gone.level is Level.WRONG
    assert "không kết nối được" in gone.text


@pytest.mark.parametrize(("free", "level"), [(20, Level.OK), (5, Level.NOTE), (1, Level.WRONG)])
def test_a_disk_that_fills_is_seen_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    usage = Usage(100 * 10**9, 0, free * 10**9)
    monkeypatch.setattr("cli.surroundings.shutil.disk_usage", lambda _folder: usage)
    assert {one.level for one in disks(settings(tmp_path))} == {level}


def test_who_owns_the_history_could_change_it_and_is_told(database_url: str) -> None:
    database = Database(database_url, durable=False)
    with database.read() as session:
        found = list(postgresql(session))
    if database.is_sqlite:
        assert found == []
    else:
        assert [one.level for one in found] == [Level.NOTE]
        assert "tiendo database roles" in (found[0].remedy or "")


def test_a_worker_needs_a_pool_and_takes_no_more_than_it_may(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TIENDO_WORK_POOL"):
        command(settings(tmp_path))
    made = command(settings(tmp_path, work_pool="tỉnh", flow_limit=3))
    assert made[made.index("--pool") + 1] == "tỉnh"
    assert made[made.index("--limit") + 1] == "3"


def test_portals_that_start_together_on_an_empty_database_all_come_up(
    database_url: str, tmp_path: Path
) -> None:
    found: list[Prepared] = []
    begin = threading.Barrier(3)

    def start(folder: Path) -> None:
        with open_runtime(settings(folder, database_url=database_url)) as runtime:
            begin.wait()
            found.append(prepare(runtime))

    threads = [threading.Thread(target=start, args=(tmp_path / str(n),)) for n in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 3
    assert sum(bool(one.plans) for one in found) == 1
