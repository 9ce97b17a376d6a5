"""The sweep that queues what is owed (rules 5, 19, 27-32).

Level-triggered: it compares what should have been said with what was, and queues the difference.
Missing ten runs or running ten times in a row ends in the same letters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from models.bulk import reads_by_index
from models.queries_mail import at_once_waits, in_parts
from models.tables import Assignment, Base, Letter, Notice
from operations.address_book import address_book
from operations.collecting import collect
from operations.finding_notices import climb_findings
from operations.history import record
from operations.opening import lock_plan
from operations.outbox import (
    HELD_WORDS,
    HeldReason,
    Holding,
    LetterKind,
    held_changes,
    queue_operator_notice,
)
from operations.parcels import Climb, Collected
from operations.placing import RemindResult, Run, place_digests, send_at_once
from operations.releasing import supersede_unsent
from operations.remembered import newest_before_writing
from operations.stamp import Stamp
from operations.state import calendar_before_writing, plan_keys, states_of
from rules.shards import Shard

__all__ = ["RemindResult", "queue_at_once", "remind"]


def remind(
    session: Session,
    stamp: Stamp,
    *,
    plan: str | None = None,
    item: str | None = None,
    shard: Shard | None = None,
    sending_allowed: bool = True,
) -> RemindResult:
    """Queue everything that is owed on ``stamp.as_of``, for one item, one plan or all.

    ``shard`` is a share of a large sweep: the shares together queue what one sweep would, in any
    order, and each is a transaction of its own.
    ``sending_allowed`` is off for a business date that has passed: it sends nothing (rule 1).
    Nothing is queued on a day off but receipts (rule 5).
    """
    result = RemindResult()
    if not sending_allowed:
        return result
    lock_sweep(session)
    reads_by_index(session)
    before = newest_before_writing(session)
    run = Run(session, stamp, Holding(session, stamp), result)
    run.changes += supersede_unsent(session, stamp)
    result.superseded = len(run.changes)
    _lock_open_digests(session, stamp)
    working = calendar_before_writing(session, before).is_working(stamp.as_of)
    result.day_off = not working
    if working and plan is None and item is None:
        climb_findings(session, stamp)
    collected = collect(session, stamp.as_of, plan=plan, item=item, shard=shard, before=before)
    result.unreachable = collected.unreachable
    _void(session, collected.void)
    placed = place_digests(run, collected)
    _climb(session, collected, postponed=placed)
    send_at_once(run, collected)
    _finish(run)
    return result


def queue_at_once(session: Session, stamp: Stamp, *, sending_allowed: bool = True) -> RemindResult:
    """Queue only what goes at once: returns, decisions on extensions, receipts (rule 27)."""
    result = RemindResult()
    if not (sending_allowed and at_once_waits(session)):
        return result
    lock_sweep(session)
    before = newest_before_writing(session)
    run = Run(session, stamp, Holding(session, stamp), result)
    collected = collect(session, stamp.as_of, digests=False, before=before)
    result.unreachable = collected.unreachable
    _void(session, collected.void)
    send_at_once(run, collected)
    _finish(run)
    return result


def lock_sweep(session: Session) -> None:
    """Let one sweep run at a time, and none beside an opening (a SQLite writer is alone)."""
    if session.get_bind().dialect.name != "postgresql":
        return
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('tiendo.remind'))"))
    for key in plan_keys(session):
        lock_plan(session, key)


_OPEN_DIGESTS = (
    select(Letter.id)
    .where(Letter.day == bindparam("day"), Letter.kind == LetterKind.DIGEST.value)
    .order_by(Letter.id)
    .with_for_update()
)


def _lock_open_digests(session: Session, stamp: Stamp) -> None:
    """Keep today's digests from being claimed while lines are added: letters before assignments."""
    session.execute(_OPEN_DIGESTS, {"day": stamp.as_of})


_ASSIGNMENT = Base.metadata.tables[Assignment.__tablename__]
_UP_THE_LADDER = (
    update(_ASSIGNMENT)
    .where(_ASSIGNMENT.c.id.in_(bindparam("part", expanding=True)))
    .values(last_rung=bindparam("rung"), next_reminder_on=bindparam("next_on"))
)


def _climb(session: Session, collected: Collected, *, postponed: set[int]) -> None:
    """Move the ladders on; those of which a line waits for tomorrow stay where they are."""
    alike: defaultdict[Climb, list[int]] = defaultdict(list)
    for number, climb in sorted(collected.climbs.items()):
        if number not in postponed:
            alike[climb].append(number)
    for climb, numbers in alike.items():
        there = {"rung": climb.rung, "next_on": climb.next_on}
        for part in in_parts(numbers):
            session.connection().execute(_UP_THE_LADDER, there | {"part": part})


def _void(session: Session, notices: Iterable[int]) -> None:
    for part in in_parts(notices):
        session.execute(update(Notice).where(Notice.id.in_(part)).values(void=True))


def _finish(run: Run) -> None:
    """Say what is held, tell the coordinator, and write the history."""
    session = run.session
    run.result.held = len(run.held_ids)
    held = held_changes(session, run.held_ids)
    run.changes += held
    for reason, told in _TOLD.items():
        count = sum(one.snapshot["held_reason"] == reason.value for one in held)
        if count:
            _tell_of_held(session, run.stamp, reason, told, count)
    record(session, run.stamp, run.changes)


_TOLD: Mapping[HeldReason, tuple[str, Sequence[str]]] = {
    HeldReason.BLAST: (
        "Thư nhắc đang tạm giữ do vượt ngưỡng",
        (
            "Xem danh sách thư tạm giữ trên trang “Thư đã gửi”.",
            "Nếu đúng, bấm “Cho phép gửi”; thư chưa gửi trong ngày sẽ được lập lại hôm sau.",
        ),
    ),
    HeldReason.RESTORED: (
        "Thư đang tạm giữ sau khi khôi phục từ bản sao lưu",
        (
            "Đối chiếu với nhật ký của máy chủ thư: những thư này đã gửi trước khi khôi phục chưa.",
            "Trên trang “Thư”: chưa gửi thì cho phép gửi, đã gửi thì đóng.",
            "Thư chưa xử lý trong ngày sẽ được lập lại và tiếp tục tạm giữ hôm sau.",
        ),
    ),
}
"""What the coordinator is told of letters that wait for a person: title and steps."""


def _tell_of_held(
    session: Session,
    stamp: Stamp,
    reason: HeldReason,
    told: tuple[str, Sequence[str]],
    count: int,
) -> None:
    book = address_book(session)
    there: set[str] = set()
    for state in map(states_of(session), plan_keys(session)):
        to = book.of(state.coordinator(stamp.as_of))
        if to is None or to.address in there:
            continue
        there.add(to.address)
        queue_operator_notice(
            session,
            stamp,
            key=f"{reason}:{stamp.as_of}:{to.address}",
            recipient=to,
            title=told[0],
            summary=HELD_WORDS[reason],
            facts=[("Số thư tạm giữ", str(count))],
            steps=told[1],
        )
