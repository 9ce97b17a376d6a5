"""An item's calendar edited in the system (rules 7, 8, 15, 17, 39)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import Assignment, Occurrence, PlanVersion
from operations.act import act
from operations.catalog import apply_catalog, stored_catalog
from operations.dates import fix_year_dates
from operations.errors import NotFound, NotPermitted, Refused
from operations.item_calendar_effects import CalendarEdit, CalendarEffects, check_calendar
from operations.item_calendars import edit_calendar
from operations.opening import open_due
from operations.past import as_known_at
from operations.rescheduling import reschedule
from operations.state import load_plan, load_state
from portal.permissions import Visitor
from rules.lifecycle import Action
from rules.month_days import DayInPeriod
from rules.values import Confirmation, DateAuthority, Document
from tasks_catalog.export import export_plan
from tasks_catalog.loader import load_plan as load_files
from tests import portal_site, world
from tests.engine import SMALL
from tests.portal_site import Site, mark_of, text_of
from tests.world import DUE, PLAN, A, B

LATER = date(2027, 4, 15)
EDIT = CalendarEdit(
    opens=DayInPeriod(day=2, month=1),
    due=DayInPeriod(day=15, month=4),
    ladder="standard",
    authority=DateAuthority.COORDINATOR,
    fixed_by=None,
    basis="Kế hoạch 20/KH-SNV",
    reason="Thống nhất với kỳ báo cáo quý",
    document="20/KH-SNV",
)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def edit(session: Session, key: str = "I.1", **changes: object) -> CalendarEffects:
    return edit_calendar(session, world.coordinator(), PLAN, key, replace(EDIT, **changes))  # type: ignore[arg-type]


def test_untouched_work_follows_and_touched_work_keeps_its_date_and_says_why(
    session: Session,
) -> None:
    """Rule 15."""
    free = world.open_work(session)
    begun = world.open_work(session, period="2028", opens_on=date(2027, 1, 4))
    act(session, world.agency(A), world.row_of(session, begun, A).id, Action.START)
    shown = check_calendar(session, world.coordinator(), PLAN, "I.1", EDIT)
    assert [(one.period, one.after, one.why) for one in shown.opened] == [
        ("2027", LATER, None),
        ("2028", date(2028, 4, 17), "đã có cơ quan thực hiện, hoặc hạn đã được điều chỉnh"),
    ]
    assert edit(session) == shown
    rows = [world.row_of(session, free, key) for key in (A, B)]
    assert {(one.due_on, one.nominal_due_on, one.original_due_on) for one in rows} == {
        (LATER, LATER, DUE)
    }
    assert (free.due_on, free.touched, free.plan_version) == (LATER, False, 1)
    assert begun.due_on == DUE
    assert {one.agency_key for one in world.notices(session, "date_changed")} == {A, B}


def test_an_edit_is_a_version_with_its_day_and_the_history_names_the_cause(
    session: Session,
) -> None:
    """Rules 8, 37."""
    occurrence = world.open_work(session)
    edit(session)
    version = session.get_one(PlanVersion, (PLAN, 2))
    assert version.effective_from == world.TODAY
    (event,) = world.events(session, "plan")
    assert (event.action, event.item_key, event.document) == ("edit_calendar", "I.1", "20/KH-SNV")
    assert event.reason == EDIT.reason
    moved = world.events(session, "assignment", world.row_of(session, occurrence, A).id)[-1]
    assert (moved.action, moved.reason) == ("follow_calendar", EDIT.reason)
    open_due(session, world.flow(date(2028, 1, 3)), PLAN, only_item="I.1")
    opened = session.scalars(select(Occurrence).where(Occurrence.period_key == "2028")).one()
    assert (opened.due_on, opened.plan_version) == (date(2028, 4, 17), 2)


def test_a_second_edit_is_followed_as_well(session: Session) -> None:
    """Moving with the calendar is nobody's act on the work."""
    occurrence = world.open_work(session)
    edit(session)
    edit(session, due=DayInPeriod(day=None, month=4))
    assert occurrence.due_on == date(2027, 4, 30)
    assert load_plan(session, PLAN).item("I.1").calendar.due == "0 17 L 4 *"


