"""The portal as its own process, as an operator starts it, with a clock for the impatient."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from runtime.settings import Settings
from tests.providers import free_port

SECRET = "a-secret-for-tests-that-is-long-enough-indeed"
START_SECONDS = 90.0


@dataclass(frozen=True)
class Served:
    """A portal that listens."""

    settings: Settings
    process: psutil.Process

    @property
    def url(self) -> str:
        """Where it is."""
        return self.settings.portal_url

    @property
    def address(self) -> tuple[str, int]:
        """The same for a socket."""
        return "127.0.0.1", self.settings.portal_port

    def memory(self) -> int:
        """Bytes that it holds."""
        return int(self.process.memory_info().rss)


@contextmanager
def portal_process(folder: Path, **patience: object) -> Iterator[Served]:
    """Start ``deployments.portal`` on SQLite; ``patience`` changes constants of that module.

    Those of ``portal.guard`` are written ``guard_NAME``.
    """
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        portal_port=free_port(),
        local_mail_port=free_port(),
        link_secret=SECRET,  # type: ignore[arg-type]
        log_level="error",
    )
    lines = ["import sys", "import deployments.patience as p", "import portal.guard as guard"]
    for name, value in patience.items():
        of, _, rest = name.rpartition("guard_")
        lines.append(f"{'guard' if rest != name else 'p'}.{rest or of} = {value!r}")
    lines += ["from deployments.portal import main", "sys.exit(main([]))"]
    process = subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, **settings.environment()},
        cwd=folder,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if httpx.get(f"{settings.portal_url}/health", trust_env=False).is_success:
                    break
            except httpx.HTTPError:
                assert process.poll() is None, "the portal did not start"
                assert time.monotonic() < deadline, "the portal did not answer"
                time.sleep(0.1)
        yield Served(settings, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(20)
