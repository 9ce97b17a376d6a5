"""Whom a name means on a day (rules 11, 12, 14, 35, 36)."""

import itertools
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.directory import (
    Directory,
    DuplicateKey,
    GroupCircle,
    SuccessionCircle,
    UnknownAgency,
    find_circle,
    parties_on,
)
from rules.values import (
    Agency,
    Group,
    Item,
    ItemCalendar,
    ItemParties,
    ItemText,
    LeadMode,
    Member,
    PartySpan,
    Succession,
)

BEFORE, CHANGE, AFTER = date(2025, 2, 28), date(2025, 3, 1), date(2027, 1, 1)


def agency(
    key: str, first: date | None = None, last: date | None = None, *, letters: bool = True
) -> Agency:
    return Agency(
        key=key, name=key.title(), kind="office", valid_from=first, valid_to=last, letters=letters
    )


def group(key: str, *refs: str | Member, letters: bool = True) -> Group:
    members = tuple(Member(ref=ref) if isinstance(ref, str) else ref for ref in refs)
    return Group(key=key, name=key.title(), members=members, letters=letters)


def succession(old: str, new: str | None, *items: str, on: date = CHANGE) -> Succession:
    return Succession(predecessor=old, successor=new, effective_on=on, items=items)


@pytest.fixture
def directory() -> Directory:
    return Directory(
        agencies=[
            agency("home"),
            agency("labour", last=BEFORE),
            agency("media", last=BEFORE),
            agency("science"),
            agency("culture", CHANGE),
            agency("district", last=BEFORE),
            agency("island", letters=False),
            agency("atoll"),
        ],
        groups=[
            group("offices", "home", "labour", "media", "science", "culture"),
            group("far", "island", "atoll"),
            group("silent", "@far", letters=False),
            group("all", "@offices", "district", "@far", "home"),
            group("until", Member(ref="home", valid_to=BEFORE), Member(ref="atoll")),
            group("empty"),
        ],
        successions=[
            succession("labour", "home"),
            succession("media", "science"),
            succession("media", "culture", "II.4"),
            succession("district", None),
        ],
    )


def test_a_group_means_the_agencies_of_the_day(directory: Directory) -> None:
    assert directory.resolve(["@offices"], BEFORE) == ("home", "labour", "media", "science")
    assert directory.resolve(["@offices"], CHANGE) == ("home", "science", "culture")


def test_nested_groups_name_each_agency_once_in_their_order(directory: Directory) -> None:
    found = directory.resolve(["@all", "home"], BEFORE)
    assert found == ("home", "labour", "media", "science", "district", "island", "atoll")


def test_membership_ends_on_its_last_day(directory: Directory) -> None:
    assert directory.resolve(["@until"], BEFORE) == ("home", "atoll")
    assert directory.resolve(["@until"], CHANGE) == ("atoll",)


def test_an_ended_agency_named_itself_stands_for_its_successor(directory: Directory) -> None:
    """Rule 35: the decision's own names follow their successors."""
    assert directory.resolve(["labour", "home"], AFTER) == ("home",)


def test_an_ended_agency_is_dropped_from_a_group(directory: Directory) -> None:
    assert "labour" not in directory.resolve(["@offices"], AFTER)


def test_an_agency_that_ended_without_successor_means_nobody(directory: Directory) -> None:
    assert directory.follow("district", AFTER) == ()
    assert [s.successor for s in directory.successors_of("district", AFTER)] == [None]


def test_an_agency_that_does_not_exist_yet_means_nobody(directory: Directory) -> None:
    assert directory.resolve(["culture"], BEFORE) == ()


def test_a_split_names_who_gets_what(directory: Directory) -> None:
    """Rule 35: one successor was given an item, the other everything else."""
    assert directory.follow("media", AFTER, "II.4") == ("culture",)
    assert directory.follow("media", AFTER, "II.5") == ("science",)
    assert directory.follow("media", AFTER) == ("culture", "science")


def test_successions_are_followed_to_whoever_exists() -> None:
    year = [date(2024 + n, 1, 1) for n in range(3)]
    directory = Directory(
        agencies=[agency("a", last=date(2023, 12, 31)), agency("b", year[0], date(2024, 12, 31)),
                  agency("c", year[1], date(2025, 12, 31)), agency("d", year[2])],
        successions=[succession("c", "d", on=year[2]), succession("a", "b", on=year[0]),
                     succession("b", "c", on=year[1])],
    )  # fmt: skip
    assert [directory.follow("a", day) for day in year] == [("b",), ("c",), ("d",)]
    assert [s.successor for s in directory.successions_between(year[0], year[2])] == ["c", "d"]
    assert directory.successors_of("a", date(2023, 12, 31)) == ()


def test_letters_are_off_by_agency_and_by_group(directory: Directory) -> None:
    """Rule 36: some groups are followed by hand until they are switched on."""
    assert directory.letters_on("home", AFTER)
    assert not directory.letters_on("island", AFTER)
    assert not directory.letters_on("atoll", AFTER), "a member of a member of a silent group"


