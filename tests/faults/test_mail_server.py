"""Whatever a mail server does in whichever phase, each letter ends in a state of rule 33.

A whole delivery over a real socket, on each database; then the server is well again and the same
day's delivery runs once more.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from pydantic import SecretStr

from models.engine import Database
from models.tables import LetterState
from notifications.smtp import MailSession, Security, SmtpSettings
from runtime.delivery import PostOffice, deliver
from tests.faults.small import DAY, FINAL, later, office, states
from tests.faults.tried import Tried
from tests.integration.test_smtp_session import DROP, SILENT, ScriptedServer
from tests.integration.test_smtp_slow import Dribbling
from tests.invariants import check_invariants

PHASES = {
    "HELLO": "greeting",
    "EHLO": "EHLO",
    "AUTH": "AUTH",
    "MAIL": "MAIL",
    "RCPT": "RCPT",
    "DATA": "DATA",
    "BODY": "end of DATA",
}
CODES = ("421", "450", "451", "550", "552", "554", "535", DROP, SILENT, "nonsense")
CASES = [(verb, code) for verb in PHASES for code in CODES]
SAMPLE = random.Random(1718).sample(CASES, 10)
NO_ANSWER = frozenset({DROP, SILENT, "nonsense"})
"""After the body these leave open whether the letter was taken."""
PASSWORD = "mot-mat-khau-cua-thu"

Note = Callable[[Tried], None]


@pytest.fixture
def database(small_url: str) -> Iterator[Database]:
    """The district, with three letters that wait."""
    made = Database(small_url, durable=False)
    yield made
    made.close()


def numbers(server: ScriptedServer) -> Counter[str]:
    """The Message-IDs of the bodies that a server was given."""
    found = (re.search(rb"(?im)^message-id: *(\S+)", body) for body in server.bodies)
    return Counter(one[1].decode() for one in found if one is not None)


def with_login(made: PostOffice, port: int) -> PostOffice:
    """The same office, which gives a password."""
    settings = SmtpSettings(
        host="127.0.0.1",
        port=port,
        user="nhacviec",
        password=SecretStr(PASSWORD),
        security=Security.NONE,
        timeout_seconds=0.3,
        helo_name="localhost",
    )
    return replace(made, open_mail=partial(MailSession, settings))


def survive(database: Database, verb: str, code: str) -> tuple[Counter[LetterState], int, int]:
    """Deliver to a server that answers so, then to one that is well; states, lost and doubled."""
    answer = f"{code} 4.0.0 as told" if code.isdigit() else code
    with ScriptedServer(**{verb: answer}) as bad:
        deliver(with_login(office(database, bad.port), bad.port), as_of=DAY)
        check_invariants(database)
        taken = numbers(bad) if verb == "BODY" and code in NO_ANSWER else Counter[str]()
    return recover_from(database, taken)


def recover_from(database: Database, taken: Counter[str]) -> tuple[Counter[LetterState], int, int]:
    """Deliver to a server that is well; the states before it, letters lost and doubled.

    ``taken`` is what the server before it took.
    """
    after = Counter(states(database).values())
    assert not set(after) & {LetterState.CLAIMED, LetterState.SENDING}
    with ScriptedServer() as good:
        for hours in (1, 4, 8):
            deliver(office(database, good.port, clock=later(hours)), as_of=DAY)
        taken += numbers(good)
    check_invariants(database)
    ended = states(database)
    lost = sum(state not in FINAL for state in ended.values())
    lost += sum(state is LetterState.SENT and not taken[name] for name, state in ended.items())
    return after, lost, sum(times - 1 for times in taken.values())


def told(after: Counter[LetterState]) -> str:
    return " and ".join(sorted(state.value for state in after))


def try_one(database: Database, store: str, verb: str, code: str, note: Note) -> None:
    after, lost, doubled = survive(database, verb, code)
    note(
        Tried(
            fault=f"mail server: {len(CODES)} answers at {PHASES[verb]}",
            store=store,
            happened=f"letters {told(after)}",
            lost=lost,
            doubled=doubled,
        )
    )
    assert (lost, doubled) == (0, 0)


@pytest.mark.parametrize(("verb", "code"), SAMPLE)
def test_every_letter_ends_in_a_state_that_is_known(
    database: Database, store: str, verb: str, code: str, note: Note
) -> None:
    """Rule 33: a sample of phases and answers."""
    try_one(database, store, verb, code, note)


@pytest.mark.faults
@pytest.mark.parametrize(("verb", "code"), [one for one in CASES if one not in SAMPLE])
def test_every_phase_and_every_answer(
    database: Database, store: str, verb: str, code: str, note: Note
) -> None:
    """Rule 33: all others."""
    try_one(database, store, verb, code, note)


def test_a_server_that_is_not_there_leaves_every_letter_waiting(
    database: Database, store: str, note: Note
) -> None:
    """Rule 33."""
    result = deliver(office(database, 1), as_of=DAY)
    assert result.trouble is not None
    assert set(states(database).values()) == {LetterState.QUEUED}
    with ScriptedServer() as good:
        deliver(office(database, good.port), as_of=DAY)
        assert set(numbers(good).values()) == {1}
    assert set(states(database).values()) == {LetterState.SENT}
    check_invariants(database)
    note(Tried(fault="mail server: refused", store=store, happened="letters wait, sent later"))


def test_a_server_without_tls_gets_no_letter(database: Database, store: str, note: Note) -> None:
    """Rule 33: neither STARTTLS nor TLS falls back to a plain line."""
    with ScriptedServer() as plain:
        for security in (Security.STARTTLS, Security.TLS):
            settings = SmtpSettings(
                host="127.0.0.1", port=plain.port, security=security, timeout_seconds=0.5
            )
            made = replace(office(database, plain.port), open_mail=partial(MailSession, settings))
            assert deliver(made, as_of=DAY).trouble is not None
            assert set(states(database).values()) == {LetterState.QUEUED}
        assert not plain.bodies
    check_invariants(database)
    note(Tried(fault="mail server: no TLS", store=store, times=2, happened="letters wait"))


class _Drops(ScriptedServer):
    """Answers a byte at a time."""

    def _answer(self, connection: object, verb: str) -> bool:
        answer = self.answers.get(verb, "250 ok")
        assert isinstance(answer, str)
        for one in f"{answer}\r\n".encode():
            self._over.wait(0.004)
            connection.sendall(bytes([one]))  # type: ignore[attr-defined]
        return True


def test_a_server_that_speaks_a_byte_at_a_time_gets_each_letter_once(
    database: Database, store: str, note: Note
) -> None:
    """Rule 33: slow is not dead."""
    with _Drops() as slow:
        deliver(office(database, slow.port), as_of=DAY)
        assert set(numbers(slow).values()) == {1}
    assert set(states(database).values()) == {LetterState.SENT}
    check_invariants(database)
    note(Tried(fault="mail server: a byte at a time", store=store, happened="letters sent"))


@pytest.mark.parametrize("verb", ["EHLO", "RCPT", "BODY"])
def test_a_server_whose_answer_never_ends_holds_no_delivery(
    database: Database, store: str, verb: str, note: Note
) -> None:
    """Rule 33: a letter's own time ends it, however slowly the server goes on speaking."""
    with Dribbling(verb) as slow:
        began = time.monotonic()
        result = deliver(office(database, slow.port, timeout=0.2, letter=0.5), as_of=DAY)
        took = time.monotonic() - began
        taken = numbers(slow)
    assert result.trouble is not None
    after, lost, doubled = recover_from(database, taken)
    fault = f"mail server: an answer at {PHASES[verb]} that never ends"
    note(
        Tried(
            fault=fault,
            store=store,
            happened=f"ended in its time, letters {told(after)}; the rest sent later",
            lost=lost,
            doubled=doubled,
            seconds=took,
        )
    )
    assert (lost, doubled) == (0, 0)
    assert took < 10
