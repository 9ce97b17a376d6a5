"""Findings, and obstacles in general, ride in the agency's letters (rules 27-30, 42, 45)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import ContactKind, Finding, Letter, LetterLine
from notifications.samples import SENDER
from notifications.values import Rendered
from operations.composing import Composer
from operations.contacts import ContactInput, set_contact
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.finding_reports import MendedReport, report_finding, reports_of, return_report
from operations.findings import NewFinding, close_finding, record_finding
from operations.obstacles import Answer, answer_obstacle, raise_obstacle
from operations.reminding import remind
from tests import world

MONDAY, TUESDAY = world.TODAY, world.TODAY + timedelta(days=1)
NEXT_MONDAY = world.TODAY + timedelta(days=7)
DUE = date(2027, 4, 30)
REPORT = MendedReport(text="Đã bổ sung hồ sơ", document="20/BC-UBND")


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """A world in which every agency has a mailbox."""
    with world.opened(database_url) as found:
        for key in world.NAMES:
            box = ContactInput(
                agency_key=key, kind=ContactKind.MAILBOX, email=f"{key}@co-quan.test"
            )
            set_contact(found, world.admin(), box)
        yield found


def finding(session: Session, *, due_on: date | None = DUE, day: date = TUESDAY) -> int:
    """A finding about the first agency."""
    new = NewFinding(
        document="15/KL-TTr", text="Bổ sung hồ sơ phân công.", agency=world.A, due_on=due_on
    )
    return record_finding(session, world.coordinator(day), new)


def letters(session: Session, day: date) -> dict[str, Rendered]:
    """What goes out on a day, by mailbox."""
    remind(session, world.flow(day))
    rows = session.scalars(select(Letter).where(Letter.day == day, Letter.kind == "digest")).all()
    composer = Composer(session, sender=SENDER, as_of=day, at=world.at(day), link_days=30)
    composed = composer.compose(rows)
    for row in rows:
        row.state = "sent"
    session.flush()
    found = {row.mailbox: composed[row.id].rendered for row in rows}
    return {box: one for box, one in found.items() if one is not None}


def own(session: Session, day: date) -> str:
    """The text of the first agency's letter of a day; empty when there is none."""
    found = letters(session, day).get(f"{world.A}@co-quan.test")
    return "" if found is None else f"{found.subject}\n{found.text}"


def test_a_new_finding_rides_on_monday_in_its_own_agencys_letter_only(session: Session) -> None:
    """(27, 46)"""
    finding(session)
    assert own(session, TUESDAY) == ""
    told = letters(session, NEXT_MONDAY)
    assert list(told) == [f"{world.A}@co-quan.test"]
    text = told[f"{world.A}@co-quan.test"].text
    assert "Kiến nghị kiểm tra · kết luận 15/KL-TTr" in text
    assert "Khắc phục trước khi kết thúc ngày 30/4/2027" in text
    assert "Bổ sung hồ sơ phân công." in text


def test_open_findings_follow_the_days_of_the_standard_ladder(session: Session) -> None:
    """(27, 28) Each rung once, and after an outage the latest only."""
    number = finding(session)
    told = [
        MONDAY + timedelta(days=offset)
        for offset in range(1, 110)
        if "15/KL-TTr" in own(session, MONDAY + timedelta(days=offset))
    ]
    row = session.get_one(Finding, number)
    assert told[0] == NEXT_MONDAY
    assert len(told) == 1 + len(world.STANDARD)
    assert row.last_rung == 30
    assert row.next_reminder_on is None


def test_what_is_late_is_said_to_be_late(session: Session) -> None:
    """(2) From the day after, and not before."""
    finding(session, due_on=date(2027, 3, 10))
    assert "còn" in own(session, date(2027, 3, 9))
    late = own(session, date(2027, 3, 12))
    assert "Kiến nghị kiểm tra quá ngày khắc phục" in late
    assert "Quá ngày phải khắc phục 10/3/2027 (đã qua 2 ngày làm việc)" in late


