"""The invariants bite: each promise, broken behind the engine's back, is named."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import text

from models.engine import Database
from operations.sample_contacts import seed_sample_contacts
from tests.databases import STORES, Copies
from tests.engine import SMALL, engine, stamp
from tests.faults.kills import mail_server
from tests.faults.worker import work
from tests.invariants import InvariantsBroken, broken_promises, check_invariants

OPENED = date(2027, 2, 1)
DAY_OFF = date(2027, 2, 7)


@pytest.fixture(scope="module", params=STORES)
def lived(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A small district that opened work and wrote letters for two days."""
    name = "sqlite_copies" if request.param == "sqlite" else "postgres_copies"
    copies: Copies = request.getfixturevalue(name)
    folder = tmp_path_factory.mktemp("lived")
    with (
        copies.one(folder, migrated=True) as url,
        engine(url, folder=SMALL, start=date(2027, 1, 1)) as made,
    ):
        with made.database.write() as session:
            seed_sample_contacts(session, stamp(OPENED), agencies_file="huyen_mau")
        with mail_server(folder / "mail") as server:
            work(url, server, [OPENED, date(2027, 2, 24)])
        yield made.database


SENT_TWICE = """
INSERT INTO event (id, at, effective_on, entity, entity_id, action, actor_kind, actor_name, snapshot,
    canonical_version, digest)
SELECT 900001, at, effective_on, entity, entity_id, action, actor_kind, actor_name, snapshot,
    canonical_version, digest
FROM event WHERE entity = 'letter' AND action = 'sent' ORDER BY id LIMIT 1
"""

BROKEN = {
    "a status without an event": (
        "UPDATE assignment SET status = 'in_progress' WHERE role = 'lead'",
        "status is 'in_progress', its last event says 'not_started'",
    ),
    "a date without an event": (
        "UPDATE assignment SET due_on = '2027-03-03', version = version + 1",
        "due_on is '2027-03-03'",
    ),
    "a due date on a day off": (
        f"UPDATE assignment SET due_on = '{DAY_OFF}' WHERE role = 'lead'",
        f"due on {DAY_OFF}, a day off",
    ),
    "an event outside the log": (SENT_TWICE, "event 900001: in no log"),
    "an event both pending and sealed": (
        """INSERT INTO log_leaf ("index", event_id, digest) SELECT 0, id, digest FROM event
        WHERE id = 1""",
        "event 1: both pending and sealed",
    ),
    "an event whose digest is another's": (SENT_TWICE, "event 900001: its digest is not that"),
    "a letter that was sent twice": (SENT_TWICE, "sent, with 2 events of sending"),
    "a letter sent that nobody sent": (
        "UPDATE letter SET state = 'queued' WHERE state = 'sent'",
        "queued, with 1 events of sending",
    ),
    "two letters of one Message-ID": (
        "UPDATE letter SET message_id = '<same@tiendo.test>'",
        "Message-ID '<same@tiendo.test>'",
    ),
    "two digests on a day": (
        "UPDATE letter SET mailbox = 'one@co-quan.test'",
        "one@co-quan.test: ",
    ),
    "a reminder to another mailbox": (
        "UPDATE reminder SET mailbox = 'other@co-quan.test' WHERE id = 1",
        "for other@co-quan.test, in a letter to",
    ),
    "a reminder in a letter that never went": (
        "UPDATE letter SET state = 'superseded', sent_at = NULL",
        "counts as said by a letter that is superseded",
    ),
    "a letter on a day off": (
        f"UPDATE letter SET day = '{DAY_OFF}'",
        f"for {DAY_OFF}, a day off",
    ),
    "a letter in nobody's hand": (
        "UPDATE letter SET state = 'claimed', claimed_by = NULL, sent_at = NULL",
        "claimed by nobody",
    ),
    "a lead that is its own partner": (
        """UPDATE assignment SET role = 'partner', status = 'dormant', next_reminder_on = NULL,
        agency_key = (SELECT a.agency_key FROM assignment a WHERE a.role = 'lead'
            AND a.occurrence_id = assignment.occurrence_id ORDER BY a.id DESC LIMIT 1)
        WHERE id = (SELECT MIN(id) FROM assignment WHERE role = 'lead'
            AND occurrence_id = (SELECT id FROM occurrence WHERE item_key = 'A.2'))""",
        "is its own partner",
    ),
}


def test_nothing_is_broken_by_the_engine_itself(lived: Database) -> None:
    check_invariants(lived)


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_promise_is_named(lived: Database, what: str) -> None:
    statement, told = BROKEN[what]
    with lived.read() as session:  # whatever it does is rolled back
        session.execute(text(statement))
        assert any(told in line for line in broken_promises(session))


def test_all_that_is_broken_is_told_at_once() -> None:
    assert str(InvariantsBroken(["one", "two"])).splitlines()[1:] == ["one", "two"]
