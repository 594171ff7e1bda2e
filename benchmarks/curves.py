"""Load curves to measure with: a slow walk, the shape of the day, noise; counts, not energy."""

import numpy as np
from numpy.typing import NDArray

SLOTS = 48


def households(
    meters: int, days: int, seed: int = 1
) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Counts (meters, days, 48, 4) and flags (meters, days, 48) of 1,000 imp/kWh meters.

    Channels: active import (0.2 to 2 kW), active export (one meter in ten has sun),
    reactive import, reactive export. One slot in a thousand is missing, in outages of two hours.
    """
    random = np.random.default_rng(seed)
    slots = days * SLOTS
    hour = np.arange(slots) % SLOTS / 2
    evening = np.exp(-((hour - 20) ** 2) / 12) + 0.6 * np.exp(-((hour - 8) ** 2) / 6)
    size = random.uniform(0.4, 2.5, (meters, 1))
    walk = np.cumsum(random.normal(0, 1.5, (meters, slots)), axis=1)
    walk = 40 * np.tanh(walk / 60)
    noise = random.gamma(2, 22, (meters, slots))
    active = size * (90 + walk + 180 * evening + noise)
    sun = np.maximum(0, np.sin((hour - 6) / 12 * np.pi)) * random.uniform(0, 400, (meters, slots))
    sun *= (np.arange(meters) % 10 == 0)[:, np.newaxis]
    reactive = 0.3 * active + random.normal(0, 8, (meters, slots))
    back = random.gamma(1, 6, (meters, slots))
    values = np.stack([active, sun, reactive, back], axis=2).clip(0).astype(np.uint32)

    flags = np.zeros((meters, slots), np.uint8)
    for meter in range(meters):
        for start in random.integers(0, slots - 4, max(1, slots // 4000)):
            flags[meter, start : start + 4] = 1
    values[flags == 1] = 0
    return values.reshape(meters, days, SLOTS, 4), flags.reshape(meters, days, SLOTS)
