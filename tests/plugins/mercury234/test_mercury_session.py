"""The channel: spellings, reopening, refusals, goodbye; identity and clock on top of it."""

from datetime import date, datetime

import pytest
from mercury_blocking import NOON, Blocking
from mercury_fake import ADDRESS, FakeMeter, visit
from pydantic import ValidationError

from corefast.crc import seal
from hub.plugins.api import (
    AccessDenied,
    Can,
    ChannelClosed,
    DeviceFault,
    FrameGarbled,
    Level,
    MeterTime,
    NotSupported,
    Refused,
    ReplyTimeout,
    WrongDevice,
)
from hub.plugins.mercury234 import MercurySettings, build, hub_meter_drivers, is_mutating, timing

GREETING = b"\x30\x01"


def greetings(line):
    return [request[3:-2] for request in line.asked if request[:2] == GREETING]


def opened(meter, learned=None, **settings):
    line = Blocking(meter.receive, NOON)
    driver = build(MercurySettings(address=ADDRESS, **settings), learned or {})
    line.run(driver.open(Level.READ))
    return line, driver


def test_digits_go_first_and_work():
    line, driver = opened(FakeMeter())
    assert greetings(line) == [b"\x01" * 6]
    assert driver.learned()["password"] == "digits"


def test_ascii_is_tried_next_and_remembered():
    meter = FakeMeter()
    meter.password = b"111111"
    line, driver = opened(meter)
    assert greetings(line) == [b"\x01" * 6, b"111111"]
    line, _ = opened(meter, driver.learned())
    assert greetings(line) == [b"111111"]


def test_two_refusals_are_the_end():
    meter = FakeMeter()
    meter.password = b"\0" * 6
    line = Blocking(meter.receive, NOON)
    driver = build(MercurySettings(address=ADDRESS), {})
    with pytest.raises(AccessDenied, match="level 1"):
        line.run(driver.open(Level.READ))
    assert len(greetings(line)) == 2
    line.run(driver.close())
    assert len(line.asked) == 2, "there is nothing to say goodbye to"


def test_raw_bytes_have_one_spelling():
    meter = FakeMeter()
    meter.password = bytes.fromhex("0A0B0C0D0E0F")
    line, driver = opened(meter, password="hex:0a0b0c0d0e0f")
    assert greetings(line) == [meter.password]
    assert driver.learned() == {}


def test_owner_opens_level_two_with_its_own_password():
    meter = FakeMeter()
    meter.password = b"\x02" * 6
    line = Blocking(meter.receive, NOON)
    driver = build(MercurySettings(address=ADDRESS), {})
    line.run(driver.open(Level.CONFIGURE))
    assert line.asked == [seal(b"\x30\x01\x02" + b"\x02" * 6)]


def test_password_and_what_betrays_it_stay_out_of_logs():
    line, _ = opened(FakeMeter())
    step = line.steps[0]
    shown = bytearray(step.request)
    for hidden in step.hide:
        shown[hidden] = b"*" * len(shown[hidden])
    assert shown == b"\x30\x01\x01********"


@pytest.mark.parametrize("password", ["12345", "1234567", "пароль", "hex:0A0B", "hex:zz0B0C0D0E0F"])
def test_password_that_cannot_be_sent_is_refused_without_being_shown(password):
    with pytest.raises(ValidationError) as caught:
        MercurySettings(address=1, password=password)
    assert password not in str(caught.value)


def test_closed_channel_is_opened_again_once_and_anywhere():
    meter = FakeMeter()
    line, driver = visit(meter)
    meter.data[b"\x04\x00"] = bytes.fromhex("4314160327020801")
    for _ in range(2):
        meter.open = False
        line.asked.clear()
        assert line.run(driver.read_clock()).shown.face == datetime(2008, 2, 27, 16, 14, 43)
        assert [request[1] for request in line.asked] == [4, 1, 4]


def test_channel_that_does_not_stay_open_is_an_error_after_one_try():
    meter = FakeMeter()
    line, driver = visit(meter)
    meter.refuse[b"\x04"] = 0x25
    line.asked.clear()
    with pytest.raises(ChannelClosed):
        line.run(driver.read_clock())
    assert [request[1] for request in line.asked] == [4, 1, 4]


@pytest.mark.parametrize(
    ("status", "error"),
    [(1, NotSupported), (2, DeviceFault), (3, AccessDenied), (4, Refused), (0xF0, Refused)],
)
def test_each_status_is_its_own_error(status, error):
    meter = FakeMeter()
    line, driver = visit(meter)
    meter.refuse[b"\x04"] = status
    with pytest.raises(error, match="The meter answered"):
        line.run(driver.read_clock())


def test_goodbye_is_said_once_and_its_loss_is_no_failure():
    meter = FakeMeter()
    line, driver = visit(meter)
    meter.lose = lambda request, number: request[1] == 2
    line.run(driver.close())
    line.run(driver.close())
    assert [request[1] for request in line.asked].count(2) == 1


def test_silence_is_passed_on():
    line = Blocking(lambda request, now: b"", NOON)
    with pytest.raises(ReplyTimeout):
        line.run(build(MercurySettings(address=1), {}).open(Level.READ))


