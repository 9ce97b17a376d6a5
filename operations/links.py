"""Links of letters: signed, expiring, bound to one mailbox and one purpose (rule 34).

The text of a token is its row's id and a signature; it is never stored, for it can be made again
from the row and the secret. GET and HEAD change nothing: only :func:`mark_first_post` is proof of
notice (opens go to ``operations.access``).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.bulk import insert_rows
from models.tables import Base, Letter, LetterState, LinkToken
from notifications.formats import vn_datetime
from operations.errors import Refused
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp

LINK_PATH: Final = "/lien-ket/"
"""Where a link leads, below the portal's address; the token's text follows."""

FRESH_LINKS_A_DAY: Final = 5
"""How many fresh links one mailbox can ask for in a day."""

_TOKEN_COLUMNS: Final = tuple(column.name for column in LinkToken.__table__.columns)

Secret = str | Sequence[str]
"""The signing secret, or several: the newest signs, all are accepted."""


class LinkPurpose(StrEnum):
    """What a link is good for; a link for one purpose opens nothing else."""

    WORK = "work"
    """The agency's work: read it, file results, raise obstacles."""
    HANDOVER = "handover"
    """Naming the agency's new focal point."""


class LinkRefused(Refused):
    """A link that opens nothing; the text says what to do instead."""


class LinkForged(LinkRefused):
    """Not signed by us for this purpose, or cut off on its way."""

    def __init__(self) -> None:
        super().__init__(
            "Liên kết không đúng hoặc bị thiếu ký tự. Đề nghị mở lại liên kết trong thư nhắc, "
            "chép đủ cả dòng."
        )


class LinkExpired(LinkRefused):
    """It was good once; a fresh one goes to the same mailbox only."""

    def __init__(self, token: LinkToken) -> None:
        self.token_id = token.id
        super().__init__(
            f"Liên kết đã hết hạn lúc {vn_datetime(token.expires_at)}. "
            "Bấm “Gửi lại liên kết” để nhận liên kết mới qua đúng hộp thư này."
        )


class LinkRevoked(LinkRefused):
    """Somebody took it back."""

    def __init__(self, token: LinkToken) -> None:
        self.token_id = token.id
        super().__init__(
            "Liên kết đã bị thu hồi, thường do cơ quan đã đổi đầu mối hoặc hộp thư. "
            "Đề nghị dùng liên kết trong thư mới nhất hoặc liên hệ cơ quan điều phối."
        )


class TooManyLinks(LinkRefused):
    """The mailbox asked for too many fresh links today."""

    def __init__(self) -> None:
        super().__init__(
            f"Hôm nay đã gửi {FRESH_LINKS_A_DAY} liên kết mới đến hộp thư này. "
            "Đề nghị kiểm tra cả mục thư rác, hoặc liên hệ cơ quan điều phối."
        )


def _signer(secret: Secret, purpose: LinkPurpose) -> Signer:
    keys = [secret] if isinstance(secret, str) else list(reversed(secret))
    return Signer(keys, salt=f"tiendo.link.{purpose}", key_derivation="hmac", digest_method=sha256)


def issue(
    session: Session,
    stamp: Stamp,
    *,
    mailbox: str,
    agency: str,
    purpose: LinkPurpose,
    secret: Secret,
    days: int,
    letter_id: int | None = None,
) -> str:
    """Issue a link and return the token's text; it expires ``days`` days after ``stamp.at``."""
    token = new_token(
        stamp, mailbox=mailbox, agency=agency, purpose=purpose, days=days, letter_id=letter_id
    )
    session.add(token)
    session.flush()
    return token_text(token, secret)


def new_token(
    stamp: Stamp,
    *,
    mailbox: str,
    agency: str,
    purpose: LinkPurpose,
    days: int,
    letter_id: int | None,
) -> LinkToken:
    """The row of a new token, for callers that add many at once."""
    return LinkToken(
        id=secrets.token_urlsafe(16),
        mailbox=mailbox,
        agency_key=agency,
        purpose=purpose.value,
        letter_id=letter_id,
        issued_at=stamp.at,
        expires_at=stamp.at + timedelta(days=days),
    )


def store_tokens(session: Session, tokens: Iterable[LinkToken]) -> None:
    """Write many new tokens at once; their letters are there already."""
    rows = (tuple(getattr(one, name) for name in _TOKEN_COLUMNS) for one in tokens)
    insert_rows(session, Base.metadata.tables[LinkToken.__tablename__], _TOKEN_COLUMNS, rows)


def token_text(token: LinkToken, secret: Secret) -> str:
    """The text of a token, as it goes into a letter."""
    return _signer(secret, LinkPurpose(token.purpose)).sign(token.id).decode("ascii")


