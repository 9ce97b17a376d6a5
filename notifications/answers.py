"""What a mail server's answer means for a letter, as one pure table (rule 33).

The table knows the phase of the conversation: the same 550 is about the letter's address after
RCPT and about our own sender after MAIL. Failures of the session leave letters queued; failures
of a letter end that letter only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """How far the conversation about a letter has come."""

    CONNECT = "connect"
    """Greeting, EHLO, STARTTLS."""
    LOGIN = "login"
    """AUTH."""
    MAIL = "mail"
    """Our own sender is named."""
    RCPT = "rcpt"
    """The letter's address is named."""
    DATA = "data"
    """The letter is announced; nothing of it is on its way yet."""
    BODY = "body"
    """The letter is on its way or sent: without an answer its fate is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The server took the letter."""

    code: int
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryFailure:
    """The letter was not taken now; try again later. ``code`` is 0 when none could be read."""

    code: int
    answer: str
    session_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PermanentFailure:
    """The letter or its address is refused for good: work for people."""

    code: int
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The connection ended after the letter was begun and before the answer: never resent."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotConnected:
    """No conversation came about: letters stay queued."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRefused:
    """The server refused us, not the letter: letters stay queued, operators look at settings."""

    code: int
    answer: str
    phase: Phase


Outcome = Sent | TemporaryFailure | PermanentFailure | Unknown | NotConnected | SessionRefused

GOING_ON: Final = None
"""What :func:`classify` answers when the conversation goes on to its next phase."""

_SESSION_CODES: Final = frozenset({500, 502, 503, 504, 530, 534, 535, 538})
"""About the conversation or its login (RFC 5321, 4954), in whatever phase they come."""

_TOO_LARGE: Final = 552
_CLOSING: Final = 421
_START_INPUT: Final = 354
_LOGIN_GOES_ON: Final = 334
_RELAY: Final = re.compile(r"\brelay(ing)?\b", re.IGNORECASE)

_ANSWER_LIMIT: Final = 300
_NOT_PRINTABLE: Final = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")


def classify(phase: Phase, code: int, answer: str) -> Outcome | None:
    """What an answer in a phase means; None means that the conversation goes on.

    ``code`` is what stood where a code should be; outside 200-599 it counts as nonsense.
    ``answer`` is the server's text, kept for people.
    """
    if not 200 <= code <= 599:
        return _nonsense(phase, answer)
    if phase in (Phase.CONNECT, Phase.LOGIN):
        fine = code < 300 or (phase is Phase.LOGIN and code == _LOGIN_GOES_ON)
        return GOING_ON if fine else SessionRefused(code=code, answer=answer, phase=phase)
    if code == _CLOSING:
        return TemporaryFailure(code=code, answer=answer, session_over=True)
    if 400 <= code <= 499:
        return TemporaryFailure(code=code, answer=answer)
    if code >= 500:
        if _about_us(phase, code, answer):
            return SessionRefused(code=code, answer=answer, phase=phase)
        return PermanentFailure(code=code, answer=answer)
    return _positive(phase, code, answer)


def _positive(phase: Phase, code: int, answer: str) -> Outcome | None:
    if phase is Phase.DATA:
        return GOING_ON if code == _START_INPUT else _nonsense(phase, answer)
    if code >= 300:
        return _nonsense(phase, answer)
    return Sent(code=code, answer=answer) if phase is Phase.BODY else GOING_ON


def _about_us(phase: Phase, code: int, answer: str) -> bool:
    """Whether a 5xx speaks of our session and not of this letter."""
    if phase is Phase.BODY:
        return False
    if code in _SESSION_CODES:
        return True
    if phase is Phase.MAIL:
        return code != _TOO_LARGE
    return phase is Phase.RCPT and _RELAY.search(answer) is not None


def _nonsense(phase: Phase, answer: str) -> Outcome:
    """An answer that is none: whoever speaks so is not spoken with further."""
    if phase is Phase.BODY:
        return Unknown(error=f"câu trả lời không đọc được: {answer}")
    if phase in (Phase.CONNECT, Phase.LOGIN):
        return NotConnected(error=f"câu trả lời không đọc được: {answer}")
    return TemporaryFailure(code=0, answer=answer, session_over=True)


def lost(phase: Phase, error: str) -> Outcome:
    """What a lost connection means in a phase. Before the body begins nothing can be taken."""
    if phase is Phase.BODY:
        return Unknown(error=error)
    if phase in (Phase.CONNECT, Phase.LOGIN):
        return NotConnected(error=error)
    return TemporaryFailure(code=0, answer=error, session_over=True)


def ends_session(outcome: Outcome) -> bool:
    """Whether the connection is of no more use after this outcome."""
    match outcome:
        case Unknown() | NotConnected() | SessionRefused():
            return True
        case TemporaryFailure(session_over=over):
            return over
        case Sent() | PermanentFailure():
            return False


def readable(answer: bytes | str, *, secrets: tuple[str, ...] = ()) -> str:
    """A server's words on one line, without control characters, at most 300 characters.

    Each of ``secrets`` is blotted out: a server may repeat what it was told.
    """
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = " ".join(_NOT_PRINTABLE.sub(" ", text).split())
    return text if len(text) <= _ANSWER_LIMIT else text[: _ANSWER_LIMIT - 1] + "…"
