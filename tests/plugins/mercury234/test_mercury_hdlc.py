"""Meters that speak the other protocol: found out at the first contact, and only then."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mercury_blocking import NOON, Blocking, receive

from hub.plugins.api import Level, ReplyTimeout, SimulatorSettings, WrongDevice
from hub.plugins.mercury234 import MercurySettings, act, hub_meter_drivers, is_mutating
from hub.plugins.mercury234.hdlc import DISC, checksum, is_link_request, link_request, reply_rule

(SPEC,) = hub_meter_drivers()


def first_contact(address=7, learned=None, *, at=7, **options):
    line = SPEC.simulator(SimulatorSettings(address=address, options=options))
    runner = Blocking(lambda request, now: b"".join(d for _, d in line.receive(request, now)), NOON)
    return runner, SPEC.build(MercurySettings(address=at), learned or {})


@pytest.mark.parametrize("address", [1, 7, 111, 112, 127, 128, 240])
@pytest.mark.parametrize("offset", [0, 16])
def test_meter_of_the_other_protocol_is_told_and_left(address, offset):
    runner, driver = first_contact(address, at=address - offset if address > offset else address,
                                   protocol="dlms")  # fmt: skip
    with pytest.raises(WrongDevice, match="right maker, other protocol"):
        runner.run(driver.open(Level.READ))
    runner.run(driver.close())
    assert runner.asked[-1] in {link_request(address, DISC), link_request(address + 16, DISC)}
    assert not any(is_mutating(request) for request in runner.asked)


def test_silence_of_a_meter_that_was_heard_before_is_silence():
    runner, driver = first_contact(at=9, learned={"password": "digits"})
    with pytest.raises(ReplyTimeout):
        runner.run(driver.open(Level.READ))
    assert len(runner.asked) == 1


def test_silence_at_first_contact_costs_two_frames_more():
    runner, driver = first_contact(at=9)
    with pytest.raises(ReplyTimeout):
        runner.run(driver.open(Level.READ))
    assert [is_link_request(request) for request in runner.asked] == [False, True, True]
    assert runner.now - NOON < timedelta(seconds=2)


def test_checksum_is_x25():
    assert checksum(b"123456789") == bytes.fromhex("6e90")


@given(st.integers(0, 300), st.sampled_from([0x93, DISC]))
def test_request_for_a_link_changes_nothing(address, control):
    frame = link_request(address, control)
    assert is_link_request(frame)
    assert not is_mutating(frame)
    assert act(frame) is None


@given(st.integers(0, 300), st.integers(0, 11), st.integers(1, 255))
def test_any_other_frame_of_hdlc_may_change_something(address, place, bits):
    frame = bytearray(link_request(address))
    place %= len(frame)
    frame[place] ^= bits
    assert not is_link_request(bytes(frame))
    if place != 1:  # the byte that is a code in the maker's protocol
        assert is_mutating(bytes(frame))


@given(st.binary(max_size=40), st.integers(1, 9))
def test_frame_is_found_behind_noise(noise, chunk):
    frame = link_request(48)
    assert receive(reply_rule, noise.replace(b"\x7e", b"") + frame, chunk) == frame


@given(st.binary(max_size=60))
def test_rule_never_fails(data):
    verdict = reply_rule(data)
    assert 0 <= verdict.length <= len(data)
    assert 0 <= verdict.skip <= len(data)
