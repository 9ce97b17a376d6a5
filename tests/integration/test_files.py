"""Files that are uploaded (rules 20, 25)."""

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import StoredFile
from operations.errors import NotFound, NotPermitted, Refused
from operations.files import Stored, find_file, path_of, quarantine_file, store_file
from tests import world
from tests.world import A

PAPER = b"%PDF-1.7\nQuyet dinh\n%%EOF"
SHA = hashlib.sha256(PAPER).hexdigest()


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def store(
    session: Session, folder: Path, content: bytes = PAPER, name: str = "Quyết định.pdf"
) -> Stored:
    return store_file(
        session,
        world.agency(A),
        folder=folder,
        name=name,
        stream=io.BytesIO(content),
        max_bytes=1024 * 1024,
    )


def on_disk(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_a_file_lies_under_its_digest_and_is_not_written_to(session: Session, folder: Path) -> None:
    stored = store(session, folder)
    assert (stored.sha256, stored.size, stored.name) == (SHA, len(PAPER), "Quyết định.pdf")
    assert on_disk(folder) == [f"{SHA[:2]}/{SHA}"]
    assert path_of(folder, SHA).stat().st_mode & 0o222 == 0
    row, path = find_file(session, SHA, folder=folder)
    assert (row.media_type, path.read_bytes()) == ("application/pdf", PAPER)


def test_storing_is_history_with_name_and_agency(session: Session, folder: Path) -> None:
    """Rule 37."""
    store(session, folder)
    (event,) = world.events(session, "file", SHA)
    assert (event.action, event.agency_key) == ("store", A)
    assert "Quyết định.pdf" in event.snapshot


def test_the_same_content_is_stored_once(session: Session, folder: Path) -> None:
    store(session, folder)
    again = store(session, folder, name="Bản khác.pdf")
    assert (again.sha256, again.name) == (SHA, "Bản khác.pdf")
    assert len(session.scalars(select(StoredFile)).all()) == 1
    assert len(world.events(session, "file")) == 1


def test_a_file_lost_from_the_disk_comes_back_with_its_next_upload(
    session: Session, folder: Path
) -> None:
    store(session, folder)
    path_of(folder, SHA).unlink()
    with pytest.raises(NotFound, match="bản sao lưu"):
        find_file(session, SHA, folder=folder)
    store(session, folder)
    find_file(session, SHA, folder=folder)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "rỗng"),
        (b"MZ a program", "“x.pdf”: Không nhận loại tệp này"),
        (b"%PDF-" + b"0" * 1024 * 1024, "lớn hơn 1 MB"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    session: Session, folder: Path, content: bytes, word: str
) -> None:
    with pytest.raises(Refused, match=word) as error:
        store(session, folder, content, name="../x.pdf")
    assert error.value.field == "file"
    assert on_disk(folder) == []
    assert session.scalars(select(StoredFile)).all() == []


def test_a_file_of_just_the_size_allowed_is_taken(session: Session, folder: Path) -> None:
    content = b"%PDF-".ljust(1024 * 1024, b"0")
    assert store(session, folder, content).size == 1024 * 1024


def test_a_full_disk_is_said_in_words_and_leaves_nothing_behind(
    session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="không còn chỗ"):
        store(session, folder)
    assert on_disk(folder) == []


def test_a_file_without_a_row_after_a_rollback_is_found_in_place(
    session: Session, folder: Path
) -> None:
    with session.begin_nested() as savepoint:
        store(session, folder)
        savepoint.rollback()
    assert session.get(StoredFile, SHA) is None
    store(session, folder)
    assert on_disk(folder) == [f"{SHA[:2]}/{SHA}"]
    assert session.get(StoredFile, SHA) is not None


def test_a_file_filed_by_mistake_is_quarantined_and_its_history_stays(
    session: Session, folder: Path
) -> None:
    """Rule 25."""
    store(session, folder)
    quarantine_file(session, world.admin(), SHA, folder=folder, reason="Nhầm tài liệu mật")
    with pytest.raises(NotFound):
        find_file(session, SHA, folder=folder)
    assert on_disk(folder) == [f"quarantine/{SHA}"]
    row = session.get_one(StoredFile, SHA)
    assert row.quarantine_reason == "Nhầm tài liệu mật"
    assert [one.action for one in world.events(session, "file", SHA)] == ["store", "quarantine"]


def test_a_quarantined_file_is_not_taken_again(session: Session, folder: Path) -> None:
    store(session, folder)
    quarantine_file(session, world.admin(), SHA, folder=folder, reason="Nhầm")
    with pytest.raises(Refused, match="cách ly"):
        store(session, folder)
    assert on_disk(folder) == [f"quarantine/{SHA}"]


def test_quarantining_again_only_moves_what_is_still_in_place(
    session: Session, folder: Path
) -> None:
    store(session, folder)
    quarantine_file(session, world.admin(), SHA, folder=folder, reason="Nhầm")
    quarantine_file(session, world.admin(), SHA, folder=folder, reason="Lần nữa")
    assert session.get_one(StoredFile, SHA).quarantine_reason == "Nhầm"
    assert len(world.events(session, "file", SHA)) == 2


def test_only_an_administrator_quarantines_with_a_reason(session: Session, folder: Path) -> None:
    store(session, folder)
    for stamp in (world.agency(A), world.coordinator(), world.auditor()):
        with pytest.raises(NotPermitted):
            quarantine_file(session, stamp, SHA, folder=folder, reason="Nhầm")
    with pytest.raises(Refused, match="lý do"):
        quarantine_file(session, world.admin(), SHA, folder=folder, reason=" ")
    with pytest.raises(NotFound):
        quarantine_file(session, world.admin(), "0" * 64, folder=folder, reason="Nhầm")


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64])
def test_what_is_no_digest_names_no_place(folder: Path, sha256: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        path_of(folder, sha256)