def test_a_provisional_date_takes_its_original_along(session: Session) -> None:
    """Rule 17: nobody was bound by it."""
    occurrence = world.open_work(session, authority=DateAuthority.PROVISIONAL)
    edit(session)
    row = world.row_of(session, occurrence, A)
    assert (row.due_on, row.original_due_on, occurrence.original_due_on) == (LATER, LATER, LATER)


def test_what_a_document_fixed_keeps_its_date(session: Session) -> None:
    """Rules 15, 17."""
    occurrence = world.open_work(session)
    dates = {("I.1", "2027"): date(2027, 5, 14), ("I.1", "2028"): date(2028, 5, 15)}
    for year in (2027, 2028):
        only = {key: day for key, day in dates.items() if key[1] == str(year)}
        document = Document(code="9/SNV-CCHC")
        fix_year_dates(session, world.coordinator(), PLAN, year, only, document=document)
    shown = edit(session)
    assert [one.why for one in shown.opened] == ["hạn đã ấn định theo văn bản 9/SNV-CCHC"]
    assert occurrence.due_on == date(2027, 5, 14)
    assert "năm 2028" not in {one.period_label for one in shown.coming}


def test_a_date_of_the_province_is_edited_only_by_its_document(session: Session) -> None:
    """Rule 17."""
    edit(session, authority=DateAuthority.PROVINCE, document="88/UBND-NC")
    with pytest.raises(Refused, match="UBND tỉnh") as error:
        edit(session, due=DayInPeriod(day=20, month=5), document="20/SNV-CCHC")
    assert error.value.field == "document"
    edit(session, due=DayInPeriod(day=20, month=5), document="89/UBND-NC")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"due": DayInPeriod(day=31, month=4)}, "due_day"),
        ({"due": DayInPeriod(day=32, month=4)}, "due_day"),
        ({"due": DayInPeriod(day=1, month=13)}, "due_day"),
        ({"opens": DayInPeriod(day=1, month=5)}, "due_day"),
        ({"ladder": "record"}, "ladder"),
        ({"basis": " "}, "basis"),
        ({"reason": ""}, "reason"),
        ({"authority": DateAuthority.PROVINCE, "document": None}, "document"),
        ({"due": DayInPeriod(day=31, month=3)}, None),
    ],
)
def test_a_wrong_edit_is_refused_by_field_before_anything_is_written(
    session: Session, changes: dict[str, object], field: str | None
) -> None:
    """Rule 9."""
    with pytest.raises(Refused) as error:
        edit(session, "I.1", **changes)
    assert error.value.field == field
    assert not world.events(session, "plan")


def test_only_the_coordinator_edits_and_only_its_leadership_says_how_it_is_confirmed(
    session: Session,
) -> None:
    """Rule 20: confirmation is a policy, with one place where it stands."""
    for stamp in (world.agency(), world.auditor(), world.admin()):
        with pytest.raises(NotPermitted):
            edit_calendar(session, stamp, PLAN, "I.1", EDIT)
    with pytest.raises(NotFound):
        edit(session, "IX.9")
    asked = replace(EDIT, confirmation=Confirmation.ACCEPT)
    with pytest.raises(NotPermitted, match="lãnh đạo"), session.begin_nested():
        edit_calendar(session, world.coordinator(), PLAN, "I.1", asked)
    edit_calendar(session, world.leadership(), PLAN, "I.1", asked)
    assert load_plan(session, PLAN).item("I.1").calendar.confirmation is Confirmation.ACCEPT
    assert [one.entity_id for one in world.events(session, "policy")] == [
        f"{PLAN}/confirmation.I.1"
    ]


def test_a_quarterly_item_is_edited_by_the_month_of_its_quarter(session: Session) -> None:
    shown = edit(
        session,
        "III.1",
        opens=DayInPeriod(day=1, month=2),
        due=DayInPeriod(day=20, month=3),
        ladder="check_in",
    )
    calendar = load_plan(session, PLAN).item("III.1").calendar
    assert (calendar.opens, calendar.due) == ("0 8 1 2,5,8,11 *", "0 17 20 3,6,9,12 *")
    assert shown.coming


