"""The overview, its lists and their spreadsheets, the heat map, the items and the sheet, as pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, AgencyRow, Assignment
from operations.extensions import ask_extension
from operations.obstacles import raise_obstacle
from portal.pages import briefing
from portal.pages.exports import PAGE_LINES
from portal.permissions import Visitor
from portal.rendering import STATIC
from portal.tables import LISTINGS, Listing
from portal.together import NAMES, Together
from reports.tables import Line, Table
from rules.lifecycle import Status
from tests import databases, portal_site, world
from tests.portal_site import Site, text_of
from tests.screenshots import ARGUMENTS, CHROMIUM

FORMULA = '=HYPERLINK("http://evil.test","x")'
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def site(
    sqlite_copies: databases.Copies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A portal with an overdue row, one that waits, a request and an obstacle."""
    folder = tmp_path_factory.mktemp("overview")
    with sqlite_copies.one(folder, migrated=True) as url, portal_site.site(url, folder) as found:
        first, second = found.work["I.1/xa_van_ninh"], found.work["II.5/xa_van_ninh"]

        def play(session: Session) -> None:
            ask_extension(
                session, world.agency(), first, until=world.DUE.replace(month=5), reason=FORMULA
            )
            raise_obstacle(session, world.agency(), text=f"{FORMULA} {SCRIPT}", assignment_id=first)
            row = session.get_one(Assignment, second)
            row.status, row.next_reminder_on = Status.SUBMITTED.value, None
            row.submitted_on = row.completed_on = world.TODAY
            late = session.get_one(Assignment, found.work["I.1/phuong_nha_trang"])
            late.due_on, late.agency_name = world.TODAY.replace(month=2), FORMULA
            session.get_one(AgencyRow, world.C).name = SCRIPT

        found.write(play)
        yield found


@pytest.fixture(scope="module")
def staff(site: Site) -> TestClient:
    """Somebody of the coordinating agency."""
    return site.logged_in(Visitor.COORDINATOR)


def numbers_of(text: str) -> list[tuple[str, int]]:
    """The links that begin with a number: address and number."""
    found = re.findall(r'<a[^>]*href="(/bang/[^"]+)"[^>]*><b>([\d.]+)</b>', text)
    return [(unescape(address), int(number.replace(".", ""))) for address, number in found]


@pytest.mark.parametrize("address", ["/", "/?nam=tat-ca", "/?quy=1&theo=goc", "/?chot=15/2/2027"])
def test_each_number_leads_to_a_list_of_that_length(staff: TestClient, address: str) -> None:
    numbers = numbers_of(staff.get(address).text)
    assert len(numbers) >= 4 + len([one for one in LISTINGS.values() if not one.scoped])
    for link, number in numbers:
        if link == "/bang/luot-chay":
            continue  # the number of alarms; the list holds every item
        assert f" {number} dòng." in text_of(staff.get(link)), link


def test_the_figures_of_the_year_stand_on_the_first_page(staff: TestClient) -> None:
    text = text_of(staff.get("/"))
    for expected in (
        "Tổng quan tiến độ năm 2027",
        "0 √ Hoàn thành đúng hạn",
        "4 ● Chưa hoàn thành, trong hạn",
        "1 ▲ Chưa hoàn thành, quá hạn",
        "Quá hạn (1)",
        "Chờ xác nhận (1)",
        "Đề nghị gia hạn đang chờ (1)",
        "Vướng mắc đang chờ (1)",
        "Việc của cơ quan điều phối (1)",
        "4 Nhiệm vụ phải chạy mà không chạy (36 giờ)",
    ):
        assert expected in text, expected


