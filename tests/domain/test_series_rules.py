from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.clock import (
    ClockBase,
    ClockBases,
    ClockReading,
    MeterTime,
    day_start,
    drift_s,
    to_face,
    to_utc,
)
from hub.domain.profile import Slot, SlotMark
from hub.domain.revisions import Decision, decide, rank
from hub.domain.series import (
    ESTIMATED,
    MANUAL,
    NO_VALUE,
    PARTIAL,
    REJECTED,
    Shape,
    columns,
    joined,
    mask_of,
    place,
    without,
)
from hub.errors import PeriodUnsupported

FACES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))
BASES = st.integers(-720, 840)
SEASONS = st.sampled_from([None, False, True])


@given(FACES, BASES, SEASONS)
def test_face_and_instant_are_inverse(face, base, summer):
    shown = MeterTime(face, summer)
    assert to_face(to_utc(shown, base), base, summer=summer) == shown


def test_summer_is_an_hour_ahead_of_the_base():
    face = datetime(2026, 7, 1, 12, 0)
    assert to_utc(MeterTime(face, summer=True), 180) == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    assert to_utc(MeterTime(face, summer=False), 180) == datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    assert to_utc(MeterTime(face), 180) == datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


@given(st.floats(-3600, 3600), st.floats(0, 10))
def test_drift_is_taken_at_the_middle_of_the_round_trip(drift, trip):
    asked_at = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    middle = asked_at + timedelta(seconds=trip / 2)
    shown = to_face(middle + timedelta(seconds=drift), 180)
    reading = ClockReading(shown, asked_at, asked_at + timedelta(seconds=trip))
    assert drift_s(reading, 180) == pytest.approx(drift, abs=1e-5)


def test_the_day_starts_at_the_faces_midnight():
    shown = MeterTime(datetime(2026, 11, 1, 13, 5, 7), summer=False)
    assert day_start(shown).face == datetime(2026, 11, 1)
    assert day_start(shown, 1).face == datetime(2026, 10, 31)


def dated(*bases: tuple[int, int]) -> ClockBases:
    """Bases by the UTC hour of 2026-11-01 from which they hold."""
    return ClockBases(
        tuple(
            ClockBase(datetime(2026, 11, 1, hour, tzinfo=UTC), None, minutes)
            for hour, minutes in bases
        )
    )


def test_a_base_holds_from_its_own_instant():
    bases = dated((6, 120), (12, 240))
    for hour, base in ((3, 120), (10, 120), (13, 120), (16, 240), (23, 240)):
        shown = MeterTime(datetime(2026, 11, 1, hour, 0))
        assert bases.at(shown) == base
    assert ClockBases().at(MeterTime(datetime(2026, 11, 1))) == 180
    assert bases.now(datetime(2026, 11, 1, 11, tzinfo=UTC)) == 120
    assert bases.now(datetime(2026, 11, 1, 12, tzinfo=UTC)) == 240


def a_slot(ends: datetime, count: int = 1, minutes: int = 30, **more) -> Slot:
    return Slot(MeterTime(ends), minutes, (count, None, None, None), **more)


PERIODS = st.sampled_from([n for n in range(1, 61) if 60 % n == 0])


@given(PERIODS, st.integers(0, 2000), st.sampled_from([0, 180, 240, 60]))
def test_on_the_grid_a_slot_is_its_end_less_its_minutes(minutes, n, base):
    ends = datetime(2026, 11, 1) + timedelta(minutes=minutes * n)
    (records,) = place([a_slot(ends, minutes=minutes)], dated((0, base))).values()
    epoch = datetime(1970, 1, 1)
    minute = int((ends - epoch) / timedelta(minutes=1))
    assert records[0].start == minute - base - minutes
    assert records[0].flags == 0


@given(st.integers(1, 29), st.booleans())
def test_off_the_grid_a_record_is_partial_in_the_slot_of_its_last_moment(off, seconds):
    ends = datetime(2026, 11, 1, 12, 0) + timedelta(minutes=off, seconds=seconds)
    (records,) = place([a_slot(ends)], dated((0, 180))).values()
    whole = place([a_slot(datetime(2026, 11, 1, 12, 30))], dated((0, 180)))
    assert records[0].start == next(iter(whole.values()))[0].start
    assert records[0].flags == PARTIAL


def test_two_records_of_one_slot_are_added():
    ends = datetime(2026, 11, 1, 12, 30)
    (records,) = place([a_slot(ends, 5), a_slot(ends, 7)], ClockBases()).values()
    assert [(one.counts, one.flags) for one in records] == [((12,), PARTIAL)]
    assert SlotMark.CLOCK_MOVED in records[0].marks


@pytest.mark.parametrize("minutes", [0, -30, 7, 13, 1441])
def test_periods_that_do_not_divide_a_day_are_refused(minutes):
    with pytest.raises(PeriodUnsupported):
        place([a_slot(datetime(2026, 11, 1), minutes=minutes)], ClockBases())


def test_a_base_off_the_grid_is_refused_not_rounded():
    with pytest.raises(PeriodUnsupported, match="clock base of 345"):
        place([a_slot(datetime(2026, 11, 2))], dated((0, 345)))


@given(st.tuples(*[st.none() | st.just(1)] * 4))
def test_columns_are_the_channels_that_are_there(counts):
    mask = mask_of(counts)
    assert columns(mask) == tuple(n for n, count in enumerate(counts) if count is not None)
    assert Shape(30, mask).columns == columns(mask)


# -- revisions ---------------------------------------------------------------------------------

FLAGS = st.sampled_from(
    [0, PARTIAL, ESTIMATED, MANUAL, NO_VALUE, REJECTED, PARTIAL | ESTIMATED, REJECTED | PARTIAL]
)
COUNTS = st.tuples(st.integers(0, 3))


def test_ranks():
    flags = [0, PARTIAL, MANUAL, ESTIMATED, NO_VALUE]
    assert sorted(flags, key=rank, reverse=True) == flags


@given(COUNTS, FLAGS, COUNTS, FLAGS)
def test_decisions(old, old_flags, new, flags):
    made = decide(old, old_flags, new, flags)
    if flags & NO_VALUE or rank(flags) < rank(old_flags):
        assert made is Decision.KEEP
    elif old_flags & NO_VALUE:
        assert made is Decision.FILL
    elif old == new and flags == old_flags:
        assert made is Decision.KEEP
    elif old != new:
        assert made is Decision.REVISE


@given(COUNTS, FLAGS, COUNTS, FLAGS)
def test_what_was_taken_is_not_taken_again(old, old_flags, new, flags):
    if decide(old, old_flags, new, flags) is not Decision.KEEP:
        assert decide(new, flags, new, flags) is Decision.KEEP


def test_a_rejected_value_stays_rejected_until_another_comes():
    assert decide((5,), REJECTED, (5,), 0) is Decision.KEEP
    assert decide((5,), REJECTED, (6,), 0) is Decision.REVISE


# -- spans -------------------------------------------------------------------------------------

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda p: (p[0], sum(p))))


def points(spans) -> set[int]:
    return {n for first, last in spans for n in range(first, last)}


@given(st.integers(0, 20), st.integers(1, 30), SPANS)
def test_without_is_set_difference(first, length, taken):
    span = (first, first + length)
    rest = without(span, taken)
    assert points(rest) == points([span]) - points(taken)
    assert all(a < b for a, b in rest)
    assert rest == sorted(rest)


@given(SPANS)
def test_joined_is_union_without_touching_pieces(spans):
    out = joined(spans)
    assert points(out) == points(spans)
    assert all(one[1] < other[0] for one, other in pairwise(out))
