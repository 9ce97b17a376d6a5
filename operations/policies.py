"""The policies of a plan: what is in force, since when, by whom; and changing one (rules 8, 20).

A change holds from the moment it is made and for what is done from then on: decisions, results
and letters of before stay what they were, and an occurrence keeps how it is confirmed (rule 8).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import PolicySetting
from operations.errors import Checks, Conflict, NotFound, NotPermitted, Refused
from operations.guards import need_text
from operations.history import Change, record, snapshot_of
from operations.opening import lock_plan
from operations.policy_values import CONFIRMATION, TWO_STEP, TWO_STEPS, policies_set, with_policies
from operations.stamp import Stamp
from operations.state import load_applied
from rules.actors import AccountRole, ActorKind
from rules.values import Confirmation, Plan

_MAY = frozenset({AccountRole.LEADERSHIP, AccountRole.ADMIN})
Value = bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How the value of a policy is typed: a whole number, a number, or one of some words."""

    least: float = 0
    most: float = 0
    fraction: bool = False
    words: Mapping[str, str] | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """A policy in force. ``since`` None means: as the catalog has it, whose basis is told."""

    name: str
    title: str
    kind: Kind
    value: Value
    default: Value
    basis: str
    reason: str | None
    since: date | None
    by: str | None
    number: int
    """The setting's number, 0 where there is none: what a form was prepared on (rule 26)."""


YES_NO: Final = {"true": "Hai bước: chuyên viên đề xuất, lãnh đạo duyệt", "false": "Một bước"}
CONFIRMATIONS: Final = {
    Confirmation.REQUIRED.value: "Cơ quan điều phối xác nhận từng kết quả",
    Confirmation.ACCEPT.value: "Ghi nhận ngay, kiểm tra mẫu sau",
}
_DAYS = "ngày làm việc"
_NUMBERS: Final[Mapping[str, tuple[str, Kind]]] = {
    "extension_cap": ("Số lần gia hạn tối đa của một nhiệm vụ", Kind(most=10, unit="lần")),
    "respond_workdays": ("Thời gian bổ sung sau khi trả lại", Kind(least=1, most=60, unit=_DAYS)),
    "confirm_workdays": ("Thời gian xác nhận kết quả", Kind(least=1, most=60, unit=_DAYS)),
    "late_entry_workdays": (
        "Nhập văn bản trong số ngày này thì tính theo ngày văn bản",
        Kind(most=60, unit=_DAYS),
    ),
    "sample_percent": ("Tỷ lệ kiểm tra mẫu kết quả ghi nhận ngay", Kind(most=100, unit="%")),
    "blast_factor": (
        "Trần thư một ngày, so với số hộp thư đang dùng",
        Kind(least=0.1, most=20, fraction=True, unit="lần"),
    ),
    "link_days": ("Thời hạn của liên kết trong thư", Kind(least=1, most=365, unit="ngày")),
}
_TWO_STEP_WORDS: Final = {
    "extend": "Quyết định gia hạn",
    "waive": "Không phát sinh nhiệm vụ",
    "reopen": "Mở lại nhiệm vụ",
    "cancel": "Thôi theo dõi",
}


def policies(session: Session, plan_key: str) -> list[PolicyView]:
    """Every policy of a plan that is kept in the system, as it is in force.

    Raises:
        NotFound: there is no such plan.
    """
    applied = load_applied(session, plan_key)
    settings = policies_set(session, plan_key)
    now = with_policies(applied, settings)
    found = []
    for name, (title, kind, read) in _known(applied).items():
        row = settings.get(name)
        found.append(
            PolicyView(
                name=name,
                title=title,
                kind=kind,
                value=read(now),
                default=read(applied),
                basis=applied_basis(applied, name) if row is None else row.basis,
                reason=None if row is None else row.reason,
                since=None if row is None else row.set_on,
                by=None if row is None else row.set_by,
                number=0 if row is None else row.id,
            )
        )
    return found


def applied_basis(plan: Plan, name: str) -> str:
    """What the catalog cites for a policy."""
    if name.startswith(CONFIRMATION):
        return plan.item(name.removeprefix(CONFIRMATION)).calendar.basis
    return plan.policies.basis


