"""The pictures of the guidance in ``docs/huong-dan``, taken from the portal as it is now.

``python -m tests.guidance_pictures [FOLDER]`` writes them into ``docs/images/huong-dan``; run it
after a change of a page that they show.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from notifications.mailbox import list_messages
from tests.portal_live import AGENCY, Live, live
from tests.screenshots import chromium, follow, log_in, visit

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "huong-dan"
LARGEST = 150_000
"""Bytes of one picture; they are part of the repository and go over slow lines."""


class Photographer:
    """Takes parts of pages: from the top, or from an element on, so many pixels high."""

    def __init__(self, page: Page, site: Live, folder: Path) -> None:
        self.page, self.site, self.folder = page, site, folder

    def take(self, name: str, *, start: str = "header.top", high: int = 620) -> None:
        """A picture of the open page from ``start`` on, as wide as the window."""
        page = self.page
        top = page.locator(start).first.evaluate(
            "one => one.getBoundingClientRect().top + window.scrollY"
        )
        wide, end = page.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollHeight]"
        )
        page.screenshot(
            path=self.folder / f"{name}.png",
            full_page=True,
            clip={"x": 0, "y": top, "width": wide, "height": min(high, end - top)},
        )

    def open(self, path: str, name: str, *, start: str = "header.top", high: int = 620) -> None:
        """Open a page and take its picture."""
        self.page.goto(self.site.url + path)
        self.take(name, start=start, high=high)


def of_agencies(camera: Photographer) -> None:
    """The letter, the list behind its link, a result and its receipt."""
    page, site = camera.page, camera.site
    folder = site.runtime.settings.mailbox_dir
    letters = list_messages(folder, to="xa-van-ninh@khanh-hoa.test")
    letter = next(one for one in letters if "tiếp nhận" not in one.subject)
    camera.open(f"/hop-thu-thu/{letter.id}/noi-dung", "co-quan-thu", start="body", high=640)
    camera.open(site.link(), "co-quan-danh-sach", high=640)
    page.goto(f"{site.url}{site.link()}/viec/{site.work(AGENCY, 'I.1', '2027')}")
    page.fill("#o-cap-nhat-document", "118/QĐ-UBND")
    page.fill("#o-cap-nhat-issued_on", "2/4/2027")
    page.fill("#o-cap-nhat-title", "Về việc phân công nhiệm vụ cải cách hành chính")
    page.fill("#o-cap-nhat-text", "Đã phân công 3 công chức thực hiện cải cách hành chính.")
    page.fill("#o-cap-nhat-who_name", "Nguyễn Thị Hoa")
    camera.take("co-quan-cap-nhat", start="#cap-nhat", high=600)


def of_a_receipt(camera: Photographer) -> None:
    """What a sent result leads to; taken last, for it changes what the other pages show."""
    follow(camera.page, "#cap-nhat button[type=submit]")
    camera.take("co-quan-da-ghi", start="main", high=460)


def of_the_desk(camera: Photographer) -> None:
    """The coordinator's pages."""
    camera.open("/", "dieu-phoi-tong-quan", high=760)
    camera.open("/dieu-phoi", "dieu-phoi-xac-nhan", start="article.panel", high=480)
    camera.open("/dieu-phoi/gia-han", "dieu-phoi-gia-han", start="article.panel", high=520)
    camera.open("/dieu-phoi/lich-nam", "dieu-phoi-lich-nam", start="main", high=820)


def of_those_who_check(camera: Photographer) -> None:
    """The auditors' pages."""
    camera.open("/kiem-tra", "kiem-tra-trang-dau", high=560)
    history = "/lich-su?nhiem-vu=I.1&ky=2027&co-quan=so_tai_chinh"
    camera.open(history, "kiem-tra-lich-su", start="ol.events", high=520)
    camera.open("/kiem-tra/can-cu", "kiem-tra-can-cu", start="main table", high=440)


def take_all(folder: Path) -> list[Path]:
    """Take every picture into ``folder`` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, live(Path(place)) as site, chromium() as browser:
        stranger = Photographer(visit(browser, "desk").new_page(), site, folder)
        stranger.page.set_viewport_size({"width": 792, "height": 900})
        of_agencies(stranger)
        for name, play in (("dieuphoi", of_the_desk), ("kiemtra", of_those_who_check)):
            camera = Photographer(visit(browser, "desk").new_page(), site, folder)
            camera.page.set_viewport_size({"width": 1000, "height": 900})
            log_in(camera.page, site, name)
            play(camera)
        of_a_receipt(stranger)
    return sorted(folder.glob("*.png"))


def main(arguments: list[str]) -> int:
    """Take the pictures and say which are too large."""
    files = take_all(Path(arguments[0]) if arguments else FOLDER)
    large = [one for one in files if one.stat().st_size > LARGEST]
    for one in files:
        print(f"{one.stat().st_size:>8} {one.name}")  # noqa: T201
    if large:
        print(f"larger than {LARGEST} bytes: {', '.join(one.name for one in large)}")  # noqa: T201
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
