"""Keyed requests of the API are done once: the same key again gets the first answer again.

The key is claimed in the transaction that does the work, so an answer is kept if and only if the
work was done; somebody who sends the same key at the same moment waits for that transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables import ApiReply
from operations.stamp import Stamp

KEPT: Final = timedelta(days=7)
"""How long an answer is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a request was answered; ``request`` is the digest of what was asked."""

    request: str
    status: int
    body: str


def claim(session: Session, stamp: Stamp, *, token: str, key: str, request: str) -> Reply | None:
    """Take ``key`` for this request; the earlier answer where it was taken before."""
    session.execute(delete(ApiReply).where(ApiReply.at < stamp.at - KEPT))
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    taken = session.execute(
        dialect.insert(ApiReply)
        .values(token_id=token, key=key, request=request, at=stamp.at, status=0, body="")
        .on_conflict_do_nothing()
        .returning(ApiReply.key)
    ).scalar_one_or_none()
    if taken is not None:
        return None
    row = session.get_one(ApiReply, (token, key))
    return Reply(request=row.request, status=row.status, body=row.body)


def keep(session: Session, *, token: str, key: str, status: int, body: str) -> None:
    """Keep the answer to the request that claimed ``key``."""
    session.execute(
        update(ApiReply)
        .where(ApiReply.token_id == token, ApiReply.key == key)
        .values(status=status, body=body)
        .execution_options(synchronize_session=False)
    )
