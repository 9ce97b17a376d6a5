"""Agencies and accounts of a late start's workbook: new ones are added, known ones compared.

What stands in the system is never overwritten from a file: a row that says something else is an
error that says where to change it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Account, AgencyRow
from operations.accounts import NewAccount, add_account, check_account, find_account
from operations.agency_names import AgencyNames, plain
from operations.contact_files import FileError, FileRow
from operations.contact_import import find_agency, problem_and_remedy
from operations.errors import NotPermitted, Refused
from operations.guards import need_admin, vn_date
from operations.history import Change, record, snapshot_of
from operations.import_values import Cells
from operations.stamp import Stamp
from operations.state import load_directory
from rules.actors import AccountRole, ActorKind
from rules.values import Certainty

KIND_WORDS: Final = {
    "office": "Văn phòng",
    "inspectorate": "Thanh tra",
    "department": "Sở",
    "board": "Ban",
    "district": "Cấp huyện",
    "ward": "Phường",
    "commune": "Xã",
    "special_zone": "Đặc khu",
}
ROLE_WORDS: Final = {
    AccountRole.AGENCY.value: "Cơ quan",
    AccountRole.COORDINATOR.value: "Điều phối",
    AccountRole.LEADERSHIP.value: "Lãnh đạo",
    AccountRole.AUDITOR.value: "Kiểm tra",
    AccountRole.ADMIN.value: "Quản trị",
}
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,60}")
_RUNNING: Final = frozenset({AccountRole.ADMIN, AccountRole.COORDINATOR})
_FIELDS: Final = {"agency": "agency", "password": "username"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a sheet adds, by key or user name, and how many rows are there already.

    ``left`` are those that somebody else has to add: the actor may not.
    """

    new: tuple[str, ...] = ()
    same: int = 0
    left: tuple[str, ...] = ()


def add_agencies(
    session: Session, stamp: Stamp, rows: Sequence[FileRow], errors: list[FileError]
) -> Added:
    """Add the agencies that are not known yet; what is wrong goes into ``errors``."""
    new, same = [], 0
    seen: dict[str, int] = {}
    last = session.scalar(select(func.max(AgencyRow.position))) or 0
    for row in rows:
        cells = Cells(row, errors)
        key, name = cells.text("key"), cells.text("name")
        first, last_day = cells.day("from"), cells.day("to")
        if first and last_day and last_day < first:
            cells.refuse("to", f"Kết thúc trước ngày {vn_date(first)}", "Sửa một trong hai ngày")
        if _KEY.fullmatch(key) is None:
            problem = f"Mã “{key}” không dùng được" if key else "Chưa ghi mã"
            cells.refuse("key", problem, "Ghi chữ thường không dấu, số và dấu _, ví dụ xa_van_ninh")
        elif key in seen:
            cells.refuse("key", f"Mã này đã có ở dòng {seen[key]}", "Chỉ giữ một dòng")
        seen.setdefault(key, row.number)
        if not name:
            cells.refuse("name", "Chưa ghi tên cơ quan", "Ghi tên đầy đủ, ví dụ Xã Vạn Ninh")
        known = session.get(AgencyRow, key)
        if known is not None:
            _compare(cells, known, first, last_day)
            same += 1
            continue
        kind = cells.choice("kind", KIND_WORDS)
        if cells.wrong() or kind is None:
            continue
        _may_add(stamp, cells)
        last += 1
        made = AgencyRow(
            key=key,
            position=last,
            name=name,
            kind=kind,
            code=cells.text("code") or None,
            valid_from=first,
            valid_to=last_day,
            letters=True,
            pilot=False,
            certainty=Certainty.SEEN.value,
            note="Nhập từ tệp",
            version=1,
        )
        session.add(made)
        session.flush()
        record(session, stamp, [_added(made)])
        new.append(key)
    return Added(new=tuple(new), same=same)


def _may_add(stamp: Stamp, cells: Cells) -> None:
    if stamp.actor.role not in _RUNNING and stamp.actor.kind is not ActorKind.OPERATOR:
        cells.refuse("key", "Cơ quan mới do cơ quan điều phối thêm", "Bỏ dòng này khỏi tệp")


