"""A trial always has something to read after its first run (rules 27, 29)."""

from datetime import date

import pytest
from sqlalchemy import func, select

from flows.mail import queue
from flows.shell import BusinessDate
from models.tables import Letter, Reminder
from operations.sample_contacts import seed_sample_contacts
from tests.engine import PROVINCE, engine, stamp

MONDAY, WEDNESDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 22)


@pytest.mark.parametrize(
    ("first", "kind"), [(MONDAY, "digest"), (WEDNESDAY, "preview"), (SUNDAY, "preview")]
)
def test_the_first_run_shows_letters_whatever_the_day_of_the_week(
    database_url: str, first: date, kind: str
) -> None:
    """Openings ride on Monday; before it they are shown as "bản xem trước", and nothing moves."""
    with engine(database_url, folder=PROVINCE, start=first) as one:
        one.run(first)
        with one.database.write() as session:
            seed_sample_contacts(session, stamp(first), agencies_file="khanh_hoa")
            day = BusinessDate(as_of=first, sends=True)
            queue(session, stamp(first), day, preview=True)
        with one.database.read() as session:
            rows = session.execute(select(Letter.kind, func.count()).group_by(Letter.kind))
            kinds = {found: count for found, count in rows}  # noqa: C416 - rows, not tuples
            rungs = session.scalar(select(func.count()).select_from(Reminder))
    assert set(kinds) == {kind}
    assert kinds[kind] > 70
    assert rungs == 0


def test_a_second_start_shows_no_second_preview(database_url: str) -> None:
    """One preview a mailbox, however often the system is started."""
    with engine(database_url, folder=PROVINCE, start=SUNDAY) as one:
        one.run(SUNDAY)
        day = BusinessDate(as_of=SUNDAY, sends=True)
        with one.database.write() as session:
            seed_sample_contacts(session, stamp(SUNDAY), agencies_file="khanh_hoa")
        counts = []
        for _ in range(2):
            with one.database.write() as session:
                queue(session, stamp(SUNDAY), day, preview=True)
            with one.database.read() as session:
                counts.append(session.scalar(select(func.count()).select_from(Letter)))
    assert counts[0] == counts[1]
