"""Kinds of virtual meters: with losses, of old firmware, of another protocol."""

from datetime import datetime

import pytest
from hypothesis import given, strategies
from simulator_kit import NOW, Client, client, energy_of, record_of

from corefast.crc import seal
from hub.plugins.mercury234.simulator import hdlc

BAD = b"\1"


# Losses


@pytest.mark.parametrize("firmware", ["2.3.4", "7.1.1", "9.0.0"])
def test_losses_have_a_tariff_and_a_profile_of_their_own(firmware):
    asker = client(losses="1", firmware=firmware).open()
    rows = asker.ask("05 00 06")
    assert len(rows) == 96
    *_, whole, losses = energy_of(rows)
    assert energy_of(asker.ask("05 00 05"))[0] == losses
    assert [loss * 1000 // all_ for loss, all_ in zip(losses, whole, strict=True) if all_] == (
        [20, 33, 33] if whole[1] == 0 else [20, 20, 33, 33]
    )
    main, second = asker.ask("08 13"), asker.ask("08 15")
    assert main[3:] == second[3:]
    if firmware == "2.3.4":
        place = ((main[2] & 0x10) << 12 | main[0] << 8 | main[1]) // 16
        other = ((second[2] & 0x10) << 12 | second[0] << 8 | second[1]) // 16
        assert other == place + 4096
        data = asker.ask(f"06 83 {(other - 4096) * 16:04X} 0F")
    else:
        assert not main[2] & 0x10
        assert second[2] & 0x10
        place = other = second[0] << 8 | second[1]
        data = asker.ask(f"06 {0x85 if other > 4095 else 5:02X} {other * 16 & 0xFFFF:04X} 0F")
    record = record_of(data)
    assert data[1:6] == second[3:8]
    assert data[0] & 0x10 == second[2] & 0x10
    third = 0x83 if place > 4095 else 0x03
    ran = record_of(asker.ask(f"06 {third:02X} {place * 16 & 0xFFFF:04X} 0F"))
    for loss, all_ in zip(record["counts"], ran["counts"], strict=True):
        assert abs(loss - all_ * 3 // 100) <= all_ // 90 + 1


def test_without_losses_there_is_nothing_of_them():
    asker = client().open()
    assert len(asker.ask("05 00 06")) == 80
    assert asker.ask("05 00 05") == bytes(16)
    assert asker.ask("08 15") == asker.ask("06 05 0010 0F") == asker.ask("16 05 0000 01") == BAD
    assert asker.ask("08 12")[5] == 0
    assert client(losses="1").open().ask("08 12")[5] == 0x08
    assert client(losses="1").open().ask("08 1E") == b"\xc0\x3f"


def test_losses_are_read_from_the_end_too():
    asker = client(losses="1").open()
    block = asker.ask("16 05 0000 11")
    assert len(block) == 255
    assert block[-15:][1:6] == asker.ask("08 15")[3:8]


# Old firmware


def test_an_old_230_has_singles_and_nothing_else():
    asker = client(firmware="2.0.0").open()
    for request in ("08 16 00", "08 16 A0", "06 03 0010 FF", "05 00 06", "04 01 FE", "04 01 FF",
                    "16 03 0000 01", "15 00 00", "05 C0 00"):  # fmt: skip
        assert asker.ask(request) == BAD, request
    for request in ("08 11 00", "08 11 11", "08 11 21", "08 11 30", "08 11 40"):
        assert len(asker.ask(request)) == 3
    assert len(asker.ask("08 0A")) == 5
    assert len(asker.ask("06 03 0010 0F")) == 15
    assert len(asker.ask("04 01 00")) == 12
    asker.wait(seconds=21)
    assert asker.ask("08 02") == b"\5"


def test_7_1_1_has_long_answers_and_no_relative_reads():
    asker = client(firmware="7.1.1").open()
    assert len(asker.ask("06 03 0010 FF")) == 255
    assert len(asker.ask("08 16 A0")) == 86
    assert asker.ask("16 03 0000 01") == asker.ask("05 C0 00") == BAD
    field = asker.ask("08 13")
    number = field[0] << 8 | field[1]
    third = 0x83 if number > 4095 else 0x03
    data = asker.ask(f"06 {third:02X} {number * 16 & 0xFFFF:04X} 0F")
    assert data[1:6] == field[3:8]


# Another protocol


def frame(server: bytes, control: int, client_address: int = 0x41) -> bytes:
    body = bytes((0xA0, 5 + len(server) + 1)) + server + bytes((client_address, control))
    return b"\x7e" + body + hdlc._fcs(body) + b"\x7e"


def test_the_checksum_is_that_of_the_standard():
    assert hdlc._fcs(b"123456789") == bytes.fromhex("6e90")


@pytest.mark.parametrize("server", ["03", "0203", "00020003", "0023"])
def test_a_meter_of_another_protocol_accepts_a_link(server):
    asker = client(protocol="dlms")
    (answer,) = asker.raw(frame(bytes.fromhex(server), 0x93))
    body = answer[1:-3]
    assert answer[:1] == answer[-1:] == b"\x7e"
    assert answer[-3:-1] == hdlc._fcs(body)
    assert body == bytes((0xA0, len(body) + 2, 0x41)) + bytes.fromhex(server) + b"\x73"
    assert asker.raw(frame(bytes.fromhex(server), 0x10))[0][-4] == 0x1F


def test_a_meter_of_another_protocol_does_not_know_the_first_one():
    asker = client(protocol="dlms")
    assert asker.raw(seal(b"\x01\x00")) == []
    assert asker.wait(seconds=1).raw(frame(b"\x05", 0x93)) == []
    assert client().raw(frame(b"\x03", 0x93)) == []


def test_a_link_request_may_come_in_pieces():
    asker = client(protocol="dlms")
    whole = frame(b"\x03", 0x93)
    answers = [asker.raw(whole[i : i + 1]) for i in range(len(whole))]
    assert [len(each) for each in answers] == [0] * (len(whole) - 1) + [1]


@given(strategies.binary(max_size=40), strategies.booleans())
def test_any_bytes_leave_a_meter_of_another_protocol_alone(junk, flagged):
    asker: Client = client(protocol="dlms", now=NOW)
    for answer in asker.raw(b"\x7e" + junk + b"\x7e" if flagged else junk):
        assert answer[:1] == b"\x7e"


# What the personalities agree about


@pytest.mark.parametrize("firmware", ["2.0.0", "2.3.4", "7.1.1", "9.0.0"])
def test_all_firmwares_count_alike(firmware):
    asker = client(firmware=firmware, scenario="village-line").open()
    other = client(scenario="village-line")
    other.ask("00")
    assert asker.meter.register_wh(NOW, 1) == other.meter.register_wh(NOW, 1)
    assert energy_of(asker.ask("05 00 01"))[0] == other.meter.register_wh(NOW, 1)
    span = datetime(2026, 11, 1), datetime(2026, 11, 10)
    assert asker.meter.truth(*span) == other.meter.truth(*span)
