"""Who signed a filed PDF, when, and whether it holds (rule 20)."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models.tables import FileCheck
from operations.file_checks import VERDICT_WORDS
from portal.permissions import Visitor
from reports.pdf_check import check_files
from reports.pdf_signatures import Verdict, examine_pdf, trusted_roots
from tests import portal_site
from tests.integration.test_portal_history import tell_openings
from tests.portal_site import RESULT, Site, send, text_of
from tests.signed_pdfs import (
    AUTHORITY,
    ORGANISATION,
    SIGNER,
    Authority,
    appended,
    authority,
    locked,
    page,
    signed,
    tampered,
)


@pytest.fixture(scope="module")
def by(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def roots(tmp_path: Path, by: Authority) -> Path:
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "goc.pem").write_bytes(by.root_pem)
    return folder


def verdict(content: bytes, roots: Path | None) -> Verdict:
    return examine_pdf(content, trusted_roots(roots)).verdict


def test_a_signature_says_who_when_and_that_it_holds(by: Authority, roots: Path) -> None:
    found = examine_pdf(signed(page(), by), trusted_roots(roots))
    assert found.verdict is Verdict.VALID
    (one,) = found.signatures
    assert (one.signer, one.organisation, one.issuer) == (SIGNER, ORGANISATION, AUTHORITY)
    assert one.signed_at is not None
    assert one.intact
    assert one.trusted
    assert not one.added_after
    assert not one.stamped


def test_without_its_root_a_signature_is_whole_and_no_more(by: Authority, tmp_path: Path) -> None:
    """No network is asked: what the office does not hold, it does not trust."""
    assert verdict(signed(page(), by), None) is Verdict.UNTRUSTED
    other = tmp_path / "khac"
    other.mkdir()
    (other / "goc.pem").write_bytes(authority(other, "CA khác").root_pem)
    assert verdict(signed(page(), by), other) is Verdict.UNTRUSTED


def test_a_changed_byte_and_an_exchanged_page_are_told(by: Authority, roots: Path) -> None:
    once = signed(page(), by)
    assert verdict(tampered(once), roots) is Verdict.BROKEN
    found = examine_pdf(appended(once), trusted_roots(roots))
    assert found.verdict is Verdict.BROKEN
    assert found.signatures[0].intact, "what was signed is still there"
    assert found.signatures[0].added_after


def test_a_second_signature_breaks_no_first_one(by: Authority, roots: Path) -> None:
    found = examine_pdf(signed(signed(page(), by), by, "Chu-ky-2"), trusted_roots(roots))
    assert found.verdict is Verdict.VALID
    assert [one.added_after for one in found.signatures] == [True, False]


def test_a_picture_of_a_paper_is_told_from_words_without_a_signature() -> None:
    assert verdict(page(picture=True), None) is Verdict.SCAN
    assert verdict(page(), None) is Verdict.UNSIGNED


def test_a_password_to_open_is_told_and_one_against_copying_is_none() -> None:
    assert verdict(locked(page(), "bi-mat"), None) is Verdict.LOCKED
    assert verdict(locked(page(), ""), None) is Verdict.UNSIGNED


def many_objects(count: int) -> bytes:
    """A PDF with ``count`` objects that nothing refers to."""
    out, places = [b"%PDF-1.7\n"], []
    at = len(out[0])
    bodies = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]
    for number in range(1, count + 1):
        body = bodies[number - 1] if number <= len(bodies) else b"<< /A [1 2 3] >>"
        text = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        places.append(at)
        out.append(text)
        at += len(text)
    table = b"".join(b"%010d 00000 n \n" % one for one in places)
    out.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (count + 1, table))
    out.append(b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (count + 1))
    out.append(b"startxref\n%d\n%%%%EOF\n" % at)
    return b"".join(out)


def circular() -> bytes:
    """A PDF whose pages are their own children."""
    return many_objects(2).replace(b"/Kids []", b"/Kids [2 0 R]").replace(b"/Count 0", b"/Count 9")


def test_broken_and_hostile_files_end_as_not_examined_and_soon(
    by: Authority, roots: Path, tmp_path: Path
) -> None:
    """One after another in one process: what one of them does is nothing to the next."""
    good = signed(page(), by)
    cases = {
        "rong": b"%PDF-1.7\n",
        "nua": good[: len(good) // 2],
        "rac": b"%PDF-1.7\n" + bytes(range(256)) * 400,
        "vong": circular(),
        "nhieu": many_objects(10_000),
        "sau": b"%PDF-1.7\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer\n<</Root 1 0 R>>",
        "xref": good.replace(b"startxref\n", b"startxref\n99999999"),
        "tot": good,
    }
    files = []
    for name, content in cases.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    begin = time.monotonic()
    found = dict(zip(cases, check_files(files, roots), strict=True))
    assert time.monotonic() - begin < 30
    assert found["tot"]["verdict"] == "valid"
    assert found["nhieu"]["verdict"] == "unsigned"
    for name in ("rong", "nua", "rac", "vong", "sau"):
        assert found[name]["verdict"] in {"unexamined", "unsigned"}, name
        assert found[name]["signatures"] == []


def test_a_process_that_ends_leaves_its_files_not_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.pdf_check.START_SECONDS", 0.01)
    monkeypatch.setattr("reports.pdf_check.SECONDS", 0)
    (tmp_path / "a").write_bytes(page())
    assert [one["verdict"] for one in check_files([tmp_path / "a"], None)] == ["unexamined"]


@pytest.fixture
def site(database_url: str, tmp_path: Path, roots: Path, by: Authority) -> Iterator[Site]:
    """A signed document, a tampered one and a photograph, filed together."""
    with portal_site.site(database_url, tmp_path / "du-lieu", signature_roots=roots) as found:
        files = [
            ("ky.pdf", signed(page(), by)),
            ("sua.pdf", tampered(signed(page(), by))),
            ("anh.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40),
        ]
        path = f"{found.link()}/viec/{found.work['I.1/xa_van_ninh']}"
        send(found.browser(), path, "cap-nhat", RESULT, files=files)
        yield found


def test_agency_coordinator_and_auditor_read_it_beside_the_file(site: Site) -> None:
    number = site.work["I.1/xa_van_ninh"]
    pages = {
        "own": site.browser().get(f"{site.link()}/viec/{number}"),
        "work": site.logged_in(Visitor.AUDITOR).get(f"/viec/{number}"),
        "queue": site.logged_in(Visitor.COORDINATOR).get("/dieu-phoi"),
    }
    for name, found in pages.items():
        words = text_of(found)
        assert f"√ {VERDICT_WORDS['valid']} {SIGNER}, {ORGANISATION} ký lúc" in words, name
        assert f"nơi cấp: {AUTHORITY}" in words, name
        assert f"▲ {VERDICT_WORDS['broken']}" in words, name
        assert "○ Bản chụp" in words, name


def test_a_file_is_looked_into_once_until_other_roots_are_trusted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    from operations import file_checks

    def counted(files: list[Path], roots: Path | None) -> object:
        calls.append(len(files))
        return check_files(files, roots)

    monkeypatch.setattr(file_checks, "check_files", counted)
    browser, number = site.logged_in(Visitor.AUDITOR), site.work["I.1/xa_van_ninh"]
    browser.get(f"/viec/{number}")
    browser.get(f"/viec/{number}")
    assert calls == [2]
    folder = site.runtime.settings.signature_roots
    assert folder is not None
    (folder / "goc.pem").unlink()
    assert VERDICT_WORDS["untrusted"] in text_of(browser.get(f"/viec/{number}"))
    assert calls == [2, 2]
    kept = site.read(lambda s: sorted(s.scalars(select(FileCheck.verdict))))
    assert kept == ["broken", "untrusted"]


def test_an_auditors_sample_and_its_file_have_it_as_a_column(site: Site) -> None:
    number = site.work["I.1/xa_van_ninh"]
    send(site.logged_in(Visitor.COORDINATOR), f"/viec/{number}", "xac-nhan", {})
    site.write(tell_openings)
    browser = site.logged_in(Visitor.AUDITOR)
    address = browser.get("/kiem-tra/mau?co=5").headers["location"]
    assert f"ky.pdf: {VERDICT_WORDS['valid']} ({SIGNER}, {ORGANISATION})" in text_of(
        browser.get(address)
    )
    file = browser.get(address.replace("/mau?", "/mau/xuat/csv?")).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(file)))
    assert "Chữ ký số của tệp" in rows[0]
    assert VERDICT_WORDS["broken"] in rows[1][rows[0].index("Chữ ký số của tệp")]


def test_a_page_is_drawn_even_when_nothing_can_be_examined(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.pdf_check.START_SECONDS", 0.01)
    monkeypatch.setattr("reports.pdf_check.SECONDS", 0)
    found = site.logged_in(Visitor.AUDITOR).get(f"/viec/{site.work['I.1/xa_van_ninh']}")
    assert VERDICT_WORDS["unexamined"] in text_of(found)


def test_words_of_every_verdict_are_there() -> None:
    assert set(VERDICT_WORDS) == set(Verdict)
