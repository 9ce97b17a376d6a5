"""What official documents say: the figures of the overview, exactly what is overdue, and all that
is missing."""

from __future__ import annotations

import hashlib
import subprocess
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import (
    Assignment,
    Evidence,
    MemberRow,
    Occurrence,
    StoredFile,
    Submission,
    Urging,
)
from operations.dashboard import Figures, Scope, figures, figures_by
from operations.dossier_files import dossier_document, dossier_known, dossier_zip
from operations.dossiers import dossier_facts, of_milestone, of_task
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.history import Change, record, snapshot_of
from operations.past import as_known_at
from operations.queries import work_list
from operations.queries_history import history_of
from operations.standing import Standing
from operations.state import load_state
from operations.urging import Issued, record_urging, urging_facts, withdraw_urging
from operations.urging_records import urged, urged_now, urging_letters
from operations.yearly_facts import yearly_facts
from operations.zipping import Member, stream_zip
from reports.official.offices import Issuer
from reports.official.urging import urging_letter
from reports.official.yearly import yearly_report
from rules.lifecycle import Status
from rules.timeliness import Cell
from rules.values import DateAuthority, ItemCalendar
from tests import world

LATE = date(2027, 4, 12)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    plan = world.plan()
    first, *rest = plan.items
    marked: ItemCalendar = replace(first.calendar, milestones={"2027": "so_ket"})
    plan = replace(plan, items=(replace(first, calendar=marked), *rest))
    with world.opened(database_url, plan) as found:
        found.add(MemberRow(group_key="silent", position=1, ref=world.A))
        world.open_work(found, "I.1", leads=(world.A, world.B))
        world.open_work(found, "II.3", leads=(world.COORDINATOR,), partners=())
        world.open_work(
            found, "II.5", leads=(world.C,), partners=(), authority=DateAuthority.PROVISIONAL
        )
        world.open_work(found, "III.1", "2027-Q1", leads=(world.COORDINATOR,), partners=())
        world.remember(found)
        yield found


def row(session: Session, item: str, agency: str) -> Assignment:
    query = select(Assignment).join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    query = query.where(
        Occurrence.item_key == item, Assignment.agency_key == agency, Assignment.role == "lead"
    )
    return session.scalars(query).one()


def finish(session: Session, item: str, agency: str, day: date) -> Assignment:
    found = row(session, item, agency)
    found.status, found.completed_on, found.next_reminder_on = Status.CONFIRMED.value, day, None
    session.flush()
    return found


def four(counted: Figures) -> tuple[int, ...]:
    order = (Cell.DONE_IN_TIME, Cell.DONE_LATE, Cell.OPEN_IN_TIME, Cell.OPEN_OVERDUE)
    return tuple(counted.cells[one] for one in order)


@pytest.mark.parametrize("original", [False, True])
def test_yearly_report_says_what_the_overview_says(session: Session, original: bool) -> None:
    """Rules 4, 16, 17, 21: one count behind both, by item and by block, by either date."""
    finish(session, "I.1", world.A, date(2027, 3, 30))
    row(session, "II.3", world.COORDINATOR).due_on = date(2027, 6, 30)
    session.flush()
    facts = yearly_facts(
        session, world.PLAN, 2027, cutoff=LATE, at=world.at(LATE), original=original
    )
    scope = Scope(cutoff=LATE, plan=world.PLAN, year=2027, original=original)
    shown = figures(session, scope)
    assert facts.overall.four == four(shown)
    assert facts.overall.four == ((1, 0, 1, 2) if original else (1, 0, 2, 1))
    assert facts.overall.past_provisional == shown.cells[Cell.PAST_PROVISIONAL] == 1
    assert facts.overall.check_ins == 1
    by_item = figures_by(session, scope, Occurrence.item_key)
    assert {one.name: one.four for one in facts.by_item} == {
        key: four(counted) for (key,), counted in by_item.items()
    }
    for parts in (facts.by_item, facts.by_block):
        summed = tuple(sum(part) for part in zip(*(one.four for one in parts), strict=True))
        assert summed == facts.overall.four
    assert [one.name for one in facts.by_block] == ["Theo dõi thủ công", "Cơ quan khác"]
    assert len(facts.late) == facts.overall.open_overdue
    told = repr(yearly_report(facts))
    assert "1 phân công đã qua mốc dự kiến" in told
    assert "theo hạn ban đầu" in told if original else "theo hạn đang áp dụng" in told


