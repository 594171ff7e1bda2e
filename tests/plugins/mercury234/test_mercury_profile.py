"""The power profile over a memory that the test writes: what is a slot, a gap, a page."""

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mercury_fake import (
    LAST_END,
    FakeMeter,
    gaps_of,
    read_all,
    record,
    slots_of,
    visit,
    winter,
)

from hub.plugins.api import (
    Cursor,
    CursorLost,
    DeviceFault,
    MeterTime,
    PeriodUnsupported,
    ReplyTimeout,
    Slot,
    SlotMark,
)

HALF = timedelta(minutes=30)
OLD, NEW = "020304", "090000"
SMALL = "B464C2160300"  # 65.5x8: 4096 records
PARTIAL = 0x0A


def meter_with(count, *, last=0x4000, **facts):
    meter = FakeMeter(**facts)
    meter.fill(count, last=last)
    return meter


def ends(slots):
    return [slot.ends.face for slot in slots]


def evenly(slots, last=LAST_END, minutes=30):
    """Tell whether slots end at ``last``, each a period after the one before."""
    period = timedelta(minutes=minutes)
    return ends(slots) == [last - period * back for back in range(len(slots) - 1, -1, -1)]


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("firmware", [OLD, NEW])
@pytest.mark.parametrize("last", [0x0010, 0xFFF0, 0x10000, 0x10050, 0x1FFF0])
def test_whole_ring_is_read_whatever_the_place_of_its_end(firmware, last):
    pages = read_all(meter_with(8192, last=last, firmware=firmware))
    slots = slots_of(pages)
    assert len(slots) == 8192
    assert evenly(slots)
    assert gaps_of(pages) == []


@pytest.mark.parametrize("firmware", [OLD, NEW])
@pytest.mark.parametrize("last", [0x0000, 0x0130, 0xFFF0])
def test_small_ring_wraps_at_its_own_end(firmware, last):
    slots = slots_of(read_all(meter_with(4096, last=last, firmware=firmware, variant=SMALL)))
    assert len(slots) == 4096
    assert evenly(slots)


@pytest.mark.parametrize(("firmware", "numbered"), [(OLD, True), (NEW, False)])
def test_firmware_that_means_the_other_thing_is_found_out_and_remembered(firmware, numbered):
    meter = meter_with(8192, last=0x0230, firmware=firmware)
    meter.numbered = numbered
    line, driver = visit(meter)
    page = line.run(driver.read_profile(None))
    assert page.slots[0].ends.face == LAST_END - HALF * 8191
    assert driver.learned()["pointer"] == ("record" if numbered else "byte")
    line, driver = visit(meter, driver.learned())
    line.run(driver.read_profile(None))
    assert next(request[1:5] for request in line.asked if request[1] == 6) == b"\x06\x03\x02\x30"


def test_stuck_seventeenth_bit_of_a_small_memory_is_nothing():
    meter = meter_with(50, last=0x0400, firmware=OLD, variant=SMALL)
    meter.flags = 0x10
    meter.overflow = False
    assert evenly(slots_of(read_all(meter))[-50:])


def test_pointer_that_points_nowhere_is_a_fault():
    meter = meter_with(100)
    meter.last_wire = record(LAST_END + HALF)
    with pytest.raises(DeviceFault, match="not where it points"):
        read_all(meter)


def test_ring_that_never_wrapped_begins_at_its_first_record():
    meter = meter_with(20, last=0x0140)
    meter.overflow = False
    pages = read_all(meter)
    assert evenly(slots_of(pages))
    assert len(slots_of(pages)) == 20


# -- exchanges -----------------------------------------------------------------------------------


def a_day_later(meter, page, learned):
    """The next nightly visit: what was asked, and what came of it."""
    for _ in range(48):
        end = meter_end(meter) + HALF
        meter.put(meter.last + 0x10, record(end, (9, 0, 8, 7)))
        meter.point(meter.last + 0x10)
    line, driver = visit(meter, learned)
    page = line.run(driver.read_profile(page.next))
    line.run(driver.close())
    assert len(page.slots) == 48
    assert not page.more
    return [request[1:-2] for request in line.asked], page, driver.learned()


