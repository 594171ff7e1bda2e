"""Times of functions that take turns."""

import gc
from collections.abc import Callable, Mapping
from statistics import median
from timeit import Timer


def calls_ns(statements: Mapping[str, str], names: Mapping[str, object]) -> dict[str, float]:
    """Median nanoseconds of short statements, net of the timing loop that runs none."""
    number, rounds = 100_000, 31
    timers = {name: Timer(text, globals=dict(names)) for name, text in statements.items()}
    timers["bare loop"] = Timer("pass")
    times: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer.timeit(number) / number * 1e9)
    bare = median(times.pop("bare loop"))
    return {name: median(each) - bare for name, each in times.items()}


def work_ms(
    works: Mapping[str, Callable[[], object]], *, rounds: int, number: int = 1
) -> dict[str, float]:
    """Median milliseconds of longer calls, `number` of each a round.

    One round before the first is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            gc.collect()
            spent = Timer(work).timeit(number) * 1e3 / number
            if turn:
                times[name].append(spent)
    return {name: median(each) for name, each in times.items()}
