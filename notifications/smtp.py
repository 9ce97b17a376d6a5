"""The one file that speaks to yagmail.

yagmail connects, secures and logs in; the letter itself is driven over its connection phase by
phase, because ``yagmail.send()`` logs in again for each letter, rewrites the HTML, sends it as
the plain part too and sleeps after a disconnect. ``docs/decisions/0003-mail.md`` has the reasons.

No password and no letter's body leaves this file in a log, an outcome or an exception: errors
become outcomes, and what a server repeats of a secret is blotted out.
"""

from __future__ import annotations

import base64
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import yagmail
from pydantic import SecretStr

from notifications.answers import (
    NotConnected,
    Outcome,
    Phase,
    Sent,
    SessionRefused,
    classify,
    ends_session,
    lost,
    readable,
)
from notifications.deadline import BoundedSMTP, BoundedTLS, Deadline

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"
    """TLS from the first byte, usually port 465."""
    STARTTLS = "starttls"
    """Begins in the clear and turns to TLS, usually port 587; refused if the server cannot."""
    NONE = "none"
    """In the clear: a relay on the own network, or the local mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """How to reach the mail server.

    ``user`` None means no login. ``timeout_seconds`` bounds each wait for an answer,
    ``letter_seconds`` all that is said about one letter, connecting included. ``ca_file`` is a PEM
    bundle for an authority of one's own. ``helo_name`` is how we introduce ourselves;
    None asks the resolver. Raises ValueError for a password that would travel in the clear.
    """

    host: str
    port: int
    user: str | None = None
    password: SecretStr | None = None
    security: Security = Security.STARTTLS
    timeout_seconds: float = 30.0
    letter_seconds: float = 180.0
    ca_file: str | None = None
    helo_name: str | None = None

    def __post_init__(self) -> None:
        if (self.user is None) != (self.password is None):
            raise ValueError("SMTP user and password are set together or not at all")
        if self.user and self.security is Security.NONE and self.host not in _LOOPBACK:
            raise ValueError("an SMTP password needs TLS or STARTTLS outside this machine")


class MailSession:
    """One connection for a delivery run: connects at the first letter, logs in once.

    ``over`` makes the connection in place of smtplib: the simulator's needs no network.
    A connection that broke is made anew, at most once between two letters that the server took
    or refused by itself, so that a dead server ends the run instead of being hammered.
    Not for use by several threads at once.
    """

    def __init__(
        self, settings: SmtpSettings, *, over: Callable[..., smtplib.SMTP] | None = None
    ) -> None:
        self._settings = settings
        self._over = over
        self._deadline = Deadline(each=settings.timeout_seconds, whole=settings.letter_seconds)
        self._client: Any = None
        self._failure: NotConnected | SessionRefused | None = None
        self._reconnects_left = 1
        self.logins = 0
        """How many times the session connected, for measurement."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def connect(self) -> NotConnected | SessionRefused | None:
        """Connects and logs in, if need be. None when the session is ready for letters."""
        self._deadline.begin()
        return self._connected()

    def _connected(self) -> NotConnected | SessionRefused | None:
        if self._client is not None:
            return None
        if self._failure is not None:
            return self._failure
        if self.logins and not self._reconnects_left:
            return NotConnected(error="mất kết nối với máy chủ thư")
        if self.logins:
            self._reconnects_left -= 1
        # Kept, so that the letters after a refused login do not each try the password again.
        self._failure = self._open()
        return self._failure

    def send(
        self,
        message: bytes,
        *,
        sender: str,
        to: str,
        before_data: Callable[[], None] | None = None,
    ) -> Outcome:
        """Offers one letter, as bytes in wire form, to one address in ASCII.

        ``before_data`` is called once, just before DATA, so that the caller can commit the state
        ``sending``; what it raises ends the connection and goes through. A connection that turns
        out dead before that is made anew and the letter is offered again.
        """
        self._deadline.begin()
        while True:
            failure = self._connected()
            if failure is not None:
                return failure
            phase, outcome = self._offer(message, sender, to, before_data)
            if ends_session(outcome):
                self._drop()
            else:
                self._reconnects_left = 1
            if _idle_loss(phase, outcome) and self._reconnects_left:
                continue
            if isinstance(outcome, SessionRefused):
                self._failure = outcome
            return outcome

    def close(self) -> None:
        """Says goodbye, quietly."""
        if self._client is not None:
            self._deadline.begin(self._settings.timeout_seconds)
            self._command(Phase.CONNECT, self._smtp.quit)
            self._drop()

    @property
    def _smtp(self) -> smtplib.SMTP:
        connection: smtplib.SMTP = self._client.smtp
        return connection

    def _open(self) -> NotConnected | SessionRefused | None:
        self._client = _yagmail_client(self._settings, self._over or self._bounded())
        self.logins += 1
        try:
            outcome = self._command(Phase.CONNECT, self._login)
        except BaseException:  # interrupted: there is nobody to say goodbye to
            self._drop()
            raise
        if outcome is None:
            self._client.credentials = None  # yagmail would keep the password for its life
            return None
        self._drop()
        if isinstance(outcome, SessionRefused):
            return outcome
        return NotConnected(error=getattr(outcome, "error", "không kết nối được"))

    def _bounded(self) -> Callable[..., smtplib.SMTP]:
        kind = BoundedTLS if self._settings.security is Security.TLS else BoundedSMTP
        return partial(kind, deadline=self._deadline)

    def _login(self) -> tuple[int, bytes]:
        self._client.login()
        self._smtp.ehlo_or_helo_if_needed()
        return 220, b""

    def _offer(
        self, message: bytes, sender: str, to: str, before_data: Callable[[], None] | None
    ) -> tuple[Phase, Outcome]:
        smtp = self._smtp
        size = [f"SIZE={len(message)}"] if smtp.has_extn("size") else []
        outcome = self._command(Phase.MAIL, lambda: smtp.mail(sender, size))
        if outcome is not None:
            return Phase.MAIL, outcome
        outcome = self._command(Phase.RCPT, lambda: smtp.rcpt(to))
        if outcome is not None:
            return Phase.RCPT, self._after_refusal(outcome)
        if before_data is not None:
            self._call(before_data)
        outcome = self._command(Phase.DATA, lambda: smtp.docmd("DATA"))
        if outcome is not None:
            return Phase.DATA, self._after_refusal(outcome)
        outcome = self._command(Phase.BODY, lambda: _send_body(smtp, message))
        if outcome is None:  # unreachable: an answer to a body always ends it
            raise AssertionError("an answer to a letter's body must end the letter")
        # A refused body ends the letter too; not every server holds to that by itself.
        return Phase.BODY, outcome if isinstance(outcome, Sent) else self._after_refusal(outcome)

    def _call(self, before_data: Callable[[], None]) -> None:
        try:
            before_data()
        except BaseException:
            self._drop()
            raise

    def _after_refusal(self, outcome: Outcome) -> Outcome:
        """Clears the half-made letter from the conversation, so that the next can begin."""
        if not ends_session(outcome) and self._command(Phase.MAIL, self._smtp.rset) is not None:
            self._drop()
        return outcome

    def _command(self, phase: Phase, command: Callable[[], tuple[int, bytes]]) -> Outcome | None:
        """Runs a command; whatever comes of it becomes an outcome. None means: go on.

        The errors of this module's libraries hold what was sent, so none of them is let out,
        neither as a cause nor as a context.
        """
        try:
            code, answer = command()
        except smtplib.SMTPResponseException as error:
            return self._refused(phase, error)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            return lost(phase, self._describe(error))
        return classify(phase, code, self._readable(answer))

    def _refused(self, phase: Phase, error: smtplib.SMTPResponseException) -> Outcome:
        code, answer = error.smtp_code, self._readable(error.smtp_error)
        if answer == "Line too long.":  # smtplib's own words for a server that rambles
            code = 0
        if phase is Phase.CONNECT and isinstance(error, smtplib.SMTPAuthenticationError):
            phase = Phase.LOGIN
        return classify(phase, code, answer) or NotConnected(error=f"{code} {answer}")

    def _readable(self, answer: bytes | str) -> str:
        return readable(answer, secrets=_secrets(self._settings))

    def _describe(self, error: Exception) -> str:
        if isinstance(error, UnicodeError):
            return f"{type(error).__name__}: ký tự không gửi được"  # its text repeats its input
        return self._readable(f"{type(error).__name__}: {error}")

    def _drop(self) -> None:
        """Lets go of the connection without a word."""
        client, self._client = self._client, None
        if client is None:
            return
        client.is_closed = True  # else yagmail says QUIT when it is collected
        client.credentials = None
        if client.smtp is not None:
            client.smtp.close()


