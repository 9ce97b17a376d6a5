"""What the decision asks for outside its appendix: its words, its dates, whom it binds (rule 41)."""

from datetime import date
from pathlib import Path

import pytest

from rules.added import is_beside, is_counted_apart
from rules.directory import parties_on
from rules.recurrence import expand
from tasks_catalog.errors import CatalogErrors
from tasks_catalog.loader import CATALOG, load_plan
from tests.unit.test_catalog_text import DECISION, joined

LOADED = load_plan(CATALOG / "qd_1718_2023")
PLAN = LOADED.plan
TEXT = joined(DECISION.splitlines())
UNSAID = "(không nêu)"


@pytest.mark.parametrize("item", PLAN.beside, ids=lambda item: item.key)
def test_every_quote_stands_in_the_decision(item) -> None:  # type: ignore[no-untyped-def]
    """Rule 6: verbatim, with the section it was taken from."""
    words = (*item.text.activity_bullets, *item.text.lead, *item.text.partners)
    assert [one for one in words if one not in TEXT] == []
    assert item.text.timing == UNSAID or item.text.timing in TEXT
    assert item.text.section
    goals = [one.goal for one in item.calendar.figures if one.goal]
    assert [one for one in goals if one not in TEXT] == []


@pytest.mark.parametrize("item", PLAN.beside, ids=lambda item: item.key)
def test_what_is_ours_says_so(item) -> None:  # type: ignore[no-untyped-def]
    """Rule 7: the decision gives no day, and says of no field who follows whom."""
    assert "mặc định, chờ Sở Nội vụ quyết định" in item.calendar.basis
    assert "mặc định, chờ Sở Nội vụ quyết định" in item.parties.basis


def test_costs_and_sources_are_the_decisions_own() -> None:
    """Rule 43: five lines of V.2.1, two sources of V.2.2."""
    assert len(PLAN.cost_lines) == 5
    assert len(PLAN.cost_sources) == 2
    assert all(one.quote in TEXT for one in (*PLAN.cost_lines, *PLAN.cost_sources))


def test_they_stand_beside_the_twelve_items_and_are_counted_apart() -> None:
    assert len(PLAN.items) == 12
    assert [one.key for one in PLAN.beside] == [f"NPL.{n}" for n in range(1, 10)]
    assert all(is_beside(one.key) and is_counted_apart(one.key) for one in PLAN.beside)
    assert not any(is_counted_apart(one.key) for one in PLAN.items)
    assert PLAN.decided == (*PLAN.items, *PLAN.beside)


def test_the_yearly_report_is_due_on_10_december_from_every_agency() -> None:
    """Rule 41: cut-off 30/11, due 10/12, confirmed by the coordinator."""
    item = PLAN.item("NPL.1")
    one = next(one for one in expand(item.calendar, 2023, 2030) if one.period.year == 2027)
    assert one.nominal_due_on == date(2027, 12, 10)
    assert item.calendar.cutoff == "11-30"
    assert item.calendar.confirmation == "required"
    leads, _ = parties_on(item, LOADED.directory, one.opens_on)
    assert set(leads) == set(parties_on(PLAN.item("I.1"), LOADED.directory, one.opens_on)[0])
    of = [figure for figure in item.calendar.figures if figure.target == 100]
    assert [figure.of for figure in of] == ["staff", "staff"]


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("NPL.3", ["so_noi_vu"], ["so_noi_vu"]),
        ("NPL.5", ["so_tu_phap", "so_khdt"], ["so_tu_phap", "so_tai_chinh"]),
        ("NPL.6", ["vp_ubnd_tinh"], ["vp_ubnd_tinh"]),
        ("NPL.7", ["so_tai_chinh"], ["so_tai_chinh"]),
        ("NPL.8", ["so_tttt"], ["so_khcn"]),
    ],
)
def test_a_field_has_its_guide_from_whom_the_decision_names(
    key: str, before: list[str], after: list[str]
) -> None:
    """V.1.2.a; from 1/3/2025 the successors (rule 35)."""
    item = PLAN.item(key)
    assert list(parties_on(item, LOADED.directory, date(2025, 2, 28))[0]) == before
    assert list(parties_on(item, LOADED.directory, date(2025, 3, 1))[0]) == after


def test_the_knowledge_test_wants_praise_and_advice() -> None:
    item = PLAN.item("IV.1")
    assert [one.key for one in item.calendar.outcomes] == ["bieu_duong", "khuyen_nghi"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("key: NPL.2", "key: NPL.1", "trùng khóa “NPL.1”"),
        ("key: NPL.2", "key: II.9", "khóa sai dạng"),
        ("of: staff", "of: stuff", "không có mẫu số “stuff”"),
        ("          of: staff\n", "", "chỉ tiêu thiếu mẫu số"),
        ("due: 0 17 10 12 *", "due: 0 17 31 2 *", "không rơi vào ngày nào"),
        ("refs: [so_tttt]", "refs: [so_abc]", "so_abc"),
        ("11-30", "11-31", "không có ngày này"),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """Rule 9."""
    folder = tmp_path / "plan"
    folder.mkdir()
    for path in (CATALOG / "qd_1718_2023").glob("*.yaml"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "days_off.yaml").write_text(
        (CATALOG / "days_off.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    file = folder / "obligations.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogErrors) as caught:
        load_plan(folder, CATALOG / "agencies")
    assert message in str(caught.value)
    assert all("obligations.yaml" in str(one) for one in caught.value.errors)
