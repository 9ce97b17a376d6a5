"""``tiendo act``: one act on one assignment, as an account, entered at the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app
from cli.params import Reason, day, existing_file, number
from cli.words import ACTS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cli.evidence import Filed
    from operations.results import OutcomeFiled
    from operations.stamp import Stamp


def _figure(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        msg = f"“{text}”: viết dạng ten_so_lieu=gia_tri, ví dụ so_ho_so=120."
        raise typer.BadParameter(msg)
    return name.strip(), value.strip()


def _outcome(text: str) -> tuple[str, OutcomeFiled]:
    from operations.results import OutcomeFiled

    key, value = _figure(text)
    code, at, day_text = value.rpartition("@")
    if not at or not code.strip():
        msg = f"“{text}”: viết dạng khóa=số văn bản@ngày, ví dụ bieu_duong=12/QĐ-UBND@2027-10-20."
        raise typer.BadParameter(msg)
    return key, OutcomeFiled(code=code.strip(), issued_on=day(day_text))


def _no_outcome(text: str) -> tuple[str, OutcomeFiled]:
    from operations.results import OutcomeFiled

    key, reason = _figure(text)
    return key, OutcomeFiled(none_because=reason)


Account = Annotated[
    str,
    typer.Option("--as", metavar="TÀI KHOẢN", help="Tài khoản của người thực hiện (bắt buộc)."),
]
Text = Annotated[
    str | None, typer.Option("--text", metavar="VĂN BẢN", help="Tóm tắt kết quả, nội dung.")
]
Code = Annotated[
    str | None,
    typer.Option("--document", metavar="SỐ, KÝ HIỆU", help="Văn bản, ví dụ 15/KH-UBND."),
]
IssuedOn = Annotated[
    date | None,
    typer.Option("--issued-on", parser=day, metavar="NGÀY", help="Ngày ban hành văn bản."),
]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        parser=existing_file,
        metavar="TỆP",
        help="Tài liệu kiểm chứng, lặp lại được. Không tải tài liệu thuộc bí mật nhà nước.",
    ),
]
Figures = Annotated[
    list[str] | None,
    typer.Option("--figure", parser=_figure, metavar="TÊN=SỐ", help="Số liệu, lặp lại được."),
]
Outcomes = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        parser=_outcome,
        metavar="KHÓA=SỐ@NGÀY",
        help="Văn bản của một kết quả bắt buộc, lặp lại được.",
    ),
]
NoOutcomes = Annotated[
    list[str] | None,
    typer.Option(
        "--no-outcome",
        parser=_no_outcome,
        metavar="KHÓA=LÝ DO",
        help="Kết quả bắt buộc không phát sinh, kèm lý do; lặp lại được.",
    ),
]
DueOn = Annotated[
    date | None,
    typer.Option("--due-on", parser=day, metavar="NGÀY", help="Hạn mới (mở lại, gia hạn)."),
]
RespondBy = Annotated[
    date | None,
    typer.Option(
        "--respond-by", parser=day, metavar="NGÀY", help="Ngày cần trả lời (trả lại, phối hợp)."
    ),
]
CoveredBy = Annotated[
    int | None,
    typer.Option(
        "--covered-by", parser=number, metavar="SỐ", help="Phân công của cơ quan thực hiện chung."
    ),
]
Lead = Annotated[
    int | None,
    typer.Option("--lead", parser=number, metavar="SỐ", help="Phân công chủ trì đề nghị phối hợp."),
]
Channel = Annotated[
    str | None,
    typer.Option("--channel", metavar="HÌNH THỨC", help="Nhập thay: nhận qua giấy, Zalo …"),
]
Number = Annotated[
    str | None, typer.Option("--number", metavar="SỐ ĐẾN", help="Nhập thay: số đến của văn bản.")
]
Unchanged = Annotated[
    bool, typer.Option("--unchanged", help="Không thay đổi so với năm trước; kèm --document.")
]
Form = Annotated[
    str | None, typer.Option("--form", metavar="HÌNH THỨC", help="Hình thức phối hợp đề nghị.")
]
Explanation = Annotated[
    str | None,
    typer.Option(
        "--explanation", metavar="VĂN BẢN", help="Giải trình khi xin gia hạn việc quá hạn."
    ),
]
CapReason = Annotated[
    str | None,
    typer.Option("--cap-reason", metavar="VĂN BẢN", help="Lý do vượt số lần gia hạn tối đa."),
]
Version = Annotated[
    int | None,
    typer.Option(
        "--expected-version",
        parser=number,
        metavar="SỐ",
        help="Chỉ thực hiện nếu dòng còn ở phiên bản này.",
    ),
]


@app.command("act", cls=Command)
def act_(
    ctx: typer.Context,
    *,
    assignment: Annotated[
        int, typer.Argument(parser=number, metavar="ASSIGNMENT", help="Số của phân công.")
    ],
    action: Annotated[str, typer.Argument(metavar="ACTION", help=f"Việc làm: {', '.join(ACTS)}.")],
    account: Account,
    text: Text = None,
    document: Code = None,
    issued_on: IssuedOn = None,
    file: Files = None,
    figure: Figures = None,
    outcome: Outcomes = None,
    no_outcome: NoOutcomes = None,
    reason: Reason = None,
    due_on: DueOn = None,
    respond_by: RespondBy = None,
    covered_by: CoveredBy = None,
    lead: Lead = None,
    channel: Channel = None,
    incoming: Number = None,
    unchanged: Unchanged = False,
    form: Form = None,
    explanation: Explanation = None,
    cap_reason: CapReason = None,
    expected_version: Version = None,
) -> None:
    """Thực hiện một việc trên một phân công, với tư cách một tài khoản."""
    from cli.acts import Asked, known_action, perform
    from cli.edge import ready
    from cli.lookups import account_actor, plan_of

    asked = Asked(
        text=text,
        document=document,
        issued_on=issued_on,
        figures=dict(figure or ()),  # type: ignore[arg-type]  # the parser made pairs
        outcomes=dict((*(outcome or ()), *(no_outcome or ()))),
        reason=reason,
        due_on=due_on,
        respond_by=respond_by,
        covered_by=covered_by,
        lead=lead,
        channel=channel,
        number=incoming,
        unchanged=unchanged,
        form=form,
        explanation=explanation,
        cap_reason=cap_reason,
        expected_version=expected_version,
    )
    with ready(ctx) as here:
        with here.runtime.database.read() as session:
            today = here.today(plan_of(session, assignment))
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            word = known_action(session, stamp, assignment, action)
        with here.runtime.database.write() as session:
            files = _stored(session, stamp, file or (), here.runtime.uploads)
            done = perform(session, stamp, assignment, asked, word=word, files=files)
        here.out.record(done.as_json(assignment, word))
        here.out.say(done.sentence(assignment, word))


def _stored(
    session: Session, stamp: Stamp, files: Sequence[Path], uploads: Path
) -> tuple[Filed, ...]:
    if not files:
        return ()
    from cli.evidence import store_files

    return store_files(session, stamp, files, uploads)
