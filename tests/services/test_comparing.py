"""A span beside its earlier days: which days they are, and only what both have."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import T1_T2

from hub.domain.calendar import Level, instant_of, minute_of
from hub.services.comparing import (
    Against,
    beside_of,
    comparison_of,
    earlier_days,
    hull,
    load_beside,
    whole_before,
)
from hub.services.pieces import gather
from hub.services.profile import Profiles, span_minutes, summed
from hub.store import points as stored

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
COUNT = Fraction(500, 1_000_000)


def d(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.clause("T9.comparison-previous")
@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        ("2026-11-18", "2026-11-20", ("2026-11-11", "2026-11-13")),
        ("2026-11-16", "2026-11-22", ("2026-11-09", "2026-11-15")),
        ("2026-11-02", "2026-11-24", ("2026-10-05", "2026-10-27")),
        ("2026-11-01", "2026-11-30", ("2026-10-01", "2026-10-30")),
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
    ],
)
def test_the_previous_period_has_the_same_weekdays_or_the_days_of_the_month(first, last, wanted):
    assert earlier_days(d(first), d(last), Against.PREVIOUS) == tuple(map(d, wanted))


@pytest.mark.clause("T9.comparison-year")
@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 40))
def test_last_year_has_the_same_weekdays(first, more):
    last = first + timedelta(days=more)
    low, high = earlier_days(first, last, Against.YEAR)
    assert (low.weekday(), high.weekday()) == (first.weekday(), last.weekday())
    assert first - low == last - high == timedelta(days=364)


@given(
    data=st.data(),
    against=st.sampled_from(list(Against)),
    begin=st.integers(0, 9),
    days=st.integers(1, 10),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sums_are_of_the_slots_that_both_have(world, data, against, begin, days):
    first = date(2026, 11, 10) + timedelta(days=begin)
    last = first + timedelta(days=days - 1)
    before_first, _ = earlier_days(first, last, against)
    user, point, _, meter = world.simple(rules=T1_T2, from_at=datetime(2025, 1, 1, tzinfo=UTC))
    series = world.series(meter_id=meter)
    start = {at: minute_of(datetime(at.year, at.month, at.day, tzinfo=UTC)) // 30 - 6
             for at in (first, before_first)}  # fmt: skip
    holes = data.draw(st.sets(st.integers(0, 48 * days - 1), max_size=30))
    slots = {}
    for at, base in start.items():
        for n in range(48 * days):
            if (n not in holes) if at == first else (n % 7):
                slots[base + n] = ((n % 91 + (at == first), 0), 0)
    world.slots(series, slots)
    with world.store.read() as unit:
        row = stored.one(unit, user, point)
        load = gather(unit, [row], *span_minutes("Europe/Moscow", first, last))[0]
        load = load_beside(unit, row, (first, last), against, (load, (first, last)))
    found = comparison_of(load, first, last, against, NOW)
    end = minute_of(NOW) // 30
    both = [
        n for n in range(48 * days)
        if start[first] + n in slots and start[before_first] + n in slots and start[first] + n < end
    ]  # fmt: skip
    assert found.both == len(both)
    if both:
        assert found.now == sum(slots[start[first] + n][0][0] for n in both) * COUNT
        assert found.before == sum(slots[start[before_first] + n][0][0] for n in both) * COUNT
    laid = beside_of(load, first, last, 30, against)
    assert len(laid) == 48 * days
    for n, value in enumerate(laid):
        slot = slots.get(start[before_first] + n)
        assert (value is None) == (slot is None)
        if slot is not None:
            assert value == pytest.approx(float(slot[0][0] * COUNT))


def test_an_hour_with_half_of_it_is_not_laid_beside(world):
    user, point, _, meter = world.simple()
    series = world.series(meter_id=meter)
    base = minute_of(datetime(2026, 11, 9, 21, tzinfo=UTC)) // 30
    world.slots(series, {base + n: ((5, 0), 0) for n in range(48) if n != 3})
    day = date(2026, 11, 17)
    with world.store.read() as unit:
        row = stored.one(unit, user, point)
        load = gather(unit, [row], *span_minutes("Europe/Moscow", day - timedelta(days=7), day))[0]
    laid = beside_of(load, day, day, 60, Against.PREVIOUS)
    assert [at for at, value in enumerate(laid) if value is None] == [1]
    assert laid[0] == pytest.approx(float(10 * COUNT))


@pytest.mark.clause("T5.four-weeks-back")
def test_only_whole_days_four_weeks_back_are_laid_beside(world):
    user, point, _, meter = world.simple()
    series = world.series(meter_id=meter)
    base = minute_of(datetime(2026, 10, 19, 21, tzinfo=UTC)) // 30  # 20 October in Moscow
    world.slots(series, {base + n: ((2, 0), 0) for n in range(96) if n != 60})
    first, last = date(2026, 11, 17), date(2026, 11, 18)
    with world.store.read() as unit:
        row = stored.one(unit, user, point)
        span = hull(first, last, Level.DAY, NOW.date())
        load = gather(unit, [row], *span_minutes("Europe/Moscow", *span))[0]
    items = summed(load, first, last, Level.DAY, NOW).items
    assert whole_before(load, items, Level.DAY) == [96 * COUNT, None]
    assert Profiles(world.store, lambda: NOW).days(user, point, first, last).total.measured == 0
    assert instant_of(base * 30).day == 19


def test_a_month_is_laid_beside_the_same_month_a_year_earlier(world):
    user, point, _, meter = world.simple(from_at=datetime(2025, 1, 1, tzinfo=UTC))
    series = world.series(meter_id=meter)
    base = minute_of(datetime(2025, 9, 30, 21, tzinfo=UTC)) // 30  # October and November 2025
    lacking = base + 31 * 48 + 7
    world.slots(series, {base + n: ((3, 0), 0) for n in range(61 * 48) if base + n != lacking})
    first, last = date(2026, 10, 1), date(2026, 12, 10)
    with world.store.read() as unit:
        row = stored.one(unit, user, point)
        span = hull(first, last, Level.MONTH, NOW.date())
        load = gather(unit, [row], *span_minutes("Europe/Moscow", *span))[0]
    items = summed(load, first, last, Level.MONTH, NOW).items
    assert whole_before(load, items, Level.MONTH) == [31 * 48 * 3 * COUNT, None, None]
