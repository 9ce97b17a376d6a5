""" "Bản xem trước" on a day off in a trial database; it changes nothing."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Notice, Reminder
from operations.errors import Refused
from operations.notices import add_opening_notices
from operations.outbox import LetterKind
from operations.preview import queue_preview
from operations.state import Facts, set_fact
from rules.values import TrackingMode
from tests import world
from tests.builders import ScriptedMail, Town, focal, mailbox, text_of, town
from tests.world import A

SUNDAY, MONDAY = date(2027, 3, 7), date(2027, 3, 8)
R15 = date(2027, 3, 10)


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    def work(session: Session) -> None:
        world.open_work(session, leads=(A,), partners=())

    with town(database_url, work=work) as made:
        yield made


def preview(place: Town, day: date = SUNDAY) -> int:
    with place.changing() as session:
        return queue_preview(session, world.flow(day))


def test_the_next_day_that_owes_anything_is_shown(place: Town) -> None:
    """Its days are counted from that day."""
    assert preview(place) == 2
    mail = ScriptedMail()
    place.send(SUNDAY, mail)
    assert mail.addresses == [mailbox(A), focal(A)]
    assert mail.taken[0][1]["Subject"] == (
        "[Bản xem trước] [CCHC-1718] Nhắc việc: I.1 – hạn 31/3/2027 "
        "(còn 15 ngày làm việc) – Xã Vạn Ninh"
    )
    assert "/lien-ket/" in text_of(mail.taken[0][1])


def test_a_preview_changes_neither_ladder_nor_notice(place: Town) -> None:
    with place.changing() as session:
        add_opening_notices(session, world.flow(SUNDAY), [(place.row().id, A)], TrackingMode.FULL)
    before = place.row()
    assert preview(place) == 1  # the opening alone, on Monday
    place.send(SUNDAY)
    after = place.row()
    same = ("last_rung", "next_reminder_on", "version")
    assert [getattr(before, one) for one in same] == [getattr(after, one) for one in same]
    with place.changing() as session:
        assert not session.scalars(select(Reminder)).all()
        assert session.scalars(select(Notice)).one().letter_id is None
    assert place.run(MONDAY) == [mailbox(A)]
    assert place.run(R15) == [mailbox(A), focal(A)]


def test_a_preview_is_queued_once(place: Town) -> None:
    assert preview(place) == 2
    place.send(SUNDAY)
    assert preview(place) == 0
    assert len(place.letters(kind=LetterKind.PREVIEW)) == 2


def test_nothing_is_shown_when_nothing_is_owed_soon(place: Town) -> None:
    with place.changing() as session:
        for row in session.scalars(select(Assignment)):
            row.next_reminder_on = None
    assert preview(place) == 0


def test_a_live_database_shows_no_previews(place: Town) -> None:
    with place.changing() as session:
        set_fact(session, world.flow(), Facts.TRIAL, "false")
    with pytest.raises(Refused, match="dùng thử"):
        preview(place)


def test_an_unsent_preview_ends_with_its_day(place: Town) -> None:
    preview(place)
    place.sweep(MONDAY)
    assert {one.state for one in place.letters(kind=LetterKind.PREVIEW)} == {"superseded"}
