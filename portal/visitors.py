"""Who stands at the door: by the session of an account, or by the link of a letter."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import Request
from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from models.tables import Account, AgencyRow, EndedSession, LinkToken, PlanRow
from operations.access import log_access
from operations.ended_sessions import note_ended, session_key
from operations.links import LinkForged, LinkPurpose, check, signed_token
from operations.plans_seen import plans_of
from portal.api.door import admit
from portal.errors import AccountUnready, LoginNeeded, NotAllowed
from portal.permissions import (
    API_SCOPES,
    EVERY_PLAN,
    MAILBOX_ROUTES,
    OPEN_TO_UNREADY,
    SHARED_WRITES,
    TABLE,
    Visitor,
    may_open,
    visitor_of,
)
from portal.portal import SESSION_COOKIE, Portal, address_of, portal_of
from portal.sight import Choice, choice_of, follow, look_at, write_everything
from portal.signing import SESSION, SessionValue
from portal.throttle import FORGED, OPENS
from rules.actors import AccountRole, Actor, ActorKind

IDLE: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=12)
"""A session from its sign-in on, however busy: a stolen one is not for ever."""
_RENEW: Final = timedelta(seconds=30)
_UNSEEN: Final = frozenset(
    {"health", "metrics", "static", "calendar_feed", "v1_openapi", "guidance_picture"}
) | {
    "open_schema",
    "open_json",
    "open_atom",
    "open_rss",
}
"""Routes that look at nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account, as pages show them."""

    account: int
    username: str
    name: str
    post: str | None
    role: AccountRole
    agency: str | None
    agency_name: str | None
    addressed_as: str | None
    """The agency's formal name, else its name."""
    unready: bool = False
    """Whether the password is too short to stand without a one-time code."""
    by_provider: bool = False
    """Whether the session began by single sign-on."""
    plans: frozenset[str] | None = None
    """The plans that the account sees; None for every plan there is."""
    choice: Choice | None = None
    """What it may choose from, where it sees several."""

    @property
    def can_decide(self) -> bool:
        """Whether decisions are theirs to make at all."""
        return self.role in {AccountRole.COORDINATOR, AccountRole.LEADERSHIP}

    def actor(self, address: str) -> Actor:
        """The person, acting."""
        return Actor(
            kind=ActorKind.PERSON,
            name=self.name,
            role=self.role,
            account=self.username,
            agency=self.agency,
            post=self.post,
            address=address,
        )


def authorise(request: Request) -> None:
    """Let a request pass, or not, by the one table of permissions.

    Raises:
        LoginNeeded: an account is needed.
        NotAllowed: another account is needed.
        AccountUnready: the account has to be put in order first.
        LinkRefused: the link opens nothing (any more).
    """
    route = str(request.scope["route"].name)
    if route in _UNSEEN:
        return
    portal = portal_of(request)
    if route in API_SCOPES:
        admit(portal, request, route)
        return
    if TABLE[route] == frozenset({Visitor.LINK}) or route == "link_again":
        _by_link(portal, request, route)
        return
    person = _person(portal, request)
    request.scope["state"]["visitor"] = person
    if person is not None:
        _look(request, route, person)
    kind = Visitor.ANYBODY if person is None else visitor_of(person.role)
    if person is not None and person.unready and route not in OPEN_TO_UNREADY:
        raise AccountUnready
    trial = route in MAILBOX_ROUTES and portal.is_trial()
    if may_open(route, kind, trial=trial):
        if kind is Visitor.AUDITOR and person is not None:
            _log_reading(portal, request, person)
        return
    if person is None:
        raise LoginNeeded
    raise NotAllowed(
        "Tài khoản này không xem được trang đó. Đề nghị quay về trang đầu, hoặc liên hệ "
        "quản trị hệ thống nếu cần thêm quyền."
    )


def _look(request: Request, route: str, person: Person) -> None:
    """Have this request see the plans of ``person`` (and the one that was chosen) and no other.

    Raises:
        NotAllowed: the page is about every plan, and the account is not.
    """
    look_at(person.plans)
    if route in EVERY_PLAN:
        if person.plans is not None:
            raise NotAllowed(
                "Nội dung này chung cho mọi đề án, còn tài khoản này chỉ theo dõi một số đề án. "
                "Đề nghị liên hệ người điều phối chung hoặc quản trị hệ thống."
            )
        return
    if route in SHARED_WRITES:
        write_everything()
    follow(person.choice, request, person.plans)


def _log_reading(portal: Portal, request: Request, person: Person) -> None:
    """Log what an auditor reads (rule 40)."""
    query = f"?{request.url.query}" if request.url.query else ""
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"account:{person.username}",
            method=request.method,
            path=f"{request.url.path}{query}"[:2000],
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )


def _by_link(portal: Portal, request: Request, route: str) -> None:
    """Check the link of this request and log that it was opened."""
    address, state = address_of(request), request.scope["state"]
    text = str(request.path_params["token"])
    portal.throttle.look(FORGED, address)
    portal.throttle.hit(OPENS, address)
    now = portal.runtime.clock.now()
    try:
        with portal.runtime.database.write() as session:
            token = signed_token(session, text, LinkPurpose.WORK, secret=portal.runtime.link_secret)
            state["link_text"], state["mark_owner"] = text, f"link:{token.id}"
            state["mark"] = portal.signing.mark(state["mark_owner"])
            _log_open(session, request, token, now)
            session.flush()
    except LinkForged:
        portal.throttle.hit(FORGED, address)
        raise
    if route != "link_again":
        with portal.runtime.database.read() as session:
            check(session, text, LinkPurpose.WORK, now, secret=portal.runtime.link_secret)
    state["token"] = token