def _idle_loss(phase: Phase, outcome: Outcome) -> bool:
    """A connection that was found dead, or closed for idleness, before the letter began."""
    return phase is Phase.MAIL and getattr(outcome, "session_over", False)


def _send_body(smtp: smtplib.SMTP, message: bytes) -> tuple[int, bytes]:
    body = message
    if body.startswith(b".") or b"\n." in body:  # seldom: base64 has no dot
        body = _LEADING_DOT.sub(b"..", body)
    ending = b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"
    smtp.send(body + ending)
    return smtp.getreply()


class _Client(yagmail.SMTP):  # type: ignore[misc]
    """yagmail's client, over another connection than smtplib's own."""

    over: Callable[..., smtplib.SMTP]

    @property
    def connection(self) -> Any:
        return self.over


def _yagmail_client(settings: SmtpSettings, over: Callable[..., smtplib.SMTP]) -> Any:
    """A client that has not connected yet, with yagmail's conveniences switched off."""
    context = None  # reading all authorities takes longer than a letter
    if settings.security is not Security.NONE:
        context = ssl.create_default_context(cafile=settings.ca_file)
    options: dict[str, Any] = {"timeout": settings.timeout_seconds}
    if settings.helo_name is not None:
        options["local_hostname"] = settings.helo_name
    if settings.security is Security.TLS:
        options["context"] = context
    starttls = settings.security is Security.STARTTLS
    client = _Client(
        user=settings.user,
        password=settings.password.get_secret_value() if settings.password else "",
        host=settings.host,
        port=settings.port,
        # A plain True would not check the server's certificate.
        smtp_starttls={"context": context} if starttls else False,
        smtp_ssl=settings.security is Security.TLS,
        smtp_skip_login=settings.user is None,
        soft_email_validation=False,
        **options,
    )
    client.over = over
    client.user = settings.user or ""  # else "@gmail.com" is put behind a bare name
    client.set_logging(None)
    return client


def _secrets(settings: SmtpSettings) -> tuple[str, ...]:
    if settings.password is None:
        return ()
    password = settings.password.get_secret_value()
    plain = f"\0{settings.user}\0{password}"
    return (
        password,
        base64.b64encode(password.encode()).decode(),
        base64.b64encode(plain.encode()).decode(),
    )
