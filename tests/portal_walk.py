"""A walk over every page of the portal, as everybody who may open it, and what to look for there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext

from notifications.mailbox import list_messages
from operations.account_links import PASSWORD_PATH
from operations.links import LINK_PATH
from operations.queries_groups import letter_groups
from portal.permissions import BY_LINK, TABLE, Visitor
from portal.tables import LISTINGS
from rules.values import Role
from tests.portal_live import AGENCY, CENTRE, LATE, PLAN, TODAY, Live
from tests.portal_routes import ROUTES, address, most_used_by, read_routes, visitors_of
from tests.screenshots import log_in, visit

NAMES: Mapping[Visitor, str] = {
    Visitor.AGENCY: "vanninh",
    Visitor.COORDINATOR: "dieuphoi",
    Visitor.LEADERSHIP: "lanhdao",
    Visitor.ADMIN: "quantri",
    Visitor.AUDITOR: "kiemtra",
}
NO_PAGES = frozenset(
    {
        # A letter itself, as a mail reader shows it in the frame of its page.
        "letter_body",
        "letter_stored_body",
        # Files, of which the world has none.
        "link_file",
        "agency_file",
        "work_file",
        "letter_file",
        "link_findings_file",
        "agency_findings_file",
        "finding_file",
        # Shown once, after a form was sent: test_browser_portal sends one.
        "link_recorded",
        "agency_recorded",
        "work_recorded",
        # The picture of a secret that waits, and the link that only an empty house has:
        # test_portal_doors opens both.
        "own_codes_picture",
        "first_account_form",
        # A calendar file, not a page.
        "calendar_feed",
        # Figures for Prometheus, off in this world.
        "metrics",
        # Open data, closed in this world.
        "open_json",
        "open_atom",
        "open_rss",
        # A step of signing on at a provider, of which this world has none.
        "sign_on",
        "sign_on_return",
        # Of an outlet, of which this world has none: test_outlets opens it.
        "outlet",
    }
)
PATIENCE = 120_000
"""Milliseconds that a busy machine may take for a page."""
GRAVE = frozenset({"serious", "critical"})


@dataclass(frozen=True, slots=True)
class Stop:
    """An address to look at."""

    name: str
    path: str
    visitor: Visitor
    main: bool
    """Whether this visitor uses the page most."""


@dataclass
class Found:
    """What was found wrong, and what deserves a look."""

    wrong: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def samples(site: Live) -> dict[str, str]:
    """Parameters of routes that lead to something in the world of ``tests.portal_live``."""
    letter = list_messages(site.runtime.settings.mailbox_dir, to="xa-van-ninh@khanh-hoa.test")[0]
    with site.runtime.database.read() as session:
        group = letter_groups(session, TODAY)[0].key
    return {
        "token": site.link().removeprefix(LINK_PATH),
        "work_id": str(site.work(AGENCY, "I.1", "2027")),
        "requests_one.work_id": str(site.work(CENTRE, "II.3", "2027")),
        "entering_one.work_id": str(site.work(LATE, "I.1", "2027")),
        "letter_id": letter.id,
        "number": "1",
        "name": "style.css",
        "agency_entry.name": AGENCY,
        "account.name": "vanninh",
        "group.name": group,
        "evidence_id": "1",
        "table": "phan-cong",
        "plan": PLAN,
        "item": "I.1",
        "kind": "csv",
        "secret": "sai",
        "deed": "vuong-mac",
        "key": site.password_link("vanninh").removeprefix(PASSWORD_PATH),
        "occurrence": "1",
        "open_kind": "results",
        "guide": "dieu-phoi",
        "change": "chia-tach",
        "picture_name": "co-quan-thu.png",
        "sha256": "0" * 64,
        "assignment": "1",
        "what": "don-doc",
        "document_file.kind": "pdf",
        "task_dossier.kind": "pdf",
        "milestone_dossier.kind": "pdf",
        "year": "2030",
    }


def _is_page(context: BrowserContext, url: str) -> bool:
    answer = context.request.get(url, timeout=PATIENCE)
    return answer.headers.get("content-type", "").startswith("text/html")


def stops(site: Live, contexts: Mapping[Visitor, BrowserContext]) -> Iterator[Stop]:
    """Every page with everybody who may open it, and some that are no route of their own."""
    known = samples(site)
    for route in read_routes():
        path = address(route, known)
        if route in NO_PAGES or not visitors_of(route) or route.endswith("_export"):
            continue
        first = most_used_by(route)
        if not _is_page(contexts[first], site.url + path):
            continue
        for visitor in visitors_of(route):
            where = path
            if visitor is Visitor.COORDINATOR and TABLE[route] >= {Visitor.AGENCY}:
                own = known | {"work_id": str(site.work(CENTRE, "II.3", "2027"))}
                where = address(route, own) if "work_id" in ROUTES[route].path else path
            yield Stop(route, where, visitor, main=visitor is first)
    partner = site.work(AGENCY, "II.3", "2027", Role.PARTNER)
    yield Stop("link-partner", f"{site.link()}/viec/{partner}", Visitor.LINK, main=True)
    yield Stop("link-late", site.link(LATE), Visitor.LINK, main=True)
    yield Stop("link-forged", f"{LINK_PATH}khong-dung", Visitor.ANYBODY, main=True)
    yield Stop("not-found", "/khong-co", Visitor.ANYBODY, main=True)
    yield Stop("not-allowed", "/danh-muc/tai-khoan", Visitor.AGENCY, main=True)
    for key in LISTINGS:
        yield Stop(f"table-{key}", f"/bang/{key}", Visitor.COORDINATOR, main=key == "qua-han")


def enter(browser: Browser, site: Live) -> dict[Visitor, BrowserContext]:
    """One browser context for each visitor, logged in where that takes an account."""
    contexts = {one: visit(browser, "desk") for one in (Visitor.ANYBODY, Visitor.LINK, *NAMES)}
    for context in contexts.values():
        context.set_default_timeout(PATIENCE)
    for visitor, name in NAMES.items():
        page = contexts[visitor].new_page()
        log_in(page, site, name)
        page.close()
    return contexts


class Walker:
    """Opens stops and notes what is wrong with them."""

    def __init__(self, site: Live, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.site = site
        self.noise: list[str] = []
        self.page.on("console", lambda one: self.noise.append(f"console: {one.text}"))
        self.page.on("pageerror", lambda one: self.noise.append(f"error: {one}"))
        self.page.on("request", lambda one: self._asked(one.url))

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.site.url).netloc:
            self.noise.append(f"asks another host: {url}")

    def look(self, stop: Stop, found: Found) -> None:
        """Open a page at the width of a desk and then of a phone, and note its faults."""
        self.noise.clear()
        where = f"{stop.name} ({stop.visitor.value})"
        self.page.set_viewport_size({"width": 1280, "height": 900})
        answer = self.page.goto(self.site.url + stop.path)
        assert answer is not None
        refused = answer.status >= 400
        if refused and stop.name in ROUTES:
            found.wrong.append(f"{where}: answers {answer.status} at {stop.path}")
        # A browser itself writes a line for every answer that refuses.
        noise = [one for one in self.noise if not (refused and "Failed to load" in one)]
        found.wrong += [f"{where}: {one}" for one in noise]
        found.wrong += [f"{where}: {one}" for one in self.page.evaluate(SHAPE)]
        if stop.main:
            self._axe(where, found)
        self.page.set_viewport_size({"width": 390, "height": 844})
        found.wrong += [f"{where}, phone: {one}" for one in self.page.evaluate(WIDTH)]
        if stop.main and TABLE.get(stop.name, BY_LINK) & {Visitor.LINK, Visitor.AGENCY}:
            self._axe(f"{where}, phone", found)

    def _axe(self, where: str, found: Found) -> None:
        self.page.evaluate(axe().axe_script)
        told = self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations'], iframes: false})"
            ".then(found => found.violations.map(one => [one.impact, one.id, one.help,"
            " one.nodes.slice(0, 3).map(node => node.target.join(' ')).join(' | ')]))"
        )
        for impact, key, text, nodes in told:
            line = f"{where}: axe {impact} {key}: {text} [{nodes}]"
            (found.wrong if impact in GRAVE else found.doubtful).append(line)


@cache
def axe() -> Axe:
    """axe's rules, read once."""
    return Axe()


