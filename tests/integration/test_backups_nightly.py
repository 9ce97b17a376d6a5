"""The night's backup: made, read back, thinned out, logged; and the commands that do it by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from flows.keeping import NOT_RESTORED, back_up, nightly, thin
from models.tables import Letter, RunLog
from operations.backups import BACKUP_JOB, LATE_AFTER, MADE_WITH_GAPS, TRIAL_JOB, ages, standing
from operations.files import path_of
from operations.queries_runs import last_of_jobs
from runtime.backup_shelf import BackupFailed, shelf
from tests import databases
from tests.backed_up import NIGHT, Kept, kept
from tests.command_line import CommandLine, command_line


@pytest.fixture
def system(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    how = {"backup_keep_daily": 2, "backup_keep_weekly": 0, "backup_keep_monthly": 0}
    with kept(database_url, tmp_path, operators_address="van-hanh@tinh.test", **how) as found:
        yield found


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(database_url, tmp_path, monkeypatch)


def runs(system: Kept) -> list[tuple[str, str]]:
    with system.runtime.database.read() as session:
        return [(one.job, one.state) for one in session.scalars(select(RunLog).order_by(RunLog.id))]


def test_a_night_makes_tries_thins_out_and_logs(system: Kept) -> None:
    for _ in range(3):
        outcome = nightly(system.runtime, "run-1", None)
        assert outcome.state == "Khôi phục thử đạt", outcome.message
        system.clock.instant += timedelta(days=1)
    assert runs(system) == [(BACKUP_JOB, "Đã sao lưu"), (TRIAL_JOB, "Khôi phục thử đạt")] * 3
    found = shelf(system.runtime.settings.backups_dir)
    assert [one.made_at for one in found] == [NIGHT + timedelta(days=2), NIGHT + timedelta(days=1)]
    assert all(one.card is not None and one.card.tried_well for one in found)
    with system.runtime.database.read() as session:
        assert {one.title for one in last_of_jobs(session)} == {"Sao lưu", "Khôi phục thử"}


def test_a_trial_that_fails_is_told_and_nothing_old_goes(
    system: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly(system.runtime, None, None)

    def fail(*_: object, **__: object) -> None:
        raise BackupFailed("Bảng event: nội dung khôi phục khác bản sao.")

    monkeypatch.setattr("flows.keeping.try_restore", fail)
    for _ in range(4):
        system.clock.instant += timedelta(days=1)
        outcome = nightly(system.runtime, None, None)
    assert outcome.state == NOT_RESTORED
    assert "Bảng event" in outcome.message
    assert len(shelf(system.runtime.settings.backups_dir)) == 5
    with system.runtime.database.read() as session:
        letters = session.scalars(select(Letter).where(Letter.kind == "operator_notice")).all()
        assert {one.mailbox for one in letters} == {"van-hanh@tinh.test"}
        found = standing(session, system.clock.now())
    assert found.troubles == (
        "lần khôi phục thử gần nhất không đạt",
        "đã quá 36 giờ không khôi phục thử đạt",
    )
    assert "khôi phục thử đạt 01 giờ 30 ngày 2/3/2027, 4 ngày trước." in found.told


def test_the_last_backup_that_was_read_back_outlives_the_rule(system: Kept) -> None:
    """Nights of backups that cannot be read never push out the one that can."""
    nightly(system.runtime, None, None)
    for _ in range(4):
        system.clock.instant += timedelta(days=1)
        back_up(system.runtime)
    thin(system.runtime)
    found = shelf(system.runtime.settings.backups_dir)
    assert [one.made_at for one in found] == [
        NIGHT + timedelta(days=4),
        NIGHT + timedelta(days=3),
        NIGHT,
    ]


def test_ages_are_told(system: Kept) -> None:
    with system.runtime.database.read() as session:
        never = ages(session, system.clock.now())
        assert (never.backup, never.trial) == (None, None)
        found_never = standing(session, system.clock.now())
        assert (found_never.never, found_never.told) == (True, "Chưa có bản sao lưu nào.")
    nightly(system.runtime, None, None)
    later = system.clock.now() + timedelta(hours=5)
    with system.runtime.database.read() as session:
        found = ages(session, later)
        assert (found.backup, found.trial) == (timedelta(hours=5), timedelta(hours=5))
        assert standing(session, later).troubles == ()
        assert "5 giờ trước" in standing(session, later).told
        assert len(standing(session, later + LATE_AFTER).troubles) == 2


def test_an_upload_that_is_gone_is_told_to_the_operators(system: Kept) -> None:
    path_of(system.runtime.uploads, system.filed.sha256).unlink()
    assert nightly(system.runtime, None, None).state == MADE_WITH_GAPS
    with system.runtime.database.read() as session:
        (letter,) = session.scalars(select(Letter).where(Letter.kind == "operator_notice")).all()
        assert letter.mailbox == "van-hanh@tinh.test"
        assert any("thiếu tệp" in one for one in standing(session, system.clock.now()).troubles)


def test_the_commands_make_list_try_and_restore(tiendo: CommandLine, tmp_path: Path) -> None:
    tiendo.good("open")
    (made,) = tiendo.json("backup")
    assert made["tried"] is True
    (listed,) = tiendo.json("backup", "list")
    assert (listed["file"], listed["tried_well"]) == (made["file"], True)
    assert tiendo.json("backup", "try")[0]["rows"] == made["rows"]
    over = tiendo("restore", made["file"], "--yes", "--json")
    assert (over.code, len(over.errors)) == (1, 1)
    assert "chỉ vào nơi trống" in over.errors[0]["error"]
    asked = tiendo("restore", made["file"], "--into", f"sqlite:///{tmp_path}/x", typed="k\n")
    assert (asked.code, "Chưa khôi phục gì" in asked.err) == (1, True)


def test_a_backup_of_nothing_is_refused(
    copies: databases.Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copies.one(tmp_path, migrated=False) as url:
        tiendo = command_line(url, tmp_path, monkeypatch)
        answer = tiendo("backup")
        assert (answer.code, "chưa có gì để sao lưu" in answer.err) == (1, True)
        assert "Chưa có bản sao lưu nào" in tiendo("backup", "list").out
        assert "Chưa có bản sao lưu nào" in tiendo("backup", "try").err
        wrong = tiendo("restore", __file__, "--into", "mysql://x/y", "--yes")
        assert (wrong.code, "--into" in wrong.err) == (2, True)


def test_a_pair_of_keys_is_made_and_used(
    tiendo: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiendo.good("open")
    (key,) = tiendo.json("backup", "key", tmp_path / "rieng.key")
    assert (tmp_path / "rieng.key").stat().st_mode & 0o077 == 0
    assert tiendo("backup", "key", tmp_path / "rieng.key").code == 1  # never over another
    monkeypatch.setenv("TIENDO_BACKUP_RECIPIENT", key["public"])
    (made,) = tiendo.json("backup")
    assert made["encrypted"] is True
    closed = tiendo("backup", "try")
    assert (closed.code, "--key" in closed.err) == (1, True)
    (tmp_path / "khac.txt").write_text("xin chào", encoding="utf-8")
    wrong = tiendo("backup", "try", "--key", tmp_path / "khac.txt")
    assert (wrong.code, "AGE-SECRET-KEY-1" in wrong.err) == (2, True)
    assert tiendo.json("backup", "try", "--key", tmp_path / "rieng.key")[0]["rows"] == made["rows"]
