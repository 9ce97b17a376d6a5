"""Added work, and the open work of the coordinator's forms, as files hold them (rules 20, 40, 44)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from operations.queries_added import AddedView
from portal.views import Card
from portal.words import date_word
from reports.tables import Column, Kind, Line, Table
from rules.lifecycle import STATUS_WORDS, Status


def added_table(rows: Iterable[AddedView]) -> Table:
    """Work outside the appendix, the newest first."""
    return Table(
        key="giao-bo-sung",
        title="Nhiệm vụ giao bổ sung",
        columns=(
            *(Column(title="Mã", width=14), Column(title="Nội dung", width=60)),
            *(Column(title="Căn cứ", width=18), _day("Ngày văn bản")),
            *(Column(title="Chủ trì", width=40), Column(title="Phối hợp", width=40), _day("Hạn")),
            *(
                _count("Số cơ quan chủ trì"),
                _count("Đã xong"),
                Column(title="Tình trạng", width=18),
            ),
        ),
        lines=tuple(
            Line(
                values=(
                    *(one.item.key, one.item.text.task, one.basis_code, one.basis_on),
                    *("; ".join(one.item.text.lead), "; ".join(one.item.text.partners) or None),
                    *(one.due_on, one.leads, one.done, _standing(one)),
                ),
                href=f"/nhiem-vu/giao-bo-sung/{one.id}",
            )
            for one in rows
        ),
    )


def open_work_table(key: str, title: str, cards: Iterable[Card]) -> Table:
    """Open work of one agency, by urgency."""
    return Table(key=key, title=title, columns=_OPEN, lines=tuple(_open(one) for one in cards))


def asking_table(cards: Iterable[Card], partners: Mapping[int, Mapping[str, int]]) -> Table:
    """Open work with partners, and how many of them stand where."""
    return Table(
        key="phoi-hop",
        title="Việc có cơ quan phối hợp",
        columns=(*_OPEN, Column(title="Cơ quan phối hợp", width=50)),
        lines=tuple(
            Line(
                values=(
                    *_open(one).values,
                    "; ".join(
                        f"{STATUS_WORDS[Status(status)]}: {count}"
                        for status, count in partners[one.row.occurrence].items()
                    ),
                ),
                href=f"/viec/{one.row.id}",
            )
            for one in cards
        ),
    )


def _day(title: str) -> Column:
    return Column(title=title, kind=Kind.DATE, width=13)


def _count(title: str) -> Column:
    return Column(title=title, kind=Kind.NUMBER, width=12)


_OPEN = (
    *(Column(title="Cơ quan", width=34), Column(title="Nhiệm vụ", width=14)),
    *(Column(title="Kỳ", width=14), Column(title="Nội dung nhiệm vụ", width=60)),
    *(Column(title="Loại hạn", width=14), _day("Hạn"), Column(title="Tình trạng", width=26)),
    Column(title="Lưu ý", width=30),
)


def _open(card: Card) -> Line:
    row = card.row
    return Line(
        values=(
            *(row.agency_name, f"{card.plan.short_code} · {row.item}", row.period_label),
            *(card.item.text.task, date_word(row), row.due_on, row.status_word, card.pill.text),
        ),
        href=f"/viec/{row.id}",
    )


def _standing(one: AddedView) -> str:
    if not one.followed:
        return "thôi theo dõi"
    return "hoàn thành" if one.complete else "đang thực hiện"
