"""The virtual meter's past: registers, ring and load model agree to the count."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from simulator_kit import NOW, OUTAGE, at_place, client, energy_of, record_of, summary
from simulator_kit import settings as asked

from hub.plugins.mercury234.simulator import truth
from hub.plugins.mercury234.simulator.options import RATED_W

HALF_HOUR = timedelta(minutes=30)
BOTH = pytest.mark.parametrize("firmware", ["2.3.4", "9.0.0"])


def wh(counts: int, constant: int = 1000) -> int:
    return counts * 1000 // (2 * constant)


def ring_of(asker, places=8192):
    """Every record of the ring, by place, read singly."""
    return [at_place(asker, place) for place in range(places)]


def last_place(asker) -> int:
    """Where the last record lies, by the address rule of its firmware."""
    data = asker.ask("08 13")
    field = data[0] << 8 | data[1]
    if asker.meter.options.firmware >= (7, 1, 0):
        return field
    return (field | (data[2] & 0x10) << 12) // 0x10


# Ring


@BOTH
@pytest.mark.parametrize(("memory", "places"), [("131", 8192), ("64", 4096)])
def test_ring_is_full_and_equals_the_truth(firmware, memory, places):
    asker = client(firmware=firmware, memory=memory).open()
    newest = last_place(asker)
    found = ring_of(asker, places)
    found = found[newest + 1 :] + found[: newest + 1]
    slots = asker.meter.truth(*asker.meter.kept(NOW))
    assert len(slots) == places
    assert [(r["end"], r["minutes"], r["counts"], r["partial"]) for r in found] == [
        (s.end, s.minutes, s.counts, s.partial) for s in slots
    ]
    assert all(b["end"] - a["end"] == HALF_HOUR for a, b in pairwise(found))
    face = asker.meter.face(NOW)
    assert found[-1]["end"] <= face < found[-1]["end"] + HALF_HOUR


def test_status_tells_overflow_season_and_the_17th_bit_of_old_firmware():
    old, new = client(firmware="2.3.4").open(), client(firmware="9.0.0").open()
    assert {r["status"] for r in ring_of(old)[:4096]} == {0x09}
    assert {r["status"] for r in ring_of(old)[4096:]} == {0x19}
    assert {r["status"] for r in ring_of(new)} == {0x09}


@BOTH
def test_last_record_names_the_record_found_there(firmware):
    asker = client(firmware=firmware).open()
    for _ in range(40):
        data = asker.ask("08 13")
        found = at_place(asker, last_place(asker))
        assert data[3:8] == bytes(
            int(f"{found['end']:%{c}}", 16) for c in ("H", "M", "d", "m", "y")
        )
        assert data[8] == 30
        assert data[2] & 0x0F == found["status"] & 0x0F
        asker.wait(days=4, hours=7)
        asker.open()


@BOTH
def test_records_advance_in_real_time_and_wrap(firmware):
    asker = client(firmware=firmware, memory="64").open()
    before = last_place(asker)
    asker.wait(minutes=30 * 4100).open()
    assert last_place(asker) == (before + 4100) % 4096
    newest = at_place(asker, last_place(asker))
    assert newest["end"] == asker.meter.face(asker.now).replace(minute=0, second=0)


def test_memory_answers_by_kind():
    asker = client().open()
    block = asker.ask("06 03 0010 FF")
    assert len(block) == 255
    records = [block[i : i + 15] for i in range(0, 255, 15)]
    assert records == [asker.ask(f"06 03 {n * 16:04X} 0F") for n in range(1, 18)]
    for kind in range(4):
        words = asker.ask(f"06 {(kind + 1) << 4 | 3:02X} 0010 10")
        assert words == b"".join(r[7 + 2 * kind : 9 + 2 * kind] for r in records[:8])
    assert asker.ask("06 83 0010 0F") == asker.ask("06 83 0010 FF")[:15]
    assert asker.ask("06 83 0010 0F") != asker.ask("06 03 0010 0F")


@pytest.mark.parametrize(
    ("request_hex", "status"),
    [
        ("06 03 FFF0 FF", 1),  # over the border of the 17th bit
        ("06 83 FF00 FF", 1),  # over the end of the ring
        ("06 03 0011 0F", 1),
        ("06 05 0010 0F", 1),
        ("06 53 0010 10", 1),
        ("06 02 0000 10", 2),
        ("06 03 0010 0E", 2),
        ("06 13 0010 03", 2),
        ("06 13 0010 12", 2),
        ("16 03 0000 12", 1),
        ("16 03 1FF8 11", 1),
        ("16 05 0000 01", 1),
        ("16 03 0000 00", 1),
    ],
)
def test_memory_refuses(request_hex, status):
    assert client().open().ask(request_hex) == bytes((status,))


def test_blocks_reach_up_to_the_edges():
    asker = client().open()
    assert len(asker.ask("06 03 FEF0 FF")) == 255
    assert len(asker.ask("06 83 FEF0 FF")) == 255
    small = client(memory="64").open()
    assert small.ask("06 83 0000 0F") == b"\1"


def test_relative_reads_count_back_from_the_last_record():
    asker = client().open()
    last = last_place(asker)
    for offset, count in ((0, 1), (1, 1), (0, 17), (5, 17), (8000, 17), (8175, 17)):
        data = asker.ask(f"16 03 {offset:04X} {count:02X}")
        places = range(last - offset - count + 1, last - offset + 1)
        assert [record_of(data[i : i + 15]) for i in range(0, len(data), 15)] == [
            at_place(asker, place % 8192) for place in places
        ]


def test_personalities_without_relative_reads_and_long_answers():
    old, oldest = client(firmware="2.3.4").open(), client(firmware="2.1.0").open()
    assert old.ask("16 03 0000 01") == b"\1"
    assert old.ask("15 00 00") == b"\1"
    assert len(old.ask("06 03 0010 FF")) == 255
    assert oldest.ask("06 03 0010 FF") == b"\1"
    assert len(oldest.ask("06 03 0010 0F")) == 15
    assert oldest.ask("05 00 06") == b"\1"
    assert oldest.ask("05 C0 00") == b"\1"


@pytest.mark.parametrize("period", ["60", "15", "5"])
def test_other_periods_divide_the_same_counts(period):
    coarse, fine = client().open(), client(period=period).open()
    day = datetime(2026, 11, 20), datetime(2026, 11, 21)
    slots = fine.meter.truth(*day)
    assert len(slots) == 1440 // int(period)
    assert [sum(c) for c in zip(*(s.counts for s in slots), strict=True)] == [
        sum(c) for c in zip(*(s.counts for s in coarse.meter.truth(*day)), strict=True)
    ]
    newest = at_place(fine, last_place(fine))
    assert newest["minutes"] == int(period)
    assert (
        newest["counts"]
        == fine.meter.truth(newest["end"] - timedelta(minutes=int(period)), newest["end"])[0].counts
    )


def test_one_direction_masks_what_it_does_not_meter():
    asker = client(directions="1", load="house").open()
    counts = at_place(asker, last_place(asker))["counts"]
    assert [count is None for count in counts] == [False, True, False, True]
    for row in energy_of(asker.ask("05 00 06")):
        assert [value is None for value in row] == [False, True, False, True]


# Outage


@BOTH
def test_slots_of_an_outage_are_not_written_and_its_edges_are_incomplete(firmware):
    asker = client(firmware=firmware, outage=OUTAGE).open()
    last = last_place(asker)
    newest = at_place(asker, last)["end"]

    def at(hour, minute, day=3):
        back = (newest - datetime(2026, 11, day, hour, minute)) // HALF_HOUR
        return at_place(asker, (last - back) % 8192)

    assert at(10, 0)["end"] == datetime(2026, 11, 3, 10, 0)
    assert not at(10, 0)["partial"]
    for half_hours in range(1, 11):
        hour, half = divmod(20 + half_hours, 2)
        stale = at(hour, 30 * half)
        written = datetime(2026, 11, 3, hour, 30 * half)
        assert stale["end"] == written - 8192 * HALF_HOUR
        assert (
            stale["counts"] == asker.meter.truth(stale["end"] - HALF_HOUR, stale["end"])[0].counts
        )
    assert at(15, 30)["end"] == datetime(2026, 11, 3, 15, 30)
    assert at(15, 30)["partial"]
    assert not at(16, 0)["partial"]


def test_truth_of_an_outage():
    whole, holed = client(), client(outage=OUTAGE)
    whole.ask("00")
    holed.ask("00")
    span = datetime(2026, 11, 3, 9, 30), datetime(2026, 11, 3, 16, 0)
    slots = holed.meter.truth(*span)
    assert [(f"{s.end:%H%M}", s.counts is None, s.partial) for s in slots] == [
        ("1000", False, False),
        *((f"{10 + n // 2}{30 * (n % 2):02d}", True, True) for n in range(1, 11)),
        ("1530", False, True),
        ("1600", False, False),
    ]
    ran = whole.meter.truth(*span)
    assert ran[-2].counts[0] > slots[-2].counts[0] > 0
    assert ran[-1].counts == slots[-1].counts


def test_without_power_there_is_silence_and_the_channel_is_gone():
    noon = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    asker = client(now=noon, outage="2026-11-03T15:01/2026-11-03T15:03").open()
    assert asker.ask("08 02") == b"\0\1\0\1"
    asker.wait(minutes=1)
    assert asker.ask("00") is None
    asker.wait(minutes=2)
    assert asker.ask("08 02") == b"\5"
    assert asker.open().ask("08 02") == b"\0\1\0\1"


def test_right_after_an_outage_the_last_record_is_the_last_one_written():
    asker = client(outage=OUTAGE, now=datetime(2026, 11, 3, 12, 20, tzinfo=UTC)).open()
    assert at_place(asker, last_place(asker))["end"] == datetime(2026, 11, 3, 10, 0)
    asker.wait(minutes=10).open()
    assert at_place(asker, last_place(asker))["end"] == datetime(2026, 11, 3, 15, 30)


def test_a_record_cut_short_may_bear_the_minute_of_the_power_failure():
    outage = "2026-11-24T10:12/2026-11-24T11:10"
    grid, off = client(outage=outage).open(), client(outage=outage, offgrid="1").open()
    place = last_place(grid) - 3
    assert last_place(off) == place + 3
    assert at_place(grid, place)["end"] == datetime(2026, 11, 24, 10, 30)
    assert at_place(off, place)["end"] == datetime(2026, 11, 24, 10, 12)
    for name in ("status", "minutes", "counts", "partial"):
        assert at_place(off, place)[name] == at_place(grid, place)[name]
    span = datetime(2026, 11, 24, 10, 0), datetime(2026, 11, 24, 12, 0)
    assert off.meter.truth(*span) == grid.meter.truth(*span)
    assert at_place(off, place + 2) == at_place(grid, place + 2)


def test_a_meter_before_its_first_slot_has_an_empty_ring():
    asker = client()
    asker.ask("00")
    initialised = asker.meter.initialised.replace(tzinfo=UTC) - timedelta(hours=3)
    asker.now = initialised + timedelta(minutes=29)
    asker.open()
    assert asker.ask("08 13")[:2] == b"\0\0"
    assert {at_place(asker, place) for place in (0, 1, 8191)} == {None}
    assert asker.wait(minutes=1).ask("08 13")[:2] == b"\0\1"
    assert at_place(asker, 1)["end"] == asker.meter.initialised + HALF_HOUR
    assert at_place(asker, 1)["status"] == 0x08


def test_places_never_written_are_zeros():
    asker = client(memory="64", outage="2020-01-01T00:00/2026-11-24T11:45").open()
    assert at_place(asker, last_place(asker))["counts"] is not None
    assert at_place(asker, (last_place(asker) - 1) % 4096) is None


# Registers


@BOTH
@pytest.mark.parametrize("constant", ["1000", "5000", "500"])
def test_registers_are_the_counts_of_the_ring(firmware, constant):
    """From a stamp in the ring to now: register = what it was + counts, cut the same way."""
    asker = client(firmware=firmware, constant=constant, outage=OUTAGE).open()
    start, end = asker.meter.kept(NOW)
    at_end = NOW - (asker.meter.face(NOW) - end)
    asker.now = at_end
    asker.open()
    (row,) = energy_of(asker.ask("05 00 00"))
    found = [r for r in ring_of(asker) if r["end"] > start]
    before = asker.meter.counts_at(start)
    for channel, register in enumerate(row):
        total = before[channel] + sum(r["counts"][channel] for r in found)
        assert register == wh(total, int(constant))


@BOTH
def test_day_registers_equal_the_slots_of_the_day(firmware):
    asker = client(firmware=firmware).open()
    midnight = datetime(2026, 11, 24)
    (start,) = energy_of(asker.ask("05 C0 00"))
    (yesterday,) = energy_of(asker.ask("05 50 00"))
    slots = asker.meter.truth(midnight - timedelta(days=1), midnight)
    before = asker.meter.counts_at(midnight - timedelta(days=1))
    for channel in range(4):
        counts = sum(slot.counts[channel] for slot in slots)
        assert start[channel] == wh(before[channel] + counts)
        assert yesterday[channel] == start[channel] - wh(before[channel])


@BOTH
@pytest.mark.parametrize("tariffs", ["1", "2", "3"])
def test_tariffs_follow_the_schedule_and_make_the_sum(firmware, tariffs):
    asker = client(firmware=firmware, tariffs=tariffs, outage=OUTAGE).open()
    *rows, total = energy_of(asker.ask("05 00 06"))
    face = asker.meter.face(NOW)
    for channel in range(4):
        assert 0 <= total[channel] - sum(row[channel] for row in rows) <= 3
        counts = [asker.meter.counts_at(face, tariff)[channel] for tariff in (1, 2, 3, 4)]
        assert sum(counts) == asker.meter.counts_at(face)[channel]
        assert [row[channel] for row in rows] == [wh(count) for count in counts]
    assert [energy_of(asker.ask(f"05 00 {t:02X}"))[0] for t in (1, 2, 3, 4, 0)] == [*rows, total]
    assert asker.ask("05 00 05") == bytes(16)


def test_a_zone_of_a_day_is_the_sum_of_its_slots():
    asker = client(tariffs="3")
    asker.ask("00")
    midnight = datetime(2026, 11, 18)
    slots = asker.meter.truth(midnight, midnight + timedelta(days=1))
    zones = {1: 0, 2: 0, 3: 0}
    for slot in slots:
        hour = (slot.end - HALF_HOUR).hour
        zone = 2 if hour >= 23 or hour < 7 else 1 if hour < 10 or 17 <= hour < 21 else 3
        zones[zone] += slot.counts[0]
    for tariff, counts in zones.items():
        first, second = (
            asker.meter.counts_at(midnight + timedelta(days=d), tariff)[0] for d in (0, 1)
        )
        assert second - first == counts


def test_arrays_fit_into_each_other():
    asker = client().open()

    def row(first, tariff=0):
        return energy_of(asker.ask(f"05 {first:02X} {tariff:02X}"))[0]

    def add(one, two):
        return tuple(a + b for a, b in zip(one, two, strict=True))

    now = row(0x00)
    assert add(row(0xC0), row(0x40)) == now
    assert add(row(0x90), row(0x10)) == now
    assert add(row(0xBB), row(0x3B)) == now  # November runs
    assert add(row(0xD0), row(0x50)) == row(0xC0)
    assert add(row(0xA0), row(0x20)) == row(0x90)
    assert add(row(0xBC), row(0x3C)) == row(0xB1) == row(0x90)  # December of last year
    year = (0, 0, 0, 0)
    for month in range(1, 12):
        year = add(year, row(0x30 | month))
    assert year == row(0x10)
    assert 0 <= now[0] - sum(energy_of(asker.ask("05 60 00"))[0]) <= 3
    assert energy_of(asker.ask("15 00 00"))[0] == (now[2], 0, 0, now[3])


def test_arrays_that_are_not_there():
    asker = client().open()
    for first in ("30", "3D", "70", "80", "E0", "F0", "01", "41", "B0", "61"):
        assert asker.ask(f"05 {first} 00") == b"\1"
    assert asker.ask("05 00 07") == b"\1"
    middle = client(firmware="7.1.1").open()
    assert middle.ask("05 C0 00") == b"\1"
    assert len(middle.ask("05 40 00")) == 16


def test_registers_over_a_change_of_season_keep_face_days():
    now = datetime(2026, 10, 26, 12, 0, tzinfo=UTC)
    asker = client(season="auto", clock_base="60", tariffs="2", now=now)
    asker.open()
    start, end = datetime(2026, 10, 25), datetime(2026, 10, 26)
    slots = asker.meter.truth(start, end)
    assert len(slots) == 50
    assert [s.winter for s in slots] == [False] * 5 + [True] * 45
    before, after = asker.meter.counts_at(start), asker.meter.counts_at(end)
    assert after[0] - before[0] == sum(s.counts[0] for s in slots)
    night = sum(s.counts[0] for s in slots if not 7 <= (s.end - HALF_HOUR).hour < 23)
    nights = [asker.meter.counts_at(day, 2)[0] for day in (start, end)]
    assert abs(nights[1] - nights[0] - night) == 0
    (yesterday,) = energy_of(asker.ask("05 50 00"))
    assert yesterday[0] == wh(after[0]) - wh(before[0])


@given(
    constant=strategies.sampled_from(sorted(RATED_W)),
    load=strategies.sampled_from(["house", "flat", "workshop", "pv"]),
    seed=strategies.integers(0, 2**31),
    offset=strategies.integers(0, 400 * 86_400),
    length=strategies.integers(0, 3 * 86_400),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_counts_never_run_back_and_fit_a_word(constant, load, seed, offset, length):
    asker = client(seed=seed, constant=str(constant), load=load, period="60")
    asker.ask("00")
    start = datetime(2025, 10, 1) + timedelta(seconds=offset)
    end = start + timedelta(seconds=length)
    for tariff in (0, 1, 2):
        before = asker.meter.counts_at(start, tariff)
        after = asker.meter.counts_at(end, tariff)
        assert all(a <= b for a, b in zip(before, after, strict=True))
    for slot in asker.meter.truth(start, end):
        assert all(0 <= count < 0xFFFF for count in slot.counts)


def test_loads_are_what_they_are_called():
    day = datetime(2026, 6, 15), datetime(2026, 6, 16)  # a Monday
    noon, night = 26, 4
    shapes = {}
    for load in ("house", "workshop", "pv"):
        asker = client(load=load)
        asker.ask("00")
        shapes[load] = asker.meter.truth(*day)
    assert shapes["pv"][noon].counts[1] > 0
    assert shapes["pv"][night].counts[1] == 0
    assert shapes["house"][noon].counts[1] == 0
    assert shapes["workshop"][noon].counts[0] > 3 * shapes["workshop"][night].counts[0]


# The same settings, the same meters


def test_another_process_has_the_same_meters():
    code = (
        "import json; from simulator_kit import summary;"
        "print(json.dumps([summary(7), summary(8)], default=str))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "99"},
        cwd=Path(__file__).parent, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    other = json.loads(done.stdout)
    assert other == json.loads(json.dumps([summary(7), summary(8)], default=str))
    assert other[0] != other[1]


def test_the_truth_does_not_depend_on_what_was_asked_before():
    fresh, used = client(), client()
    used.open()
    for hexes in ("05 00 06", "05 2000", "06 03 0010 FF", "08 16 A0", "08 0D 01"):
        used.ask(hexes)
    used.wait(days=200).open().ask("05 00 06")
    fresh.ask("00")
    assert fresh.meter.register_wh(NOW, 2) == used.meter.register_wh(NOW, 2)
    assert fresh.meter.truth(*fresh.meter.kept(NOW)) == used.meter.truth(*used.meter.kept(NOW))


def test_a_line_started_later_has_the_same_past():
    early = truth(asked(), NOW)[1]
    late = truth(asked(), NOW + timedelta(days=20))[1]
    assert early.register_wh(NOW, 1) == late.register_wh(NOW, 1)


def test_meters_of_a_line_differ():
    meters = truth(asked(meters=10), NOW)
    assert len({meter.register_wh(NOW) for meter in meters.values()}) == 10


def test_maxima_are_the_highest_slots_of_morning_and_evening():
    asker = client(load="pv").open()
    assert asker.ask("08 0C 0A") == bytes.fromhex("0009001100180020")
    data = asker.ask("08 0D 0A")
    words = [int.from_bytes(data[i : i + 2], "little") for i in range(0, 16, 2)]
    slots = asker.meter.truth(datetime(2026, 10, 1), datetime(2026, 11, 1))
    expected = []
    for channel in range(4):
        for first, last in ((9, 11), (18, 20)):
            inside = [
                s.counts[channel]
                for s in slots
                if first * 60 + 30 <= s.end.hour * 60 + s.end.minute <= last * 60
            ]
            expected.append(max(inside))
    assert words == expected