def test_a_report_ends_the_reminders_and_a_return_starts_them_again(session: Session) -> None:
    """(20, 22, 29)"""
    number = finding(session, due_on=date(2027, 3, 10))
    report_finding(session, world.link(day=TUESDAY), number, REPORT)
    assert "15/KL-TTr" not in own(session, date(2027, 3, 9))
    with pytest.raises(NotPermitted):
        return_report(session, world.agency(), number, reason="Thiếu")
    back = world.coordinator(date(2027, 3, 9), name="Người khác")
    return_report(session, back, number, reason="Chưa có phụ lục")
    told = own(session, date(2027, 3, 10))
    assert "báo cáo khắc phục cần bổ sung" in told.lower()
    assert "Chưa có phụ lục" in told
    (only,) = reports_of(session, [number])[number]
    assert (only.row.text, only.row.return_reason) == ("Đã bổ sung hồ sơ", "Chưa có phụ lục")
    report_finding(session, world.agency(day=date(2027, 3, 10)), number, REPORT)
    assert len(reports_of(session, [number])[number]) == 2
    close_finding(session, back, number, fixed=True, reason="Đã kiểm tra lại")
    told = own(session, date(2027, 3, 15))
    assert "đã khắc phục" in told
    assert "Đã kiểm tra lại" in told
    actions = [one.action for one in world.events(session, "finding", number)]
    assert actions == ["record", "report", "return", "report", "fix"]


def test_nobody_confirms_or_returns_what_they_filed(session: Session) -> None:
    """(20)"""
    number = finding(session)
    entered = world.coordinator(name="Người nhập")
    report_finding(session, entered, number, MendedReport(text="Nghe qua điện thoại"))
    with pytest.raises(NotPermitted, match="không tự trả lại"):
        return_report(session, entered, number, reason="x")
    with pytest.raises(NotPermitted, match="không tự xác nhận"):
        close_finding(session, entered, number, fixed=True, reason="x")
    with pytest.raises(NotPermitted, match="không tự xác nhận"):
        close_finding(session, world.coordinator(), number, fixed=True, reason="x")
    close_finding(session, world.coordinator(name="Ba"), number, fixed=True, reason="Đã rõ")


def test_an_agency_reports_on_its_own_findings_with_a_proof(session: Session) -> None:
    """(20, 26, 46)"""
    number = finding(session)
    with pytest.raises(NotFound, match=f"Không có kiến nghị số {number}"):
        report_finding(session, world.agency(world.B), number, REPORT)
    with pytest.raises(NotPermitted):
        report_finding(session, world.auditor(), number, REPORT)
    with pytest.raises(Refused, match="ít nhất một tài liệu"):
        report_finding(session, world.agency(), number, MendedReport(text="Đã làm"))
    late = MendedReport(text="Đã làm", document="1/BC-A", issued_on=date(2027, 12, 1))
    with pytest.raises(Refused, match="sau hôm nay"):
        report_finding(session, world.agency(), number, late)
    with pytest.raises(Conflict, match="vừa được cập nhật"):
        report_finding(session, world.agency(), number, REPORT, expected_version=0)
    report_finding(session, world.agency(), number, REPORT)
    report_finding(session, world.agency(), number, REPORT, expected_version=0)
    assert len(reports_of(session, [number])[number]) == 1


def test_a_reminder_that_was_not_sent_is_said_the_next_day(session: Session) -> None:
    """(29)"""
    finding(session, due_on=date(2027, 3, 10))
    remind(session, world.flow(date(2027, 3, 9)))
    assert "kết luận 15/KL-TTr" in own(session, date(2027, 3, 10))
    lines = session.scalars(select(LetterLine.assignment_id)).all()
    assert set(lines) == {None}


def test_an_agency_without_letters_is_left_in_peace(session: Session) -> None:
    """(36)"""
    world.silence(session, world.A)
    finding(session)
    assert letters(session, NEXT_MONDAY) == {}


def test_the_answer_to_an_obstacle_in_general_rides_on_monday(session: Session) -> None:
    """(27, 42)"""
    number = raise_obstacle(session, world.agency(), text="Chưa có kinh phí tập huấn")
    answer = Answer(text="Đã bố trí", document="30/SNV")
    answer_obstacle(session, world.coordinator(TUESDAY), number, answer)
    assert own(session, TUESDAY) == ""
    told = own(session, NEXT_MONDAY)
    assert "Vướng mắc, kiến nghị · phản ánh ngày 1/3/2027" in told
    assert "Đã bố trí (văn bản 30/SNV)" in told
    assert own(session, NEXT_MONDAY + timedelta(days=7)) == ""
