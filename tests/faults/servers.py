"""A PostgreSQL of one's own that may be stopped and started, and a line to it that may be cut."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import databases
from tests.databases import PostgresServer

_OPTIONS = tuple(one for one in databases.FAST_AND_FORGETFUL if "synchronous_commit" not in one)
"""As a server is run in earnest, but for the disk: what it says is committed outlives a crash."""


@dataclass
class Restartable:
    """A server that tests may stop in any way; it stands on the same data when started again."""

    server: PostgresServer
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return int((self.server.folder / "data/postmaster.pid").read_text().split()[0])

    @property
    def runs(self) -> bool:
        """Whether it is there: it may have given up by itself."""
        if self._process is not None:
            self._process.poll()
        return bool(databases.processes_in(self.server.folder))

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT ends it at once, as a crash does; SIGINT cuts sessions and ends in order."""
        if not self.runs:
            return
        os.kill(self.pid, how)
        deadline = time.monotonic() + 30
        while databases.processes_in(self.server.folder) and time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()
            time.sleep(0.02)

    def start(self) -> None:
        """Start it again and wait until it answers."""
        folder = self.server.folder
        binaries = next(one for one in databases._installations() if (one / "postgres").exists())
        options = [part for one in _OPTIONS for part in ("-c", one)]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *databases._as_own_user(),
                    *(str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder)),
                    *options,
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
            )
        databases._wait_until_ready(self._process, folder)

    def again(self, how: signal.Signals = signal.SIGQUIT) -> float:
        """Stop and start; the seconds that it took."""
        began = time.monotonic()
        self.stop(how)
        self.start()
        return time.monotonic() - began


@contextmanager
def restartable(
    prepare: Callable[[Path], Sequence[str]] = databases.as_it_comes,
) -> Iterator[Restartable]:
    """A fresh server, gone afterwards with all its processes; ``prepare`` is given its folder."""
    with databases.postgres_server(prepare=prepare) as server:
        made = Restartable(server)
        try:
            made.again(signal.SIGINT)
            yield made
        finally:
            if made._process is not None:
                made.stop(signal.SIGINT)
                made._process.wait(30)


@dataclass
class Line:
    """A TCP proxy to a server's socket, whose connections can be cut without a goodbye."""

    target: Path
    port: int = 0
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self) -> int:
        """Reset every connection; how many there were."""
        with self._lock:
            found, self._open = self._open, set()
        for one in found:
            with contextlib.suppress(OSError):
                reset = struct.pack("ii", 1, 0)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                one.shutdown(socket.SHUT_RDWR)
        return len(found) // 2

    def carry(self, client: socket.socket) -> None:
        """Carry bytes between a client and the server until either goes."""
        server = socket.socket(socket.AF_UNIX)
        with client, server, contextlib.suppress(OSError, ValueError):
            server.connect(str(self.target))
            with self._lock:
                self._open |= {client, server}
            other = {client: server, server: client}
            while True:
                ready, _, _ = select.select([client, server], [], [], 1.0)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    other[one].sendall(data)


@contextmanager
def line(server: PostgresServer) -> Iterator[Line]:
    """A proxy on a port of its own."""
    made = Line(server.folder / ".s.PGSQL.5432")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made.port = int(listener.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=made.carry, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield made
        finally:
            made.cut()
            listener.shutdown(socket.SHUT_RDWR)
