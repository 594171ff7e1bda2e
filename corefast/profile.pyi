"""Sums over load profiles, and the blocks that the store keeps a day in.

A profile is counts, whole numbers as the meter gives them, by slot and channel, and one byte of
flags a slot: bit 0 no value, 1 partial, 2 estimated, 3 manual, 4 rejected.

Arrays that come in are any C-contiguous buffers of native byte order (memoryview, array, numpy).
Arrays that go out are memoryviews over memory of their own, writable, with `shape`; `tolist()`,
`values[day, slot, channel]` and `numpy.asarray` work on them without a copy of anything else. A
memoryview changes its shape by way of bytes: the days of `unpack_days` become the one series of
`aggregate` by `values.cast("B").cast("I", (1, days * slots, channels))` and
`flags.cast("B").cast("B", (1, days * slots))`.
"""

from collections.abc import Iterable
from typing import Final

from typing_extensions import Buffer

class BlockDamaged(ValueError):
    """A block is not one that `pack_day` made for the slots and channels that were asked for."""

    index: Final[int]
    """Which of the blocks, from 0."""

    def __init__(self, index: int, /) -> None: ...

def aggregate(
    values: Buffer, flags: Buffer, bounds: Buffer, keys: Buffer, n_keys: int, /
) -> tuple[memoryview, memoryview]:
    """Sum the channels of many series over runs of slots, without the GIL.

    All series have the same slots, so runs (the days, weeks, months, tariff zones of one calendar)
    are made once. Run r is the slots `bounds[r] <= slot < bounds[r + 1]` and adds to key `keys[r]`;
    several runs may add to one key. Slots before the first and behind the last bound are left out.
    A slot with no value (flag bit 0) or a rejected one (bit 4) is not summed and not counted;
    whatever its counts say, it is not zero but absent. Other flags do not matter.

    Args:
        values: uint16 or uint32, (series, slots, channels), at least one channel; four are fastest.
        flags: uint8, (series, slots).
        bounds: int32, (runs + 1), not falling, within 0..slots.
        keys: int32, (runs), within 0..n_keys - 1.
        n_keys: how many sums a series gets; a key without a run has sum 0 of count 0.

    Returns:
        Sums, int64 (series, n_keys, channels), which cannot overflow, and counts, int32
        (series, n_keys): of how many slots each sum is made.

    Raises:
        TypeError: an argument is not a buffer, or `n_keys` is no number.
        ValueError: an array is of another format, shape or layout, or bounds or keys lie. They are
            copied and checked in full before anything is summed.
        MemoryError: the sums do not fit into memory.

    """

def pack_day(values: Buffer, flags: Buffer, /) -> bytes:
    """Pack the slots of one day into a block that only `unpack_days` reads.

    Counts of slots with no value (flag bit 0) are not kept: they come back as 0. Those of rejected
    slots (bit 4) are. Flags are kept whole. The same day always makes the same bytes. A day whose
    flags are all zero spends nothing on them.

    Args:
        values: uint32, (slots, channels), 1..1440 slots, 1..4 channels.
        flags: uint8, (slots).

    Raises:
        TypeError: an argument is not a buffer.
        ValueError: an array is of another format, shape or layout.

    """

def unpack_days(
    blocks: Iterable[bytes | None], slots: int, channels: int, /
) -> tuple[memoryview, memoryview]:
    """Unpack blocks, each of which must be of `slots` and `channels`, into one array.

    Args:
        blocks: what `pack_day` made, in order; None is a day that has no block: zeros, and flag
            bit 0 (no value) on each slot.
        slots: slots in a day, 1..1440.
        channels: 1..4.

    Returns:
        Values, uint32 (blocks, slots, channels), and flags, uint8 (blocks, slots).

    Raises:
        BlockDamaged: the first block that is cut, too long, changed, of an unknown version, or of
            other slots or channels. No input reads or writes outside of its memory.
        TypeError: `blocks` is no iterable, or a block is neither bytes nor None.
        ValueError: `slots` or `channels` are out of range.

    """
