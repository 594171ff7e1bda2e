"""Sums of 1,000 meters over a year: 17.5 million half-hours of four channels, 158 MB."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import Tell
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import work_ms

from corefast import profile

METERS, DAYS = 1000, 365
SLOTS = DAYS * 48
MILLION = METERS * SLOTS / 1e6
MONTHS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 48
NIGHT_ENDS, NIGHT_BEGINS = 14, 46  # 07:00 and 23:00


@dataclass
class Level:
    """Runs of a calendar; numpy adds runs of one key with a second step, `fold`."""

    bounds: NDArray[np.int32]
    keys: NDArray[np.int32]
    fold: Callable[[NDArray[np.int64]], NDArray[np.int64]]


def levels() -> dict[str, Level]:
    day = np.arange(DAYS + 1, dtype=np.int32) * 48
    zones = (day[:-1, np.newaxis] + [0, NIGHT_ENDS, NIGHT_BEGINS]).ravel()
    zone_keys = (2 * np.arange(DAYS)[:, np.newaxis] + [0, 1, 0]).ravel()
    return {
        "day": Level(day, np.arange(DAYS, dtype=np.int32), lambda runs: runs),
        "day x zone": Level(
            np.append(zones, SLOTS).astype(np.int32),
            zone_keys.astype(np.int32),
            lambda runs: np.stack([runs[:, ::3] + runs[:, 2::3], runs[:, 1::3]], axis=2).reshape(
                len(runs), 2 * DAYS, *runs.shape[2:]
            ),
        ),
        "month": Level(MONTHS.astype(np.int32), np.arange(12, dtype=np.int32), lambda runs: runs),
    }


LEVELS = levels()


@pytest.fixture(scope="module", params=[np.uint16, np.uint32])
def year(request: pytest.FixtureRequest) -> tuple[NDArray, NDArray[np.uint8]]:
    """Missing slots are zeros already, which is in favour of numpy: it need not mask them."""
    random = np.random.default_rng(3)
    values = random.integers(0, 2000, (METERS, SLOTS, 4), dtype=request.param)
    flags = np.zeros((METERS, SLOTS), np.uint8)
    for meter in range(METERS):
        for start in random.integers(0, SLOTS - 10, 2):
            flags[meter, start : start + 10] = 1
            values[meter, start : start + 10] = 0
    return values, flags


def core(values: NDArray, flags: NDArray[np.uint8], level: Level) -> tuple[memoryview, memoryview]:
    n_keys = int(level.keys.max()) + 1
    return profile.aggregate(values, flags, level.bounds, level.keys, n_keys)


def numpy_sums(values: NDArray, level: Level) -> NDArray[np.int64]:
    return level.fold(np.add.reduceat(values, level.bounds[:-1], axis=1, dtype=np.int64))


def numpy_counts(flags: NDArray[np.uint8], level: Level) -> NDArray[np.int64]:
    runs = np.add.reduceat((flags & 0x11) == 0, level.bounds[:-1], axis=1, dtype=np.int32)
    return level.fold(runs)


def read(values: NDArray, flags: NDArray[np.uint8]) -> tuple[int, int]:
    """One pass over the same bytes: nothing can be faster."""
    return int(values.view(np.uint64).sum()), int(flags.view(np.uint64).sum())


@pytest.mark.parametrize("name", LEVELS)
def test_aggregate(
    name: str,
    year: tuple[NDArray, NDArray[np.uint8]],
    tell: Tell,
    benchmark: BenchmarkFixture,
) -> None:
    values, flags = year
    level = LEVELS[name]
    sums, counts = core(values, flags, level)
    assert np.array_equal(sums, numpy_sums(values, level))
    assert np.array_equal(counts, numpy_counts(flags, level))
    del sums, counts
    times = work_ms(
        {
            "core": lambda: core(values, flags, level),
            "numpy, sums only": lambda: numpy_sums(values, level),
            "numpy, counts": lambda: numpy_counts(flags, level),
            "reading once": lambda: read(values, flags),
        },
        rounds=5,
    )
    kind = f"{values.dtype}, {name}"
    for who, spent in times.items():
        tell(f"sums, {kind}: {who}", spent / MILLION, "ms/Mslot")
    both = times["numpy, sums only"] + times["numpy, counts"]
    tell(
        f"sums, {kind}: faster than numpy, sums only",
        times["numpy, sums only"] / times["core"],
        "x",
        at_least=5,
    )
    tell(f"sums, {kind}: faster than numpy, sums and counts", both / times["core"], "x")
    benchmark.group = f"1,000 meters x a year, {name}"
    benchmark.pedantic(core, (values, flags, level), rounds=3)


@pytest.mark.parametrize("name", LEVELS)
def test_numpy(
    name: str, year: tuple[NDArray, NDArray[np.uint8]], benchmark: BenchmarkFixture
) -> None:
    benchmark.group = f"1,000 meters x a year, {name}"
    benchmark.pedantic(numpy_sums, (year[0], LEVELS[name]), rounds=3)


def test_one_meter_one_year(tell: Tell, benchmark: BenchmarkFixture) -> None:
    """What a page asks for."""
    random = np.random.default_rng(4)
    values = random.integers(0, 2000, (1, SLOTS, 4), dtype=np.uint32)
    flags = np.zeros((1, SLOTS), np.uint8)
    level = LEVELS["day"]
    times = work_ms(
        {
            "core": lambda: core(values, flags, level),
            "numpy": lambda: numpy_sums(values, level),
        },
        rounds=31,
        number=20,
    )
    for who, spent in times.items():
        tell(f"sums of one meter's year by day, {who}", spent * 1e3, "us")
    benchmark.group = "one meter, one year, day"
    benchmark(core, values, flags, level)
