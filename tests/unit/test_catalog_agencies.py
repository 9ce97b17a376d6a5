"""The agencies that ship, and whom the decision's phrases mean (rules 12-18, 35, 36)."""

from datetime import date

import pytest

from rules.directory import parties_on
from rules.recurrence import expand
from rules.values import (
    Audience,
    Certainty,
    Confirmation,
    DateAuthority,
    ItemKind,
    LeadMode,
    PeriodKind,
)
from tasks_catalog.loader import CATALOG, load_plan

CATALOG_1718 = load_plan(CATALOG / "qd_1718_2023")
PLAN, DIRECTORY = CATALOG_1718.plan, CATALOG_1718.directory
SIGNED, DISTRICTS_END, COMMUNES_BEGIN = date(2023, 7, 21), date(2025, 6, 30), date(2025, 7, 1)
NOW = date(2027, 1, 4)


def names(*refs: str, on: date) -> list[str]:
    return [DIRECTORY.agency(key).name for key in DIRECTORY.resolve(refs, on)]


def leads_of(item: str, on: date) -> list[str]:
    return [DIRECTORY.agency(key).name for key in parties_on(PLAN.item(item), DIRECTORY, on)[0]]


def partners_of(item: str, on: date) -> list[str]:
    return [DIRECTORY.agency(key).name for key in parties_on(PLAN.item(item), DIRECTORY, on)[1]]


def test_the_decision_was_signed_for_21_departments_and_9_districts() -> None:
    assert len(names("@departments", on=SIGNED)) == 21
    assert len(names("@districts", on=SIGNED)) == 9
    assert names("@communes", on=SIGNED) == []


def test_since_july_2025_there_are_65_communes_and_no_district() -> None:
    assert len(names("@districts", on=DISTRICTS_END)) == 9
    assert names("@districts", on=COMMUNES_BEGIN) == []
    units = [DIRECTORY.agency(key) for key in DIRECTORY.resolve(["@communes"], COMMUNES_BEGIN)]
    kinds = [unit.kind for unit in units]
    assert (kinds.count("commune"), kinds.count("ward"), kinds.count("special_zone")) == (48, 16, 1)
    assert len({unit.code for unit in units}) == 65
    assert all(unit.code and len(unit.code) == 5 for unit in units)


def test_14_departments_are_left() -> None:
    assert len(names("@departments", on=NOW)) == 14


def test_a_commune_is_listed_by_name_and_addressed_formally() -> None:
    unit = DIRECTORY.agency("xa_van_ninh")
    assert (unit.name, unit.addressed_as) == ("Xã Vạn Ninh", "Ủy ban nhân dân xã Vạn Ninh")
    assert "Thị trấn Vạn Giã" in (unit.note or "")


@pytest.mark.parametrize(
    ("old", "new", "certainty"),
    [
        ("Sở Lao động - Thương binh và Xã hội", "Sở Nội vụ", Certainty.SEEN),
        ("Sở Kế hoạch và Đầu tư", "Sở Tài chính", Certainty.SEEN),
        ("Sở Thông tin và Truyền thông", "Sở Khoa học và Công nghệ", Certainty.SEEN),
        ("Ban Dân tộc", "Sở Dân tộc và Tôn giáo", Certainty.SEEN),
        ("Sở Tài nguyên và Môi trường", "Sở Nông nghiệp và Môi trường", Certainty.GENERAL),
        ("Sở Giao thông vận tải", "Sở Xây dựng", Certainty.GENERAL),
        ("Sở Du lịch", "Sở Văn hóa, Thể thao và Du lịch", Certainty.UNSURE),
        ("Sở Ngoại vụ", "Văn phòng UBND tỉnh", Certainty.UNSURE),
    ],
)
def test_reorganised_departments_are_followed(old: str, new: str, certainty: Certainty) -> None:
    """Rule 35; how well it is known stays on the fact."""
    key = next(agency.key for agency in DIRECTORY.agencies if agency.name == old)
    assert names(key, on=SIGNED) == [old]
    assert names(key, on=NOW) == [new]
    (entry,) = DIRECTORY.successors_of(key, NOW)
    assert entry.certainty is certainty


def test_districts_end_without_successor() -> None:
    ends = DIRECTORY.successions_between(DISTRICTS_END, COMMUNES_BEGIN)
    ended = [entry for entry in ends if entry.successor is None]
    assert len(ended) == 9
    assert all("1667/NQ-UBTVQH15" in (entry.document or "") for entry in ended)


def test_only_truong_sa_gets_no_letters() -> None:
    """Rule 36: followed by hand until switched on, and a unit like the others all the same."""
    off = [
        key for key in DIRECTORY.resolve(["@all_units"], NOW) if not DIRECTORY.letters_on(key, NOW)
    ]
    assert off == ["dac_khu_truong_sa"]
    assert not DIRECTORY.letters_on("huyen_truong_sa", SIGNED)


@pytest.mark.parametrize("key", ["vertical_agencies", "public_service_units"])
def test_groups_of_article_3_ship_empty_and_switched_off(key: str) -> None:
    """Rule 36."""
    assert DIRECTORY.group(key).members == ()
    assert not DIRECTORY.group(key).letters


def test_large_departments_are_marked_as_a_guess() -> None:
    assert DIRECTORY.group("large_departments").certainty is Certainty.UNSURE