def test_yearly_report_is_drawn_as_known_at_an_instant(session: Session) -> None:
    """Rule 39."""
    then = world.at(LATE)
    done = finish(session, "I.1", world.A, date(2027, 4, 13))
    later = world.stamp(world.flow().actor, date(2027, 4, 13))
    record(
        session,
        later,
        [
            Change(
                entity="assignment",
                entity_id=str(done.id),
                action="confirm",
                snapshot=snapshot_of(done),
            )
        ],
    )
    with as_known_at(session, then) as known:
        before = yearly_facts(known, world.PLAN, 2027, cutoff=LATE, at=then, known_at=then)
    after = yearly_facts(session, world.PLAN, 2027, cutoff=date(2027, 4, 13), at=later.at)
    assert before.overall.done_late == 0
    assert after.overall.done_late == 1
    assert "như đã biết lúc 09 giờ 00 phút ngày 12/4/2027" in repr(yearly_report(before))


def test_letter_lists_what_is_overdue_and_names_the_hour_of_its_data(session: Session) -> None:
    """Rule 17: provisional dates are never urged; the coordinator does not write to itself."""
    at = world.at(LATE)
    ours = urging_facts(session, world.PLAN, at=at, issuer=Issuer.COORDINATOR)
    above = urging_facts(session, world.PLAN, at=at, issuer=Issuer.PROVINCE)
    assert {(one.item, one.agency) for one in ours.late} == {
        *(("I.1", "Xã Vạn Ninh"), ("I.1", "Phường Nha Trang"))
    }
    assert {one.agency for one in above.late} - {one.agency for one in ours.late} == {"Sở Nội vụ"}
    assert {one.days for one in ours.late} == {8}
    letter = urging_letter(ours)
    assert "Số liệu lúc 09 giờ 00 phút ngày 12/4/2027." in repr(letter.annexes)
    assert letter.addressees == ("Các cơ quan, đơn vị tại Phụ lục",)
    assert letter.signature.authority == ("KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC")
    assert urging_letter(above).signature.authority[0] == "TM. ỦY BAN NHÂN DÂN"


ISSUED = Issued(
    code="2022/SNV-CCHC",
    issued_on=date(2027, 4, 13),
    issuer=Issuer.COORDINATOR,
    data_at=world.at(LATE),
)
NEXT = world.coordinator(date(2027, 4, 13))


def test_issued_letter_covers_what_it_listed_even_when_finished_since(session: Session) -> None:
    """Rules 37, 39: the work of the letter's data, one event each."""
    done = finish(session, "I.1", world.A, date(2027, 4, 13))
    told = record_urging(session, NEXT, world.PLAN, ISSUED)
    assert (told.code, told.covers, told.warning) == ("2022/SNV-CCHC", 2, "")
    assert {one.assignment for one in urged(session, [done.id])} == {done.id}
    (event,) = (one for one in history_of(session, done.id) if one.entity == "urging")
    assert (event.action, event.document, event.agency) == ("record", "2022/SNV-CCHC", world.A)
    assert event.effective_on == date(2027, 4, 13)
    assert [(one.code, one.covers) for one in urging_letters(session)] == [("2022/SNV-CCHC", 2)]


def test_urged_work_leaves_the_list_until_its_date_moves(session: Session) -> None:
    """Rule 27: what a person has written about waits no longer for a letter."""
    late = row(session, "I.1", world.A)
    late.last_rung, late.next_reminder_on = 30, None
    session.flush()

    def waiting() -> list[int]:
        state = load_state(session, world.PLAN)
        standing = Standing(session, date(2027, 5, 31), {world.PLAN: state})
        return [one.id for one in standing.to_urge()]

    assert waiting() == [late.id]
    record_urging(session, NEXT, world.PLAN, ISSUED)
    assert waiting() == []
    assert late.id in {one.id for one in work_list(session, as_of=LATE, cells=[Cell.OPEN_OVERDUE])}
    late.due_on = date(2027, 5, 3)
    session.flush()
    assert waiting() == [late.id]
    assert not urged_now(session, [late.id])
    assert [one.current for one in urged(session, [late.id])] == [False]