def _log_open(session: Session, request: Request, token: LinkToken, now: datetime) -> None:
    path = request.url.path.replace(str(request.path_params["token"]), "…")
    log_access(
        session,
        at=now,
        actor=token.mailbox,
        method=request.method,
        path=path,
        token=token,
        address=address_of(request),
        agent=(request.headers.get("user-agent") or "")[:300] or None,
    )


_WHO: Final = (
    select(
        *(Account.id, Account.username, Account.name, Account.post, Account.role),
        *(Account.agency_key, Account.active, Account.valid_to, Account.session_epoch),
        *(Account.password_short, Account.totp_secret, Account.plans),
        select(func.aggregate_strings(PlanRow.key, " "))
        .where(PlanRow.active)
        .scalar_subquery()
        .label("every_plan"),
        *(AgencyRow.name.label("agency_name"), AgencyRow.formal_name),
        exists().where(EndedSession.id == bindparam("session")).label("over"),
    )
    .outerjoin(AgencyRow, AgencyRow.key == Account.agency_key)
    .where(Account.id == bindparam("number"))
)
"""An account with its agency, in one query: it is asked for on each request."""


def _person(portal: Portal, request: Request) -> Person | None:
    """The account of the session that this request brings, if it still holds."""
    value = _read(portal, portal.cookie(request, SESSION_COOKIE))
    if value is None:
        return None
    with portal.runtime.database.read() as session:
        asked = {"number": value.account, "session": session_key(value.sid)}
        row = session.execute(_WHO, asked).one_or_none()
        if row is None or not _still_holds(portal, row, value):
            return None
        plans = plans_of(row.plans)
        keys = [one for one in (row.every_plan or "").split() if plans is None or one in plans]
        choice = choice_of(portal, request, session, keys)
    now = portal.runtime.clock.now()
    if now - value.seen_at >= _RENEW:
        renew(portal, request, value, now)
    state = request.scope["state"]
    state["mark_owner"] = f"session:{value.sid}"
    state["mark"] = portal.signing.mark(state["mark_owner"])
    state["session"] = value
    return Person(
        account=row.id,
        username=row.username,
        name=row.name,
        post=row.post,
        role=AccountRole(row.role),
        agency=row.agency_key,
        agency_name=row.agency_name,
        addressed_as=row.formal_name or row.agency_name,
        unready=row.password_short and row.totp_secret is None,
        by_provider=value.by_provider,
        plans=plans,
        choice=choice,
    )


def _read(portal: Portal, cookie: str | None) -> SessionValue | None:
    found = portal.signing.read(SESSION, cookie)
    if not isinstance(found, list) or len(found) != 6:
        return None
    seen_at, began_at = (datetime.fromtimestamp(found[place], UTC) for place in (3, 5))
    now = portal.runtime.clock.now()
    if now - seen_at > IDLE or now - began_at > LONGEST:
        return None
    return SessionValue(
        account=found[0],
        epoch=found[1],
        sid=found[2],
        seen_at=seen_at,
        began_at=began_at,
        by_provider=bool(found[4]),
    )


def _still_holds(portal: Portal, row: Any, value: SessionValue) -> bool:
    ended = row.valid_to is not None and row.valid_to < portal.today
    return row.active and not (ended or row.over) and row.session_epoch == value.epoch


def begin_session(
    portal: Portal, request: Request, account: Account, *, by_provider: bool = False
) -> None:
    """Give the browser a new session for ``account``."""
    now = portal.runtime.clock.now()
    value = SessionValue(
        account=account.id,
        epoch=account.session_epoch,
        sid=secrets.token_urlsafe(16),
        seen_at=now,
        began_at=now,
        by_provider=by_provider,
    )
    renew(portal, request, value, now)
    state = request.scope["state"]
    state["mark_owner"] = f"session:{value.sid}"
    state["mark"] = portal.signing.mark(state["mark_owner"])


def renew(portal: Portal, request: Request, value: SessionValue, now: datetime) -> None:
    """Let a session go on from ``now``."""
    fresh = replace(value, seen_at=now)
    portal.set_cookie(request, SESSION_COOKIE, portal.signing.write(SESSION, fresh.as_json()))


def end_session(portal: Portal, request: Request) -> None:
    """Take the session away from the browser, and from whoever may have a copy of it."""
    value = request.scope["state"].get("session")
    if isinstance(value, SessionValue):
        until = value.began_at + LONGEST
        with portal.runtime.database.write() as session:
            note_ended(session, portal.runtime.clock.now(), value.sid, until=until)
    portal.drop_cookie(request, SESSION_COOKIE)


def person_of(request: Request) -> Person:
    """The account behind this request.

    Raises:
        LoginNeeded: there is none.
    """
    found = request.scope["state"].get("visitor")
    if not isinstance(found, Person):
        raise LoginNeeded
    return found


def token_of(request: Request) -> LinkToken:
    """The link behind this request; only on pages that a link opens."""
    found = request.scope["state"]["token"]
    if not isinstance(found, LinkToken):
        raise TypeError("this page is not opened by a link")
    return found
