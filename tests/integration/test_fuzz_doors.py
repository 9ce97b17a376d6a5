"""Files, tokens and mail servers at random: a right result, a refusal in words, and never a crash."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from pydantic import SecretStr

from notifications.answers import (
    NotConnected,
    PermanentFailure,
    Sent,
    SessionRefused,
    TemporaryFailure,
    Unknown,
)
from notifications.smtp import MailSession, Security, SmtpSettings
from operations.contact_files import FileError, FileRefused, read_contact_file
from operations.import_sheets import read_workbook
from portal.permissions import Visitor
from tests import portal_site
from tests.fuzz import bounded, nasty, twisted
from tests.import_mistakes import right
from tests.integration.test_smtp_session import BODY, DROP, ScriptedServer
from tests.late_start import packed
from tests.portal_site import Site, mark_of

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def contacts() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Cơ quan", "Loại liên hệ", "Họ và tên", "Thư điện tử"])
    sheet.append(["Xã Vạn Ninh", "Đầu mối chính", "Nguyễn Thị Hoa", "hoa@vanninh.test"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def refused_or_taken(content: bytes) -> None:
    """Both readers of spreadsheets either read the file or say in words what is wrong with it."""
    for read in (read_contact_file, read_workbook):
        told: list[FileError] = []
        try:
            read(content, "a.xlsx")
        except FileRefused as refused:
            told += refused.errors or [FileError(problem="", remedy="")]
        assert all(error.problem and error.remedy for error in told)


BOOKS = (contacts(), packed(right()))


@pytest.mark.parametrize("content", BOOKS, ids=["contacts", "import"])
def test_spreadsheet_with_bytes_exchanged_is_refused_in_words(content: bytes) -> None:
    @bounded(60)
    @given(twisted(content))
    def exchanged(changed: bytes) -> None:
        refused_or_taken(changed)

    exchanged()


@pytest.mark.parametrize("content", BOOKS, ids=["contacts", "import"])
def test_spreadsheet_with_a_part_twisted_is_refused_in_words(content: bytes) -> None:
    """The zip is whole, what is in it is not."""
    parts = parts_of(content)

    @bounded(60)
    @given(st.data())
    def exchanged(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(parts)))
        changed = {**parts, name: data.draw(twisted(parts[name]))}
        if data.draw(st.booleans()):
            changed.pop(data.draw(st.sampled_from(sorted(changed))))
        refused_or_taken(zipped(changed))

    exchanged()


ROWS = {
    "a million rows away": b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>',
    "a column at the end": b'<row r="2"><c r="XFD2"><v>1</v></c></row>',
    "beyond all columns": b'<row r="2"><c r="ZZZZ2"><v>1</v></c></row>',
    "rows that are no numbers": b'<row r="x"><c r="y"><v>z</v></c></row>',
    "a formula": b'<row r="2"><c r="A2"><f>WEBSERVICE("http://x.test")</f><v>1</v></c></row>',
    "a number that is none": b'<row r="2"><c r="A2" t="n"><v>abc</v></c></row>',
    "a number without end": b'<row r="2"><c r="A2" t="n"><v>1e99999</v></c></row>',
    "a date out of all time": b'<row r="2"><c r="A2" t="d"><v>99999-99-99</v></c></row>',
    "a text that is not in the list": b'<row r="2"><c r="A2" t="s"><v>99999</v></c></row>',
    "a style that is not there": b'<row r="2"><c r="A2" s="99999"><v>1</v></c></row>',
    "an error": b'<row r="2"><c r="A2" t="e"><v>#REF!</v></c></row>',
    "deep": b'<row r="2">' + b"<c>" * 20_000 + b"</c>" * 20_000 + b"</row>",
}


def test_odd_cells_and_huge_sizes_are_refused_or_passed_over_soon(
    subtests: pytest.Subtests,
) -> None:
    parts = parts_of(contacts())
    sheet = parts[SHEET]
    for kind, row in ROWS.items():
        with subtests.test(kind):
            changed = sheet.replace(b"</sheetData>", row + b"</sheetData>")
            refused_or_taken(zipped({**parts, SHEET: changed}))
    with subtests.test("a size that is a lie"):
        changed = sheet.replace(b'<dimension ref="A1:D2"', b'<dimension ref="A1:XFD1048576"')
        assert changed != sheet
        refused_or_taken(zipped({**parts, SHEET: changed}))
    with subtests.test("a link outward"):
        link = b'<?xml version="1.0"?><externalLink/>'
        refused_or_taken(zipped({**parts, "xl/externalLinks/externalLink1.xml": link}))
    with subtests.test("a part twice"):
        out = io.BytesIO(zipped(parts))
        with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(SHEET, b"<x/>")
        refused_or_taken(out.getvalue())
    with subtests.test("entities"):
        bomb = b'<!DOCTYPE a [<!ENTITY b "bb">]>' + sheet
        refused_or_taken(zipped({**parts, SHEET: bomb}))
    book = "xl/workbook.xml"
    for coding in ("utf-8", "utf-16", "utf-16-le", "utf-32"):
        with subtests.test(f"a document type in {coding}"):
            named = '<!DOCTYPE a [<!ENTITY b "bb">]>' + parts[book].decode()
            with pytest.raises(FileRefused):
                read_contact_file(zipped({**parts, book: named.encode(coding)}), "a.xlsx")


def test_file_that_cannot_be_read_is_told_on_its_page(site: Site) -> None:
    """The page answers with the reason, whatever the file is; nothing is written."""
    browser = site.logged_in(Visitor.ADMIN)
    parts, before = parts_of(contacts()), site.counts()
    for bad in (
        *(b"", b"PK\x03\x04", b"\x00" * 5_000, contacts()[:-40], contacts()[40:]),
        zipped({**parts, SHEET: b"<worksheet><sheetData><row"}),
        zipped({"[Content_Types].xml": b"<x/>"}),
    ):
        page = browser.get("/danh-muc/nhap-dau-moi")
        answer = browser.post(
            "/danh-muc/nhap-dau-moi",
            data={"mark": mark_of(page)},
            files={"file": ("a.xlsx", bad)},
        )
        assert 400 <= answer.status_code < 500, bad[:20]
        assert 'role="alert"' in answer.text
    assert site.counts() == before


@pytest.mark.timeout(240)
def test_tokens_and_links_at_random_open_nothing(site: Site) -> None:
    token, link = site.api_token(), site.link()
    browser = site.browser()

    @bounded(40)
    @given(nasty | twisted(token.encode()).map(lambda one: one.decode("latin-1")))
    def nothing(text: str) -> None:
        site.app.state.portal.throttle._limiter.storage.reset()
        if text in {token, link}:
            return
        sent = f"Bearer {text}".encode("latin-1", "replace").replace(b"\n", b" ")
        sent = sent.replace(b"\r", b" ").replace(b"\0", b" ")
        assert browser.get("/api/v1/me", headers={b"authorization": sent}).status_code == 401
        plain = "".join(one for one in text if one.isprintable() and one not in "/?#\\%") or "x"
        plain = plain.strip(".") or "x"
        for base in ("/lien-ket", "/dat-mat-khau", "/tai-khoan-dau-tien", "/lich"):
            answer = browser.get(f"{base}/{plain}")
            assert answer.status_code in {404, 410}, (base, ascii(plain), answer.status_code)
        browser.cookies.clear()

    nothing()


ANSWERS = st.sampled_from(
    [
        *("250 ok", "354 go", "235 ok", "220 hi", "421 bye", "450 later", "451 x", "452 full"),
        *("500 what", "501 x", "530 login", "535 no", "550 none", "552 big", "554 no", "999 x"),
        *("", "2", "250", "250-", "250-a\r\n250-b", "abc", "250\tok", "-250 ok", "25O ok"),
        *("250 " + "x" * 5_000, "250-" + "x\r\n250-" * 300, "250 \x00\x1b[2J", "250 ok\r\n550 no"),
        *("HTTP/1.1 400 Bad Request", "\ufffd\u202e", DROP),
    ]
) | nasty.filter(lambda text: text != "silent")
VERBS = ("HELLO", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "RSET", "QUIT")


@pytest.mark.timeout(240)
def test_mail_server_that_says_anything_ends_in_an_outcome() -> None:
    """Rule 33: every letter ends in a state, and a secret is in none of the words kept of it."""
    word = "Mat-khau-bi-mat-123"

    @bounded(80)
    @given(st.dictionaries(st.sampled_from(VERBS), ANSWERS, min_size=1, max_size=4))
    def ends(answers: dict[str, str]) -> None:
        with ScriptedServer(**answers) as server:
            settings = SmtpSettings(
                host="127.0.0.1",
                port=server.port,
                user="a",
                password=SecretStr(word),
                security=Security.NONE,
                timeout_seconds=0.5,
                helo_name="localhost",
            )
            with MailSession(settings) as session:
                for _ in range(2):
                    found = session.send(BODY, sender="a@b.test", to="c@d.test")
                    known = (Sent, TemporaryFailure, PermanentFailure, Unknown)
                    assert isinstance(found, (*known, NotConnected, SessionRefused))
                    assert word not in repr(found)
                    assert "\x1b" not in repr(found)

    ends()
