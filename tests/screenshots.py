"""Pictures of every page as a person sees it, at the width of a phone and of an office screen.

``python -m tests.screenshots [FOLDER]`` writes them into ``var/screenshots``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from rules.values import Role
from tests.portal_live import AGENCY, CENTRE, LATE, PASSWORD, Live, live

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def visit(browser: Browser, width: str, *, scripts: bool = True) -> BrowserContext:
    """A fresh visitor with a screen of this width."""
    wide, high = WIDTHS[width]
    return browser.new_context(
        viewport={"width": wide, "height": high}, java_script_enabled=scripts, locale="vi-VN"
    )


def log_in(page: Page, site: Live, username: str) -> None:
    """Log in as somebody."""
    page.goto(f"{site.url}/dang-nhap")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    follow(page, "main button[type=submit]")


def follow(page: Page, selector: str) -> None:
    """Click what leads to another page, and wait for that page.

    A click alone returns while the old page still stands: what is read next may be read from it,
    or fail between the two; and a tab that is closed while it loads may never say that it is.
    """
    with page.expect_navigation():
        page.click(selector)


class Camera:
    """Takes numbered pictures of one width."""

    def __init__(self, page: Page, site: Live, folder: Path, width: str) -> None:
        self.page, self.site, self.folder, self.width = page, site, folder, width
        self.taken = 0

    def open(self, path: str, name: str) -> None:
        """Open a page and take its picture."""
        self.page.goto(self.site.url + path)
        self.take(name)

    def take(self, name: str) -> None:
        """Take the picture of the whole page."""
        self.taken += 1
        file = self.folder / f"{self.width}-{self.taken:02d}-{name}.png"
        self.page.screenshot(path=file, full_page=True)


def by_link(camera: Camera) -> None:
    """What an agency sees behind its letter's link."""
    page, site = camera.page, camera.site
    link, work = site.link(), site.work(AGENCY, "I.1", "2027")
    camera.open(link, "link-list")
    camera.open(f"{link}/viec/{work}", "link-work")
    page.click("text=Nguyên văn tại Quyết định")
    camera.take("link-work-verbatim")
    page.fill("#o-cap-nhat-document", "QĐ 118")
    page.fill("#o-cap-nhat-issued_on", "32/3/2027")
    follow(page, "#cap-nhat button[type=submit]")
    camera.take("link-mistakes")
    partner = f"{link}/viec/{site.work(AGENCY, 'II.3', '2027', Role.PARTNER)}"
    camera.open(partner, "link-partner")
    page.fill("#o-phoi-hop-text", "Xã có 4 công chức cần bồi dưỡng.")
    page.fill("#o-phoi-hop-who_name", "Nguyễn Thị Hoa")
    camera.open(f"{site.link(LATE)}", "link-late-list")
    camera.open(f"{site.link(CENTRE)}", "link-centre-list")
    camera.open("/lien-ket/khong-dung", "link-forged")
    camera.open("/khong-co", "not-found")


def by_account(camera: Camera) -> None:
    """What people with accounts see."""
    page, site = camera.page, camera.site
    camera.open("/", "landing")
    camera.open("/dang-nhap", "login")
    log_in(page, site, "dieuphoi")
    camera.take("overview")
    camera.open(f"/viec/{site.work('xa_cam_lam', 'I.1', '2027')}", "work-to-confirm")
    camera.open(f"/viec/{site.work(AGENCY, 'I.1', '2027')}", "work-extension")
    camera.open("/co-quan", "own-work")
    follow(page, "text=Đăng xuất")
    log_in(page, site, "kiemtra")
    camera.open(f"/viec/{site.work('xa_dien_khanh', 'I.1', '2027')}", "work-auditor")
    follow(page, "text=Đăng xuất")


def mailbox(camera: Camera) -> None:
    """The local mailbox."""
    page = camera.page
    camera.open("/hop-thu-thu?hop-thu=van-ninh", "mailbox")
    follow(page, "td a >> nth=0")
    page.wait_for_timeout(300)
    camera.take("letter")
    page.click("text=Thư dạng chữ")
    camera.take("letter-text")


def after_a_form(camera: Camera) -> None:
    """What a sent form leads to, and a link that has expired."""
    page, site = camera.page, camera.site
    agency = {"phone": "xa_dai_lanh", "desk": "xa_tu_bong"}[camera.width]
    link, work = site.link(agency), site.work(agency, "I.1", "2027")
    page.goto(f"{site.url}{link}/viec/{work}")
    page.fill("#o-cap-nhat-document", "118/QĐ-UBND")
    page.fill("#o-cap-nhat-issued_on", "2/4/2027")
    page.fill("#o-cap-nhat-text", "Đã phân công 3 công chức thực hiện cải cách hành chính.")
    page.fill("#o-cap-nhat-who_name", "Nguyễn Thị Hoa")
    follow(page, "#cap-nhat button[type=submit]")
    camera.take("recorded")
    short = site.link(agency, days=1)
    site.clock.instant += timedelta(days=2)
    camera.open(short, "link-expired")
    follow(page, "text=Gửi lại liên kết >> nth=-1")
    camera.take("link-sent")
    site.clock.instant -= timedelta(days=2)


def every_page(browser: Browser, site: Live, folder: Path) -> int:
    """Each page for whoever uses it most, at both widths; and the sheet for a meeting on paper."""
    from portal.permissions import Visitor
    from tests.portal_walk import enter, stops

    contexts = enter(browser, site)
    pages = {visitor: context.new_page() for visitor, context in contexts.items()}
    shown = [stop for stop in stops(site, contexts) if stop.main]
    for stop in shown:
        page = pages[stop.visitor]
        page.goto(site.url + stop.path)
        for width, (wide, high) in WIDTHS.items():
            page.set_viewport_size({"width": wide, "height": high})
            page.screenshot(path=folder / f"{width}-page-{stop.name}.png", full_page=True)
    sheet = pages[Visitor.COORDINATOR]
    sheet.goto(f"{site.url}/giao-ban")
    sheet.pdf(path=folder / "a4-giao-ban.pdf", format="A4", prefer_css_page_size=True)
    sheet.emulate_media(media="print")
    sheet.set_viewport_size({"width": 794, "height": 1123})
    sheet.screenshot(path=folder / "a4-giao-ban.png", full_page=True)
    return len(shown)


def main(arguments: list[str]) -> int:
    """Write all pictures."""
    folder = Path(arguments[0] if arguments else "var/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.*"):
        old.unlink()
    with tempfile.TemporaryDirectory() as place, live(Path(place)) as site, chromium() as browser:
        for width in WIDTHS:
            context = visit(browser, width)
            camera = Camera(context.new_page(), site, folder, width)
            for play in (by_link, by_account, mailbox, after_a_form):
                play(camera)
            context.close()
            print(f"{camera.taken} pictures for {width} in {folder}")  # noqa: T201
        pages = every_page(browser, site, folder)
        print(f"{pages} pages, each at both widths, in {folder}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
