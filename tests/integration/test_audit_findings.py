"""Findings of an inspection are followed until they are mended (rule 45)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.finding_reports import MendedReport, report_finding
from operations.findings import (
    NewFinding,
    close_finding,
    findings,
    is_overdue,
    record_finding,
)
from tests import world

NEW = NewFinding(
    document="15/KL-TTr",
    issued_on=date(2027, 2, 1),
    text="Bổ sung hồ sơ lưu trữ",
    agency=world.A,
    due_on=date(2027, 3, 31),
)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as found:
        yield found


def test_a_finding_is_followed_from_its_conclusion_to_its_mending(session: Session) -> None:
    """(45) Each step is history."""
    number = record_finding(session, world.coordinator(), NEW)
    row = findings(session)[0]
    assert not is_overdue(row, date(2027, 3, 31))
    assert is_overdue(row, date(2027, 4, 1))
    report = MendedReport(text="Đã lưu", document="20/BC-UBND")
    report_finding(session, world.agency(), number, report)
    assert is_overdue(row, date(2027, 4, 1))
    done = {"fixed": True, "reason": "Đã kiểm tra lại", "document": "30/SNV"}
    close_finding(session, world.leadership(), number, **done)  # type: ignore[arg-type]
    assert not is_overdue(row, date(2027, 4, 1))
    events = world.events(session, "finding", number)
    assert [(one.action, one.document) for one in events] == [
        ("record", "15/KL-TTr"),
        ("report", "20/BC-UBND"),
        ("fix", "30/SNV"),
    ]
    assert findings(session, states=["open", "reported"]) == []
    assert [one.id for one in findings(session, agency=world.A)] == [number]
    with pytest.raises(Conflict, match="Đã khắc phục"):
        report_finding(session, world.coordinator(), number, MendedReport(text="nữa"))


def test_only_the_coordinator_enters_and_only_leadership_closes_without_a_report(
    session: Session,
) -> None:
    """(45) Whoever checks changes nothing."""
    for somebody in (world.auditor(), world.agency(), world.admin()):
        with pytest.raises(NotPermitted):
            record_finding(session, somebody, NEW)
    number = record_finding(session, world.coordinator(), NEW)
    for somebody in (world.auditor(), world.agency(), world.coordinator()):
        with pytest.raises(NotPermitted):
            close_finding(session, somebody, number, fixed=True, reason="x", document="30/SNV")


def test_nobody_closes_what_they_entered(session: Session) -> None:
    """(20, 45)"""
    number = record_finding(session, world.leadership(), NEW)
    with pytest.raises(NotPermitted, match="không tự xác nhận"):
        close_finding(session, world.leadership(), number, fixed=True, reason="x", document="3/SNV")


def test_what_is_missing_is_said(session: Session) -> None:
    for wrong, error in (
        ({"document": ""}, Refused),
        ({"text": " "}, Refused),
        ({"agency": "khong_co"}, NotFound),
        ({"assignment_id": 99}, NotFound),
        ({"issued_on": date(2027, 12, 31)}, Refused),
    ):
        values = {name: getattr(NEW, name) for name in NewFinding.__slots__} | wrong
        with pytest.raises(error):
            record_finding(session, world.coordinator(), NewFinding(**values))
    with pytest.raises(NotFound):
        report_finding(session, world.coordinator(), 99, MendedReport(text="x"))
