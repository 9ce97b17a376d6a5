"""Letters, proofs, rehearsals, pilots and runs as files hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.tables import AgencyRow
from operations.outbox import HELD_WORDS
from operations.queries_letters import KIND_WORDS, STATE_WORDS, LetterView, Proof
from operations.queries_runs import ItemRuns, RunView
from reports.tables import Column, Kind, Line, Table
from runtime.rehearsal import RehearsedLetter


def letters_table(letters: Iterable[LetterView]) -> Table:
    """Letters by state, the newest first."""
    return Table(
        key="thu",
        title="Thư",
        columns=(
            *(Column(title="Số thư", kind=Kind.NUMBER, width=9), Column(title="Loại", width=22)),
            *(Column(title="Tiêu đề", width=56), Column(title="Gửi đến", width=34)),
            *(Column(title="Cơ quan", width=30), Column(title="Ngày", kind=Kind.DATE, width=12)),
            Column(title="Gửi lúc", kind=Kind.MOMENT, width=18),
            *(Column(title="Trạng thái", width=20), Column(title="Giữ lại vì", width=30)),
            Column(title="Số lần thử", kind=Kind.NUMBER, width=10),
            Column(title="Trả lời của máy chủ thư", width=40),
        ),
        lines=tuple(
            Line(
                values=(
                    *(one.id, KIND_WORDS[one.kind], one.subject, one.mailbox, one.agency_name),
                    *(one.day, one.sent_at, STATE_WORDS[one.state]),
                    HELD_WORDS[one.held] if one.held else None,
                    *(one.attempts, one.answer),
                ),
                href=f"/thu/{one.id}",
            )
            for one in letters
        ),
    )


def proofs_table(year: int, proofs: Iterable[Proof]) -> Table:
    """Which agency is known to have noticed what it was sent (rule 34)."""
    return Table(
        key=f"bang-chung-{year}",
        title=f"Bằng chứng đã nhận thư, năm {year}",
        columns=(
            *(Column(title="Cơ quan", width=36),),
            Column(title="Thư đã gửi", kind=Kind.NUMBER, width=12),
            Column(title="Thư gần nhất", kind=Kind.MOMENT, width=18),
            Column(title="Thư có bằng chứng", kind=Kind.NUMBER, width=14),
            Column(title="Bằng chứng gần nhất", kind=Kind.MOMENT, width=18),
        ),
        lines=tuple(
            Line(
                values=(
                    *(one.agency_name, one.letters, one.last_sent_at),
                    *(one.proven, one.last_post_at),
                )
            )
            for one in proofs
        ),
    )


def rehearsal_table(letters: Iterable[RehearsedLetter], notes: Sequence[str]) -> Table:
    """Who would get what, by day (rule 31)."""
    return Table(
        key="dien-tap",
        title="Diễn tập gửi thư (không gửi thư nào)",
        columns=(
            *(Column(title="Ngày", kind=Kind.DATE, width=12), Column(title="Gửi đến", width=36)),
            Column(title="Tiêu đề", width=60),
            Column(title="Số việc", kind=Kind.NUMBER, width=10),
        ),
        lines=tuple(Line(values=(one.day, one.to, one.subject, len(one.lines))) for one in letters),
        notes=tuple(notes),
    )


def pilots_table(rows: Iterable[AgencyRow]) -> Table:
    """The pilots (rule 19)."""
    return Table(
        key="thi-diem",
        title="Cơ quan thí điểm gửi thư",
        columns=(
            *(Column(title="Mã", width=28), Column(title="Cơ quan", width=40)),
            Column(title="Thư tự động của cơ quan", width=20),
        ),
        lines=tuple(
            Line(values=(row.key, row.name, "bật" if row.letters else "tắt")) for row in rows
        ),
    )


def item_runs_table(items: Iterable[ItemRuns], others: Iterable[RunView]) -> Table:
    """Every item with its last run, then the jobs that belong to no item."""
    lines = [
        Line(
            values=(
                *(one.plan.short_code, one.item.key),
                *((one.last.finished_at, one.last.state) if one.last else (None, "chưa có")),
                _figures(one.last),
                one.expected_at,
                _alarm(one),
            )
        )
        for one in items
    ]
    lines += [
        Line(values=(None, one.title, one.finished_at, one.state, _figures(one), None, None))
        for one in others
    ]
    return Table(
        key="luot-chay",
        title="Lượt chạy gần nhất",
        columns=(
            *(Column(title="Đề án", width=14), Column(title="Nhiệm vụ, việc", width=22)),
            Column(title="Lượt gần nhất", kind=Kind.MOMENT, width=18),
            *(Column(title="Trạng thái", width=28), Column(title="Kết quả", width=60)),
            Column(title="Lẽ ra chạy lúc", kind=Kind.MOMENT, width=18),
            Column(title="Cảnh báo", width=44),
        ),
        lines=tuple(lines),
    )


def _alarm(one: ItemRuns) -> str | None:
    if one.unopened:
        return f"phải chạy mà không chạy: {', '.join(one.unopened)}"
    if one.missed:
        return "chưa chạy đúng lịch"
    return "lượt gần nhất bị lỗi kỹ thuật" if one.last is not None and one.last.fault else None


def _figures(run: RunView | None) -> str | None:
    return "; ".join(f"{label}: {count}" for label, count in run.told) or None if run else None


def runs_table(runs: Iterable[RunView]) -> Table:
    """Runs as they were recorded, the newest first."""
    return Table(
        key="cac-luot-chay",
        title="Các lượt chạy",
        columns=(
            *(Column(title="Việc", width=22), Column(title="Đề án", width=20)),
            Column(title="Bắt đầu", kind=Kind.MOMENT, width=18),
            Column(title="Kết thúc", kind=Kind.MOMENT, width=18),
            Column(title="Cho ngày", kind=Kind.DATE, width=12),
            *(Column(title="Trạng thái", width=28), Column(title="Kết quả", width=60)),
            Column(title="Mã lượt chạy", width=38),
        ),
        lines=tuple(
            Line(
                values=(
                    *(one.title, one.plan, one.started_at, one.finished_at, one.as_of, one.state),
                    *(_figures(one), one.run),
                ),
                href=f"/luot-chay/{one.id}",
            )
            for one in runs
        ),
    )