def test_another_ladder_is_followed_by_untouched_work(session: Session) -> None:
    occurrence = world.open_work(session)
    before = world.row_of(session, occurrence, A).next_reminder_on
    edit(session, due=DayInPeriod(day=31, month=3), ladder="check_in")
    assert occurrence.ladder == "check_in"
    assert world.row_of(session, occurrence, A).next_reminder_on != before
    assert not world.notices(session, "date_changed")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    day=st.one_of(st.none(), st.integers(1, 31)),
    month=st.integers(2, 12),  # the days of the small world begin with its plan
    opened=st.sampled_from([date(2027, 2, 26), DUE, date(2027, 9, 1)]),
    acted=st.tuples(st.booleans(), st.booleans()),
)
def test_preview_is_what_comes(
    session: Session,
    day: int | None,
    month: int,
    opened: date,
    acted: tuple[bool, bool],
) -> None:
    """Rule 15."""
    touched, moved = acted
    with session.begin_nested() as undone:
        rows = [world.open_work(session, due_on=opened)]
        rows.append(world.open_work(session, period="2028", due_on=DUE + timedelta(366)))
        if touched:
            act(session, world.agency(A), world.row_of(session, rows[0], A).id, Action.START)
        if moved:
            number = world.row_of(session, rows[1], A).id
            stamp, until = world.coordinator(), date(2028, 6, 1)
            reschedule(session, stamp, number, until=until, reason="Dời riêng")
        before = dates(session)
        asked = replace(EDIT, due=DayInPeriod(day=day, month=month))
        try:
            shown = check_calendar(session, world.coordinator(), PLAN, "I.1", asked)
        except Refused:
            undone.rollback()
            return
        assert dates(session) == before
        assert edit_calendar(session, world.coordinator(), PLAN, "I.1", asked) == shown
        target = {one.occurrence: one.after for one in shown.opened if one.why is None}
        for key, due in dates(session).items():
            assert due == target.get(key[0], before[key])
        opens = {one.period_label: (one.opened_on[1], one.due_on[1]) for one in shown.coming}
        open_due(session, world.flow(date(2030, 12, 31)), PLAN, only_item="I.1")
        for late in session.scalars(select(Occurrence).where(Occurrence.period_key == "2030")):
            if "năm 2030" in opens:
                assert (late.opens_on, late.due_on) == opens["năm 2030"]
        undone.rollback()


def dates(session: Session) -> dict[tuple[int, int], date]:
    rows = session.scalars(select(Assignment).execution_options(populate_existing=True))
    return {(row.occurrence_id, row.id): row.due_on for row in rows}


def test_a_catalog_keeps_the_edit_unless_told_to_overwrite_and_export_writes_it(
    database_url: str, tmp_path: Path
) -> None:
    """Rule 8."""
    database, files = Database(database_url), load_files(SMALL)
    key, boss = files.plan.key, world.admin()
    item = files.plan.items[0]
    since = date(2027, 1, 1)
    with database.write() as session:
        apply_catalog(session, boss, files, tracking_start=since)
        basis = "Kế hoạch 21/KH-SNV"
        due = DayInPeriod(day=28, month=1)
        opens = DayInPeriod(day=3, month=1)
        asked = replace(EDIT, opens=opens, due=due, basis=basis, ladder=item.calendar.ladder)
        edit_calendar(session, world.coordinator(), key, item.key, asked)
        again = apply_catalog(session, boss, files, tracking_start=since)
        assert again.kept == (f"lịch {item.key}",)
        assert load_plan(session, key).item(item.key).calendar.basis == basis
        renamed = replace(files, plan=replace(files.plan, title="Tên mới"))
        apply_catalog(session, boss, renamed, tracking_start=since)
        assert load_plan(session, key).title == "Tên mới"
        assert load_plan(session, key).item(item.key).calendar.basis == basis
        stored = stored_catalog(session, key)
        folder = tmp_path / "catalogs" / "plan"
        export_plan(stored.plan, stored.directory, folder, corrections=stored.corrections)
        exported = load_files(folder)
        assert exported.plan.item(item.key).calendar.basis == basis
        assert apply_catalog(session, boss, exported, tracking_start=since).kept == ()
        apply_catalog(session, boss, files, tracking_start=since)
        assert load_plan(session, key).item(item.key).calendar == item.calendar
        edit_calendar(session, world.coordinator(), key, item.key, asked)
        apply_catalog(session, boss, files, tracking_start=since, overwrite=True)
        assert load_plan(session, key).item(item.key).calendar == item.calendar
    database.close()


