"""Official documents by the portal: taken by those who follow everybody, recorded by those who
decide."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from docx import Document
from sqlalchemy import select

from models.tables import AccessLog, Assignment
from portal.permissions import Visitor
from tests import world
from tests.portal_site import PDF, RESULT, Site, mark_of, send, site, text_of

LATE = date(2027, 4, 12)


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with site(database_url, tmp_path) as found:
        found.write(world.remember)
        found.clock.instant += LATE - world.TODAY
        yield found


def test_coordinator_takes_the_yearly_report_as_docx_and_pdf(portal: Site) -> None:
    browser = portal.logged_in(Visitor.COORDINATOR)
    word = browser.get("/van-ban/xuat/bao-cao-nam.docx?nam=2027")
    assert word.status_code == 200, text_of(word)
    text = "\n".join(one.text for one in Document(io.BytesIO(word.content)).paragraphs)
    assert "Năm 2027 có" in text
    paper = browser.get("/van-ban/xuat/bao-cao-nam.pdf?nam=2027&theo=goc")
    assert paper.content.startswith(b"%PDF-1.7")
    taken = portal.read(
        lambda session: session.scalars(
            select(AccessLog.path).where(AccessLog.method == "EXPORT")
        ).all()
    )
    assert [one for one in taken if "bao-cao-nam" in one] == [
        "/van-ban/xuat/bao-cao-nam.docx?nam=2027",
        "/van-ban/xuat/bao-cao-nam.pdf?nam=2027&theo=goc",
    ]


@pytest.mark.parametrize(
    "asked", ["bao-cao-nam.docx?nam=1999", "bao-cao-nam.pdf?nam=tat-ca", "don-doc.pdf?luc=hom-qua"]
)
def test_what_cannot_be_read_is_said_and_no_file_is_made(portal: Site, asked: str) -> None:
    answer = portal.logged_in(Visitor.AUDITOR).get(f"/van-ban/xuat/{asked}")
    assert answer.status_code == 422
    assert "ề nghị" in text_of(answer) or "bỏ qua" in text_of(answer)
    assert "Chưa lập được văn bản" in text_of(answer)


def test_what_was_typed_stands_in_the_form_again(portal: Site) -> None:
    browser = portal.logged_in(Visitor.AUDITOR)
    wrong = "/van-ban/xuat/bao-cao-nam.docx?nam=2027&chot=15-thang-12&theo=goc&luc=12/4/2027"
    answer = browser.get(wrong)
    assert answer.status_code == 422
    assert 'value="15-thang-12"' in answer.text
    assert 'value="goc" checked' in answer.text
    letter = browser.get("/van-ban/xuat/don-doc.pdf?ky=province&tra-loi=mai&luc=12/4/2027")
    assert letter.status_code == 422
    assert 'value="mai"' in letter.text
    assert 'value="province" checked' in letter.text


def test_an_issued_letter_is_recorded_and_shown_on_the_work_that_it_urged(portal: Site) -> None:
    """Rule 27: what a letter urged leaves "Cần văn bản đôn đốc"; its history says which letter."""
    browser = portal.logged_in(Visitor.COORDINATOR)
    page = browser.get("/van-ban")
    assert page.status_code == 200, text_of(page)
    form = {
        "mark": mark_of(page),
        "document": "Số: 2022 / SNV-CCHC",
        "issued_on": "12/4/2027",
        "ky": "coordinator",
        "luc": "12/4/2027 08:30",
    }
    answer = browser.post("/van-ban/don-doc", data=form)
    assert answer.status_code == 303, text_of(answer)
    shown = text_of(browser.get(answer.headers["location"]))
    assert "2022/SNV-CCHC ngày 12/4/2027" in shown
    assert "đôn đốc" in shown
    work = text_of(browser.get(f"/viec/{portal.work['I.1/xa_van_ninh']}"))
    assert "đã đôn đốc bằng văn bản 2022/SNV-CCHC ngày 12/4/2027" in work
    assert "Đôn đốc bằng văn bản" in work
    again = browser.post("/van-ban/don-doc", data=form)
    assert again.status_code == 409
    undone = browser.post(
        "/van-ban/don-doc/bo",
        data={
            "mark": mark_of(page),
            "document": "2022/SNV-CCHC",
            "issued_on": "12/4/2027",
            "reason": "Ghi nhầm số.",
        },
    )
    assert undone.status_code == 303, text_of(undone)
    assert "Đã bỏ ghi nhận" in text_of(browser.get("/van-ban"))


def test_wrong_letters_come_back_with_the_field_and_what_was_typed(portal: Site) -> None:
    browser = portal.logged_in(Visitor.LEADERSHIP)
    page = browser.get("/van-ban")
    for changed, told in (
        ({"document": ""}, "Đề nghị ghi số, ký hiệu công văn"),
        ({"issued_on": ""}, "Đề nghị ghi ngày ban hành"),
        ({"issued_on": "20/4/2027"}, "Ngày ban hành chưa đến"),
        ({"luc": ""}, "Đề nghị ghi giờ của số liệu"),
        ({"luc": "2/3/2027"}, "không có nhiệm vụ nào quá hạn"),
    ):
        form = {
            "mark": mark_of(page),
            "document": "7/SNV-CCHC",
            "issued_on": "12/4/2027",
            "ky": "coordinator",
            "luc": "12/4/2027 08:30",
        }
        answer = browser.post("/van-ban/don-doc", data=form | changed)
        assert answer.status_code == 422
        assert told in text_of(answer)


def test_dossier_holds_files_whose_digests_check(portal: Site) -> None:
    """Luật Lưu trữ 33/2024: a task's files, history and digests; the same data, the same bytes."""
    agency = portal.logged_in(Visitor.AGENCY)
    number = portal.work["I.1/xa_van_ninh"]
    form = {**RESULT, "issued_on": "9/4/2027"}
    answer = send(agency, f"/co-quan/viec/{number}", "cap-nhat", form, files=[("a.pdf", PDF)])
    assert answer.status_code == 303, text_of(answer)
    browser = portal.logged_in(Visitor.AUDITOR)
    occurrence = portal.read(lambda session: session.get_one(Assignment, number).occurrence_id)
    taken = browser.get(f"/van-ban/xuat/ho-so/{occurrence}.zip")
    assert taken.status_code == 200
    portal.clock.instant += timedelta(minutes=7)
    assert browser.get(f"/van-ban/xuat/ho-so/{occurrence}.zip").content == taken.content
    with zipfile.ZipFile(io.BytesIO(taken.content)) as held:
        names = held.namelist()
        sums = held.read("SHA-256SUMS").decode().splitlines()
        for line in sums:
            digest, name = line.split("  ", 1)
            assert hashlib.sha256(held.read(name)).hexdigest() == digest
        assert len(sums) == len(names) - 1
        assert any(one.endswith("-a.pdf") for one in names)
        assert "lich-su.json" in names


