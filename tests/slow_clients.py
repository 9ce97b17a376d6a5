"""Clients that mean no good: heads and bodies by the byte, connections by the hundred, huge bodies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from portal.permissions import ALL, TABLE
from tests.portal_process import Served
from tests.portal_routes import ROUTES

BODY = (
    b"POST /dang-nhap HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"
    b"content-type: application/x-www-form-urlencoded\r\n\r\n"
)


def open_routes() -> list[str]:
    """The path of every page that anybody may open, but for those that need something in it."""
    return sorted(
        route.path
        for name, route in ROUTES.items()
        if TABLE[name] == ALL and "{" not in route.path and "GET" in (route.methods or ())
    )


def connect(site: Served) -> socket.socket:
    """A bare connection."""
    return socket.create_connection(site.address, timeout=10)


@contextmanager
def dripping(site: Served, heads: int, bodies: int) -> Iterator[list[socket.socket]]:
    """Connections that send a byte of a head, or of a body, now and then."""
    stop = threading.Event()
    held = [connect(site) for _ in range(heads + bodies)]
    for one in held[:heads]:
        one.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ")
    for one in held[heads:]:
        one.sendall(BODY)

    def drip() -> None:
        while not stop.wait(0.2):
            for one in held:
                with contextlib.suppress(OSError):
                    one.sendall(b"a")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield held
    finally:
        stop.set()
        thread.join()
        for one in held:
            one.close()


def is_closed(one: socket.socket, seconds: float) -> bool:
    """Whether the other side lets go of a connection within some time."""
    one.settimeout(seconds)
    try:
        while one.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@dataclass
class Answers:
    """What a client met: seconds and status of each answer, and how many failed."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """The longest wait."""
        return max(self.seconds, default=0.0)


def ask_all(site: Served, paths: list[str], seconds: float = 30.0) -> Answers:
    """Ask for each path once, on a connection of its own, and for one that is posted to."""
    found = Answers()
    for path in paths:
        began = time.monotonic()
        try:
            answer = httpx.get(f"{site.url}{path}", timeout=seconds, trust_env=False)
            found.statuses.append(answer.status_code)
        except httpx.HTTPError as error:
            found.failed.append(f"{path}: {error!r}")
        found.seconds.append(time.monotonic() - began)
    return found


@contextmanager
def flood(site: Served, clients: int, path: str = "/dang-nhap") -> Iterator[Answers]:
    """``clients`` that ask for a page over and over, each on its own connection.

    They are a process of their own, that takes nothing from whoever is watched meanwhile.
    """
    found = Answers()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.slow_clients", f"{site.url}{path}", str(clients)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield found
    finally:
        out, _ = process.communicate(b"enough", timeout=120)
        said = json.loads(out)
        found.seconds, found.statuses, found.failed = (said[name] for name in _TOLD)


_TOLD = ("seconds", "statuses", "failed")


async def _flood(url: str, clients: int) -> Answers:
    found, stop = Answers(), asyncio.Event()
    asyncio.get_running_loop().run_in_executor(None, sys.stdin.read).add_done_callback(
        lambda _: stop.set()
    )

    async def one(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                answer = await client.get(url, headers={"connection": "close"})
                found.statuses.append(answer.status_code)
                found.seconds.append(time.monotonic() - began)
            except httpx.HTTPError as error:
                found.failed.append(repr(error))

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as client:
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        await asyncio.gather(*(one(client) for _ in range(clients)))
    return found


def huge_form(size: int) -> Iterator[bytes]:
    """A form with one file of ``size`` bytes, made as it is sent."""
    yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    block = b"%PDF" + b"x" * (64 * 1024 - 4)
    for _ in range(size // len(block)):
        yield block
    yield b"\r\n--x--\r\n"


if __name__ == "__main__":
    met = asyncio.run(_flood(sys.argv[1], int(sys.argv[2])))
    sys.stdout.write(json.dumps({name: getattr(met, name) for name in _TOLD}))
