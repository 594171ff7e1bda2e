"""The forecast of a month: absent when too little is known, within its range, never below facts."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.domain.calendar import days_of, month_end
from hub.services.forecast import month_forecast

MONTH = date(2026, 11, 1)
DAYS = days_of(MONTH, month_end(MONTH))
energies = st.integers(0, 500_000).map(lambda watt_hours: Fraction(watt_hours, 1000))
months = st.dictionaries(st.sampled_from(DAYS), energies, max_size=30)


@pytest.mark.clause("T9.forecast-absent")
@given(months)
def test_there_is_none_below_seven_complete_days(complete):
    assert (month_forecast(MONTH, complete) is None) == (len(complete) < 7)


@pytest.mark.clause("T9.forecast-range")
@given(months, months)
def test_it_lies_in_its_range_and_never_below_what_was_measured(complete, begun):
    assume(len(complete) >= 7)
    begun = {day: energy for day, energy in begun.items() if day not in complete}
    found = month_forecast(MONTH, complete, begun)
    measured = sum(complete.values()) + sum(begun.values())
    assert found.measured == measured
    assert measured <= found.low <= found.energy <= found.high
    assert found.days == len(complete)


@given(st.sets(st.sampled_from(DAYS), min_size=7), energies)
def test_days_all_alike_leave_no_doubt(days, energy):
    found = month_forecast(MONTH, dict.fromkeys(days, energy))
    assert found.low == found.energy == found.high == 30 * energy


@given(months)
def test_twice_the_use_is_twice_the_forecast(complete):
    assume(len(complete) >= 7)
    once = month_forecast(MONTH, complete)
    twice = month_forecast(MONTH, {day: 2 * energy for day, energy in complete.items()})
    assert twice.energy == 2 * once.energy
    assert abs((twice.high - twice.energy) - 2 * (once.high - once.energy)) <= Fraction(3, 2000)


def test_a_whole_month_is_what_it_was():
    complete = {day: Fraction(day.day) for day in DAYS}
    found = month_forecast(MONTH, complete)
    assert found.low == found.energy == found.high == sum(complete.values())


def test_a_day_with_gaps_is_no_zero():
    complete = {MONTH + timedelta(days=at): Fraction(10) for at in range(14)}
    lacking = MONTH + timedelta(days=4)
    without = {day: energy for day, energy in complete.items() if day != lacking}
    found = month_forecast(MONTH, without, {lacking: Fraction(1)})
    assert found.energy == 300
    assert month_forecast(MONTH, without, {lacking: Fraction(25)}).energy == 315


def test_weekends_are_like_weekends():
    complete = {
        day: Fraction(2 if day.weekday() >= 5 else 8) for day in DAYS[:14]
    }  # 1 November 2026 is a Sunday
    weekends = sum(day.weekday() >= 5 for day in DAYS)
    found = month_forecast(MONTH, complete)
    assert found.energy == weekends * 2 + (30 - weekends) * 8


def test_days_of_other_months_are_left_out():
    october = {date(2026, 10, at): Fraction(5) for at in range(1, 32)}
    assert month_forecast(MONTH, october) is None