def test_an_earlier_instant_has_the_calendar_in_force_then(database_url: str) -> None:
    """Rule 39."""
    database = Database(database_url, durable=False)
    with database.write() as session:
        world.found(session)
        world.open_work(session)
        edit_calendar(session, world.coordinator(date(2027, 3, 3)), PLAN, "I.1", EDIT)
    with database.read() as session:
        for instant, cron in (
            (world.at(date(2027, 3, 2)), "0 17 31 3 *"),
            (world.at(date(2027, 3, 4)), "0 17 15 4 *"),
        ):
            with as_known_at(session, instant) as past:
                assert load_state(past, PLAN).plan.item("I.1").calendar.due == cron
    database.close()


PAGE = "/danh-muc/lich"
ONE = f"{PAGE}/{PLAN}/I.1"
FORM = {
    "opens_day": "2",
    "opens_month": "1",
    "due_day": "15",
    "due_month": "4",
    "ladder": "standard",
    "authority": "coordinator",
    "basis": "Kế hoạch 20/KH-SNV",
    "document": "20/KH-SNV",
    "reason": "Thống nhất với kỳ báo cáo quý",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def sealed(seen: Response) -> dict[str, str]:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', seen.text)
    assert found is not None, text_of(seen)
    return {"seal": found[1]}


def test_the_form_speaks_of_days_and_months_and_shows_before_it_writes(site: Site) -> None:
    """Rules 7, 15, 39."""
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get(ONE)
    assert '<option value="31" selected>ngày 31</option>' in page.text
    assert '<option value="3" selected>tháng 3</option>' in page.text
    assert "0 17" not in page.text
    fields, before = {"mark": mark_of(page), **FORM}, site.counts()
    seen = browser.post(ONE, data=fields)
    assert "31/3/2027 ▲ 15/4/2027 chưa cơ quan nào bắt đầu" in text_of(seen)
    assert "Năm 2028 4/1/2028 31/3/2028 → 17/4/2028" in text_of(seen).replace(
        "2/1/2028", "4/1/2028"
    )
    assert site.counts() == before
    back = browser.post(ONE, data=fields | {"sua": "1"})
    assert '<option value="15" selected>' in back.text
    done = browser.post(ONE, data=fields | sealed(seen))
    assert done.status_code == 303, text_of(done)
    listed = text_of(browser.get(done.headers["location"]))
    assert "Đã sửa lịch I.1; 1 kỳ đang mở đổi theo" in listed
    assert "hạn 15/4/2027" in listed
    then = text_of(browser.get(f"{PAGE}?luc=28/2/2027"))
    assert "hạn 31/3/2027" in then
    assert "Sửa lịch" not in then


def test_a_preview_that_no_longer_holds_is_shown_again(site: Site) -> None:
    """Rule 26."""
    browser = site.logged_in(Visitor.COORDINATOR)
    fields = {"mark": mark_of(browser.get(ONE)), **FORM}
    seen = browser.post(ONE, data=fields)
    work = site.work["I.1/xa_van_ninh"]
    site.write(lambda s: act(s, world.agency(A), work, Action.START))
    stale = browser.post(ONE, data=fields | sealed(seen))
    assert stale.status_code == 409
    assert "đã có cơ quan thực hiện" in text_of(stale)
    assert site.read(lambda s: load_plan(s, PLAN).version) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"due_day": "31"}, "không có ngày này"),
        ({"due_month": ""}, "chọn tháng"),
        ({"due_day": "40"}, "từ 1 đến 31"),
        ({"reason": ""}, "nêu lý do"),
        ({"authority": "province", "document": ""}, "UBND tỉnh"),
        ({"authority": "x"}, "chọn cơ quan ấn định"),
    ],
)
def test_a_wrong_form_says_where_and_keeps_what_was_typed(
    site: Site, change: dict[str, str], told: str
) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    fields = {"mark": mark_of(browser.get(ONE)), **FORM, "basis": "Căn cứ <b>"}
    answer = browser.post(ONE, data=fields | change)
    assert answer.status_code == 422
    assert told in text_of(answer)
    assert "Căn cứ &lt;b&gt;" in answer.text


def test_auditors_and_agencies_edit_no_calendar(site: Site) -> None:
    for visitor in (Visitor.AUDITOR, Visitor.AGENCY, Visitor.ADMIN):
        assert site.logged_in(visitor).get(ONE).status_code == 403
    assert site.logged_in(Visitor.COORDINATOR).get(f"{PAGE}/{PLAN}/IX.9").status_code == 404
