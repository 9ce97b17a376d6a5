"""The log of who read what, a whole year at a time: counted, written out, and only then removed.

Nothing is removed by age unless a person sets how many years stay and says so for once (rule 40:
who read what is logged). What goes has to lie in a file first, whose digest is in the history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.tables import AccessLog
from operations.guards import need_admin
from operations.history import Change, record
from operations.stamp import Stamp

_PART: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRead:
    """A year of the log of reading: how many lines, in the time zone that was asked for."""

    year: int
    rows: int


def _bounds(year: int, time_zone: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(time_zone)
    first, past = (datetime(one, 1, 1, tzinfo=zone).astimezone(UTC) for one in (year, year + 1))
    return first, past


def years_read(session: Session, stamp: Stamp, *, keep: int, time_zone: str) -> list[YearRead]:
    """The years that are older than the current one and the ``keep`` before it, oldest first."""
    oldest = session.scalar(select(func.min(AccessLog.at)))
    if oldest is None:
        return []
    found = []
    for year in range(oldest.astimezone(ZoneInfo(time_zone)).year, stamp.as_of.year - keep):
        first, past = _bounds(year, time_zone)
        query = select(func.count()).where(AccessLog.at >= first, AccessLog.at < past)
        if rows := session.scalar(query):
            found.append(YearRead(year=year, rows=rows))
    return found


def lines_of(session: Session, year: int, time_zone: str) -> Iterator[Mapping[str, Any]]:
    """Every line of a year, the oldest first, in a stream."""
    first, past = _bounds(year, time_zone)
    columns = list(AccessLog.__table__.columns)
    query = select(*columns).where(AccessLog.at >= first, AccessLog.at < past)
    rows = session.execute(query.order_by(AccessLog.id), execution_options={"yield_per": _PART})
    for row in rows:
        yield dict(row._mapping)  # noqa: SLF001 - the documented name


def forget(
    session: Session, stamp: Stamp, one: YearRead, *, time_zone: str, file: str, sha256: str
) -> None:
    """Remove a year that lies in ``file``, and note that in the history.

    Raises:
        NotPermitted: not an administrator or an operator of the server.
        RuntimeError: the year has other lines than the file; nothing may be committed.
    """
    need_admin(stamp)
    first, past = _bounds(one.year, time_zone)
    gone = session.execute(
        delete(AccessLog).where(AccessLog.at >= first, AccessLog.at < past),
        execution_options={"synchronize_session": False},
    )
    if getattr(gone, "rowcount", None) != one.rows:
        raise RuntimeError(f"the year {one.year} changed while it was written out")
    snapshot = {"year": one.year, "rows": one.rows, "file": file, "sha256": sha256}
    change = Change(
        entity="access_log", entity_id=str(one.year), action="archive", snapshot=snapshot
    )
    record(session, stamp, [change])
