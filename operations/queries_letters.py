"""Letters as values: by state, one as it was sent, what is held, and proof of notice (33, 34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from models.tables import (
    AccessLog,
    AgencyRow,
    Assignment,
    Event,
    Letter,
    LetterLine,
    LetterState,
    LinkToken,
    Mailbox,
    Occurrence,
)
from operations.outbox import DAY_BOUND, HeldReason, LetterKind
from operations.queries_history import HistoryLine, lines_of
from rules.periods import Period

STATE_WORDS: Final[Mapping[LetterState, str]] = {
    LetterState.HELD: "Tạm giữ",
    LetterState.UNDELIVERABLE: "Không gửi được",
    LetterState.UNKNOWN: "Không rõ",
    LetterState.QUEUED: "Chờ gửi",
    LetterState.CLAIMED: "Đang chuẩn bị",
    LetterState.SENDING: "Đang gửi",
    LetterState.RETRYING: "Sẽ gửi lại",
    LetterState.SENT: "Đã gửi",
    LetterState.SUPERSEDED: "Đã lập lại",
    LetterState.DROPPED: "Không còn việc nhắc",
}
"""What people read for each state, those that need somebody first."""

KIND_WORDS: Final[Mapping[LetterKind, str]] = {
    LetterKind.DIGEST: "Thư nhắc",
    LetterKind.PREVIEW: "Bản xem trước",
    LetterKind.RETURNED: "Đề nghị bổ sung",
    LetterKind.EXTENSION: "Quyết định gia hạn",
    LetterKind.RECEIPT: "Ghi nhận kết quả",
    LetterKind.MONDAY: "Tổng hợp đầu tuần",
    LetterKind.LINK: "Gửi lại liên kết",
    LetterKind.HANDOVER: "Thay đổi đầu mối",
    LetterKind.OPERATOR: "Báo người vận hành",
    LetterKind.CHECKPOINT: "Niêm phong lịch sử",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A letter as lists show it."""

    id: int
    kind: LetterKind
    state: LetterState
    held: HeldReason | None
    mailbox: str
    agency: str | None
    agency_name: str | None
    day: date
    queued_at: datetime
    sent_at: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    answer: str | None
    subject: str | None
    run: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """What a letter speaks of; ``rung`` in working days from the date, None for what is said once."""

    assignment: int
    item: str
    period_label: str
    agency_name: str
    rung: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link that went out with a letter. ``opens`` may be a scanner's; a POST is proof."""

    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    first_post_at: datetime | None
    opens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterDetail:
    """A letter as stored: with the placeholder where the live link went."""

    view: LetterView
    text: str | None
    html: str | None
    calendar: bool
    message_id: str
    lines: tuple[LineView, ...]
    links: tuple[LinkView, ...]
    history: tuple[HistoryLine, ...]
    box_broken: bool
    """Whether letters to this mailbox are known not to arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What an agency was sent and by when it is known to have noticed."""

    agency: str
    agency_name: str
    letters: int
    last_sent_at: datetime | None
    proven: int
    last_post_at: datetime | None


def letter_counts(session: Session) -> dict[LetterState, int]:
    """How many letters stand in each state, in the order of :data:`STATE_WORDS`."""
    rows = session.execute(select(Letter.state, func.count()).group_by(Letter.state))
    found = {LetterState(state): count for state, count in rows}
    return {state: found[state] for state in STATE_WORDS if state in found}


