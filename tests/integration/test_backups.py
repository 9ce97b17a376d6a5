"""Backups: whole, of one instant, put back exactly, and nothing half when something fails."""

from __future__ import annotations

import errno
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa

from models.copying import UnlikeTheCopy
from models.engine import Database
from models.revision import code_revision
from models.tables import Event, Letter, StoredFile
from operations.files import path_of, quarantined_path
from operations.reminding import remind
from operations.restored import HeldBack
from operations.sample_contacts import seed_sample_contacts
from rules.events import canonical_v1, leaf_digest
from runtime import archive, backup
from runtime.archive import ArchiveBroken, KeyNeeded
from runtime.backup import Made, make_backup
from runtime.backup_shelf import BackupFailed, checkpoint_path, read_card, shelf
from runtime.restore import Restored, restore
from runtime.restore_trial import try_restore
from runtime.sealing import seal_now
from tests import databases, engine
from tests.backed_up import NIGHT, Kept, everything, kept, pdf
from tests.invariants import check_invariants
from tests.sealed import Log

_FIELDS = tuple(column.name for column in Event.__table__.columns if column.name != "digest")


@pytest.fixture
def system(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    with kept(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def keys() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def empty(copies: databases.Copies, tmp_path: Path) -> Iterator[Database]:
    """An empty place of the same kind."""
    place = tmp_path / "moi"
    place.mkdir()
    with copies.one(place, migrated=False) as url:
        database = Database(url, durable=False)
        yield database
        database.close()


def made(system: Kept) -> Made:
    return make_backup(system.runtime, at=system.clock.now())


def put_back(path: Path, into: Database, folder: Path, **more: Any) -> Restored:
    stamp = engine.stamp(NIGHT.date())
    return restore(path, into, uploads=folder / "uploads", stamp=stamp, **more)


def names_in(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def left_in(folder: Path) -> list[str]:
    """What lies on the shelf besides its lock."""
    return sorted(one.name for one in folder.iterdir() if one.name != ".backup.lock")


def test_what_was_backed_up_comes_back_row_by_row_and_file_by_file(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    before = everything(system.runtime.database)
    done = made(system)
    system.work_on()
    restored = put_back(done.path, empty, tmp_path)
    after = everything(empty)
    added = [row for row in after["event"] if row not in before["event"]]
    assert len(added) == 1  # the history says that it was restored
    for name in before.keys() - {"event", "log_pending"}:
        assert after[name] == before[name], name
    assert set(before["event"]) < set(after["event"])
    uploads = restored.uploads
    assert path_of(uploads, system.filed.sha256).read_bytes() == pdf("kết quả")
    assert not path_of(uploads, system.aside.sha256).exists()
    assert quarantined_path(uploads, system.aside.sha256).read_bytes() == pdf("nhầm")


def test_a_restored_history_is_append_only_and_keeps_its_digests(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    """(38) Triggers stand again, and each event still has the digest of what it says."""
    put_back(made(system).path, empty, tmp_path)
    with empty.read() as session:
        rows = session.scalars(sa.select(Event)).all()
        assert len(rows) > 10
        for row in rows:
            said = {name: getattr(row, name) for name in _FIELDS}
            assert leaf_digest(canonical_v1(said)) == row.digest
        restored = rows[-1] if rows[-1].action == "restore" else rows[0]
        assert (restored.entity, restored.action) == ("database", "restore")
    for statement in ("UPDATE event SET reason = 'x'", "DELETE FROM event"):
        with (
            pytest.raises(sa.exc.DBAPIError, match="append-only"),
            empty.engine.begin() as connection,
        ):
            connection.execute(sa.text(statement))


def test_the_log_comes_along_with_its_checkpoint_and_holds(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    """(38) What was sealed is sealed in the copy, and the checkpoint lies beside the backup."""
    sealed = seal_now(system.runtime)
    system.work_on()
    done = made(system)
    assert checkpoint_path(done.path).read_text(encoding="utf-8") == sealed.note
    assert try_restore(system.runtime, done.path).checkpoint == sealed.size
    history = put_back(done.path, empty, tmp_path).history
    assert (history.sealed, history.pending > 0, history.whole) == (sealed.size, True, True)


def test_a_history_that_was_tampered_with_fails_the_trial_and_is_told_by_a_restore(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    """A restore is still possible: there may be no other copy."""
    seal_now(system.runtime)
    log = Log(runtime=system.runtime, clock=system.clock)
    log.behind("UPDATE event SET reason = 'khác' WHERE id = 3")
    done = made(system)
    with pytest.raises(UnlikeTheCopy, match="Sự kiện số 3"):
        try_restore(system.runtime, done.path)
    history = put_back(done.path, empty, tmp_path).history
    assert history.first is not None
    assert history.first.event == 3


def test_work_goes_on_after_a_restore(system: Kept, empty: Database, tmp_path: Path) -> None:
    put_back(made(system).path, empty, tmp_path)
    system.engine.database.close()
    system.engine.database = empty
    system.work_on()  # ids go on after those that were given
    with empty.read() as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(Event))
        assert count == session.scalar(sa.select(sa.func.count(Event.id.distinct())))


def test_a_backup_is_of_one_instant_whatever_is_uploaded_meanwhile(
    system: Kept, empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed after the snapshot is in no part of the backup."""
    real: Callable[..., Any] = backup._files
    later = []

    def busy(*arguments: Any) -> Any:
        def work() -> None:
            later.append(system.upload("muộn hơn"))
            system.work_on()

        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        return real(*arguments)

    before = everything(system.runtime.database)
    monkeypatch.setattr(backup, "_files", busy)
    done = made(system)
    assert f"files/{later[0].sha256}" not in names_in(done.path)
    put_back(done.path, empty, tmp_path)
    after = everything(empty)
    assert after["stored_file"] == before["stored_file"]
    assert len(after["event"]) == len(before["event"]) + 1


def test_a_backup_taken_in_the_middle_of_work_is_whole(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    """(38) Whatever was committed when: each event has its mark, each upload its file."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            system.upload(f"tệp {number}")

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    try:
        done = made(system)
    finally:
        stop.set()
        for one in workers:
            one.join()
    assert not done.missing
    restored = put_back(done.path, empty, tmp_path)
    assert restored.history.whole
    with empty.read() as session:
        names = session.scalars(sa.select(StoredFile.sha256)).all()
        events = session.scalars(sa.select(Event.entity_id).where(Event.action == "store")).all()
    assert sorted(names) == sorted(events) == sorted(restored.manifest.files)


def test_an_encrypted_backup_opens_with_its_key_alone(
    database_url: str, tmp_path: Path, empty: Database, keys: pyrage.x25519.Identity
) -> None:
    public = str(keys.to_public())
    with kept(database_url, tmp_path, backup_recipient=public) as system:
        done = made(system)
    assert done.path.name.endswith(".tar.gz.age")
    with pytest.raises(tarfile.ReadError):
        names_in(done.path)
    assert b"huyen_mau" not in done.path.read_bytes()
    with pytest.raises(KeyNeeded, match="--key"):
        put_back(done.path, empty, tmp_path)
    with pytest.raises(KeyNeeded, match="không mở được"):
        put_back(done.path, empty, tmp_path, keys=[pyrage.x25519.Identity.generate()])
    restored = put_back(done.path, empty, tmp_path, keys=[keys])
    assert restored.manifest.rows == done.card.rows


def test_an_encrypted_backup_is_tried_by_a_key_that_is_then_forgotten(
    database_url: str, tmp_path: Path, keys: pyrage.x25519.Identity
) -> None:
    """The server tries what it has just written, and cannot read it ever after."""
    with kept(database_url, tmp_path, backup_recipient=str(keys.to_public())) as system:
        done = made(system)
        assert done.once is not None
        assert try_restore(system.runtime, done.path, keys=[done.once]).rows == done.card.rows
        with pytest.raises(KeyNeeded):
            try_restore(system.runtime, done.path)
    kept_there = [one for one in (tmp_path / "var").rglob("*") if one.is_file()]
    assert not any(b"AGE-SECRET-KEY" in one.read_bytes() for one in kept_there)


def test_a_trial_compares_everything_and_leaves_nothing(system: Kept) -> None:
    done = made(system)
    tried = try_restore(system.runtime, done.path)
    assert (tried.rows, tried.events, tried.files) == (done.card.rows, done.card.events, 2)
    folder = system.runtime.settings.backups_dir
    assert left_in(folder) == [done.path.name, f"{done.path.name}.json"]
    if not system.runtime.database.is_sqlite:
        with system.runtime.database.engine.connect() as connection:
            names = connection.scalars(sa.text("SELECT datname FROM pg_database")).all()
        assert not [name for name in names if name.endswith("__restore_trial")]


def test_postgresql_is_tried_in_a_database_that_the_settings_name(
    postgres_copies: databases.Copies, tmp_path: Path
) -> None:
    with (
        postgres_copies.one(tmp_path, migrated=True) as url,
        postgres_copies.one(tmp_path, migrated=False) as trial,
        kept(url, tmp_path, backup_trial_url=trial) as system,
    ):
        done = made(system)
        for _ in range(2):  # nothing stays in it
            assert try_restore(system.runtime, done.path).rows == done.card.rows
        settings = system.runtime.settings.model_copy(update={"backup_trial_url": url})
        careless = replace(system.runtime, settings=settings)
        with pytest.raises(BackupFailed, match="chỉ vào nơi trống"):
            try_restore(careless, done.path)


def test_a_damaged_backup_is_known_as_such(system: Kept) -> None:
    done = made(system)
    whole = done.path.read_bytes()
    flipped = (1, len(whole) // 4, len(whole) // 2, len(whole) - 6)
    broken = [
        whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in flipped
    ]
    for content in (*broken, whole[:-20], whole[: len(whole) // 2], b""):
        done.path.write_bytes(content)
        with pytest.raises(ArchiveBroken, match="Đề nghị dùng bản sao lưu khác"):
            try_restore(system.runtime, done.path)


def test_restoring_over_anything_is_refused(system: Kept, empty: Database, tmp_path: Path) -> None:
    done = made(system)
    before = everything(system.runtime.database)
    with pytest.raises(BackupFailed, match="--into"):
        put_back(done.path, system.runtime.database, tmp_path)
    assert everything(system.runtime.database) == before
    with pytest.raises(BackupFailed, match="--files"):
        restore(done.path, empty, uploads=system.runtime.uploads, stamp=engine.stamp(NIGHT.date()))
    with empty.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert not (tmp_path / "uploads").exists()


def test_letters_that_waited_when_the_backup_was_made_are_held_by_the_restore(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    """Rules 28, 33: they went after the backup; the restored database cannot know it."""
    day = NIGHT.date()
    with system.runtime.database.write() as session:
        seed_sample_contacts(session, engine.stamp(day), agencies_file="huyen_mau")
        remind(session, engine.stamp(day))
    done = made(system)
    waited = letters(system.runtime.database)
    assert set(waited.values()) == {("queued", None)}
    restored = put_back(done.path, empty, tmp_path)
    assert restored.letters == HeldBack(held=len(waited))
    assert letters(empty) == dict.fromkeys(waited, ("held", "restored"))
    check_invariants(empty)
    with empty.write() as session:
        queued = remind(session, engine.stamp(day))
    assert letters(empty) == dict.fromkeys(waited, ("held", "restored"))
    assert queued.letters == 0


def letters(database: Database) -> dict[str, tuple[str, str | None]]:
    """State and what holds it of every letter, by key."""
    with database.read() as session:
        return {
            key: (state, reason)
            for key, state, reason in session.execute(
                sa.select(Letter.key, Letter.state, Letter.held_reason)
            )
        }


def test_a_restore_that_fails_at_the_end_leaves_the_place_empty(
    system: Kept, empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    done = made(system)
    monkeypatch.setattr("runtime.restore.sync_folder", fail)
    with pytest.raises(BackupFailed, match="Chưa khôi phục gì"):
        put_back(done.path, empty, tmp_path)
    assert not (tmp_path / "uploads").exists()
    assert not list(tmp_path.rglob(".restore-*"))
    with empty.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_a_full_disk_leaves_nothing_half_and_says_so(
    system: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever in the archive the disk fills up; what stood on the shelf stays."""
    first, room = made(system), 0
    system.clock.instant += timedelta(days=1)
    real = archive._Counted.write

    def write(self: Any, data: Any) -> int:
        if self.size + len(data) > room:
            self.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise self.error
        return real(self, data)

    monkeypatch.setattr(archive._Counted, "write", write)
    folder = system.runtime.settings.backups_dir
    for share in (0.0, 0.3, 0.6, 0.95):
        room = int(first.card.size * share)
        with pytest.raises(BackupFailed, match="đã đầy"):
            made(system)
        assert left_in(folder) == [first.path.name, f"{first.path.name}.json"]


def test_a_full_disk_is_said_of_an_encrypted_backup_too(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: pyrage.x25519.Identity,
) -> None:
    def write(self: Any, data: Any) -> int:
        self.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise self.error

    monkeypatch.setattr(archive._Counted, "write", write)
    with (
        kept(database_url, tmp_path, backup_recipient=str(keys.to_public())) as system,
        pytest.raises(BackupFailed, match="đã đầy"),
    ):
        made(system)


def test_a_disk_without_room_is_refused_before_anything_is_written(
    system: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("runtime.backup.shutil.disk_usage", lambda _: usage)
    with pytest.raises(BackupFailed, match="TIENDO_BACKUP_DIR"):
        made(system)
    assert left_in(system.runtime.settings.backups_dir) == []


def test_missing_and_changed_uploads_are_told_and_the_rest_is_kept(
    system: Kept, empty: Database, tmp_path: Path
) -> None:
    other = system.upload("thứ ba")
    uploads = system.runtime.uploads
    path_of(uploads, system.filed.sha256).unlink()
    changed = path_of(uploads, other.sha256)
    changed.chmod(0o600)
    changed.write_bytes(b"tampered")
    done = made(system)
    assert (list(done.missing), list(done.damaged)) == ([system.filed.sha256], [other.sha256])
    assert (done.card.missing, done.card.damaged) == (1, 1)
    restored = put_back(done.path, empty, tmp_path)
    assert not path_of(restored.uploads, other.sha256).exists()
    assert quarantined_path(restored.uploads, system.aside.sha256).exists()


def test_the_card_says_what_a_backup_is_without_its_content(system: Kept) -> None:
    done = made(system)
    (found,) = shelf(system.runtime.settings.backups_dir)
    assert found.path == done.path
    card = read_card(done.path)
    assert card is not None
    assert (card.revision, card.encrypted, card.files) == (code_revision(), False, 2)
    assert card.size == done.path.stat().st_size
    assert card.made_at == found.made_at == NIGHT
    assert not checkpoint_path(done.path).exists()  # nothing was sealed


def test_secrets_are_in_no_backup(system: Kept) -> None:
    done = made(system)
    key = system.runtime.link_secret.encode()
    with tarfile.open(done.path) as tar:
        for one in tar:
            member = tar.extractfile(one)
            assert member is not None
            assert key not in member.read(), one.name


def test_two_backups_at_once_are_one(system: Kept) -> None:
    from runtime.backup_shelf import at_work

    with at_work(system.runtime.settings.backups_dir), pytest.raises(BackupFailed, match="khác"):
        made(system)


def test_what_a_killed_backup_left_is_swept(system: Kept) -> None:
    folder = system.runtime.settings.backups_dir
    (folder / ".part-killed").mkdir(parents=True)
    (folder / ".part-killed" / "archive").write_bytes(b"half")
    done = made(system)
    assert left_in(folder) == [done.path.name, f"{done.path.name}.json"]


def test_a_backup_of_the_other_kind_of_database_is_refused(
    system: Kept, sqlite_copies: databases.Copies, postgres_copies: databases.Copies, tmp_path: Path
) -> None:
    done = made(system)
    others = postgres_copies if system.runtime.database.is_sqlite else sqlite_copies
    with others.one(tmp_path, migrated=False) as url:
        other = Database(url)
        with pytest.raises(BackupFailed, match="--into"):
            put_back(done.path, other, tmp_path)
        other.close()


def test_a_backup_of_a_newer_release_is_refused(
    system: Kept, empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = made(system)
    monkeypatch.setattr("models.revision.known_revisions", lambda: ("0001",))
    with pytest.raises(BackupFailed, match="cập nhật phần mềm"):
        put_back(done.path, empty, tmp_path)
