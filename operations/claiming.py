"""Claiming letters and making them ready, in three steps (rules 29, 33, 34).

``take`` marks them as this delivery's, ``draft`` renders them from what is still owed, and
``settle`` writes what became of each. Rendering is most of it and changes nothing, so it goes
through a session that only reads: nobody who writes waits for it, another delivery least of all.
Lines are added to no letter that is taken, and whoever supersedes one meanwhile takes it away.

The letter as stored never holds a live link.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.queries_delivery import to_claim
from models.queries_mail import in_parts
from models.tables import Letter, LetterState, LinkToken
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
from operations.releasing import release_lines
from operations.remembered import before_step, remember_before_writing
from operations.stamp import Stamp
from operations.state import calendar_before_writing, load_plan, plan_keys

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The letters that are this delivery's now, and how many fell away by their address."""

    ids: tuple[int, ...] = ()
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A letter as it was composed; ``composed`` in words where that went wrong."""

    composed: Composed | str
    name: str = ""
    """To whom, as the header shows it."""
    linked: bool = False
    """Whether it carries a live link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """What a claim renders. ``link_days`` is how long the links of these letters hold."""

    by_letter: Mapping[int, Draft]
    link_days: int


@dataclass(slots=True)
class Claimed:
    """What became of the letters that were taken."""

    ready: list[Ready] = field(default_factory=list)
    dropped: int = 0
    refused: int = 0


def take(session: Session, stamp: Stamp, desk: Desk, *, limit: int) -> Taken:
    """Mark up to ``limit`` letters as claimed.

    Two claims side by side never take the same row: locked rows are skipped on PostgreSQL, and a
    SQLite writer is alone.
    """
    before = before_step(session)
    working = calendar_before_writing(session, before).is_working(stamp.as_of)
    query = to_claim(any_day_only=not working, day_bound=DAY_BOUND, any_day=ANY_DAY_LETTERS)
    asked = {"as_of": stamp.as_of, "at": stamp.at, "most": limit}
    found = session.execute(query, asked).all()
    samples = [number for number, to in found if desk.real_server and is_sample_address(to)]
    going = tuple(sorted({number for number, _ in found} - set(samples)))
    if going:
        session.execute(
            update(Letter)
            .where(Letter.id.in_(going))
            .values(
                state=LetterState.CLAIMED.value,
                claimed_by=desk.owner,
                claimed_at=stamp.at,
                next_attempt_at=None,
            )
            .execution_options(synchronize_session=False)
        )
    if samples:
        rows = session.scalars(select(Letter).where(Letter.id.in_(samples)).order_by(Letter.id))
        changes = [_refuse(row, SAMPLE_REFUSED) for row in rows]
        session.flush()
        record(session, stamp, changes)
    return Taken(ids=going, refused=len(samples))


_STILL_OURS: Final = (
    select(Letter)
    .where(
        Letter.id.in_(bindparam("ids", expanding=True)),
        Letter.state == LetterState.CLAIMED.value,
        Letter.claimed_by == bindparam("owner"),
    )
    .order_by(Letter.id)
)
_STILL_OURS_LOCKED: Final = _STILL_OURS.with_for_update()


def draft(session: Session, stamp: Stamp, desk: Desk, taken: Taken) -> Drafts:
    """Render the letters that were taken from what is still owed (rule 29); nothing is written."""
    before = before_step(session)
    days = remember_before_writing(session, before, "link_days", lambda: _link_days(session))
    composer = Composer(
        session,
        sender=desk.sender,
        as_of=stamp.as_of,
        at=stamp.at,
        link_days=days,
        before=before,
    )
    asked = {"ids": taken.ids, "owner": desk.owner}
    found = _composed(composer, session.scalars(_STILL_OURS, asked).all())
    return Drafts(
        by_letter={row.id: _draft(composer, row, composed) for row, composed in found},
        link_days=days,
    )


def settle(session: Session, stamp: Stamp, desk: Desk, taken: Taken, drafts: Drafts) -> Claimed:
    """Write what became of each letter: it is ready, dropped, or cannot be composed.

    A letter of which nothing is owed any more is dropped. One that somebody took away meanwhile is
    left alone.
    """
    asked = {"ids": taken.ids, "owner": desk.owner}
    ours = session.scalars(_STILL_OURS_LOCKED, asked)
    rows = [row for row in ours if row.id in drafts.by_letter]
    linked = [row for row in rows if drafts.by_letter[row.id].linked]
    tokens = _tokens(session, stamp, linked, drafts.link_days)
    claimed = Claimed()
    changes: list[Change] = []
    for row in rows:
        made = drafts.by_letter[row.id]
        composed = made.composed
        if isinstance(composed, str):
            changes.append(_refuse(row, composed))
            claimed.refused += 1
        elif composed.rendered is None:
            row.state, row.claimed_by, row.claimed_at = LetterState.DROPPED.value, None, None
            release_lines(session, stamp, [row.id])
            changes.append(letter_change(row, "drop"))
            claimed.dropped += 1
        else:
            if composed.gone:
                release_lines(session, stamp, [row.id], assignment_ids=composed.gone)
            _keep(row, composed.rendered, desk)
            token = tokens.get(row.id)
            claimed.ready.append(_ready(desk, row, made.name, composed.rendered, token))
    session.flush()
    record(session, stamp, changes)
    return claimed


def _refuse(row: Letter, why: str) -> Change:
    row.state, row.answer = LetterState.UNDELIVERABLE.value, why
    row.claimed_by, row.claimed_at = None, None
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


def _draft(composer: Composer, row: Letter, composed: Composed | str) -> Draft:
    if isinstance(composed, str) or composed.rendered is None:
        return Draft(composed=composed)
    name = json.loads(row.payload).get("name") or composer.name_of(row.agency_key)
    return Draft(composed=composed, name=name, linked=composer.links_to(row))


def _link_days(session: Session) -> int:
    return min(
        (load_plan(session, key).policies.link_days for key in plan_keys(session)), default=30
    )


def _keep(row: Letter, rendered: Rendered, desk: Desk) -> None:
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


_LIVE_TOKENS: Final = select(LinkToken).where(
    LinkToken.letter_id.in_(bindparam("part", expanding=True)),
    LinkToken.revoked_at.is_(None),
    LinkToken.expires_at > bindparam("now"),
)


def _tokens(
    session: Session, stamp: Stamp, letters: Sequence[Letter], days: int
) -> dict[int, LinkToken]:
    """The letters' tokens by letter: one that is tried again keeps the one it had."""
    found: dict[int, LinkToken] = {}
    for part in in_parts(row.id for row in letters):
        there = session.scalars(_LIVE_TOKENS, {"part": part, "now": stamp.at})
        found.update((one.letter_id or 0, one) for one in there)
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
