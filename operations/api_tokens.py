"""Tokens of the API: issued by an administrator, shown once, stored as a digest, taken back.

The text of a token is ``td_`` with ten digits, which name it and may be shown and logged, and
a secret of 256 random bits; a plain SHA-256 of so much chance cannot be guessed back. An agency's
token acts as that agency. A service's token only reads: decisions are people's (rule 20).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import AccessLog, AgencyRow, ApiToken
from operations.errors import Checks, Conflict, NotFound, Refused
from operations.guards import need_admin, need_text, vn_date
from operations.history import Change, record, snapshot_of
from operations.plans_seen import check_plans, plans_of
from operations.stamp import Stamp

LONGEST: Final = timedelta(days=2 * 366)
"""How far ahead the last day of a token may lie."""
_TEXT: Final = re.compile(r"(td_[0-9a-f]{10})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a token is good for, and what people read for it in :data:`SCOPE_WORDS`."""

    READ = "read"
    """Work, items, figures: an agency's token its own, a service's everything."""
    ACT = "act"
    """File results, ask for extensions, raise obstacles: agencies only."""
    EVENTS = "events"
    """The history, event by event with its digest: services only."""


SCOPE_WORDS: Final[Mapping[Scope, str]] = {
    Scope.READ: "Xem nhiệm vụ, số liệu",
    Scope.ACT: "Cập nhật kết quả, đề nghị gia hạn, phản ánh vướng mắc",
    Scope.EVENTS: "Đọc toàn bộ lịch sử sự kiện",
}
_FITS: Final = {
    "agency": frozenset({Scope.READ, Scope.ACT}),
    "service": frozenset({Scope.READ, Scope.EVENTS}),
}


class TokenRefused(Refused):
    """A token that opens nothing; the text says why, as far as whoever holds it may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to issue: for ``agency``, or for a service where that is None."""

    name: str
    purpose: str
    scopes: Sequence[str]
    valid_to: date | None
    agency: str | None = None
    plans: tuple[str, ...] = ()
    """The plans that it sees; none named, every plan there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new token; ``text`` is known here and never again."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as lists show it; ``last_used_at`` is what the access log knows."""

    id: str
    name: str
    kind: str
    agency: str | None
    scopes: tuple[Scope, ...]
    purpose: str
    created_at: datetime
    created_by: str
    valid_to: date
    revoked_at: datetime | None
    last_used_at: datetime | None
    plans: frozenset[str] | None = None
    """None for every plan there is."""

    def holds_on(self, day: date) -> bool:
        """Whether it opens anything on ``day``."""
        return self.revoked_at is None and day <= self.valid_to


def issue_token(session: Session, stamp: Stamp, new: NewToken) -> Issued:
    """Issue a token.

    Raises:
        NotPermitted: not an administrator.
        NotFound: there is no such agency.
        Refused: name, purpose, scope or last day are missing or do not fit.
    """
    need_admin(stamp)
    checks = Checks()
    name = checks.run(lambda: _text(new.name, "Đề nghị ghi tên phần mềm dùng mã.", "name"), "")
    wanted = "Đề nghị ghi mục đích và căn cứ cấp mã."
    purpose = checks.run(lambda: _text(new.purpose, wanted, "purpose"), "")
    kind = "service" if new.agency is None else "agency"
    if new.agency is not None and session.get(AgencyRow, new.agency) is None:
        msg = f"Không có cơ quan “{new.agency}”."
        raise NotFound(msg, field="agency")
    scopes = checks.run(lambda: _scopes(new.scopes, kind), list[Scope]())
    valid_to = checks.run(lambda: _last_day(new.valid_to, stamp.as_of), stamp.as_of)
    plans = checks.run(lambda: check_plans(session, new.plans, None), None)
    checks.done()
    public, secret = f"td_{secrets.token_hex(5)}", secrets.token_urlsafe(32)
    text = f"{public}_{secret}"
    row = ApiToken(
        id=public,
        name=name,
        kind=kind,
        agency_key=new.agency,
        scopes=" ".join(scopes),
        plans=plans,
        purpose=purpose,
        secret_hash=_digest(text),
        created_at=stamp.at,
        created_by=stamp.actor.name,
        valid_to=valid_to,
        version=0,
    )
    session.add(row)
    _note(session, stamp, row, "issue", reason=purpose)
    return Issued(id=public, text=text)