def link_url(portal_url: str, text: str) -> str:
    """The whole address of a link."""
    return f"{portal_url.rstrip('/')}{LINK_PATH}{text}"


def check(
    session: Session, text: str, purpose: LinkPurpose, at: datetime, *, secret: Secret
) -> LinkToken:
    """The token of this text, if it is good for ``purpose`` at the instant ``at``.

    Raises:
        LinkForged, LinkExpired, LinkRevoked: with a sentence for whoever opened it.
    """
    token = signed_token(session, text, purpose, secret=secret)
    if token.revoked_at is not None:
        raise LinkRevoked(token)
    if token.expires_at <= at:
        raise LinkExpired(token)
    return token


def signed_token(session: Session, text: str, purpose: LinkPurpose, *, secret: Secret) -> LinkToken:
    """The token of this text whether or not it still holds, for asking for a fresh one.

    Raises:
        LinkForged: we never issued it for this purpose.
    """
    try:
        token_id = _signer(secret, purpose).unsign(text.encode("ascii", "replace")).decode("ascii")
    except (BadSignature, UnicodeError):
        raise LinkForged from None
    token = session.get(LinkToken, token_id)
    if token is None or token.purpose != purpose.value:
        raise LinkForged
    return token


def revoke(session: Session, stamp: Stamp, token: LinkToken, *, reason: str) -> None:
    """Take one link back."""
    _revoke(session, stamp, [token], reason)


def revoke_mailbox_links(
    session: Session, stamp: Stamp, *, mailbox: str, agency_key: str | None = None
) -> int:
    """Take back every link that still holds for a mailbox, of one agency or of all.

    Returns how many there were.
    """
    query = select(LinkToken).where(
        LinkToken.mailbox == mailbox,
        LinkToken.revoked_at.is_(None),
        LinkToken.expires_at > stamp.at,
    )
    if agency_key is not None:
        query = query.where(LinkToken.agency_key == agency_key)
    tokens = session.scalars(query).all()
    _revoke(session, stamp, tokens, "Hộp thư không còn là đầu mối của cơ quan")
    return len(tokens)


def revoke_agency_links(session: Session, stamp: Stamp, agency_key: str, *, reason: str) -> int:
    """Take back every link of an agency that still holds; returns how many there were."""
    tokens = session.scalars(
        select(LinkToken).where(
            LinkToken.agency_key == agency_key,
            LinkToken.revoked_at.is_(None),
            LinkToken.expires_at > stamp.at,
        )
    ).all()
    _revoke(session, stamp, tokens, reason)
    return len(tokens)


def _revoke(session: Session, stamp: Stamp, tokens: Iterable[LinkToken], reason: str) -> None:
    changes = []
    for token in tokens:
        token.revoked_at = stamp.at
        changes.append(_change(token, "revoke", reason))
    session.flush()
    record(session, stamp, changes)


def mark_first_post(session: Session, stamp: Stamp, token: LinkToken) -> bool:
    """Note the first POST by a link: proof of notice. True when this was the first."""
    found = session.execute(
        update(LinkToken)
        .where(LinkToken.id == token.id, LinkToken.first_post_at.is_(None))
        .values(first_post_at=stamp.at)
        .execution_options(synchronize_session=False)
    )
    if found.rowcount != 1:  # type: ignore[attr-defined]
        return False
    session.refresh(token)
    record(session, stamp, [_change(token, "notified", None)])
    return True


def request_fresh_link(session: Session, stamp: Stamp, token: LinkToken) -> Letter:
    """Queue a letter with a fresh link, to the mailbox of the old one and to no other.

    Raises:
        LinkRevoked: the mailbox no longer speaks for the agency.
        TooManyLinks: it was asked for too often today.
    """
    if token.revoked_at is not None:
        raise LinkRevoked(token)
    count = session.execute(
        select(func.count())
        .select_from(Letter)
        .where(Letter.mailbox == token.mailbox, Letter.day == stamp.as_of, Letter.kind == "link")
    ).scalar_one()
    if count >= FRESH_LINKS_A_DAY:
        raise TooManyLinks
    letter = Letter(
        key=f"link:{stamp.as_of}:{token.mailbox}:{count + 1}",
        kind="link",
        mailbox=token.mailbox,
        agency_key=token.agency_key,
        day=stamp.as_of,
        state=LetterState.QUEUED.value,
        payload="{}",
        queued_at=stamp.at,
        attempts=0,
        message_id="",
        run=stamp.run,
    )
    session.add(letter)
    session.flush()
    return letter


def _change(token: LinkToken, action: str, reason: str | None) -> Change:
    return Change(
        entity="link_token",
        entity_id=token.id,
        action=action,
        snapshot=snapshot_of(token),
        agency=token.agency_key,
        reason=reason,
    )
