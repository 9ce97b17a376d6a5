"""The day's checkpoint to the auditors' mailbox: kept there, no one here can take it back (38)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Letter
from operations.outbox import LetterKind, NewLetter, insert_letters
from operations.sealing import ages, last_checkpoint, last_verification
from operations.stamp import Stamp
from operations.state import load_state, plan_keys
from rules.digest import Recipient
from rules.values import Audience

SAID_MOST = 2_000
"""Characters of what a verification found; the page has the rest."""


READER: Final = "Cơ quan kiểm tra, thanh tra"
"""Whose mailbox it is, as the letter's address says it."""


def queue_checkpoint(session: Session, stamp: Stamp, *, address: str) -> bool:
    """Queue the newest checkpoint to ``address``; False when it went there, or there is none.

    A verification that found something wrong goes again with the same checkpoint.
    """
    last, plans = last_checkpoint(session), plan_keys(session)
    if last is None or not plans:
        return False
    verified = last_verification(session)
    wrong = 0 if verified is None else verified.wrong
    mark = f":wrong:{stamp.as_of}" if wrong else ""
    key = f"{LetterKind.CHECKPOINT}:{last.size}:{last.root.hex()[:16]}:{address}{mark}"
    if session.scalar(select(Letter.id).where(Letter.key == key)) is not None:
        return False
    recipient = Recipient(
        address=address,
        agency=load_state(session, plans[0]).coordinator(stamp.as_of),
        audience=Audience.COORDINATOR,
        name=READER,
    )
    payload: dict[str, object] = {
        "at": last.at,
        "size": last.size,
        "pending": ages(session, stamp.at).pending,
        "note": last.note,
        "verified_at": None if verified is None else verified.finished_at,
        "wrong": wrong,
        "said": "" if verified is None or not wrong else verified.said[:SAID_MOST],
    }
    letter = NewLetter(key=key, kind=LetterKind.CHECKPOINT, recipient=recipient, payload=payload)
    insert_letters(session, stamp, [letter])
    return True
