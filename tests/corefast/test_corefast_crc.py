"""corefast.crc against the oracle."""

from array import array

import pytest
import reference
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corefast import crc

frames = st.binary(max_size=300)
patient = settings(deadline=None)
LENGTHS = [*range(70), 95, 96, 97, 255, 256, 257, 1000]


def test_check_value_of_the_polynomial() -> None:
    assert crc.crc16(b"123456789") == 0x4B37
    assert crc.crc16(b"") == 0xFFFF


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_takes_the_right_path(length: int) -> None:
    data = bytes((index * 37 + length) & 0xFF for index in range(length))
    assert crc.crc16(data) == reference.crc16(data)
    assert crc.crc16(bytes(length)) == reference.crc16(bytes(length))


@patient
@given(frames)
def test_crc16_is_the_oracles(data: bytes) -> None:
    assert crc.crc16(data) == reference.crc16(data)


@patient
@given(frames)
@example(b"")
def test_seal_is_the_oracles_and_checks(payload: bytes) -> None:
    frame = crc.seal(payload)
    assert frame == reference.seal(payload)
    assert crc.is_sealed(frame) is True


@patient
@given(frames)
@example(b"")
@example(b"\xff")
@example(b"\xff\xff")
def test_is_sealed_is_the_oracles(frame: bytes) -> None:
    assert crc.is_sealed(frame) is reference.is_sealed(frame)


@patient
@given(st.binary(max_size=80), st.data())
def test_one_changed_bit_or_burst_breaks_the_seal(payload: bytes, data: st.DataObject) -> None:
    frame = crc.seal(payload)
    at = data.draw(st.integers(0, 8 * len(frame) - 1))
    burst = data.draw(st.integers(0, 2**15 - 1)) << 1 | 1
    changed = int.from_bytes(frame, "little") ^ (burst << at)
    changed &= (1 << 8 * len(frame)) - 1
    assert crc.is_sealed(changed.to_bytes(len(frame), "little")) is False


@patient
@given(st.integers(2, 60), st.lists(st.tuples(st.binary(min_size=60, max_size=60), st.booleans())))
def test_check_frames_is_the_oracles(length: int, parts: list[tuple[bytes, bool]]) -> None:
    buffer = b"".join(
        crc.seal(body[: length - 2]) if sound else body[:length] for body, sound in parts
    )
    expected = reference.check_frames(buffer, length)
    for same in (buffer, bytearray(buffer), memoryview(buffer)):
        answer = crc.check_frames(same, length)
        assert type(answer) is bytes
        assert answer == expected


@pytest.mark.parametrize("length", [20, 21, 96, 257])
def test_check_frames_finds_each_damaged_one(length: int) -> None:
    sound = crc.seal(bytes(range(length - 2)) if length < 257 else bytes(length - 2))
    for damaged in range(9):
        buffer = bytearray(sound * 9)
        buffer[damaged * length + damaged] ^= 0x10
        flags = crc.check_frames(buffer, length)
        assert flags == bytes(int(index != damaged) for index in range(9))


def test_check_frames_takes_any_contiguous_buffer() -> None:
    frame = crc.seal(b"\x01\x02\x03\x04\x05\x06")
    assert crc.check_frames(array("I", frame * 4), 8) == b"\x01" * 4
    assert crc.check_frames(memoryview(frame * 4).cast("B", (4, 8)), 8) == b"\x01" * 4
    assert crc.check_frames(b"", 8) == b""


@pytest.mark.parametrize("length", [1, 0, -1, -20, 3, 21, 2**62])
def test_check_frames_refuses_lengths_that_do_not_fit(length: int) -> None:
    with pytest.raises(ValueError, match=r"frame"):
        crc.check_frames(bytes(20), length)


def test_check_frames_refuses_what_is_no_flat_buffer() -> None:
    with pytest.raises((BufferError, ValueError)):
        crc.check_frames(memoryview(bytes(40))[::2], 20)
    with pytest.raises(TypeError):
        crc.check_frames("text of twenty bytes", 20)
    with pytest.raises(OverflowError):
        crc.check_frames(bytes(20), 2**70)


@pytest.mark.parametrize("function", [crc.crc16, crc.seal, crc.is_sealed])
@pytest.mark.parametrize("wrong", [None, "text", bytearray(4), memoryview(bytes(4)), 7])
def test_one_frame_functions_take_bytes_only(function: object, wrong: object) -> None:
    with pytest.raises(TypeError):
        function(wrong)