def _known(plan: Plan) -> dict[str, tuple[str, Kind, Callable[[Plan], Value]]]:
    def two_step(word: str) -> Callable[[Plan], Value]:
        return lambda plan: word in plan.policies.two_step

    def number(name: str) -> Callable[[Plan], Value]:
        def read(plan: Plan) -> Value:
            value: Value = getattr(plan.policies, name)
            return value

        return read

    def confirmation(key: str) -> Callable[[Plan], Value]:
        return lambda plan: plan.item(key).calendar.confirmation.value

    found: dict[str, tuple[str, Kind, Callable[[Plan], Value]]] = {
        TWO_STEP + word: (_TWO_STEP_WORDS[word], Kind(words=YES_NO), two_step(word))
        for word in TWO_STEPS
    }
    found |= {name: (title, kind, number(name)) for name, (title, kind) in _NUMBERS.items()}
    found |= {
        CONFIRMATION + item.key: (
            f"Xác nhận kết quả {item.key}",
            Kind(words=CONFIRMATIONS),
            confirmation(item.key),
        )
        for item in plan.decided
        if item.calendar.kind == "task"
    }
    return found


def set_policy(
    session: Session,
    stamp: Stamp,
    plan_key: str,
    name: str,
    *,
    value: str | None,
    basis: str,
    reason: str,
    expected: int | None = None,
) -> PolicyView:
    """Set a policy from now on; ``value`` None gives it back to the catalog.

    ``expected`` is the number of the setting that was shown.

    Raises:
        NotFound: there is no such plan or policy.
        NotPermitted: neither the coordinator's leadership nor an administrator.
        Refused: the value is wrong or in force already; a basis or a reason is missing.
        Conflict: somebody else was first (rule 26).
    """
    if stamp.actor.role not in _MAY and stamp.actor.kind is not ActorKind.OPERATOR:
        msg = "Chính sách do lãnh đạo cơ quan điều phối hoặc quản trị thay đổi."
        raise NotPermitted(msg)
    lock_plan(session, plan_key)
    before = _one(session, plan_key, name)
    if expected is not None and expected != before.number:
        msg = (
            f"“{before.title}” vừa được {before.by or 'người khác'} thay đổi; nội dung vừa nhập "
            "chưa được ghi. Đề nghị xem lại."
        )
        raise Conflict(msg)
    checks, wanted = Checks(), "Đề nghị ghi căn cứ: số, ký hiệu văn bản."
    read = None if value is None else checks.run(lambda: _value(before.kind, value), before.value)
    cited = checks.run(lambda: need_text(basis, wanted, field="basis"), "")
    why = checks.run(lambda: need_text(reason, "Đề nghị nêu lý do thay đổi.", field="reason"), "")
    checks.done()
    if read == before.value if value is not None else before.since is None:
        raise Refused("Giá trị này đang được áp dụng; không có gì thay đổi.", field="value")
    row = PolicySetting(
        id=allocate_ids(session, "policy_setting", 1)[0],
        plan_key=plan_key,
        name=name,
        value=None if read is None else json.dumps(read),
        basis=cited,
        reason=why,
        set_on=stamp.as_of,
        set_at=stamp.at,
        set_by=stamp.actor.name,
    )
    session.add(row)
    session.flush()
    change = Change(
        entity="policy",
        entity_id=f"{plan_key}/{name}",
        action="give_back" if value is None else "set",
        snapshot=snapshot_of(row),
        plan=plan_key,
        reason=why,
        document=cited[:400],
    )
    record(session, stamp, [change])
    return _one(session, plan_key, name)


def _one(session: Session, plan_key: str, name: str) -> PolicyView:
    found = next((one for one in policies(session, plan_key) if one.name == name), None)
    if found is None:
        raise NotFound(f"Không có chính sách “{name}”.", field="name")
    return found


def _value(kind: Kind, text: str) -> Value:
    if kind.words is not None:
        if text not in kind.words:
            raise Refused("Đề nghị chọn một giá trị trong danh sách.", field="value")
        return text == "true" if kind.words is YES_NO else text
    typed = text.strip().replace(",", ".")
    try:
        value: float = float(typed) if kind.fraction else int(typed)
    except ValueError:
        value = kind.least - 1
    if not kind.least <= value <= kind.most:
        what = "số" if kind.fraction else "số nguyên"
        least, most = (f"{one:g}".replace(".", ",") for one in (kind.least, kind.most))
        raise Refused(f"Đề nghị ghi {what} từ {least} đến {most}.", field="value")
    return value
