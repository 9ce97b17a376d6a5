"""What may be wrong with the history and its log, and the sentence that says so (rule 38)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Wrong(StrEnum):
    """What was found; the closed list of ``verify --json``."""

    EDITED = "edited"
    """An event says something else than when it was recorded."""
    DIGEST = "digest"
    """An event is as it was, the digest beside it is not."""
    REPLACED = "replaced"
    """An event and its digest were replaced together after it was sealed."""
    REORDERED = "reordered"
    """Another event stands at this place of the log."""
    LEAF = "leaf"
    """The digest that the log keeps of an event is not the one that was signed."""
    DELETED = "deleted"
    """A sealed event is gone."""
    INSERTED = "inserted"
    """An event is neither sealed nor pending: the engine did not write it."""
    GAP = "gap"
    """Leaves of the log are gone."""
    REWRITTEN = "rewritten"
    """The leaves are whole among themselves and not those that a checkpoint signed."""
    UNCOVERED = "uncovered"
    """Leaves after the last checkpoint: it was removed, or they were added."""
    FORGED = "forged"
    """A checkpoint is not signed by a key of this system, or not what was signed."""
    REMOVED = "removed"
    """A checkpoint between two others is gone."""
    CUT = "cut"
    """A checkpoint kept outside speaks of more than is there."""
    OUTSIDE = "outside"
    """A checkpoint kept outside has another root: the log was written anew."""
    STRANGER = "stranger"
    """A checkpoint from outside is of another log, or signed by nobody we know."""
    SUBTREE = "subtree"
    """A kept subtree is not that of its leaves; history itself is whole."""
    PENDING = "pending_edited"
    """A pending event is not what it was when it was recorded."""
    PENDING_GONE = "pending_deleted"
    """A pending event is gone."""
    PENDING_TWICE = "pending_twice"
    """An event is pending and sealed."""


class Remark(StrEnum):
    """What is no proof of anything, and worth a look."""

    CLOCK = "clock"
    """An event bears a time long before that of the checkpoint before it."""
    CHECKPOINT_CLOCK = "checkpoint_clock"
    """A checkpoint bears an earlier time than the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong. ``index`` is a leaf's, ``last`` the end of a range of leaves."""

    kind: Wrong | Remark
    index: int | None = None
    last: int | None = None
    event: int | None = None
    other: int | None = None
    source: str = ""
    size: int | None = None

    @property
    def place(self) -> int:
        """Where in the log: what sorts faults; those without a place come last."""
        if self.kind is Wrong.REWRITTEN and self.last is not None:
            return self.last  # what is named by itself within the range comes first
        return 2**63 if self.index is None else self.index

    @property
    def text(self) -> str:
        """A sentence for people."""
        return _SENTENCES[self.kind](self)

    def as_json(self) -> dict[str, object]:
        """The fault as an object: a word, numbers, and the sentence."""
        return {
            "kind": self.kind.value,
            "event": self.event,
            "index": self.index,
            "last_index": self.last,
            "text": self.text,
        }


def _event(one: Fault) -> str:
    return f"Sự kiện số {one.event} (vị trí {one.index} trong nhật ký niêm phong)"


def _range(one: Fault) -> str:
    events = (
        f" (các sự kiện số {one.event} đến {one.other})"
        if one.event is not None and one.other is not None
        else ""
    )
    return f"từ vị trí {one.index} đến {one.last}{events}"


_SENTENCES: Final[Mapping[Wrong | Remark, Callable[[Fault], str]]] = {
    Wrong.EDITED: lambda one: f"{_event(one)} đã bị sửa nội dung sau khi ghi.",
    Wrong.DIGEST: lambda one: f"{_event(one)} còn nguyên nội dung, nhưng mã băm ghi kèm bị đổi.",
    Wrong.REPLACED: lambda one: (
        f"{_event(one)} đã bị thay cả nội dung và mã băm sau khi niêm phong."
    ),
    Wrong.REORDERED: lambda one: (
        f"Thứ tự bị đổi tại vị trí {one.index}: sự kiện số {one.event} đứng vào chỗ không phải của nó"
        + (f", lẽ ra ở đây là sự kiện số {one.other}." if one.other is not None else ".")
    ),
    Wrong.LEAF: lambda one: (
        f"Mã băm của {_event(one)[0].lower()}{_event(one)[1:]} không còn là mã băm đã ký."
    ),
    Wrong.DELETED: lambda one: f"{_event(one)} đã bị xóa.",
    Wrong.INSERTED: lambda one: (
        f"Sự kiện số {one.event} không có trong nhật ký niêm phong, cũng không chờ niêm phong: "
        "được chèn vào ngoài phần mềm, hoặc bị gỡ khỏi danh sách chờ."
    ),
    Wrong.GAP: lambda one: f"Nhật ký niêm phong mất các lá {_range(one)}.",
    Wrong.REWRITTEN: lambda one: (
        f"Nhật ký niêm phong {_range(one)} không còn là những gì đã ký ở niêm phong cỡ {one.size}: "
        "có sự kiện bị sửa, chèn, xóa hoặc đổi chỗ cùng với lá của nó."
    ),
    Wrong.UNCOVERED: lambda one: (
        f"Các lá {_range(one)} nằm sau niêm phong cuối cùng: niêm phong bị xóa, "
        "hoặc lá được thêm ngoài phần mềm."
    ),
    Wrong.FORGED: lambda one: (
        f"Niêm phong cỡ {one.size} không phải do khóa của hệ thống này ký, hoặc đã bị sửa sau khi ký."
    ),
    Wrong.REMOVED: lambda one: f"Niêm phong cỡ {one.size} đã bị xóa khỏi dãy niêm phong.",
    Wrong.CUT: lambda one: (
        f"Lịch sử bị cắt đuôi: niêm phong giữ ngoài ({one.source}) ký {one.size} sự kiện, "
        f"nay chỉ còn {one.index}."
    ),
    Wrong.OUTSIDE: lambda one: (
        f"Lịch sử đã bị viết lại: {one.size} sự kiện đầu không còn là những gì niêm phong giữ ngoài "
        f"({one.source}) đã ký."
    ),
    Wrong.STRANGER: lambda one: (
        f"Niêm phong giữ ngoài ({one.source}) không do khóa của hệ thống này ký."
    ),
    Wrong.SUBTREE: lambda one: (
        f"Mã băm tính sẵn của các lá {_range(one)} bị đổi; lịch sử còn nguyên, "
        "nhưng phải khôi phục bảng log_subtree trước khi niêm phong tiếp."
    ),
    Wrong.PENDING: lambda one: (
        f"Sự kiện số {one.event} bị sửa khi còn chờ niêm phong: nội dung không khớp mã băm ghi kèm."
    ),
    Wrong.PENDING_GONE: lambda one: f"Sự kiện số {one.event} bị xóa khi còn chờ niêm phong.",
    Wrong.PENDING_TWICE: lambda one: (
        f"Sự kiện số {one.event} đã niêm phong nhưng lại có tên trong danh sách chờ."
    ),
    Remark.CLOCK: lambda one: (
        f"{_event(one)} ghi giờ sớm hơn niêm phong đứng trước nó: đồng hồ máy chủ bị lùi, "
        "hoặc sự kiện được chèn với giờ lùi."
    ),
    Remark.CHECKPOINT_CLOCK: lambda one: (
        f"Niêm phong cỡ {one.size} ghi giờ sớm hơn niêm phong đứng trước: đồng hồ máy chủ bị lùi."
    ),
}
