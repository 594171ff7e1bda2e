"""Code 03 of the virtual meter: levels, statuses, and where what was written shows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from simulator_kit import (
    NOW,
    OPEN,
    OPEN_OWNER,
    bcd_times,
    client,
    energy_of,
    from_bcd,
    record_of,
    words_132,
)

from corefast.crc import seal
from hub.plugins.mercury234.simulator.writes import _PARAMETERS, FACTORY, OWNER, READER

OK, BAD, LOW, TODAY, CLOSED = b"\0", b"\1", b"\3", b"\4", b"\5"
FACE = datetime(2026, 11, 24, 12, 7, 31)

SCHEDULE = "00 40 00 27 00 69 00 2B 00 72 00 34 00 56 00 38"

# A good value for each parameter that takes one.
GOOD = {
    0x00: "1E 00", 0x01: "1F 00 1F 00 1F 00 1F 00", 0x02: "C1 2D 0F 1E", 0x03: "00 16 00 01 0A",
    0x04: "01", 0x05: "01", 0x06: "1E 00", 0x0A: "", 0x0C: "31 07 12 02 24 11 26 01",
    0x0D: "31 07 12", 0x10: "00", 0x11: "00", 0x14: "03 01", 0x15: "00", 0x16: "", 0x18: "00",
    0x19: "02 07 03 03 07 10", 0x1B: "00 01 00 01", 0x1D: "00" * 19, 0x1E: "01" + "00" * 4,
    0x1F: "01 010101010101 010101010101", 0x20: "", 0x21: "", 0x22: "80 82 73 66",
    0x23: "03 00 09 00 11 00 18 00 20", 0x24: "", 0x26: "00 1E", 0x27: "00", 0x28: "01 01",
    0x29: "01 01", 0x2A: "00", 0x2C: "00 01 F4", 0x2D: "01", 0x2E: "01 00 00 64 00", 0x2F: "01",
    0x30: "01", 0x31: "01", 0x32: "01", 0x33: "3F C0", 0x34: "13 88" * 6, 0x35: "00",
    0x36: "46 50 51 A4 5A 3C 61 A8 13 56 13 74 13 9C 13 BA", 0x37: "0F 0F",
}  # fmt: skip


def owner(**options):
    asker = client(**options)
    assert asker.ask(OPEN_OWNER) == OK
    return asker


def shown(asker) -> datetime:
    second, minute, hour, _, day, month, year, _ = map(from_bcd, asker.ask("04 00"))
    return datetime(2000 + year, month, day, hour, minute, second)


def hours(face: datetime) -> str:
    return bcd_times(face)[:3].hex()


# Levels and lengths


@pytest.mark.parametrize("parameter", sorted(_PARAMETERS))
def test_who_may_write_what(parameter):
    level = _PARAMETERS[parameter].level
    request = f"03 {parameter:02X} {GOOD[parameter]}"
    asker = client(losses="1")
    assert asker.ask(request) == CLOSED
    assert asker.open().ask(request) == (OK if level == READER else LOW)
    assert asker.ask("02") == asker.ask(OPEN_OWNER) == OK
    if parameter != 0x0D:
        assert asker.ask(request) == (LOW if level == FACTORY else OK)


@pytest.mark.parametrize("parameter", sorted(_PARAMETERS))
def test_a_write_of_another_length_gets_no_answer_and_has_no_effect(parameter):
    asker = owner(losses="1")
    before = asker.meter.journal(asker.now)
    assert asker.ask(f"03 {parameter:02X} {GOOD[parameter]} 00 00") is None
    assert asker.meter.journal(asker.now) == before


def test_what_is_refused():
    asker = owner()
    for request in ("03 09", "03 38 00", "07 00 00", "07", "03 05 00", "03 05 F1", "03 2D 02",
                    "03 1B 0000 0001", "03 2E 05 00000000", "03 31 02", "03 0C 61071202241126 01",
                    "03 0C 00071202311126 01", "03 0D 990712", "03 0D AA0712", "03 06 1E 00",
                    "03 36 51A4 4650 5A3C 61A8 1356 1374 139C 13BA"):  # fmt: skip
        assert asker.ask(request) == BAD, request
    assert asker.ask("03 1F 01 313131313131 010101010101") == LOW
    assert asker.ask("03 1F 03 010101010101 010101010101") == BAD
    assert client().open().ask("07 00 00") == LOW
    assert client().ask("07 00 00") == CLOSED


@given(junk=strategies.binary(max_size=20))
@hypothesis_settings(max_examples=200, deadline=None)
def test_any_write_has_a_status_or_none_and_leaves_a_meter_that_answers(junk):
    asker = owner(losses="1")
    answers = asker.raw(seal(b"\x01\x03" + junk))
    assert all(len(answer) in {4, 5} for answer in answers)
    asker.wait(hours=1)
    at = asker.meter.address
    assert asker.raw(seal(bytes((at, 0))))


# Address, passwords, interface


def test_a_new_address_answers_at_once_and_the_old_one_never():
    asker = owner(meters=2)
    assert asker.raw(seal(b"\x01\x03\x05\x40")) == [seal(b"\x40\x00")]
    assert asker.ask("08 05") is None
    assert asker.ask("08 05", address=0x40) == b"\0\x40"
    assert asker.line.meters[1].address == 0x40
    assert asker.ask("00", address=2) == OK


def test_writes_to_the_group_are_ignored():
    asker = client()
    assert asker.ask(OPEN_OWNER, address=0) == OK
    assert asker.ask("03 2D 01", address=0) is None
    assert asker.ask("08 18") == b"\x01\x00"


def test_a_new_password_opens():
    asker = owner()
    assert asker.ask("03 1F 01 010101010101 090909090909") == OK
    assert asker.ask(OPEN) == LOW
    assert asker.ask("01 01 090909090909") == OK


def test_repeat_mode_puts_the_code_before_the_answer_from_the_next_request_on():
    asker = owner()
    assert asker.ask("03 15 80") == OK
    assert asker.ask("08 02") == b"\x08\0\1\0\1"
    assert asker.ask("00") == b"\0\x80"
    assert asker.ask("03 2D 02") == b"\x03\1"
    assert asker.ask("03 15 00") == b"\x03\0"
    assert asker.ask("08 02") == b"\0\1\0\1"
    old = owner(firmware="2.2.2")
    assert old.ask("03 15 80") == OK
    assert old.ask("08 02") == b"\0\1\0\1"


def test_restart_loses_the_channel_and_is_silent_for_a_moment():
    asker = owner()
    assert asker.ask("03 16") == OK
    assert asker.ask("00") is None
    assert asker.wait(seconds=2).ask("00") == OK
    assert asker.ask("08 02") == CLOSED


# Settings that are read again in another order


@pytest.mark.parametrize(
    ("written", "asked", "reads"),
    [
        ("1B 0064 0028", "02", "0064 0028"),
        ("22 80827366", "0B", "80827366"),
        ("26 0102", "08", "0102"),
        ("2C 0001F4", "19", "00F401"),
        ("2C 123456", "19", "125634"),
        ("2E 02 12345678", "1A 02", "34127856"),
        ("14 03 07", "04", "0007"),
        ("32 09", "1D", "0009"),
        ("01 1E001E001E001E00", "1B", "1E001E001E001E00"),
        ("02 C12D0F1F", "1C", "C12D0F1F"),
        ("19 030703040710", "07", "030703040710"),
        ("33 3FC0", "1E", "C03F"),
        ("34 138813881388138813881389", "1F", "881388138813881388138913"),
        ("36 465051A45A3C61A8 13561374139C13BA", "20", "5046A4513C5AA861 561374139C13BA13"),
        ("37 0F0E", "21", "0F0E"),
        ("23 03 0008001000190021", "0C 03", "0008001000190021"),
        ("1E 02 01020304", "23 02", "01020304"),
        (f"1D 020002 {SCHEDULE}", "22 020002", SCHEDULE),
        ("03 02 16000100", "06 02", "1600010000000000 0000000000000000"),
        ("30 00", "18", "0000"),
        ("2D 01", "18", "0300"),
        ("2F 01", "18", "0500"),
        ("31 01", "18", "0902"),
    ],
)  # fmt: skip
def test_what_was_written_is_read_again(written, asked, reads):
    asker = owner()
    assert asker.ask(f"03 {written}") == OK
    assert asker.ask(f"08 {asked}") == bytes.fromhex(reads)
    assert asker.wait(seconds=200).ask(f"08 {asked}") == bytes.fromhex(reads)


@pytest.mark.parametrize(
    ("request_hex", "book"),
    [
        ("03 1D" + "00" * 19, 0x07), ("03 1E" + "00" * 5, 0x08), ("03 00 1E 00", 0x0A),
        ("03 2C 0001F4", 0x0F), ("03 26 001E", 0x0F), ("03 2D 01", 0x0F),
        ("03 2E 01 00000064", 0x10), ("03 2F 01", 0x10), ("03 33 3FC0", 0x11),
        ("03 34" + "1388" * 6, 0x11), ("03 23 01 0009001100180020", 0x15), ("03 24", 0x16),
    ],
)  # fmt: skip
def test_a_write_is_noted_in_its_book(request_hex, book):
    asker = owner()
    before = {(e.book, e.record) for e in asker.meter.journal(asker.now)}
    assert asker.ask(request_hex) == OK
    added = [e for e in asker.meter.journal(asker.now) if (e.book, e.record) not in before]
    # A limit of 5 W or 100 Wh is exceeded at once.
    assert {e.book for e in added} - {0x06, 0x0B} == {book, 0x13}
    last = asker.ask(f"04 {book:02X} FF")
    assert last[:-1] == bcd_times(FACE)


def test_the_book_of_programming_has_a_record_a_day():
    asker = owner()
    for request in ("03 2C 0001F4", "03 2D 01", "03 2D 00", "03 08", "03 05 01"):
        assert asker.ask(request) == OK
    day = bytes.fromhex("24 11 26 04") + bytes((0x20, 0, 0, 0, 0, 0x30, 0, 0))
    assert asker.ask("04 13 FF") == day + b"\0"
    asker.wait(days=1).ask(OPEN_OWNER)
    assert asker.ask("03 00 1E 00") == OK
    assert asker.ask("04 13 FF") == bytes.fromhex("25 11 26 01 01") + bytes(7) + b"\1"
    assert asker.ask("04 13 00") == day


# Clock


def test_a_forward_correction_is_done_at_once_and_once_a_day():
    asker = client(drift="-45").open()
    wrong = shown(asker)
    assert asker.ask(f"03 0D {hours(wrong + timedelta(seconds=45))}") == OK
    assert shown(asker) == wrong + timedelta(seconds=45)
    assert asker.meter.clock_error_s(asker.now) == 0
    assert asker.ask("08 0A") == bytes(6)
    assert asker.ask("04 02 FF") == (
        bcd_times(wrong) + bcd_times(wrong + timedelta(seconds=45)) + b"\0"
    )
    assert asker.ask(f"03 0D {hours(wrong)}") == TODAY
    asker.wait(hours=12).open()
    assert asker.ask(f"03 0D {hours(shown(asker) + timedelta(seconds=1))}") == OK


def test_a_correction_back_slows_the_clock_down_until_it_is_right():
    asker = client(drift="100").open()
    start = shown(asker)
    assert asker.ask(f"03 0D {hours(start - timedelta(seconds=100))}") == OK
    assert shown(asker) == start
    assert asker.ask("08 24") == b"\x00\x02"
    assert asker.ask("08 0A") == bytes.fromhex("00 40 00 00 00 00")
    asker.wait(seconds=100)
    assert shown(asker) == start + timedelta(seconds=50)
    assert asker.meter.clock_error_s(asker.now) == 50
    asker.wait(seconds=99)
    assert asker.ask("08 24") == b"\x00\x02"
    asker.wait(seconds=1)
    assert asker.meter.clock_error_s(asker.now) == 0
    assert asker.ask("08 24") == bytes(2)
    assert asker.ask("08 0A") == bytes(6)
    assert asker.wait(seconds=30).meter.clock_error_s(asker.now) == 0
    end = datetime(2026, 11, 24, 12, 30)
    (before, slot, after) = asker.meter.truth(end - timedelta(hours=1), end + timedelta(minutes=30))
    assert [before.partial, slot.partial, after.partial] == [False, True, False]
    asker.wait(minutes=20).open()
    assert record_of(asker.ask("16 03 0000 01"))["partial"]


def test_a_correction_of_more_than_four_minutes_is_refused_and_can_be_done_in_days():
    asker = client(drift="600").open()
    wrong = asker.meter.clock_error_s(asker.now)
    assert asker.ask(f"03 0D {hours(shown(asker) - timedelta(seconds=241))}") == BAD
    for left in (360, 120, 0):
        step = min(240, asker.meter.clock_error_s(asker.now))
        assert asker.open().ask(f"03 0D {hours(shown(asker) - timedelta(seconds=step))}") == OK
        asker.wait(days=1)
        assert asker.meter.clock_error_s(asker.now) == left
    assert wrong == 600


def test_a_correction_may_go_over_midnight():
    asker = client(now=datetime(2026, 11, 24, 20, 59, 0, tzinfo=UTC)).open()
    assert asker.ask("03 0D 30 00 00") == OK
    assert shown(asker) == datetime(2026, 11, 25, 0, 0, 30)
    (yesterday,) = energy_of(asker.ask("05 50 00"))
    slots = asker.meter.truth(datetime(2026, 11, 24), datetime(2026, 11, 25))
    counts = asker.meter.counts_at
    first, last = counts(datetime(2026, 11, 24))[0], counts(datetime(2026, 11, 25))[0]
    assert sum(slot.counts[0] for slot in slots) == last - first
    assert yesterday[0] == last * 1000 // 2000 - first * 1000 // 2000
    assert slots[-1].partial


def test_setting_the_clock_moves_it_anywhere_and_ends_a_correction():
    asker = client(drift="200").open()
    assert asker.ask(f"03 0D {hours(shown(asker) - timedelta(seconds=200))}") == OK
    asker.wait(seconds=10)
    assert asker.ask(OPEN_OWNER) == OK
    assert asker.ask("03 0C 00 30 08 03 25 12 30 01") == OK
    assert shown(asker) == datetime(2030, 12, 25, 8, 30)
    assert asker.ask("08 24") == bytes(2)
    assert asker.wait(seconds=100).ask("04 00")[0] == 0x40
    assert asker.ask("04 02 FF")[6:12] == bytes.fromhex("003008251230")
    assert asker.ask("05 40 00")[:8] != asker.ask("05 00 00")[:8]


def test_registers_go_on_whatever_the_clock_is_set_to():
    asker = owner()
    before = energy_of(asker.ask("05 00 00"))[0][0]
    assert asker.ask("03 0C 00 00 00 06 01 01 00 01") == OK
    asker.wait(hours=3).open()
    after = energy_of(asker.ask("05 00 06"))
    assert after[4][0] > before
    assert 0 <= after[4][0] - sum(row[0] for row in after[:4]) <= 4


# Profile


def test_a_profile_begun_anew_starts_at_the_first_place_with_the_new_period():
    asker = owner(firmware="9.0.0")
    assert asker.ask("03 00 0F 00") == OK
    assert asker.ask("08 24") == b"\x04\x00"
    assert asker.ask("08 13")[:2] == b"\0\0"
    assert asker.ask("08 13")[2] & 0x04
    old = asker.ask("06 03 0020 0F")
    assert any(old)
    asker.wait(seconds=5)
    assert asker.ask("08 24") == bytes(2)
    asker.wait(minutes=8).ask(OPEN)
    data = asker.ask("08 13")
    assert data[:2] == b"\0\1"
    assert data[8] == 15
    first = record_of(asker.ask("06 03 0010 0F"))
    assert first["end"] == datetime(2026, 11, 24, 12, 15)
    assert first["partial"]
    assert asker.ask("06 03 0020 0F") == old
    slots = asker.meter.truth(datetime(2026, 11, 24, 11, 30), datetime(2026, 11, 24, 12, 45))
    assert [(s.minutes, s.partial) for s in slots] == [
        (30, False), (15, True), (15, False), (15, False),
    ]  # fmt: skip
    assert slots[1].counts == first["counts"]


def test_a_wiped_profile_is_zeros_and_takes_minutes():
    asker = owner(now=NOW.replace(minute=29, second=0))
    assert asker.ask("03 00 1E 01") == OK
    asker.wait(seconds=70)
    assert asker.ask("08 24") == b"\x04\x00"
    assert asker.ask("08 13")[:2] == b"\0\0"
    assert asker.ask("06 03 0010 0F") == asker.ask("06 03 0020 0F") == bytes(15)
    asker.wait(minutes=30).open()
    # The slot that ended during the initialisation was never written, but has its place.
    assert asker.ask("08 13")[:2] == b"\0\2"
    assert asker.ask("06 03 0010 0F") == bytes(15)


@pytest.mark.parametrize(
    ("firmware", "minutes", "status"),
    [("9.0.0", 60, OK), ("9.0.0", 61, BAD), ("9.0.0", 0, BAD), ("7.1.1", 45, OK),
     ("7.1.1", 46, BAD), ("2.3.4", 46, BAD)],
)  # fmt: skip
def test_periods_by_generation(firmware, minutes, status):
    assert owner(firmware=firmware).ask(f"03 00 {minutes:02X} 00") == status


# Maxima, relay, tariff mode


def test_maxima_start_again():
    asker = owner(load="workshop")
    assert asker.ask("08 0D 0B") != b"\xff" * 16
    assert asker.ask("03 24") == OK
    assert asker.ask("08 0D 0B") == b"\xff" * 16


def test_the_relay_cuts_the_load_off():
    asker = owner()
    assert words_132(asker.ask("08 16 20"))[0] > 0
    assert asker.ask("03 31 01") == OK
    assert words_132(asker.ask("08 16 20")) == [0, 0, 0]
    off = asker.ask("05 00 00")
    asker.wait(minutes=3)
    assert asker.ask("05 00 00") == off
    assert asker.ask("03 31 00") == OK
    asker.wait(minutes=3)
    assert asker.ask("05 00 00") != off


def test_an_output_for_telemetry_switches_nothing():
    asker = owner()
    assert asker.ask("03 30 00") == asker.ask("03 31 01") == OK
    assert asker.ask("08 18") == b"\x08\x00"
    assert words_132(asker.ask("08 16 20"))[0] > 0


def test_one_tariff_takes_all():
    asker = owner(tariffs="3", now=NOW.replace(hour=2))
    assert asker.ask("08 17") == b"\0\2"
    rows = energy_of(asker.ask("05 00 06"))
    assert asker.ask("03 2A 01") == OK
    assert asker.ask("08 17") == b"\0\1"
    asker.wait(hours=12).open()
    after = energy_of(asker.ask("05 00 06"))
    assert [b[0] > a[0] for a, b in zip(rows, after, strict=True)] == [
        True, False, False, False, True
    ]  # fmt: skip


# Memory of what was written


def test_another_meter_started_alike_knows_nothing_of_it():
    asker = owner()
    assert asker.ask("03 2C 0001F4") == OK
    assert client().open().ask("08 19") == bytes(3)


def test_a_write_in_the_past_undoes_what_came_after_it():
    asker = owner()
    assert asker.ask("03 2C 0001F4") == OK
    asker.now -= timedelta(days=1)
    assert asker.ask(OPEN_OWNER) == OK
    assert asker.ask("03 1B 0002 0003") == OK
    asker.wait(days=1)
    assert asker.ask(OPEN) == OK
    assert asker.ask("08 02") == bytes.fromhex("00020003")
    assert asker.ask("08 19") == bytes(3)


def test_looking_ahead_does_not_hurry_the_meter():
    asker = owner(outage="2026-11-25T10:00/2026-11-25T11:00")
    slots = asker.meter.truth(FACE, datetime(2026, 11, 26))
    assert sum(slot.counts is None for slot in slots) == 2
    later = asker.now + timedelta(days=2)
    assert len([e for e in asker.meter.journal(later) if e.book == 1]) == 2
    assert asker.meter.register_wh(later) > asker.meter.register_wh(asker.now)
    assert asker.meter.face(later) == FACE + timedelta(days=2)
    assert asker.ask("08 02") == b"\0\1\0\1"
    assert len([e for e in asker.meter.journal(asker.now) if e.book == 1]) == 1
    assert asker.ask("03 00 0F 00") == OK
    assert {s.minutes for s in asker.meter.truth(FACE, datetime(2026, 11, 26))} == {15}


# Levels are those of the paper


def test_levels_are_listed():
    assert {each.level for each in _PARAMETERS.values()} == {READER, OWNER, FACTORY}
    assert GOOD.keys() == _PARAMETERS.keys()
