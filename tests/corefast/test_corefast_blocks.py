"""corefast.profile.pack_day and unpack_days: round trips, the layout, damage and hostile bytes."""

import copy
import pickle
import zlib
from array import array

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from corefast import profile

patient = settings(deadline=None)
Day = tuple[NDArray[np.uint32], NDArray[np.uint8]]


def pack(values: object, flags: object) -> bytes:
    return profile.pack_day(np.array(values, np.uint32), np.array(flags, np.uint8))


def unpack(block: bytes | None, slots: int, channels: int) -> tuple[list, list]:
    values, flags = profile.unpack_days([block], slots, channels)
    return np.asarray(values)[0].tolist(), np.asarray(flags)[0].tolist()


def checked(body: bytes) -> bytes:
    """Body with a true checksum: damage that only a hostile writer can make."""
    return body + zlib.crc32(body).to_bytes(4, "little")


@st.composite
def days(draw: st.DrawFn, most: int = 100) -> Day:
    slots, channels = draw(st.integers(1, most)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = np.empty((slots, channels), np.uint32)
    for channel in range(channels):
        width, least = draw(st.integers(0, 32)), draw(st.sampled_from([0, 1, 255, 256, 65536]))
        top = min(least + 2**width - 1, 2**32 - 1)
        values[:, channel] = random.integers(least, top, slots, dtype=np.uint32, endpoint=True)
    flags = np.zeros(slots, np.uint8)
    for _ in range(draw(st.integers(0, 4))):
        start, length = draw(st.integers(0, slots)), draw(st.integers(0, slots))
        flags[start : start + length] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        scattered = random.random(slots) < 0.5
        flags[scattered] = random.integers(0, 256, scattered.sum(), dtype=np.uint8)
    return values, flags


def realistic_day() -> Day:
    """A household's day in counts of half a watt-hour, with an outage of five hours."""
    random = np.random.default_rng(5)
    active = 150 + 100 * np.sin(np.arange(48) / 8) ** 2 + random.normal(0, 15, 48)
    values = np.stack([active, np.zeros(48), active / 4, np.zeros(48)], axis=1).astype(np.uint32)
    flags = np.zeros(48, np.uint8)
    flags[20:30], flags[30] = 1, 2
    return values, flags


@patient
@given(days())
def test_a_block_is_the_oracles_and_comes_back(day: Day) -> None:
    values, flags = day
    block = profile.pack_day(values, flags)
    assert block == reference.pack_day(values.tolist(), flags.tolist())
    kept = reference.kept(values.tolist(), flags.tolist())
    assert unpack(block, *values.shape) == (kept, flags.tolist())


@pytest.mark.parametrize("slots", [1, 2, 7, 8, 24, 46, 48, 96, 255, 256, 257, 288, 512, 1440])
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("marks", ["none", "same", "outage", "alternating"])
def test_each_size_and_way_of_flags(slots: int, channels: int, marks: str) -> None:
    top = 2**32 - 1
    values = [
        [(slot * 97 + channel) ** 3 % 2**32 for channel in range(channels)] for slot in range(slots)
    ]
    values[0], values[-1] = [0] * channels, [top] * channels
    flags = [
        {"none": 0, "same": 4, "outage": int(3 < slot < 300), "alternating": slot % 3}[marks]
        for slot in range(slots)
    ]
    block = pack(values, flags)
    assert block == reference.pack_day(values, flags)
    assert unpack(block, slots, channels) == (reference.kept(values, flags), flags)


def test_the_layout_byte_by_byte() -> None:
    # Version; two channels; 3 slots; 2 bits from 9 (1 byte) on; 1 bit from 1000 (2 bytes) on;
    # 0, 1, 3 and 0, 0, 1, lowest bits first.
    body = bytes.fromhex("01 01 0300  42 09  81 e803  34 01")
    assert pack([[9, 1000], [10, 1000], [12, 1001]], [0, 0, 0]) == checked(body)


def test_flags_cost_almost_nothing() -> None:
    zeros = np.zeros((48, 4), np.uint32)
    assert len(pack(zeros, [0] * 48)) == 12
    assert len(pack(zeros, [1] * 48)) == 13
    assert len(pack(zeros, [0] * 20 + [1] * 10 + [0] * 18)) == 12 + 7
    assert len(pack(zeros, list(range(48)))) == 12 + 48


def test_what_has_no_value_shapes_nothing() -> None:
    values, flags = realistic_day()
    block = profile.pack_day(values, flags)
    values[20:30] = 2**32 - 1
    assert profile.pack_day(values, flags) == block


def test_a_rejected_value_is_kept() -> None:
    assert unpack(pack([[7], [70000], [8]], [0, 16, 0]), 3, 1) == ([[7], [70000], [8]], [0, 16, 0])


def test_a_month_in_one_call() -> None:
    month = [realistic_day() for _ in range(31)]
    blocks = [profile.pack_day(*day) for day in month]
    blocks[4] = blocks[9] = None
    values, flags = profile.unpack_days(blocks, 48, 4)
    assert (values.shape, values.format) == ((31, 48, 4), "I")
    assert (flags.shape, flags.format) == ((31, 48), "B")
    for day, block in enumerate(blocks):
        expected = unpack(block, 48, 4) if block else (np.zeros((48, 4), int).tolist(), [1] * 48)
        assert np.asarray(values)[day].tolist() == expected[0]
        assert np.asarray(flags)[day].tolist() == expected[1]
    assert values[0, 0, 0] == month[0][0][0, 0]
    values[0, 0, 0] = 5  # a patch before the day is packed again
    assert values.tolist()[0][0][0] == 5


def test_unpacked_days_are_a_series_of_aggregate() -> None:
    block = profile.pack_day(*realistic_day())
    values, flags = profile.unpack_days([block, None, block], 48, 4)
    sums, counts = profile.aggregate(
        values.cast("B").cast("I", (1, 144, 4)),
        flags.cast("B").cast("B", (1, 144)),
        array("i", [0, 48, 96, 144]),
        array("i", [0, 1, 2]),
        3,
    )
    assert counts.tolist() == [[38, 0, 38]]
    day, marks = realistic_day()
    assert sums.tolist()[0][0] == day[marks & 1 == 0].sum(axis=0).tolist()
    assert sums.tolist()[0] == [sums.tolist()[0][0], [0] * 4, sums.tolist()[0][0]]


def test_no_days_and_any_iterable() -> None:
    values, flags = profile.unpack_days([], 48, 4)
    assert (values.shape, flags.shape) == ((0, 48, 4), (0, 48))
    block = profile.pack_day(*realistic_day())
    assert profile.unpack_days((b for b in [None, block]), 48, 4)[0].shape == (2, 48, 4)


def damaged(block: bytes, slots: int = 48, channels: int = 4) -> bool:
    """Whether the second of three blocks is refused, by its place."""
    sound = pack(np.zeros((slots, channels)), [0] * slots)
    try:
        profile.unpack_days([sound, block, None], slots, channels)
    except profile.BlockDamaged as error:
        found = error.index
    else:
        return False
    assert found == 1
    return True


DAYS = {
    "realistic": realistic_day(),
    "empty": (np.zeros((48, 4), np.uint32), np.ones(48, np.uint8)),
    "raw flags": (np.arange(192, dtype=np.uint32).reshape(48, 4), np.arange(48, dtype=np.uint8)),
}


@pytest.mark.parametrize("name", DAYS)
def test_every_cut_and_every_surplus_is_damage(name: str) -> None:
    block = profile.pack_day(*DAYS[name])
    assert not damaged(block)
    assert all(damaged(block[:size]) for size in range(len(block)))
    assert all(damaged(block[size:]) for size in range(1, len(block) + 1))
    for surplus in (b"\0", b"\xff", bytes(4), bytes(9), block, bytes(10**6)):
        assert damaged(block + surplus)
        assert damaged(surplus + block)


@pytest.mark.parametrize("name", DAYS)
def test_every_flipped_bit_is_damage(name: str) -> None:
    block = profile.pack_day(*DAYS[name])
    whole = int.from_bytes(block, "little")
    for bit in range(8 * len(block)):
        assert damaged((whole ^ 1 << bit).to_bytes(len(block), "little"))


@pytest.mark.parametrize("name", DAYS)
def test_every_cut_is_damage_even_with_a_true_checksum(name: str) -> None:
    body = profile.pack_day(*DAYS[name])[:-4]
    assert not damaged(checked(body))
    assert all(damaged(checked(body[:size])) for size in range(len(body)))
    assert damaged(checked(body + b"\0"))


@pytest.mark.parametrize(("slots", "channels"), [(47, 4), (96, 4), (48, 3), (48, 1), (1440, 4)])
def test_a_block_of_another_size_is_refused(slots: int, channels: int) -> None:
    assert damaged(profile.pack_day(*realistic_day()), slots, channels)


@pytest.mark.parametrize(
    "body",
    [
        "02 00 0100 00",  # a version to come
        "00 00 0100 00",
        "01 10 0100 00",  # bits that mean nothing
        "01 00 0000 00",
        "01 00 0100 21 0000000000",  # 33 bits
        "01 00 0100 3f 0000000000000000",
        "01 00 0100 c1 ffffffff 01",  # 2**32
        "01 00 0100 e0 01000000 ffffffff",
        "01 00 0100 c0 ffffff",  # the minimum does not end
        "01 04 0100 00",  # no flag
        "01 08 0100 00",  # no number of runs
        "01 08 0100 00 00",  # no run
        "01 08 0100 00 01 01",
        "01 08 0100 00 01 01 01",  # two slots
        "01 08 0100 00 02 0100 0100",
        "01 08 0100 00 ff 0100",
        "01 0c 0100 00",  # no flags
        "01 00 0100 01",  # no counts
        "01 04 0100 01 01 00",  # counts of what has no value
    ],
)
def test_lies_with_a_true_checksum_are_refused(body: str) -> None:
    assert not damaged(checked(bytes.fromhex("01 00 0100 00")), 1, 1)
    assert damaged(checked(bytes.fromhex(body)), 1, 1)


@patient
@given(st.binary(max_size=200), st.integers(1, 4))
def test_random_bytes_are_damage(block: bytes, channels: int) -> None:
    assert damaged(block, 48, channels)


@settings(deadline=None, max_examples=300)
@given(days(most=40), st.data())
def test_hostile_bytes_are_refused_or_are_a_day(day: Day, data: st.DataObject) -> None:
    """Bytes changed at will below a true checksum: any answer is of the right size, or none."""
    slots, channels = day[0].shape
    body = bytearray(profile.pack_day(*day)[:-4])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(body) - 1) | st.integers(0, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    try:
        values, flags = unpack(checked(bytes(body)), slots, channels)
    except profile.BlockDamaged:
        return
    assert unpack(pack(values, flags), slots, channels) == (values, flags)


def test_the_first_damaged_block_is_named() -> None:
    block = profile.pack_day(*realistic_day())
    blocks = [block, None, block, b"", block, b"junk"]
    with pytest.raises(profile.BlockDamaged, match=r"block 3 ") as caught:
        profile.unpack_days(blocks, 48, 4)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):  # noqa: S301
        assert isinstance(error, ValueError)
        assert error.index == 3


