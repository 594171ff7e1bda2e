"""Sums and slots of a point against a plain oracle."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import BEGIN, T1_T2, Slots, World

from hub.domain.calendar import minute_of
from hub.errors import Missing
from hub.services.profile import Profiles

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
COUNT = Fraction(500, 1_000_000)  # kWh of a count


def profiles(world: World) -> Profiles:
    return Profiles(world.store, lambda: NOW)


def slot(text: str, zone: str = "UTC") -> int:
    return minute_of(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))) // 30


def full(first: int, last: int, flags: int = 0) -> Slots:
    return {n: ((n % 97 + 1, n % 11), flags) for n in range(first, last)}


def test_day_sums_are_the_counts(world):
    user, point, _, meter = world.simple()
    series = world.series(meter_id=meter)
    begin = slot("2026-11-01", "Europe/Moscow")
    slots = full(begin, begin + 96)
    world.slots(series, slots)
    got = profiles(world).days(user, point, date(2026, 11, 1), date(2026, 11, 3))
    assert [(item.slots, item.expected, item.measured) for item in got.items] == [
        (48, 48, 48), (48, 48, 48), (48, 48, 0),
    ]  # fmt: skip
    wanted = sum(slots[n][0][0] for n in range(begin, begin + 48)) * COUNT
    assert got.items[0].energy == (
        wanted, None, sum(slots[n][0][1] for n in range(begin, begin + 48)) * COUNT, None,
    )  # fmt: skip
    assert got.items[2].energy == (None, None, None, None)
    assert got.total.measured == 96
    assert got.total.energy[0] == sum(counts[0] for counts, _ in slots.values()) * COUNT
    assert got.channels == (0, 2)
    assert got.sources == ("driver",)


@pytest.mark.parametrize(
    ("zone", "day", "slots"),
    [
        ("Europe/Moscow", date(2026, 3, 29), 48),
        ("Europe/Samara", date(2026, 3, 29), 48),
        ("Europe/Berlin", date(2026, 3, 29), 46),
        ("Europe/Berlin", date(2026, 10, 25), 50),
    ],
)
def test_a_season_change_makes_a_short_or_long_day(world, zone, day, slots):
    user, point, _, meter = world.simple(zone, rules=T1_T2)
    series = world.series(meter_id=meter)
    middle = slot(f"{day}T12:00", zone)
    world.slots(series, dict.fromkeys(range(middle - 200, middle + 200), ((1, 0), 0)))
    got = profiles(world).days(user, point, day, day)
    assert (got.items[0].slots, got.items[0].measured) == (slots, slots)
    assert got.total.zones["T1"][0] == 32 * COUNT
    assert got.total.zones["T2"][0] == (slots - 32) * COUNT
    views = profiles(world).slots(user, point, day, day, 60)
    assert len(views) == slots // 2
    assert all(view.energy[0] == 2 * COUNT for view in views)


def test_ratio_change_cuts_the_span(world):
    user, point, place, meter = world.simple(to_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    world.install(
        place, meter, datetime(2026, 11, 2, 9, tzinfo=UTC),
        current_ratio=20, voltage_ratio=2, loss_millionths=15000,
    )  # fmt: skip
    series = world.series(meter_id=meter)
    begin = slot("2026-11-01", "Europe/Moscow")
    world.slots(series, dict.fromkeys(range(begin, begin + 96), ((3, 0), 0)))
    got = profiles(world).days(user, point, date(2026, 11, 1), date(2026, 11, 2))
    assert got.items[0].energy[0] == 48 * 3 * COUNT
    # 12:00 Moscow is where the ratios change
    assert got.items[1].energy[0] == 24 * 3 * COUNT + 24 * 3 * COUNT * 40 * Fraction(1015, 1000)
    assert got.peak is not None
    assert got.peak.start_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert got.peak.energy == 3 * COUNT * 40 * Fraction(1015, 1000)
    assert got.peak.power == got.peak.energy * 2


def test_a_new_meter_goes_on_where_the_old_one_stopped(world):
    change = datetime(2026, 11, 1, 12, 10, 30, tzinfo=UTC)
    user, point, place, old = world.simple(to_at=change)
    new = world.meter()
    world.install(place, new, change)
    begin = slot("2026-11-01")
    world.slots(world.series(meter_id=old), dict.fromkeys(range(begin, begin + 48), ((1, 0), 0)))
    world.slots(
        world.series(meter_id=new, scale_num=1000),
        dict.fromkeys(range(begin, begin + 48), ((1, 0), 0)),
    )
    got = profiles(world).days(user, point, date(2026, 11, 1), date(2026, 11, 2))
    assert got.total.measured == 48
    assert got.total.energy[0] == 25 * COUNT + 23 * 2 * COUNT


def test_the_better_source_hides_the_worse_slot_by_slot(world):
    user, point, place, meter = world.simple()
    begin = slot("2026-11-01", "Europe/Moscow")
    world.slots(world.series(meter_id=meter), dict.fromkeys(range(begin, begin + 20), ((1, 0), 0)))
    supplier = world.series(metering_point_id=place, source="supplier", ratios_applied=True)
    world.slots(supplier, dict.fromkeys(range(begin + 10, begin + 40), ((100, 0), 0)))
    hourly = world.series(metering_point_id=place, source="estimate", minutes=60)
    world.slots(
        hourly, dict.fromkeys(range(begin // 2, begin // 2 + 24), ((1000, 0), 4)), minutes=60
    )
    got = profiles(world).days(user, point, date(2026, 11, 1), date(2026, 11, 1))
    assert got.total.energy[0] == (20 + 20 * 100 + 4 * 1000) * COUNT
    assert (got.total.measured, got.total.estimated) == (48, 8)
    assert got.sources == ("driver", "supplier", "estimate")
    hours = profiles(world).slots(user, point, date(2026, 11, 1), date(2026, 11, 1), 60)
    assert [hour.source for hour in hours] == ["driver"] * 10 + ["supplier"] * 10 + ["estimate"] * 4


def test_an_hour_with_one_half_hour_is_partial_and_with_none_is_missing(world):
    user, point, _, meter = world.simple()
    begin = slot("2026-11-01", "Europe/Moscow")
    world.slots(world.series(meter_id=meter), {begin: ((4, 0), 0), begin + 4: ((5, 0), 16)})
    hours = profiles(world).slots(user, point, date(2026, 11, 1), date(2026, 11, 1), 60)
    assert (hours[0].energy[0], hours[0].partial, hours[0].missing) == (4 * COUNT, True, False)
    assert hours[0].power(0) == 8 * COUNT  # that half-hour's
    assert (hours[1].energy[0], hours[1].missing) == (None, True)
    assert hours[2].missing  # rejected: kept, not summed
    today = profiles(world).slots(user, point, date(2026, 11, 24), date(2026, 11, 24))
    assert [view.future for view in today].index(True) == 24


def test_a_damaged_block_costs_its_day_only(world):
    user, point, _, meter = world.simple()
    series = world.series(meter_id=meter)
    begin = slot("2026-11-01")
    world.slots(series, full(begin, begin + 48 * 5))
    with world.store.write() as unit:
        cursor = unit.cursor()
        cursor.execute(
            "UPDATE block SET body = substr(body, 1, 20) WHERE day = ?", (begin // 48 + 2,)
        )
    got = profiles(world).days(user, point, date(2026, 11, 2), date(2026, 11, 5))
    assert [item.damaged for item in got.items] == [False, True, True, False]
    assert [item.measured for item in got.items] == [48, 6, 42, 48]
    views = profiles(world).slots(user, point, date(2026, 11, 3), date(2026, 11, 3))
    assert sum(view.damaged for view in views) == 42
    columns = profiles(world).columns(user, point, date(2026, 11, 3), date(2026, 11, 3))
    assert len(columns.damaged) == 1


def test_columns_are_the_slots(world):
    user, point, _, meter = world.simple(rules=T1_T2)
    begin = slot("2026-11-01", "Europe/Moscow")
    world.slots(world.series(meter_id=meter), full(begin, begin + 90))
    days = date(2026, 11, 1), date(2026, 11, 2)
    for step in (30, 60):
        columns = profiles(world).columns(user, point, *days, step)
        views = profiles(world).slots(user, point, *days, step)
        assert [view.start_at.timestamp() for view in views] == columns.starts
        assert [columns.zones[index] for index in columns.zone] == [view.zone for view in views]
        assert columns.flags == [view.flags for view in views]
        for channel, column in zip(columns.channels, columns.energy, strict=True):
            for view, drawn in zip(views, column, strict=True):
                exact = view.energy[channel]
                assert drawn == (None if exact is None else pytest.approx(float(exact)))


def test_only_the_owner_sees_a_point(world):
    user, point, _, _ = world.simple()
    stranger = world.user()
    for who, what in ((stranger, point), (user, point + 1)):
        with pytest.raises(Missing):
            profiles(world).days(who, what, date(2026, 11, 1), date(2026, 11, 1))
    with pytest.raises(Missing):
        profiles(world).slots(user, point, date(2026, 11, 2), date(2026, 11, 1))


def test_a_point_without_a_meter_has_no_value(world):
    user, supplier = world.user(), world.supplier()
    point = world.point(world.contract(user, supplier), None)
    got = profiles(world).months(user, point, date(2026, 1, 1), date(2026, 2, 28))
    assert [item.slots for item in got.items] == [1488, 1344]
    assert got.total.energy == (None, None, None, None)
    assert got.peak is None


ZONES = ["Europe/Moscow", "Europe/Berlin", "Asia/Kathmandu", "America/Santiago"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_sums_are_the_oracles(world, data):
    zone = data.draw(st.sampled_from(ZONES))
    first = data.draw(st.dates(date(2025, 1, 1), date(2025, 12, 1)))
    last = first + timedelta(days=data.draw(st.integers(0, 40)))
    begin = slot(str(first), "UTC") - 48
    end = slot(str(last), "UTC") + 96
    user, supplier = world.user(), world.supplier()
    place = world.place(supplier, zone, T1_T2)
    point = world.point(world.contract(user, supplier), place)
    known: dict[int, tuple[Fraction, int]] = {}
    at = begin
    for _ in range(data.draw(st.integers(1, 3))):
        meter = world.meter()
        scale = data.draw(st.sampled_from([(500, 1), (1, 3), (1000, 1)]))
        ratio = data.draw(st.sampled_from([1, 20, 30]))
        until = data.draw(st.integers(at, end))
        start_at, to_at = (
            BEGIN + timedelta(minutes=30 * (n - slot("2020-01-01"))) for n in (at, until)
        )
        world.install(place, meter, start_at, to_at=to_at, current_ratio=ratio)
        numbers = data.draw(st.lists(st.integers(begin, end), max_size=60))
        slots = {
            n: (
                (data.draw(st.integers(0, 2**32 - 1)), 1),
                data.draw(st.sampled_from([0, 1, 2, 16])),
            )
            for n in numbers
        }
        world.slots(world.series(meter_id=meter, scale_num=scale[0], scale_den=scale[1]), slots)
        for n, (counts, flags) in slots.items():
            if at <= n < until and not flags & 17:
                known[n] = (counts[0] * Fraction(*scale) * ratio / 1_000_000, flags)
        at = until
    info = ZoneInfo(zone)
    wanted: dict[tuple[date, str], Fraction] = {}
    for n, (value, _) in known.items():
        local = (BEGIN + timedelta(minutes=30 * (n - slot("2020-01-01")))).astimezone(info)
        name = "T1" if 7 <= local.hour < 23 else "T2"
        key = (local.date(), name)
        wanted[key] = wanted.get(key, Fraction(0)) + value
    got = profiles(world).days(user, point, first, last)
    for item in got.items:
        for name in ("T1", "T2"):
            assert item.zones[name][0] == wanted.get((item.first, name))
    inside = [value for (day, _), value in wanted.items() if first <= day <= last]
    assert got.total.energy[0] == (sum(inside) if inside else None)
    weeks = profiles(world).weeks(user, point, first, last)
    assert weeks.total == got.total
    assert sum(item.measured for item in weeks.items) == got.total.measured
    months = profiles(world).months(user, point, first, last)
    assert sum(item.partial for item in months.items) == got.total.partial


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_sources_of_different_periods_hide_each_other_slot_by_slot(world, data):
    user, supplier = world.user(), world.supplier()
    place = world.place(supplier)
    point = world.point(world.contract(user, supplier), place)
    meter = world.meter()
    world.install(place, meter)
    day = date(2026, 11, 10)
    begin = minute_of(datetime(2026, 11, 9, 21, tzinfo=UTC))
    taken: set[int] = set()
    wanted: dict[date, Fraction] = {}
    minutes_known: dict[date, int] = {}
    periods = []
    for source, minutes, owner in (
        ("driver", data.draw(st.sampled_from([30, 60])), {"meter_id": meter}),
        ("supplier", data.draw(st.sampled_from([15, 30, 60])), {"metering_point_id": place}),
        ("manual", data.draw(st.sampled_from([15, 60])), {"metering_point_id": place}),
    ):
        first = begin // minutes
        numbers = data.draw(st.sets(st.integers(first, first + 2 * 1440 // minutes), max_size=30))
        slots = {n: ((n % 89, 1), 0) for n in numbers}
        if slots:
            periods.append(minutes)
            series = world.series(source=source, minutes=minutes, **owner)
            world.slots(series, slots, minutes=minutes)
        mine = set()
        for n, (counts, _) in slots.items():
            span = range(n * minutes, (n + 1) * minutes)
            if taken.isdisjoint(span):
                mine.update(span)
                start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=n * minutes)
                local = start.astimezone(ZoneInfo("Europe/Moscow")).date()
                wanted[local] = wanted.get(local, Fraction(0)) + counts[0] * COUNT
                minutes_known[local] = minutes_known.get(local, 0) + minutes
        taken |= mine
    got = profiles(world).days(user, point, day, day + timedelta(days=1))
    for item in got.items:
        assert item.energy[0] == wanted.get(item.first)
        assert item.measured * got.minutes == minutes_known.get(item.first, 0)
    views = profiles(world).slots(user, point, day, day + timedelta(days=1))
    for number in range(2):
        known = [
            view.energy[0]
            for view in views
            if view.local_start.date() == day + timedelta(days=number)
            and view.energy[0] is not None
        ]
        assert (sum(known) if known else None) == wanted.get(day + timedelta(days=number))
