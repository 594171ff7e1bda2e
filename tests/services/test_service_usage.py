"""Figures of the main page against an oracle made of single slots."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import T1_T2

from hub.domain.calendar import local_day, minute_of
from hub.services.profile import Profiles
from hub.services.usage import usage_in
from hub.store import blocks
from hub.store import points as stored

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)


def slot(text):
    return minute_of(datetime.fromisoformat(text).replace(tzinfo=UTC)) // 30


def usage(world, user, contract, now=NOW):
    with world.store.read() as unit:
        return usage_in(unit, stored.of_contract(unit, user, contract), now)


class Oracle:
    """Everything from SlotViews, point by point, slot by slot."""

    def __init__(self, world, user, contract, now):
        self.now = now
        profiles = Profiles(world.store, lambda: now)
        with world.store.read() as unit:
            rows = stored.of_contract(unit, user, contract)
        self.points = {}
        for row in rows:
            if row.metering_point_id is None or row.resource != "electricity":
                continue
            today = local_day(row.time_zone, now)
            first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
            days = defaultdict(list)
            for view in profiles.slots(user, row.id, first, today):
                days[view.local_start.date()].append(view)
            self.points[row.id] = (today, days)

    def figure(self, point, first, last, before_first):
        _, days = self.points[point]
        now = before = None
        both = 0
        for number in range((last - first).days + 1):
            one = days[first + timedelta(days=number)]
            other_day = before_first + timedelta(days=number)
            other = days[other_day] if other_day < first else []
            for left, right in zip(one, other, strict=False):
                if left.start_at + timedelta(minutes=30) > self.now:
                    break
                if left.energy[0] is not None and right.energy[0] is not None:
                    now = (now or 0) + left.energy[0]
                    before = (before or 0) + right.energy[0]
                    both += 1
        return now, before, both

    def total(self, point, first, last):
        _, days = self.points[point]
        known = [
            view.energy[0]
            for day, views in days.items()
            if first <= day <= last
            for view in views
            if view.energy[0] is not None
        ]
        return (sum(known) if known else None), len(known)


def check(world, user, contract, now):
    got = usage(world, user, contract, now)
    oracle = Oracle(world, user, contract, now)
    assert [point.point_id for point in got.points] == list(oracle.points)
    sums = {"today": [0, 0, 0], "month": [0, 0, 0]}
    for point in got.points:
        today, _ = oracle.points[point.point_id]
        month = today.replace(day=1)
        before = (month - timedelta(days=1)).replace(day=1)
        spans = {"today": (today, today - timedelta(days=1)), "month": (month, before)}
        for name, (first, earlier) in spans.items():
            figure = getattr(point, name)
            assert (figure.energy, figure.measured) == oracle.total(point.point_id, first, today)
            expected = oracle.figure(point.point_id, first, today, earlier)
            assert (figure.now, figure.before, figure.both) == expected
            sums[name][0] += figure.energy or 0
            sums[name][1] += figure.now or 0
            sums[name][2] += figure.before or 0
        for number, energy in enumerate(point.days):
            day = month + timedelta(days=number)
            assert energy == oracle.total(point.point_id, day, day)[0]
    for name, wanted in sums.items():
        figure = getattr(got, name)
        assert [figure.energy or 0, figure.now or 0, figure.before or 0] == wanted
    by_hour = defaultdict(Fraction)
    earlier_by_hour = defaultdict(Fraction)
    for today, days in oracle.points.values():
        for day, into in ((today, by_hour), (today - timedelta(days=1), earlier_by_hour)):
            for place, view in enumerate(days[day]):
                if view.energy[0] is not None:
                    into[place // 2] += view.energy[0]
    for place, hour in enumerate(got.hours):
        assert sum((hour.zones or {}).values()) == by_hour[place]
        assert (hour.yesterday or 0) == earlier_by_hour[place]
    return got


def fill(world, series, first, last, seed, *, holes=(), channels=2):
    world.slots(
        series,
        {
            n: (((n * 7 + seed) % 101,) * channels, 0)
            for n in range(first, last)
            if n % 50 not in holes
        },
        channels=channels,
    )


def contract_of(world, count, zone="Europe/Moscow", **install):
    user, supplier = world.user(), world.supplier()
    contract = world.contract(user, supplier)
    made = []
    for _ in range(count):
        place = world.place(supplier, zone, T1_T2)
        point = world.point(contract, place)
        meter = world.meter()
        world.install(place, meter, **install)
        made.append((point, place, meter))
    return user, contract, made


def test_points_alike_are_summed_together_and_right(world):
    user, contract, made = contract_of(world, 4)
    for number, (_, _, meter) in enumerate(made):
        fill(
            world, world.series(meter_id=meter, scale_num=500 + number % 2), slot("2026-09-28"),
            slot("2026-11-24T09:00"), number, holes=(number, 20 + number),
        )  # fmt: skip
    got = check(world, user, contract, NOW)
    assert got.month.expected == 4 * (23 * 48 + 24)
    assert [hour.hour for hour in got.hours] == list(range(24))
    assert [hour.future for hour in got.hours].count(True) == 11
    assert got.zones == ("T1", "T2")
    assert len(got.before_days) == 31


def test_points_unlike_are_summed_with_them(world):
    user, contract, made = contract_of(world, 3)
    change = datetime(2026, 11, 10, 12, tzinfo=UTC)
    supplier = world.supplier()
    place = world.place(supplier, "Europe/Samara")
    world.point(contract, place)
    old, new = world.meter(), world.meter()
    world.install(place, old, to_at=change, current_ratio=10)
    world.install(place, new, change, current_ratio=30, loss_millionths=15000)
    world.point(contract, world.place(supplier))  # nothing is read here
    world.point(contract, None)
    world.point(contract, world.place(supplier), resource="water")
    for number, meter in enumerate([*(meter for _, _, meter in made), old, new]):
        fill(
            world, world.series(meter_id=meter), slot("2026-09-28"), slot("2026-11-24T08:30"),
            number, holes=(number,),
        )  # fmt: skip
    got = check(world, user, contract, NOW)
    assert len(got.points) == 5
    assert got.points[-1].month.energy is None


def test_a_short_month_before_is_compared_as_far_as_it_goes(world):
    now = datetime(2026, 3, 31, 20, 59, tzinfo=UTC)
    user, contract, made = contract_of(world, 2)
    for number, (_, _, meter) in enumerate(made):
        fill(
            world, world.series(meter_id=meter), slot("2026-01-30"), slot("2026-03-31T20:30"),
            number,
        )  # fmt: skip
    got = check(world, user, contract, now)
    assert got.month.before_last == date(2026, 2, 28)
    assert got.points[0].month.both == 28 * 48


@pytest.mark.parametrize("now", ["2026-04-10T10:00", "2026-11-10T10:00", "2026-03-29T20:00"])
def test_a_season_change_within_is_laid_day_beside_day(world, now):
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    user, contract, made = contract_of(world, 2, "Europe/Berlin")
    for number, (_, _, meter) in enumerate(made):
        fill(
            world, world.series(meter_id=meter), minute_of(at) // 30 - 70 * 48,
            minute_of(at) // 30, number, holes=(number,),
        )  # fmt: skip
    check(world, user, contract, at)


def test_hourly_and_quarterly_points_are_compared_in_their_own_slots(world):
    user, contract, made = contract_of(world, 2)
    end = minute_of(NOW)
    for (_, _, meter), minutes in zip(made, (60, 15), strict=True):
        series = world.series(meter_id=meter, minutes=minutes)
        last = end // minutes
        slots = {n: ((n % 71, 1), 0) for n in range(last - 60 * 1440 // minutes, last) if n % 7}
        world.slots(series, slots, minutes=minutes)
        month = minute_of(datetime(2026, 10, 31, 21, tzinfo=UTC)) // minutes
        before = minute_of(datetime(2026, 9, 30, 21, tzinfo=UTC)) // minutes
        both = [n for n in range(last - month) if month + n in slots and before + n in slots]
        got = usage(world, user, contract)
        figure = next(p for p in got.points if p.month.both == len(both)).month
        unit = Fraction(500, 1_000_000)
        assert figure.now == sum(slots[month + n][0][0] for n in both) * unit
        assert figure.before == sum(slots[before + n][0][0] for n in both) * unit
        assert figure.measured == sum(n in slots for n in range(month, last))
        assert figure.expected == last - month


def test_nothing_measured_is_none(world):
    user, contract, _ = contract_of(world, 2)
    got = usage(world, user, contract)
    assert got.month.energy is None
    assert got.today.now is None
    assert all(hour.zones is None for hour in got.hours)
    empty = world.contract(user, world.supplier())
    assert usage(world, user, empty) is None
    assert usage(world, world.user(), contract) is None


def test_a_kept_answer_is_never_an_old_one(world):
    user, contract, made = contract_of(world, 2)
    first, last = slot("2026-10-31T21:00"), slot("2026-11-24T08:00")
    series = [world.series(meter_id=meter) for _, _, meter in made]
    for number, one in enumerate(series):
        fill(world, one, first, last, number)
    kept = usage(world, user, contract)
    assert usage(world, user, contract, NOW + timedelta(minutes=5)) is kept
    later = check(world, user, contract, NOW + timedelta(minutes=20))
    assert later.month.expected == kept.month.expected + 2
    with world.store.write() as unit:  # a revision of one value long ago
        blocks.delete_day(unit.cursor(), series[0], first // 48 + 3)
        blocks.mark_changed(unit.cursor(), series[0])
    changed = check(world, user, contract, NOW)
    assert changed.month.measured == kept.month.measured - 48
    assert kept.whole == (True,) * 23 + (False,)
    assert [at for at, whole in enumerate(changed.whole) if not whole] == [2, 3, 23]
    with world.store.write() as unit:
        unit.cursor().execute("UPDATE installation SET current_ratio = 20")
    assert check(world, user, contract, NOW).month.energy == 20 * changed.month.energy
    with world.store.write() as unit:
        unit.cursor().execute(
            "UPDATE zone_schedule SET rules = ?",
            ('[{"zone": "T9", "from": "00:00", "to": "24:00"}]',),
        )
    assert check(world, user, contract, NOW).zones == ("T9",)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_figures_are_the_oracles(world, data):
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
        minutes=data.draw(st.integers(0, 365 * 1440))
    )
    zone = data.draw(st.sampled_from(["Europe/Moscow", "Europe/Berlin"]))
    end = minute_of(now) // 30
    user, contract, made = contract_of(world, 3, zone)
    for number, (_, _, meter) in enumerate(made):
        holes = data.draw(st.sets(st.integers(0, 49), max_size=45))
        last = end - data.draw(st.integers(0, 200))
        fill(world, world.series(meter_id=meter), end - 3100, last, number, holes=holes)
    check(world, user, contract, now)
