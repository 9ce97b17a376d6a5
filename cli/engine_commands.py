"""The clock's work by hand: ``open``, ``remind``, ``deliver``, ``release``."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.app import Command, app
from cli.errors import Failed, WrongUse
from cli.params import AsOf, ItemKey, PlanKey, number


@app.command("open", cls=Command)
def open_(
    ctx: typer.Context, as_of: AsOf = None, plan: PlanKey = None, item: ItemKey = None
) -> None:
    """Mở các kỳ thực hiện đã đến ngày, giao cho các cơ quan. Chạy lại bao nhiêu lần cũng được."""
    from cli.edge import ready
    from cli.lookups import known_item
    from operations.opening import open_due

    with ready(ctx) as here:
        known_item(here, item, plan)
        for key in here.plans(plan):
            day = here.business_date(as_of, plan=key)
            with here.runtime.database.write() as session:
                done = open_due(session, here.stamp(as_of=day.as_of), key, only_item=item)
            here.out.record(
                {
                    "plan": key,
                    "as_of": day.as_of,
                    "opened": [{"item": one, "period": period} for one, period in done.occurrences],
                    "assignments": done.assignments,
                    "lapsed": done.lapsed,
                }
            )
            here.out.say(
                f"{key}, ngày {day.as_of:%d/%m/%Y}: mở {len(done.occurrences)} kỳ thực hiện, "
                f"{done.assignments} phân công; {done.lapsed} kỳ cập nhật cũ kết thúc."
            )
            here.out.table(
                ("Nhiệm vụ", "Kỳ"), done.occurrences, keep=(0, 1)
            ) if done.occurrences else None


@app.command("remind", cls=Command)
def remind_(
    ctx: typer.Context, as_of: AsOf = None, plan: PlanKey = None, item: ItemKey = None
) -> None:
    """Lập các thư nhắc đến ngày vào hàng chờ gửi. Ngày nghỉ không lập thư; ngày đã qua không gửi."""
    from cli.edge import ready
    from cli.lookups import known_item
    from operations.reminding import remind

    with ready(ctx) as here:
        known_item(here, item, plan)
        here.plans(plan)
        day = here.business_date(as_of, plan=plan)
        with here.runtime.database.write() as session:
            stamp = here.stamp(as_of=day.as_of)
            done = remind(session, stamp, plan=plan, item=item, sending_allowed=day.sends)
        figures = done.figures
        here.out.record({"as_of": day.as_of, "sends": day.sends, **figures})
        when = f"Ngày {day.as_of:%d/%m/%Y}"
        if not day.sends:
            here.out.say(f"{when} đã qua: không lập thư nào.")
        elif done.day_off:
            here.out.say(f"{when} là ngày nghỉ: thư nhắc để đến ngày làm việc tới.")
        else:
            here.out.say(
                f"{when}: {done.letters} thư nhắc mới, {done.rungs} bậc nhắc, "
                f"{done.at_once} thư gửi ngay; tạm giữ {done.held}, thay thế {done.superseded}."
            )
        if done.unreachable:
            here.out.note(
                f"{done.unreachable} nội dung chưa có địa chỉ nào để gửi; "
                "“tiendo doctor” chỉ ra cơ quan thiếu hộp thư."
            )


@app.command("deliver", cls=Command)
def deliver_(ctx: typer.Context, as_of: AsOf = None) -> None:
    """Gửi các thư đang chờ qua máy chủ thư (hoặc vào hộp thư thử)."""
    from cli.edge import ready
    from runtime.delivery import deliver

    with ready(ctx) as here:
        local = here.runtime.settings.uses_local_mailbox
        day = here.business_date(as_of)
        if not day.sends:
            here.out.record({"as_of": day.as_of, "sends": False})
            here.out.say(f"Ngày {day.as_of:%d/%m/%Y} đã qua: không gửi thư nào.")
            return
        done = deliver(here.runtime.post_office(), as_of=day.as_of)
        here.out.record(
            {"as_of": day.as_of, "sends": True, **done.figures, "trouble": done.trouble}
        )
        here.out.say(
            f"Đã gửi {done.sent} thư; gửi lại sau {done.retrying}, không gửi được "
            f"{done.undeliverable}, không rõ {done.unknown}, không còn cần gửi {done.dropped}."
        )
        if done.trouble is not None:
            where = "hộp thư thử (chạy “tiendo up”)" if local else "máy chủ thư"
            raise Failed(f"Ngừng giữa chừng vì {where}: {done.trouble}. Thư còn lại vẫn chờ gửi.")


@app.command("release", cls=Command)
def release(
    ctx: typer.Context,
    letters: Annotated[
        list[int] | None,
        typer.Argument(
            parser=number, metavar="[THƯ]...", help="Số của thư; mặc định mọi thư vượt ngưỡng."
        ),
    ] = None,
    restored: Annotated[
        bool,
        typer.Option(
            "--restored",
            help="Mọi thư tạm giữ sau khi khôi phục từ bản sao lưu, thay vì thư vượt ngưỡng.",
        ),
    ] = False,
    close: Annotated[
        bool,
        typer.Option(
            "--close",
            help="Đóng, không gửi: thư đã gửi trước khi khôi phục. Cần --restored hoặc số của thư.",
        ),
    ] = False,
) -> None:
    """Cho gửi (hoặc đóng) các thư đang tạm giữ: vượt ngưỡng trong ngày, hay sau khi khôi phục."""
    from cli.edge import ready
    from notifications.formats import vn_number
    from operations.outbox import HeldReason, release_held
    from operations.restored import close_held

    if close and not (restored or letters):
        raise WrongUse("--close: cần --restored hoặc số của từng thư.", field="close")
    if restored and letters:
        raise WrongUse("--restored: chỉ dùng khi không nêu số của thư.", field="restored")
    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            if close:
                count = close_held(session, here.stamp(), letter_ids=letters or None)
            else:
                reason = HeldReason.RESTORED if restored else HeldReason.BLAST
                count = release_held(
                    session, here.stamp(), letter_ids=letters or None, reason=reason
                )
        here.out.record({"closed" if close else "released": count})
        done = f"Đã {'đóng' if close else 'cho gửi'} {vn_number(count)} thư."
        here.out.say(done if count else "Không có thư nào đang tạm giữ.")
