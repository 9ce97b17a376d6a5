"""Pages of those who check: exceptions, authorities, samples, and who read what (39, 40)."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import or_, select

from models.tables import AccessLog, Account
from notifications.formats import vn_datetime
from operations.accounts import account_names
from operations.audit import HistorySearch, search_history
from operations.exceptions import EXCEPTION_WORDS, Exceptional, exceptions
from operations.known_at import unlike_history
from operations.sampling import Sample, sample
from operations.state import load_state, plan_keys
from portal.audit_tables import (
    AUTHORITY_ACTS,
    authority_table,
    exceptions_table,
    reading_table,
    sample_table,
)
from portal.basis_tables import basis_table
from portal.exporting import export, most
from portal.forms import read_date
from portal.instants import end_of, exact_instant, read_instant, start_of
from portal.pages.history import refuse_errors
from portal.papers import examine_work
from portal.past import looking
from portal.portal import portal_of
from portal.searching import Asked, Choices, asked_of, choices
from portal.visitors import person_of
from reports.tables import Table
from rules.actors import AccountRole

router = APIRouter()
_READ = ["GET", "HEAD"]
_MOST_SAMPLED: Final = 200
_SHOWN: Final = 500


def _year(asked: Asked) -> int | None:
    text = asked.text("nam")
    return int(text) if text.isdecimal() and len(text) == 4 else None


@router.api_route("/kiem-tra", methods=_READ, name="audit")
def audit(request: Request) -> Response:
    """Where those who check begin: on which basis, until when, and whether tables and history
    agree."""
    portal, person = portal_of(request), person_of(request)
    now = portal.runtime.clock.now()
    with portal.runtime.database.read() as session:
        account = session.get_one(Account, person.account)
        query = select(Account).where(Account.role == AccountRole.AUDITOR.value)
        auditors = list(session.scalars(query.order_by(Account.valid_to, Account.username)))
        unlike = unlike_history(session, now)
    return portal.pages(
        request,
        "audit.html",
        account=account,
        auditors=auditors,
        today=portal.today,
        now=now,
        unlike=unlike,
    )


_WORDS: Final = {"loai": {one.value: word for one, word in EXCEPTION_WORDS.items()}}
_EXCEPTION_FIELDS = ("de-an", "nam", "co-quan", "loai", "luc")


def _exceptions(request: Request) -> tuple[Asked, Choices, Table, Counter[Exceptional]]:
    asked = asked_of(request, _EXCEPTION_FIELDS)
    kind = asked.text("loai")
    with looking(request) as view:
        known, people = choices(view.session), account_names(view.present)
        found = exceptions(
            view.session,
            plan=asked.text("de-an") or None,
            year=_year(asked),
            agency=asked.text("co-quan") or None,
        )
    counts = Counter(one.kind for one in found)
    only = Exceptional(kind) if kind in set(Exceptional) else None
    rows = [one for one in found if only in {None, one.kind}]
    return asked, known, exceptions_table(rows, only, view.notes, people), counts


@router.api_route("/kiem-tra/ngoai-le", methods=_READ, name="exceptions")
def exceptions_page(request: Request) -> Response:
    """ "Báo cáo ngoại lệ"."""
    asked, known, table, counts = _exceptions(request)
    return _list(
        request,
        "exceptions.html",
        table,
        asked=asked,
        choices=known,
        counts=[(kind, EXCEPTION_WORDS[kind], counts[kind]) for kind in Exceptional],
    )


@router.api_route("/kiem-tra/ngoai-le/xuat/{kind}", methods=_READ, name="exceptions_export")
def exceptions_export(request: Request, kind: str) -> Response:
    """The same as a file."""
    return export(request, _exceptions(request)[2], kind, words=_WORDS)


def _list(request: Request, template: str, table: Table, /, **values: Any) -> Response:
    shown, query = table.lines[:_SHOWN], request.url.query
    files = {
        kind: f"{request.url.path}/xuat/{kind}{'?' if query else ''}{query}"
        for kind in ("xlsx", "csv")
    }
    return portal_of(request).pages(
        request,
        template,
        table=table,
        lines=shown,
        files=files,
        more=len(table.lines) - len(shown),
        **values,
    )


_AUTHORITY_FIELDS = ("de-an", "nhiem-vu", "ky", "co-quan", "luc")


def _authority(request: Request, limit: int) -> tuple[Asked, Choices, Table]:
    asked = asked_of(request, _AUTHORITY_FIELDS)
    with looking(request) as view:
        search = HistorySearch(
            plan=asked.text("de-an") or None,
            item=asked.text("nhiem-vu") or None,
            period=asked.text("ky") or None,
            agency=asked.text("co-quan") or None,
            acts=AUTHORITY_ACTS,
            until=view.until,
        )
        known = choices(view.session)
        found = search_history(view.present, search, limit=limit)
    notes = (
        view.notes
        if found.next_place is None
        else (*view.notes, "Chỉ gồm các quyết định mới nhất.")
    )
    return asked, known, authority_table(found.events, known.agencies, notes)


@router.api_route("/kiem-tra/can-cu", methods=_READ, name="authority")
def authority(request: Request) -> Response:
    """Who decided on every date, extension and waiver, by which document."""
    asked, known, table = _authority(request, _SHOWN)
    bases, item = _basis(request), asked.text("nhiem-vu")
    if item:
        lines = (one for one in bases.lines if str(one.values[0]).endswith(f"· {item}"))
        bases = replace(bases, lines=tuple(lines))
    return _list(request, "authority.html", table, asked=asked, choices=known, bases=bases)


def _basis(request: Request) -> Table:
    plan = asked_of(request, _AUTHORITY_FIELDS).text("de-an")
    with looking(request) as view:
        keys = [key for key in plan_keys(view.session) if plan in {"", key}]
        states = [load_state(view.session, key) for key in keys]
    return basis_table(states, view.notes)


@router.api_route("/kiem-tra/can-cu/cach-hieu/xuat/{kind}", methods=_READ, name="basis_export")
def basis_export(request: Request, kind: str) -> Response:
    """The catalog's bases as a file."""
    return export(request, _basis(request), kind)


