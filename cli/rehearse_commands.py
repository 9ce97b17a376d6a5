"""``tiendo rehearse``: who would get what between two dates, without sending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app
from cli.errors import WrongUse
from cli.output import Output, console
from cli.params import day, one_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from operations.contacts import ContactInput
    from runtime.rehearsal import RehearsedLetter

ASSUMPTIONS = ("silent", "on-time")
DATES = ("fixed", "provisional")
TOP = 5
"""Mailboxes that are named, the busiest first."""


@app.command("rehearse", cls=Command)
def rehearse_(
    ctx: typer.Context,
    *,
    date_from: Annotated[
        date, typer.Option("--from", parser=day, metavar="NGÀY", help="Từ ngày này.")
    ],
    date_to: Annotated[
        date, typer.Option("--to", parser=day, metavar="NGÀY", help="Đến hết ngày này.")
    ],
    assume: Annotated[
        str,
        typer.Option(
            "--assume",
            parser=one_of(ASSUMPTIONS, "giả định"),
            metavar="TỪ",
            help="Cơ quan làm gì: silent (không làm gì) hoặc on-time (đúng hạn).",
        ),
    ] = "silent",
    dates: Annotated[
        str,
        typer.Option(
            "--dates",
            parser=one_of(DATES, "cách ấn định hạn"),
            metavar="TỪ",
            help="Tháng 1 hằng năm hạn được ấn định (fixed) hay vẫn dự kiến (provisional).",
        ),
    ] = "fixed",
) -> None:
    """Diễn tập: trong khoảng ngày đó ai sẽ nhận thư gì, không gửi thư nào."""
    from cli.edge import ready
    from operations.added_records import added_records
    from operations.catalog import stored_catalog
    from runtime.rehearsal import Assume, Dates, Rehearsal, rehearse

    if date_to < date_from:
        msg = f"--to ({date_to:%d/%m/%Y}) phải từ --from ({date_from:%d/%m/%Y}) trở đi."
        raise WrongUse(msg, field="to")
    with ready(ctx) as here:
        with here.runtime.database.read() as session:
            catalogs = [stored_catalog(session, key) for key in here.plans()]
            contacts, added = _contacts(session), added_records(session)
        asked = Rehearsal(
            catalogs=catalogs,
            date_from=date_from,
            date_to=date_to,
            assume=Assume(assume),
            dates=Dates(dates),
            contacts=contacts or None,
            added=added,
        )
        told = Told()
        with _progress(date_from, date_to) as progress:
            for letter in rehearse(asked, progress=progress):
                here.out.record(letter.as_json())
                told.add(letter)
        told.show(here.out)


def _contacts(session: Session) -> list[ContactInput]:
    """The contacts as they are now: a rehearsal says who would really get what."""
    from sqlalchemy import select

    from models.tables import Contact, ContactKind
    from operations.contacts import ContactInput

    rows = session.scalars(select(Contact).where(Contact.active).order_by(Contact.id))
    return [
        ContactInput(
            agency_key=row.agency_key,
            kind=ContactKind(row.kind),
            name=row.name,
            post=row.post,
            email=row.email,
            phone=row.phone,
        )
        for row in rows
    ]


@contextmanager
def _progress(first: date, last: date) -> Iterator[Callable[[date, int], None]]:
    """A bar on stderr; where nobody looks at a terminal, a line for each month."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        months: set[tuple[int, int]] = set()

        def line(at: date, letters: int) -> None:
            if (at.year, at.month) not in months:
                months.add((at.year, at.month))
                shown.print(f"{at:%m/%Y}: {letters} thư", soft_wrap=True)

        yield line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task("Diễn tập", total=max(1, (last - first).days + 1))

        def move(at: date, letters: int) -> None:
            done = max(0, (at - first).days + 1)
            bar.update(task, completed=done, description=f"{at:%d/%m/%Y}: {letters} thư")

        yield move


@dataclass(slots=True)
class Told:
    """What people are shown of a rehearsal: its numbers."""

    by_year: Counter[int] = field(default_factory=Counter)
    by_box: Counter[tuple[int, str]] = field(default_factory=Counter)
    lines: Counter[int] = field(default_factory=Counter)

    def add(self, letter: RehearsedLetter) -> None:
        """Count a letter."""
        year = letter.day.year
        self.by_year[year] += 1
        self.lines[year] += len(letter.lines)
        self.by_box[year, letter.to] += 1

    def show(self, out: Output) -> None:
        """Letters by year, and who gets most of them."""
        rows = []
        for year in sorted(self.by_year):
            boxes = Counter({box: n for (when, box), n in self.by_box.items() if when == year})
            busiest, most = boxes.most_common(1)[0]
            rows.append(
                (year, self.by_year[year], self.lines[year], len(boxes), f"{busiest} ({most})")
            )
        if rows:
            out.table(
                ("Năm", "Thư", "Dòng việc", "Hộp thư", "Nhận nhiều nhất"), rows, keep=(0, 1, 2, 3)
            )
        total = Counter[str]()
        for (_, box), count in self.by_box.items():
            total[box] += count
        if total:
            out.table(("Hộp thư", "Thư"), total.most_common(TOP), title="Nhận nhiều thư nhất")
        out.say(f"{sum(self.by_year.values())} thư; không thư nào được gửi.")