def test_every_list_opens_as_page_and_as_spreadsheet(site: Site, staff: TestClient) -> None:
    for key in LISTINGS:
        page = staff.get(f"/bang/{key}?nam=tat-ca")
        assert page.status_code == 200, key
        file = staff.get(f"/xuat/{key}.xlsx?nam=tat-ca")
        assert file.headers["content-disposition"].startswith("attachment"), key
        sheet = load_workbook(BytesIO(file.content)).active
        assert sheet is not None
        texts = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert not [cell for cell in texts if cell.data_type == "f"], key
    log = select(AccessLog.actor, AccessLog.path).where(AccessLog.method == "EXPORT")
    taken = site.read(lambda session: session.execute(log).all())
    assert ("account:coordinator", "/xuat/phan-cong.xlsx?nam=tat-ca (") in [
        (actor, path.partition("(")[0] + "(") for actor, path in taken
    ]


def test_what_somebody_typed_runs_nowhere(staff: TestClient) -> None:
    for address in ("/", "/ban-do", "/giao-ban", "/bang/phan-cong", "/nhiem-vu/qd_1718_2023/II.5"):
        assert SCRIPT not in staff.get(address).text, address
    sheet = load_workbook(BytesIO(staff.get("/xuat/qua-han.xlsx").content)).active
    assert sheet is not None
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == FORMULA)
    assert (cell.data_type, cell.quotePrefix) == ("s", True)


def test_filters_stay_in_the_address(staff: TestClient) -> None:
    page = staff.get("/bang/phan-cong?nam=2027&theo=goc&chot=20/2/2027&o=trong-han&nhiem-vu=I.1")
    assert "Tính đến hết ngày 20/2/2027, theo hạn ban đầu." in text_of(page)
    excel = re.search(r'href="(/xuat/phan-cong.xlsx\?[^"]+)"', page.text)
    assert excel is not None
    kept = unescape(excel[1])
    for part in ("nam=2027", "theo=goc", "chot=20%2F2%2F2027", "o=trong-han", "nhiem-vu=I.1"):
        assert part in kept, part
    assert '<input type="hidden" name="nhiem-vu" value="I.1">' in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nam=1999", "Không có năm “1999”"),
        ("chot=31/2/2027", "Không có ngày 31/2/2027"),
        ("chot=1/1/2030", "chưa đến"),
        ("o=%3Cb%3E", "Không có ô theo dõi “<b>”"),
        ("quy=9&nam=2027", "Không có quý “9”"),
        ("trang=99999&trang-thai=x", "Không có tình trạng “x”"),
    ],
)
def test_a_filter_that_cannot_be_read_is_said(staff: TestClient, query: str, said: str) -> None:
    page = staff.get(f"/bang/phan-cong?{query}")
    assert page.status_code == 200
    assert said in unescape(page.text)


