"""A portal over the small district: as a thread, or as a process of its own that can be killed.

``python -m tests.faults.portals URL FOLDER PORT`` is that process. Its clock stands at nine on that
Monday, so that nothing depends on the day of the test run.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Final

import httpx
import uvicorn
from sqlalchemy import select

from models.engine import Database
from models.tables import Assignment, Contact, Occurrence
from operations.links import LINK_PATH, LinkPurpose, issue
from portal.app import create_app
from rules.actors import flow_actor
from runtime.clock import FixedClock
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime
from tests.engine import stamp
from tests.faults.small import DAY, NOW

KEY: Final = "a secret of the fault tests, long enough to sign"
AGENCY: Final = "xa_dong"
PERSON: Final = {"who_name": "Nguyễn Thị Hoa", "who_post": "Công chức Văn phòng"}
RESULT: Final = {
    "document": "12/QĐ-UBND",
    "issued_on": "26/2/2027",
    "figure.ho_so": "3",
    **PERSON,
}
READY_SECONDS: Final = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def settings(url: str, folder: Path, port: int) -> Settings:
    """The settings of a portal of the fault tests."""
    return Settings(
        _env_file=None,
        data_dir=folder,
        database_url=url,
        link_secret=KEY,  # type: ignore[arg-type]
        portal_port=port,
        log_format="json",
    )


def links(database: Database, count: int, agency: str = AGENCY) -> list[str]:
    """Paths of fresh links to an agency's mailbox."""
    with database.write() as session:
        mailbox = session.scalars(
            select(Contact.email).where(Contact.agency_key == agency, Contact.email.is_not(None))
        ).first()
        return [
            LINK_PATH
            + issue(
                session,
                stamp(DAY, flow_actor("delivery")),
                mailbox=mailbox or "",
                agency=agency,
                purpose=LinkPurpose.WORK,
                secret=KEY,
                days=30,
            )
            for _ in range(count)
        ]


def works(database: Database, agency: str = AGENCY) -> list[int]:
    """The assignments that an agency leads, oldest first."""
    with database.read() as session:
        query = select(Assignment.id).join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        query = query.where(Assignment.agency_key == agency, Assignment.role == "lead")
        return list(session.scalars(query.order_by(Assignment.id)))


class NotOpened(Exception):
    """A page that did not come; ``status`` is what came instead."""

    def __init__(self, page: httpx.Response) -> None:
        self.status = page.status_code
        super().__init__(f"{page.status_code} {text_of(page)[:300]}")


@dataclass
class Browser:
    """Somebody behind a link of a letter."""

    url: str
    link: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=90, trust_env=False)

    def open(self, work: int) -> dict[str, str]:
        """The mark and the version of the forms on a page of work."""
        page = self.client.get(f"{self.link}/viec/{work}")
        if page.status_code != 200:
            raise NotOpened(page)
        found = {}
        for name in ("mark", "version"):
            one = re.search(rf'name="{name}" value="([^"]+)"', page.text)
            assert one is not None
            found[name] = one[1]
        return found

    def post(
        self,
        work: int,
        deed: str,
        values: Mapping[str, str],
        files: Sequence[tuple[str, bytes]] = (),
    ) -> httpx.Response:
        """Send a form."""
        parts = [("file", (name, content, "application/octet-stream")) for name, content in files]
        return self.client.post(
            f"{self.link}/viec/{work}/{deed}", data=dict(values), files=parts or None
        )


def text_of(page: httpx.Response) -> str:
    """The words of a page, without tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@contextmanager
def in_thread(url: str, folder: Path) -> Iterator[tuple[Runtime, str]]:
    """A portal within this process; its runtime and its address."""
    port = free_port()
    runtime = open_runtime(settings(url, folder, port), clock=FixedClock(NOW))
    server = uvicorn.Server(
        uvicorn.Config(create_app(runtime), host="127.0.0.1", port=port, log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield runtime, f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        runtime.close()


@dataclass
class PortalProcess:
    """A portal as a process; killed, and started again on the same database and port."""

    database_url: str
    folder: Path
    port: int = field(default_factory=free_port)
    prefix: tuple[str, ...] = ()
    """Words before the command, such as those that limit it."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start it and wait until it answers; the seconds that this took."""
        began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [self.database_url, str(self.folder), str(self.port)]
        with (self.folder / "portal.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "tests.faults.portals", *words],
                cwd=Path(__file__).parents[2],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while time.monotonic() - began < READY_SECONDS:
            assert self._process.poll() is None, self.log
            try:
                if httpx.get(f"{self.url}/health", trust_env=False, timeout=5).status_code < 500:
                    return time.monotonic() - began
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError(self.log)

    def kill(self) -> None:
        """End it as the kernel does, without a word."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        """The end of what it wrote."""
        return (self.folder / "portal.log").read_text("utf-8", "replace")[-4000:]


@contextmanager
def as_process(url: str, folder: Path, *, prefix: tuple[str, ...] = ()) -> Iterator[PortalProcess]:
    """A running portal process, which is gone afterwards."""
    made = PortalProcess(url, folder, prefix=prefix)
    try:
        made.start()
        yield made
    finally:
        made.kill()


def main(arguments: Sequence[str]) -> None:
    """Serve until killed."""
    from deployments.environment import die_with_parent
    from runtime.logs import set_up_logs

    die_with_parent()
    url, folder, port = arguments
    found = settings(url, Path(folder), int(port))
    set_up_logs(found.log_level, "json", process="portal")
    runtime = open_runtime(found, clock=FixedClock(NOW))
    uvicorn.run(create_app(runtime), host="127.0.0.1", port=int(port), log_config=None)


if __name__ == "__main__":
    main(sys.argv[1:])
