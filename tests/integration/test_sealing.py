"""Sealing and verifying an honest history (rule 38)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Checkpoint, Event, LogLeaf, LogPending, LogSubtree
from operations.errors import Conflict, Refused
from operations.sealing import LogDamaged, ages, seal
from operations.verifying import extent
from rules.merkle import LogTree
from rules.notes import SigningKey, parse_note
from runtime.sealing import ready_key, rotate, seal_now
from tests import world
from tests.sealed import Log, sealed_log


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    with sealed_log(database_url, tmp_path) as made:
        yield made


def test_a_seal_gives_every_pending_event_its_place_and_signs_the_root(log: Log) -> None:
    """(38) Index by index, the digests of the events; the checkpoint says size, root and time."""
    log.write(5)
    done = seal_now(log.runtime)
    assert done.note is not None
    head = parse_note(done.note).head
    with log.runtime.database.read() as session:
        leaves = session.execute(select(LogLeaf.index, LogLeaf.digest).order_by(LogLeaf.index))
        events = session.scalars(select(Event.digest).order_by(Event.id)).all()
        assert list(leaves.tuples()) == list(enumerate(events))
        assert session.scalar(select(LogPending.event_id)) is None
    tree = LogTree()
    tree.add_all(events)
    # The key itself is the first thing that the log tells of.
    assert (head.size, head.root, head.after) == (6, tree.root, 0)
    assert head.at == log.clock.now()
    assert parse_note(done.note).signer(log.runtime.key_folder.verifying()) is not None


def test_nothing_new_makes_no_checkpoint(log: Log) -> None:
    """(38)"""
    log.write(3)
    seal_now(log.runtime)
    again = seal_now(log.runtime)
    assert (again.events, again.note, again.size) == (0, None, 4)
    assert log.count(Checkpoint) == 1


def test_an_event_that_comes_late_under_a_smaller_number_is_sealed_all_the_same(log: Log) -> None:
    """(38) Never by ``id > last``: on PostgreSQL numbers are drawn before they are committed."""
    log.write(2)
    log.write(1, first_id=1_000)
    seal_now(log.runtime)
    log.write(1, first_id=900)
    assert seal_now(log.runtime).events == 1
    assert log.verify().whole
    with log.runtime.database.read() as session:
        assert session.scalar(select(LogLeaf.event_id).order_by(LogLeaf.index.desc())) == 900


def test_what_is_pending_is_counted_and_said_to_be_unprotected(log: Log) -> None:
    """(38)"""
    log.write(3)
    seal_now(log.runtime)
    log.later(10)
    log.write(2)
    log.later(5)
    found = log.verify()
    assert (found.sealed, found.pending, found.wrong) == (4, 2, 0)
    with log.runtime.database.read() as session:
        told = ages(session, log.clock.now())
    assert (told.sealed, told.pending) == (4, 2)
    assert told.seal_age == timedelta(minutes=15)
    assert told.pending_age == timedelta(minutes=5)
    assert told.verify_age == timedelta(0)
    assert told.verified_wrong == 0


def test_seals_of_any_size_come_to_the_same_log(log: Log) -> None:
    """(38) Some hundreds of events in many seals, over the border of a subtree, in any order."""
    chance = random.Random(38)
    for _ in range(12):
        log.write(chance.randrange(1, 60))
        seal_now(log.runtime, batch=chance.choice((7, 50, 1_000)))
        log.later(15)
    found = log.verify()
    assert found.whole
    assert found.checkpoints == log.count(Checkpoint)
    with log.runtime.database.read() as session:
        tree = LogTree()
        tree.add_all(session.scalars(select(LogLeaf.digest).order_by(LogLeaf.index)))
        kept = session.execute(select(LogSubtree.tier, LogSubtree.index, LogSubtree.root))
        assert found.root == tree.root
        assert sorted(tuple(one) for one in kept) == sorted(tree.completed)


def test_two_processes_verify_the_same(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """(38) Spans are shared out and put together in order."""
    monkeypatch.setattr("operations.log_reading.SPAN", 256)
    monkeypatch.setattr("operations.verifying.SPAN", 256)
    log.write(700)
    seal_now(log.runtime)
    assert log.verify(workers=2) == log.verify(workers=1)


def test_a_seal_in_the_middle_of_a_verification_is_no_fault(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(38) The checkpoint beside the key may be newer than what is looked at."""
    log.write(3)
    seal_now(log.runtime)
    log.write(2)

    def meanwhile(session: Session) -> int:
        size = extent(session)
        seal_now(log.runtime)
        return size

    monkeypatch.setattr("runtime.verifying.extent", meanwhile)
    found = log.verify()
    assert found.whole
    assert found.sealed == 4


def test_a_second_sealer_is_turned_away(log: Log) -> None:
    """(38) One sealer: by a lock on the machine, and by one in the database."""
    log.write(2)
    key = ready_key(log.runtime)
    assert key is not None
    if log.runtime.database.is_sqlite:
        return
    trusted = log.runtime.key_folder.verifying()
    with log.runtime.database.write() as first:
        seal(first, world.flow(), [key], trusted)
        with log.runtime.database.write() as second, pytest.raises(Conflict):
            seal(second, world.flow(), [key], trusted)


