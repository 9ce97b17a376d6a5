"""Open data: closed until opened with a basis; then documents and dates, and nothing beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.tables import Event, Evidence, StoredFile
from operations.act import act
from operations.acting import ActRequest
from operations.dates import fix_year_dates
from operations.errors import Conflict, NotPermitted, Refused
from operations.open_data import OpenKind, Switch, set_switch, switches
from operations.results import Paper, Result
from portal.open_shapes import PaperPage
from portal.permissions import Visitor
from portal.throttle import OPEN_DATA
from rules.lifecycle import Action
from rules.values import Document
from tests import portal_site, world
from tests.portal_site import MORNING, Site, mark_of, text_of

RESULTS, DATES, MATERIALS = "/mo/ket-qua.json", "/mo/thoi-han.json", "/mo/tai-lieu.json"
ATOM = "{http://www.w3.org/2005/Atom}"
BASIS = "15/QĐ-SNV"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work and nothing open to everybody."""
    origins = "https://cchc.khanhhoa.gov.vn"
    with portal_site.site(database_url, tmp_path, open_data_origins=origins) as found:
        yield found


def opened(site: Site, kind: OpenKind, items: str = "") -> Switch:
    return site.write(
        lambda session: set_switch(
            session, world.leadership(), kind, is_open=True, items=items, basis=BASIS
        )
    )


def file(
    site: Site, work: str, *papers: Paper, confirm: bool = True, text: str = "Nguyễn Thị Hoa làm"
) -> None:
    """An agency files a result, and it is confirmed."""
    result = ActRequest(result=Result(text=text, papers=papers))
    actor = world.coordinator if work.endswith(world.COORDINATOR) else world.agency
    decider = world.leadership if work.endswith(world.COORDINATOR) else world.coordinator

    def do(session: Any) -> None:
        number = site.work[work]
        who = actor() if actor is world.coordinator else world.agency(work.split("/")[1])
        act(session, who, number, Action.SUBMIT, result)
        if confirm:
            act(session, decider(), number, Action.CONFIRM, ActRequest())

    site.write(do)


PAPER = Paper(
    code="125/QĐ-UBND", issued_on=date(2027, 2, 26), title="Về việc phân công <nhiệm vụ> & cải cách"
)


def rows(browser: TestClient, path: str) -> list[dict[str, Any]]:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text[:300]
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_nothing_is_open_until_the_coordinator_opens_it_with_a_basis(site: Site) -> None:
    """Rules 37, 46."""
    file(site, "I.1/xa_van_ninh", PAPER)
    browser = site.browser()
    for path in (RESULTS, DATES, MATERIALS, "/mo/ket-qua.atom", "/mo/bia-dat.json"):
        assert browser.get(path).status_code == 404
    assert "chưa công khai dữ liệu nào" in browser.get("/mo").text
    with pytest.raises(Refused, match="căn cứ"):
        site.write(
            lambda session: set_switch(
                session, world.coordinator(), OpenKind.RESULTS, is_open=True, basis=" "
            )
        )
    with pytest.raises(NotPermitted):
        site.write(
            lambda session: set_switch(
                session, world.agency(), OpenKind.RESULTS, is_open=True, basis=BASIS
            )
        )
    opened(site, OpenKind.RESULTS)
    assert [one["document"] for one in rows(browser, RESULTS)] == ["125/QĐ-UBND"]
    assert browser.get(DATES).status_code == 404
    event = site.read(
        lambda session: session.scalars(select(Event).where(Event.entity == "open_data")).one()
    )
    assert (event.entity_id, event.action, event.document) == ("results", "open", BASIS)


def test_only_confirmed_results_are_told_and_no_word_of_people_or_open_work(site: Site) -> None:
    """Rules 40, 46."""
    opened(site, OpenKind.RESULTS)
    file(site, "I.1/xa_van_ninh", PAPER)
    file(
        site,
        "I.1/phuong_nha_trang",
        Paper(code="9/QĐ-UBND", issued_on=date(2027, 2, 1)),
        confirm=False,
    )
    private = Paper(code="7/KH-SNV", issued_on=date(2027, 2, 1), title="Gọi anh Hoa 0905 123 456")
    file(site, "II.3/so_noi_vu", private)
    answer = site.browser().get(RESULTS)
    found = {one["document"]: one for one in answer.json()["items"]}
    assert set(found) == {"125/QĐ-UBND", "7/KH-SNV"}
    assert found["7/KH-SNV"]["title"] is None
    assert found["125/QĐ-UBND"] == {
        "id": found["125/QĐ-UBND"]["id"],
        "plan": world.PLAN,
        "item": "I.1",
        "task": "Nhiệm vụ I.1",
        "period": "2027",
        "agency": "Xã Vạn Ninh",
        "document": "125/QĐ-UBND",
        "issued_on": "2027-02-26",
        "title": "Về việc phân công <nhiệm vụ> & cải cách",
        "confirmed_at": found["125/QĐ-UBND"]["confirmed_at"],
    }
    for words in ("Hoa", "Cán bộ", "Phường Nha Trang", "Điều phối viên", "not_started"):
        assert words not in answer.text
    PaperPage.model_validate(answer.json())


