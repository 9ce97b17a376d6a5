"""Child processes of the supervisor: started in a session of their own, watched, ended whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
CALM_AFTER = 60.0
"""A child that lived this long starts again with the first pause."""


@dataclass(slots=True, kw_only=True)
class Child:
    """A program that the supervisor keeps alive. ``title`` is what people read of it."""

    title: str
    command: Sequence[str]
    """Arguments of ``python -m``."""
    environment: Mapping[str, str]
    log: Path
    grace: float = 10.0
    """Seconds to end by itself when told to."""
    deaths: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _started_at: float = 0.0
    _again_at: float | None = None
    _pause: float = FIRST_PAUSE

    def start(self) -> None:
        """Start it; its output goes to the log, that of the start before beside it as ``.1``."""
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._process is None and self.log.exists():
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        output: IO[bytes]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *self.command],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops all in order
            )
        self._started_at, self._again_at = time.monotonic(), None

    @property
    def pid(self) -> int | None:
        """Its process id, None when it was never started."""
        return None if self._process is None else self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def mind(self) -> str | None:
        """Start it again when it died, after a pause that doubles; what to say of it, if anything."""
        if self.alive or self._process is None:
            return None
        now = time.monotonic()
        if self._again_at is None:
            self.deaths += 1
            if now - self._started_at > CALM_AFTER:
                self._pause = FIRST_PAUSE
            self._again_at = now + self._pause
            pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
            self._end_group()
            return (
                f"{self.title} đã dừng (mã {self._process.returncode}); "
                f"khởi động lại sau {pause:.0f} giây. Nhật ký: {self.log}"
            )
        if now >= self._again_at:
            self.start()
        return None

    def stop(self) -> None:
        """Tell it to end, wait, and then end whatever is left of its session."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self.grace)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._end_group()
        self._process.wait()

    def _end_group(self) -> None:
        """End what the child left behind: flow runs are children of the runner."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return

    def last_lines(self, count: int = 12) -> str:
        """The end of its log, for a person who has to see why it does not start."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-count:])
