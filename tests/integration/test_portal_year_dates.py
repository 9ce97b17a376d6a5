""" "Ấn định lịch năm": beside last year's, one document, previewed, applied (rule 17)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, PeriodDate, PlanVersion
from operations.dates import fix_year_dates
from operations.state import PLAN_ADAPTER
from portal.permissions import Visitor
from rules.values import DateAuthority, Document
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of

PAGE = "/dieu-phoi/lich-nam"
TYPED = {
    "de-an": world.PLAN,
    "nam": "2027",
    "document": "12/SNV-CCHC",
    "issued_on": "4/1/2027",
    "authority": "coordinator",
    "dates.I.1.2027": "15/4/2027",
    "dates.III.1.2027-Q2": "30/6/2027",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def preview(browser: TestClient, **changes: str) -> Response:
    """Fill in the form and look at what it would do."""
    data = {"mark": mark_of(browser.get(PAGE)), **TYPED, **changes}
    answer: Response = browser.post(f"{PAGE}/xem-truoc", data=data)
    return answer


def apply(browser: TestClient, seen: Response) -> Response:
    """Press the button of a preview."""
    form = seen.text.split(f'action="{PAGE}"')[1].split("</form>")[0]
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    answer: Response = browser.post(PAGE, data=hidden)
    return answer


def test_year_stands_beside_the_year_before(site: Site) -> None:
    document = Document(code="9/SNV-CCHC")
    dates = {("I.1", "2026"): date(2026, 4, 15)}
    site.write(
        lambda s: fix_year_dates(s, world.coordinator(), world.PLAN, 2026, dates, document=document)
    )
    staff = site.logged_in(Visitor.COORDINATOR)
    page = staff.get(f"{PAGE}?nam=2027")
    assert "15/4/2026 9/SNV-CCHC" in text_of(page)
    assert 'name="dates.I.1.2027" value="31/3/2027"' in page.text
    assert page.text.count('name="dates.III.1.') == 4
    assert staff.get(f"{PAGE}?nam=2041").status_code == 404
    assert staff.get(f"{PAGE}?de-an=khac").status_code == 404


def test_preview_changes_nothing_and_apply_fixes_all_by_one_document(site: Site) -> None:
    staff, before = site.logged_in(Visitor.COORDINATOR), site.counts()
    seen = preview(staff)
    assert seen.status_code == 200
    assert "3 phân công đổi hạn" in text_of(seen)
    assert "Kỳ chưa mở" in text_of(seen)
    assert site.counts() == before
    answer = apply(staff, seen)
    assert answer.status_code == 303
    assert "Đã ấn định 2 hạn năm 2027 theo văn bản 12/SNV-CCHC" in text_of(
        staff.get(answer.headers["location"])
    )
    rows = site.read(lambda s: s.scalars(select(PeriodDate)).all())
    assert {(row.item_key, row.document_code, row.document_issued_on) for row in rows} == {
        ("I.1", "12/SNV-CCHC", date(2027, 1, 4)),
        ("III.1", "12/SNV-CCHC", date(2027, 1, 4)),
    }
    work = site.work["I.1/xa_van_ninh"]
    assert site.read(lambda s: s.get_one(Assignment, work)).due_on == date(2027, 4, 15)


def test_day_off_rolls_and_the_preview_says_so(site: Site) -> None:
    seen = preview(site.logged_in(Visitor.COORDINATOR), **{"dates.I.1.2027": "17/4/2027"})
    assert "17/4/2027 là ngày nghỉ" in text_of(seen)
    assert "19/4/2027" in text_of(seen)


def test_mistakes_are_told_together_and_nothing_typed_is_lost(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    wrong = {"dates.I.1.2027": "31/2/2027", "document": "", "dates.II.3.2027": "20/4/2027"}
    seen = preview(staff, **wrong)
    assert seen.status_code == 422
    assert 'id="loi-lich-nam-dates.I.1.2027"' in seen.text
    assert 'id="loi-lich-nam-document"' in seen.text
    assert 'value="31/2/2027"' in seen.text
    assert 'value="20/4/2027"' in seen.text
    none = {"dates.I.1.2027": "", "dates.III.1.2027-Q2": ""}
    assert "ít nhất một hạn" in text_of(preview(staff, **none))
    too_early = preview(staff, **{"dates.I.1.2027": "1/1/2027"})
    assert too_early.status_code == 422
    assert 'id="loi-lich-nam-dates.I.1.2027"' in too_early.text
    assert preview(staff, authority="provisional").status_code == 422


def test_preview_leads_back_to_the_form_as_typed(site: Site) -> None:
    again = preview(site.logged_in(Visitor.COORDINATOR), sua="1")
    assert 'name="dates.I.1.2027" value="15/4/2027"' in again.text
    assert 'name="document" value="12/SNV-CCHC"' in again.text


def test_what_changed_after_the_preview_is_shown_before_it_is_applied(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    seen = preview(staff)
    dates, document = {("I.1", "2027"): date(2027, 4, 20)}, Document(code="11/SNV-CCHC")
    site.write(
        lambda s: fix_year_dates(s, world.coordinator(), world.PLAN, 2027, dates, document=document)
    )
    late = apply(staff, seen)
    assert late.status_code == 409
    assert "đã thay đổi từ lúc xem trước" in text_of(late)
    assert apply(staff, late).status_code == 303


def test_date_of_the_province_is_left_to_its_own_document(site: Site) -> None:
    dates, document = {("I.1", "2027"): date(2027, 4, 20)}, Document(code="55/QĐ-UBND")
    site.write(
        lambda s: fix_year_dates(
            s,
            world.coordinator(),
            world.PLAN,
            2027,
            dates,
            document=document,
            authority=DateAuthority.PROVINCE,
        )
    )
    staff = site.logged_in(Visitor.COORDINATOR)
    page = staff.get(f"{PAGE}?nam=2027")
    assert 'name="dates.I.1.2027" value=""' in page.text
    assert "Hạn của UBND tỉnh" in text_of(page)
    assert preview(staff).status_code == 422
    theirs = preview(staff, authority="province", document="60/QĐ-UBND")
    assert apply(staff, theirs).status_code == 303


def test_mark_and_right_are_needed(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    assert staff.post(PAGE, data={**TYPED, "mark": "x"}).status_code == 403
    assert site.logged_in(Visitor.AUDITOR).get(PAGE).status_code == 403


def _await_the_ministry(session: Session) -> None:
    """II.3 waits for a document of the ministry; until then its date is provisional."""
    stored = session.get_one(PlanVersion, (world.PLAN, 1))
    plan = PLAN_ADAPTER.validate_json(stored.content)
    waits = {"authority": DateAuthority.PROVISIONAL, "fixed_by": "Bộ Nội vụ"}
    items = tuple(
        replace(one, calendar=replace(one.calendar, **waits)) if one.key == "II.3" else one  # type: ignore[arg-type]
        for one in plan.items
    )
    stored.content = PLAN_ADAPTER.dump_json(replace(plan, items=items)).decode()
    session.get_one(
        Assignment, world.work_row(session, "II.3", "2027", world.COORDINATOR)
    ).authority = DateAuthority.PROVISIONAL.value


def links_of(page: Response) -> list[str]:
    """The ways to fix one date by itself that a page offers."""
    found = re.findall(r'href="([^"]*lich-nam[?][^"]*)"', page.text)
    return [unescape(one) for one in found if "ky=" in one]


def test_one_provisional_date_is_fixed_by_itself_by_whoever_s_it_is(site: Site) -> None:
    """Rule 17: from the overview, the list and the calendar; nothing else is touched."""
    site.write(_await_the_ministry)
    staff, auditor = site.logged_in(Visitor.COORDINATOR), site.logged_in(Visitor.AUDITOR)
    path = f"{PAGE}?de-an={world.PLAN}&nam=2027&nhiem-vu=II.3&ky=2027"
    for place in ("/", "/bang/moc-du-kien", "/danh-muc/lich", f"{PAGE}?nam=2027"):
        assert path in links_of(staff.get(place)), place
        assert not links_of(auditor.get(place)), place
    page = staff.get(path)
    assert "Ấn định hạn II.3" in text_of(page)
    assert re.findall(r'name="(dates[^"]*)" value="([^"]*)"', page.text) == [
        ("dates.II.3.2027", "31/3/2027")
    ]
    assert re.findall(r'value="([a-z]+)" checked', page.text) == ["ministry"]
    typed = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    typed |= {"dates.II.3.2027": "15/4/2027", "issued_on": "1/3/2027", "authority": "ministry"}
    ours = staff.post(f"{PAGE}/xem-truoc", data=typed | {"document": "12/SNV-CCHC"})
    assert ours.status_code == 422
    assert "không phải văn bản của Bộ" in text_of(ours)
    assert "dates.I.1.2027" not in ours.text
    before = site.counts()
    seen = staff.post(f"{PAGE}/xem-truoc", data=typed | {"document": "1234/BNV-CCHC"})
    assert "phân công đổi hạn" in text_of(seen)
    assert site.counts() == before
    again = staff.post(f"{PAGE}/xem-truoc", data=typed | {"document": "1/BNV-CCHC", "sua": "1"})
    assert again.text.count('name="dates.') == 1
    done = apply(staff, seen)
    assert done.status_code == 303
    told = staff.get(done.headers["location"])
    assert "Đã ấn định 1 hạn năm 2027 theo văn bản 1234/BNV-CCHC" in text_of(told)
    row = site.read(lambda s: s.scalars(select(PeriodDate)).one())
    assert (row.item_key, row.authority, row.due_on) == ("II.3", "ministry", date(2027, 4, 15))
    assert path not in links_of(staff.get("/"))
    assert staff.get(f"{PAGE}?nam=2027&nhiem-vu=II.9&ky=2027").status_code == 404
