"""A meter's month out of its blocks."""

import struct
import zlib

import numpy as np
from conftest import Tell
from curves import households
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import work_ms

from corefast import profile


def zlib_month(blocks: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The usual block: 9 bytes a slot behind zlib."""
    values, flags = [], []
    for block in blocks:
        raw = zlib.decompress(block)
        values.append(np.frombuffer(raw, np.uint16, 192).reshape(48, 4))
        flags.append(np.frombuffer(raw, np.uint8, 48, 384))
    return np.stack(values).astype(np.uint32), np.stack(flags)


def struct_month(blocks: list[bytes]) -> list[tuple[int, ...]]:
    """The plainest block: 9 bytes a slot as they are."""
    return [struct.unpack("<192H48B", block) for block in blocks]


def test_month(tell: Tell, benchmark: BenchmarkFixture) -> None:
    values, flags = households(1, 31)
    values, flags = values[0], flags[0]
    blocks = [profile.pack_day(day, marks) for day, marks in zip(values, flags, strict=True)]
    raw = [
        day.astype(np.uint16).tobytes() + marks.tobytes()
        for day, marks in zip(values, flags, strict=True)
    ]
    packed = [zlib.compress(block) for block in raw]
    got_values, got_flags = profile.unpack_days(blocks, 48, 4)
    assert np.array_equal(got_values, values)
    assert np.array_equal(got_flags, flags)
    assert np.array_equal(zlib_month(packed)[0], values)
    times = work_ms(
        {
            "core": lambda: profile.unpack_days(blocks, 48, 4),
            "zlib + numpy": lambda: zlib_month(packed),
            "struct, unpacked blocks": lambda: struct_month(raw),
        },
        rounds=31,
        number=20,
    )
    for who, spent in times.items():
        tell(f"a month of blocks, {who}", spent * 1e3, "us", at_most=100 if who == "core" else None)
    benchmark.group = "unpack a month"
    benchmark(profile.unpack_days, blocks, 48, 4)
