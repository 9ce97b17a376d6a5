"""Which backups stay: the newest of each of the last days, weeks and months."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.keeping import KeepRule, kept

FIRST = datetime(2027, 1, 1, 1, 30, tzinfo=UTC)
NIGHTS = [FIRST + timedelta(days=n) for n in range(800)]
USUAL = KeepRule(daily=14, weekly=8, monthly=24)

rules = st.builds(
    KeepRule, daily=st.integers(1, 20), weekly=st.integers(0, 10), monthly=st.integers(0, 12)
)
instants = st.lists(st.integers(0, 3000).map(lambda n: FIRST + timedelta(hours=7 * n)), unique=True)


def test_days_weeks_and_months_keep_one_each() -> None:
    stays = kept(NIGHTS, USUAL)
    assert set(NIGHTS[-14:]) <= stays
    assert len({(one.year, one.month) for one in stays}) == 24
    assert len(stays) <= 14 + 8 + 24


def test_a_month_keeps_its_newest() -> None:
    stays = kept(NIGHTS, KeepRule(daily=1, weekly=0, monthly=3))
    assert [one.date().isoformat() for one in sorted(stays)] == [
        "2029-01-31",
        "2029-02-28",
        "2029-03-10",
    ]


def test_nights_without_a_backup_use_up_nothing() -> None:
    sparse = NIGHTS[::10]
    assert kept(sparse, KeepRule(daily=5, weekly=0, monthly=0)) == set(sparse[-5:])


@given(instants, rules)
def test_the_newest_always_stays(made: list[datetime], rule: KeepRule) -> None:
    assert not made or max(made) in kept(made, rule)


@given(instants, rules)
def test_thinning_out_twice_is_thinning_out_once(made: list[datetime], rule: KeepRule) -> None:
    once = kept(made, rule)
    assert kept(once, rule) == once


@given(instants, rules)
def test_thinning_out_every_night_keeps_what_one_look_at_the_end_would(
    made: list[datetime], rule: KeepRule
) -> None:
    there: frozenset[datetime] = frozenset()
    for one in sorted(made):
        there = kept({*there, one}, rule)
    assert there == kept(made, rule)