@router.api_route("/kiem-tra/can-cu/xuat/{kind}", methods=_READ, name="authority_export")
def authority_export(request: Request, kind: str) -> Response:
    """The same as a file."""
    return export(request, _authority(request, most(kind))[2], kind)


_SAMPLE_FIELDS = ("hat", "co", "luc", "de-an", "nam", "nhiem-vu", "co-quan")


def _sample(request: Request, asked: Asked) -> tuple[Choices, Table]:
    portal = portal_of(request)
    now = portal.runtime.clock.now()
    instant = min(asked.read("luc", read_instant, None) or now, now)
    size = asked.text("co")

    def draw() -> tuple[Choices, Sample, Mapping[str, str]]:
        with portal.runtime.database.read() as session:
            drawn = sample(
                session,
                instant,
                seed=asked.text("hat"),
                size=min(int(size) if size.isdecimal() else 10, _MOST_SAMPLED),
                plan=asked.text("de-an") or None,
                year=_year(asked),
                item=asked.text("nhiem-vu") or None,
                agency=asked.text("co-quan") or None,
            )
            return choices(session), drawn, account_names(session)

    first = draw()[1]
    examine_work(portal, [row.id for row in first.rows])
    known, drawn, people = draw()
    note = (
        f"Chọn {len(drawn.rows)} trong {drawn.population} kết quả đã xác nhận như đã biết lúc "
        f"{vn_datetime(instant)} ({exact_instant(instant)}), hạt giống {drawn.seed}; "
        "thứ tự theo SHA-256 của “hạt giống:số phân công”."
    )
    return known, sample_table(drawn, (note,), people)


@router.api_route("/kiem-tra/mau", methods=_READ, name="sample")
def sample_page(request: Request) -> Response:
    """A random sample; the address holds seed and instant, so the same page comes again."""
    asked = asked_of(request, _SAMPLE_FIELDS)
    if not asked.text("hat") or not asked.text("luc"):
        now = portal_of(request).runtime.clock.now()
        fixed = {
            "hat": asked.text("hat") or secrets.token_hex(4),
            "luc": asked.text("luc") or exact_instant(now),
        }
        return RedirectResponse(asked.address("/kiem-tra/mau", **fixed), status_code=303)
    known, table = _sample(request, asked)
    again = asked.address("/kiem-tra/mau", hat="", luc="")
    return _list(request, "sample.html", table, asked=asked, choices=known, again=again)


@router.api_route("/kiem-tra/mau/xuat/{kind}", methods=_READ, name="sample_export")
def sample_export(request: Request, kind: str) -> Response:
    """The same as a file."""
    asked = asked_of(request, _SAMPLE_FIELDS)
    table = _sample(request, asked)[1]
    refuse_errors(asked)
    return export(request, table, kind)


_SEE_ALL_READING: Final = frozenset({AccountRole.ADMIN, AccountRole.AUDITOR})
_READING_FIELDS = ("tai-khoan", "tu", "den")


def _reading(request: Request, limit: int) -> tuple[Asked, Table]:
    """One's own reading and exports; of everybody for administrators and auditors (rule 40)."""
    person, asked = person_of(request), asked_of(request, _READING_FIELDS)
    query = select(AccessLog).where(
        or_(
            AccessLog.method.in_(("EXPORT", "FILE")),
            AccessLog.actor.like("account:%"),
            AccessLog.actor.like("token:%"),
        )
    )
    since, until = asked.read("tu", read_date, None), asked.read("den", read_date, None)
    if since is not None:
        query = query.where(AccessLog.at >= start_of(since))
    if until is not None:
        query = query.where(AccessLog.at <= end_of(until))
    if person.role not in _SEE_ALL_READING:
        query = query.where(AccessLog.actor == f"account:{person.username}")
    elif account := asked.text("tai-khoan"):
        query = query.where(AccessLog.actor.icontains(account, autoescape=True))
    query = query.order_by(AccessLog.at.desc(), AccessLog.id.desc()).limit(limit)
    with portal_of(request).runtime.database.read() as session:
        return asked, reading_table(list(session.scalars(query)), account_names(session))


@router.api_route("/kiem-tra/nhat-ky", methods=_READ, name="reading")
def reading(request: Request) -> Response:
    """Who read or exported what (rule 40)."""
    asked, table = _reading(request, _SHOWN)
    everybody = person_of(request).role in _SEE_ALL_READING
    return _list(request, "reading.html", table, asked=asked, everybody=everybody)


@router.api_route("/kiem-tra/nhat-ky/xuat/{kind}", methods=_READ, name="reading_export")
def reading_export(request: Request, kind: str) -> Response:
    """The same as a file."""
    asked, table = _reading(request, most(kind))
    refuse_errors(asked)
    return export(request, table, kind)
