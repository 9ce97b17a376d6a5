"""``tiendo tokens``: tokens for programs that use the API. The text is shown once."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, group
from cli.output import ABSENT, shown
from cli.params import Reason, day

if TYPE_CHECKING:
    from operations.api_tokens import TokenRow

tokens = group("tokens", "Mã API cho phần mềm của cơ quan, dịch vụ: cấp, liệt kê, thu hồi.")


@tokens.command("add", cls=Command)
def add(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", metavar="TÊN", help="Tên phần mềm dùng mã.")],
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="MỤC ĐÍCH", help="Mục đích và căn cứ cấp mã.")
    ],
    valid_to: Annotated[
        date,
        typer.Option("--valid-to", parser=day, metavar="NGÀY", help="Ngày cuối được dùng."),
    ],
    agency: Annotated[
        str | None,
        typer.Option("--agency", metavar="MÃ", help="Cơ quan dùng mã; bỏ trống là mã dịch vụ."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="TỪ",
            help="Phạm vi, ghi nhiều lần được: read, act (cơ quan), events (dịch vụ). "
            "Mặc định: read.",
        ),
    ] = None,
) -> None:
    """Cấp một mã API; mã chỉ hiện một lần này."""
    from cli.edge import ready
    from operations.api_tokens import NewToken, issue_token

    new = NewToken(
        name=name, purpose=purpose, scopes=scope or ["read"], valid_to=valid_to, agency=agency
    )
    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            issued = issue_token(session, here.stamp(), new)
        here.out.record({"id": issued.id, "token": issued.text})
        here.out.say(f"Đã cấp mã {issued.id}. Mã chỉ hiện một lần, đề nghị lưu ngay:")
        here.out.say(issued.text)


@tokens.command("list", cls=Command)
def list_(ctx: typer.Context) -> None:
    """Liệt kê mã API, cả những mã đã thu hồi hoặc hết hạn."""
    from cli.edge import reading
    from operations.api_tokens import list_tokens

    with reading(ctx) as (here, session):
        rows = list_tokens(session)
        for row in rows:
            here.out.record(_as_json(row))
        here.out.table(
            ("Mã", "Phần mềm", "Cơ quan", "Phạm vi", "Đến ngày", "Thu hồi", "Dùng gần nhất"),
            [
                (
                    row.id,
                    row.name,
                    row.agency or ABSENT,
                    " ".join(row.scopes),
                    shown(row.valid_to),
                    shown(row.revoked_at),
                    shown(row.last_used_at),
                )
                for row in rows
            ],
            keep=(0,),
        )
        here.out.say(f"{len(rows)} mã API.")


@tokens.command("revoke", cls=Command)
def revoke(
    ctx: typer.Context,
    token: Annotated[
        str, typer.Argument(metavar="TOKEN", help="Phần đầu của mã, dạng td_0123456789.")
    ],
    reason: Reason = None,
) -> None:
    """Thu hồi một mã API; mã hết hiệu lực ngay."""
    from cli.edge import ready
    from operations.api_tokens import revoke_token

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            revoke_token(session, here.stamp(), token, reason=reason or "")
        here.out.record({"id": token, "revoked": True})
        here.out.say(f"Đã thu hồi mã {token}.")


def _as_json(row: TokenRow) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "agency": row.agency,
        "scopes": list(row.scopes),
        "purpose": row.purpose,
        "valid_to": row.valid_to,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
    }