def test_meter_that_speaks_hdlc_is_the_wrong_device():
    line = Blocking(lambda request, now: bytes.fromhex("7EA00A030203931F73"), NOON)
    with pytest.raises(WrongDevice, match="DLMS"):
        line.run(build(MercurySettings(address=1), {}).open(Level.READ))


def test_identity_in_one_answer():
    meter = FakeMeter()
    line, driver = opened(meter)
    identity = line.run(driver.identify())
    assert (identity.maker, identity.model) == ("Incotex", "Mercury 234")
    assert identity.serial == "09223804"
    assert identity.made_on == date(2008, 5, 23)
    assert (identity.firmware, identity.imp_per_kwh, identity.phases) == ("9.0.0", 1000, 3)
    assert (identity.voltage_ratio, identity.current_ratio) == (1, 40)
    assert driver.can(identity) == frozenset(Can)
    assert len(line.asked) == 3


def test_whole_variant_is_in_the_traits():
    meter = FakeMeter(variant="B4E4C296033F")
    line, driver = opened(meter)
    assert line.run(driver.identify()).traits == {
        "profile", "one_direction", "sum_by_modulus", "internal_tariff", "phase_energy",
        "power_quality", "memory_131", "optical_port", "rs485", "external_supply",
        "long_answers", "record_numbers", "relative_reads", "accuracy_active_1.0",
        "accuracy_reactive_2.0", "from_-40_c", "variant_2", "nominal_230_v", "nominal_5_a",
        "external_load_control", "external_tariff_switch", "module_seal", "additional_profile",
        "second_plc", "iec_61107",
    }  # fmt: skip
    meter = FakeMeter(variant="000010000000")
    line, driver = opened(meter)
    assert line.run(driver.identify()).traits == {
        "active_only", "memory_64", "can", "long_answers", "record_numbers", "relative_reads",
        "accuracy_active_0.2", "accuracy_reactive_0.2", "from_-20_c", "variant_0",
        "nominal_57.7_v", "nominal_5_a",
    }  # fmt: skip


def test_identity_in_parts_where_the_meter_is_old():
    meter = FakeMeter(firmware="020100")
    meter.refuse[b"\x08\x01"] = 1
    line, driver = opened(meter)
    first = line.run(driver.identify())
    assert (first.firmware, first.model) == ("2.1.0", "Mercury 230")
    assert [request[2] for request in line.asked[1:]] == [1, 1, 0, 3, 0x12, 2]
    line, driver = opened(meter, driver.learned())
    assert line.run(driver.identify()) == first
    assert [request[2] for request in line.asked[1:]] == [0, 3, 0x12, 2]


def test_identity_before_the_channel_is_open_is_the_serial_number():
    meter = FakeMeter()
    line = Blocking(meter.receive, NOON)
    driver = build(MercurySettings(address=ADDRESS), {})
    identity = line.run(driver.identify())
    assert (identity.serial, identity.firmware) == ("09223804", "")
    line.run(driver.open(Level.READ))
    assert line.run(driver.identify()).firmware == "9.0.0"


def test_device_without_a_serial_number_is_the_wrong_device():
    meter = FakeMeter()
    meter.refuse[b"\x08"] = 1
    line, driver = opened(meter)
    with pytest.raises(WrongDevice):
        line.run(driver.identify())


def test_meter_without_profile_says_so():
    meter = FakeMeter(variant="B444C2960300")
    line, driver = opened(meter)
    identity = line.run(driver.identify())
    assert driver.can(identity) == frozenset(Can) - {Can.PROFILE}
    with pytest.raises(NotSupported):
        line.run(driver.read_profile(None))


@pytest.mark.parametrize(("season", "summer"), [("00", True), ("01", False)])
def test_clock_has_its_season(season, summer):
    meter = FakeMeter()
    line, driver = visit(meter)
    meter.data[b"\x04\x00"] = bytes.fromhex("43141603270208" + season)
    reading = line.run(driver.read_clock())
    assert reading.shown == MeterTime(datetime(2008, 2, 27, 16, 14, 43), summer=summer)
    assert reading.asked_at < reading.answered_at


def test_senseless_clock_is_asked_once_more_and_is_never_a_value():
    meter = FakeMeter()
    line, driver = visit(meter)
    meter.data[b"\x04\x00"] = bytes.fromhex("4374160327020801")
    line.asked.clear()
    with pytest.raises(FrameGarbled, match="makes no sense"):
        line.run(driver.read_clock())
    assert len(line.asked) == 2


def test_only_known_reads_are_harmless():
    reads = {0, 1, 2, 4, 5, 6, 8, 0x15, 0x16}
    assert {code for code in range(256) if not is_mutating(bytes((1, code, 0, 0)))} == reads
    assert is_mutating(b"")
    assert is_mutating(b"\x01")


def test_times_follow_the_speed():
    assert timing(300).first_byte_s == 1.6
    assert timing(9600).first_byte_s == 0.15
    assert timing(9600).gap_s == 0.005
    assert timing(115200).gap_s == 0.002
    assert timing(300).gap_s == 0.16
    assert timing(9600).quiet_s == 0.025  # within a long answer
    assert timing(9600).late_reply_s > timing(9600).first_byte_s


def test_spec_declares_what_the_driver_has():
    (spec,) = hub_meter_drivers()
    assert spec.id == "mercury234"
    assert spec.may == frozenset(Can)
    assert spec.simulator is not None
    assert callable(spec.simulator)