def test_a_day_is_two_blocks_and_the_rest_and_nothing_more():
    meter = meter_with(8192)
    page = read_all(meter)[-1]
    asked, page, learned = a_day_later(meter, page, {})
    assert [body[0] for body in asked] == [1, 8, 8, 8, 6, 6, 0x16, 2]
    assert asked[-2] == b"\x16\x03\0\0\x0e"
    assert learned["relative"] == "yes"
    meter.refuse[b"\x16"] = 1
    asked, page, learned = a_day_later(meter, page, {})
    assert learned["relative"] == "no"
    asked, page, learned = a_day_later(meter, page, learned)
    assert [body[0] for body in asked] == [1, 8, 8, 8, 6, 6, 6, 2]


def bytes_are_counted(meter, body):
    """As one source has it: code 16h counts bytes, not records."""
    return meter._data(body[:4] + b"\x10")[: body[4]]


def another_record_is_meant(meter, body):
    """The offset is that of the oldest record wanted, not of the newest."""
    offset = int.from_bytes(body[2:4], "big") + body[4]
    return meter._data(body[:2] + offset.to_bytes(2, "big") + body[4:])


@pytest.mark.parametrize("meant", [bytes_are_counted, another_record_is_meant])
def test_relative_reads_that_mean_something_else_are_left_alone(meant):
    meter = meter_with(8192)
    page = read_all(meter)[-1]
    answer = meter._answer
    meter._answer = lambda body: meant(meter, body) if body[0] == 0x16 else answer(body)
    _, page, learned = a_day_later(meter, page, {})
    assert {slot.counts for slot in page.slots} == {(9, 0, 8, 7)}
    assert learned["relative"] == "no"
    asked, page, _ = a_day_later(meter, page, learned)
    assert [body[0] for body in asked] == [1, 8, 8, 8, 6, 6, 6, 2]