def test_every_document_can_be_drawn_as_known_at_an_instant(portal: Site) -> None:
    """Rule 39: the page keeps its instant in every link and form, and records nothing."""
    browser = portal.logged_in(Visitor.COORDINATOR)
    page = browser.get("/van-ban?luc=12/4/2027 08:00")
    assert page.status_code == 200
    assert "Như đã biết lúc 08 giờ 00 ngày 12/4/2027" in text_of(page)
    assert '/van-ban/don-doc"' not in page.text
    links = re.findall(r'href="(/van-ban/xuat/[^"]+)"', page.text)
    assert links
    assert all("luc=2027-04-12T01%3A00%3A59.999999Z" in one for one in links)
    assert browser.get(unescape(next(one for one in links if ".docx" in one))).status_code == 200
    assert browser.get(links[0]).headers["content-type"] == "application/zip"
    occurrence = portal.read(
        lambda s: s.get_one(Assignment, portal.work["I.1/xa_van_ninh"]).occurrence_id
    )
    early = f"/van-ban/xuat/ho-so/{occurrence}.pdf?luc=1/1/2026"
    assert browser.get(early).status_code == 404


def test_nobody_below_takes_documents(portal: Site) -> None:
    browser = portal.logged_in(Visitor.AGENCY)
    for path in ("/van-ban", "/van-ban/xuat/don-doc.pdf", "/van-ban/xuat/ho-so/1.zip"):
        assert browser.get(path).status_code == 403
