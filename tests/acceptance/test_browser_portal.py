"""A phone and an office screen, with and without scripts: from the link to the confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page

from rules.values import Role
from tests.portal_live import AGENCY, CENTRE, Live, live
from tests.portal_site import PDF
from tests.screenshots import WIDTHS, chromium, follow, log_in, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FILERS = {
    ("phone", True): "xa_dai_lanh",
    ("phone", False): "xa_tu_bong",
    ("desk", True): "xa_van_thang",
    ("desk", False): "xa_van_hung",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The shipped plan in April 2027, served."""
    with live(tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with chromium() as found:
        yield found


def fits(page: Page) -> None:
    """Nothing sticks out at the side, and nothing was refused by the policy of the page."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= seen, f"{page.url} is {wide} wide on a screen of {seen}"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("width", list(WIDTHS))
def test_agency_files_its_result_with_a_file(
    site: Live, browser: Browser, width: str, scripts: bool
) -> None:
    agency = FILERS[width, scripts]
    context = visit(browser, width, scripts=scripts)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(site.url + site.link(agency))
    fits(page)
    follow(page, "text=Cập nhật kết quả >> nth=0")
    fits(page)
    page.fill("#o-cap-nhat-document", "118/QĐ-UBND")
    page.fill("#o-cap-nhat-issued_on", "32/3/2027")
    page.fill("#o-cap-nhat-text", "Đã phân công 3 công chức.")
    page.fill("#o-cap-nhat-who_name", "Nguyễn Thị Hoa")
    page.set_input_files(
        "#o-cap-nhat-file",
        files=FilePayload(name="quyết định 118.pdf", mimeType="application/pdf", buffer=PDF),
    )
    follow(page, "#cap-nhat button[type=submit]")
    fits(page)
    assert "Không có ngày 32/3/2027" in page.inner_text("main")
    assert "Tệp đã nhận, không cần chọn lại" in page.inner_text("main")
    assert page.input_value("#o-cap-nhat-text") == "Đã phân công 3 công chức."
    page.fill("#o-cap-nhat-issued_on", "2/4/2027")
    follow(page, "#cap-nhat button[type=submit]")
    fits(page)
    told = page.inner_text("main")
    assert "Đã ghi nhận kết quả" in told
    assert "Chờ xác nhận" in told
    follow(page, "text=Xem lại nhiệm vụ này")
    assert "tải tệp quyết định 118.pdf" in page.inner_text("main")
    with page.expect_download() as download:
        page.click("text=tải tệp")
    assert Path(download.value.path()).read_bytes() == PDF
    assert not [one for one in complaints if "422" not in one]  # the mistake above
    context.close()


@pytest.mark.parametrize("width", list(WIDTHS))
def test_no_page_is_wider_than_its_screen(site: Live, browser: Browser, width: str) -> None:
    context = visit(browser, width)
    page, link, work = context.new_page(), site.link(), site.work(AGENCY, "I.1", "2027")
    partner = site.work(AGENCY, "II.3", "2027", Role.PARTNER)
    programme = site.work(CENTRE, "II.1", "2027")
    public = ["/", "/dang-nhap", "/khong-co", "/hop-thu-thu", "/lien-ket/sai"]
    for path in [*public, link, f"{link}/viec/{work}", f"{link}/viec/{partner}"]:
        page.goto(site.url + path)
        fits(page)
    page.goto(f"{site.url}/hop-thu-thu")
    follow(page, "td a >> nth=0")
    fits(page)
    log_in(page, site, "dieuphoi")
    for path in ("/", f"/viec/{work}", f"/viec/{programme}", "/co-quan"):
        page.goto(site.url + path)
        for fold in page.query_selector_all("details:not([open]) > summary"):
            if fold.is_visible():
                fold.click()
        fits(page)
    context.close()


def test_letter_leads_from_its_frame_to_the_work(site: Live, browser: Browser) -> None:
    context = visit(browser, "desk", scripts=False)
    page = context.new_page()
    page.goto(f"{site.url}/hop-thu-thu?hop-thu=xa-van-ninh")
    follow(page, "td a >> nth=0")
    frame = page.frame_locator("iframe.mail")
    frame.locator("a[href*='/lien-ket/']").first.click()
    page.wait_for_url("**/lien-ket/**")
    assert "Ủy ban nhân dân xã Vạn Ninh" in page.inner_text("main")
    context.close()


def test_keyboard_reaches_the_form_and_sends_it(site: Live, browser: Browser) -> None:
    context = visit(browser, "desk")
    page = context.new_page()
    work = site.work("xa_dien_khanh", "I.2", "2027")
    page.goto(f"{site.url}{site.link('xa_dien_khanh')}/viec/{work}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#bat-dau > summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Lê Văn Bảy")
    page.keyboard.press("Enter")
    page.wait_for_url("**/da-ghi-nhan**")
    assert "bắt đầu thực hiện" in page.inner_text("main")
    context.close()
