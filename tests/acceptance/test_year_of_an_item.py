"""A year of I.1, played through all three kinds of people in a browser.

Sở Nội vụ fixes the year's dates, four communes answer, one on each combination of screen and
scripts, Sở Nội vụ decides on each the same way, and an auditor reads what happened. The clock is
ours, letters go through a mail server, and everything that people do is done by their pages.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from itertools import product

import openpyxl
import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page
from sqlalchemy import update

from models.tables import Account
from notifications.mailbox import LocalMailbox
from operations.opening import open_due
from operations.reminding import remind
from rules.actors import flow_actor
from runtime.delivery import deliver
from tests.invariants import check_invariants
from tests.portal_live import PLAN, Live, live
from tests.portal_site import PDF
from tests.screenshots import WIDTHS, chromium, follow, log_in, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WAYS = tuple(product(WIDTHS, (True, False)))
"""Screen and whether scripts run."""
COMMUNES = dict(
    zip(
        WAYS,
        (
            ("xa_dai_lanh", "Xã Đại Lãnh"),
            ("xa_tu_bong", "Xã Tu Bông"),
            ("xa_van_thang", "Xã Vạn Thắng"),
            ("xa_van_hung", "Xã Vạn Hưng"),
        ),
        strict=True,
    )
)
FIXED, REMINDED, LATE = date(2028, 1, 4), date(2028, 3, 10), date(2028, 4, 5)
DECIDED, FILED, MENDED, CONFIRMED = (date(2028, 4, day) for day in (6, 19, 21, 24))


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The shipped plan, served."""
    with live(tmp_path_factory.mktemp("year")) as found:
        with found.runtime.database.write() as session:  # they were given until the end of 2027
            session.execute(update(Account).values(valid_to=date(2028, 12, 31)))
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with chromium() as found:
        yield found


def morning(site: Live, day: date, hour: int = 9) -> None:
    """What runs on a working day: work opens, letters are made and sent."""
    site.clock.instant = datetime.combine(day, time(hour - 7), UTC)
    settings, post = site.runtime.settings, site.runtime.post_office()
    with LocalMailbox(settings.mailbox_dir, port=settings.local_mail_port, clock=site.clock.now):
        with site.runtime.database.write() as session:
            open_due(session, site.stamp(flow_actor("hàng ngày")), PLAN)
            remind(session, site.stamp(flow_actor("nhắc việc")))
        deliver(post, as_of=day)


@contextmanager
def person(
    browser: Browser, way: tuple[str, bool], site: Live, account: str = ""
) -> Iterator[Page]:
    """Somebody at a screen of this width; whatever they open fits it and breaks no policy."""
    width, scripts = way
    context: BrowserContext = visit(browser, width, scripts=scripts)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    if account:
        sign_in(page, site, account)
    yield page
    fits(page)
    context.close()
    assert not [one for one in complaints if "422" not in one]  # a mistake, told on purpose


_SESSIONS: dict[tuple[str, datetime], dict[str, str]] = {}
"""One session of each person a scene; at a door that counts, nobody signs in four times."""


def sign_in(page: Page, site: Live, account: str) -> None:
    """Sign in, or go on with the session that this scene has already."""
    scene = (account, site.clock.now())
    if scene in _SESSIONS:
        page.context.add_cookies(
            [
                {"name": name, "value": value, "url": site.url}
                for name, value in _SESSIONS[scene].items()
            ]
        )
        return
    with site.runtime.database.write() as session:  # people were there between the scenes
        session.execute(update(Account).values(last_login_at=site.clock.now()))
    log_in(page, site, account)
    _SESSIONS[scene] = {one["name"]: one["value"] for one in page.context.cookies()}