def test_same_letter_is_recorded_once_and_a_mistake_can_be_taken_back(session: Session) -> None:
    record_urging(session, NEXT, world.PLAN, ISSUED)
    with pytest.raises(Conflict, match="đã được Điều phối viên ghi nhận"):
        record_urging(session, NEXT, world.PLAN, ISSUED)
    with pytest.raises(Refused, match="lý do"):
        withdraw_urging(session, NEXT, ISSUED.code, date(2027, 4, 13), reason=" ")
    assert withdraw_urging(session, NEXT, ISSUED.code, date(2027, 4, 13), reason="Nhầm") == 2
    assert record_urging(session, NEXT, world.PLAN, ISSUED).covers == 2
    assert sorted(session.scalars(select(Urging.state))) == [
        *("recorded", "recorded", "withdrawn", "withdrawn")
    ]


def test_letters_of_wrong_numbers_days_and_hands_are_refused(session: Session) -> None:
    for letter, field in (
        (replace(ISSUED, code=""), "document"),
        (replace(ISSUED, issued_on=None), "issued_on"),
        (replace(ISSUED, issued_on=date(2027, 4, 14)), "issued_on"),
        (replace(ISSUED, issued_on=date(2027, 4, 1)), "issued_on"),
        (replace(ISSUED, data_at=world.at(date(2027, 3, 2))), "luc"),
    ):
        with pytest.raises(Refused) as refused:
            record_urging(session, NEXT, world.PLAN, letter)
        assert refused.value.field == field
    with pytest.raises(NotPermitted):
        record_urging(session, world.agency(), world.PLAN, ISSUED)
    odd = record_urging(session, NEXT, world.PLAN, replace(ISSUED, code="ABC 12"))
    assert "không theo dạng" in odd.warning


def file_result(
    session: Session, folder: Path, found: Assignment, content: bytes, name: str = "a.pdf"
) -> str:
    """A confirmed result with one file, as filing leaves it."""
    digest = hashlib.sha256(content).hexdigest()
    day = date(2027, 3, 30)
    if session.get(StoredFile, digest) is None:
        session.add(
            StoredFile(
                sha256=digest,
                size=len(content),
                media_type="application/pdf",
                stored_at=world.at(day),
            )
        )
    result = Submission(
        assignment_id=found.id,
        round=1,
        revision=1,
        text="Đã ban hành quyết định.",
        submitted_at=world.at(day),
        submitted_on=day,
        completed_on=day,
        late_entry=False,
        identity="x",
        stated_name="Nguyễn Thị Hoa",
        outcome="confirmed",
    )
    session.add(result)
    session.flush()
    session.add(
        Evidence(
            submission_id=result.id,
            document_code="12/QĐ-UBND",
            issued_on=day,
            sha256=digest,
            file_name=name,
            scan=False,
        )
    )
    found.status, found.completed_on, found.next_reminder_on = Status.CONFIRMED.value, day, None
    session.flush()
    place = folder / digest[:2] / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return digest


def test_archive_checks_with_sha256sum_and_is_the_same_again(
    session: Session, tmp_path: Path
) -> None:
    """Luật Lưu trữ 33/2024: files, history, digests and index of one task."""
    found = row(session, "I.1", world.A)
    file_result(session, tmp_path / "kho", found, b"%PDF-1.7 mot", "Quyết định số 12.pdf")
    choice = of_task(session, found.occurrence_id)
    made = b"".join(dossier_zip(session, choice, folder=tmp_path / "kho", now=world.at(LATE)))
    later = world.at(LATE + timedelta(days=40))
    assert made == b"".join(dossier_zip(session, choice, folder=tmp_path / "kho", now=later))
    place = tmp_path / "mo"
    with zipfile.ZipFile(BytesIO(made)) as held:
        assert held.testzip() is None
        held.extractall(place)
        names = held.namelist()
    assert [one for one in names if one.startswith("tep/I.1/2027/xa_van_ninh/")]
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA-256SUMS"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "open" in (place / "lich-su.json").read_text("utf-8")


