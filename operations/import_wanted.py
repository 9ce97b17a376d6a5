"""What one row of results says: read, and refused where it does not say enough (rules 20, 21)."""

from __future__ import annotations

from datetime import date
from typing import Final

from operations.errors import Refused
from operations.guards import clean_document, vn_date
from operations.import_stored import Wanted
from operations.import_values import NO, STATE_WORDS, Cells, ResultState

RESULT_FIELDS: Final = ("state", "done", "papers", "document", "issued", "text", "reason")
"""The cells of a row that say its result."""


def read_wanted(cells: Cells, *, check_in: bool, today: date) -> Wanted | None:
    """The row's result; None, with everything that is wrong said by ``cells``."""
    state = ResultState.BLANK
    if cells.text("state"):
        word = cells.choice("state", {key.value: word for key, word in STATE_WORDS.items()})
        state = ResultState(word) if word else ResultState.BLANK
    issued, done = cells.past_day("issued", today), cells.past_day("done", today)
    papers = cells.yes("papers", default=True)
    try:
        code = clean_document(cells.text("document"))
    except Refused as refused:
        problem, _, remedy = str(refused).rstrip(".").partition("; ")
        cells.refuse("document", problem, remedy[:1].upper() + remedy[1:] or "Ghi lại")
        code = None
    wanted = Wanted(
        state=state,
        completed_on=done or issued,
        document=code,
        issued_on=issued,
        text=cells.text("text"),
        reason=cells.text("reason"),
        papers=papers,
    )
    if not cells.wrong("state"):
        _check_wanted(cells, wanted, check_in=check_in)
    return None if cells.wrong(*RESULT_FIELDS) else wanted


def _check_wanted(cells: Cells, wanted: Wanted, *, check_in: bool) -> None:
    """What a row of its kind must and must not say (rules 20, 21)."""
    filled = [one for one in ("done", "document", "issued", "text") if cells.text(one)]
    state = wanted.state
    if state is ResultState.BLANK:
        if filled:
            problem = "Có nội dung nhưng chưa chọn kết quả"
            cells.refuse(
                "state", problem, f"Chọn “{STATE_WORDS[ResultState.DONE]}”, hoặc xóa nội dung"
            )
        return
    if state is ResultState.NOT_APPLICABLE:
        if not wanted.reason:
            cells.refuse("reason", "Không phát sinh nhưng chưa nêu lý do", "Ghi lý do")
        if wanted.document or wanted.issued_on:
            problem = "Không phát sinh thì không có văn bản kết quả"
            cells.refuse("document", problem, "Xóa số, ngày văn bản, hoặc chọn kết quả khác")
        return
    if not wanted.papers and wanted.document:
        problem = f"Ghi “{NO}” nhưng có số văn bản"
        cells.refuse("papers", problem, "Chọn “Có”, hoặc xóa số văn bản")
    if not wanted.papers and not wanted.reason:
        problem = "Không còn văn bản nhưng chưa nêu lý do"
        cells.refuse("reason", problem, "Ghi lý do, ví dụ: thất lạc khi sáp nhập")
    if not check_in and wanted.papers and not wanted.document:
        remedy = f"Ghi số, ký hiệu văn bản; không còn văn bản thì chọn “{NO}” và nêu lý do"
        cells.refuse("document", "Chưa có văn bản kết quả", remedy)
    if wanted.document and not wanted.issued_on:
        problem = f"Chưa ghi ngày của văn bản {wanted.document}"
        cells.refuse("issued", problem, "Ghi ngày ban hành, ví dụ 31/3/2024")
    if (check_in or not wanted.papers) and not wanted.text:
        cells.refuse("text", "Chưa ghi nội dung kết quả", "Ghi tóm tắt một câu")
    _check_days(cells, wanted)


def _check_days(cells: Cells, wanted: Wanted) -> None:
    if wanted.completed_on is None and not cells.wrong("issued"):
        cells.refuse("done", "Chưa ghi ngày hoàn thành", "Ghi ngày, ví dụ 31/3/2024")
    elif wanted.issued_on and wanted.completed_on and wanted.completed_on < wanted.issued_on:
        problem = (
            f"Hoàn thành ngày {vn_date(wanted.completed_on)}, trước ngày văn bản "
            f"{vn_date(wanted.issued_on)}"
        )
        cells.refuse("done", problem, "Sửa một trong hai ngày")
