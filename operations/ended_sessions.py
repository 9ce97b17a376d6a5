"""Sessions that were ended by their person before their time.

A session is a signed cookie: taking it out of one browser does nothing to a copy. So its number is
remembered until it would have ended by itself. Ending all sessions of an account needs no such row
(``Account.session_epoch``).
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.tables import EndedSession


def session_key(number: str) -> str:
    """Under which key a session's number is remembered."""
    return sha256(number.encode()).hexdigest()


def note_ended(session: Session, now: datetime, number: str, *, until: datetime) -> None:
    """Remember that a session has ended; twice is once. What is over anyway is forgotten."""
    session.execute(delete(EndedSession).where(EndedSession.until <= now))
    with contextlib.suppress(IntegrityError), session.begin_nested():
        session.add(EndedSession(id=session_key(number), until=until))
