"""A mail server that takes everything and keeps nothing, in a process of its own."""

from __future__ import annotations

import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-SIZE 10000000\r\n250 8BITMIME\r\n",
    b"HELO": b"250 sink\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
_END = b"\r\n.\r\n"


@contextmanager
def sink() -> Iterator[int]:
    """The port on loopback of a server that is there while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,))
        process.start()
        try:
            yield listening.getsockname()[1]
        finally:
            process.kill()
            process.join()


def _serve(listening: socket.socket) -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_talk, args=(connection,), daemon=True).start()


def _talk(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        connection.sendall(b"220 sink\r\n")
        left = b""
        while True:
            while b"\r\n" not in left:
                more = connection.recv(65_536)
                if not more:
                    return
                left += more
            line, _, left = left.partition(b"\r\n")
            word = line[:4].upper()
            connection.sendall(_ANSWERS.get(word, b"250 ok\r\n"))
            if word == b"QUIT":
                return
            if word == b"DATA":
                left = _body(connection, left)
                connection.sendall(b"250 taken\r\n")


def _body(connection: socket.socket, left: bytes) -> bytes:
    """Read a letter to its end; what came after it."""
    pieces, tail = [left], left
    while _END not in tail:
        more = connection.recv(262_144)
        if not more:
            return b""
        tail = tail[-len(_END) :] + more
        pieces.append(more)
    return b"".join(pieces).partition(_END)[2]
