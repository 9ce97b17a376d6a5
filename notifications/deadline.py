"""SMTP connections that end by a deadline: a timeout alone bounds each byte, not a letter.

A server that sends a byte every few seconds, or one "250-" line after the other, never lets a
timeout pass. Here each wait may take what is left until the deadline and no longer.
"""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any, Final

_SPENT: Final = "quá thời gian dành cho một thư"


class Deadline:
    """When the conversation about one letter has to be over.

    ``each`` bounds one wait and ``whole`` all of them together, both in seconds.
    """

    def __init__(self, *, each: float, whole: float) -> None:
        self._each, self._whole = each, whole
        self._until = time.monotonic() + whole

    def begin(self, seconds: float | None = None) -> None:
        """The time runs from now, for the whole of a letter or for so many seconds."""
        self._until = time.monotonic() + (self._whole if seconds is None else seconds)

    def left(self) -> float:
        """How long the next wait may take, in seconds.

        Raises:
            TimeoutError: the time is over.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(_SPENT)
        return min(self._each, left)


class _Incoming(io.RawIOBase):
    """What a server says, each piece of it within what is left."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        try:
            return self._sock.recv_into(buffer)
        except TimeoutError:
            self._deadline.left()  # says so where it was the letter's own time that ended
            raise


class BoundedSMTP(smtplib.SMTP):
    """smtplib's connection under a deadline.

    Connecting takes one wait for each address of the server's name, a TLS handshake one more; the
    name is looked up by the resolver's own patience.
    """

    def __init__(self, *arguments: Any, deadline: Deadline, **options: Any) -> None:
        self._deadline = deadline
        super().__init__(*arguments, **options | {"timeout": deadline.left()})

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's. Raises smtplib.SMTPServerDisconnected when the time is over."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Incoming(self.sock, self._deadline))
        return super().getreply()

    def send(self, s: Any) -> None:
        """As smtplib's. Raises TimeoutError when the time was over before it began."""
        if self.sock is not None:
            self.sock.settimeout(self._deadline.left())
        super().send(s)


class BoundedTLS(BoundedSMTP, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""