def test_a_result_that_is_reopened_or_whose_file_is_quarantined_is_told_no_more(site: Site) -> None:
    """Rule 25."""
    opened(site, OpenKind.RESULTS)
    file(site, "I.1/xa_van_ninh", PAPER)
    browser = site.browser()
    assert len(rows(browser, RESULTS)) == 1
    again = ActRequest(reason="Ghi nhầm văn bản", due_on=date(2027, 6, 30))
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda session: act(session, world.coordinator(), number, Action.REOPEN, again))
    assert rows(browser, RESULTS) == []
    file(site, "I.1/phuong_nha_trang", Paper(code="9/QĐ-UBND", issued_on=date(2027, 2, 1)))
    assert len(rows(browser, RESULTS)) == 1

    def quarantine(session: Any) -> None:
        stored = StoredFile(
            sha256="a" * 64,
            size=1,
            media_type="application/pdf",
            stored_at=MORNING,
            quarantined_at=MORNING,
        )
        session.add(stored)
        session.flush()
        paper = session.scalars(select(Evidence).where(Evidence.document_code == "9/QĐ-UBND")).one()
        paper.sha256 = stored.sha256
        set_switch(session, world.leadership(), OpenKind.DATES, is_open=True, basis=BASIS)

    site.write(quarantine)
    assert rows(browser, RESULTS) == []


def test_dates_are_told_once_a_document_fixed_them(site: Site) -> None:
    """Rule 17."""
    opened(site, OpenKind.DATES)
    assert rows(site.browser(), DATES) == []
    document = Document(code="12/SNV-CCHC", issued_on=date(2027, 1, 4))
    dates = {("I.1", "2027"): date(2027, 4, 30)}
    site.write(
        lambda session: fix_year_dates(
            session, world.coordinator(), world.PLAN, 2027, dates, document=document
        )
    )
    found = rows(site.browser(), DATES)
    assert [(one["item"], one["period"], one["document"]) for one in found] == [
        ("I.1", "2027", "12/SNV-CCHC")
    ]
    assert set(found[0]) == {
        *("id", "plan", "item", "task", "period", "due_on", "document", "issued_on", "set_at")
    }


def test_materials_are_of_the_items_that_the_coordinator_names(site: Site) -> None:
    with pytest.raises(Refused, match="mã các nhiệm vụ"):
        opened(site, OpenKind.MATERIALS)
    with pytest.raises(Refused, match=r"IX\.9"):
        opened(site, OpenKind.MATERIALS, "II.3, IX.9")
    assert opened(site, OpenKind.MATERIALS, "II.3; II.5").items == ("II.3", "II.5")
    file(site, "I.1/xa_van_ninh", PAPER)
    file(site, "II.3/so_noi_vu", Paper(code="7/KH-SNV", issued_on=date(2027, 2, 1)))
    assert [one["item"] for one in rows(site.browser(), MATERIALS)] == ["II.3"]


def test_two_who_change_the_same_switch_do_not_overwrite_each_other(site: Site) -> None:
    """Rule 26."""
    before = site.read(lambda session: switches(session)[OpenKind.RESULTS])
    opened(site, OpenKind.RESULTS)
    with pytest.raises(Conflict, match="Lãnh đạo"):
        site.write(
            lambda session: set_switch(
                session,
                world.coordinator(),
                OpenKind.RESULTS,
                is_open=False,
                basis=BASIS,
                expected=before.number,
            )
        )


def test_pages_lead_on_by_number_until_nothing_is_left(site: Site) -> None:
    opened(site, OpenKind.RESULTS)
    papers = [Paper(code=f"{number}/QĐ-UBND", issued_on=date(2027, 2, 1)) for number in range(1, 6)]
    file(site, "I.1/xa_van_ninh", *papers)
    browser, seen, following = site.browser(), [], RESULTS + "?so=2"
    while following:
        answer = browser.get(following).json()
        seen += [one["document"] for one in answer["items"]]
        assert len(answer["items"]) <= 2
        following = answer["next"]
    assert seen == [paper.code for paper in papers]
    assert browser.get(RESULTS + "?so=0").status_code == 404


def test_whoever_has_it_already_is_told_so(site: Site) -> None:
    opened(site, OpenKind.RESULTS)
    file(site, "I.1/xa_van_ninh", PAPER)
    browser = site.browser()
    first = browser.get(RESULTS)
    assert "last-modified" not in first.headers  # the second of the change is not over
    site.clock.instant += timedelta(seconds=10)
    second = browser.get(RESULTS)
    tag, since = second.headers["etag"], second.headers["last-modified"]
    assert first.headers["etag"] == tag
    assert "max-age" in second.headers["cache-control"]
    for asked in ({"if-none-match": f'"x", W/{tag}'}, {"if-modified-since": since}):
        again = browser.get(RESULTS, headers=asked)
        assert (again.status_code, again.content) == (304, b"")
    wrong = {"if-none-match": '"x"', "if-modified-since": since}
    assert browser.get(RESULTS, headers=wrong).status_code == 200
    assert (
        browser.get(RESULTS, headers={"if-modified-since": "hôm qua".encode()}).status_code == 200
    )
    site.clock.instant += timedelta(days=1)
    file(site, "I.1/phuong_nha_trang", Paper(code="9/QĐ-UBND", issued_on=date(2027, 2, 1)))
    assert browser.get(RESULTS, headers={"if-none-match": tag}).status_code == 200


