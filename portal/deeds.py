"""What the forms of an agency do: each posts to its own address and calls one operation.

Which of them a page offers is read from the table of transitions (``portal.views``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from operations.act import act
from operations.acting import ActRequest
from operations.errors import Refused
from operations.extensions import ask_extension, withdraw_extension
from operations.handing import hand_over
from operations.money import set_money
from operations.obstacles import raise_obstacle
from operations.partners import contribute
from operations.queries_detail import WorkDetail
from operations.stamp import Stamp
from portal.reading import Reading
from rules.lifecycle import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One form on its way into an operation, within one transaction."""

    session: Session
    stamp: Stamp
    detail: WorkDetail
    reading: Reading
    version: int | None

    @property
    def id(self) -> int:
        """The assignment that the form speaks of."""
        return self.detail.row.id


def _never(_job: Job) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A form: what it does, and what people read once it is done.

    ``again`` says that exactly this was recorded before, so that a second tap of the same button
    leads to the first one's page instead of an error.
    """

    key: str
    recorded: str
    then: str = ""
    files: bool = False
    take: Callable[[Job], None]
    again: Callable[[Job], bool] = _never


def _submit(job: Job) -> None:
    result = job.reading.result(job.detail.item)
    if job.detail.item.calendar.asks_contact:
        result = replace(result, focal=job.reading.focal(job.detail.row.agency))
    job.reading.done()
    request = ActRequest(result=result, expected_version=job.version)
    act(job.session, job.stamp, job.id, Action.SUBMIT, request)


def _submit_unchanged(job: Job) -> None:
    result = job.reading.result(None, unchanged=True)
    job.reading.done()
    request = ActRequest(result=result, expected_version=job.version)
    act(job.session, job.stamp, job.id, Action.SUBMIT, request)


def _submitted_again(job: Job) -> bool:
    standing = next((one for one in job.detail.results if one.outcome != "withdrawn"), None)
    if standing is None or standing.outcome == "returned" or job.version == job.detail.row.version:
        return False
    first = next(iter(standing.papers), None)
    code = job.reading.line("document")
    return standing.text == job.reading.text("text").strip() and (
        (first.code if first else None) or ""
    ) == (code or "")


def plain(action: Action) -> Callable[[Job], None]:
    """An action of the table that asks for nothing, or for a reason and a document."""

    def take(job: Job) -> None:
        request = ActRequest(
            reason=job.reading.text("reason") or None,
            document=job.reading.line("document") or None,
            due_on=job.reading.day("due_on"),
            respond_by=job.reading.day("respond_by"),
            covered_by=job.reading.posted.number("covered_by"),
            expected_version=job.version,
        )
        job.reading.done()
        act(job.session, job.stamp, job.id, action, request)

    return take


def _ask_extension(job: Job) -> None:
    until = job.reading.needed_day("until", "Đề nghị ghi ngày xin gia hạn đến, ví dụ 30/4/2027.")
    reason = job.reading.needed("reason", "Đề nghị nêu lý do xin gia hạn.")
    explanation = job.reading.text("explanation")
    job.reading.done()
    ask_extension(
        job.session,
        job.stamp,
        job.id,
        until=until,
        reason=reason,
        explanation=explanation or None,
        expected_version=job.version,
    )


def _asked_again(job: Job) -> bool:
    waiting = (one for one in job.detail.extensions if one.state in WAITING)
    reason = job.reading.text("reason").strip()
    return any(one.reason == reason for one in waiting)


def _withdraw_extension(job: Job) -> None:
    job.reading.done()
    waiting = next(iter(one for one in job.detail.extensions if one.state in WAITING), None)
    if waiting is None:
        raise Refused("Không còn đề nghị gia hạn nào đang chờ.")
    withdraw_extension(job.session, job.stamp, waiting.id)


def _raise_obstacle(job: Job) -> None:
    text = job.reading.text("text")
    job.reading.done()
    raise_obstacle(job.session, job.stamp, assignment_id=job.id, text=text)


def _raised_again(job: Job) -> bool:
    text = job.reading.text("text").strip()
    return any(one.text == text and one.state == "raised" for one in job.detail.obstacles)


def _hand(job: Job) -> None:
    to, note = job.reading.line("handler"), job.reading.text("note")
    job.reading.done()
    hand_over(
        job.session, job.stamp, job.id, to=to or None, note=note, expected_version=job.version
    )


def _set_money(job: Job) -> None:
    asked = job.reading.money()
    job.reading.done()
    set_money(job.session, job.stamp, job.id, asked)


def _contribute(job: Job) -> None:
    result = job.reading.result(None)
    job.reading.done()
    contribute(job.session, job.stamp, job.id, result, expected_version=job.version)


WAITING: Final = frozenset({"asked", "proposed"})
"""States of a request for another date that nobody has decided."""

_AGENCY: Final = (
    Deed(
        key="cap-nhat",
        recorded="Đã ghi nhận kết quả",
        then="Thư báo nhận được gửi đến hộp thư của Quý cơ quan.",
        files=True,
        take=_submit,
        again=_submitted_again,
    ),
    Deed(
        key="khong-thay-doi",
        recorded="Đã ghi nhận: không thay đổi so với năm trước",
        then="Thư báo nhận được gửi đến hộp thư của Quý cơ quan.",
        take=_submit_unchanged,
        again=_submitted_again,
    ),
    Deed(
        key="bat-dau",
        recorded="Đã ghi nhận: bắt đầu thực hiện",
        then="Khi có kết quả, đề nghị Quý cơ quan cập nhật số, ngày văn bản.",
        take=plain(Action.START),
    ),
    Deed(
        key="da-trinh",
        recorded="Đã ghi nhận: đã trình, chờ ban hành",
        then="Khi văn bản được ban hành, đề nghị Quý cơ quan cập nhật kết quả.",
        take=plain(Action.AWAIT_ISSUANCE),
    ),
    Deed(
        key="tiep-tuc",
        recorded="Đã ghi nhận: tiếp tục thực hiện",
        take=plain(Action.RESUME),
    ),
    Deed(
        key="rut-lai",
        recorded="Đã rút lại kết quả",
        then="Kết quả cũ vẫn được lưu trong lịch sử. Đề nghị cập nhật kết quả mới khi có.",
        take=plain(Action.WITHDRAW),
    ),
    Deed(
        key="thuc-hien-chung",
        recorded="Đã ghi nhận: thực hiện chung với cơ quan khác",
        take=plain(Action.COVER),
    ),
    Deed(
        key="gia-han",
        recorded="Đã gửi đề nghị gia hạn",
        then="Hạn hiện nay vẫn áp dụng cho đến khi có quyết định. Kết quả được gửi qua thư.",
        take=_ask_extension,
        again=_asked_again,
    ),
    Deed(key="rut-gia-han", recorded="Đã rút đề nghị gia hạn", take=_withdraw_extension),
    Deed(
        key="vuong-mac",
        recorded="Đã ghi nhận phản ánh vướng mắc",
        then="Nội dung trả lời được ghi ngay tại trang của nhiệm vụ này.",
        take=_raise_obstacle,
        again=_raised_again,
    ),
    Deed(
        key="kinh-phi",
        recorded="Đã ghi kinh phí",
        then="Ghi lại cùng mục chi và nguồn thì thay số cũ; số cũ vẫn ở lịch sử.",
        take=_set_money,
    ),
    Deed(
        key="giao-viec",
        recorded="Đã ghi người thực hiện",
        then="Thư nhắc việc này gửi đến thư công vụ của người thực hiện, nếu là đầu mối của cơ quan.",
        take=_hand,
    ),
    Deed(
        key="phoi-hop",
        recorded="Đã gửi nội dung phối hợp",
        then="Cơ quan chủ trì xem nội dung tại trang của nhiệm vụ.",
        files=True,
        take=_contribute,
        again=_submitted_again,
    ),
)
AGENCY_DEEDS: Final[Mapping[str, Deed]] = {deed.key: deed for deed in _AGENCY}
