"""Energy registers, cut out of the same counts as the profile.

A register in Wh is the whole part of counts * 1000 / (2A). Since reset, each tariff is cut by
itself, and so is the sum: T1..T4 together may be up to 3 Wh below the sum, never above.
A register of a span (day, month, year) is the register at its end minus that at its start, so
"start of today" + "today" = "since reset" always, and the remainder below 1 Wh is carried.
Technical losses (tariff 5) are not reckoned by this execution and stay at zero.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from hub.plugins.mercury234.simulator.clock import Calendar
from hub.plugins.mercury234.simulator.load import Counter

Four = tuple[int | None, int | None, int | None, int | None]

SUM = 0

_RESET, _YEAR, _LAST_YEAR, _MONTH, _DAY, _YESTERDAY = range(6)
_AT_YEAR, _AT_LAST_YEAR, _AT_MONTH, _AT_DAY, _AT_YESTERDAY = range(0x9, 0xE)

#: Shares of A+ by phase, percent; the last phase takes the rest.
_PHASE_SHARES = (38, 33)


class Registers:
    """The registers of one meter at any instant."""

    def __init__(self, counter: Counter, calendar: Calendar, constant: int) -> None:
        self._counter = counter
        self._calendar = calendar
        self._per_kwh = 2 * constant

    def since_reset(self, standard: int, tariff: int = SUM) -> Four:
        """Return A+, A-, R+, R- in Wh and varh at a standard second; None where not metered."""
        first, second, third, fourth = (
            self._whole(self._counter.upto(channel, standard, tariff)) if metered else None
            for channel, metered in enumerate(self._counter.metered)
        )
        return first, second, third, fourth

    def read(self, array: int, month: int, tariff: int, now: int) -> Four | None:
        """Return the register that code 05 names, None if there is no such array or month."""
        span = self.span(array, month, now)
        if span is None:
            return None
        start, end = span
        at_end = self.since_reset(end, tariff)
        return at_end if start is None else minus(at_end, self.since_reset(start, tariff))

    def by_phase(self, standard: int, tariff: int) -> tuple[int, int, int]:
        """Return A+ since reset of L1, L2, L3 in Wh; together exactly the register."""
        whole = self.since_reset(standard, tariff)[0] or 0
        first, second = (whole * share // 100 for share in _PHASE_SHARES)
        return first, second, whole - first - second

    def quadrants(self, array: int, month: int, tariff: int, now: int) -> Four | None:
        """R1..R4: what code 15h names. R+ runs in the first quadrant, R- in the fourth."""
        four = self.read(array, month, tariff, now)
        if four is None:
            return None
        unused = None if four[3] is None else 0
        return four[2], unused, unused, four[3]

    def span(self, array: int, month: int, now: int) -> tuple[int | None, int] | None:
        """Return standard seconds at the start (None: reset) and end of an array."""
        today = self._calendar.face(now).date()
        midnight = self._calendar.midnight
        if array in {_MONTH, _AT_MONTH}:
            if not 1 <= month <= 12:
                return None
            first = date(today.year - (month > today.month), month, 1)
            start = midnight(first)
            if array == _AT_MONTH:
                return None, start
            following = (first + timedelta(days=31)).replace(day=1)
            return start, min(now, midnight(following))
        if month != 0:
            return None
        yesterday = today - timedelta(days=1)
        this_year = date(today.year, 1, 1)
        last_year = date(today.year - 1, 1, 1)
        spans: dict[int, tuple[int | None, int]] = {
            _RESET: (None, now),
            _YEAR: (midnight(this_year), now),
            _LAST_YEAR: (midnight(last_year), midnight(this_year)),
            _DAY: (midnight(today), now),
            _YESTERDAY: (midnight(yesterday), midnight(today)),
            _AT_YEAR: (None, midnight(this_year)),
            _AT_LAST_YEAR: (None, midnight(last_year)),
            _AT_DAY: (None, midnight(today)),
            _AT_YESTERDAY: (None, midnight(yesterday)),
        }
        return spans.get(array)

    def _whole(self, counts: int) -> int:
        return counts * 1000 // self._per_kwh


def minus(end: Sequence[int | None], start: Sequence[int | None]) -> Four:
    first, second, third, fourth = (
        None if a is None or b is None else a - b for a, b in zip(end, start, strict=True)
    )
    return first, second, third, fourth