def meter_end(meter):
    n = meter.last_wire
    digits = [n[at] // 16 * 10 + n[at] % 16 for at in range(1, 6)]
    return datetime(2000 + digits[4], digits[3], digits[2], digits[0], digits[1])


def test_one_new_record_is_read_alone_and_none_not_at_all():
    meter = meter_with(8192)
    place = read_all(meter)[-1].next
    line, driver = visit(meter)
    before = len(line.asked)
    page = line.run(driver.read_profile(place))
    assert (page.slots, page.gaps, page.more, page.next) == ((), (), False, place)
    assert len(line.asked) - before == 1
    meter.put(meter.last + 0x10, record(LAST_END + HALF))
    meter.point(meter.last + 0x10)
    line, driver = visit(meter)
    page = line.run(driver.read_profile(place))
    assert ends(page.slots) == [LAST_END + HALF]
    assert [request[5] for request in line.asked if request[1] == 6] == [0x0F]


@pytest.mark.parametrize(
    ("refused", "sizes", "learned"),
    [
        ([], {0xFF, 9, 0x0F}, {"relative": "yes"}),
        ([b"\x06\x03"], {0xFF, 17, 9, 0x0F}, {"blocks": "no", "relative": "yes"}),
        ([b"\x06\x03", b"\x16"], {0xFF, 17, 0x0F}, {"blocks": "no", "relative": "no"}),
    ],
)
def test_meter_without_long_answers_is_read_with_what_it_has(refused, sizes, learned):
    meter = meter_with(60, last=0x03C0)
    meter.overflow = False
    answer = meter._answer

    def short(body):
        long = body[:1] == b"\x06" and body[4] > 15
        if (long and b"\x06\x03" in refused) or (body[:1] == b"\x16" and b"\x16" in refused):
            return b"\x01"
        return answer(body)

    meter._answer = short
    line, driver = visit(meter)
    page = line.run(driver.read_profile(None))
    assert evenly(page.slots)
    assert len(page.slots) == 60
    habits = driver.learned()
    assert {name: habits[name] for name in ("blocks", "relative") if name in habits} == learned
    assert {r[-3] for r in line.asked if r[1] in {6, 16, 0x16}} <= sizes


def test_old_firmware_is_read_one_by_one():
    meter = meter_with(30, last=0x01E0, firmware="020100")
    meter.overflow = False
    line, driver = visit(meter)
    assert evenly(line.run(driver.read_profile(None)).slots)
    assert {r[5] for r in line.asked if r[1] == 6} == {0x0F}


def test_long_answers_that_get_lost_make_reads_shorter_and_then_longer_again():
    meter = meter_with(8192)
    span = (winter(LAST_END - HALF * 400), winter(LAST_END))
    meter.lose = lambda request, number: request[1] == 6 and request[5] == 255 and number < 30
    line, driver = visit(meter)
    slots, cursor = [], None
    while True:
        page = line.run(driver.read_profile(cursor, span))
        slots += page.slots
        cursor = page.next
        if not page.more:
            break
    assert evenly(slots)
    assert len(slots) == 400
    kinds = [(r[1], r[-3]) for r in line.asked if r[1] in {6, 0x16}]
    assert kinds.index((0x16, 4)) > 0
    assert kinds[-1] == (6, 255) or (6, 255) in kinds[20:]


def test_record_formed_during_relative_reads_moves_no_slot():
    meter = meter_with(200, last=0x0C80)
    meter.overflow = False
    answer = meter._answer

    def growing(body):
        if body[:1] == b"\x06" and body[4] > 15:
            return b"\x01"
        if body[:1] == b"\x16" and meter.last == 0x0C80:
            meter.put(0x0C90, record(LAST_END + HALF))
            meter.point(0x0C90)
        return answer(body)

    meter._answer = growing
    assert evenly(slots_of(read_all(meter)))


def test_silence_in_the_middle_ends_the_page_and_at_its_start_the_visit():
    meter = meter_with(8192)
    line, driver = visit(meter)
    calls = []

    def lose(request, number):
        if request[1] in {6, 0x16}:
            calls.append(number)
        return len(calls) > 4

    meter.lose = lose
    page = line.run(driver.read_profile(None))
    assert page.more
    assert 17 <= len(page.slots) < 60
    with pytest.raises(ReplyTimeout):
        line.run(driver.read_profile(page.next))
    calls.clear()
    follower = line.run(driver.read_profile(page.next))
    assert follower.slots[0].ends.face == page.slots[-1].ends.face + HALF


# -- outages, marks, channels ---------------------------------------------------------------------


@pytest.mark.parametrize("blank", [bytes(15), b"\xff" * 15, None])
@pytest.mark.parametrize("resume", [False, True])
def test_outage_is_a_gap_whatever_stands_in_its_place(blank, resume):
    meter = meter_with(4096, variant=SMALL)
    for back in range(100, 110):
        stale = record(LAST_END - HALF * (back + 4096), (5, 5, 5, 5))
        meter.put(meter.last - 0x10 * back, blank or stale)
    pages = read_all(meter, resume=resume)
    assert len(slots_of(pages)) == 4086
    assert gaps_of(pages) == [(LAST_END - HALF * 110, LAST_END - HALF * 100)]


def test_gap_over_a_page_is_told_whole_if_in_pieces():
    meter = meter_with(4096, variant=SMALL)
    for back in range(300, 900):
        meter.put(meter.last - 0x10 * back, bytes(15))
    pages = read_all(meter, resume=True)
    told = gaps_of(pages)
    assert told[0][0] == LAST_END - HALF * 900
    assert told[-1][1] == LAST_END - HALF * 300
    assert all(left[1] == right[0] for left, right in pairwise(told))
    assert len(slots_of(pages)) == 4096 - 600


def test_incomplete_slice_is_marked_and_put_on_the_grid():
    meter = meter_with(100, last=0x0640)
    meter.overflow = False
    meter.put(0x0630, record(LAST_END - HALF, (1, 1, 1, 1), status=PARTIAL))
    meter.put(0x0600, record(LAST_END - HALF * 4 - timedelta(minutes=13), status=PARTIAL))
    slots = slots_of(read_all(meter))
    assert evenly(slots)
    assert [back for back, slot in enumerate(reversed(slots)) if slot.marks] == [1, 4]
    assert slots[-2].marks == SlotMark.PARTIAL


@pytest.mark.parametrize("counts", [(7, None, 3, None), (7, None, 3, 0)])
def test_one_direction_meter_has_the_channels_that_its_records_have(counts):
    meter = FakeMeter(variant=SMALL)
    for back in range(4096):
        meter.put(0x4000 - 16 * back, record(LAST_END - HALF * back, counts))
    meter.point(0x4000)
    pages = read_all(meter)
    assert {slot.counts for slot in slots_of(pages)} == {counts}


def test_page_has_one_set_of_channels():
    meter = meter_with(60, last=0x03C0)
    meter.overflow = False
    for back in range(30):
        meter.put(meter.last - 16 * back, record(LAST_END - HALF * back, (1, None, 1, None)))
    meter.point(meter.last)
    first, second = read_all(meter)
    assert {slot.counts[1] is None for slot in first.slots} == {False}
    assert {slot.counts[1] is None for slot in second.slots} == {True}
    assert evenly([*first.slots, *second.slots])


def test_record_without_any_value_is_a_gap():
    meter = meter_with(60, last=0x03C0)
    meter.overflow = False
    meter.put(0x0300, record(LAST_END - HALF * 12, (None,) * 4))
    pages = read_all(meter)
    assert gaps_of(pages) == [(LAST_END - HALF * 13, LAST_END - HALF * 12)]


@pytest.mark.parametrize(
    ("code", "scale"), [(0, 100), (1, 20), (2, 400), (3, 1000), (4, 500), (5, 2000)]
)
def test_scale_is_exact(code, scale):
    meter = meter_with(3, last=0x30, variant=f"B46{code}C2960300")
    meter.overflow = False
    assert read_all(meter)[0].milliwatt_hours_per_count == Fraction(scale)


def test_meter_that_is_initialising_has_nothing_yet():
    meter = meter_with(100)
    place = read_all(meter)[-1].next
    meter.flags = 0x04
    for since in (None, place):
        (page,) = read_all(meter, since)
        assert (page.slots, page.gaps, page.more) == ((), (), False)
    assert page.next == place
    meter.flags = 0
    meter.overflow = False
    meter.last_wire = bytes(6) + bytes((30,)) + bytes(8)
    (page,) = read_all(meter)
    assert page.slots == ()
    meter.point(0x4000)
    assert read_all(meter, page.next)[-1].slots


@pytest.mark.parametrize("minutes", [7, 25, 50, 0])
def test_period_that_does_not_divide_a_day_is_refused(minutes):
    meter = FakeMeter()
    meter.put(0x0010, record(LAST_END, minutes=minutes))
    meter.point(0x0010)
    with pytest.raises(PeriodUnsupported):
        read_all(meter)


# -- clocks and seasons ---------------------------------------------------------------------------


def test_each_record_has_its_season_and_slots_stay_even():
    meter = meter_with(100, last=0x0640)
    meter.overflow = False
    for back in range(40, 100):
        meter.put(0x0640 - 16 * back, record(LAST_END - HALF * (back - 2), status=0))
    slots = slots_of(read_all(meter))
    assert len(slots) == 100
    assert [slot.ends.summer for slot in slots] == [True] * 60 + [False] * 40
    assert gaps_of(read_all(meter)) == []


def set_back(meter, *, at, by, total):
    """Let the clock have been set back by ``by`` slots, ``at`` records before the last."""
    for back in range(total):
        shift = by if back >= at else 0
        meter.put(meter.last - 16 * back, record(LAST_END - HALF * (back - shift), (back + 1,) * 4))
    meter.point(meter.last)


@pytest.mark.parametrize("by", [1, 2])
@pytest.mark.parametrize("at", [1, 30, 168, 169, 170])
@pytest.mark.parametrize("resume", [False, True])
def test_two_records_of_one_stamp_are_one_slot(at, by, resume):
    meter = FakeMeter(variant=SMALL)
    set_back(meter, at=at, by=by, total=4096)
    pages = read_all(meter, resume=resume)
    for page in pages:
        assert ends(page.slots) == sorted(set(ends(page.slots)))
    slots = slots_of(pages)
    assert ends(slots) == sorted(set(ends(slots)))
    twins = min(by, at)
    assert len(slots) == 4096 - twins
    merged = [slot for slot in slots if slot.marks]
    assert {slot.marks for slot in merged} == {SlotMark.PARTIAL | SlotMark.CLOCK_MOVED}
    newer = range(at - 1, at - 1 - twins, -1)
    assert [slot.counts[0] for slot in merged] == [(n + 1) + (n + by + 1) for n in newer]


def test_clock_set_back_after_the_last_visit_merges_with_what_was_read():
    meter = meter_with(4096, variant=SMALL)
    place = read_all(meter)[-1].next
    old = slots_of(read_all(meter))[-1]
    meter.put(meter.last + 0x10, record(LAST_END, (1, 1, 1, 1)))
    meter.put(meter.last + 0x20, record(LAST_END + HALF, (2, 2, 2, 2)))
    meter.point(meter.last + 0x20)
    slots = slots_of(read_all(meter, place))
    assert ends(slots) == [LAST_END, LAST_END + HALF]
    assert slots[0].counts == tuple(count + 1 for count in old.counts)
    assert slots[0].marks == SlotMark.PARTIAL | SlotMark.CLOCK_MOVED


@pytest.mark.parametrize("resume", [False, True])
def test_clock_set_forward_is_a_gap(resume):
    meter = FakeMeter(variant=SMALL)
    for back in range(4096):
        shift = 4 if back >= 250 else 0
        meter.put(0x4000 - 16 * back, record(LAST_END - HALF * (back + shift), (back, 0, 0, 0)))
    meter.point(0x4000)
    pages = read_all(meter, resume=resume)
    assert len(slots_of(pages)) == 4096
    assert gaps_of(pages) == [(LAST_END - HALF * 254, LAST_END - HALF * 250)]


@pytest.mark.parametrize("resume", [False, True])
def test_period_changed_inside_the_ring_gives_pages_of_one_period(resume):
    meter = FakeMeter(variant=SMALL)
    for back in range(4096):
        if back < 100:
            wire = record(LAST_END - HALF * back)
        else:
            hours = timedelta(hours=back - 100)
            wire = record(LAST_END - HALF * 100 - hours, minutes=60)
        meter.put(0x4000 - 16 * back, wire)
    meter.point(0x4000)
    pages = read_all(meter, resume=resume)
    assert all(len({slot.minutes for slot in page.slots}) == 1 for page in pages)
    slots = slots_of(pages)
    assert [slot.minutes for slot in slots] == [60] * 3996 + [30] * 100
    assert ends(slots) == sorted(ends(slots))


# -- damage that passes the CRC -------------------------------------------------------------------


def damaging(meter, damage, times):
    """Let ``damage`` change the data of the first ``times`` memory reads, CRC made good."""
    answer, left = meter._answer, [times]

    def damaged(body):
        data = answer(body)
        if body[:1] == b"\x06" and left[0]:
            left[0] -= 1
            return damage(data)
        return data

    meter._answer = damaged


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 16), field=st.integers(1, 6), value=st.integers(0, 255))
def test_damaged_stamp_is_read_again_and_never_a_value(at, field, value):
    meter = meter_with(17, last=0x0110)
    meter.overflow = False
    truth = slots_of(read_all(meter))
    line, driver = visit(meter, {"pointer": "record"})
    place = Cursor("mercury234/ring/1", "{}")
    line.run(driver.read_profile(place))
    line, driver = visit(meter)

    def damage(data):
        wire = bytearray(data)
        if len(wire) > 15:
            wire[15 * at + field] = value
        return bytes(wire)

    damaging(meter, damage, 2)
    assert list(line.run(driver.read_profile(None)).slots) == truth


