"""The steps of a delivery, each within one transaction of its caller (rules 29, 33, 34).

``runtime.delivery`` strings them together: recover, claim, and for each letter begin and outcome,
committing in between. The letter as stored never holds a live link.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.queries_mail import claimable, in_parts
from models.tables import Base, Letter, LetterState, LinkToken
from notifications.addresses import is_sample_address
from notifications.message import message_id
from notifications.values import Rendered, Sender
from operations.composing import Composed, Composer
from operations.history import Change, record
from operations.links import (
    LinkPurpose,
    Secret,
    link_url,
    new_token,
    store_tokens,
    token_text,
)
from operations.outbox import ANY_DAY_LETTERS, DAY_BOUND, letter_change
from operations.outcomes import INTERRUPTED
from operations.releasing import release_lines
from operations.stamp import Stamp
from operations.state import load_calendar, load_plan, plan_keys

ORPHAN_AFTER: Final = timedelta(minutes=60)
"""A claim by a process of which nothing is known is given up after this."""

STUCK_AFTER: Final = timedelta(hours=6)
"""Longer than any delivery: a claim older than this is given up though its process lives."""

SAMPLE_REFUSED: Final = "Cần hộp thư thật: địa chỉ mẫu (.test) không gửi được qua máy chủ thư."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a delivery works with. ``owner`` names the process: ``host:pid:start``.

    ``real_server`` says that letters leave for a mail server and not for the local mailbox.
    """

    owner: str
    sender: Sender
    secret: Secret = field(repr=False)
    real_server: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A claimed letter, as it is to be sent. ``link`` is live: it goes into no log."""

    letter_id: int
    key: str
    mailbox: str
    to_name: str
    rendered: Rendered
    link: str | None = field(repr=False)


@dataclass(slots=True)
class Claimed:
    """What a claim found. ``taken`` counts the rows, also those that fell away."""

    ready: list[Ready] = field(default_factory=list)
    taken: int = 0
    dropped: int = 0
    refused: int = 0


def recover(
    session: Session, stamp: Stamp, *, alive: Callable[[str], bool | None]
) -> tuple[int, int]:
    """Deal with letters whose owner is gone; returns how many are queued again and unknown.

    ``alive`` answers for an owner, None meaning that it cannot be known from here: then the claim
    ends after :data:`ORPHAN_AFTER`. What was claimed is queued again; what was being sent becomes
    unknown and is never sent again by itself (rule 33).
    """
    rows = session.scalars(
        select(Letter)
        .where(Letter.state.in_((LetterState.CLAIMED.value, LetterState.SENDING.value)))
        .order_by(Letter.id)
        .with_for_update(skip_locked=True)
    ).all()
    changes: list[Change] = []
    requeued = 0
    for row in rows:
        if not _abandoned(row, stamp, alive):
            continue
        if row.state == LetterState.CLAIMED.value:
            row.state, row.claimed_by = LetterState.QUEUED.value, None
            requeued += 1
        else:
            row.state = LetterState.UNKNOWN.value
            row.answer = INTERRUPTED
            changes.append(letter_change(row, "unknown", reason=INTERRUPTED))
    session.flush()
    record(session, stamp, changes)
    return requeued, len(changes)


def _abandoned(row: Letter, stamp: Stamp, alive: Callable[[str], bool | None]) -> bool:
    known = alive(row.claimed_by or "")
    if known is False or row.claimed_at is None:
        return True
    return row.claimed_at <= stamp.at - (STUCK_AFTER if known else ORPHAN_AFTER)


def claim(session: Session, stamp: Stamp, desk: Desk, *, limit: int) -> Claimed:
    """Claim up to ``limit`` letters and render them from what is still owed (rule 29).

    A letter of which nothing is owed any more is dropped. Two claims side by side never take the
    same row: locked rows are skipped on PostgreSQL, and a SQLite writer is alone.
    """
    working = load_calendar(session).is_working(stamp.as_of)
    query = claimable(
        stamp.as_of,
        stamp.at,
        any_day_only=not working,
        day_bound=DAY_BOUND,
        any_day=ANY_DAY_LETTERS,
    )
    ids = list(session.scalars(query.limit(limit).with_for_update(skip_locked=True)))
    if not ids:
        return Claimed()
    rows = session.scalars(select(Letter).where(Letter.id.in_(ids)).order_by(Letter.id)).all()
    claimed = Claimed(taken=len(rows))
    changes: list[Change] = []
    going = [row for row in rows if not _refused_sample(row, desk)]
    changes += [_refuse(row, SAMPLE_REFUSED) for row in rows if _refused_sample(row, desk)]
    days = _link_days(session)
    composer = Composer(session, sender=desk.sender, as_of=stamp.as_of, at=stamp.at, link_days=days)
    found = _composed(composer, going)
    tokens = _tokens(
        session, stamp, [row for row, one in found if _links(composer, row, one)], days
    )
    for row, composed in found:
        if isinstance(composed, str):
            changes.append(_refuse(row, composed))
        elif composed.rendered is None:
            row.state = LetterState.DROPPED.value
            release_lines(session, stamp, [row.id])
            changes.append(letter_change(row, "drop"))
            claimed.dropped += 1
        else:
            if composed.gone:
                release_lines(session, stamp, [row.id], assignment_ids=composed.gone)
            _take(row, composed.rendered, stamp, desk)
            name = json.loads(row.payload).get("name") or composer.name_of(row.agency_key)
            claimed.ready.append(_ready(desk, row, name, composed.rendered, tokens.get(row.id)))
    claimed.refused = len(changes) - claimed.dropped
    session.flush()
    record(session, stamp, changes)
    return claimed


def _refuse(row: Letter, why: str) -> Change:
    row.state, row.answer = LetterState.UNDELIVERABLE.value, why
    return letter_change(row, "undeliverable", reason=why)


def _composed(composer: Composer, letters: Sequence[Letter]) -> list[tuple[Letter, Composed | str]]:
    """Each letter composed, or what went wrong with it in words."""
    try:
        found = composer.compose(letters)
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001 - one that cannot be composed must not stop the others
        return [(one, _compose_alone(composer, one)) for one in letters]
    return [(one, found[one.id]) for one in letters]


def _compose_alone(composer: Composer, letter: Letter) -> Composed | str:
    try:
        return composer.compose([letter])[letter.id]
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - shown to the coordinator and logged
        _log.exception("letter %s cannot be composed", letter.id)
        return (
            f"Không lập được nội dung thư ({type(error).__name__}); cần người vận hành xem nhật ký."
        )


def _refused_sample(row: Letter, desk: Desk) -> bool:
    return desk.real_server and is_sample_address(row.mailbox)


def _link_days(session: Session) -> int:
    return min(
        (load_plan(session, key).policies.link_days for key in plan_keys(session)), default=30
    )


def _take(row: Letter, rendered: Rendered, stamp: Stamp, desk: Desk) -> None:
    row.state, row.claimed_by, row.claimed_at = LetterState.CLAIMED.value, desk.owner, stamp.at
    row.next_attempt_at = None
    row.message_id = message_id(row.key, desk.sender.uid_domain)
    row.subject, row.body_text = rendered.subject, rendered.text
    row.body_html, row.ics = rendered.html, rendered.ics


def _ready(
    desk: Desk, row: Letter, name: str, rendered: Rendered, token: LinkToken | None
) -> Ready:
    link = None
    if token is not None:
        link = link_url(desk.sender.portal_url, token_text(token, desk.secret))
    return Ready(
        letter_id=row.id,
        key=row.key,
        mailbox=row.mailbox,
        to_name=name,
        rendered=rendered,
        link=link,
    )


def _links(composer: Composer, row: Letter, composed: Composed | str) -> bool:
    return isinstance(composed, Composed) and bool(composed.rendered) and composer.links_to(row)


def _tokens(
    session: Session, stamp: Stamp, letters: Sequence[Letter], days: int
) -> dict[int, LinkToken]:
    """The letters' tokens by letter: one that is tried again keeps the one it had."""
    found: dict[int, LinkToken] = {}
    for part in in_parts(row.id for row in letters):
        query = select(LinkToken).where(
            LinkToken.letter_id.in_(part),
            LinkToken.revoked_at.is_(None),
            LinkToken.expires_at > stamp.at,
        )
        found.update((one.letter_id or 0, one) for one in session.scalars(query))
    fresh = {
        row.id: new_token(
            stamp,
            mailbox=row.mailbox,
            agency=row.agency_key or "",
            purpose=LinkPurpose.WORK,
            days=days,
            letter_id=row.id,
        )
        for row in letters
        if row.id not in found
    }
    store_tokens(session, fresh.values())
    return found | fresh


_LETTER: Final = Base.metadata.tables[Letter.__tablename__]
_ON_ITS_WAY: Final = (
    update(_LETTER)
    .where(
        _LETTER.c.id == bindparam("number"),
        _LETTER.c.state == LetterState.CLAIMED.value,
        _LETTER.c.claimed_by == bindparam("owner"),
    )
    .values(state=LetterState.SENDING.value, sending_at=bindparam("at"))
)


def begin_sending(session: Session, stamp: Stamp, letter_id: int, *, owner: str) -> bool:
    """Mark a claimed letter as on its way, to be committed just before DATA (rule 33).

    False when it is not this owner's any more: then it must not be sent.
    """
    values = {"number": letter_id, "owner": owner, "at": stamp.at}
    done: CursorResult[Any] = session.connection().execute(_ON_ITS_WAY, values)
    return done.rowcount == 1
