"""What dates and phrases rest on where no document fixed them: the catalog's own bases (rule 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from operations.state import PlanState
from portal.signs import CERTAINTY_SIGNS, DATE_WORDS, basis_sign
from reports.tables import Column, Line, Table
from rules.directory import Directory
from rules.values import Item

_COLUMNS = (
    Column(title="Nhiệm vụ", width=14),
    Column(title="Điều được hiểu", width=24),
    Column(title="Nguyên văn", width=40),
    Column(title="Cách hiểu", width=60),
    Column(title="Căn cứ", width=50),
    Column(title="Độ chắc chắn", width=28),
)


def basis_table(states: Sequence[PlanState], notes: Sequence[str] = ()) -> Table:
    """Every date without a document and every phrase, with its basis and how sure it is."""
    lines = [
        Line(values=values, href=f"/nhiem-vu/{state.plan.key}/{item.key}")
        for state in states
        for item in state.plan.decided
        for values in _of_item(state, item)
    ]
    return Table(
        key="can-cu-cach-hieu",
        title="Căn cứ của cách hiểu trong danh mục",
        columns=_COLUMNS,
        lines=tuple(lines),
        notes=tuple(notes),
        empty="Chưa nạp đề án nào.",
    )


def _of_item(state: PlanState, item: Item) -> Iterator[tuple[str, ...]]:
    name = f"{state.plan.short_code} · {item.key}"
    calendar, parties = item.calendar, item.parties
    date_word = DATE_WORDS[calendar.authority]
    waits = f", chờ {calendar.fixed_by}" if calendar.fixed_by else ""
    sure = basis_sign(calendar.basis)
    how = f"mở “{calendar.opens}”, hạn “{calendar.due}”; {date_word}{waits}"
    yield (name, "Ngày", item.text.timing, how, calendar.basis, f"{sure.sign} {sure.word}")
    sure = basis_sign(parties.basis)
    spans = (
        ("Cơ quan chủ trì", item.text.lead, parties.leads),
        ("Cơ quan phối hợp", item.text.partners, parties.partners),
    )
    for word, verbatim, found in spans:
        refs = [ref for span in found for ref in span.refs]
        if refs:
            meant = [_meant(state.directory, ref) for ref in dict.fromkeys(refs)]
            phrase, sign = "\n".join(verbatim), f"{sure.sign} {sure.word}"
            yield (name, word, phrase, "; ".join(meant), parties.basis, sign)


def _meant(directory: Directory, ref: str) -> str:
    """A group or an agency, with the mark of how sure it is."""
    known = directory.group(ref) if ref.startswith("@") else directory.agency(ref)
    sign = CERTAINTY_SIGNS[known.certainty]
    return f"{known.name} ({sign.sign} {sign.word})"
