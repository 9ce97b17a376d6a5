"""``tiendo work reschedule|add-agency|drop-agency|assign``: the coordinator's changes to work."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from cli.act_commands import Account, Code, DueOn, Version
from cli.app import Command
from cli.errors import WrongUse
from cli.output import shown
from cli.params import PlanKey, day, number, one_of, period
from cli.words import ROLES
from cli.work_commands import work

Assignment = Annotated[
    int, typer.Argument(parser=number, metavar="ASSIGNMENT", help="Số của phân công.")
]
Why = Annotated[str, typer.Option("--reason", metavar="VĂN BẢN", help="Lý do, ghi vào lịch sử.")]


@work.command("reschedule", cls=Command)
def reschedule_(
    ctx: typer.Context,
    *,
    assignment: Assignment,
    until: Annotated[date, typer.Option("--until", parser=day, metavar="NGÀY", help="Hạn mới.")],
    reason: Why,
    account: Account,
    document: Code = None,
    expected_version: Version = None,
) -> None:
    """Điều chỉnh hạn của một phân công; hạn ban đầu và số lần gia hạn giữ nguyên."""
    from cli.edge import ready
    from cli.lookups import account_actor, plan_of
    from operations.rescheduling import reschedule

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            today = here.today(plan_of(session, assignment))
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            due_on = reschedule(
                session,
                stamp,
                assignment,
                until=until,
                reason=reason,
                document=document,
                expected_version=expected_version,
            )
        here.out.record({"assignment": assignment, "due_on": due_on})
        here.out.say(f"Phân công số {assignment}: hạn nay là {shown(due_on)}.")


@work.command("add-agency", cls=Command)
def add_agency_(
    ctx: typer.Context,
    *,
    item: Annotated[str, typer.Argument(metavar="MÃ", help="Nhiệm vụ, ví dụ II.3.")],
    within: Annotated[
        str, typer.Argument(parser=period, metavar="KỲ", help="Kỳ 2027, 2027-Q4 hoặc 2027-03.")
    ],
    agency: Annotated[str, typer.Argument(metavar="CƠ QUAN", help="Ví dụ xa_van_ninh.")],
    role: Annotated[
        str,
        typer.Option(
            "--role", parser=one_of(ROLES, "vai trò"), metavar="TỪ", help="lead hoặc partner."
        ),
    ] = "lead",
    reason: Why,
    account: Account,
    due_on: DueOn = None,
    document: Code = None,
    plan: PlanKey = None,
) -> None:
    """Bổ sung một cơ quan vào một kỳ; cơ quan đã thôi theo dõi tham gia lại từ đầu."""
    from sqlalchemy import select

    from cli.edge import ready
    from cli.lookups import account_actor, known_agency, known_item
    from models.tables import Occurrence
    from operations.errors import NotFound
    from operations.parties import Addition, add_agency
    from rules.values import Role

    with ready(ctx) as here:
        keys = here.plans(plan)
        known_item(here, item, plan)
        with here.runtime.database.write() as session:
            known_agency(session, agency)
            found = session.scalars(
                select(Occurrence.id).where(
                    Occurrence.plan_key.in_(keys),
                    Occurrence.item_key == item,
                    Occurrence.period_key == within,
                )
            ).first()
            if found is None:
                raise NotFound(f"Nhiệm vụ {item} chưa mở kỳ {within}.", field="period")
            stamp = here.stamp(account_actor(session, account, here.today(plan)))
            addition = Addition(
                agency=agency, role=Role(role), reason=reason, document=document, due_on=due_on
            )
            done = add_agency(session, stamp, found, addition)
        here.out.record({"assignment": done, "item": item, "period": within, "agency": agency})
        here.out.say(f"Đã bổ sung {agency} vào {item} kỳ {within}: phân công số {done}.")


@work.command("drop-agency", cls=Command)
def drop_agency_(
    ctx: typer.Context,
    *,
    assignment: Assignment,
    reason: Why,
    account: Account,
    document: Code = None,
    expected_version: Version = None,
) -> None:
    """Thôi theo dõi một cơ quan trong một kỳ; nơi quy định hai bước thì thành đề xuất."""
    from cli.edge import ready
    from cli.lookups import account_actor, plan_of
    from operations.parties import drop_agency

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            today = here.today(plan_of(session, assignment))
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            done = drop_agency(
                session,
                stamp,
                assignment,
                reason=reason,
                document=document,
                expected_version=expected_version,
            )
        here.out.record(
            {"assignment": assignment, "status": done.status, "proposal": done.proposal}
        )
        here.out.say(
            f"Phân công số {assignment}: "
            + ("đã thôi theo dõi." if done.proposal is None else f"đề xuất số {done.proposal}.")
        )


@work.command("assign", cls=Command)
def assign(
    ctx: typer.Context,
    *,
    basis: Annotated[
        str, typer.Option("--basis", metavar="SỐ, KÝ HIỆU", help="Văn bản làm căn cứ.")
    ],
    basis_on: Annotated[
        date, typer.Option("--basis-on", parser=day, metavar="NGÀY", help="Ngày của văn bản đó.")
    ],
    task: Annotated[str, typer.Option("--task", metavar="VĂN BẢN", help="Nội dung công việc.")],
    product: Annotated[str, typer.Option("--product", metavar="VĂN BẢN", help="Sản phẩm cần có.")],
    due_on: Annotated[
        date, typer.Option("--due-on", parser=day, metavar="NGÀY", help="Hạn hoàn thành.")
    ],
    lead: Annotated[
        list[str],
        typer.Option("--lead", metavar="CƠ QUAN", help="Chủ trì: mã cơ quan hoặc @nhóm; lặp lại."),
    ],
    account: Account,
    partner: Annotated[
        list[str] | None,
        typer.Option("--partner", metavar="CƠ QUAN", help="Phối hợp: như --lead; lặp lại."),
    ] = None,
    plan: PlanKey = None,
) -> None:
    """Giao bổ sung việc ngoài Phụ lục; mở ngay, mã BS-<năm>/<số>."""
    from cli.edge import ready
    from cli.lookups import account_actor
    from operations.added import AddedInput, add_work
    from rules.values import LeadMode

    with ready(ctx) as here:
        keys = here.plans(plan)
        if len(keys) != 1:
            msg = f"Có {len(keys)} đề án; chọn một bằng --plan: {', '.join(keys)}."
            raise WrongUse(msg, field="plan")
        asked = AddedInput(
            basis_code=basis,
            basis_on=basis_on,
            task=task,
            product=product,
            due_on=due_on,
            leads=tuple(lead),
            partners=tuple(partner or ()),
            lead_mode=LeadMode.EACH,
        )
        with here.runtime.database.write() as session:
            today = here.today(keys[0])
            stamp = here.stamp(account_actor(session, account, today), as_of=today)
            done = add_work(session, stamp, keys[0], asked)
        here.out.record({"item": done.code, "due_on": done.due_on, "assignments": done.assignments})
        here.out.say(
            f"Đã giao {done.code}: {done.assignments} phân công, hạn {shown(done.due_on)}."
        )
