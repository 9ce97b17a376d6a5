"""A mail server in the same process, behind the real SMTP conversation of ``notifications.smtp``.

smtplib speaks to a socket that is none: each command is answered here, by the mood that was drawn.
What the server took is remembered, so that a letter lost or sent twice is seen from outside.
"""

from __future__ import annotations

import email
import email.policy
import io
import random
import re
import smtplib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from typing import Any

from simulator.clock import SimulatedClock
from simulator.fate import Process

REFUSALS = (421, 450, 451, 452, 550, 552, 554)
"""What a server may answer instead of what was hoped for (RFC 5321)."""
PHASES = ("connect", "ehlo", "mail", "rcpt", "data", "body")
_TEXTS = {
    421: "4.3.2 closing",
    450: "4.2.1 mailbox busy",
    451: "4.3.0 try later",
    452: "4.2.2 mailbox full",
    550: "5.1.1 no such user",
    552: "5.3.4 too large",
    554: "5.7.1 rejected",
}
_HOPED = {"connect": 220, "ehlo": 250, "mail": 250, "rcpt": 250, "data": 354, "body": 250}
_LINK = re.compile(r"/lien-ket/([^\s\"<>]+)")
_SLOW = (timedelta(seconds=20), timedelta(minutes=10), timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter that the server took, whatever its sender was told."""

    number: str
    to: str
    at: datetime


@dataclass(slots=True)
class MailServer:
    """The server and its moods. ``trouble`` is how likely each command is to go wrong."""

    random: random.Random
    clock: SimulatedClock
    met: Counter[str]
    moment: Callable[[], None]
    """Called as each command arrives: the sender may die here."""
    between: Callable[[], None]
    """Called now and then while a letter is under way: others work at the same time."""
    process: Callable[[], Process | None]
    """The process at work: a conversation ends with whoever began it."""
    trouble: float = 0.01
    down: bool = False
    gone: set[str] = field(default_factory=set)
    """Addresses that do not exist any more."""
    taken: list[Taken] = field(default_factory=list)
    newest: dict[str, bytes] = field(default_factory=dict)
    """The newest letter that lies in each mailbox."""

    def connection(self, *_: Any, **options: Any) -> smtplib.SMTP:
        """What stands in for ``smtplib.SMTP``."""
        self.moment()
        if self.down or self._goes_wrong("connect", 0.5):
            self.met["mail: connection refused"] += 1
            raise ConnectionRefusedError("refused")
        return _Wire(self, local_hostname=options.get("local_hostname"))

    def _goes_wrong(self, phase: str, share: float = 1.0) -> bool:
        return self.random.random() < self.trouble * share

    def answer(self, phase: str, *, to: str = "") -> int | None:
        """The code for a command; None when the connection is dropped, 0 for nonsense."""
        self.clock.wait(timedelta(milliseconds=30))
        if phase == "rcpt" and to in self.gone:
            self.met["mail: 550 at rcpt"] += 1
            return 550
        if not self._goes_wrong(phase):
            return _HOPED[phase]
        kind = self.random.choice((*REFUSALS, "dropped", "slow", "nonsense"))
        self.met[f"mail: {kind} at {phase}"] += 1
        if kind == "slow":
            self.clock.wait(self.random.choice(_SLOW))
            return _HOPED[phase]
        if isinstance(kind, str):
            return None if kind == "dropped" else 0
        return kind

    def body(self, to: str, content: bytes) -> int | None:
        """Take a letter, or not; what its sender hears may say something else."""
        self.between()
        code = self.answer("body")
        unheard = code in {None, 0}
        if code == 250 or (unheard and self.random.random() < 0.5):
            self._take(to, content)
            if unheard:
                self.met["mail: taken, and the answer lost"] += 1
        return code

    def _take(self, to: str, content: bytes) -> None:
        head = BytesHeaderParser().parsebytes(content[: content.find(b"\r\n\r\n") + 4])
        self.taken.append(Taken(str(head["Message-ID"]), to, self.clock.now()))
        self.newest[to] = content

    def link_in(self, to: str) -> str | None:
        """The token of the link in the newest letter of a mailbox."""
        if to not in self.newest:
            return None
        letter = email.message_from_bytes(self.newest[to], policy=email.policy.default)
        body = letter.get_body(("plain",))
        found = None if body is None else _LINK.search(str(body.get_content()))
        return found[1] if found else None


class _Wire(smtplib.SMTP):
    """smtplib over a socket of ours."""

    def __init__(self, server: MailServer, local_hostname: str | None) -> None:
        self._server = server
        super().__init__("mail.invalid", 25, local_hostname=local_hostname or "localhost")

    def _get_socket(self, *_: Any) -> Any:
        return _Socket(self._server)


class _Socket:
    """One conversation: bytes in, answers out."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._answers = io.BytesIO()
        self._process = server.process()
        self._to, self._in_body, self._closed = "", False, False
        self._say("connect", server.answer("connect"))

    def makefile(self, _mode: str) -> _Socket:
        return self

    def readline(self, _limit: int = -1) -> bytes:
        if self._closed and self._answers.tell() == len(self._answers.getvalue()):
            return b""
        return self._answers.readline()

    def close(self) -> None:
        """smtplib closes the file and the socket; both are this."""

    def sendall(self, data: bytes) -> None:
        server, process = self._server, self._process
        # What is left of a dead process says nothing more when it is cleared away, whenever that is.
        if self._closed or server.process() is not process or (process and process.dead):
            raise BrokenPipeError("closed")
        server.moment()
        if self._in_body:
            self._in_body = False
            self._say("body", server.body(self._to, data))
            return
        word = data[:4].upper()
        if word == b"MAIL":
            server.between()
            self._say("mail", server.answer("mail"))
        elif word == b"RCPT":
            self._to = data.decode().partition("<")[2].partition(">")[0]
            self._say("rcpt", server.answer("rcpt", to=self._to))
        elif word == b"DATA":
            code = server.answer("data")
            self._in_body = code == 354
            self._say("data", code)
        elif word in {b"EHLO", b"HELO"}:
            self._say("ehlo", server.answer("ehlo"))
        else:
            self._write(221 if word == b"QUIT" else 250, "OK")

    def _say(self, phase: str, code: int | None) -> None:
        if code is None:
            self._closed = True
        elif code == 0:
            self._append(b"??? \xff\r\n")
        else:
            self._write(code, _TEXTS.get(code, "OK"))
            self._closed = code == 421

    def _write(self, code: int, text: str) -> None:
        self._append(f"{code} {text}\r\n".encode())

    def _append(self, line: bytes) -> None:
        at = self._answers.tell()
        self._answers.seek(0, io.SEEK_END)
        self._answers.write(line)
        self._answers.seek(at)
