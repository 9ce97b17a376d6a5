"""What a change of agencies would do, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import ABSENT, Output, shown

if TYPE_CHECKING:
    from operations.reorganising_look import Look

FATES = {
    "created": "tiếp nhận",
    "linked": "gộp vào phân công đã có",
    "review": "cần xem xét mở lại",
    "ended": "thôi theo dõi",
    "dropped": "thôi phối hợp, vì chủ trì",
}
"""What operators read for each fate of a row."""


def show_look(out: Output, look: Look) -> None:
    """Print a preview: one JSON object a row that moves, or tables."""
    for one in look.moves:
        out.record(
            {
                "plan": one.plan,
                "item": one.item,
                "period": one.period,
                "role": one.role.value,
                "agency_name": one.agency,
                "to": one.to,
                "fate": one.fate.value,
                "due_on": one.due_on,
            }
        )
    out.table(
        ("Mã", "Kỳ", "Từ", "Sang", "Hạn giữ nguyên", "Kết quả"),
        [
            (
                *(one.item, one.period, one.agency, one.to or ABSENT),
                *(shown(one.due_on), FATES[one.fate.value]),
            )
            for one in look.moves
        ],
        keep=(0,),
    )
    for party in look.parties:
        out.say(
            f"{party.item}, kỳ mở từ {shown(look.until)}: chủ trì {_few(party.leads)} "
            f"(trước: {_few(party.leads_before)}); phối hợp thêm {_few(party.come)}, "
            f"thôi {_few(party.gone)}."
        )
    for name, to in look.accounts:
        out.say(f"Tài khoản {name}: {f'chuyển sang {to}' if to else 'đóng'}.")
    out.say(f"{look.links} liên kết trong thư của cơ quan cũ hết hiệu lực.")
    if look.silent:
        out.say(f"Chưa có hộp thư: {'; '.join(look.silent)}.")


def _few(names: tuple[str, ...]) -> str:
    rest = f" và {len(names) - 3} cơ quan khác" if len(names) > 3 else ""
    return (", ".join(names[:3]) + rest) or "không"