def test_record_that_stays_senseless_is_a_gap():
    meter = meter_with(60, last=0x03C0)
    meter.overflow = False
    meter.put(0x0300, b"\x08\xaa" + record(LAST_END)[2:])
    pages = read_all(meter)
    assert gaps_of(pages) == [(LAST_END - HALF * 13, LAST_END - HALF * 12)]
    assert len(slots_of(pages)) == 59


# -- cursors and spans ----------------------------------------------------------------------------


def test_resumed_reading_gives_what_one_reading_gives():
    meter = meter_with(4096, last=0x0700, variant=SMALL)
    whole = slots_of(read_all(meter))
    assert slots_of(read_all(meter, resume=True)) == whole
    pages = read_all(meter)
    for page in pages[::6]:
        rest = slots_of(read_all(meter, page.next))
        assert rest == [slot for slot in whole if slot.ends.face > page.slots[-1].ends.face]


@pytest.mark.parametrize(
    "cursor",
    [
        Cursor("other/ring/1", "{}"),
        Cursor("mercury234/ring/1", "not json"),
        Cursor("mercury234/ring/1", "[]"),
        Cursor("mercury234/ring/1", '{"address":16}'),
        Cursor("mercury234/ring/1", '{"address":"x","ends":1,"summer":0,"minutes":30}'),
        Cursor(
            "mercury234/ring/1", '{"address":16,"ends":"2026-11-24T12:00","summer":0,"minutes":0}'
        ),
    ],
)
def test_cursor_that_means_nothing_is_lost(cursor):
    with pytest.raises(CursorLost):
        read_all(meter_with(100), cursor)


