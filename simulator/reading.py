"""Small ways of reading whole tables, for the promises."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

K = TypeVar("K")
V = TypeVar("V")


def pairs(session: Session, query: Select[tuple[K, V]]) -> dict[K, V]:
    """Rows of two columns as a mapping; of equal keys the last row counts."""
    return dict(session.execute(query).tuples().all())