def test_every_unit_leads_its_own_part_of_i_1() -> None:
    """Rule 13: mode each."""
    assert PLAN.item("I.1").parties.lead_mode is LeadMode.EACH
    assert len(leads_of("I.1", NOW)) == 14 + 65
    assert partners_of("I.1", NOW) == ["Sở Nội vụ"]


def test_ii_2_is_led_with_the_districts_until_they_end() -> None:
    """Rule 12: whom a phrase means changes on 1 July 2025."""
    before, after = leads_of("II.2", DISTRICTS_END), leads_of("II.2", COMMUNES_BEGIN)
    assert len(set(before) & set(names("@districts", on=DISTRICTS_END))) == 9
    assert after == [name for name in before if name not in names("@districts", on=DISTRICTS_END)]
    assert "Sở Nội vụ" in after
    assert len(partners_of("II.2", NOW)) == 14 + 65 - len(after)


def test_ii_5_follows_the_department_that_the_decision_names() -> None:
    assert leads_of("II.5", SIGNED) == ["Sở Nội vụ", "Sở Thông tin và Truyền thông"]
    assert leads_of("II.5", NOW) == ["Sở Nội vụ", "Sở Khoa học và Công nghệ"]
    assert PLAN.item("II.5").parties.lead_mode is LeadMode.JOINT_OR_SEPARATE


def test_ii_1_partners_are_those_named_in_the_lead_cell() -> None:
    assert set(partners_of("II.1", SIGNED)) == {
        "Sở Tư pháp",
        "Sở Kế hoạch và Đầu tư",
        "Sở Tài chính",
        "Sở Thông tin và Truyền thông",
        "Văn phòng UBND tỉnh",
    }
    assert len(partners_of("II.1", NOW)) == 4


@pytest.mark.parametrize("item", ["II.3", "IV.1", "IV.2", "V.1"])
def test_all_other_units_partner_the_coordinators_rows(item: str) -> None:
    assert leads_of(item, NOW) == ["Sở Nội vụ"]
    assert len(partners_of(item, NOW)) == 14 + 65 - 1


@pytest.mark.parametrize("item", ["II.4", "III.1", "III.2"])
def test_continuous_rows_are_quarterly_check_ins_of_the_coordinator(item: str) -> None:
    """Rule 16."""
    calendar = PLAN.item(item).calendar
    assert (calendar.kind, calendar.period) == (ItemKind.CHECK_IN, PeriodKind.QUARTER)
    assert leads_of(item, NOW) == ["Sở Nội vụ"]
    assert len(expand(calendar, PLAN.first_year, PLAN.last_year)) == 8 * 4


def test_every_date_is_provisional_until_a_document_fixes_it() -> None:
    """Rule 17."""
    assert {item.calendar.authority for item in PLAN.items} == {DateAuthority.PROVISIONAL}
    awaited = {item.key for item in PLAN.items if item.calendar.fixed_by == "Bộ Nội vụ"}
    assert awaited == {"II.1", "II.2", "IV.1"}


@pytest.mark.parametrize(
    ("item", "due"),
    [("I.1", (3, 31)), ("II.3", (3, 31)), ("II.2", (4, 30)), ("I.2", (6, 30)), ("II.1", (6, 30)),
     ("IV.1", (10, 31)), ("II.5", (11, 30)), ("IV.2", (11, 30)), ("V.1", (12, 20))],
)  # fmt: skip
def test_default_due_dates(item: str, due: tuple[int, int]) -> None:
    dates = expand(PLAN.item(item).calendar, PLAN.first_year, PLAN.last_year)
    assert [(one.nominal_due_on.month, one.nominal_due_on.day) for one in dates] == [due] * 8


def test_v_1_is_also_the_interim_and_the_final_review() -> None:
    """Rule 18."""
    dates = expand(PLAN.item("V.1").calendar, PLAN.first_year, PLAN.last_year)
    marked = {one.period.key: one.milestone for one in dates if one.milestone}
    assert marked == {"2025": "so_ket", "2030": "tong_ket"}


def test_only_group_i_waits_for_confirmation() -> None:
    """Rule 20."""
    required = [i.key for i in PLAN.items if i.calendar.confirmation is Confirmation.REQUIRED]
    assert required == ["I.1", "I.2"]


def test_the_standard_ladder() -> None:
    """Rule 27; the head is written to once."""
    rungs = PLAN.ladders["standard"].rungs
    assert [rung.offset for rung in rungs] == [-15, -5, -1, 2, 6, 15, 30]
    assert [rung.offset for rung in rungs if Audience.HEAD in rung.audience] == [6]


def test_a_provisional_date_never_writes_to_a_head() -> None:
    """Rule 17: past it, the coordinator is reminded to fix the date."""
    rungs = PLAN.ladders["provisional"].rungs
    assert not any(Audience.HEAD in rung.audience for rung in rungs)
    assert [rung.audience for rung in rungs if rung.offset > 0] == [(Audience.COORDINATOR,)]


def test_every_interpretation_has_its_basis() -> None:
    """Rule 7."""
    bases = [
        PLAN.coordinator_basis,
        PLAN.policies.basis,
        *(ladder.basis for ladder in PLAN.ladders.values()),
        *(item.calendar.basis for item in PLAN.items),
        *(item.parties.basis for item in PLAN.items),
    ]
    assert all(bases)
    assert all(item.calendar.expected for item in PLAN.items)
