"""Frames: expected length, chunks, damage, noise."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mercury_blocking import receive

from corefast.crc import is_sealed, seal
from hub.plugins.api import FrameGarbled
from hub.plugins.mercury234 import frames

ADDRESSES = st.integers(0, 0xFE)
DATA = st.binary(min_size=2, max_size=40)


def frame_or_none(rule, data, chunk=300):
    try:
        return receive(rule, data, chunk)
    except FrameGarbled:
        return None


@given(address=ADDRESSES, data=DATA, chunk=st.integers(1, 50), noise=st.binary(max_size=9))
def test_any_chunking_finds_the_same_frame_behind_any_noise(address, data, chunk, noise):
    frame = frames.request(address, data)
    rule = frames.reply_rule(address, len(data))
    whole = receive(rule, noise + frame, 300)
    assert receive(rule, noise + frame, chunk) == whole
    if address not in noise:
        assert whole == frame


@given(address=ADDRESSES, data=DATA, bit=st.integers(min_value=0))
def test_flipped_bit_is_never_a_value(address, data, bit):
    frame = bytearray(frames.request(address, data))
    bit %= len(frame) * 8
    frame[bit // 8] ^= 1 << bit % 8
    got = frame_or_none(frames.reply_rule(address, len(data)), bytes(frame))
    assert got is None or len(got) == frames.STATUS_FRAME != len(frame)


@given(address=ADDRESSES, data=DATA, at=st.integers(min_value=0), double=st.booleans())
def test_lost_or_doubled_byte_is_never_another_value(address, data, at, double):
    frame = frames.request(address, data)
    at %= len(frame)
    damaged = frame[: at + 1] + frame[at:] if double else frame[:at] + frame[at + 1 :]
    got = frame_or_none(frames.reply_rule(address, len(data)), damaged, 1)
    assert got is None or got == frame or len(got) == frames.STATUS_FRAME


def test_prefix_that_passes_the_crc_is_not_taken():
    answer = bytes.fromhex("00 00 01 00 01 B4 00")
    assert is_sealed(answer[:6])
    for chunk in range(1, 8):
        assert receive(frames.reply_rule(0, 4), answer, chunk) == answer


def test_data_that_begin_like_a_status_are_data():
    start = seal(b"\x30\x05")
    frame = frames.request(0x30, start[1:] + bytes(12))
    assert is_sealed(frame[:4])
    for chunk in range(1, 9):
        assert receive(frames.reply_rule(0x30, len(frame) - 3), frame, chunk) == frame


def test_status_is_taken_when_the_line_is_quiet_and_not_before():
    rule = frames.reply_rule(0x30, 16)
    status = seal(b"\x30\x01")
    assert rule(status).length == 4
    assert not rule(status).sure
    assert rule(status + b"\x00").length == 0
    assert receive(rule, b"\xff\xff" + status, 1) == status


def test_shorter_of_two_sizes_waits_unless_it_is_known():
    frame = frames.request(0x30, bytes(80))
    assert not frames.reply_rule(0x30, 80, 96)(frame).sure
    assert frames.reply_rule(0x30, 80, 96, firm=True)(frame).sure
    longer = frames.request(0x30, bytes(96))
    assert receive(frames.reply_rule(0x30, 80, 96, firm=True), longer, 7) == longer


def test_noise_that_looks_like_an_address_is_passed_over():
    frame = frames.request(0x30, b"value!")
    rule = frames.reply_rule(0x30, 6)
    assert receive(rule, b"\x30\xff\x30\x30" + frame, 3) == frame


def test_bcd_knows_digits_only():
    assert frames.from_bcd(0x59) == 59
    for byte in (0x5A, 0xA5, 0xFF):
        with pytest.raises(ValueError, match="decimal"):
            frames.from_bcd(byte)
    with pytest.raises(ValueError, match="day"):
        frames.face_from_bcd(0x31, 0x02, 0x26, hour=0, minute=0)
    assert frames.face_from_bcd(1, 2, 0x26, hour=3, minute=4) == datetime(2026, 2, 1, 3, 4)


def test_byte_orders():
    assert frames.word_2143(bytes.fromhex("00 00 70 0A")) == 2672
    assert frames.word_132(bytes.fromhex("00 87 13")) == 4999