def test_cursor_that_was_overtaken_leaves_a_gap():
    meter = meter_with(8192)
    place = read_all(meter)[3].next
    meter.fill(8192, last=0x4000 + 16 * 1000, ends=LAST_END + HALF * 9000)
    meter.fill(8192, last=0x4000 + 16 * 808, ends=LAST_END + HALF * 9000)
    pages = read_all(meter, place)
    first = LAST_END + HALF * 9000 - HALF * 8192
    assert len(slots_of(pages)) == 8192
    assert gaps_of(pages)[0][1] == first


def test_ring_that_was_begun_anew_goes_on_behind_the_cursor():
    meter = meter_with(4096, variant=SMALL)
    pages = read_all(meter)
    place = pages[-1].next
    meter.ring.clear()
    meter.overflow = False
    meter.fill(5, last=0x0050, ends=LAST_END + HALF * 20)
    pages = read_all(meter, place)
    assert ends(slots_of(pages)) == [LAST_END + HALF * n for n in range(16, 21)]
    assert gaps_of(pages) == [(LAST_END, LAST_END + HALF * 15)]


def test_ring_begun_anew_over_old_memory_gives_what_was_not_yet_read_too():
    meter = meter_with(4096, variant=SMALL)
    place = read_all(meter)[-1].next
    for n in (1, 2, 3):
        meter.put(0x4000 + 16 * n, record(LAST_END + HALF * n, (n, n, n, n)))
    meter.fill(5, last=0x0050, ends=LAST_END + HALF * 20)
    pages = read_all(meter, place, resume=True)
    assert ends(slots_of(pages)) == [LAST_END + HALF * n for n in (1, 2, 3, 16, 17, 18, 19, 20)]


