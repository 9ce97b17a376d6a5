"""The two 100% targets from the yearly reports' figures, and their page (rules 41, 46)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from models.tables import PlanVersion
from operations.act import act
from operations.acting import ActRequest
from operations.results import Paper, Result
from operations.state import PLAN_ADAPTER, load_state
from operations.targets import targets
from operations.yearly_facts import yearly_facts
from portal.permissions import Visitor
from reports.official.model import Grid
from reports.official.yearly_extra import TargetLine, target_blocks
from rules.lifecycle import Action
from rules.values import BESIDE_GROUP, Figure
from tests import portal_site, world
from tests.portal_site import MORNING, Site, text_of

KEY = "NPL.1"
FIGURES = (
    Figure(key="staff", label="Người làm CCHC", unit="người"),
    Figure(key="trained", label="Được bồi dưỡng", unit="người", of="staff", target=100),
)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(database_url, tmp_path) as found:
        found.write(_ask)
        yield found


def _ask(session: Session) -> None:
    stored = session.get_one(PlanVersion, (world.PLAN, 1))
    plan = PLAN_ADAPTER.validate_json(stored.content)
    item = world.item(KEY, position=9)
    calendar = replace(item.calendar, figures=FIGURES)
    beside = replace(item, group=BESIDE_GROUP, calendar=calendar)
    stored.content = PLAN_ADAPTER.dump_json(replace(plan, beside=(beside,))).decode()
    session.flush()
    world.open_work(session, KEY, "2026", due_on=date(2026, 3, 31), opens_on=date(2026, 1, 5))
    world.open_work(session, KEY, "2027")


def _file(site: Site, year: str, agency: str, staff: str, trained: str) -> int:
    def write(session: Session) -> int:
        row = world.work_row(session, KEY, year, agency)
        paper = Paper(code="12/BC-UBND", issued_on=world.TODAY)
        figures = {"staff": staff, "trained": trained}
        result = Result(text="Xong", papers=(paper,), figures=figures)
        act(session, world.agency(agency), row, Action.SUBMIT, ActRequest(result=result))
        return row

    return site.write(write)


def _read(site: Site, agency: str | None = None):  # type: ignore[no-untyped-def]
    def read(session: Session):  # type: ignore[no-untyped-def]
        return targets(session, load_state(session, world.PLAN), 2027, agency=agency)[0]

    return site.read(read)


def test_the_sum_is_over_those_that_answered_and_says_who_has_not(site: Site) -> None:
    """Rule 41: the list of that period; last year's whole stands beside."""
    _file(site, "2026", world.A, "11", "11")
    _file(site, "2027", world.A, "3", "2")
    found = _read(site)
    assert (found.part, found.whole, found.percent) == (2, 3, Decimal("66.6"))
    assert [row.agency for row in found.silent] == [world.B]
    assert found.answered[0].before == 11
    assert not found.answered[0].confirmed


def test_the_yearly_report_says_the_targets_with_their_coverage(site: Site) -> None:
    """Rule 41: over those that answered, and of how many they are."""
    _file(site, "2027", world.A, "3", "2")

    def read(session: Session) -> tuple[TargetLine, ...]:
        return yearly_facts(session, world.PLAN, 2027, cutoff=world.TODAY, at=MORNING).targets

    (line,) = site.read(read)
    assert (line.label, line.answered, line.asked) == ("Được bồi dưỡng", 1, 2)
    _, grid, _ = target_blocks([line], heading="5. Chỉ tiêu", caption="", year=2027)
    assert isinstance(grid, Grid)
    assert grid.rows == (("1", "Được bồi dưỡng (người)", "2", "3", "66,6%", "1/2"),)


def test_a_report_that_was_returned_counts_no_longer(site: Site) -> None:
    row = _file(site, "2027", world.A, "1.000", "1.000")
    assert _read(site).percent == 100
    request = ActRequest(reason="Thiếu số liệu")
    site.write(lambda s: act(s, world.coordinator(), row, Action.RETURN, request))
    assert _read(site).answered == ()
    assert _read(site).percent is None


def test_nearly_all_never_reads_as_all(site: Site) -> None:
    _file(site, "2027", world.A, "100.000", "99.999")
    assert _read(site).percent == Decimal("99.9")


def test_the_page_tells_the_coverage_and_the_file_is_taken(site: Site) -> None:
    _file(site, "2027", world.A, "1.300", "13")
    browser = site.logged_in(Visitor.COORDINATOR)
    page = text_of(browser.get("/nhiem-vu/chi-tieu?nam=2027"))
    assert "1/2 cơ quan đã có số liệu" in page
    assert "13/1.300" in page
    assert "13 1.300 1%" in page
    assert "Phường Nha Trang" in page
    assert browser.get("/nhiem-vu/chi-tieu/xuat/xlsx?nam=2027").status_code == 200
    csv = browser.get("/nhiem-vu/chi-tieu/xuat/csv?nam=2027").text
    assert "Toàn tỉnh" in csv


def test_an_agency_sees_its_own_numbers_alone(site: Site) -> None:
    """Rule 46."""
    _file(site, "2027", world.B, "77", "7")
    browser = site.logged_in(Visitor.AGENCY)
    page = text_of(browser.get("/co-quan/chi-tieu?nam=2027"))
    assert "Xã Vạn Ninh" in page
    assert "Chưa có số liệu" in page
    assert "77" not in page
    assert "Phường Nha Trang" not in page
    assert browser.get("/nhiem-vu/chi-tieu").status_code == 403


def test_last_years_number_stands_beside_the_field(site: Site) -> None:
    row = _file(site, "2026", world.A, "41", "40")
    site.write(lambda s: act(s, world.coordinator(), row, Action.CONFIRM))
    now = site.read(lambda s: world.work_row(s, KEY, "2027", world.A))
    page = text_of(site.logged_in(Visitor.AGENCY).get(f"/co-quan/viec/{now}"))
    assert "Năm trước: 41" in page
    assert "Không thay đổi so với năm trước" not in page
