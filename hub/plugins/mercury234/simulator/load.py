"""The load model: how many counts have run through a meter up to any second.

One count is one count of the profile, half an impulse, 1/(2A) kWh. All is whole numbers from
a hash of seed, address, channel and day, so any process comes to the same counts and no float
can disagree. A day has a total (season, weekday, weather), the total is spread over 48
half-hours by a shape with noise, and inside a half-hour the counts run evenly.

Totals of days are summed once, as far as asked; half-hours are made for a day when it is
looked at. So any count costs two look-ups, however long the history.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import accumulate, pairwise

from hub.plugins.mercury234.simulator.clock import DAY, HOUR, Calendar
from hub.plugins.mercury234.simulator.luck import digest
from hub.plugins.mercury234.simulator.options import LOADS, RATED_W, Options

CELL = 1_800
CELLS = 48
CHANNELS = ("active_import", "active_export", "reactive_import", "reactive_export")

_KEPT_DAYS = 400  # half-hours kept in memory a channel, then made anew
_KEPT_STARTS = 4_096  # likewise
_ORIGIN_DAY = date(2000, 1, 1).toordinal()

# Relative power by half-hour, given by the hour.
_SHAPES: dict[str, tuple[int, ...]] = {
    "house": (30, 26, 24, 24, 25, 32, 55, 80, 72, 55, 48, 48,
              52, 50, 46, 48, 56, 74, 96, 110, 108, 94, 68, 42),
    "flat": (28, 24, 22, 22, 22, 28, 52, 70, 54, 36, 32, 34,
             40, 38, 34, 36, 46, 70, 96, 108, 104, 92, 66, 40),
    "workshop": (14, 14, 14, 14, 14, 16, 28, 74, 108, 112, 110, 106,
                 72, 100, 110, 108, 96, 58, 32, 22, 18, 16, 14, 14),
    "sun": (0, 0, 0, 0, 0, 2, 10, 26, 48, 70, 88, 98,
            102, 98, 88, 70, 48, 26, 10, 2, 0, 0, 0, 0),
    "even": (50,) * 24,
}  # fmt: skip

# Percent of the yearly mean in the middle of each month.
_SEASONS: dict[str, tuple[int, ...]] = {
    "heating": (132, 126, 114, 98, 84, 76, 74, 76, 86, 100, 116, 128),
    "sun": (18, 34, 66, 96, 122, 134, 130, 112, 78, 46, 22, 14),
    "even": (100,) * 12,
}

# Percent by weekday, Monday first.
_WEEKS: dict[str, tuple[int, ...]] = {
    "home": (96, 95, 96, 97, 99, 112, 114),
    "work": (108, 112, 112, 110, 104, 36, 16),
    "even": (100,) * 7,
}

#: A zone of a tariff schedule: tariff 1..3 for each hour of the day.
_SCHEDULES: dict[int, tuple[int, ...]] = {
    1: (1,) * 24,
    2: (2,) * 7 + (1,) * 16 + (2,),
    3: (2,) * 7 + (1,) * 3 + (3,) * 7 + (1,) * 4 + (3,) * 2 + (2,),
}


def schedule(tariffs: int) -> tuple[int, ...]:
    """Return the tariff of each half-hour of the face: 2 day/night, 3 peak/night/half-peak."""
    return tuple(tariff for tariff in _SCHEDULES[tariffs] for _ in range(2))


@dataclass(frozen=True, slots=True)
class Consumer:
    """What runs through one channel: shape, season, week, and the mean power in W."""

    shape: str
    season: str
    week: str
    mean_w: int


def choose(options: Options, seed: int, address: int) -> tuple[str, dict[int, Consumer]]:
    """Choose the load of a meter and what its channels carry; an absent channel is idle."""
    luck = digest("consumer", seed, address)
    kinds = LOADS if options.directions == 2 else LOADS[:3]
    kind = options.load or kinds[luck[0] % len(kinds)]
    rated = RATED_W[options.constant]
    if kind == "workshop":
        mean, shape, season, week, phi = 80 + luck[1] % 60, "workshop", "even", "work", 55
    elif kind == "flat":
        mean, shape, season, week, phi = 25 + luck[1] % 30, "flat", "even", "home", 22
    else:
        mean, shape, season, week, phi = 55 + luck[1] % 90, "house", "heating", "home", 28
    taken = rated * mean // 1000
    channels = {
        0: Consumer(shape, season, week, taken),
        2: Consumer(shape, season, week, taken * (phi + luck[2] % 12) // 100),
        3: Consumer("even", "even", "even", max(1, taken * (2 + luck[3] % 3) // 100)),
    }
    if kind == "pv":
        channels[1] = Consumer("sun", "sun", "even", rated * (90 + luck[4] % 60) // 1000)
    if options.directions == 1:
        channels.pop(1, None)
        channels.pop(3, None)
    return kind, channels


class ChannelLoad:
    """Counts of one load by the run second, as if the power had never been off."""

    def __init__(
        self, consumer: Consumer, *, key: str, constant: int, first_day: int,
        calendar: Calendar, zones: tuple[int, ...],
    ) -> None:  # fmt: skip
        self._consumer = consumer
        self._key = key
        self._daily = consumer.mean_w * 24 * 2 * constant  # thousandths of a count a day
        self._shape = tuple(v for v in _SHAPES[consumer.shape] for _ in range(2))
        self._first = first_day
        self._calendar = calendar
        self._zones = zones
        self._totals = [0]
        self._by_tariff: dict[int, list[int]] = {tariff: [0] for tariff in sorted(set(zones))}
        self._by_shift: dict[int, tuple[int, list[dict[int, int]]]] = {}
        self._days: dict[int, array[int]] = {}
        self._tariff_days: dict[tuple[int, int], array[int]] = {}
        self._before: dict[tuple[int, int], int] = {}

    def between(self, start: int, end: int, tariff: int = 0, shift: int = 0) -> int:
        """Return counts from one run second to another; tariff 0 is all of them.

        ``shift`` is how far the clock, which turns the tariffs, is ahead of the run.
        """
        if tariff and shift:
            before = self._shifted(start, tariff, shift)
            return self._shifted(end, tariff, shift) - before
        known = self._before.get((start, tariff))
        if known is None:
            if len(self._before) >= _KEPT_STARTS:
                self._before.clear()
            known = self._before[start, tariff] = self.upto(start, tariff)
        return self.upto(end, tariff) - known

    def upto(self, run: int, tariff: int = 0) -> int:
        """Return counts before a run second since the first day, by a clock without a shift."""
        day, second = divmod(run, DAY)
        if day < self._first:
            return 0
        cell, rest = divmod(second, CELL)
        if tariff == 0:
            before, counts = self._total_before(day), self._day(day)
        elif tariff in self._by_tariff:
            before, counts = self._tariff_before(day, tariff), self._tariff_day(day, tariff)
        else:
            return 0
        return before + counts[cell] + (counts[cell + 1] - counts[cell]) * rest // CELL

    def _total_of(self, day: int, luck: bytes) -> int:
        on = date.fromordinal(_ORIGIN_DAY + day)
        season = _SEASONS[self._consumer.season]
        # Between the middles of two months the season goes in a straight line.
        share = (on.day - 16) * 100 // 31
        beside = season[(on.month - 1 + (1 if share >= 0 else -1)) % 12]
        level = season[on.month - 1] * (100 - abs(share)) + beside * abs(share)
        week = _WEEKS[self._consumer.week][on.weekday()]
        weather = 820 + int.from_bytes(luck[60:62], "little") % 361
        return self._daily * level * week * weather // (1_000 * 10_000 * 100 * 1_000)

    def _luck(self, day: int) -> bytes:
        return blake2b(f"{self._key}/{day}".encode("ascii")).digest()

    def _make_day(self, day: int) -> "array[int]":
        luck = self._luck(day)
        total = self._total_of(day, luck)
        weights = list(
            accumulate((s * (128 + n) for s, n in zip(self._shape, luck, strict=False)), initial=0)
        )
        return array("q", [total * weight // weights[-1] for weight in weights])

    def _day(self, day: int) -> "array[int]":
        counts = self._days.get(day)
        if counts is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            counts = self._days[day] = self._make_day(day)
        return counts

    def _tariff_day(self, day: int, tariff: int) -> "array[int]":
        """Return the counts of a tariff before each half-hour of a day."""
        counts = self._tariff_days.get((day, tariff))
        if counts is None:
            if len(self._tariff_days) >= _KEPT_DAYS:
                self._tariff_days.clear()
            whole = self._day(day)
            parts = (
                after - before if zone == tariff else 0
                for zone, (before, after) in zip(self._zones_of(day), pairwise(whole), strict=True)
            )
            counts = self._tariff_days[day, tariff] = array("q", accumulate(parts, initial=0))
        return counts

    def _total_before(self, day: int) -> int:
        index = day - self._first
        while len(self._totals) <= index:
            known = self._first + len(self._totals) - 1
            self._totals.append(self._totals[-1] + self._total_of(known, self._luck(known)))
        return self._totals[index]

    def _tariff_before(self, day: int, tariff: int) -> int:
        if len(self._by_tariff) == 1:
            return self._total_before(day)
        index = day - self._first
        known = self._by_tariff[tariff]
        while len(known) <= index:
            current = self._first + len(known) - 1
            counts = self._days.get(current) or self._make_day(current)
            sums = dict.fromkeys(self._by_tariff, 0)
            for zone, start, end in _runs(self._zones_of(current)):
                sums[zone] += counts[end] - counts[start]
            for zone, upto in self._by_tariff.items():
                upto.append(upto[-1] + sums[zone])
        return known[index]

    def _shifted(self, run: int, tariff: int, shift: int) -> int:
        """Return counts of a tariff by a shifted clock, from some day of it on."""
        day = (run + shift) // DAY
        first, known = self._by_shift.setdefault(shift, (day, [{}]))
        if day < first:
            first, known = self._by_shift[shift] = (day, [{}])
        while len(known) <= day - first:
            upto = dict(known[-1])
            for zone, start, end in self._stretches(first + len(known) - 1, shift):
                upto[zone] = upto.get(zone, 0) + self.upto(end) - self.upto(start)
            known.append(upto)
        counts = known[day - first].get(tariff, 0)
        for zone, start, end in self._stretches(day, shift):
            if zone == tariff and start < run:
                counts += self.upto(min(run, end)) - self.upto(start)
        return counts

    def _stretches(self, day: int, shift: int) -> Iterator[tuple[int, int, int]]:
        """Give tariff, first run second, one past the last, of a day by a shifted clock."""
        start = day * DAY - shift
        for zone, first, past in _runs(self._zones_of(day)):
            yield zone, start + first * CELL, start + past * CELL

    def _zones_of(self, day: int) -> tuple[int, ...]:
        """Return the tariff of each half-hour of a day of the clock; the face turns it."""
        start = day * DAY
        if not self._calendar.seasons:
            return self._zones
        summer = (self._calendar.is_summer(start), self._calendar.is_summer(start + DAY - 1))
        if summer == (False, False):
            return self._zones
        turn = HOUR // CELL
        turned = self._zones[turn:] + self._zones[:turn]
        if summer == (True, True):
            return turned
        return tuple(
            (turned if self._calendar.is_summer(start + i * CELL) else self._zones)[i]
            for i in range(CELLS)
        )


def _runs(zones: tuple[int, ...]) -> Sequence[tuple[int, int, int]]:
    """(tariff, first half-hour, one past the last) of each stretch of a day."""
    runs = _RUNS.get(zones)
    if runs is None:
        edges = [0, *(i for i in range(1, CELLS) if zones[i] != zones[i - 1]), CELLS]
        runs = _RUNS[zones] = [(zones[a], a, b) for a, b in pairwise(edges)]
    return runs


_RUNS: dict[tuple[int, ...], Sequence[tuple[int, int, int]]] = {}
