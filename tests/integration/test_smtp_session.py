"""Conversations with mail servers that misbehave in every way, over real sockets."""

from __future__ import annotations

import base64
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, Self

import pytest
from pydantic import SecretStr

from notifications.answers import (
    NotConnected,
    Outcome,
    PermanentFailure,
    Sent,
    SessionRefused,
    TemporaryFailure,
    Unknown,
)
from notifications.smtp import MailSession, Security, SmtpSettings

PASSWORD = "Mat-khau-bi-mat-123"
BODY = b"Subject: x\r\n\r\n.dots\r\n..two\r\nNoi dung rieng cua thu\r\n"
DROP = "drop"
SILENT = "silent"
Answer = str | list[str]


class ScriptedServer:
    """Answers each verb as told; a list is used up call by call, its last answer stays."""

    def __init__(self, **answers: Answer) -> None:
        defaults: dict[str, Answer] = {
            "HELLO": "220 x ESMTP",
            "EHLO": "250-x\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN",
            "AUTH": "235 2.7.0 ok",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "DATA": "354 go",
            "BODY": "250 2.0.0 queued as 42",
            "RSET": "250 ok",
            "QUIT": "221 bye",
        }
        self.answers = defaults | answers
        self.heard: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._converse(connection)

    def _answer(self, connection: socket.socket, verb: str) -> bool:
        answer = self.answers.get(verb, "250 ok")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if answer == SILENT:
            self._over.wait(5)
            return False
        if answer == DROP:
            return False
        connection.sendall(answer.encode("utf-8") + b"\r\n")
        return not answer.startswith("421")

    def _converse(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        if not self._answer(connection, "HELLO"):
            return
        for raw in lines:
            verb = raw[:4].decode("ascii", "replace").upper()
            self.heard.append(raw.decode("utf-8", "replace").strip())
            if not self._answer(connection, verb):
                return
            if verb == "QUIT":
                return
            if verb == "DATA" and str(self.answers["DATA"]).startswith("354"):
                self.bodies.append(self._body(lines.readline))
                if not self._answer(connection, "BODY"):
                    return

    def _body(self, readline: Callable[[], bytes]) -> bytes:
        body = b""
        for raw in iter(readline, b""):
            if raw == b".\r\n":
                break
            body += raw.removeprefix(b".")
        return body

    def count(self, verb: str) -> int:
        return sum(1 for line in self.heard if line.upper().startswith(verb))


@contextmanager
def conversation(
    *, timeout: float = 2, **answers: Answer
) -> Iterator[tuple[ScriptedServer, MailSession]]:
    with (
        ScriptedServer(**answers) as server,
        MailSession(settings(server.port, timeout=timeout)) as session,
    ):
        yield server, session


def settings(port: int, *, timeout: float = 2) -> SmtpSettings:
    return SmtpSettings(
        host="127.0.0.1",
        port=port,
        user="nhacviec",
        password=SecretStr(PASSWORD),
        security=Security.NONE,
        timeout_seconds=timeout,
        helo_name="localhost",
    )


def send(session: MailSession, before: Callable[[], None] | None = None) -> Outcome:
    return session.send(
        BODY, sender="nhacviec@snv.test", to="xavanninh@khanhhoa.test", before_data=before
    )


def test_a_letter_arrives_byte_for_byte_and_is_committed_before_data() -> None:
    told: list[int] = []
    with conversation() as (server, session):
        outcome = send(session, lambda: told.append(server.count("DATA")))
        assert outcome == Sent(code=250, answer="2.0.0 queued as 42")
        assert server.bodies == [BODY]
        assert told == [0]
        assert f"SIZE={len(BODY)}".lower() in server.heard[2].lower()


def test_many_letters_take_one_connection_and_one_login() -> None:
    with conversation() as (server, session):
        assert all(isinstance(send(session), Sent) for _ in range(50))
        assert (server.connections, server.count("AUTH"), session.logins) == (1, 1, 1)


def test_a_bare_user_name_stays_as_it_is() -> None:
    with conversation() as (server, session):
        send(session)
        (login,) = (line for line in server.heard if line.startswith("AUTH"))
        told = base64.b64decode(login.split()[-1])
        assert told == f"\0nhacviec\0{PASSWORD}".encode()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with MailSession(settings(port)) as session:
        outcome = send(session)
        assert isinstance(outcome, NotConnected)
        assert "ConnectionRefusedError" in outcome.error


def test_a_name_that_does_not_resolve() -> None:
    options = SmtpSettings(host="khong-co.invalid", port=25, security=Security.NONE)
    assert isinstance(send(MailSession(options)), NotConnected)


@pytest.mark.parametrize(
    ("verb", "answer", "expected"),
    [
        ("HELLO", "554 no", SessionRefused),
        ("HELLO", "421 busy", SessionRefused),
        ("HELLO", "xyz nonsense", NotConnected),
        ("HELLO", DROP, NotConnected),
        ("HELLO", SILENT, NotConnected),
        ("EHLO", DROP, NotConnected),
        ("AUTH", "535 5.7.8 wrong", SessionRefused),
        ("AUTH", "454 later", SessionRefused),
        ("AUTH", DROP, NotConnected),
        ("AUTH", SILENT, NotConnected),
        ("MAIL", "450 later", TemporaryFailure),
        ("MAIL", "550 5.7.1 not you", SessionRefused),
        ("MAIL", "552 too large", PermanentFailure),
        ("MAIL", "421 closing", TemporaryFailure),
        ("MAIL", DROP, TemporaryFailure),
        ("MAIL", SILENT, TemporaryFailure),
        ("MAIL", "hello there", TemporaryFailure),
        ("RCPT", "421 closing", TemporaryFailure),
        ("RCPT", "450 4.2.1 greylisted", TemporaryFailure),
        ("RCPT", "451 4.3.0 later", TemporaryFailure),
        ("RCPT", "452 4.2.2 full", TemporaryFailure),
        ("RCPT", "550 5.1.1 no such user", PermanentFailure),
        ("RCPT", "552 5.2.2 full", PermanentFailure),
        ("RCPT", "554 5.7.1 no", PermanentFailure),
        ("RCPT", "554 5.7.1 Relay access denied", SessionRefused),
        ("RCPT", DROP, TemporaryFailure),
        ("RCPT", SILENT, TemporaryFailure),
        ("RCPT", "!!", TemporaryFailure),
        ("RCPT", "250 " + "x" * 20000, TemporaryFailure),
        ("DATA", "421 closing", TemporaryFailure),
        ("DATA", "451 later", TemporaryFailure),
        ("DATA", "550 no", PermanentFailure),
        ("DATA", "554 no valid recipients", PermanentFailure),
        ("DATA", "250 huh", TemporaryFailure),
        ("DATA", DROP, TemporaryFailure),
        ("DATA", SILENT, TemporaryFailure),
        ("BODY", "250 ok", Sent),
        ("BODY", "421 closing", TemporaryFailure),
        ("BODY", "450 later", TemporaryFailure),
        ("BODY", "451 later", TemporaryFailure),
        ("BODY", "452 full", TemporaryFailure),
        ("BODY", "550 spam", PermanentFailure),
        ("BODY", "552 too large", PermanentFailure),
        ("BODY", "554 5.7.1 spam", PermanentFailure),
        ("BODY", DROP, Unknown),
        ("BODY", SILENT, Unknown),
        ("BODY", "ok I think", Unknown),
        ("BODY", "250 " + "x" * 20000, Unknown),
        ("BODY", "\x00\x01", Unknown),
    ],
)
def test_each_answer_ends_in_its_state(verb: str, answer: str, expected: type[Outcome]) -> None:
    before: list[str] = []
    with conversation(timeout=0.4, **{verb: answer}) as (_, session):
        outcome = send(session, lambda: before.append("sending"))
    assert isinstance(outcome, expected)
    assert len(before) == (1 if verb in ("DATA", "BODY") else 0)


def test_a_refused_address_does_not_end_the_session() -> None:
    with conversation(RCPT=["550 5.1.1 no", "250 ok"]) as (server, session):
        assert isinstance(send(session), PermanentFailure)
        assert isinstance(send(session), Sent)
        assert (server.connections, server.count("RSET")) == (1, 1)


def test_a_refused_body_does_not_end_the_session() -> None:
    with conversation(BODY=["554 spam", "250 ok"]) as (server, session):
        assert isinstance(send(session), PermanentFailure)
        assert isinstance(send(session), Sent)
        assert (server.connections, server.count("RSET")) == (1, 1)


def test_a_wrong_password_is_tried_once_for_all_letters() -> None:
    with conversation(AUTH="535 5.7.8 wrong") as (server, session):
        first = send(session)
        outcomes = {send(session) for _ in range(20)}
        assert outcomes == {first}
        assert isinstance(first, SessionRefused)
        assert server.connections == 1


def test_an_idle_connection_that_was_closed_is_made_anew_for_the_same_letter() -> None:
    with conversation(MAIL=["250 ok", DROP, "250 ok"]) as (server, session):
        assert [type(send(session)) for _ in range(3)] == [Sent, Sent, Sent]
        assert server.connections == 2


def test_a_server_that_takes_few_letters_a_connection_still_gets_all() -> None:
    closing = ["250 ok", "250 ok", "421 enough"]
    with conversation(MAIL=[*closing, *closing, *closing, "250 ok"]) as (server, session):
        assert all(isinstance(send(session), Sent) for _ in range(8))
        assert server.connections == 4


def test_a_server_that_always_hangs_up_is_left_alone() -> None:
    with conversation(MAIL=DROP) as (server, session):
        assert isinstance(send(session), TemporaryFailure)
        assert all(isinstance(send(session), NotConnected) for _ in range(10))
        assert server.connections == 2


def test_at_most_two_letters_become_unknown_before_the_session_gives_up() -> None:
    with conversation(BODY=DROP) as (server, session):
        kinds = [type(send(session)) for _ in range(5)]
        assert kinds == [Unknown, Unknown, NotConnected, NotConnected, NotConnected]
        assert server.connections == 2


def test_what_the_caller_raises_before_data_stops_the_letter() -> None:
    def refuse() -> None:
        raise RuntimeError("not committed")

    with conversation() as (server, session):
        with pytest.raises(RuntimeError, match="not committed"):
            send(session, refuse)
        assert server.count("DATA") == 0
        assert isinstance(send(session), Sent)


def test_starttls_is_never_skipped_when_the_server_cannot() -> None:
    with ScriptedServer() as server:
        options = SmtpSettings(
            host="127.0.0.1",
            port=server.port,
            user="u",
            password=SecretStr(PASSWORD),
            security=Security.STARTTLS,
            timeout_seconds=1,
            helo_name="localhost",
        )
        assert isinstance(send(MailSession(options)), NotConnected)
        assert server.count("AUTH") == 0


def test_tls_to_a_server_that_speaks_plainly_fails_quietly() -> None:
    with ScriptedServer() as server:
        options = SmtpSettings(
            host="127.0.0.1", port=server.port, security=Security.TLS, timeout_seconds=1
        )
        assert isinstance(send(MailSession(options)), NotConnected)


def test_a_password_never_travels_in_the_clear_beyond_this_machine() -> None:
    with pytest.raises(ValueError, match="TLS"):
        SmtpSettings(
            host="smtp.khanhhoa.gov.vn",
            port=25,
            user="u",
            password=SecretStr(PASSWORD),
            security=Security.NONE,
        )
    with pytest.raises(ValueError, match="together"):
        SmtpSettings(host="127.0.0.1", port=25, user="u")


@pytest.mark.parametrize("password", [PASSWORD, "mật khẩu có dấu"])
@pytest.mark.parametrize(
    "answers",
    [
        {"AUTH": f"535 you said {PASSWORD} {base64.b64encode(PASSWORD.encode()).decode()}"},
        {"AUTH": DROP},
        {"BODY": f"554 {PASSWORD}"},
        {"BODY": DROP},
        {"RCPT": "550 no"},
        {},
    ],
)
def test_no_secret_and_no_body_is_logged_or_told(
    answers: dict[str, Answer],
    password: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(**answers) as server:
        options = SmtpSettings(
            host="127.0.0.1",
            port=server.port,
            user="u",
            password=SecretStr(password),
            security=Security.NONE,
            helo_name="localhost",
        )
        with MailSession(options) as session:
            outcome = send(session)
            shown = f"{outcome!r} {options!r} {session!r} {vars(session)!r}"
    printed = capfd.readouterr()
    everything = f"{shown} {caplog.text} {printed.out} {printed.err}"
    for secret in (password, base64.b64encode(password.encode()).decode(), "rieng cua thu"):
        assert secret not in everything


def test_an_interruption_while_connecting_goes_through() -> None:
    """Whoever ends the program is not told of a connection that never was."""

    def interrupted(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    settings = SmtpSettings(host="mail.tinh.example", port=25, security=Security.NONE)
    with pytest.raises(KeyboardInterrupt), MailSession(settings, over=interrupted) as session:
        session.connect()