def test_ring_begun_anew_with_the_clock_set_back_loses_the_cursor():
    meter = meter_with(4096, variant=SMALL)
    place = read_all(meter)[-1].next
    meter.ring.clear()
    meter.overflow = False
    meter.fill(5, last=0x0050, ends=LAST_END - timedelta(days=900))
    with pytest.raises(CursorLost, match="begun anew"):
        read_all(meter, place)


@settings(max_examples=40, deadline=None)
@given(first=st.integers(-50, 700), length=st.integers(0, 400), off=st.sampled_from([0, 7]))
def test_span_gives_exactly_its_slots(first, length, off):
    meter = meter_with(4096, last=0x0300, variant=SMALL)
    for back in range(60, 70):
        meter.put(meter.last - 16 * back, bytes(15))
    start = LAST_END - HALF * (first + length) - timedelta(minutes=off)
    end = LAST_END - HALF * first
    pages = read_all(meter, span=(winter(start), winter(end)))
    slots = slots_of(pages)
    backs = [b for b in range(first + length + 1, first - 2, -1) if b >= 0 and not 60 <= b < 70]
    due = [LAST_END - HALF * b for b in backs if start < LAST_END - HALF * b <= end]
    assert ends(slots) == due
    covered = timedelta(0)
    for gap_start, gap_end in gaps_of(pages):
        assert start <= gap_start < gap_end <= end
        covered += gap_end - gap_start
    if end <= LAST_END and not off:
        assert covered + HALF * len(slots) == end - start


def test_cursor_of_a_span_is_good_for_that_span_only():
    meter = meter_with(4096, variant=SMALL)
    span = (winter(LAST_END - HALF * 300), winter(LAST_END - HALF * 20))
    pages = read_all(meter, span=span, resume=True)
    assert len(slots_of(pages)) == 280
    line, driver = visit(meter)
    with pytest.raises(CursorLost):
        line.run(driver.read_profile(pages[0].next))
    with pytest.raises(CursorLost):
        line.run(driver.read_profile(pages[0].next, (span[0], winter(LAST_END))))
    with pytest.raises(CursorLost):
        line.run(driver.read_profile(read_all(meter)[-1].next, span))


def test_span_in_summer_is_the_same_instants():
    meter = meter_with(8192)
    span = tuple(
        MeterTime(LAST_END - HALF * back + timedelta(hours=1), summer=True) for back in (10, 5)
    )
    assert ends(slots_of(read_all(meter, span=span))) == [
        LAST_END - HALF * back for back in range(9, 4, -1)
    ]


def test_span_older_than_the_ring_is_a_gap():
    meter = meter_with(8192)
    span = (winter(LAST_END - HALF * 9000), winter(LAST_END - HALF * 8500))
    (page,) = read_all(meter, span=span)
    assert page.slots == ()
    assert gaps_of([page]) == [(span[0].face, span[1].face)]


def test_slot_is_what_the_record_says():
    meter = FakeMeter()
    meter.put(0x10, bytes.fromhex("0A 10 00 05 03 08 1E 04 29 FF FF 00 00 FF FF"))
    meter.point(0x10)
    meter.overflow = False
    (page,) = read_all(meter)
    assert page.slots == (
        Slot(winter(datetime(2008, 3, 5, 10, 0)), 30, (10500, None, 0, None), SlotMark.PARTIAL),
    )
