"""100,000 frames of 20 bytes, one in a hundred damaged, checked in one call."""

from collections.abc import Callable

import numpy as np
import pytest
from conftest import Tell
from fastcrc import crc16 as fastcrc
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import work_ms

from corefast import crc

COUNT, SIZE = 100_000, 20


def make_frames() -> bytes:
    random = np.random.default_rng(2)
    bodies = random.integers(0, 256, (COUNT, SIZE - 2), dtype=np.uint8)
    frames = np.frombuffer(b"".join(crc.seal(body.tobytes()) for body in bodies), np.uint8)
    frames = frames.reshape(COUNT, SIZE).copy()
    frames[random.random(COUNT) < 0.01, 7] ^= 0x20
    return frames.tobytes()


BUFFER = make_frames()
FRAMES = [BUFFER[at : at + SIZE] for at in range(0, len(BUFFER), SIZE)]
ARRAY = np.frombuffer(BUFFER, np.uint8).reshape(COUNT, SIZE)


def byte_table() -> NDArray[np.uint16]:
    table = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        table = (table >> 1) ^ np.where(table & 1, np.uint16(0xA001), np.uint16(0))
    return table


TABLE = byte_table()


def core() -> bytes:
    return crc.check_frames(BUFFER, SIZE)


def fastcrc_loop() -> bytes:
    """The cheapest loop there is: frames cut beforehand, and a sound frame's checksum is zero."""
    modbus = fastcrc.modbus
    return bytes([modbus(frame) == 0 for frame in FRAMES])


def numpy_columns() -> bytes:
    checksum = np.full(COUNT, 0xFFFF, np.uint16)
    for column in range(SIZE):
        checksum = (checksum >> 8) ^ TABLE[(checksum ^ ARRAY[:, column]) & 0xFF]
    return (checksum == 0).tobytes()


def test_check_frames(tell: Tell, benchmark: BenchmarkFixture) -> None:
    assert core() == fastcrc_loop() == numpy_columns()
    assert 900 < core().count(0) < 1100
    times = work_ms({"core": core, "fastcrc": fastcrc_loop, "numpy": numpy_columns}, rounds=15)
    for name, spent in times.items():
        tell(f"100,000 frames, {name}", spent * 1e6 / COUNT, "ns/frame")
    tell(
        "100,000 frames in one call, faster than a fastcrc loop",
        times["fastcrc"] / times["core"],
        "x",
        at_least=10,
    )
    tell("100,000 frames in one call, faster than numpy", times["numpy"] / times["core"], "x")
    benchmark.group = "check 100,000 frames"
    benchmark.pedantic(core, rounds=15, warmup_rounds=1)


@pytest.mark.parametrize("work", [fastcrc_loop, numpy_columns])
def test_peer(work: Callable[[], bytes], benchmark: BenchmarkFixture) -> None:
    benchmark.group = "check 100,000 frames"
    benchmark.pedantic(work, rounds=5, warmup_rounds=1)
