"""``tiendo days`` and ``tiendo year-dates``: days off, and the dates that documents fix."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app, group
from cli.errors import Failed, WrongUse
from cli.output import ABSENT, Output, agreed, shown
from cli.params import PlanKey, Yes, day, one_of, year
from cli.words import AUTHORITIES

if TYPE_CHECKING:
    from operations.dates import DateMove

days = group("days", "Ngày nghỉ, ngày làm bù.")


@days.command("set", cls=Command)
def set_(
    ctx: typer.Context,
    *,
    when: Annotated[date, typer.Argument(parser=day, metavar="DATE", help="Ngày cần điều chỉnh.")],
    working: Annotated[
        bool | None,
        typer.Option("--working/--off", help="Ngày làm việc, hay ngày nghỉ (bắt buộc chọn một)."),
    ] = None,
    document: Annotated[
        str, typer.Option("--document", metavar="SỐ, KÝ HIỆU", help="Văn bản quy định ngày này.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="TÊN", help="Tên ngày nghỉ, ngày làm bù.")
    ] = None,
) -> None:
    """Điều chỉnh một ngày theo văn bản; hạn rơi vào ngày nghỉ lùi đến ngày làm việc kế tiếp."""
    from cli.edge import ready
    from operations.days import change_day

    if working is None:
        raise WrongUse("Chọn --working (ngày làm việc) hoặc --off (ngày nghỉ).", field="working")
    called = name or ("Ngày làm việc bù" if working else "Ngày nghỉ theo quy định")
    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            done = change_day(
                session, here.stamp(), when, working=working, name=called, document=document
            )
        here.out.record(
            {
                "day": done.day,
                "working": working,
                "rolled_to": done.rolled_to,
                "rolled": list(done.rolled),
                "reminders": done.reminders,
            }
        )
        word = "ngày làm việc" if working else "ngày nghỉ"
        here.out.say(
            f"{shown(done.day)} là {word}. {len(done.rolled)} hạn chuyển"
            f"{f' đến {shown(done.rolled_to)}' if done.rolled_to else ''}; "
            f"{done.reminders} lịch nhắc tính lại."
        )


def _date(text: str) -> tuple[tuple[str, str], date]:
    """``II.3=2027-03-31`` (the year's own period) or ``III.1@2027-Q4=2027-12-31``."""
    from cli.params import period

    name, equals, value = text.partition("=")
    item, _, within = name.partition("@")
    if not equals or not item.strip():
        msg = f"“{text}”: viết MÃ=NGÀY, ví dụ II.3=2027-03-31, hoặc III.1@2027-Q4=2027-12-31."
        raise typer.BadParameter(msg)
    return (item.strip(), period(within) if within else ""), day(value)


@app.command("year-dates", cls=Command)
def year_dates(
    ctx: typer.Context,
    *,
    which: Annotated[int, typer.Argument(parser=year, metavar="YEAR", help="Năm, ví dụ 2027.")],
    dates: Annotated[
        list[str],
        typer.Option(
            "--date",
            parser=_date,
            metavar="MÃ=NGÀY",
            help="Hạn của một nhiệm vụ, lặp lại được: II.3=2027-03-31, III.1@2027-Q4=2027-12-31.",
        ),
    ],
    document: Annotated[
        str, typer.Option("--document", metavar="SỐ, KÝ HIỆU", help="Văn bản ấn định lịch năm.")
    ],
    issued_on: Annotated[
        date | None,
        typer.Option("--issued-on", parser=day, metavar="NGÀY", help="Ngày ban hành văn bản."),
    ] = None,
    authority: Annotated[
        str,
        typer.Option(
            "--authority",
            parser=one_of(AUTHORITIES, "cấp ấn định"),
            metavar="TỪ",
            help=f"Cấp ấn định: {', '.join(AUTHORITIES)}.",
        ),
    ] = "coordinator",
    plan: PlanKey = None,
    yes: Yes = False,
) -> None:
    """Ấn định lịch năm: cho xem hạn nào đổi, hỏi lại, rồi ấn định bằng một văn bản."""
    from cli.edge import ready
    from operations.dates import fix_year_dates, preview_year_dates
    from rules.values import DateAuthority, Document

    asked = {(item, within or str(which)): due for (item, within), due in _pairs(dates)}
    by = DateAuthority(authority)
    with ready(ctx) as here:
        keys = here.plans(plan)
        if len(keys) != 1:
            msg = f"Có {len(keys)} đề án; chọn một bằng --plan: {', '.join(keys)}."
            raise WrongUse(msg, field="plan")
        with here.runtime.database.read() as session:
            _show_moves(here.out, preview_year_dates(session, keys[0], which, asked, by))
        if not agreed(f"Ấn định theo {document}?", already=yes):
            raise Failed("Chưa ấn định gì. Thêm --yes nếu muốn ấn định mà không hỏi.")
        with here.runtime.database.write() as session:
            moves = fix_year_dates(
                session,
                here.stamp(as_of=here.today(keys[0])),
                keys[0],
                which,
                asked,
                document=Document(code=document, issued_on=issued_on),
                authority=by,
            )
        for one in moves:
            here.out.record(_as_json(keys[0], one))
        here.out.say(f"Đã ấn định {len(moves)} hạn theo {document}.")


def _pairs(dates: object) -> list[tuple[tuple[str, str], date]]:
    return list(dates)  # type: ignore[call-overload, no-any-return]  # the parser made pairs


def _show_moves(out: Output, moves: tuple[DateMove, ...]) -> None:
    out.table(
        ("Nhiệm vụ", "Kỳ", "Hạn đang có", "Hạn mới", "Đổi", "Giữ hạn riêng"),
        [
            (
                one.item,
                one.period,
                shown(one.previous),
                shown(one.due_on),
                len(one.moves),
                "; ".join(f"{kept.agency_name}: {kept.why}" for kept in one.keeps) or ABSENT,
            )
            for one in moves
        ],
    )


def _as_json(plan: str, one: DateMove) -> dict[str, object]:
    return {
        "plan": plan,
        "item": one.item,
        "period": one.period,
        "asked": one.asked,
        "due_on": one.due_on,
        "previous": one.previous,
        "moved": list(one.moves),
        "confirmed": list(one.confirms),
        "kept": [kept.assignment for kept in one.keeps],
    }
