"""One frame's checksum: for a meter's frame the call is the cost, not the polynomial."""

import pytest
from conftest import Tell
from fastcrc import crc16 as fastcrc
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import calls_ns

from corefast import crc

# The goal is for 20 bytes; the others show what the route does, and have none.
GOALS = {4: None, 8: None, 20: 0.7, 96: None, 256: None}


@pytest.mark.parametrize("size", GOALS)
def test_crc16(size: int, tell: Tell, benchmark: BenchmarkFixture) -> None:
    frame = bytes(range(size))
    assert crc.crc16(frame) == fastcrc.modbus(frame)
    times = calls_ns(
        {"core": "core(frame)", "peer": "peer(frame)"},
        {"core": crc.crc16, "peer": fastcrc.modbus, "frame": frame},
    )
    tell(f"crc16 of {size} bytes, net", times["core"], "ns")
    tell(f"crc16 of {size} bytes, net, fastcrc", times["peer"], "ns")
    tell(
        f"crc16 of {size} bytes, to fastcrc",
        times["core"] / times["peer"],
        "x",
        at_most=GOALS[size],
    )
    benchmark.group = f"crc16 {size} bytes"
    benchmark(crc.crc16, frame)


@pytest.mark.parametrize("size", GOALS)
def test_fastcrc(size: int, benchmark: BenchmarkFixture) -> None:
    benchmark.group = f"crc16 {size} bytes"
    benchmark(fastcrc.modbus, bytes(range(size)))
