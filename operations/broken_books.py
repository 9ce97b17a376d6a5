"""Spreadsheets that no reader can read to the end, told in words."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from openpyxl.utils.exceptions import InvalidFileException

from operations.file_errors import FileError, FileRefused

_BROKEN: Final = (
    *(InvalidFileException, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    # What openpyxl lets through where a part does not hold what the format says; SyntaxError is
    # that of its XML parsers.
    *(SyntaxError, KeyError, IndexError, ValueError, TypeError, AttributeError, ArithmeticError),
    *(RecursionError, NotImplementedError),
)


@contextmanager
def readable(problem: str, remedy: str) -> Iterator[None]:
    """Around the reading of a spreadsheet, and nothing else.

    Raises:
        FileRefused: with ``problem`` and ``remedy``, for whatever the library stumbles over.
    """
    try:
        yield
    except _BROKEN:
        raise FileRefused([FileError(problem=problem, remedy=remedy)]) from None


NOT_A_BOOK: Final = (
    "Tệp không phải bảng tính .xlsx, hoặc đặt mật khẩu",
    "Mở bằng Excel, bỏ mật khẩu và lưu lại thành .xlsx",
)
HALF_A_BOOK: Final = (
    "Tệp .xlsx có phần bị hỏng hoặc sai quy cách, không đọc được hết",
    "Mở bằng Excel, sửa theo báo lỗi nếu có và lưu lại thành .xlsx",
)
