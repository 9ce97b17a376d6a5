"""Money planned and spent, by work, source and line, and its pages (rule 43)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Event, Money, PlanVersion
from operations.errors import NotPermitted, Refused
from operations.money import MoneyInput, money_rows, set_money
from operations.past import as_known_at
from operations.stamp import Stamp
from operations.state import PLAN_ADAPTER
from operations.yearly_facts import yearly_facts
from portal.permissions import Visitor
from reports.official.model import Grid, Heading, Paragraph
from reports.official.yearly import yearly_report
from rules.values import Budget
from tests import portal_site, world
from tests.portal_site import MORNING, Site, text_of

LINES = (Budget(key="classes", label="Các lớp", section="V.2.1", quote="Tổ chức các lớp"),)
SOURCES = (Budget(key="own", label="Ngân sách đơn vị", section="V.2.2", quote="đơn vị"),)
ASKED = MoneyInput(line="classes", source="own", planned=15_000_000, spent=12_500_000)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(database_url, tmp_path) as found:
        found.write(_ask)
        yield found


def _ask(session: Session) -> None:
    stored = session.get_one(PlanVersion, (world.PLAN, 1))
    plan = PLAN_ADAPTER.validate_json(stored.content)
    plan = replace(plan, cost_lines=LINES, cost_sources=SOURCES)
    stored.content = PLAN_ADAPTER.dump_json(plan).decode()


def _row(site: Site, agency: str = world.A) -> int:
    return site.read(lambda s: world.work_row(s, "I.1", "2027", agency))


def _set(site: Site, stamp: Stamp, asked: MoneyInput) -> int:
    row = _row(site)
    return site.write(lambda s: set_money(s, stamp, row, asked))


def _events(site: Site) -> list[Event]:
    query = select(Event).where(Event.entity == "money").order_by(Event.id)
    return site.read(lambda s: list(s.scalars(query)))


def test_a_lead_says_what_it_planned_and_spent_and_the_old_number_stays(site: Site) -> None:
    """Rules 37, 43: one row, each state of it in the history; asked twice, written once."""
    assert _set(site, world.agency(), ASKED) == _set(site, world.agency(), ASKED)
    _set(site, world.agency(), replace(ASKED, planned=20_000_000))
    events = _events(site)
    assert [json.loads(one.snapshot)["planned"] for one in events] == [15_000_000, 20_000_000]
    found = site.read(lambda s: money_rows(s, world.PLAN, year=2027))
    assert [(one.planned, one.spent) for one in found] == [(20_000_000, 12_500_000)]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (replace(ASKED, planned=-1), "planned"),
        (replace(ASKED, spent=-1), "spent"),
        (replace(ASKED, spent=15_000_001), "note"),
        (replace(ASKED, line="khac"), "line"),
        (replace(ASKED, source="khac"), "source"),
    ],
)
def test_what_cannot_be_is_refused(site: Site, asked: MoneyInput, field: str) -> None:
    with pytest.raises(Refused) as refused:
        _set(site, world.agency(), asked)
    assert refused.value.field == field
    assert _events(site) == []


def test_more_spent_than_planned_passes_with_a_word(site: Site) -> None:
    _set(site, world.agency(), replace(ASKED, spent=16_000_000, note="Bổ sung dự toán"))
    assert _events(site)[0].reason == "Bổ sung dự toán"


def test_another_agency_says_nothing_about_it_and_the_coordinator_may(site: Site) -> None:
    """Rule 46."""
    with pytest.raises(NotPermitted):
        _set(site, world.agency(world.B), ASKED)
    _set(site, world.coordinator(), ASKED)
    assert len(_events(site)) == 1


def test_the_yearly_report_sums_it_by_source_and_line_only_where_there_is_any(site: Site) -> None:
    """Rule 43: nothing entered, no section; else every line and source, with their sums."""

    def words() -> str:
        def read(session: Session) -> str:
            facts = yearly_facts(session, world.PLAN, 2027, cutoff=world.TODAY, at=MORNING)
            blocks = yearly_report(facts).blocks
            grids = [row for one in blocks if isinstance(one, Grid) for row in one.rows]
            texts = [one.text for one in blocks if isinstance(one, Heading | Paragraph)]
            return "\n".join((*texts, *("|".join(row) for row in grids)))

        return site.read(read)

    assert "Kinh phí" not in words()
    _set(site, world.agency(), ASKED)
    told = words()
    assert "Tổng dự toán năm 2027: 15.000.000 đồng; đã chi: 12.500.000 đồng." in told
    assert "1|Ngân sách đơn vị|15.000.000|12.500.000" in told
    assert "1|Các lớp|15.000.000|12.500.000" in told
    assert told.count("|Tổng cộng|15.000.000|12.500.000") == 2


def test_what_was_known_before_is_known_again(site: Site) -> None:
    """Rule 39."""
    _set(site, world.agency(), ASKED)
    later = replace(world.agency(), at=world.at(world.TODAY, 9))
    _set(site, later, replace(ASKED, planned=99_000_000))

    def read(session: Session) -> list[int]:
        with as_known_at(session, world.at(world.TODAY, 5)) as past:
            return list(past.scalars(select(Money.planned)))

    assert site.read(read) == [15_000_000]


def test_the_agencys_form_writes_it_and_the_sums_show_it(site: Site) -> None:
    browser, row = site.logged_in(Visitor.AGENCY), _row(site)
    path = f"/co-quan/viec/{row}"
    fields = {"line": "classes", "source": "own", "planned": "15.000.000", "spent": "mười"}
    page = portal_site.send(browser, path, "kinh-phi", fields)
    assert page.status_code == 422
    assert "15.000.000" in page.text
    page = portal_site.send(browser, path, "kinh-phi", fields | {"spent": "12.500.000"})
    assert page.status_code == 303, text_of(page)
    reader = site.logged_in(Visitor.AUDITOR)
    text = text_of(reader.get("/nhiem-vu/kinh-phi?nam=2027"))
    assert "15.000.000" in text
    assert "12.500.000" in text
    assert reader.get("/nhiem-vu/kinh-phi/xuat/xlsx?nam=2027").status_code == 200
    assert browser.get("/nhiem-vu/kinh-phi").status_code == 403
