"""What people type after an option, read strictly and refused with a sentence.

Options that several commands share are defined here once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

_ISO = re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})")
_VN = re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})")


def day(text: str) -> date:
    """A calendar date: ``2027-03-31`` or ``31/3/2027``.

    Raises:
        typer.BadParameter: anything else, and dates that no calendar has.
    """
    found = _ISO.fullmatch(text.strip()) or _VN.fullmatch(text.strip())
    if found is not None:
        try:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:
            pass
    msg = f"“{text}” không phải một ngày; viết dạng 2027-03-31 hoặc 31/3/2027."
    raise typer.BadParameter(msg)


def instant(text: str) -> datetime:
    """An instant in UTC: a date (its beginning in UTC), or ``2027-03-31T01:30:00Z``.

    Raises:
        typer.BadParameter: anything else, an instant without a time zone among them.
    """
    if _ISO.fullmatch(text.strip()) or _VN.fullmatch(text.strip()):
        found = day(text)
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"“{text}” không phải một thời điểm; viết 2027-03-31 hoặc 2027-03-31T01:30:00Z."
        raise typer.BadParameter(msg)
    return moment.astimezone(UTC)


def number(text: str) -> int:
    """A whole number from 1.

    Raises:
        typer.BadParameter: anything else.
    """
    if text.isascii() and text.isdecimal() and 0 < int(text) < 2**63:
        return int(text)
    msg = f"“{text}” không phải một số nguyên dương; xem cột “Số” của “tiendo work list”."
    raise typer.BadParameter(msg)


def one_of(words: Iterable[str], what: str) -> Callable[[str], str]:
    """A reader of one word of a closed list; ``what`` names the list in the refusal."""
    known = tuple(words)

    def read(text: str) -> str:
        word = text.strip().lower().replace("-", "_")
        for one in (text.strip(), word):
            if one in known:
                return one
        near = get_close_matches(word, known, n=1)
        hint = f" Có phải “{near[0]}”?" if near else ""
        msg = f"Không có {what} “{text}”.{hint} Dùng một trong: {', '.join(known)}."
        raise typer.BadParameter(msg)

    return read


def period(text: str) -> str:
    """A period by its key: ``2027``, ``2027-Q4``, ``2027-03``.

    Raises:
        typer.BadParameter: anything else.
    """
    from rules.periods import Period

    try:
        return Period.parse(text.strip().upper()).key
    except ValueError as error:
        msg = f"“{text}” không phải một kỳ; viết năm (2027), quý (2027-Q4) hoặc tháng (2027-03)."
        raise typer.BadParameter(msg) from error


def year(text: str) -> int:
    """A year of four digits.

    Raises:
        typer.BadParameter: anything else.
    """
    if re.fullmatch(r"[12][0-9]{3}", text):
        return int(text)
    msg = f"“{text}” không phải một năm; viết đủ bốn chữ số, ví dụ 2027."
    raise typer.BadParameter(msg)


def existing_file(text: str) -> Path:
    """A file that is there.

    Raises:
        typer.BadParameter: there is none.
    """
    path = Path(text).expanduser()
    if not path.is_file():
        what = "là thư mục, cần một tệp" if path.is_dir() else "không có tệp này"
        msg = f"{path}: {what}."
        raise typer.BadParameter(msg)
    return path


def existing_folder(text: str) -> Path:
    """A folder that is there.

    Raises:
        typer.BadParameter: there is none.
    """
    path = Path(text).expanduser()
    if not path.is_dir():
        what = "là tệp, cần một thư mục" if path.exists() else "không có thư mục này"
        msg = f"{path}: {what}."
        raise typer.BadParameter(msg)
    return path


def any_path(text: str) -> Path:
    """A place in the file system, there or not."""
    return Path(text).expanduser()


AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=day,
        metavar="NGÀY",
        help="Ngày nghiệp vụ, mặc định hôm nay. Ngày tương lai chỉ dùng được với cơ sở dữ liệu thử.",
    ),
]
PlanKey = Annotated[
    str | None,
    typer.Option("--plan", metavar="MÃ", help="Chỉ đề án này; mặc định tất cả."),
]
ItemKey = Annotated[
    str | None,
    typer.Option("--item", metavar="MÃ", help="Chỉ nhiệm vụ này, ví dụ II.3."),
]
AgencyKey = Annotated[
    str | None,
    typer.Option("--agency", metavar="MÃ", help="Chỉ cơ quan này, ví dụ xa_van_ninh."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Không hỏi lại.")]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="VĂN BẢN", help="Lý do, ghi vào lịch sử.")
]
