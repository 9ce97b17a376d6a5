"""What the forms of those who decide do: confirm, return, extend, answer, end, reopen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from operations.errors import Refused
from operations.extension_decisions import Decision, approve_extension, decide_extension
from operations.obstacles import Answer, answer_obstacle
from portal.deeds import AGENCY_DEEDS, Deed, Job, plain
from rules.lifecycle import ACTION_WORDS, Action


def _request_id(job: Job, states: tuple[str, ...]) -> int:
    found = next((one for one in job.detail.extensions if one.state in states), None)
    if found is None:
        raise Refused("Không còn đề nghị gia hạn nào đang chờ; đề nghị tải lại trang.")
    return found.id


def _decide(*, grant: bool) -> Callable[[Job], None]:
    def take(job: Job) -> None:
        decision = Decision(
            grant=grant,
            reason=job.reading.text("reason"),
            until=job.reading.day("until") if grant else None,
            document=(job.reading.line("document") or None) if grant else None,
            cap_reason=(job.reading.text("cap_reason") or None) if grant else None,
        )
        job.reading.done()
        decide_extension(job.session, job.stamp, _request_id(job, ("asked",)), decision)

    return take


def _approve(*, approve: bool) -> Callable[[Job], None]:
    def take(job: Job) -> None:
        reason = job.reading.text("reason") or None
        job.reading.done()
        number = _request_id(job, ("proposed",))
        approve_extension(job.session, job.stamp, number, approve=approve, reason=reason)

    return take


def _answer(job: Job) -> None:
    number, text = job.reading.posted.number("obstacle"), job.reading.text("text")
    document = job.reading.line("document") or None
    job.reading.done()
    open_ones = {one.id for one in job.detail.obstacles if one.state in {"raised", "consolidated"}}
    if number is None or number not in open_ones:
        raise Refused("Vướng mắc này đã được trả lời; đề nghị tải lại trang.")
    answer_obstacle(job.session, job.stamp, number, Answer(text=text, document=document))


def _action(action: Action, key: str, recorded: str, then: str = "") -> Deed:
    return Deed(key=key, recorded=recorded, then=then, take=plain(action))


_TOLD: Final = "Cơ quan được báo qua thư."
_DECIDER: Final = (
    _action(Action.CONFIRM, "xac-nhan", "Đã xác nhận hoàn thành", _TOLD),
    _action(Action.RETURN, "tra-lai", "Đã đề nghị bổ sung, hoàn thiện", _TOLD),
    Deed(key="dong-y-gia-han", recorded="Đã ghi quyết định gia hạn", take=_decide(grant=True)),
    Deed(
        key="khong-gia-han",
        recorded="Đã ghi quyết định không gia hạn",
        then=_TOLD,
        take=_decide(grant=False),
    ),
    Deed(key="duyet-gia-han", recorded="Đã duyệt gia hạn", then=_TOLD, take=_approve(approve=True)),
    Deed(
        key="khong-duyet-gia-han",
        recorded="Đã ghi: không duyệt gia hạn",
        then=_TOLD,
        take=_approve(approve=False),
    ),
    Deed(key="tra-loi", recorded="Đã trả lời vướng mắc", take=_answer),
    Deed(
        key="nhap-thay",
        recorded="Đã nhập thay kết quả",
        then="Kết quả nhập thay được ghi rõ ở mọi nơi hiển thị và do người khác xác nhận.",
        files=True,
        take=AGENCY_DEEDS["cap-nhat"].take,
        again=AGENCY_DEEDS["cap-nhat"].again,
    ),
    _action(Action.SUSPEND, "tam-dung", "Đã tạm dừng"),
    _action(Action.RESUME, "tiep-tuc", "Đã cho tiếp tục thực hiện"),
    _action(Action.WAIVE, "khong-phat-sinh", "Đã ghi: không phát sinh nhiệm vụ"),
    _action(Action.CANCEL, "thoi-theo-doi", "Đã thôi theo dõi"),
    _action(Action.REOPEN, "mo-lai", "Đã mở lại", "Cơ quan được báo trong thư đầu tuần."),
)
DECIDER_DEEDS: Final[Mapping[str, Deed]] = {deed.key: deed for deed in _DECIDER}

SIMPLE: Final[Mapping[Action, str]] = {
    Action.SUSPEND: "tam-dung",
    Action.RESUME: "tiep-tuc",
    Action.WAIVE: "khong-phat-sinh",
    Action.CANCEL: "thoi-theo-doi",
    Action.REOPEN: "mo-lai",
}
"""Actions that ask for a reason, a document, or a new date, in the order they are offered."""
SIMPLE_TITLES: Final[Mapping[str, str]] = {key: ACTION_WORDS[one] for one, key in SIMPLE.items()}
