"""A mail server that is never silent and never done: the letter's own time ends the conversation."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from notifications.answers import NotConnected, Outcome, Sent, TemporaryFailure, Unknown
from notifications.smtp import MailSession, Security, SmtpSettings
from tests.integration import test_smtp_tls
from tests.integration.test_smtp_session import ScriptedServer, send
from tests.integration.test_smtp_session import settings as plain_settings

certificate = test_smtp_tls.certificate
EACH, WHOLE = 0.2, 0.45
BYTE = 0.03
"""Each byte comes well within the time of one wait."""


class Dribbling(ScriptedServer):
    """Begins an answer in one phase and never ends it, byte by byte."""

    def __init__(self, verb: str, *, lines: bool = False) -> None:
        super().__init__()
        self._verb = verb
        self._piece = b"250-on\r\n" if lines else b"2"

    def _answer(self, connection: socket.socket, verb: str) -> bool:
        if verb != self._verb:
            return super()._answer(connection, verb)
        while not self._over.wait(BYTE):
            connection.sendall(self._piece)
        return False


def hurried(port: int) -> SmtpSettings:
    return replace(plain_settings(port, timeout=EACH), letter_seconds=WHOLE)


@pytest.mark.parametrize("lines", [False, True], ids=["bytes", "lines"])
@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("HELLO", NotConnected),
        ("EHLO", NotConnected),
        ("AUTH", NotConnected),
        ("MAIL", NotConnected),
        ("RCPT", TemporaryFailure),
        ("DATA", TemporaryFailure),
        ("BODY", Unknown),
    ],
)
def test_an_answer_that_never_ends_ends_the_letter(
    verb: str, expected: type[Outcome], lines: bool
) -> None:
    """Rule 33: whatever the phase, in a known state and in its time."""
    with Dribbling(verb, lines=lines) as server, MailSession(hurried(server.port)) as session:
        began = time.monotonic()
        outcome = send(session)
        took = time.monotonic() - began
    assert isinstance(outcome, expected), outcome
    assert took < WHOLE + EACH + 1


def test_a_goodbye_that_never_ends_is_not_waited_for() -> None:
    with Dribbling("QUIT") as server:
        began = time.monotonic()
        with MailSession(hurried(server.port)) as session:
            assert isinstance(send(session), Sent)
        assert time.monotonic() - began < WHOLE + EACH + 1


def test_many_letters_at_a_good_pace_take_as_long_as_they_take() -> None:
    """The time is each letter's own, not the session's."""
    with ScriptedServer() as server, MailSession(hurried(server.port)) as session:
        for _ in range(4):
            assert isinstance(send(session), Sent)
            time.sleep(WHOLE / 3)
        assert server.connections == 1


def test_time_that_is_over_before_the_body_begins_leaves_the_letter_to_be_tried_again() -> None:
    """Rule 33: what took its time was our own commit; nothing of the letter has left."""
    with ScriptedServer() as server, MailSession(hurried(server.port)) as session:
        outcome = send(session, lambda: time.sleep(WHOLE))
        assert isinstance(outcome, TemporaryFailure)
        assert server.bodies == []
        assert isinstance(send(session), Sent)


@pytest.fixture
def slow_tls(certificate: Path) -> Iterator[int]:
    """A port that speaks TLS and dribbles its greeting."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Secured(context) as server:
        yield server.port


class Secured(Dribbling):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__("HELLO")
        self._context = context

    def _serve(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as inside:
            super()._serve(inside)


def test_the_time_ends_a_conversation_inside_tls_as_well(slow_tls: int, certificate: Path) -> None:
    options = replace(
        hurried(slow_tls), security=Security.TLS, ca_file=str(certificate / "cert.pem")
    )
    with MailSession(options) as session:
        began = time.monotonic()
        outcome = send(session)
    assert isinstance(outcome, NotConnected)
    assert "quá thời gian dành cho một thư" in outcome.error
    assert time.monotonic() - began < WHOLE + EACH + 1