SHAPE = """() => {
  const wrong = [];
  if (document.documentElement.lang !== 'vi') wrong.push('does not say that it is in Vietnamese');
  const heads = [...document.querySelectorAll('h1')].filter(one => one.offsetParent);
  if (heads.length !== 1) wrong.push(`has ${heads.length} main headings`);
  const names = document.title.split(' – '), place = names.pop();
  if (!names.join('').trim() || place !== 'Tiến độ') wrong.push(`has the title "${document.title}"`);
  for (const one of ['header', 'main', 'footer'])
    if (document.querySelectorAll(`body > ${one}`).length !== 1) wrong.push(`lacks its ${one}`);
  const skip = document.querySelector('a.skip');
  if (!skip || !document.querySelector(skip.getAttribute('href'))) wrong.push('has no way past its head');
  const nav = document.querySelector('.top nav');
  if (nav && nav.querySelectorAll('.entries > li').length > 7) wrong.push('has more than seven entries on top');
  if (nav && nav.scrollHeight > 48) wrong.push(`has a head of ${nav.scrollHeight} pixels`);
  const text = document.querySelector('main').innerText;
  const code = [...document.querySelectorAll('main pre, main code')].map(one => one.innerText).join(' ');
  const spoken = one => !code.includes(one);
  for (const one of (text.match(/\\b20\\d\\d-\\d\\d-\\d\\d\\b/g) || []).filter(spoken)) wrong.push(`shows the date ${one}`);
  for (const one of (text.match(/(?<![\\/\\w=])[a-z]+_[a-z_]+\\b/g) || []).filter(spoken)) wrong.push(`shows the code ${one}`);
  for (const one of text.match(/\\b(None|True|False|undefined)\\b/g) || []) wrong.push(`shows ${one}`);
  return wrong;
}"""
"""What is wrong with a page at a desk: language, headings, title, landmarks, words for machines."""

WIDTH = """() => {
  const wide = document.documentElement.scrollWidth, seen = window.innerWidth;
  if (wide <= seen) return [];
  const out = [...document.querySelectorAll('body *')].filter(
    one => one.getBoundingClientRect().right > seen + 1 && !one.closest('.wide'));
  const names = out.slice(-3).map(one => `${one.tagName}.${one.className} "${one.innerText.slice(0, 30)}"`);
  return [`is ${wide} wide on a screen of ${seen}: ${names.join(' | ')}`];
}"""
"""What sticks out at the side of a phone; tables may scroll inside a region of their own."""