def revoke_token(session: Session, stamp: Stamp, token_id: str, *, reason: str) -> None:
    """Take a token back at once.

    Raises:
        NotPermitted: not an administrator.
        NotFound: there is no such token.
        Refused: a reason is missing.
        Conflict: it was taken back before.
    """
    need_admin(stamp)
    why = need_text(reason, "Đề nghị nêu lý do thu hồi mã.", field="reason")
    row = session.get(ApiToken, token_id, with_for_update=True, populate_existing=True)
    if row is None:
        msg = f"Không có mã API “{token_id}”."
        raise NotFound(msg, field="token")
    if row.revoked_at is not None:
        msg = f"Mã này đã được thu hồi bởi {row.revoked_by}."
        raise Conflict(msg)
    row.revoked_at, row.revoked_by = stamp.at, stamp.actor.name
    _note(session, stamp, row, "revoke", reason=why)


def revoke_agency_tokens(session: Session, stamp: Stamp, agency: str, *, reason: str) -> int:
    """Take back the tokens of an agency that ended; returns how many there were."""
    rows = session.scalars(
        select(ApiToken)
        .where(ApiToken.agency_key == agency, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id)
        .with_for_update()
    ).all()
    for row in rows:
        row.revoked_at, row.revoked_by = stamp.at, stamp.actor.name
        _note(session, stamp, row, "revoke", reason=reason)
    return len(rows)


def check_token(session: Session, text: str, *, on: date) -> TokenRow:
    """The token of this text, if it is good on ``on``.

    Raises:
        TokenRefused: unknown, wrong, past its last day, or taken back.
    """
    found = _TEXT.fullmatch(text)
    row = session.get(ApiToken, found[1]) if found else None
    if row is None or not hmac.compare_digest(row.secret_hash, _digest(text)):
        msg = "Mã API không đúng; đề nghị kiểm tra đã chép đủ cả mã, hoặc xin cấp mã mới."
        raise TokenRefused(msg)
    if row.revoked_at is not None:
        msg = f"Mã API {row.id} đã bị thu hồi; đề nghị liên hệ quản trị hệ thống."
        raise TokenRefused(msg)
    if row.valid_to < on:
        msg = f"Mã API {row.id} đã hết hạn ngày {vn_date(row.valid_to)}; đề nghị xin cấp mã mới."
        raise TokenRefused(msg)
    return _shown(row, None)


def list_tokens(session: Session) -> list[TokenRow]:
    """All tokens, the newest first, those that no longer hold as well."""
    query = (
        select(AccessLog.token_id, func.max(AccessLog.at))
        .where(AccessLog.token_id.in_(select(ApiToken.id)))
        .group_by(AccessLog.token_id)
    )
    used: dict[str, datetime] = {str(one): at for one, at in session.execute(query)}
    rows = session.scalars(select(ApiToken).order_by(ApiToken.created_at.desc(), ApiToken.id))
    return [_shown(row, used.get(row.id)) for row in rows]


def _shown(row: ApiToken, used: datetime | None) -> TokenRow:
    return TokenRow(
        id=row.id,
        name=row.name,
        kind=row.kind,
        agency=row.agency_key,
        scopes=tuple(Scope(word) for word in row.scopes.split()),
        purpose=row.purpose,
        created_at=row.created_at,
        created_by=row.created_by,
        valid_to=row.valid_to,
        revoked_at=row.revoked_at,
        last_used_at=used,
        plans=plans_of(row.plans),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(text: str, message: str, field: str) -> str:
    found = need_text(text, message, field=field)
    if len(found) > 300:
        msg = "Nội dung dài quá 300 ký tự; đề nghị rút gọn."
        raise Refused(msg, field=field)
    return found


def _scopes(asked: Sequence[str], kind: str) -> list[Scope]:
    known = _FITS[kind]
    wrong = [word for word in asked if word not in known]
    if wrong:
        whom = "của cơ quan" if kind == "agency" else "của dịch vụ"
        msg = (
            f"Mã {whom} không có phạm vi “{wrong[0]}”; "
            f"các phạm vi được cấp: {', '.join(sorted(known))}."
        )
        raise Refused(msg, field="scopes")
    if not asked:
        msg = "Đề nghị chọn ít nhất một phạm vi."
        raise Refused(msg, field="scopes")
    return sorted({Scope(word) for word in asked})


def _last_day(day: date | None, as_of: date) -> date:
    latest = as_of + LONGEST
    if day is None or day < as_of or day > latest:
        msg = f"Đề nghị chọn ngày cuối được dùng từ {vn_date(as_of)} đến {vn_date(latest)}."
        raise Refused(msg, field="valid_to")
    return day


def _note(session: Session, stamp: Stamp, row: ApiToken, word: str, *, reason: str) -> None:
    row.version += 1
    session.flush()
    change = Change(
        entity="api_token",
        entity_id=row.id,
        action=word,
        snapshot=snapshot_of(row),
        agency=row.agency_key,
        reason=reason,
    )
    record(session, stamp, [change])
