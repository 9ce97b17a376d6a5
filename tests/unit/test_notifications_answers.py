"""The table of a mail server's answers, whole."""

from __future__ import annotations

import pytest

from notifications.answers import (
    NotConnected,
    Outcome,
    PermanentFailure,
    Phase,
    Sent,
    SessionRefused,
    TemporaryFailure,
    Unknown,
    classify,
    ends_session,
    lost,
    readable,
)

TEMPORARY, PERMANENT, SESSION = "temporary", "permanent", "session"
SENT, UNKNOWN, NO_TALK, ON = "sent", "unknown", "no talk", "goes on"
OVER = "temporary, session over"


def word(outcome: Outcome | None) -> str:
    match outcome:
        case None:
            return ON
        case Sent():
            return SENT
        case TemporaryFailure(session_over=over):
            return OVER if over else TEMPORARY
        case PermanentFailure():
            return PERMANENT
        case Unknown():
            return UNKNOWN
        case NotConnected():
            return NO_TALK
        case SessionRefused():
            return SESSION


PHASES = (Phase.CONNECT, Phase.LOGIN, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY)
TABLE: dict[int, tuple[str, str, str, str, str, str]] = {
    # code: connect, login, mail, rcpt, data, body
    -1: (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN),
    0: (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN),
    99: (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN),
    199: (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN),
    220: (ON, ON, ON, ON, OVER, SENT),
    235: (ON, ON, ON, ON, OVER, SENT),
    250: (ON, ON, ON, ON, OVER, SENT),
    251: (ON, ON, ON, ON, OVER, SENT),
    334: (SESSION, ON, OVER, OVER, OVER, UNKNOWN),
    354: (SESSION, SESSION, OVER, OVER, ON, UNKNOWN),
    421: (SESSION, SESSION, OVER, OVER, OVER, OVER),
    450: (SESSION, SESSION, TEMPORARY, TEMPORARY, TEMPORARY, TEMPORARY),
    451: (SESSION, SESSION, TEMPORARY, TEMPORARY, TEMPORARY, TEMPORARY),
    452: (SESSION, SESSION, TEMPORARY, TEMPORARY, TEMPORARY, TEMPORARY),
    454: (SESSION, SESSION, TEMPORARY, TEMPORARY, TEMPORARY, TEMPORARY),
    500: (SESSION, SESSION, SESSION, SESSION, SESSION, PERMANENT),
    501: (SESSION, SESSION, SESSION, PERMANENT, PERMANENT, PERMANENT),
    502: (SESSION, SESSION, SESSION, SESSION, SESSION, PERMANENT),
    503: (SESSION, SESSION, SESSION, SESSION, SESSION, PERMANENT),
    530: (SESSION, SESSION, SESSION, SESSION, SESSION, PERMANENT),
    535: (SESSION, SESSION, SESSION, SESSION, SESSION, PERMANENT),
    550: (SESSION, SESSION, SESSION, PERMANENT, PERMANENT, PERMANENT),
    552: (SESSION, SESSION, PERMANENT, PERMANENT, PERMANENT, PERMANENT),
    553: (SESSION, SESSION, SESSION, PERMANENT, PERMANENT, PERMANENT),
    554: (SESSION, SESSION, SESSION, PERMANENT, PERMANENT, PERMANENT),
    600: (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN),
    2500: (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("code", TABLE)
def test_each_answer_in_each_phase(code: int, phase: Phase) -> None:
    assert word(classify(phase, code, "5.1.1 x")) == TABLE[code][PHASES.index(phase)]


@pytest.mark.parametrize("phase", PHASES)
def test_no_code_is_left_without_a_meaning(phase: Phase) -> None:
    for code in range(-5, 1000):
        outcome = classify(phase, code, "x")
        if phase is Phase.BODY:
            assert outcome is not None
        if code >= 400:
            assert outcome is not None
        if isinstance(outcome, Sent):
            assert phase is Phase.BODY


@pytest.mark.parametrize("phase", PHASES)
def test_a_lost_connection_in_each_phase(phase: Phase) -> None:
    meanings = (NO_TALK, NO_TALK, OVER, OVER, OVER, UNKNOWN)
    assert word(lost(phase, "gone")) == meanings[PHASES.index(phase)]


def test_a_refused_relay_is_our_fault_and_not_the_addresses() -> None:
    assert word(classify(Phase.RCPT, 554, "5.7.1 <a@b>: Relay access denied")) == SESSION
    assert word(classify(Phase.RCPT, 550, "5.7.54 SMTP; Unable to relay recipient")) == SESSION
    assert word(classify(Phase.RCPT, 550, "5.1.1 no such user relays@b")) == PERMANENT


def test_the_session_goes_on_after_what_concerns_one_letter() -> None:
    assert not ends_session(Sent(code=250, answer=""))
    assert not ends_session(PermanentFailure(code=550, answer=""))
    assert not ends_session(TemporaryFailure(code=450, answer=""))
    assert ends_session(TemporaryFailure(code=421, answer="", session_over=True))
    assert ends_session(Unknown(error=""))


def test_answers_are_one_short_line_without_secrets() -> None:
    told = readable(b"bad\r\npass\x1b[31mword s3cret \xff" + b"x" * 999, secrets=("s3cret", ""))
    assert told.startswith("bad pass [31mword ***")
    assert len(told) == 300
