"""What a day takes in the store, and the time to pack it."""

import numpy as np
from conftest import Tell
from curves import SLOTS, households
from pytest_benchmark.fixture import BenchmarkFixture

from corefast import profile

METERS, DAYS = 50, 365


def test_size(tell: Tell, benchmark: BenchmarkFixture) -> None:
    values, flags = households(METERS, DAYS)
    bare = full = 0
    for meter in range(METERS):
        for day in range(DAYS):
            full += len(profile.pack_day(values[meter, day], flags[meter, day]))
            bare += len(profile.pack_day(values[meter, day], np.zeros(SLOTS, np.uint8)))
    slots = METERS * DAYS * SLOTS
    tell("block of a household's day", full / slots, "B/slot", at_most=4.5)
    tell("the same without flags", bare / slots, "B/slot")
    benchmark.group = "pack a day"
    benchmark(profile.pack_day, values[0, 0], flags[0, 0])
    if benchmark.stats:
        tell("pack a day, whole call", benchmark.stats.stats.median * 1e6, "us")
