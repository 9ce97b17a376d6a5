"""A real HTTP server on this machine that takes, refuses, is slow or drops, as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """A request that came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with ``plan`` in turn, then with 200. ``drop`` closes, ``slow`` keeps waiting."""

    url: str = ""
    plan: list[int | str] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve on loopback until the block ends."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            body = self.rfile.read(size)
            heads = {name.lower(): text for name, text in self.headers.items()}
            told.got.append(Got(self.path, heads, body))
            answer = told.plan.pop(0) if told.plan else 200
            if answer == "drop":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if answer == "slow":
                time.sleep(3)
                answer = 200
            self.send_response(int(answer))
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}/nhan"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
