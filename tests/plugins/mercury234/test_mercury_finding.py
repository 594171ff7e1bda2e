"""The probe: who is there, without a password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mercury_blocking import NOON, Blocking
from pydantic import ValidationError

from corefast.crc import seal
from hub.plugins.api import FrameGarbled, ReplyTimeout, WrongDevice
from hub.plugins.mercury234 import DOORS, MercurySettings
from hub.plugins.mercury234.finding import delivered_address, probe
from hub.plugins.mercury234.writes import SPEEDS

SERIAL = bytes((41, 88, 88, 48, 23, 5, 8))
CLOSED, NOT_HAD = 5, 1


def test_every_speed_that_a_meter_can_be_set_to_is_tried():
    assert {(door.baud, door.parity) for door in DOORS} == {
        (baud, parity) for baud in SPEEDS for parity in "NEO"
    }
    assert len(DOORS) == 3 * len(SPEEDS)


@pytest.mark.parametrize(
    ("address", "is_one"), [(0, True), (0xF0, True), (0xFD, True), (0xFE, False)]
)
def test_what_goes_to_everybody_is_no_address_of_a_meter(address, is_one):
    if is_one:
        assert MercurySettings(address=address).address == address
    else:
        with pytest.raises(ValidationError):
            MercurySettings(address=address)


class Line:
    """One meter; ``tells`` what it answers to 08 05, ``own`` its address."""

    def __init__(self, own=48, *, tells=None, serial=SERIAL):
        self.own, self.serial = own, serial
        self.tells = bytes((0, own)) if tells is None else tells

    def __call__(self, request, _now):
        address, body = request[0], request[1:-2]
        if address not in (0, self.own):
            return b""
        data = {b"\x08\x00": self.serial, b"\x08\x05": self.tells}[body]
        return seal(bytes((address,)) + data)


def ask(line, address):
    blocking = Blocking(line, NOON)
    return blocking.run(probe(address)), [request.hex() for request in blocking.asked]


def test_at_its_address_one_exchange_tells_the_serial_number():
    found, asked = ask(Line(), 48)
    assert (found.address, found.identity.serial, found.identity.maker) == (
        48, "41888848", "Incotex",
    )  # fmt: skip
    assert len(asked) == 1


def test_alone_on_the_line_it_tells_its_address():
    found, asked = ask(Line(7), None)
    assert (found.address, found.identity.serial) == (7, "41888848")
    assert len(asked) == 2


def test_where_it_keeps_its_address_the_delivered_one_is_tried():
    found, _ = ask(Line(28, tells=bytes((CLOSED,)), serial=SERIAL[:3] + b"\x1c" + SERIAL[4:]), None)
    assert found.address == 28  # of 828, too high for an address
    found, _ = ask(Line(7, tells=bytes((CLOSED,))), None)
    assert (found.address, found.identity.serial) == (0, "41888848")


def test_a_meter_that_refuses_its_serial_number_is_a_meter():
    found, _ = ask(Line(5, serial=bytes((NOT_HAD,))), 5)
    assert (found.address, found.identity) == (5, None)


def test_nobody():
    for address in (None, 12):
        with pytest.raises(ReplyTimeout):
            ask(lambda request, now: b"", address)


def test_a_serial_number_that_makes_no_sense_is_somebody_else():
    with pytest.raises(WrongDevice, match="another model"):
        ask(Line(5, serial=bytes((200, 1, 2, 3, 99, 99, 99))), 5)


def test_hdlc_is_another_protocol():
    with pytest.raises(WrongDevice, match="HDLC"):
        ask(lambda request, now: b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e", 5)


@pytest.mark.parametrize(
    ("serial", "address"),
    [("41888848", 48), ("41888240", 40), ("41888239", 239), ("41888999", 99), ("41888300", 1),
     ("41888000", 1), ("41888100", 100)],
)  # fmt: skip
def test_the_address_it_was_delivered_with(serial, address):
    assert delivered_address(serial) == address


@given(st.binary(max_size=40))
def test_any_answer_is_somebody_or_a_typed_error(answer):
    for address in (None, 5):
        try:
            found = Blocking(lambda request, now: answer, NOON).run(probe(address))
        except (FrameGarbled, ReplyTimeout, WrongDevice):
            continue
        assert found.address in range(241)
