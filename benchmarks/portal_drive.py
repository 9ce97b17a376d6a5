"""Asking pages over kept connections, and what the answers took."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.portal_fill import PASSWORD

WARM_SECONDS = 0.5
ROUND_SECONDS = 1.5
ROUNDS = 3
"""The pages take turns, so that whatever else the machine does meets each of them."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One uvicorn worker of its own process."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def megabytes(self) -> float:
        """Its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    @property
    def cpu(self) -> float:
        """Seconds of a processor that it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sign_in(self, name: str) -> str:
        """The cookie of a session, got by the form that people use."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}") as browser:
            mark = re.search(r'name="mark" value="([^"]+)"', browser.get("/dang-nhap").text)
            fields = {"mark": mark[1] if mark else "", "username": name, "password": PASSWORD}
            answer = browser.post("/dang-nhap", data=fields)
            if answer.status_code != 303:
                raise RuntimeError(f"{name} could not sign in: {answer.status_code}")
            return "; ".join(f"{key}={value}" for key, value in browser.cookies.items())


@contextmanager
def worker(kind: str, url: str, folder: Path) -> Iterator[Worker]:
    """Start a worker, wait until it answers, and stop it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.portal_server", kind, url, str(port), str(folder)]
    log = folder / f"{kind}-{port}.log"
    with log.open("wb") as told:
        process = subprocess.Popen(command, stderr=told, stdout=told)  # noqa: S603 - our own module
    try:
        _wait(process, port, log)
        yield Worker(process, port)
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"a worker did not start:\n{log.read_text(errors='replace')}")


@dataclass(slots=True)
class Asked:
    """What asking a page took: seconds of each answer, and of the whole."""

    name: str
    worker: Worker
    path: str
    cookie: str = ""
    seconds: list[float] = field(default_factory=list)
    whole: float = 0.0
    cpu: float = 0.0
    size: int = 0

    def at(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    @property
    def cpu_each(self) -> float:
        """Milliseconds of a processor that the worker spent on an answer."""
        return self.cpu / len(self.seconds) * 1000

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.whole


def drive(pages: Sequence[Asked], connections: int) -> None:
    """Ask each of ``pages`` over so many connections at once, turn by turn."""
    for page in pages:
        _ask(page, connections, WARM_SECONDS)
        page.seconds.clear()
        page.whole = 0.0
    for _ in range(ROUNDS):
        for page in pages:
            before = page.worker.cpu
            page.whole += _ask(page, connections, ROUND_SECONDS)
            page.cpu += page.worker.cpu - before


def _ask(page: Asked, connections: int, seconds: float) -> float:
    found: list[list[float]] = [[] for _ in range(connections)]
    faults: list[BaseException] = []
    began = time.perf_counter()

    def one(mine: list[float]) -> None:
        try:
            _keep_asking(page, mine, began + seconds)
        except BaseException as fault:  # noqa: BLE001 - told by whoever waits
            faults.append(fault)

    threads = [threading.Thread(target=one, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    page.seconds.extend(second for mine in found for second in mine)
    return time.perf_counter() - began


def _keep_asking(page: Asked, mine: list[float], until: float) -> None:
    headers: Mapping[str, str] = {"Cookie": page.cookie} if page.cookie else {}
    connection = http.client.HTTPConnection("127.0.0.1", page.worker.port, timeout=600)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while time.perf_counter() < until or not mine:
        began = time.perf_counter()
        connection.request("GET", page.path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        mine.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{page.path}: {answer.status}")
        page.size = len(body)
    connection.close()