def test_file_changed_on_the_disk_fails_the_sums_and_a_lost_one_is_named(
    session: Session, tmp_path: Path
) -> None:
    first = file_result(session, tmp_path, row(session, "I.1", world.A), b"%PDF-1.7 mot")
    second = file_result(session, tmp_path, row(session, "I.1", world.B), b"%PDF-1.7 hai")
    (tmp_path / first[:2] / first).write_bytes(b"%PDF-1.7 sua")
    (tmp_path / second[:2] / second).unlink()
    choice = of_task(session, row(session, "I.1", world.A).occurrence_id)
    made = b"".join(dossier_zip(session, choice, folder=tmp_path, now=world.at(LATE)))
    with zipfile.ZipFile(BytesIO(made)) as held:
        lines = held.read("SHA-256SUMS").decode().splitlines()
        sums = {name: digest for digest, name in (one.split("  ", 1) for one in lines)}
        wrong = [name for name in sums if hashlib.sha256(held.read(name)).hexdigest() != sums[name]]
        assert len(wrong) == 1
        assert wrong[0].startswith("tep/I.1/2027/xa_van_ninh/")
        assert second in held.read("THIEU-TEP.txt").decode()


def test_dossier_of_an_earlier_instant_holds_what_was_known_and_no_file_taken_away_since(
    session: Session, tmp_path: Path
) -> None:
    """Rules 25, 39: the papers of then; a file that was quarantined since is named only."""
    digest = file_result(session, tmp_path, row(session, "I.1", world.A), b"%PDF-1.7 mot")
    choice = of_task(session, row(session, "I.1", world.A).occurrence_id)
    instant = world.at(LATE)
    session.get_one(StoredFile, digest).quarantined_at = instant + timedelta(days=1)
    session.flush()
    with as_known_at(session, instant) as then:
        known = dossier_known(then, choice, now=instant, history=session)
    assert [one.member is not None for one in known.papers] == [True]
    made = b"".join(dossier_zip(session, choice, folder=tmp_path, now=instant, known=known))
    with zipfile.ZipFile(BytesIO(made)) as held:
        assert not [one for one in held.namelist() if one.startswith("tep/")]
        assert digest in held.read("THIEU-TEP.txt").decode()
    before = world.at(world.TODAY - timedelta(days=400))
    with as_known_at(session, before) as then, pytest.raises(NotFound):
        of_task(then, choice.occurrence or 0)


def test_quarantined_file_is_named_and_left_out(session: Session, tmp_path: Path) -> None:
    """Rule 25."""
    digest = file_result(session, tmp_path, row(session, "I.1", world.A), b"%PDF-1.7 mot")
    session.get_one(StoredFile, digest).quarantined_at = world.at(LATE)
    session.flush()
    choice = of_task(session, row(session, "I.1", world.A).occurrence_id)
    (paper,) = dossier_facts(session, choice, at=world.at(LATE)).papers
    assert paper.member is None
    assert "cách ly" in paper.note


def test_milestone_says_what_is_missing(session: Session, tmp_path: Path) -> None:
    """Rule 18: sơ kết holds all periods up to its year, and names what nobody filed."""
    file_result(session, tmp_path, row(session, "I.1", world.A), b"%PDF-1.7 mot")
    finish(session, "II.3", world.COORDINATOR, date(2027, 3, 1))
    choice = of_milestone(session, world.PLAN, 2027)
    facts = dossier_facts(session, choice, at=world.at(LATE))
    lacking = {(one.item, one.period, one.agency): one.what for one in facts.missing}
    ahead = {(one.item, one.period) for one in facts.periods if one.ahead}
    assert not ahead & {(item, period) for item, period, _ in lacking}
    assert lacking["I.1", "năm 2026", "–"].startswith("Kỳ này chưa được ghi nhận")
    assert lacking["I.1", "năm 2027", "Phường Nha Trang"].startswith("Chưa hoàn thành")
    assert lacking["II.3", "năm 2027", "Sở Nội vụ"].startswith("Chưa có văn bản")
    assert ("I.1", "năm 2027", "Xã Vạn Ninh") not in lacking
    document = dossier_document(session, choice, now=world.at(LATE))
    assert "sơ kết" in document.subject
    assert [one.number for one in document.annexes] == ["I", "II"]
    with pytest.raises(NotFound, match="2027"):
        of_milestone(session, world.PLAN, 2028)
    with pytest.raises(NotFound):
        of_task(session, 999_999)


def test_zip_is_made_in_little_memory() -> None:
    """Whatever its size, only a part of it is held at a time."""
    part = b"x" * 256 * 1024
    members = (Member(name=f"{n}.bin", content=(part for _ in range(80))) for n in range(10))
    tracemalloc.start()
    size = sum(len(one) for one in stream_zip(members))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 200 * 1024 * 1024
    assert most < 8 * 1024 * 1024
