"""The catalog as files hold it: agencies, days off, accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from models.tables import Account, DayRow
from operations.address_book import ContactGap
from operations.queries_groups import GroupView
from operations.queries_reorganising import ReorganisationView
from portal.words import actor_words
from reports.tables import Column, Kind, Line, Table, Value
from rules.reorganising import ChangeKind
from rules.values import Agency

WEEK: Final = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")
_HAS: Final = {True: "có", False: "chưa có, hoặc không nhận được thư"}


def agencies_table(
    agencies: Iterable[Agency],
    gaps: Mapping[str, ContactGap],
    letters: Mapping[str, bool],
    pilots: frozenset[str],
) -> Table:
    """The agencies of a day, and whether letters reach them (rule 36)."""
    lines = []
    for one in agencies:
        gap = gaps.get(one.key)
        values = (
            *(one.key, one.name, one.formal_name),
            *(_HAS[gap is None or gap.mailbox], _HAS[gap is None or gap.focal]),
            "bật" if letters[one.key] else "tắt, theo dõi bằng cách khác",
            "thí điểm" if one.key in pilots else None,
            *(one.valid_from, one.note),
        )
        lines.append(Line(values=values, href=f"/danh-muc/co-quan/{one.key}"))
    return Table(
        key="co-quan",
        title="Cơ quan, đầu mối",
        columns=(
            *(Column(title="Mã", width=28), Column(title="Cơ quan", width=36)),
            *(Column(title="Tên đầy đủ", width=40), Column(title="Hộp thư dùng được", width=20)),
            *(Column(title="Đầu mối dùng được", width=20), Column(title="Thư tự động", width=28)),
            *(Column(title="Thí điểm", width=10),),
            Column(title="Hoạt động từ", kind=Kind.DATE, width=13),
            Column(title="Ghi chú", width=40),
        ),
        lines=tuple(lines),
    )


def reorganisations_table(
    rows: Iterable[ReorganisationView], kinds: Mapping[ChangeKind, str]
) -> Table:
    """Every change of agencies with its document (rule 35)."""
    lines = (
        Line(
            values=(
                one.effective_on,
                "Theo danh mục" if one.kind is None else kinds[one.kind],
                *("; ".join(one.before) or None, "; ".join(one.after) or None),
                *(one.document, one.issued_on, one.reason),
                "có hiệu lực" if one.settled else "chờ đến ngày",
                *(one.recorded_by, one.recorded_at),
            )
        )
        for one in rows
    )
    return Table(
        key="sap-xep-co-quan",
        title="Sắp xếp cơ quan",
        columns=(
            *(Column(title="Hiệu lực", kind=Kind.DATE, width=12), Column(title="Loại", width=20)),
            *(Column(title="Cơ quan cũ", width=40), Column(title="Cơ quan tiếp nhận", width=40)),
            *(Column(title="Văn bản", width=30), Column(title="Ngày", kind=Kind.DATE, width=12)),
            *(Column(title="Lý do, ghi chú", width=40), Column(title="Tình trạng", width=14)),
            Column(title="Người ghi", width=24),
            Column(title="Ghi lúc", kind=Kind.MOMENT, width=18),
        ),
        lines=tuple(lines),
    )


def days_table(year: int, rows: Iterable[DayRow]) -> Table:
    """The days off and the days worked instead, of one year (rule 3)."""
    return Table(
        key=f"ngay-nghi-{year}",
        title=f"Ngày nghỉ, ngày làm bù năm {year}",
        columns=(
            *(Column(title="Ngày", kind=Kind.DATE, width=12), Column(title="Thứ", width=10)),
            *(Column(title="Là", width=16), Column(title="Tên", width=50)),
            Column(title="Căn cứ", width=34),
        ),
        lines=tuple(
            Line(
                values=(
                    *(row.day, WEEK[row.day.weekday()]),
                    *("ngày làm việc" if row.working else "ngày nghỉ", row.name),
                    row.document or "điều chỉnh"
                    if row.source == "correction"
                    else "lịch nghỉ lễ theo quy định",
                )
            )
            for row in rows
        ),
    )


def accounts_table(
    rows: Iterable[Account], names: Mapping[str, str], roles: Mapping[str, str], now: datetime
) -> Table:
    """The accounts; never anything that helps to log in (rule 40)."""
    return Table(
        key="tai-khoan",
        title="Tài khoản",
        columns=(
            *(Column(title="Tên đăng nhập", width=22), Column(title="Họ và tên", width=28)),
            *(Column(title="Chức vụ", width=24), Column(title="Thư điện tử", width=32)),
            *(Column(title="Vai trò", width=20), Column(title="Cơ quan", width=34)),
            *(Column(title="Căn cứ", width=34), Column(title="Dùng đến", kind=Kind.DATE, width=13)),
            *(Column(title="Tình trạng", width=20),),
            Column(title="Đăng nhập gần nhất", kind=Kind.MOMENT, width=18),
            Column(title="Mở lúc", kind=Kind.MOMENT, width=18),
        ),
        lines=tuple(
            Line(
                values=(
                    *(row.username, row.name, row.post, row.email, roles[row.role]),
                    *(names.get(row.agency_key or ""), row.basis, row.valid_to),
                    *(_standing(row, now, now.date()), row.last_login_at, row.created_at),
                )
            )
            for row in rows
        ),
    )


def _standing(row: Account, now: datetime, today: date) -> str:
    if not row.active:
        return "đã ngừng"
    if row.valid_to is not None and row.valid_to < today:
        return "đã hết thời hạn"
    if row.locked_until is not None and row.locked_until > now:
        return "đang khóa tạm thời"
    return "đang dùng" if row.password_hash else "chưa có mật khẩu"


def groups_table(groups: Iterable[GroupView]) -> Table:
    """The groups with their letters, since when and on what basis (rule 36)."""
    return Table(
        key="nhom-co-quan",
        title="Nhóm cơ quan và thư tự động",
        columns=(
            *(Column(title="Mã", width=26), Column(title="Nhóm", width=44)),
            Column(title="Số cơ quan", kind=Kind.NUMBER, width=10),
            Column(title="Trong đó không nhận thư", kind=Kind.NUMBER, width=14),
            *(Column(title="Thư tự động", width=12),),
            Column(title="Từ lúc", kind=Kind.MOMENT, width=18),
            *(Column(title="Người bật, tắt", width=34), Column(title="Lý do", width=40)),
            *(Column(title="Văn bản", width=18), Column(title="Ghi chú của danh mục", width=50)),
        ),
        lines=tuple(
            Line(
                values=(
                    *(one.key, one.name, len(one.agencies), len(one.silent)),
                    *("bật" if one.letters else "tắt", *_switch(one), one.note),
                ),
                href=f"/danh-muc/nhom/{one.key}",
            )
            for one in groups
        ),
    )


def _switch(one: GroupView) -> tuple[Value, ...]:
    line = one.switched
    if line is None:
        return (None, "theo danh mục", None, None)
    who = actor_words(line.actor_kind, line.actor_name, line.actor_post, line.actor_mailbox)
    return (line.at, who, line.reason, line.document)