@pytest.mark.parametrize("wrong", ["text", 7, bytearray(20), memoryview(bytes(20))])
def test_a_block_is_bytes_or_none(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"block 1 "):
        profile.unpack_days([None, wrong], 48, 4)


@pytest.mark.parametrize("wrong", [None, 7])
def test_blocks_are_an_iterable(wrong: object) -> None:
    with pytest.raises(TypeError):
        profile.unpack_days(wrong, 48, 4)


@pytest.mark.parametrize(
    ("slots", "channels"), [(0, 4), (-1, 4), (1441, 4), (2**62, 4), (48, 0), (48, 5), (48, -4)]
)
def test_sizes_out_of_range_are_refused(slots: int, channels: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\."):
        profile.unpack_days([None], slots, channels)


VALUES, FLAGS = realistic_day()


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        (VALUES[0], FLAGS),
        (VALUES[np.newaxis], FLAGS),
        (VALUES, FLAGS[np.newaxis]),
        (VALUES, FLAGS[:47]),
        (VALUES, np.zeros(49, np.uint8)),
        (np.zeros((0, 4), np.uint32), np.zeros(0, np.uint8)),
        (np.zeros((1441, 4), np.uint32), np.zeros(1441, np.uint8)),
        (np.zeros((48, 0), np.uint32), FLAGS),
        (np.zeros((48, 5), np.uint32), FLAGS),
        (np.asfortranarray(VALUES), FLAGS),
        (VALUES[::-1], FLAGS),
        (VALUES, FLAGS[::-1]),
        (VALUES.astype(np.uint16), FLAGS),
        (VALUES.astype(np.int32), FLAGS),
        (VALUES.astype(np.uint64), FLAGS),
        (VALUES.astype(">u4"), FLAGS),
        (VALUES, FLAGS.astype(np.int8)),
        (VALUES, FLAGS.astype(np.uint16)),
    ],
)
def test_other_days_are_not_packed(values: object, flags: object) -> None:
    with pytest.raises(ValueError, match=r"values|flags|slots|channels"):
        profile.pack_day(values, flags)


@pytest.mark.parametrize("wrong", [None, "text", [[1]], 7])
def test_what_is_no_buffer_is_not_packed(wrong: object) -> None:
    with pytest.raises(TypeError):
        profile.pack_day(wrong, FLAGS)
    with pytest.raises(TypeError):
        profile.pack_day(VALUES, wrong)


def test_a_day_at_an_odd_address_is_packed() -> None:
    values = memoryview(b"\0" + VALUES.tobytes())[1:].cast("I", (48, 4))
    assert profile.pack_day(values, bytes(FLAGS)) == profile.pack_day(VALUES, FLAGS)