def test_other_sites_browsers_read_only_where_a_setting_names_them(site: Site) -> None:
    opened(site, OpenKind.RESULTS)
    browser, name = site.browser(), "access-control-allow-origin"
    assert name not in browser.get(RESULTS).headers
    other = browser.get(RESULTS, headers={"origin": "https://khac.vn"})
    assert name not in other.headers
    ours = browser.get(RESULTS, headers={"origin": "https://cchc.khanhhoa.gov.vn"})
    assert ours.headers[name] == "https://cchc.khanhhoa.gov.vn"
    assert "origin" in ours.headers["vary"]


def test_a_reader_of_feeds_gets_sound_xml_whatever_a_title_holds(site: Site) -> None:
    for kind in (OpenKind.RESULTS, OpenKind.DATES):
        opened(site, kind)
    file(site, "I.1/xa_van_ninh", PAPER)
    answer = site.browser().get("/mo/ket-qua.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    assert "<nhiệm vụ> & cải cách" in (entry.findtext(f"{ATOM}summary") or "")
    assert "Xã Vạn Ninh: 125/QĐ-UBND ngày 26/2/2027" in (entry.findtext(f"{ATOM}title") or "")
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}")
        assert entry.findtext(f"{ATOM}{name}")
    empty = ET.fromstring(site.browser().get("/mo/thoi-han.atom").content)
    assert empty.find(f"{ATOM}entry") is None


def test_rss_tells_the_same_entries_escaped_for_readers_that_ask_for_it(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/mo/ket-qua.rss").status_code == 404
    for kind in (OpenKind.RESULTS, OpenKind.DATES):
        opened(site, kind)
    file(site, "I.1/xa_van_ninh", PAPER)
    answer = browser.get("/mo/ket-qua.rss")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    root = ET.fromstring(answer.content)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    for name in ("title", "link", "description"):
        assert root.findtext(f"channel/{name}")
    item = root.find("channel/item")
    entry = ET.fromstring(browser.get("/mo/ket-qua.atom").content).find(f"{ATOM}entry")
    assert item is not None
    assert entry is not None
    assert item.findtext("title") == entry.findtext(f"{ATOM}title")
    assert item.findtext("guid") == entry.findtext(f"{ATOM}id")
    description = item.findtext("description") or ""
    assert "&lt;nhiệm vụ&gt; &amp; cải cách" in description
    assert unescape(description) == entry.findtext(f"{ATOM}summary")
    published = item.findtext("pubDate") or ""
    assert published == "Mon, 01 Mar 2027 02:00:00 GMT"
    assert parsedate_to_datetime(published) == MORNING
    again = browser.get("/mo/ket-qua.rss", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ET.fromstring(browser.get("/mo/thoi-han.rss").content).find("channel/item") is None
    assert "ket-qua.rss" in browser.get("/mo").text


def test_too_many_readings_are_told_when_to_come_again(site: Site) -> None:
    opened(site, OpenKind.RESULTS)
    browser = site.browser()
    answers = [browser.get(RESULTS).status_code for _ in range(OPEN_DATA.amount + 1)]
    assert answers[:-1] == [200] * OPEN_DATA.amount
    assert answers[-1] == 429


def test_the_coordinator_opens_and_closes_by_a_page(site: Site) -> None:
    desk, path = site.logged_in(Visitor.COORDINATOR), "/danh-muc/du-lieu-mo"

    def send(kind: str, **fields: str) -> Any:
        page = desk.get(path)
        numbers = [part.split('"')[0] for part in page.text.split('name="number" value="')[1:]]
        number = numbers[[one.value for one in OpenKind].index(kind)]
        return desk.post(f"{path}/{kind}", data={"mark": mark_of(page), "number": number, **fields})

    wrong = send("materials", mo="1", items="II.9", basis=BASIS)
    assert wrong.status_code == 422
    assert 'value="II.9"' in wrong.text
    assert send("results", mo="1", items="", basis=BASIS).status_code == 303
    assert "Đang công khai" in text_of(desk.get(path))
    assert site.browser().get(RESULTS).status_code == 200
    assert "ket-qua.json" in site.browser().get("/mo").text
    assert send("results", items="", basis="16/QĐ-SNV").status_code == 303
    assert site.browser().get(RESULTS).status_code == 404
    auditor = site.logged_in(Visitor.AUDITOR).get(path)
    assert "Công khai; bỏ dấu" not in auditor.text


def test_the_description_of_the_data_is_itself_to_be_had(site: Site) -> None:
    described = json.loads(site.browser().get("/mo/schema.json").content)
    assert described["version"] == "1"
    assert set(described["dates"]["properties"]) == {"version", "kind", "basis", "items", "next"}