def letter_list(
    session: Session,
    *,
    state: LetterState | None = None,
    mailbox: str | None = None,
    agency: str | None = None,
    run: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[LetterView]:
    """Letters, the newest first; ``mailbox`` is a part of the address, ``before`` an id."""
    query = _letters().order_by(Letter.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Letter.state == state.value)
    if mailbox:
        query = query.where(Letter.mailbox.contains(mailbox.strip().lower(), autoescape=True))
    if agency is not None:
        query = query.where(Letter.agency_key == agency)
    if run is not None:
        query = query.where(Letter.run == run)
    if before is not None:
        query = query.where(Letter.id < before)
    return [_view(row, name) for row, name in session.execute(query)]


def _letters() -> Select[Any]:
    return select(Letter, AgencyRow.name).outerjoin(AgencyRow, AgencyRow.key == Letter.agency_key)


def _view(row: Letter, agency_name: str | None) -> LetterView:
    return LetterView(
        id=row.id,
        kind=LetterKind(row.kind),
        state=LetterState(row.state),
        held=None if row.held_reason is None else HeldReason(row.held_reason),
        mailbox=row.mailbox,
        agency=row.agency_key,
        agency_name=agency_name,
        day=row.day,
        queued_at=row.queued_at,
        sent_at=row.sent_at,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        answer=row.answer,
        subject=row.subject,
        run=row.run,
    )


def releasable(session: Session, as_of: date) -> dict[HeldReason, int]:
    """How many held letters may still go, by what holds them (rules 19, 32)."""
    rows = session.execute(
        select(Letter.held_reason, func.count())
        .where(
            Letter.state == LetterState.HELD.value,
            Letter.kind.not_in(DAY_BOUND) | (Letter.day == as_of),
        )
        .group_by(Letter.held_reason)
    )
    return {HeldReason(reason): count for reason, count in rows if reason}


def letter_detail(session: Session, number: int) -> LetterDetail | None:
    """One letter with all that hangs on it, None when there is none."""
    found = session.execute(_letters().where(Letter.id == number)).one_or_none()
    if found is None:
        return None
    row: Letter = found[0]
    events = select(Event).where(Event.entity == "letter", Event.entity_id == str(row.id))
    box = session.get(Mailbox, row.mailbox)
    return LetterDetail(
        view=_view(row, found[1]),
        text=row.body_text,
        html=row.body_html,
        calendar=row.ics is not None,
        message_id=row.message_id,
        lines=tuple(_lines(session, row.id)),
        links=tuple(_links(session, row.id)),
        history=tuple(lines_of(session, events.order_by(Event.id))),
        box_broken=box is not None and box.state != "ok",
    )


def _lines(session: Session, letter: int) -> Sequence[LineView]:
    rows = session.execute(
        select(
            Assignment.id,
            Occurrence.item_key,
            Occurrence.period_key,
            Assignment.agency_name,
            LetterLine.rung,
        )
        .join(Assignment, Assignment.id == LetterLine.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(LetterLine.letter_id == letter)
        .order_by(LetterLine.id)
    )
    return [
        LineView(
            assignment=assignment,
            item=item,
            period_label=Period.parse(period).label,
            agency_name=agency,
            rung=rung,
        )
        for assignment, item, period, agency, rung in rows
    ]


def _links(session: Session, letter: int) -> Sequence[LinkView]:
    looked = and_(AccessLog.token_id == LinkToken.id, AccessLog.method != "POST")
    opened = select(func.count()).where(looked).scalar_subquery()
    rows = session.execute(
        select(LinkToken, opened).where(LinkToken.letter_id == letter).order_by(LinkToken.issued_at)
    )
    return [
        LinkView(
            issued_at=one.issued_at,
            expires_at=one.expires_at,
            revoked_at=one.revoked_at,
            first_post_at=one.first_post_at,
            opens=opens,
        )
        for one, opens in rows
    ]


def proofs(session: Session, *, since: datetime, until: datetime) -> list[Proof]:
    """For each agency that was sent anything between two instants: how often, and the proof.

    Proof of notice is the first POST by a link of a letter (rule 34); who never answered comes
    first.
    """
    proven = case((LinkToken.first_post_at.is_not(None), LinkToken.letter_id))
    rows = session.execute(
        select(
            AgencyRow.key,
            AgencyRow.name,
            func.count(Letter.id.distinct()),
            func.max(Letter.sent_at),
            func.count(proven.distinct()),
            func.max(LinkToken.first_post_at),
        )
        .join(
            Letter,
            and_(
                Letter.agency_key == AgencyRow.key,
                Letter.state == LetterState.SENT.value,
                Letter.sent_at >= since,
                Letter.sent_at < until,
            ),
        )
        .outerjoin(LinkToken, LinkToken.letter_id == Letter.id)
        .group_by(AgencyRow.key, AgencyRow.name)
    )
    found = [
        Proof(
            agency=key,
            agency_name=name,
            letters=letters,
            last_sent_at=sent,
            proven=answered,
            last_post_at=post,
        )
        for key, name, letters, sent, answered, post in rows
    ]
    return sorted(found, key=lambda one: (one.proven > 0, one.agency_name))
