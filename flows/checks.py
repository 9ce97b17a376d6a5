"""What may have gone wrong without anybody noticing: read every night, and by ``tiendo doctor``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows.shell import FAILED
from models.queries_mail import reachable_contacts
from models.tables import Assignment, Letter, LetterState, Occurrence, RunLog
from operations.outbox import DAY_BOUND
from operations.sealing import ages
from operations.state import Facts, PlanState, fact, fixed_dates, load_state, plan_keys
from rules.lifecycle import OPEN
from rules.planning import openings

STUCK_AFTER = timedelta(hours=1)
"""A letter that is claimed or being sent for longer has lost its sender."""
RUN_WITHIN = timedelta(hours=36)
"""Each item's flow runs daily; a run that is older was missed."""
SEALED_WITHIN = timedelta(hours=2)
"""Sealing goes on every quarter of an hour; what waits longer has no sealer."""
DAYS_AHEAD = 400
"""Reminders count working days, so the days off must be known for more than a year to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at. ``word`` is stable; ``text`` and ``remedy`` are for people."""

    word: str
    count: int
    text: str
    remedy: str


Check = Callable[[Session, date, datetime], Iterator[Finding]]


def run_checks(session: Session, as_of: date, now: datetime) -> list[Finding]:
    """All findings, in the order of :data:`CHECKS`; none when everything is in order."""
    return [finding for check in CHECKS for finding in check(session, as_of, now)]


def _count(session: Session, *conditions: object) -> int:
    query = select(func.count()).select_from(Letter).where(*conditions)  # type: ignore[arg-type]
    return session.scalar(query) or 0


def _letters(session: Session, as_of: date, now: datetime) -> Iterator[Finding]:
    lost = _count(
        session,
        Letter.state.in_([LetterState.CLAIMED.value, LetterState.SENDING.value]),
        Letter.claimed_at < now - STUCK_AFTER,
    )
    if lost:
        yield Finding(
            word="letters_stuck",
            count=lost,
            text=f"{lost} thư đang gửi dở quá một giờ",
            remedy="chạy lại “Gửi thư nhắc”; thư sẽ được nhận lại hoặc ghi là “không rõ”",
        )
    late = _count(
        session,
        Letter.state.in_([LetterState.QUEUED.value, LetterState.RETRYING.value]),
        Letter.kind.not_in(DAY_BOUND),
        Letter.day < as_of - timedelta(days=3),
    )
    if late:
        yield Finding(
            word="letters_waiting",
            count=late,
            text=f"{late} thư chờ gửi quá ba ngày",
            remedy="xem câu trả lời của máy chủ thư trên trang “Thư đã gửi”",
        )
    unknown = _count(
        session, Letter.state == LetterState.UNKNOWN.value, Letter.day >= as_of - timedelta(days=7)
    )
    if unknown:
        yield Finding(
            word="letters_unknown",
            count=unknown,
            text=f"{unknown} thư trong tuần không rõ đã đến hay chưa",
            remedy="gọi điện hỏi nơi nhận nếu việc gấp; hệ thống không tự gửi lại",
        )


def _runs(session: Session, _as_of: date, now: datetime) -> Iterator[Finding]:
    query = (
        select(RunLog.plan_key, RunLog.item_key, RunLog.state)
        .where(RunLog.job == "item", RunLog.finished_at >= now - RUN_WITHIN)
        .order_by(RunLog.id)
    )
    last = {(plan, item): word for plan, item, word in session.execute(query)}
    missed: list[str] = []
    failed: list[str] = []
    for state in _states(session):
        for item in state.plan.decided:
            word = last.get((state.plan.key, item.key))
            if word is None:
                missed.append(item.key)
            elif word == FAILED:
                failed.append(item.key)
    if missed:
        yield Finding(
            word="runs_missing",
            count=len(missed),
            text=f"Nhiệm vụ chưa có lần chạy nào trong 36 giờ qua: {', '.join(missed)}",
            remedy="kiểm tra tiến trình chạy luồng còn hoạt động; lần chạy sau tự làm bù",
        )
    if failed:
        yield Finding(
            word="runs_failed",
            count=len(failed),
            text=f"Lần chạy gần nhất bị lỗi kỹ thuật: {', '.join(failed)}",
            remedy="xem trang lần chạy của Prefect; lần chạy sau tự làm tiếp",
        )


def _unopened(session: Session, as_of: date, _now: datetime) -> Iterator[Finding]:
    missing: list[str] = []
    for state in _states(session):
        query = select(Occurrence.item_key, Occurrence.period_key).where(
            Occurrence.plan_key == state.plan.key
        )
        found = openings(
            state.plan,
            state.directory,
            state.calendar,
            existing={(item, period) for item, period in session.execute(query)},
            fixed=fixed_dates(session, state.plan.key),
            tracking_start=state.tracking_start,
            as_of=as_of - timedelta(days=1),  # today's open in the morning
        )
        missing += [f"{one.item.key} · {one.period.key}" for one in found]
    if missing:
        yield Finding(
            word="periods_unopened",
            count=len(missing),
            text=f"Kỳ đã đến ngày mở nhưng chưa mở: {', '.join(missing[:10])}",
            remedy="chạy lại luồng của nhiệm vụ đó",
        )


def _contacts(session: Session, as_of: date, _now: datetime) -> Iterator[Finding]:
    reached = {agency for agency, *_ in session.execute(reachable_contacts())}
    working = set(
        session.scalars(
            select(Assignment.agency_key)
            .where(Assignment.status.in_([status.value for status in OPEN]))
            .distinct()
        )
    )
    for state in _states(session)[:1]:
        missing = sorted(
            state.directory.agency(key).name
            for key in working - reached
            if state.directory.letters_on(key, as_of)
        )
        if missing:
            yield Finding(
                word="no_mailbox",
                count=len(missing),
                text=f"Cơ quan có việc nhưng chưa có hộp thư dùng được: {', '.join(missing[:10])}",
                remedy="nhập hộp thư trên trang “Đầu mối”; thư tạm gửi về cơ quan điều phối",
            )


def _log(session: Session, _as_of: date, now: datetime) -> Iterator[Finding]:
    told = ages(session, now)
    if told.pending_age is not None and told.pending_age > SEALED_WITHIN:
        yield Finding(
            word="events_unsealed",
            count=told.pending,
            text=f"{told.pending} sự kiện chờ niêm phong, lâu nhất đã quá hai giờ",
            remedy="kiểm tra luồng “Niêm phong lịch sử”, hoặc chạy: tiendo seal",
        )
    if told.verified_wrong:
        yield Finding(
            word="history_wrong",
            count=told.verified_wrong,
            text=f"Lần kiểm chứng gần nhất thấy {told.verified_wrong} chỗ sai trong lịch sử",
            remedy="giữ nguyên hiện trạng, chạy “tiendo verify”, báo người phụ trách an toàn thông tin",
        )


def _days(session: Session, as_of: date, _now: datetime) -> Iterator[Finding]:
    last = fact(session, Facts.LAST_DAY)
    if last is None or date.fromisoformat(last) < as_of + timedelta(days=DAYS_AHEAD):
        yield Finding(
            word="days_unresolved",
            count=1,
            text=f"Lịch ngày nghỉ mới có đến {last or 'chưa có'}",
            remedy="nạp lại danh mục bằng “tiendo catalog apply”",
        )


def _states(session: Session) -> Sequence[PlanState]:
    return [load_state(session, key) for key in plan_keys(session)]


CHECKS: tuple[Check, ...] = (_letters, _runs, _unopened, _contacts, _days, _log)
"""Every check, by itself; a new one is added here."""
