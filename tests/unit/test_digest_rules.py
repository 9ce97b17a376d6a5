"""The pure half of reminding (rules 5, 27, 28, 30, 32, 33)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.digest import (
    LadderReader,
    NoticeKind,
    Reach,
    Recipient,
    above_cap,
    back_off,
    recipient,
    rides_on,
    stepped_back,
    worth_saying,
)
from rules.lifecycle import Status
from rules.values import Audience, Ladder, Rung
from rules.workdays import WorkCalendar

MONDAY = date(2027, 3, 1)
CALENDAR = WorkCalendar(
    days_off=[date(2027, 3, 8)], worked=[], first=date(2026, 1, 1), last=date(2028, 12, 31)
)
OFFSETS = (-15, -5, -1, 2, 6, 15, 30)
LADDER = Ladder(
    key="standard",
    rungs=tuple(Rung(offset=one, audience=(Audience.FOCAL,)) for one in OFFSETS),
    basis="thử",
)


def rides(kind: NoticeKind, created: date, on: date, *, at_once: bool = False) -> bool:
    return rides_on(kind, at_once=at_once, created_on=created, as_of=on, calendar=CALENDAR)


def test_an_opening_waits_for_monday() -> None:
    """Rule 27."""
    friday = MONDAY - timedelta(days=3)
    assert not rides(NoticeKind.OPENED, friday, friday)
    assert rides(NoticeKind.OPENED, friday, MONDAY)


def test_when_monday_is_off_the_digest_goes_on_tuesday() -> None:
    """Rules 5, 27."""
    off = date(2027, 3, 8)
    assert not rides(NoticeKind.CONFIRMED, MONDAY, off)
    assert rides(NoticeKind.CONFIRMED, MONDAY, off + timedelta(days=1))


def test_a_missed_monday_is_made_up_for_but_later_news_waits() -> None:
    """Rule 27, level-triggered."""
    wednesday = MONDAY + timedelta(days=2)
    assert rides(NoticeKind.OPENED, MONDAY - timedelta(days=1), wednesday)
    assert not rides(NoticeKind.OPENED, MONDAY + timedelta(days=1), wednesday)


def test_a_return_goes_on_any_working_day_and_a_receipt_on_any_day() -> None:
    """Rules 5, 27."""
    sunday = MONDAY - timedelta(days=1)
    assert rides(NoticeKind.RETURNED, MONDAY, MONDAY + timedelta(days=3), at_once=True)
    assert not rides(NoticeKind.RETURNED, sunday, sunday, at_once=True)
    assert rides(NoticeKind.RECEIPT, sunday, sunday, at_once=True)


@pytest.mark.parametrize(
    ("kind", "status", "worth"),
    [
        (NoticeKind.OPENED, Status.NOT_STARTED, True),
        (NoticeKind.OPENED, Status.CONFIRMED, False),
        (NoticeKind.RETURNED, Status.SUBMITTED, False),
        (NoticeKind.CONFIRMED, Status.CONFIRMED, True),
        (NoticeKind.CONFIRMED, Status.IN_PROGRESS, False),
        (NoticeKind.LAPSED, Status.LAPSED, True),
        (NoticeKind.RECEIPT, Status.CONFIRMED, True),
    ],
)
def test_what_has_been_overtaken_is_not_said(kind: NoticeKind, status: Status, worth: bool) -> None:
    assert worth_saying(kind, status) is worth


def box(agency: str, audience: Audience) -> Recipient:
    return Recipient(address=f"{audience}@{agency}.test", agency=agency, audience=audience)


def reach(agency: str, *audiences: Audience) -> Reach:
    return Reach({one: box(agency, one) for one in audiences})


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ((Audience.MAILBOX, Audience.FOCAL), "focal@xa.test"),
        ((Audience.MAILBOX,), "mailbox@xa.test"),
        ((), "mailbox@so.test"),
    ],
)
def test_a_missing_contact_falls_back_to_the_mailbox_and_then_to_the_coordinator(
    own: tuple[Audience, ...], expected: str
) -> None:
    """Rule 30."""
    found = recipient(Audience.FOCAL, reach("xa", *own), reach("so", Audience.MAILBOX))
    assert found is not None
    assert found.address == expected


def test_a_letter_for_the_coordinator_never_goes_to_the_agency() -> None:
    """Rules 17, 27."""
    found = recipient(
        Audience.COORDINATOR, reach("xa", Audience.MAILBOX), reach("so", Audience.MAILBOX)
    )
    assert found is not None
    assert found.agency == "so"
    assert recipient(Audience.COORDINATOR, reach("xa", Audience.MAILBOX), None) is None


@pytest.mark.parametrize(
    ("sent", "withdrawn", "last"),
    [
        ([], [-15], None),
        ([-15], [-5], -15),
        ([-5], [-5], None),
        ([-15, -5], [-5], -15),
        ([-15, 2], [-1], 2),
        ([-15], [-5, -1], -15),
    ],
)
def test_what_was_withdrawn_is_owed_again_and_what_was_sent_is_not(
    sent: list[int], withdrawn: list[int], last: int | None
) -> None:
    """Rule 29; a rung that only one of two mailboxes got is owed again to the other."""
    assert stepped_back(sent, withdrawn) == last


@given(runs=st.lists(st.integers(min_value=0, max_value=180), min_size=1, max_size=60).map(sorted))
def test_no_rung_is_owed_twice_on_whatever_days_the_sweep_runs(runs: list[int]) -> None:
    """Rule 28: a rung or a later one once, in order; after an outage only the latest."""
    start, due = date(2027, 2, 1), date(2027, 3, 31)
    last: int | None = None
    said: list[int] = []
    for run in runs:
        as_of = start + timedelta(days=run)
        found = LadderReader(CALENDAR, as_of).read(LADDER, due, last)
        if found.rung is not None:
            said.append(found.rung.offset)
            last = found.rung.offset
            assert CALENDAR.add(due, last) <= as_of
        latest = [one for one in OFFSETS if CALENDAR.add(due, one) <= as_of]
        assert last == (latest[-1] if latest else None)
        assert found.then is None or found.then.day > as_of
    assert said == sorted(set(said))


def test_the_blast_cap_is_passed_only_above_it() -> None:
    """Rule 32."""
    assert not above_cap(letters=150, mailboxes=100, factor=1.5)
    assert above_cap(letters=151, mailboxes=100, factor=1.5)


def test_waiting_grows_with_each_failure_and_then_stays() -> None:
    """Rule 33."""
    waits = [back_off(attempt) for attempt in range(1, 9)]
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=6)
