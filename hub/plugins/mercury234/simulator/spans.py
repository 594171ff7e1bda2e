"""Stretches of runs in which something was so: no power, a clock being slowed down."""

from bisect import bisect_right

NEVER = 1 << 62


class Spans:
    """Half-open stretches that do not overlap, added in order; the last one may be open."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._before = [0]

    def begin(self, run: int) -> None:
        self.starts.append(run)
        self.ends.append(NEVER)

    def end(self, run: int) -> None:
        """End what began last, if it has not ended."""
        if self.ends and self.ends[-1] == NEVER:
            self.ends[-1] = run
            self._before.append(self._before[-1] + run - self.starts[-1])

    def at(self, run: int) -> int | None:
        """Return the index of the stretch that a run second lies in, None if in none."""
        index = bisect_right(self.starts, run) - 1
        return index if index >= 0 and run < self.ends[index] else None

    def seconds(self, start: int, end: int) -> int:
        """Return how many seconds between two runs lie in the stretches."""
        if not self.starts or start >= self.ends[-1] or end <= self.starts[0]:
            return 0
        return self._upto(end) - self._upto(start)

    def last_end(self, run: int) -> int | None:
        """Return the end of the last stretch that ended by a run second."""
        index = bisect_right(self.starts, run) - 1
        while index >= 0:
            if self.ends[index] <= run:
                return self.ends[index]
            index -= 1
        return None

    def cut(self, start: int, end: int) -> int | None:
        """Return where the stretch begins that starts within and lasts to the end, if any."""
        index = bisect_right(self.starts, end - 1) - 1
        if index >= 0 and start < self.starts[index] and end <= self.ends[index]:
            return self.starts[index]
        return None

    def _upto(self, run: int) -> int:
        index = bisect_right(self.starts, run) - 1
        if index < 0:
            return 0
        return self._before[index] + min(run, self.ends[index]) - self.starts[index]