def fits(page: Page) -> None:
    """Nothing sticks out at the side."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= seen, f"{page.url} is {wide} wide on a screen of {seen}"


def from_letter(page: Page, site: Live, agency: str, subject: str) -> None:
    """Open the newest letter of an agency whose subject says ``subject``, and its link."""
    page.goto(f"{site.url}/hop-thu-thu?hop-thu={agency.replace('_', '-')}@")
    follow(page, f"td a:has-text('{subject}') >> nth=0")
    page.frame_locator("iframe.mail").locator("a[href*='/lien-ket/']").first.click()
    page.wait_for_url("**/lien-ket/**")


def to_work(page: Page) -> None:
    """From wherever a letter led to the page of I.1 · 2028."""
    if "/viec/" not in page.url:
        follow(page, "h3 a:has-text('I.1 · năm 2028')")
    assert "I.1 · năm 2028" in page.inner_text("h1")


def send(page: Page, deed: str, **values: str) -> str:
    """Fill in one of the forms of a piece of work and send it; what the next page says."""
    if page.get_attribute(f"#{deed}", "open") is None:
        page.click(f"#{deed} > summary")
    for name, text in values.items():
        page.fill(f"#o-{deed}-{name}", text)
    follow(page, f"#{deed} button[type=submit]")
    fits(page)
    return page.inner_text("main")


def panel(page: Page, name: str) -> str:
    """The selector of the entry of a queue that is about one agency."""
    return f"article:has(h2:has-text('{name} · I.1 · năm 2028'))"


def test_year_of_one_item_through_all_three_kinds_of_people(site: Live, browser: Browser) -> None:
    """Rules 17, 20-25, 27, 34, 37, 39, 40: from the year's dates to the auditor's file."""
    dates_are_fixed(site, browser)
    for way, (agency, name) in COMMUNES.items():
        communes_start(site, browser, way, agency, name)
    for way, (agency, _) in COMMUNES.items():
        late_ones_ask(site, browser, way, agency)
    for way, (_, name) in COMMUNES.items():
        extension_is_granted(site, browser, way, name)
    for way, (agency, _) in COMMUNES.items():
        result_is_filed(site, browser, way, agency)
    for way, (_, name) in COMMUNES.items():
        more_is_asked_for(site, browser, way, name)
    for way, (agency, _) in COMMUNES.items():
        result_is_mended(site, browser, way, agency)
    for way, (_, name) in COMMUNES.items():
        result_is_confirmed(site, browser, way, name)
    for way, (agency, name) in COMMUNES.items():
        auditor_reads_it_all(site, browser, way, agency, name)
    check_invariants(site.runtime.database)


def dates_are_fixed(site: Live, browser: Browser) -> None:
    """Sở Nội vụ fixes the year's dates by one document."""
    morning(site, FIXED)
    with person(browser, ("desk", False), site, "dieuphoi") as page:
        page.goto(f"{site.url}/dieu-phoi/lich-nam?nam=2028")
        page.fill("#o-lich-nam-document", "05/SNV-CCHC")
        page.fill("#o-lich-nam-issued_on", "4/1/2028")
        follow(page, "text=Xem trước >> nth=-1")
        assert "Chưa ghi gì" in page.inner_text("main")
        follow(page, "main button:has-text('theo văn bản 05/SNV-CCHC')")
        assert "theo văn bản 05/SNV-CCHC" in page.inner_text("[role=status]")


def communes_start(
    site: Live, browser: Browser, way: tuple[str, bool], agency: str, name: str
) -> None:
    """A letter comes, its link opens, the work is begun."""
    if site.stamp(flow_actor("x")).as_of != REMINDED:
        morning(site, REMINDED)
    with person(browser, way, site) as page:
        from_letter(page, site, agency, "Nhắc việc")
        assert f"Ủy ban nhân dân xã {name.removeprefix('Xã ')}" in page.inner_text("main")
        to_work(page)
        assert "31/3/2028" in page.inner_text("main")
        assert "bắt đầu thực hiện" in send(page, "bat-dau", who_name="Võ Thị Lan").lower()


def late_ones_ask(site: Live, browser: Browser, way: tuple[str, bool], agency: str) -> None:
    """The due date has passed: an extension is asked for, with its explanation (23)."""
    if site.stamp(flow_actor("x")).as_of != LATE:
        morning(site, LATE)
    with person(browser, way, site) as page:
        page.goto(f"{site.url}{site.link(agency)}")
        to_work(page)
        assert "Quá hạn" in page.inner_text("main")
        values = {
            "until": "28/4/2028",
            "reason": "Chờ HĐND xã phê chuẩn.",
            "who_name": "Võ Thị Lan",
        }
        assert "Cần sửa" in send(page, "gia-han", **values)
        told = send(page, "gia-han", explanation="Nhân sự thay đổi cuối tháng 3.")
        assert "28/4/2028" in told or "gia hạn" in told


def extension_is_granted(site: Live, browser: Browser, way: tuple[str, bool], name: str) -> None:
    """Sở Nội vụ sees the request and grants it on one screen."""
    site.clock.instant = datetime.combine(DECIDED, time(2), UTC)
    with person(browser, way, site, "dieuphoi") as page:
        page.goto(f"{site.url}/dieu-phoi/gia-han")
        here = panel(page, name)
        assert "Nhân sự thay đổi cuối tháng 3." in page.inner_text(here)
        page.fill(f"{here} [id^=o-dong-y-gia-han][name=reason]", "Lý do chính đáng.")
        follow(page, f"{here} button:has-text('Đồng ý gia hạn')")
        assert name in page.inner_text("[role=status]")
        assert not page.query_selector(here)


