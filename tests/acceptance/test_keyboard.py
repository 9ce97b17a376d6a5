"""Without a mouse: Tab reaches everything in the order of the page, and shows where it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from portal.permissions import Visitor
from tests.portal_live import AGENCY, Live, live
from tests.portal_walk import enter
from tests.screenshots import chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PAGES = {
    "list by link": (Visitor.LINK, "{link}"),
    "work by link": (Visitor.LINK, "{link}/viec/{work}"),
    "login": (Visitor.ANYBODY, "/dang-nhap"),
    "overview": (Visitor.COORDINATOR, "/"),
    "queue": (Visitor.COORDINATOR, "/dieu-phoi"),
    "heat map": (Visitor.COORDINATOR, "/ban-do?nhiem-vu=II.3"),
    "work": (Visitor.COORDINATOR, "/viec/{work}"),
    "agency": (Visitor.COORDINATOR, "/danh-muc/co-quan/" + AGENCY),
    "findings": (Visitor.COORDINATOR, "/kiem-tra/kien-nghi"),
    "accounts": (Visitor.ADMIN, "/danh-muc/tai-khoan"),
}
LONG = 150
"""How many stops of a long page are walked one by one."""


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


@pytest.fixture(scope="module")
def contexts(site: Live, browser: Browser) -> dict[Visitor, BrowserContext]:
    """Everybody, logged in."""
    return enter(browser, site)


REACHABLE = """() => {
  const all = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex]')];
  const seen = all.filter(one => one.checkVisibility({visibilityProperty: true})
    && !one.disabled && one.tabIndex >= 0
    // Of radio buttons with one name the keyboard stops at one.
    && !(one.type === 'radio' && one !== document.querySelector(
        `input[type=radio][name="${one.name}"]:checked`) && document.querySelector(
        `input[type=radio][name="${one.name}"]:checked`)));
  window.order = seen;
  window.plain = seen.map(one => look(one));
  return seen.length;
  function look(one) {
    const style = getComputedStyle(one);
    return style.outlineStyle + style.outlineWidth + style.outlineColor + style.boxShadow;
  }
}"""
"""Notes every element that the keyboard should reach, and how each looks when it is elsewhere."""

HERE = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const looks = style.outlineStyle + style.outlineWidth + style.outlineColor + style.boxShadow;
  const place = window.order.indexOf(one);
  const box = one.getBoundingClientRect();
  return {place, shown: looks !== window.plain[place] && style.outlineStyle !== 'none',
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0,
    name: one.tagName + ' ' + (one.innerText || one.name || one.id || '').slice(0, 40)};
}"""


def _walk(page: Page) -> None:
    count = page.evaluate(REACHABLE)
    for expected in range(min(count, LONG)):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        assert here["place"] == expected, (
            f"{page.url}: Tab number {expected + 1} of {count} goes to {here['name']}, in place "
            f"{here['place']} of the page"
        )
        assert here["shown"], f"{page.url}: nothing shows that {here['name']} has the focus"
        assert here["inside"], f"{page.url}: {here['name']} has the focus and is out of sight"
    if count <= LONG:
        page.keyboard.press("Tab")
        assert page.evaluate(HERE)["place"] != count - 1, f"{page.url} holds the focus"


@pytest.mark.parametrize("name", list(PAGES))
def test_tab_reaches_everything_in_order_and_shows_where_it_is(
    site: Live, contexts: dict[Visitor, BrowserContext], name: str
) -> None:
    visitor, path = PAGES[name]
    page = contexts[visitor].new_page()
    work = site.work(AGENCY, "I.1", "2027")
    page.goto(site.url + path.format(link=site.link(), work=work))
    _walk(page)
    page.close()


def test_enter_opens_a_fold_and_a_mistake_leads_to_its_field(
    site: Live, contexts: dict[Visitor, BrowserContext]
) -> None:
    """The summary of mistakes links to the fields; each field says what is wrong with it."""
    page = contexts[Visitor.LINK].new_page()
    page.goto(f"{site.url}{site.link()}/viec/{site.work(AGENCY, 'I.1', '2027')}")
    page.focus("#vuong-mac > summary")
    page.keyboard.press("Enter")
    assert page.is_visible("#vuong-mac form")
    page.keyboard.press("Enter")
    assert not page.is_visible("#vuong-mac form")
    page.fill("#o-cap-nhat-issued_on", "32/3/2027")
    page.focus("#cap-nhat button[type=submit]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.title().startswith("Cần sửa")
    page.focus(".alert a >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_url("**#*")
    target = page.evaluate("location.hash")
    page.keyboard.press("Tab")
    told = page.evaluate(
        """hash => {
          const field = document.querySelector(hash);
          const ids = (field.getAttribute('aria-describedby') || '').trim().split(/ +/);
          return {invalid: field.getAttribute('aria-invalid'),
            text: ids.map(id => document.getElementById(id).innerText).join(' ')};
        }""",
        target,
    )
    assert told["invalid"] == "true"
    assert "Cần sửa" in told["text"]
    page.close()


def test_the_menu_of_a_phone_opens_without_scripts(site: Live, browser: Browser) -> None:
    from tests.screenshots import follow, log_in, visit

    context = visit(browser, "phone", scripts=False)
    page = context.new_page()
    log_in(page, site, "dieuphoi")
    assert not page.is_visible("nav.main-menu a[href='/dieu-phoi/gia-han']")
    page.focus("nav.main-menu summary")
    page.keyboard.press("Enter")
    follow(page, "nav.main-menu a[href='/dieu-phoi/gia-han']:visible")
    assert page.inner_text("h1") == "Đề nghị gia hạn đang chờ"
    assert page.get_attribute(".fold [aria-current]", "aria-current") == "page"
    context.close()
