"""corefast.profile.aggregate against the oracle, and with arguments that lie."""

from array import array
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from corefast import profile

patient = settings(deadline=None)
SHAPE = (2, 10, 4)


@dataclass
class Work:
    """One call: arrays that agree with each other, until a test makes them lie."""

    values: NDArray[np.uint16] | NDArray[np.uint32]
    flags: NDArray[np.uint8]
    bounds: NDArray[np.int32]
    keys: NDArray[np.int32]
    n_keys: int

    def answer(self) -> tuple[list, list]:
        sums, counts = profile.aggregate(
            self.values, self.flags, self.bounds, self.keys, self.n_keys
        )
        series, _, channels = self.values.shape
        assert (sums.shape, sums.format) == ((series, self.n_keys, channels), "q")
        assert (counts.shape, counts.format) == ((series, self.n_keys), "i")
        return np.asarray(sums).tolist(), np.asarray(counts).tolist()

    def oracle(self) -> tuple[list, list]:
        return reference.aggregate(
            self.values.tolist(),
            self.flags.tolist(),
            self.bounds.tolist(),
            self.keys.tolist(),
            self.n_keys,
            channels=self.values.shape[2],
        )


def work(shape: tuple[int, int, int] = SHAPE, kind: type = np.uint16) -> Work:
    series, slots, channels = shape
    return Work(
        np.arange(series * slots * channels, dtype=kind).reshape(shape),
        np.zeros((series, slots), np.uint8),
        np.array([0, slots // 2, slots], np.int32),
        np.array([0, 1], np.int32),
        2,
    )


@st.composite
def works(draw: st.DrawFn) -> Work:
    kind = draw(st.sampled_from([np.uint16, np.uint32]))
    series, slots = draw(st.integers(0, 3)), draw(st.integers(0, 60))
    channels = draw(st.sampled_from([1, 2, 3, 4, 4, 4, 4, 5, 7]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    top = np.iinfo(kind).max
    values = random.integers(0, top, (series, slots, channels), dtype=kind, endpoint=True)
    values[random.random(values.shape) < 0.2] = top
    flags = random.integers(0, 256, (series, slots), dtype=np.uint8)
    flags[random.random(flags.shape) < draw(st.sampled_from([0, 0.5, 0.9, 1]))] = 0
    cuts = draw(st.lists(st.integers(0, slots), min_size=1, max_size=8))
    n_keys = draw(st.integers(1, 4))
    keys = draw(
        st.lists(st.integers(0, n_keys - 1), min_size=len(cuts) - 1, max_size=len(cuts) - 1)
    )
    bounds = np.array(sorted(cuts), np.int32)
    return Work(values, flags, bounds, np.array(keys, np.int32), n_keys)


@patient
@given(works())
def test_sums_are_the_oracles(work: Work) -> None:
    assert work.answer() == work.oracle()


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
@pytest.mark.parametrize("flag", range(256))
def test_only_no_value_and_rejected_are_left_out(kind: type, flag: int) -> None:
    one = work(kind=kind)
    one.flags[:, 3] = flag
    one.flags[1, 5:8] = flag
    assert one.answer() == one.oracle()
    left_out = bool(flag & 0b10001)
    assert one.answer()[1] == [[5 - left_out, 5], [5 - left_out, 5 - 3 * left_out]]


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
@pytest.mark.parametrize("channels", [3, 4])
def test_the_highest_counts_do_not_overflow(kind: type, channels: int) -> None:
    slots, top = 3 * 65536 + 11, int(np.iinfo(kind).max)
    values = np.full((1, slots, channels), top, kind)
    flags = np.zeros((1, slots), np.uint8)
    flags[0, [0, 70000, slots - 1]] = 1
    sums, counts = profile.aggregate(values, flags, array("i", [0, slots]), array("i", [0]), 1)
    assert counts.tolist() == [[slots - 3]]
    assert sums.tolist() == [[[top * (slots - 3)] * channels]]


def test_a_year_of_days_is_numpys() -> None:
    random = np.random.default_rng(7)
    values = random.integers(0, 3000, (5, 17520, 4), dtype=np.uint16)
    flags = np.zeros((5, 17520), np.uint8)
    flags[random.random(flags.shape) < 0.01] = 1
    bounds = np.arange(0, 17521, 48, dtype=np.int32)
    sums, counts = profile.aggregate(values, flags, bounds, np.arange(365, dtype=np.int32), 365)
    present = values * (flags == 0)[..., np.newaxis]
    assert np.array_equal(sums, np.add.reduceat(present, bounds[:-1], axis=1, dtype=np.int64))
    assert np.array_equal(counts, np.add.reduceat(flags == 0, bounds[:-1], axis=1, dtype=np.int32))


def test_large_answers_start_as_zeros_too() -> None:
    one = work((1, 4, 4))
    for _ in range(3):
        one.bounds, one.keys, one.n_keys = (
            np.array([0, 4], np.int32),
            np.array([9], np.int32),
            10**5,
        )
        sums, counts = profile.aggregate(one.values, one.flags, one.bounds, one.keys, one.n_keys)
        assert np.asarray(sums).sum() == one.values.sum()
        assert np.asarray(counts).sum() == 4
        np.asarray(sums)[:] = 7  # it is the caller's memory now


def test_answers_live_on_their_own() -> None:
    one = work()
    sums, counts = profile.aggregate(one.values, one.flags, one.bounds, one.keys, one.n_keys)
    before = sums.tolist(), counts.tolist()
    one.values[:] = 0
    one.flags[:] = 1
    assert (sums.tolist(), counts.tolist()) == before
    assert sums[1, 0, 3] == before[0][1][0][3]
    assert sums.c_contiguous
    assert not sums.readonly


def test_any_buffer_will_do() -> None:
    one = work()
    values = memoryview(b"\0" + one.values.tobytes())[1:].cast("H", SHAPE)  # at an odd address
    flags = memoryview(bytes(20)).cast("B", (2, 10))
    answer = profile.aggregate(values, flags, array("i", one.bounds), memoryview(one.keys), 2)
    assert (answer[0].tolist(), answer[1].tolist()) == one.oracle()
    wide = memoryview(b"\0" + work(kind=np.uint32).values.tobytes())[1:].cast("I", SHAPE)
    answer = profile.aggregate(wide, flags, array("i", one.bounds), one.keys, 2)
    assert (answer[0].tolist(), answer[1].tolist()) == one.oracle()


@pytest.mark.parametrize(
    ("bounds", "keys", "n_keys"),
    [
        ([0, 5, 11], [0, 1], 2),
        ([0, 11, 10], [0, 1], 2),
        ([0, 5, 2**31 - 1], [0, 1], 2),
        ([-1, 5, 10], [0, 1], 2),
        ([-(2**31), 5, 10], [0, 1], 2),
        ([0, -5, 10], [0, 1], 2),
        ([5, 0, 10], [0, 1], 2),
        ([0, 6, 5], [0, 1], 2),
        ([0, 5, 10], [0, 2], 2),
        ([0, 5, 10], [-1, 1], 2),
        ([0, 5, 10], [0, 2**31 - 1], 2),
        ([0, 5, 10], [-(2**31), 0], 2),
        ([0, 0, 0], [7, 0], 2),
        ([0, 5, 10], [0, 0], 0),
        ([0, 5, 10], [0, 1], -1),
        ([0, 5, 10], [0], 2),
        ([0, 5], [0, 1], 2),
        ([], [], 2),
        ([], [0], 2),
        ([0, 10], [], 2),
        ([11], [], 2),
        ([-1], [], 2),
    ],
)
@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
def test_lying_bounds_and_keys_are_refused(
    bounds: list[int], keys: list[int], n_keys: int, kind: type
) -> None:
    one = work(kind=kind)
    with pytest.raises(ValueError, match=r"bound|key"):
        profile.aggregate(one.values, one.flags, array("i", bounds), array("i", keys), n_keys)


@patient
@given(st.lists(st.integers(-3, 13), max_size=6), st.lists(st.integers(-2, 3), max_size=5))
def test_bounds_and_keys_are_right_or_refused(bounds: list[int], keys: list[int]) -> None:
    one = work()
    one.bounds, one.keys = np.array(bounds, np.int32), np.array(keys, np.int32)
    sound = (
        len(bounds) == len(keys) + 1
        and all(0 <= bound <= 10 for bound in bounds)
        and all(a <= b for a, b in pairwise(bounds))
        and all(0 <= key < 2 for key in keys)
    )
    if sound:
        assert one.answer() == one.oracle()
    else:
        with pytest.raises(ValueError, match=r"bound|key"):
            one.answer()


VALUES, FLAGS = work().values, work().flags
BOUNDS, KEYS = work().bounds, work().keys


@pytest.mark.parametrize(
    ("values", "flags", "bounds", "keys"),
    [
        (VALUES[0], FLAGS, BOUNDS, KEYS),
        (VALUES[np.newaxis], FLAGS, BOUNDS, KEYS),
        (VALUES[:1], FLAGS, BOUNDS, KEYS),
        (VALUES[:, :9].copy(), FLAGS, BOUNDS, KEYS),
        (np.zeros((2, 10, 0), np.uint16), FLAGS, BOUNDS, KEYS),
        (VALUES, FLAGS[0], BOUNDS, KEYS),
        (VALUES, FLAGS[:1], BOUNDS, KEYS),
        (VALUES, FLAGS.T.copy(), BOUNDS, KEYS),
        (VALUES, np.zeros((2, 11), np.uint8), BOUNDS, KEYS),
        (VALUES, FLAGS, BOUNDS[np.newaxis], KEYS),
        (VALUES, FLAGS, BOUNDS, KEYS[np.newaxis]),
        # layout
        (VALUES[::-1], FLAGS, BOUNDS, KEYS),
        (np.asfortranarray(VALUES), FLAGS, BOUNDS, KEYS),
        (np.zeros((2, 10, 8), np.uint16)[:, :, ::2], FLAGS, BOUNDS, KEYS),
        (VALUES, np.zeros((2, 20), np.uint8)[:, ::2], BOUNDS, KEYS),
        (VALUES, FLAGS, np.zeros(6, np.int32)[::2], KEYS),
        (VALUES, FLAGS, BOUNDS, np.zeros(4, np.int32)[::2]),
        # format
        (VALUES.astype(np.int16), FLAGS, BOUNDS, KEYS),
        (VALUES.astype(np.int32), FLAGS, BOUNDS, KEYS),
        (VALUES.astype(np.uint8), FLAGS, BOUNDS, KEYS),
        (VALUES.astype(np.uint64), FLAGS, BOUNDS, KEYS),
        (VALUES.astype(np.float32), FLAGS, BOUNDS, KEYS),
        (VALUES.astype(">u2"), FLAGS, BOUNDS, KEYS),
        (np.zeros((2, 10, 4), [("a", "u1"), ("b", "u1")]), FLAGS, BOUNDS, KEYS),
        (VALUES, FLAGS.astype(np.int8), BOUNDS, KEYS),
        (VALUES, FLAGS.astype(bool), BOUNDS, KEYS),
        (VALUES, FLAGS.astype(np.uint16), BOUNDS, KEYS),
        (VALUES, FLAGS, BOUNDS.astype(np.int64), KEYS),
        (VALUES, FLAGS, BOUNDS.astype(np.uint32), KEYS),
        (VALUES, FLAGS, BOUNDS.astype(">i4"), KEYS),
        (VALUES, FLAGS, BOUNDS, KEYS.astype(np.int64)),
        (VALUES, FLAGS, BOUNDS, KEYS.astype(np.float32)),
    ],
)
def test_other_shapes_layouts_and_formats_are_refused(
    values: object, flags: object, bounds: object, keys: object
) -> None:
    with pytest.raises(ValueError, match=r"values|flags|bounds|keys"):
        profile.aggregate(values, flags, bounds, keys, 2)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("wrong", [None, "text", [0, 1], 1.5])
def test_what_is_no_buffer_is_refused(place: int, wrong: object) -> None:
    arguments = [VALUES, FLAGS, BOUNDS, KEYS, 2]
    arguments[place] = wrong
    with pytest.raises(TypeError):
        profile.aggregate(*arguments)


def test_refusals_give_all_buffers_back() -> None:
    flags, bounds, keys = bytearray(20), array("i", [0, 5, 99]), array("i", [0, 1])
    marks = memoryview(flags).cast("B", (2, 10))
    for wrong in (VALUES, VALUES[:, :9].copy(), VALUES.astype(np.int16)):
        with pytest.raises(ValueError, match=r"bounds|values|flags"):
            profile.aggregate(wrong, marks, bounds, keys, 2)
    marks.release()
    flags.append(0)  # a BufferError if anyone still held them
    bounds.append(0)
    keys.append(0)


@pytest.mark.parametrize("n_keys", [2**62, 2**63 - 1])
def test_sums_that_fit_no_memory_are_refused(n_keys: int) -> None:
    with pytest.raises(MemoryError):
        profile.aggregate(VALUES, FLAGS, BOUNDS, KEYS, n_keys)
