"""Energy registers, cut out of the same counts as the profile.

A register in Wh is the whole part of counts * 1000 / (2A). Since reset, each tariff is cut by
itself, and so is the sum: T1..T4 together may be up to 3 Wh below the sum, never above.
A register of a span (day, month, year) is the register at its end minus that at its start, so
"start of today" + "today" = "since reset" always, and the remainder below 1 Wh is carried.
The registers of each phase are cut by themselves too. Technical losses (tariff 5) are a fixed
part of the counts, or zero where this execution does not reckon them. After a reset all starts
at zero: what lay before it is in no register.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

from hub.plugins.mercury234.simulator.clock import Calendar
from hub.plugins.mercury234.simulator.counter import Counter
from hub.plugins.mercury234.simulator.timeline import Timeline

Four = tuple[int | None, int | None, int | None, int | None]

SUM = 0
LOSSES = 5

_RESET, _YEAR, _LAST_YEAR, _MONTH, _DAY, _YESTERDAY = range(6)
_AT_YEAR, _AT_LAST_YEAR, _AT_MONTH, _AT_DAY, _AT_YESTERDAY = range(0x9, 0xE)

#: Losses, in thousandths of what runs: in the line for A+ and A-, in the iron for R+ and R-.
_LOSS_SHARES = (21, 21, 34, 34)


class Losses:
    """Technical losses by channel, as counts."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.metered = counter.metered

    def upto(self, channel: int, run: int, tariff: int = 0) -> int:
        """Return counts from initialisation to a run second."""
        return self._counter.upto(channel, run, tariff) * _LOSS_SHARES[channel] // 1000


class Registers:
    """The registers of one meter at any instant."""

    def __init__(
        self, counter: Counter, losses: Losses | None, calendar: Calendar, timeline: Timeline,
        constant: int,
    ) -> None:  # fmt: skip
        self._counter = counter
        self._losses = losses
        self._calendar = calendar
        self._timeline = timeline
        self._per_kwh = 2 * constant
        self._resets = [0]

    def reset(self, run: int) -> None:
        """Set all registers to zero."""
        self._resets.append(run)

    def since_reset(self, run: int, tariff: int = SUM, *, now: int | None = None) -> Four:
        """Return A+, A-, R+, R- in Wh and varh at a run second; None where not metered.

        ``now``: counted from the last reset before that, if not before ``run`` itself.
        """
        since = self._reset_before(run if now is None else now)
        first, second, third, fourth = (
            self._whole(channel, since, run, tariff) if metered else None
            for channel, metered in enumerate(self._counter.metered)
        )
        return first, second, third, fourth

    def read(self, array: int, month: int, tariff: int, now: int) -> Four | None:
        """Return the register that code 05 names, None if there is no such array or month."""
        span = self.span(array, month, now)
        if span is None:
            return None
        start, end = span
        at_end = self.since_reset(end, tariff, now=now)
        if start is None:
            return at_end
        return minus(at_end, self.since_reset(start, tariff, now=now))

    def by_phase(self, run: int, tariff: int) -> tuple[int, int, int]:
        """Return A+ since reset of L1, L2, L3 in Wh; together up to 3 Wh below the register."""
        since = self._reset_before(run)
        upto = self._counter.phase_upto
        first, second, third = (
            (upto(phase, run, tariff) - upto(phase, since, tariff)) * 1000 // self._per_kwh
            for phase in (1, 2, 3)
        )
        return first, second, third

    def quadrants(self, array: int, month: int, tariff: int, now: int) -> Four | None:
        """R1..R4: what code 15h names. R+ runs in the first quadrant, R- in the fourth."""
        four = self.read(array, month, tariff, now)
        if four is None:
            return None
        unused = None if four[3] is None else 0
        return four[2], unused, unused, four[3]

    def span(self, array: int, month: int, now: int) -> tuple[int | None, int] | None:
        """Return runs at the start (None: reset) and end of an array."""
        shown = self._timeline.clock(now)
        days = _days(array, month, self._calendar.face(shown).date())
        if days is None:
            return None

        def midnight(day: date) -> int:
            clock = self._calendar.midnight(day)
            return self._timeline.at_clock(clock, now) if clock < shown else now

        start, end = days
        return None if start is None else midnight(start), now if end is None else midnight(end)

    def _reset_before(self, run: int) -> int:
        return self._resets[bisect_right(self._resets, run) - 1]

    def _whole(self, channel: int, since: int, run: int, tariff: int) -> int:
        if run <= since:
            return 0
        counted: Counter | Losses = self._counter
        if tariff == LOSSES:
            if self._losses is None:
                return 0
            counted, tariff = self._losses, SUM
        counts = counted.upto(channel, run, tariff)
        if since:
            counts -= counted.upto(channel, since, tariff)
        return counts * 1000 // self._per_kwh


def _days(array: int, month: int, today: date) -> tuple[date | None, date | None] | None:
    """Return the days at whose midnights an array starts (None: reset) and ends (None: now)."""
    if array in {_MONTH, _AT_MONTH}:
        if not 1 <= month <= 12:
            return None
        first = date(today.year - (month > today.month), month, 1)
        return (first, _following(first)) if array == _MONTH else (None, first)
    yesterday = today - timedelta(days=1)
    this_year = date(today.year, 1, 1)
    last_year = date(today.year - 1, 1, 1)
    days: dict[int, tuple[date | None, date | None]] = {
        _RESET: (None, None),
        _YEAR: (this_year, None),
        _LAST_YEAR: (last_year, this_year),
        _DAY: (today, None),
        _YESTERDAY: (yesterday, today),
        _AT_YEAR: (None, this_year),
        _AT_LAST_YEAR: (None, last_year),
        _AT_DAY: (None, today),
        _AT_YESTERDAY: (None, yesterday),
    }
    return None if month else days.get(array)


def _following(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def minus(end: Sequence[int | None], start: Sequence[int | None]) -> Four:
    first, second, third, fourth = (
        None if a is None or b is None else a - b for a, b in zip(end, start, strict=True)
    )
    return first, second, third, fourth
