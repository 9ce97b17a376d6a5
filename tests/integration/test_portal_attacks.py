"""What happens to those who try: every form of every role filled with what does not belong there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import openpyxl
import pytest
from httpx import Response

from portal.permissions import Visitor
from tests import portal_site
from tests.crawler import Crawler, filled
from tests.portal_site import PDF, Site

EVIL = (
    '=HYPERLINK("http://x.test";"mở")<script>alert("x")</script>'
    "'\"><img src=x onerror=alert(1)>{{7*7}}"
)
STRANGE = "\u202egnp.exe\u0000\ud7ff" + "e\u0323\u0302" * 40 + "\n\r\t" + "9" * 400 + "Xã " * 9_000

SENT = {"hostile": EVIL, "strange": STRANGE}
"""What stands in every field: a formula and markup; letters that do not show, and far too many."""
DAY = "9/4/2027"
FIT = {"issued_on": DAY, "until": DAY, "due_on": DAY, "respond_by": DAY, "document": "12/SNV-CCHC"}
"""Fields that are read strictly, filled in well so that the others get through."""

ROLES = (
    Visitor.AGENCY,
    Visitor.COORDINATOR,
    Visitor.LEADERSHIP,
    Visitor.ADMIN,
)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def fill_everything(site: Site, crawler: Crawler, *starts: str) -> int:
    """Send every form that can be found, with every kind of text; how many were sent."""
    crawler.walk(*starts)
    sent = 0
    for number, form in enumerate(list(crawler.forms.values())):
        # Nothing but nonsense stops at the first field that is read strictly: every other form.
        nonsense = [("hostile", dict[str, str]())] if number % 2 else []
        for kind, values in (*nonsense, ("hostile", FIT), ("strange", FIT)):
            file = (f"{SENT[kind][:120]}.pdf", PDF)
            answer = crawler.send(form, filled(values, SENT[kind]), file)
            assert answer.status_code < 500, (form.action, kind, answer.status_code)
            assert_clean(answer)
            sent += 1
    return sent


def assert_clean(answer: Response) -> None:
    """Nothing that was typed comes back as markup, as a template or as a formula."""
    kind = answer.headers.get("content-type", "")
    if "text/html" in kind:
        assert "<script" not in answer.text, answer.url
        assert "<img src=x" not in answer.text, answer.url
        assert "onerror=alert(1)>49" not in answer.text
    elif "csv" in kind:
        for row in csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))):
            assert not [cell for cell in row if cell.startswith(("=", "@", "+"))], answer.url
    elif "spreadsheet" in kind:
        try:
            book = openpyxl.load_workbook(io.BytesIO(answer.content))
        except BadZipFile:
            pytest.fail(f"{answer.url} is no spreadsheet")
        cells = (cell for sheet in book for row in sheet.iter_rows() for cell in row)
        assert not [cell for cell in cells if cell.data_type == "f"], answer.url


@pytest.mark.timeout(600)
def test_every_form_takes_anything_and_nothing_comes_back_alive(site: Site) -> None:
    """Markup, formulas, hidden letters and far too much text, in every field of every role."""
    letter = Crawler(site.browser())
    sent = fill_everything(site, letter, site.link())
    for role in ROLES:
        crawler = Crawler(site.logged_in(role))
        sent += fill_everything(site, crawler, "/")
    assert sent > 100, sent
    for role in (*ROLES, Visitor.AUDITOR):
        reader = Crawler(site.logged_in(role, username=f"doc-{role.value}"))
        reader.walk("/")
        assert len(reader.seen) > 3
        for path, answer in reader.seen.items():
            assert answer.status_code < 500, (path, answer.status_code)
            assert_clean(answer)