def _added(row: AgencyRow) -> Change:
    return Change(
        entity="agency",
        entity_id=row.key,
        action="add",
        snapshot=snapshot_of(row),
        agency=row.key,
    )


def _compare(cells: Cells, known: AgencyRow, first: date | None, last: date | None) -> None:
    stored: dict[str, tuple[str | None, str | None]] = {
        "name": (known.name, cells.text("name")),
        "code": (known.code, cells.text("code") or known.code),
        "from": (_day(known.valid_from), _day(first)),
        "to": (_day(known.valid_to), _day(last)),
    }
    for field, (there, given) in stored.items():
        if plain(there or "") != plain(given or ""):
            problem = f"Danh mục đang ghi “{there or '(trống)'}”, tệp ghi “{given or '(trống)'}”"
            cells.refuse(field, problem, "Sửa ô như danh mục; cần đổi thì sửa ở danh mục cơ quan")


def _day(day: date | None) -> str | None:
    return None if day is None else vn_date(day)


def add_accounts(
    session: Session, stamp: Stamp, rows: Sequence[FileRow], errors: list[FileError]
) -> Added:
    """Open the accounts that are not there yet, without a password; a link follows (rule 40).

    Whoever is no administrator has them checked only: an administrator takes the same file.
    """
    names = AgencyNames(load_directory(session).agencies)
    new, left, same = list[str](), list[str](), 0
    may = opens_accounts(stamp)
    seen: dict[str, int] = {}
    for row in rows:
        cells = Cells(row, errors)
        wanted = _account(cells, names, stamp)
        if wanted.username and wanted.username in seen:
            problem = f"Tên đăng nhập này đã có ở dòng {seen[wanted.username]}"
            cells.refuse("username", problem, "Chỉ giữ một dòng")
            continue
        seen[wanted.username] = row.number
        there = find_account(session, wanted.username)
        if there is not None:
            if not cells.wrong():
                _compare_account(cells, there, wanted)
            same += 1
            continue
        try:
            check_account(session, stamp, wanted)
        except Refused as refused:
            for one in refused.each:
                _refuse(cells, one)
        if cells.wrong():
            continue
        if may:
            add_account(session, stamp, wanted)
        (new if may else left).append(wanted.username)
    return Added(new=tuple(new), same=same, left=tuple(left))


def opens_accounts(stamp: Stamp) -> bool:
    """Whether the actor may open accounts."""
    try:
        need_admin(stamp)
    except NotPermitted:
        return False
    return True


def _account(cells: Cells, names: AgencyNames, stamp: Stamp) -> NewAccount:
    """What the row asks for; what cannot be read of it is said, and stands as if left out."""
    role = cells.choice("role", ROLE_WORDS)
    agency = None
    if cells.text("agency"):
        told = list[FileError]()
        agency = find_agency(cells.row, names, told, stamp)
        for one in told:
            cells.refuse("agency", one.problem, one.remedy)
    valid_to = cells.day("valid_to")
    return NewAccount(
        username=cells.text("username").lower(),
        name=cells.text("name"),
        # An administrator's needs the least: nothing more is asked of a role that is not known.
        role=AccountRole(role or AccountRole.ADMIN),
        agency=agency.key if agency else None,
        post=cells.text("post") or None,
        email=cells.text("email") or None,
        basis=cells.text("basis") or None,
        valid_to=valid_to,
    )


def _refuse(cells: Cells, refused: Refused) -> None:
    field = _FIELDS.get(refused.field or "", refused.field or "username")
    place = field if field in cells.row.columns else "username"
    cells.refuse(place, *problem_and_remedy(refused))


def _compare_account(cells: Cells, there: Account, wanted: NewAccount) -> None:
    stored = {
        "name": (there.name, wanted.name),
        "role": (ROLE_WORDS[there.role], ROLE_WORDS[wanted.role.value]),
        "agency": (there.agency_key, wanted.agency),
        "post": (there.post, wanted.post or there.post),
        "email": (there.email, wanted.email or there.email),
    }
    for field, (known, given) in stored.items():
        if (known or "") != (given or ""):
            problem = f"Tài khoản đang ghi “{known or '(trống)'}”, tệp ghi “{given or '(trống)'}”"
            cells.refuse(field, problem, "Sửa ô như đang có; cần đổi thì sửa ở danh mục tài khoản")