def test_long_lists_come_in_pages(staff: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PAGE_LINES == 100
    monkeypatch.setattr("portal.pages.exports.PAGE_LINES", 3)
    first = staff.get("/bang/phan-cong?vai-tro=chu-tri")
    assert "Trang 1/2" in text_of(first)
    last = staff.get("/bang/phan-cong?vai-tro=chu-tri&trang=2")
    assert "« Trước" in text_of(last)
    shown = [len(re.findall(r'<a href="/viec/', page.text)) for page in (first, last)]
    assert shown == [3, 2]


def test_each_cell_of_the_heat_map_is_a_link_with_words(site: Site, staff: TestClient) -> None:
    page = staff.get("/ban-do").text
    cell = re.search(rf'<a href="/viec/{site.work["I.1/phuong_nha_trang"]}"[^>]*>', page)
    assert cell is not None
    said = 'aria-label="I.1, Phường Nha Trang: Chưa hoàn thành, quá hạn"'
    assert said in cell[0]
    assert "<details" in page
    assert not re.findall(r'<td class="heat-(?!void)[a-z]+">(?!<a )', page)


def test_an_item_shows_the_words_beside_their_meaning(staff: TestClient) -> None:
    text = text_of(staff.get(f"/nhiem-vu/{world.PLAN}/I.1"))
    for expected in (
        "Nguyên văn Quyết định số 1718/QĐ-UBND",
        "Các cơ quan, đơn vị, địa phương",
        "Mỗi cơ quan chủ trì phần của mình",
        "Xã Vạn Ninh √ đã đọc trong văn bản",
        "Căn cứ về ngày thử √ có căn cứ",
        "Chủ trì (2)",
        "Phối hợp (1)",
    ):
        assert expected in text, expected
    assert staff.get(f"/nhiem-vu/{world.PLAN}/IX.9").status_code == 404
    assert staff.get("/nhiem-vu/khong_co/I.1").status_code == 404
    assert staff.get("/bang/khong-co").status_code == 404


def test_quarters_keep_their_numerals(staff: TestClient) -> None:
    text = text_of(staff.get("/danh-muc/lich"))
    assert "Quý II/2027" in text
    assert "Quý ii" not in text


def test_the_items_have_their_years(staff: TestClient) -> None:
    text = text_of(staff.get("/nhiem-vu"))
    assert "Dải năm 2026–2030" in text
    assert "Nhiệm vụ I.1" in text


def test_the_sheet_says_what_waits_and_when_it_was_counted(staff: TestClient) -> None:
    text = text_of(staff.get("/giao-ban"))
    for expected in (
        "Số liệu lúc 09 giờ 00 ngày 1/3/2027",
        "Đang quá hạn, mọi kỳ (1 việc)",
        "Quyết định 1 đề nghị gia hạn đang chờ.",
        "Trả lời hoặc tổng hợp, báo cáo UBND tỉnh 1 vướng mắc.",
    ):
        assert expected in text, expected


def test_agencies_never_see_the_standing_of_others(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    for address in ("/ban-do", "/nhiem-vu", "/giao-ban", "/bang/phan-cong", "/xuat/phan-cong.xlsx"):
        assert browser.get(address).status_code == 403, address
    assert browser.get("/").headers["location"] == "/co-quan"


@pytest.mark.browser
def test_the_fullest_sheet_prints_on_one_page(
    staff: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Together(
        item="CCHC-1718 · II.5",
        period="quý III/2027",
        due_on=world.DUE,
        count=79,
        names=", ".join(["Sở Nông nghiệp và Môi trường tỉnh"] * NAMES) + " và 71 cơ quan khác",
        days=4,
        href="#",
    )
    stuck = LISTINGS["vuong-mac"].build
    said = (
        "Ban hành văn bản đôn đốc 79 cơ quan với 158 việc đã nhắc hết các bậc mà chưa hoàn thành."
    )
    listing = Listing(title="", build=lambda source: _many(stuck(source)))
    monkeypatch.setattr(briefing, "LISTINGS", {**LISTINGS, "vuong-mac": listing})
    monkeypatch.setattr(briefing, "together", lambda _source, _rows: [full] * 15)
    monkeypatch.setattr(briefing, "proposals", lambda *_: iter([said] * 6))
    text = re.sub(r"/static/(\w+)\.css\?v=\w+", r"\1.css", staff.get("/giao-ban").text)
    assert text.count("CCHC-1718 · II.5") == briefing.OVERDUE_LINES + briefing.SOON_LINES
    for sheet in STATIC.glob("*.css"):
        shutil.copy(sheet, tmp_path)
    (tmp_path / "sheet.html").write_text(text)
    printed = tmp_path / "sheet.pdf"
    command = [CHROMIUM, "--headless", *ARGUMENTS, f"--user-data-dir={tmp_path}/profile"]
    command += ["--no-pdf-header-footer", f"--print-to-pdf={printed}"]
    subprocess.run(
        [*command, f"file://{tmp_path}/sheet.html"], check=True, capture_output=True, timeout=60
    )
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed.read_bytes())) == 1


def _many(table: Table) -> Table:
    """The list of obstacles, long in both directions."""
    agency, item, period, at, _, state, document = table.lines[0].values
    line = Line(values=(agency, item, period, at, "vướng mắc " * 40, state, document))
    return replace(table, lines=(line,) * 9)
