"""How the meter's clock runs: fast or slow, slowed down, put forward, set.

Two axes. The *run* counts the seconds that the clock has ticked since 2000-01-01: it goes on
through outages, never jumps, and everything that happened to a meter is dated by it. The
*clock* is what is shown: the run plus a shift that changes when somebody moves the clock. A
third time, the *right* one of `Calendar.right`, is the world's.
"""

from bisect import bisect_right

BILLION = 1_000_000_000


class Timeline:
    """The course of one clock; what was, never changes, new turns are added at the end.

    Args:
        ahead: seconds that the clock is ahead of the right time at first.

    """

    def __init__(self, ahead: int) -> None:
        # From a right second on: the run then and its rate, both in billionths.
        self._rights = [0]
        self._marks = [(ahead * BILLION, BILLION)]
        self.runs = [0]
        self.shifts = [0]

    def run(self, right: int) -> int:
        """Return the run at a right second, rounded down."""
        return self._billionths(right) // BILLION

    def clock(self, run: int) -> int:
        """Return what the clock counts at a run second."""
        return run + self.shift(run)

    def shift(self, run: int) -> int:
        if run >= self.runs[-1]:
            return self.shifts[-1]
        return self.shifts[max(0, bisect_right(self.runs, run) - 1)]

    def at_clock(self, clock: int, run: int) -> int:
        """Return the run second up to ``run`` at which the clock last came to this; else 0.

        A second that was jumped over was come to at the jump.
        """
        end = run
        for at in range(bisect_right(self.runs, run) - 1, -1, -1):
            start, shift = self.runs[at], self.shifts[at]
            if start + shift <= clock <= end + shift:
                return clock - shift
            if at and start + self.shifts[at - 1] < clock < start + shift:
                return start
            end = start
        return 0

    def pace(self, right: int, rate: int) -> None:
        """Let the clock run at so many billionths of the right pace from now on."""
        self._marks.append((self._billionths(right), rate))
        self._rights.append(right)

    def move(self, run: int, seconds: int) -> None:
        """Put the clock forward, or back, by so many seconds."""
        self.shifts.append(self.shifts[-1] + seconds)
        self.runs.append(run)

    def _billionths(self, right: int) -> int:
        at = len(self._rights) - 1
        if right < self._rights[at]:
            at = max(0, bisect_right(self._rights, right) - 1)
        run, rate = self._marks[at]
        return run + (right - self._rights[at]) * rate
