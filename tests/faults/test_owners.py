"""Whether the owner of a claim still lives: else its letters wait for hours (rule 33)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from runtime.delivery import is_alive, owner_id
from tests.needs import need


def _owner(pid: int) -> str:
    start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{socket.gethostname()}:{pid}:{start}"


def test_a_process_that_died_is_gone_even_before_anybody_waited_for_it() -> None:
    """A container's first process may never wait: the dead stand in the table as zombies."""
    need(Path("/proc").exists(), "There is no /proc.", "run on Linux")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = _owner(child.pid)
        assert is_alive(owner)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and left as it is
        assert is_alive(owner) is False
    assert is_alive(owner) is False


def test_this_process_lives() -> None:
    assert is_alive(owner_id())
