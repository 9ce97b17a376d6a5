"""What a change of agencies would do: done in a savepoint, looked at, and undone (rule 35).

The same code does it later, so the preview cannot say anything else. A change whose day is ahead is
done as on that day, with the work that is open now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from operations.errors import Conflict
from operations.reorganising import catch_up, reorganise
from operations.reorganising_look import Before, Look
from operations.stamp import Stamp
from operations.succession import Moved
from rules.reorganising import Reorganisation

CHANGED = (
    "Tình hình đã thay đổi từ lúc xem trước; chưa ghi gì. Đề nghị xem lại bảng dưới đây rồi bấm "
    "áp dụng."
)


def preview(session: Session, stamp: Stamp, asked: Sequence[Reorganisation]) -> Look:
    """What :func:`operations.reorganising.reorganise` would do; nothing stays.

    Raises:
        NotPermitted, ReorganisationRefused: as there.
    """
    until = max([stamp.as_of, *(one.effective_on for one in asked)])
    then = replace(stamp, as_of=until)
    savepoint = session.begin_nested()
    try:
        catch_up(session, then)  # what others planned before that day is not this change's doing
        before = Before(session)
        reorganise(session, then, asked)
        session.flush()
        return before.look(session, until, asked)
    finally:
        savepoint.rollback()
        session.expire_all()


def apply_seen(
    session: Session, stamp: Stamp, asked: Sequence[Reorganisation], *, seal: str
) -> Moved:
    """Do what a preview showed, if it is still what would happen.

    Raises:
        Conflict: something changed since.
        NotPermitted, ReorganisationRefused: as :func:`operations.reorganising.reorganise`.
    """
    if preview(session, stamp, asked).seal != seal:
        raise Conflict(CHANGED)
    return reorganise(session, stamp, asked)