def test_unknown_names_are_refused(directory: Directory) -> None:
    for ask in (directory.agency, directory.group, lambda key: directory.resolve([key], AFTER)):
        with pytest.raises(UnknownAgency, match="nobody"):
            ask("nobody")
    with pytest.raises(UnknownAgency, match="'@nobody'"):
        directory.resolve(["@nobody"], AFTER)


@pytest.mark.parametrize(
    ("groups", "successions"),
    [
        ([group("g", "nobody")], []),
        ([group("g", "@nobody")], []),
        ([], [succession("nobody", "a")]),
        ([], [succession("a", "nobody")]),
    ],
)
def test_references_are_checked_at_once(
    groups: Sequence[Group], successions: Sequence[Succession]
) -> None:
    with pytest.raises(UnknownAgency, match="nobody"):
        Directory(agencies=[agency("a")], groups=groups, successions=successions)


def test_doubled_keys_are_refused() -> None:
    with pytest.raises(DuplicateKey, match="'a'"):
        Directory(agencies=[agency("a"), agency("a")])
    with pytest.raises(DuplicateKey, match="'g'"):
        Directory(agencies=[], groups=[group("g"), group("g")])


def test_groups_in_a_circle_are_refused() -> None:
    with pytest.raises(GroupCircle) as caught:
        Directory(agencies=[], groups=[group("a", "@b"), group("b", "@c"), group("c", "@b")])
    assert caught.value.path == ("b", "c", "b")


def test_successors_in_a_circle_are_refused() -> None:
    """Rule 9."""
    with pytest.raises(SuccessionCircle, match="new key") as caught:
        Directory(
            agencies=[agency("a"), agency("b")],
            successions=[succession("a", "b"), succession("b", "a", on=AFTER)],
        )
    assert caught.value.path == ("a", "b", "a")


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)))
def test_circles_are_found_where_there_are_any(arrows: dict[str, list[str]]) -> None:
    circle = find_circle(arrows)
    if circle is not None:
        assert circle[0] == circle[-1]
        assert all(to in arrows[at] for at, to in itertools.pairwise(circle))
        return
    left = dict(arrows)
    while ready := [key for key, to in left.items() if not set(to) & set(left)]:
        for key in ready:
            del left[key]
    assert not left, "without a circle, the last ones can be taken off until none is left"


def test_the_same_agencies_make_equal_directories(directory: Directory) -> None:
    again = Directory(
        agencies=directory.agencies,
        groups=directory.groups,
        successions=reversed(directory.successions),
    )
    assert again == directory
    assert hash(again) == hash(directory)
    assert directory != Directory(agencies=directory.agencies)
    assert [one.key for one in directory.valid_on(AFTER)] == [
        "home", "science", "culture", "island", "atoll",
    ]  # fmt: skip


def item(mode: LeadMode, leads: Sequence[PartySpan], partners: Sequence[PartySpan]) -> Item:
    return Item(
        key="II.4",
        group="II",
        position=1,
        text=ItemText(
            number="4",
            task="Một việc",
            activity_intro=None,
            activity_bullets=(),
            lead=("Sở",),
            partners=(),
            timing="Hàng năm",
        ),
        calendar=ItemCalendar(opens="0 8 2 1 *", due="0 17 31 3 *", basis="mặc định"),
        parties=ItemParties(
            lead_mode=mode, leads=tuple(leads), partners=tuple(partners), basis="mặc định"
        ),
    )


def span(*refs: str, first: date | None = None, last: date | None = None) -> PartySpan:
    return PartySpan(refs=refs, valid_from=first, valid_to=last)


def test_a_lead_is_never_its_own_partner(directory: Directory) -> None:
    """Rule 14."""
    one = item(LeadMode.SINGLE, [span("home")], [span("@offices")])
    assert parties_on(one, directory, AFTER) == (("home",), ("science", "culture"))


def test_where_each_leads_its_own_a_partner_of_the_others_stays(directory: Directory) -> None:
    """Rules 13, 14: the partner belongs to the occurrence and helps everybody but itself."""
    each = item(LeadMode.EACH, [span("@offices")], [span("home")])
    leads, partners = parties_on(each, directory, AFTER)
    assert "home" in leads
    assert partners == ("home",)
    alone = item(LeadMode.EACH, [span("home")], [span("home", "atoll")])
    assert parties_on(alone, directory, AFTER) == (("home",), ("atoll",))


def test_a_phrase_means_others_from_a_day_on(directory: Directory) -> None:
    """Rule 12: parties resolve by date."""
    changed = item(
        LeadMode.JOINT,
        [span("home", "district", last=BEFORE), span("home", first=CHANGE)],
        [span("@far", first=CHANGE)],
    )
    assert parties_on(changed, directory, BEFORE) == (("home", "district"), ())
    assert parties_on(changed, directory, CHANGE) == (("home",), ("island", "atoll"))


def test_a_named_lead_is_followed_by_whoever_got_the_item(directory: Directory) -> None:
    named = item(LeadMode.JOINT_OR_SEPARATE, [span("home", "media")], [])
    assert parties_on(named, directory, AFTER)[0] == ("home", "culture")
