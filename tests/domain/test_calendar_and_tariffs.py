"""Local days and tariff runs against slot-by-slot oracles."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.calendar import (
    Bucket,
    Level,
    buckets,
    day_starts,
    instant_of,
    minute_of,
    month_end,
    previous_month,
    slot_at,
)
from hub.domain.tariffs import ONE_ZONE, Schedule, parse_schedule, runs
from hub.errors import BadSchedule

ZONES = [
    "Europe/Moscow", "Europe/Samara", "Asia/Kamchatka", "Europe/Berlin", "America/Santiago",
    "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana",
]  # fmt: skip
RULES = [
    {"zone": "T1", "from": "07:00", "to": "10:00", "days": "workdays"},
    {"zone": "T1", "from": "17:00", "to": "21:00", "days": "workdays"},
    {"zone": "T2", "from": "23:00", "to": "07:00"},
    {"zone": "T3", "from": "00:00", "to": "24:00"},
]
days = st.dates(date(2009, 1, 1), date(2027, 12, 1))


@given(zone=st.sampled_from(ZONES), first=days, count=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_day_holds_exactly_the_minutes_that_its_clock_shows(zone, first, count):
    last = first + timedelta(days=count)
    starts = day_starts(zone, first, last)
    info = ZoneInfo(zone)
    assert len(starts) == count + 2
    for number, (low, high) in enumerate(pairwise(starts)):
        day = first + timedelta(days=number)
        assert instant_of(low).astimezone(info).date() == day
        assert instant_of(high - 1).astimezone(info).date() == day
        assert instant_of(low - 1).astimezone(info).date() == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "day", "half_hours"),
    [
        ("Europe/Moscow", date(2026, 3, 29), 48),
        ("Europe/Moscow", date(2010, 3, 28), 46),
        ("Europe/Moscow", date(2014, 10, 26), 50),
        ("Europe/Samara", date(2010, 3, 28), 48),  # an hour forward and a zone back at once
        ("Europe/Berlin", date(2026, 3, 29), 46),
        ("Europe/Berlin", date(2026, 10, 25), 50),
    ],
)
def test_days_have_46_48_or_50_half_hours(zone, day, half_hours):
    low, high = day_starts(zone, day, day)
    assert (high - low) // 30 == half_hours
    cut = runs(ONE_ZONE, zone, day, day, 30, Level.DAY)
    assert cut.end_slot - cut.first_slot == half_hours


@given(
    zone=st.sampled_from(ZONES),
    first=days,
    count=st.integers(0, 45),
    minutes=st.sampled_from([5, 15, 30, 60]),
    level=st.sampled_from(Level),
)
@settings(max_examples=60, deadline=None)
def test_runs_are_the_zones_of_each_slot(zone, first, count, minutes, level):
    last = first + timedelta(days=count)
    schedule = parse_schedule(RULES)
    cut = runs(schedule, zone, first, last, minutes, level)
    info = ZoneInfo(zone)
    starts = day_starts(zone, first, last)
    assert (cut.first_slot, cut.end_slot) == (
        slot_at(starts[0], minutes), slot_at(starts[-1], minutes),
    )  # fmt: skip
    assert list(cut.bounds) == sorted(set(cut.bounds))
    split = buckets(level, first, last)
    for run, (low, high) in enumerate(pairwise(cut.bounds)):
        bucket, name = divmod(cut.keys[run], len(cut.zones))
        for slot in range(low, high):
            local = instant_of(slot * minutes).astimezone(info)
            assert split[bucket].first <= local.date() <= split[bucket].last
            assert cut.zones[name] == oracle(local) == cut.zone_of(slot)
    for index, low in enumerate(cut.bucket_slots[:-1]):
        local = instant_of(low * minutes).astimezone(info)
        assert local.date() == split[index].first


def oracle(local):
    hour, weekend = local.hour, local.weekday() >= 5
    if not weekend and (7 <= hour < 10 or 17 <= hour < 21):
        return "T1"
    return "T2" if hour >= 23 or hour < 7 else "T3"


@given(data=st.data(), first=days, count=st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_a_part_of_the_runs_is_the_same_slots(data, first, count):
    cut = runs(
        parse_schedule(RULES), "Europe/Berlin", first, first + timedelta(days=count), 30, Level.WEEK
    )
    low = data.draw(st.integers(cut.first_slot, cut.end_slot - 1))
    high = data.draw(st.integers(low + 1, cut.end_slot))
    bounds, keys = cut.within(100, low, high)
    whole = {
        slot: key
        for key, (a, b) in zip(cut.keys, pairwise(cut.bounds), strict=True)
        for slot in range(a, b)
    }
    part = {
        slot + 100: key
        for key, (a, b) in zip(keys, pairwise(bounds), strict=True)
        for slot in range(a, b)
    }
    assert part == {slot: key for slot, key in whole.items() if low <= slot < high}


def test_weeks_begin_on_monday_and_are_cut_at_the_span():
    assert buckets(Level.WEEK, date(2026, 11, 4), date(2026, 11, 17)) == (
        Bucket(date(2026, 11, 4), date(2026, 11, 8)),
        Bucket(date(2026, 11, 9), date(2026, 11, 15)),
        Bucket(date(2026, 11, 16), date(2026, 11, 17)),
    )


@given(first=days, count=st.integers(0, 400), level=st.sampled_from(Level))
def test_buckets_hold_every_day_once(first, count, level):
    last = first + timedelta(days=count)
    split = buckets(level, first, last)
    assert split[0].first == first
    assert split[-1].last == last
    assert all(b.first == a.last + timedelta(days=1) for a, b in pairwise(split))
    if level is Level.MONTH:
        assert all(b.last.month == b.first.month for b in split)
        assert all(b.last == month_end(b.first) for b in split[:-1])


def test_months():
    assert month_end(date(2024, 2, 10)) == date(2024, 2, 29)
    assert month_end(date(2026, 12, 31)) == date(2026, 12, 31)
    assert previous_month(date(2026, 1, 31)) == date(2025, 12, 1)


@given(st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_minutes_go_both_ways(instant):
    assert timedelta() <= instant - instant_of(minute_of(instant)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "rule",
    [
        {"zone": "T1", "from": "7", "to": "10:00"},
        {"zone": "T1", "from": "07:00", "to": "24:01"},
        {"zone": "T1", "from": "07:60", "to": "08:00"},
        {"zone": "T1", "from": "-1:00", "to": "08:00"},
        {"zone": "", "from": "07:00", "to": "08:00"},
        {"zone": "T1", "from": "07:00", "to": "08:00", "days": "sunday"},
        {"zone": "T1", "from": "07:00"},
    ],
)
def test_a_rule_that_can_not_be_read_is_refused(rule):
    with pytest.raises(BadSchedule):
        parse_schedule([rule])


def test_time_without_a_rule_has_no_zone():
    schedule = parse_schedule([{"zone": "T1", "from": "07:00", "to": "23:00"}])
    assert schedule.zones == ("", "T1")
    assert schedule.zone_at(6 * 60, weekend=False) == ""
    assert Schedule().zones == ("",)
