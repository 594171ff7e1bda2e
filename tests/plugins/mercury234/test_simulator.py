"""The virtual meter in conversation: silence, channel, identity, clock, instant values."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies
from simulator_kit import NOW, OPEN, OPEN_OWNER, client, from_bcd
from simulator_kit import settings as asked

from corefast.crc import seal
from hub.plugins.mercury234.simulator import build

BAD, INTERNAL, LOW, CLOSED = b"\1", b"\2", b"\3", b"\5"


# Silence


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(seal(b"\x02\x00"), id="another address"),
        pytest.param(b"\x01\x00\x00\x21", id="wrong CRC"),
        pytest.param(seal(b"\x01\x00\x00"), id="test too long"),
        pytest.param(seal(b"\x01\x01\x01\x01\x01"), id="password too short"),
        pytest.param(seal(b"\x01\x04\x01"), id="journal without record"),
        pytest.param(seal(b"\x01\x05\x00"), id="energy without tariff"),
        pytest.param(seal(b"\x01\x06\x03\x00\x10"), id="memory without count"),
        pytest.param(seal(b"\x01\x08\x11"), id="value without name"),
        pytest.param(seal(b"\x01\x08"), id="parameter without number"),
        pytest.param(seal(b"\x01"), id="no code"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_meter_keeps_silent(frame):
    asker = client().open()
    assert asker.raw(frame) == []


def test_broadcast_is_done_and_not_answered():
    asker = client(meters=2).open()
    assert asker.ask("03 08", address=0xFE) is None
    assert asker.ask("00", address=0xFE) is None
    assert asker.ask("08 14 E0") == asker.ask("04 00")
    asker.wait(minutes=2)
    assert asker.ask("08 14 E0") != asker.ask("04 00")


def test_group_address_is_answered_with_zero_and_never_writes():
    asker = client()
    assert asker.ask("00", address=0) == b"\0"
    assert asker.ask(OPEN, address=0) == b"\0"
    assert asker.ask("08 05", address=0) == b"\0\1"
    assert asker.ask("03 08", address=0) is None
    assert asker.ask("03 05 07", address=0) is None


def test_all_meters_talk_at_once_on_the_group_address():
    assert len(client(meters=3).raw(seal(b"\0\0"))) == 3


def test_a_request_may_come_in_pieces():
    asker = client()
    frame = seal(b"\x01" + bytes.fromhex(OPEN))
    assert [asker.raw(frame[i : i + 1]) for i in range(len(frame))][-1] == [seal(b"\x01\x00")]


def test_broken_bytes_do_not_spoil_the_next_request():
    asker = client()
    assert asker.raw(b"\x01\x04\x77") == []
    assert asker.raw(seal(b"\x01\x00")) == [seal(b"\x01\x00")]


def test_pieces_older_than_a_gap_are_forgotten():
    asker = client()
    frame = seal(b"\x01\x00")
    assert asker.raw(frame[:2]) == []
    assert asker.wait(seconds=1).raw(frame[2:]) == []


def test_two_clients_do_not_mix_their_bytes_and_share_the_channel():
    line = client().line
    one, two = line.new_connection(), line.new_connection()
    frame = seal(b"\x01" + bytes.fromhex(OPEN))
    assert one.receive(frame[:5], NOW) == ()
    assert two.receive(seal(b"\x01\x08\x02"), NOW)[0][1] == seal(b"\x01\x05")
    assert one.receive(frame[5:], NOW)[0][1] == seal(b"\x01\x00")
    assert two.receive(seal(b"\x01\x08\x02"), NOW)[0][1] == seal(b"\x01\0\1\0\1")


@given(strategies.binary(max_size=40), strategies.booleans())
@settings(max_examples=150)
def test_any_bytes_get_a_sealed_answer_or_none(junk, well_sealed):
    asker = client().open()
    for answer in asker.raw(seal(b"\x01" + junk) if well_sealed else junk):
        assert answer == seal(answer[:-2])


# Channel


@pytest.mark.parametrize(
    "request_hex",
    ["08 01", "08 13", "04 00", "05 00 00", "06 03 0010 0F", "16 03 0000 01", "15 00 00",
     "03 0D 000000", "77"],
)  # fmt: skip
def test_without_a_channel_only_five(request_hex):
    assert client().ask(request_hex) == CLOSED


@pytest.mark.parametrize("request_hex", ["00", "02", "08 00", "03 08"])
def test_what_needs_no_channel(request_hex):
    assert client().ask(request_hex) not in {CLOSED, None}


def test_passwords_are_compared_as_raw_bytes():
    asker = client()
    assert asker.ask("01 01 313131313131") == LOW
    assert asker.ask("08 02") == CLOSED
    assert asker.ask("01 03 010101010101") == LOW
    assert asker.ask("01 02 010101010101") == LOW
    assert asker.ask(OPEN_OWNER) == b"\0"
    assert asker.ask("08 02") == b"\0\1\0\1"


def test_passwords_can_be_set_and_be_ascii():
    asker = client(password="123456", password_form="ascii")
    assert asker.ask("01 01 010203040506") == LOW
    assert asker.ask("01 01 313233343536") == b"\0"


@pytest.mark.parametrize(("firmware", "lives"), [("9.0.0", 240), ("2.3.4", 240), ("2.1.0", 20)])
def test_channel_lives_from_the_last_correct_request(firmware, lives):
    asker = client(firmware=firmware).open()
    asker.wait(seconds=lives)
    assert asker.ask("08 02") == b"\0\1\0\1"
    asker.wait(seconds=lives)
    assert asker.ask("77") == BAD  # even a refused one keeps it open
    asker.wait(seconds=lives + 1)
    assert asker.ask("08 02") == CLOSED
    assert asker.open().ask("08 02") == b"\0\1\0\1"


def test_close_closes():
    asker = client().open()
    assert asker.ask("02") == b"\0"
    assert asker.ask("08 02") == CLOSED


def test_each_meter_has_its_own_channel():
    asker = client(meters=2).open()
    assert asker.ask("08 02", address=2) == CLOSED


# Delays


def test_answers_leave_after_the_pause_of_their_kind():
    asker = client().open()
    asker.ask("08 02")
    assert asker.delays == [0.020]
    asker.ask("06 03 0010 FF")
    assert asker.delays == [0.025]
    asker.ask("03 08")
    assert asker.delays == [0.12]


def test_a_turnaround_that_was_asked_for_holds_for_every_answer_but_the_fixation():
    asker = client(turnaround_ms="3.65").open()
    for request_hex in ("00", "08 02", "06 03 0010 FF"):
        asker.ask(request_hex)
        assert asker.delays == [0.00365]
    asker.ask("03 08")
    assert asker.delays == [0.12]


# Identity, clock


def test_identity_of_both_firmwares():
    old, new = client(firmware="2.3.4").open(), client(firmware="9.0.0").open()
    assert old.ask("08 03") == b"\2\3\4"
    assert new.ask("08 03") == b"\x09\0\0"
    assert len(old.ask("08 01")) == len(new.ask("08 01")) == 16
    assert old.ask("08 01 00") is None
    assert len(new.ask("08 01 00")) == 24
    assert len(new.ask("08 12 00")) == 12
    assert new.ask("08 01") == new.ask("08 00") + new.ask("08 03") + new.ask("08 12")


def test_serial_is_eight_digits_by_pairs_and_no_two_alike():
    asker = client(meters=240)
    asker.ask("00")
    meters = asker.line.meters.values()
    assert len({meter.serial for meter in meters}) == 240
    data = asker.ask("08 00", address=1)
    assert "".join(f"{byte:02d}" for byte in data[:4]) == asker.meter.serial
    made = datetime(2000 + data[6], data[5], data[4])
    assert made < asker.meter.initialised


@pytest.mark.parametrize(
    ("constant", "code"),
    [("5000", 0), ("25000", 1), ("1250", 2), ("500", 3), ("1000", 4), ("250", 5)],
)
def test_variant_says_what_was_asked_for(constant, code):
    one = client(constant=constant, memory="64", directions="1").open().ask("08 12")
    two = client(constant=constant, memory="131", directions="2").open().ask("08 12")
    assert one[1] & 0x0F == two[1] & 0x0F == code
    assert one[1] & 0x20
    assert one[1] & 0x80
    assert not two[1] & 0x80
    assert not one[3] & 0x80
    assert two[3] & 0x80


def test_clock_shows_meter_time_with_its_error():
    asker = client(drift="-45").open()
    data = asker.ask("04 00")
    second, minute, hour, weekday, day, month, year, season = map(from_bcd, data)
    shown = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    assert shown == NOW + timedelta(hours=3, seconds=-45)
    assert (weekday, season) == (2, 1)


def test_clock_with_seasons_runs_an_hour_ahead_in_summer():
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    data = client(now=summer, season="auto", clock_base="60").open().ask("04 00")
    assert (from_bcd(data[2]), data[7]) == (14, 0)
    winter = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
    data = client(now=winter, season="auto", clock_base="60").open().ask("04 00")
    assert (from_bcd(data[2]), data[7]) == (13, 1)


@pytest.mark.parametrize(
    ("firmware", "length"), [("1.4.0", 4), ("2.1.0", 5), ("2.3.4", 6), ("9.0.0", 6)]
)
def test_status_word_grows_with_firmware(firmware, length):
    assert client(firmware=firmware).open().ask("08 0A") == bytes(length)


@pytest.mark.parametrize(
    ("at", "tariff"),
    [("2026-11-24T04:30", 1), ("2026-11-24T03:30", 2), ("2026-11-24T20:00", 2)],
)
def test_current_tariff_follows_the_face(at, tariff):
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert client(now=now, tariffs="2").open().ask("08 17") == bytes((0, (tariff - 1) << 1))
    assert client(now=now, tariffs="1").open().ask("08 17") == b"\0\1"


# Instantaneous values


def order_132(b: bytes) -> int:
    return (b[0] & 0x3F) << 16 | b[2] << 8 | b[1]


def test_the_group_of_everything_is_made_of_the_groups():
    asker = client().open()
    whole = asker.ask("08 16 A0")
    parts = [
        asker.ask(f"08 16 {bwri}")
        for bwri in ["00", "04", "08", "10", "50", "20", "30", "40", "60"]
    ]
    assert whole == b"".join(parts) + asker.ask("08 11 70")
    assert len(whole) == 86
    assert len(client(firmware="2.3.4").open().ask("08 16 A0")) == 78
    assert client(firmware="2.1.0").open().ask("08 16 A0") == BAD


def test_single_values_are_those_of_the_group():
    asker = client().open()
    group = asker.ask("08 16 00")
    assert [asker.ask(f"08 11 {n:02X}") for n in range(4)] == [
        group[i : i + 3] for i in range(0, 12, 3)
    ]
    assert asker.ask("08 11 10") == asker.ask("08 11 54") == asker.ask("08 11 41") == BAD


def test_power_is_that_of_the_half_hour_that_runs():
    asker = client(constant="1000").open()
    face = asker.meter.face(NOW)
    start = face.replace(minute=face.minute // 30 * 30, second=0)
    (slot,) = asker.meter.truth(start, start + timedelta(minutes=30))
    net = slot.counts[0] - slot.counts[1]
    assert order_132(asker.ask("08 16 00")[:3]) == abs(net) * 100  # N / A kW in 0.01 W


def test_fixed_values_stay_until_the_next_fixation():
    asker = client().open()
    asker.ask("03 08")
    first = asker.ask("08 14 A0")
    assert len(first) == 178
    assert first[8:88] == asker.ask("05 00 06")
    asker.wait(seconds=100)
    assert asker.ask("08 14 A0") == first
    asker.ask("03 08")
    assert asker.ask("08 14 A0") != first


# Settings


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"firmware": "9"}, "write it like 2.3.4"),
        ({"constant": "3200"}, "5000"),
        ({"memory": "128"}, "131"),
        ({"period": "7"}, "divide a day"),
        ({"period": "x"}, "whole number"),
        ({"outage": "2026-11-03T10:00"}, "semicolon"),
        ({"outage": "2026-11-03T10:00/2026-11-03T09:00"}, "after its start"),
        ({"outage": "2026-11-03T10:00/2026-11-03T12:00;2026-11-03T11:00/2026-11-03T13:00"},
         "overlap"),
        ({"now": "yesterday"}, "instant"),
        ({"password": "12345"}, "six digits"),
        ({"turnaround_ms": "soon"}, "milliseconds"),
        ({"years": "0"}, "1 to 30"),
        ({"colour": "red"}, "has no option 'colour'"),
    ],
)  # fmt: skip
def test_impossible_options_are_refused_in_a_sentence(options, says):
    with pytest.raises(ValueError, match=says):
        build(asked(**options))


@pytest.mark.parametrize(("address", "meters"), [(0, 1), (1, 0), (240, 2), (-1, 1)])
def test_impossible_addresses_are_refused(address, meters):
    with pytest.raises(ValueError, match="room"):
        client(address=address, meters=meters)


def test_meters_are_unknown_before_an_instant_is():
    line = build(asked())
    with pytest.raises(ValueError, match="option now"):
        _ = line.meters
    assert build(asked(now="2026-11-24T12:00")).meters.keys() == {1}