def result_is_filed(site: Live, browser: Browser, way: tuple[str, bool], agency: str) -> None:
    """The result is filed with a document and a file, within the new date."""
    site.clock.instant = datetime.combine(FILED, time(2), UTC)
    with person(browser, way, site) as page:
        page.goto(f"{site.url}{site.link(agency)}")
        to_work(page)
        assert "28/4/2028" in page.inner_text("main")
        file = FilePayload(name="quyết định.pdf", mimeType="application/pdf", buffer=PDF)
        page.set_input_files("#o-cap-nhat-file", files=file)
        told = send(
            page,
            "cap-nhat",
            document="61/QĐ-UBND",
            issued_on="18/4/2028",
            text="Đã phân công 3 công chức.",
            who_name="Võ Thị Lan",
        )
        assert "Đã ghi nhận kết quả" in told


def more_is_asked_for(site: Live, browser: Browser, way: tuple[str, bool], name: str) -> None:
    """Sở Nội vụ sends it back with a reason (22)."""
    site.clock.instant = datetime.combine(FILED, time(8), UTC)
    with person(browser, way, site, "dieuphoi") as page:
        page.goto(f"{site.url}/dieu-phoi?nhiem-vu=I.1")
        here = panel(page, name)
        page.click(f"{here} summary:has-text('Đề nghị bổ sung')")
        page.fill(f"{here} textarea[name=reason]", "Thiếu danh sách kèm theo.")
        follow(page, f"{here} button:has-text('Đề nghị bổ sung')")
        assert "bổ sung" in page.inner_text("[role=status]")


def result_is_mended(site: Live, browser: Browser, way: tuple[str, bool], agency: str) -> None:
    """The letter with the reason comes at once, and the commune answers by its link."""
    if site.stamp(flow_actor("x")).as_of != MENDED:
        morning(site, MENDED)
    with person(browser, way, site) as page:
        from_letter(page, site, agency, "Đề nghị bổ sung")
        to_work(page)
        assert "Thiếu danh sách kèm theo." in page.inner_text("main")
        told = send(
            page,
            "cap-nhat",
            document="66/QĐ-UBND",
            issued_on="20/4/2028",
            text="Đã bổ sung danh sách.",
            who_name="Võ Thị Lan",
        )
        assert "Đã ghi nhận kết quả" in told


def result_is_confirmed(site: Live, browser: Browser, way: tuple[str, bool], name: str) -> None:
    """Sở Nội vụ confirms; the evidence is in view."""
    site.clock.instant = datetime.combine(CONFIRMED, time(2), UTC)
    with person(browser, way, site, "dieuphoi") as page:
        page.goto(f"{site.url}/dieu-phoi?nhiem-vu=I.1")
        here = panel(page, name)
        assert "66/QĐ-UBND" in page.inner_text(here)
        follow(page, f"{here} button:has-text('Xác nhận hoàn thành')")
        assert "Đã xác nhận hoàn thành" in page.inner_text("[role=status]")
        page.goto(f"{site.url}/dieu-phoi?nhiem-vu=I.1")
        assert not page.query_selector(here)


def auditor_reads_it_all(
    site: Live, browser: Browser, way: tuple[str, bool], agency: str, name: str
) -> None:
    """The whole story is there, as of now and as known on the day it was late; it cannot be acted on."""
    with person(browser, way, site, "kiemtra") as page:
        page.goto(f"{site.url}/lich-su?nhiem-vu=I.1&ky=2028&co-quan={agency}")
        story = page.inner_text("main")
        for words in ("Chờ HĐND xã phê chuẩn.", "Thiếu danh sách kèm theo.", "66/QĐ-UBND"):
            assert words in story
        fits(page)
        with page.expect_download() as download:
            page.click("text=Excel (xlsx)")
        sheet = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes())).active
        assert sheet is not None
        cells = [str(cell.value) for row in sheet.iter_rows() for cell in row]
        assert any("Thiếu danh sách kèm theo." in cell for cell in cells)
        page.goto(f"{site.url}/nhu-da-biet?luc=5/4/2028 08:30&nhiem-vu=I.1&co-quan={agency}")
        assert "Đang thực hiện" in page.inner_text("main")
        page.goto(f"{site.url}/viec/{site.work(agency, 'I.1', '2028')}")
        assert "Hoàn thành quá hạn" not in page.inner_text("main")
        assert name in page.inner_text("h1")
        assert not page.query_selector("main form[method=post]")
