"""``tiendo obstacles``: obstacles listed, answered, and brought to UBND tỉnh (rule 42)."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.act_commands import Account, Code
from cli.app import Command, app
from cli.errors import WrongUse
from cli.params import number

obstacles = typer.Typer(help="Vướng mắc: xem, trả lời, tổng hợp báo cáo UBND tỉnh.")
app.add_typer(obstacles, name="obstacles")

Number = Annotated[int, typer.Argument(parser=number, metavar="SỐ", help="Số của vướng mắc.")]
Said = Annotated[str, typer.Option("--text", metavar="VĂN BẢN", help="Nội dung trả lời.")]


@obstacles.command("list", cls=Command)
def list_(
    ctx: typer.Context,
    *,
    state: Annotated[
        str | None,
        typer.Option(
            "--state", metavar="TÌNH TRẠNG", help="raised, consolidated, answered hoặc closed."
        ),
    ] = None,
) -> None:
    """Các vướng mắc, mới nhất trước."""
    from cli.edge import ready
    from operations.obstacles import STATE_WORDS
    from operations.queries_detail import obstacles as found_of

    if state is not None and state not in STATE_WORDS:
        msg = f"Không có tình trạng “{state}”; chọn một trong: {', '.join(STATE_WORDS)}."
        raise WrongUse(msg, field="state")
    with ready(ctx) as here:
        with here.runtime.database.read() as session:
            found = found_of(session, states=None if state is None else (state,))
        for one in found:
            here.out.record(
                {
                    "id": one.id,
                    "agency": one.agency,
                    "assignment": one.assignment,
                    "state": one.state,
                    "text": one.text,
                    "document": one.document_code,
                    "answer": one.answer,
                }
            )
        here.out.table(
            ("Số", "Cơ quan", "Phân công", "Tình trạng", "Nội dung"),
            [
                (one.id, one.agency, one.assignment or "", STATE_WORDS[one.state], one.text)
                for one in found
            ],
            title=f"{len(found)} vướng mắc",
        )


@obstacles.command("answer", cls=Command)
def answer_(
    ctx: typer.Context, *, obstacle: Number, text: Said, account: Account, document: Code = None
) -> None:
    """Trả lời một vướng mắc; trả lời của UBND tỉnh cần số văn bản."""
    from cli.edge import ready
    from cli.lookups import account_actor
    from operations.obstacles import Answer, answer_obstacle

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            today = here.today(here.plans(None)[0])
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            answer_obstacle(session, stamp, obstacle, Answer(text=text, document=document))
        here.out.record({"id": obstacle, "state": "answered"})
        here.out.say(f"Đã trả lời vướng mắc số {obstacle}.")


@obstacles.command("answer-all", cls=Command)
def answer_all_(
    ctx: typer.Context,
    *,
    sent: Annotated[str, typer.Option("--sent", metavar="SỐ", help="Văn bản đã tổng hợp.")],
    text: Said,
    document: Annotated[str, typer.Option("--document", metavar="SỐ", help="Văn bản trả lời.")],
    account: Account,
) -> None:
    """Chuyển trả lời của UBND tỉnh đến mọi cơ quan có vướng mắc trong văn bản tổng hợp."""
    from cli.edge import ready
    from cli.lookups import account_actor
    from operations.obstacles import Answer, answer_consolidated

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            today = here.today(here.plans(None)[0])
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            answer = Answer(text=text, document=document)
            done = answer_consolidated(session, stamp, answer, sent=sent)
        here.out.record({"document": sent, "answered": done})
        here.out.say(f"Đã trả lời {done} vướng mắc của văn bản {sent}.")


@obstacles.command("consolidate", cls=Command)
def consolidate_(
    ctx: typer.Context,
    *,
    numbers: Annotated[
        list[int], typer.Argument(parser=number, metavar="SỐ...", help="Các vướng mắc.")
    ],
    document: Annotated[str, typer.Option("--document", metavar="SỐ", help="Văn bản tổng hợp.")],
    account: Account,
) -> None:
    """Tổng hợp các vướng mắc vào một văn bản báo cáo UBND tỉnh."""
    from cli.edge import ready
    from cli.lookups import account_actor
    from operations.obstacles import consolidate_obstacles

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            today = here.today(here.plans(None)[0])
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            done = consolidate_obstacles(session, stamp, numbers, document=document)
        here.out.record({"consolidated": done, "document": document})
        here.out.say(f"Đã tổng hợp {done} vướng mắc vào văn bản {document}.")