def test_the_key_is_private_and_told_to_the_history(log: Log) -> None:
    """(38) Made at the first time, outside the database, mode 0600."""
    log.write(1)
    seal_now(log.runtime)
    folder = log.runtime.key_folder
    assert folder.private_file.stat().st_mode & 0o777 == 0o600
    assert folder.private
    key = folder.signing()
    assert key is not None
    with log.runtime.database.read() as session:
        told = session.scalars(select(Event.snapshot).where(Event.entity == "log")).all()
    assert len(told) == 1
    assert key.verifying.text in told[0]
    assert key.text not in told[0]


def test_a_changed_key_is_an_event_and_both_keys_sign_the_checkpoint_that_holds_it(
    log: Log,
) -> None:
    """(38) Whoever trusts the old key can follow to the new one; the old one is gone."""
    log.write(2)
    seal_now(log.runtime)
    old = log.runtime.key_folder.signing()
    log.later(15)
    log.write(2)
    done = rotate(log.runtime, actor=world.admin().actor, reason="Hằng năm")
    new = log.runtime.key_folder.signing()
    assert old is not None
    assert new is not None
    assert old != new
    assert done.note is not None
    note = parse_note(done.note)
    assert note.signer([old.verifying])
    assert note.signer([new.verifying])
    log.later(15)
    log.write(1)
    later = seal_now(log.runtime)
    assert later.note is not None
    assert parse_note(later.note).signer([old.verifying]) is None
    assert log.verify().whole


def test_a_key_change_that_died_before_the_end_is_finished_by_the_next_seal(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(38) The history says which key counts; the file follows."""
    log.write(2)
    seal_now(log.runtime)
    monkeypatch.setattr("runtime.seal_keys.KeyFolder.take_next", _die)
    with pytest.raises(RuntimeError):
        rotate(log.runtime, actor=world.admin().actor, reason="Hằng năm")
    monkeypatch.undo()
    log.write(1)
    assert seal_now(log.runtime).events == 1
    assert log.verify().whole


def _die(_self: object) -> None:
    raise RuntimeError("died")


def test_a_missing_key_is_refused_and_never_made_anew_silently(log: Log) -> None:
    """(38) A new key beside an old log would hide that somebody else signs."""
    log.write(2)
    seal_now(log.runtime)
    log.runtime.key_folder.private_file.unlink()
    log.write(1)
    with pytest.raises(Refused, match="không thấy khóa niêm phong"):
        seal_now(log.runtime)
    rotate(log.runtime, actor=world.admin().actor, reason="Hỏng đĩa", lost=True)
    assert log.verify().whole


def test_a_strange_key_is_refused(log: Log) -> None:
    """(38)"""
    log.write(2)
    seal_now(log.runtime)
    strange = SigningKey.make("tiendo.test/lich-su", b"x" * 32)
    log.runtime.key_folder.private_file.write_text(strange.text)
    log.write(1)
    with pytest.raises(Refused, match="khóa khác"):
        seal_now(log.runtime)


def test_the_sealer_signs_nothing_over_a_log_that_was_changed(log: Log) -> None:
    """(38) A leaf is changed behind the engine's back: no checkpoint covers that up."""
    log.write(5)
    seal_now(log.runtime)
    log.behind(
        """UPDATE log_leaf SET digest = event_id WHERE "index" = 2"""
        if log.runtime.database.is_sqlite
        else """UPDATE log_leaf SET digest = decode(repeat('00', 32), 'hex') WHERE "index" = 2"""
    )
    log.write(1)
    with pytest.raises(LogDamaged, match="tiendo verify"):
        seal_now(log.runtime)
    assert log.count(LogPending) == 1


def test_the_checkpoint_of_the_day_is_kept_beside_the_key(log: Log) -> None:
    """(38) Outside the database; the day's last one, in local time."""
    log.write(1)
    seal_now(log.runtime)
    log.later(15)
    log.write(1)
    done = seal_now(log.runtime)
    kept = list(log.runtime.key_folder.kept(not_before=None))
    assert [name for name, _ in kept] == ["2027-03-01.txt"]
    assert kept[0][1] == parse_note(done.note or "")
    assert log.verify().outside == 1


def test_events_leave_the_pending_list_only_by_being_sealed(log: Log) -> None:
    """(38) A trigger, on both databases."""
    log.write(3)
    seal_now(log.runtime)
    log.write(2)
    for statement in (
        "DELETE FROM log_pending",
        "UPDATE log_pending SET event_id = event_id + 1",
        "UPDATE log_subtree SET root = root",
    ):
        if "subtree" in statement and not log.count(LogSubtree):
            continue
        assert "append-only" in log.refused(statement)
    if not log.runtime.database.is_sqlite:
        assert "append-only" in log.refused("TRUNCATE log_pending")
