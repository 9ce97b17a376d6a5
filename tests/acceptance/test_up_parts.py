"""The parts of the embedded run, each by itself: the lock, the ports, the children."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.embedded import up
from deployments.environment import child_environment
from deployments.ports import PortTaken, choose_ports, is_free
from deployments.processes import Child
from runtime.locks import AlreadyHeld, FolderLock
from runtime.settings import Settings


@pytest.fixture(name="taken")
def _taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def settings(folder: Path, **values: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[arg-type]


def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_lock_is_held_by_one_and_says_by_whom(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "up.lock") as lock:
        lock.tell({"portal": "http://127.0.0.1:8718"})
        with pytest.raises(AlreadyHeld) as caught, FolderLock(tmp_path / "up.lock"):
            pass
    assert caught.value.told == {"pid": str(os.getpid()), "portal": "http://127.0.0.1:8718"}
    with FolderLock(tmp_path / "up.lock"):
        pass


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from runtime.locks import FolderLock\n"
        "with FolderLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    path = tmp_path / "up.lock"
    with subprocess.Popen([sys.executable, "-c", hold, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyHeld), FolderLock(path):
            pass
        holder.kill()
    with FolderLock(path):
        pass


def test_second_up_says_where_the_first_is(tmp_path: Path) -> None:
    told: list[str] = []
    with FolderLock(tmp_path / "up.lock") as lock:
        lock.tell({"portal": "http://127.0.0.1:8719"})
        assert up(settings(tmp_path), say=told.append) == 1
    assert "http://127.0.0.1:8719" in told[0]
    assert str(os.getpid()) in told[0]


def test_port_that_is_taken_is_moved_and_said(tmp_path: Path, taken: int) -> None:
    asked = settings(tmp_path)
    asked = asked.model_construct(**{**dict(asked), "prefect_port": taken}, _fields_set=set())
    chosen, told = choose_ports(asked)
    assert chosen.prefect_port > taken
    assert is_free("127.0.0.1", chosen.prefect_port)
    assert any(str(taken) in one and "TIENDO_PREFECT_PORT" in one for one in told)


def test_port_set_on_purpose_is_not_moved(tmp_path: Path, taken: int) -> None:
    with pytest.raises(PortTaken, match=f"Cổng {taken} của trang tác nghiệp.*TIENDO_PORTAL_PORT="):
        choose_ports(settings(tmp_path, portal_port=taken))


def test_up_with_a_taken_port_ends_with_one(tmp_path: Path, taken: int) -> None:
    told: list[str] = []
    assert up(settings(tmp_path, portal_port=taken), say=told.append) == 1
    assert "TIENDO_PORTAL_PORT" in told[0]


def test_children_get_our_settings_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = settings(tmp_path, prefect_port=4300)
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")
    monkeypatch.setenv("TIENDO_PORTAL_PORT", "1")
    found = child_environment(ours)
    assert found["PREFECT_API_URL"] == "http://127.0.0.1:4300/api"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert found["DO_NOT_TRACK"] == "1"
    assert "TIENDO_PORTAL_PORT" not in found


def child(tmp_path: Path, script: str, *, grace: float = 5.0) -> Child:
    (tmp_path / "sample_child.py").write_text(script)
    return Child(
        title="Mẫu",
        command=["sample_child"],
        environment={**os.environ, "PYTHONPATH": str(tmp_path)},
        log=tmp_path / "logs" / "mau.log",
        grace=grace,
    )


def test_dead_child_is_started_again_after_a_pause(tmp_path: Path) -> None:
    one = child(tmp_path, "print('here', flush=True)\nraise SystemExit(3)")
    one.start()
    first = one.pid
    until(lambda: not one.alive)
    assert "mã 3" in (one.mind() or "")
    assert one.mind() is None, "told once"
    until(lambda: one.mind() is None and one.pid != first)
    until(lambda: one.log.read_text() == "here\nhere\n")
    one.stop()


def test_child_that_will_not_end_is_ended_with_all_its_own(tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "own = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(own.pid, flush=True)\n"
        "time.sleep(60)"
    )
    one = child(tmp_path, script, grace=0.5)
    one.start()
    until(lambda: one.log.read_text().strip().isdigit())
    own = int(one.log.read_text())
    one.stop()
    assert not one.alive
    until(lambda: not running(own))


def running(pid: int) -> bool:
    """Whether the process is there and not only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_program_ends_with_its_parent_even_a_killed_one(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(
        "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    )
    parent = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'deployments.child', 'sleeper'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", parent], env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        sleeper = int(process.stdout.readline())
        assert running(sleeper)
        process.send_signal(signal.SIGKILL)
        until(lambda: not running(sleeper))


def test_loading_every_flow_imports_nothing_that_only_a_run_needs() -> None:
    """The runner keeps what it has loaded for as long as it lives: 17 MB, and a longer start."""
    script = (
        "import sys, flows.items, flows.mail, flows.nightly, flows.backup, flows.log\n"
        "print({'alembic', 'psycopg', 'pyrage', 'pymerkle', 'yagmail'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "set()"
