"""What a file is by its content, and how a file may be called (rules 20, 25).

Word and Excel files, and OpenDocument, are zip archives: an archive is only taken when its parts
say which of these it is, and never with macros.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from html import unescape
from typing import BinaryIO

MAX_NAME = 150
"""Characters of a file name, ending included."""
MAX_UNPACKED = 500 * 1024 * 1024
"""Bytes that the parts of an archive may claim to unpack to; a bomb claims more."""
MAX_PARTS = 10_000
_CONTENT_TYPES = "[Content_Types].xml"
_MAX_CONTENT_TYPES = 2 * 1024 * 1024
_MAX_RELATIONS = 16 * 1024 * 1024
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]+')
_MACRO_PART = re.compile(
    r"(?:^|/)(?:vbaProject.*|macrosheets/.*|Basic/.*|Scripts/.*)$", re.IGNORECASE
)
_RELATION = re.compile(r"""<(?:\w+:)?Relationship\s(?:[^>"']|"[^"]*"|'[^']*')*>""")
_FETCHED = re.compile(
    r"""/(?:attachedTemplate|oleObject|frame|subDocument|externalLink\w*)["']""", re.IGNORECASE
)
"""Kinds of relations whose target is loaded when the file is opened; a hyperlink waits for a click."""
_FROM_THE_WEB = re.compile(r"""\bTarget\s*=\s*["']\s*(?:https?|ftp):""", re.IGNORECASE)
_SAVE_AS = "đề nghị mở tệp và lưu lại thành .docx, .xlsx hoặc .pdf rồi tải lên."


class UnfitFile(ValueError):
    """A file that is not taken; the message says why, and what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """A kind of file that is taken. ``endings`` are in small letters, the usual one first."""

    media_type: str
    endings: tuple[str, ...]


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
PDF = FileKind(media_type="application/pdf", endings=(".pdf",))
PNG = FileKind(media_type="image/png", endings=(".png",))
JPEG = FileKind(media_type="image/jpeg", endings=(".jpg", ".jpeg"))
DOCX = FileKind(media_type=f"{_OOXML}wordprocessingml.document", endings=(".docx",))
XLSX = FileKind(media_type=f"{_OOXML}spreadsheetml.sheet", endings=(".xlsx",))
ODT = FileKind(media_type=f"{_ODF}text", endings=(".odt",))
ODS = FileKind(media_type=f"{_ODF}spreadsheet", endings=(".ods",))
KINDS = (PDF, DOCX, XLSX, ODT, ODS, PNG, JPEG)
TAKEN = "PDF, Word (.docx), Excel (.xlsx), OpenDocument (.odt, .ods), ảnh PNG hoặc JPEG"

_MAGIC = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
)
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, struct.error, zlib.error)
_PACKED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""The only ways of packing that office files use."""
_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def recognise(content: BinaryIO) -> FileKind:
    """The kind of a file by what it holds, whatever it is called.

    Raises:
        UnfitFile: it is empty, of another kind, damaged, protected by a password, or has macros.
    """
    content.seek(0)
    head = content.read(16)
    if not head:
        msg = "Tệp rỗng; đề nghị kiểm tra lại tệp rồi tải lên."
        raise UnfitFile(msg)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(_OLD_OFFICE):
        msg = f"Tệp Word, Excel đời cũ (.doc, .xls) hoặc có đặt mật khẩu; {_SAVE_AS}"
        raise UnfitFile(msg)
    if head.startswith(_ZIP):
        return _office_kind(content)
    msg = f"Không nhận loại tệp này. Các loại được nhận: {TAKEN}."
    raise UnfitFile(msg)


def _office_kind(content: BinaryIO) -> FileKind:
    try:
        with zipfile.ZipFile(content) as archive:
            parts = archive.infolist()
            _check_parts(parts)
            names = {part.filename for part in parts}
            kind = _opendocument(archive, parts) or _ooxml(archive, names)
    except _DAMAGED as error:
        msg = "Tệp bị hỏng hoặc tải lên chưa trọn vẹn; đề nghị mở thử trên máy rồi tải lên lại."
        raise UnfitFile(msg) from error
    if kind is None:
        msg = f"Không nhận tệp nén; đề nghị tải lên từng tệp. Các loại được nhận: {TAKEN}."
        raise UnfitFile(msg)
    return kind


def _check_parts(parts: list[zipfile.ZipInfo]) -> None:
    if any(part.flag_bits & 0x1 for part in parts):
        msg = f"Tệp có đặt mật khẩu; {_SAVE_AS}"
        raise UnfitFile(msg)
    if any(part.compress_type not in _PACKED for part in parts):
        raise NotImplementedError
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        msg = "Tệp giải nén ra quá lớn, có thể không an toàn; đề nghị lưu lại thành .pdf."
        raise UnfitFile(msg)
    if any(_MACRO_PART.search(part.filename) for part in parts):
        msg = f"Tệp có chứa macro, không an toàn; {_SAVE_AS}"
        raise UnfitFile(msg)


def _opendocument(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> FileKind | None:
    first = parts[0] if parts else None
    if first is None or first.filename != "mimetype" or first.file_size > 100:
        return None
    said = archive.read(first).decode("ascii", "replace")
    return next((kind for kind in (ODT, ODS) if kind.media_type == said), None)


def _ooxml(archive: zipfile.ZipFile, names: set[str]) -> FileKind | None:
    if _CONTENT_TYPES not in names:
        return None
    with archive.open(_CONTENT_TYPES) as part:
        said = part.read(_MAX_CONTENT_TYPES).decode("utf-8", "replace")
    if "macroEnabled" in said or "vbaProject" in said:
        msg = f"Tệp có chứa macro, không an toàn; {_SAVE_AS}"
        raise UnfitFile(msg)
    if _fetches(archive):
        msg = f"Tệp tự lấy mẫu, đối tượng hoặc dữ liệu từ mạng, không an toàn; {_SAVE_AS}"
        raise UnfitFile(msg)
    for kind, main in ((DOCX, "word/document.xml"), (XLSX, "xl/workbook.xml")):
        if main in names and f"{kind.media_type}.main+xml" in said:
            return kind
    return None


def _fetches(archive: zipfile.ZipFile) -> bool:
    """Whether opening the file would load something from the web: how a document without macros
    brings some. Relations without end, or with a document type, count as well."""
    room = _MAX_RELATIONS
    for part in archive.infolist():
        if not part.filename.lower().endswith(".rels"):
            continue
        room -= part.file_size
        if room < 0:
            return True
        # XML in UTF-16 is ASCII with zeros between.
        text = archive.read(part).replace(b"\0", b"").decode("utf-8", "replace")
        if "<!DOCTYPE" in text:
            return True
        found = (unescape(match.group()) for match in _RELATION.finditer(text))
        if any(_FETCHED.search(one) and _FROM_THE_WEB.search(one) for one in found):
            return True
    return False


def clean_name(name: str, kind: FileKind) -> str:
    """How a file is called from now on: no path, nothing invisible, the ending of its kind.

    Letters are kept as they are written in Vietnamese, in NFC. A name of which nothing is left
    becomes ``tai-lieu``.
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = "".join(
        " " if one in "\t\r\n" else one
        for one in text
        if one in "\t\r\n" or not unicodedata.category(one).startswith("C")
    )
    text = re.sub(r"\s+", " ", _FORBIDDEN.sub("_", text)).rstrip(" .")
    stem, dot, ending = text.rpartition(".")
    ending = f".{ending.lower()}" if dot else ""
    known = {one for each in KINDS for one in each.endings}
    if ending in kind.endings or ending in known:
        text = stem.strip(" .")
    ending = ending if ending in kind.endings else kind.endings[0]
    return f"{text[: MAX_NAME - len(ending)].strip(' .') or 'tai-lieu'}{ending}"
