"""Numbers of slots: which slot ends when, by a clock that runs, jumps and is set back."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from hub.plugins.mercury234.simulator.timeline import Timeline


class Slots:
    """Slots of one length from an initialisation on, numbered from 1.

    A slot ends when the clock comes to a multiple of its length. A clock put forward over such
    a second ends the slot there and then; whole slots that it jumps over have numbers and no
    time. A clock put back makes the slot longer: what its end shows comes a second time under
    the next number.
    """

    def __init__(self, timeline: Timeline, start: int, length: int) -> None:
        self.start = start
        self.length = length
        self._timeline = timeline
        self._seen = bisect_right(timeline.runs, start)
        # A leg: from this run, with this shift, after this number.
        self._runs = [start]
        self._shifts = [timeline.shifts[self._seen - 1]]
        self._numbers = [0]

    def passed(self, run: int) -> int:
        """Return the number of the last slot that has ended."""
        self._catch_up()
        if run <= self.start:
            return 0
        return self._count(max(0, bisect_right(self._runs, run) - 1), run)

    def end(self, number: int) -> tuple[int, int]:
        """Return the run second at which a slot ended, and the clock that is its stamp."""
        self._catch_up()
        if number < 1:
            return self.start, self.start + self._shifts[0]
        leg = bisect_left(self._numbers, number) - 1
        clock = (self._grid(leg) + number - self._numbers[leg]) * self.length
        run = clock - self._shifts[leg]
        if leg + 1 < len(self._runs):
            run = min(run, self._runs[leg + 1])
        return run, clock

    def stamped(self, first: int, last: int, upto: int) -> Iterator[int]:
        """Give the numbers up to ``upto`` whose stamps lie within, both ends included."""
        self._catch_up()
        for leg, before in enumerate(self._numbers):
            past = self._numbers[leg + 1] if leg + 1 < len(self._numbers) else upto
            low = -(-first // self.length) - self._grid(leg)
            high = last // self.length - self._grid(leg)
            start, stop = max(before + 1, before + low), min(past, before + high, upto)
            yield from range(start, stop + 1)

    def _grid(self, leg: int) -> int:
        return (self._runs[leg] + self._shifts[leg]) // self.length

    def _count(self, leg: int, run: int) -> int:
        return self._numbers[leg] + (run + self._shifts[leg]) // self.length - self._grid(leg)

    def _catch_up(self) -> None:
        timeline = self._timeline
        while self._seen < len(timeline.runs):
            run, shift = timeline.runs[self._seen], timeline.shifts[self._seen]
            before = self._count(-1, run)
            old = (run + self._shifts[-1]) // self.length
            new = (run + shift) // self.length
            self._numbers.append(before + max(0, new - old))
            self._runs.append(run)
            self._shifts.append(shift)
            self._seen += 1
