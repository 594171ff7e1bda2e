from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.series import NO_VALUE, Shape
from hub.store import blocks
from hub.store.blocks import DayBuffer, read_days, write_day
from hub.store.series import SeriesKey, find_or_open
from hub.store.tables import Line, Meter

SHAPE = Shape(30, 0b0101)


@pytest.fixture
def series_id(store) -> int:
    with store.write() as unit:
        unit.session.add(Line(address="tcp://a:1"))
        unit.session.flush()
        unit.session.add(Meter(serial="1", driver="t", line_id=1))
        unit.session.flush()
        return find_or_open(unit, SeriesKey(1, SHAPE, Fraction(500)))


def a_body(start: int = 0) -> bytes:
    buffer = DayBuffer(SHAPE)
    for slot in range(48):
        buffer.put(slot, (start + slot, slot * 2), 0)
    return buffer.packed()


def fill(store, series_id, days) -> None:
    with store.write() as unit:
        for day in days:
            write_day(unit.cursor(), series_id, day, a_body(day))


def test_days_come_back_with_holes_where_nothing_is(store, series_id):
    fill(store, series_id, (10, 12))
    with store.read() as unit:
        days = read_days(unit.cursor(), series_id, SHAPE, 9, 12)
    assert days.values.shape == (4, 48, 2)
    assert days.flags.shape == (4, 48)
    assert [set(row) for row in days.flags.tolist()] == [{NO_VALUE}, {0}, {NO_VALUE}, {0}]
    assert days.values.tolist()[3][5] == [17, 10]
    assert days.damaged == ()
    assert days.spans() == [(10 * 1440, 11 * 1440), (12 * 1440, 13 * 1440)]


def test_a_damaged_day_is_told_and_hides_no_other(store, series_id):
    fill(store, series_id, (10, 11, 12))
    with store.write() as unit:
        cursor = unit.cursor()
        for day, body in ((10, b""), (12, b"\xff" * 30)):
            write_day(cursor, series_id, day, body)
    with store.read() as unit:
        days = read_days(unit.cursor(), series_id, SHAPE, 10, 12)
    assert days.damaged == (10, 12)
    assert days.spans() == [(11 * 1440, 12 * 1440)]


@given(st.integers(0, 200), st.integers(1, 255))
def test_any_damaged_byte_is_found(at, flip):
    body = bytearray(a_body())
    body[at % len(body)] ^= flip
    assert blocks.unpacked(1, SHAPE, 5, [bytes(body), a_body()]).damaged == (5,)


def test_a_changed_day_replaces_the_old_one(store, series_id):
    fill(store, series_id, [10])
    with store.write() as unit:
        held = blocks.lock_days(unit, series_id, SHAPE, [10, 11])
        assert set(held) == {10}
        buffer = DayBuffer(SHAPE, held[10])
        assert buffer.get(3) == (13, 6)
        buffer.put(3, (99, 1), 2)
        write_day(unit.cursor(), series_id, 10, buffer.packed())
    with store.read() as unit:
        days = read_days(unit.cursor(), series_id, SHAPE, 10, 10)
        assert days.values.tolist()[0][3] == [99, 1]
        assert days.flags.tolist()[0][:5] == [0, 0, 0, 2, 0]


@given(
    st.lists(st.tuples(st.integers(0, 47), st.integers(0, 2**32 - 1), st.integers(0, 31))),
)
def test_buffers_pack_what_was_put(puts):
    buffer, model = DayBuffer(Shape(30, 1)), {}
    for slot, count, flags in puts:
        buffer.put(slot, (count,), flags & ~NO_VALUE)
        model[slot] = (count, flags & ~NO_VALUE)
    days = blocks.unpacked(1, Shape(30, 1), 0, [buffer.packed()])
    found = {
        slot: (days.values.tolist()[0][slot][0], flag)
        for slot, flag in enumerate(days.flags.tolist()[0])
        if not flag & NO_VALUE
    }
    assert found == model


def test_counts_that_no_block_can_hold_are_refused():
    buffer = DayBuffer(SHAPE)
    with pytest.raises(OverflowError):
        buffer.put(0, (2**32, 0), 0)
    assert buffer.counts == array("I", bytes(4 * 96))
