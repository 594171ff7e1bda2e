"""The load profile as pages show it: exact sums by day, week, month and zone.

Energy is primary kWh (kvarh for the reactive channels) as ``Fraction``: counts x scale x ratios x
loss, in the order P+ P- Q+ Q-; ``None`` is no value, never zero. Every sum says of how many slots
it is made. Slots are counted in the finest period of the point, 30 minutes as a rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any

from corefast.profile import aggregate
from hub.domain.calendar import Level, day_starts, instant_of, minute_of, slot_at
from hub.domain.series import ESTIMATED, MANUAL, NO_VALUE, PARTIAL
from hub.domain.tariffs import Runs, runs
from hub.errors import Missing
from hub.services.clock import utc_now
from hub.services.kept import Kept
from hub.services.pieces import CHANNELS, DEFAULT_ZONE, PLAIN, Load, Loading, Piece, gather
from hub.services.slots import Columns, Energy, SlotView, columns_of, slot_views
from hub.store import points as stored
from hub.store.unit import Store, Unit

ZERO = Fraction(0)
LONGEST_SPAN = timedelta(days=3660)
MOST_SLOT_DAYS = timedelta(days=100)  # of single slots; longer spans are looked at by day


@dataclass(frozen=True, slots=True)
class Peak:
    """The slot with the most P+ of a span."""

    start_at: datetime
    minutes: int
    energy: Fraction  # kWh

    @property
    def power(self) -> Fraction:
        """Mean power of the slot, kW."""
        return self.energy * 60 / self.minutes


@dataclass(frozen=True, slots=True)
class Sum:
    """Energy of a local day, week, month or span, and of how many slots it is made.

    ``slots``: all it has; ``expected``: ended by now and since the first meter was installed;
    ``measured``: with a value that counts, of which ``partial``, ``estimated`` and ``manual``.
    ``damaged``: a stored block that belongs to it can't be read.
    """

    first: date
    last: date
    start_at: datetime
    end_at: datetime
    slots: int
    expected: int
    measured: int
    partial: int
    estimated: int
    manual: int
    damaged: bool
    energy: Energy
    zones: Mapping[str, Energy]
    peak: Peak | None

    @property
    def missing(self) -> int:
        return max(self.expected - self.measured, 0)

    @property
    def complete(self) -> bool:
        return self.measured >= self.expected and not self.partial


@dataclass(frozen=True, slots=True)
class ProfileSums:
    """A point's sums over a span of local days, both ends included."""

    point_id: int
    time_zone: str
    minutes: int
    zones: tuple[str, ...]
    channels: tuple[int, ...]  # which of P+ P- Q+ Q- exist here
    sources: tuple[str, ...]
    items: tuple[Sum, ...]
    total: Sum
    peak: Peak | None


class Profiles:
    """Reads profiles for their owner; ``Missing`` for anybody else's point."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def days(self, user_id: int, point_id: int, first: date, last: date) -> ProfileSums:
        return self.sums(user_id, point_id, first, last, Level.DAY)

    def weeks(self, user_id: int, point_id: int, first: date, last: date) -> ProfileSums:
        return self.sums(user_id, point_id, first, last, Level.WEEK)

    def months(self, user_id: int, point_id: int, first: date, last: date) -> ProfileSums:
        return self.sums(user_id, point_id, first, last, Level.MONTH)

    def sums(
        self, user_id: int, point_id: int, first: date, last: date, level: Level
    ) -> ProfileSums:
        """Sum the local days ``first`` to ``last`` by day, week or month."""
        with self.store.read() as unit:
            load = self.load(unit, user_id, point_id, first, last)
        return summed(load, first, last, level, self.clock())

    def slots(
        self, user_id: int, point_id: int, first: date, last: date, step: int = 30
    ) -> list[SlotView]:
        """Every slot of the span in steps of ``step`` minutes, with or without a value.

        A coarser meter keeps its own period. Missing for more than 100 days.
        """
        _check_slots(first, last)
        with self.store.read() as unit:
            load = self.load(unit, user_id, point_id, first, last)
        return slot_views(load, first, last, step, self.clock())

    def columns(
        self, user_id: int, point_id: int, first: date, last: date, step: int = 30
    ) -> Columns:
        """Give the same slots for a chart."""
        _check_slots(first, last)
        with self.store.read() as unit:
            load = self.load(unit, user_id, point_id, first, last)
        return columns_of(load, first, last, step, self.clock())

    def load(self, unit: Unit, user_id: int, point_id: int, first: date, last: date) -> Load:
        """Load a point's pieces; for services that show several things from one unit."""
        row = stored.one(unit, user_id, point_id)
        if row is None:
            raise Missing
        starts = span_minutes(row.time_zone or DEFAULT_ZONE, first, last)
        return gather(unit, [row], *starts)[0]


def _check_slots(first: date, last: date) -> None:
    if last - first >= MOST_SLOT_DAYS:
        raise Missing("More than 100 days are shown by day, not by half-hour; choose fewer.")


def span_minutes(time_zone: str, first: date, last: date) -> tuple[int, int]:
    """Minutes of a span of local days. Raises Missing for one that is turned round or too long."""
    if last < first or last - first > LONGEST_SPAN:
        raise Missing("The span of days is empty or longer than ten years; choose another.")
    return day_starts(time_zone, first, first)[0], day_starts(time_zone, last, last)[1]


# -- sums --------------------------------------------------------------------------------------


class Tally:
    """Whole counts by key for each factor; multiplied once, when asked."""

    __slots__ = ("counts", "groups", "n_keys")

    def __init__(self, n_keys: int) -> None:
        self.n_keys = n_keys
        self.groups: dict[tuple[Fraction, tuple[int, ...]], tuple[list[list[int]], list[int]]] = {}
        self.counts = [0] * n_keys

    def add(self, piece: Piece, sums: list[list[int]], counts: list[int], weight: int) -> None:
        """Join what one call of aggregate gave; a slot stands for ``weight`` of the point's."""
        key = (piece.factor, piece.held.channels)
        if key in self.groups:
            old_sums, old_counts = self.groups[key]
            sums = [
                [a + b for a, b in zip(old, new, strict=True)]
                for old, new in zip(old_sums, sums, strict=True)
            ]
            self.groups[key] = (
                sums,
                [a + b for a, b in zip(old_counts, counts, strict=True)],
            )
        else:
            self.groups[key] = (sums, counts)
        self.counts = [a + b * weight for a, b in zip(self.counts, counts, strict=True)]

    def energy(self, keys: range) -> Energy:
        """Energy of these keys together; None for a channel that has no slot in them."""
        found: list[Fraction | None] = [None] * CHANNELS
        part = slice(keys.start, keys.stop, keys.step)
        for (factor, channels), (sums, counts) in self.groups.items():
            if not any(counts[part]):
                continue
            rows = sums[part]
            wholes = rows[0] if len(rows) == 1 else list(map(sum, zip(*rows, strict=True)))
            for channel, whole in zip(channels, wholes, strict=True):
                value = Fraction(whole * factor.numerator, factor.denominator) if whole else ZERO
                old = found[channel]
                found[channel] = value if old is None else old + value
        return (found[0], found[1], found[2], found[3])


def summed(load: Load, first: date, last: date, level: Level, now: datetime) -> ProfileSums:
    """Sum a loaded point; pure."""
    cut = runs(load.schedule, load.time_zone, first, last, load.minutes, level)
    tally = Tally(cut.n_keys)
    marks = [[0, 0, 0] for _ in cut.buckets]
    for piece in load.pieces:
        own = cut if piece.minutes == load.minutes else _again(load, piece, first, last, level)
        _sum_piece(tally, marks, piece, own, piece.minutes // load.minutes)
    end = minute_of(now) // load.minutes
    since = slot_at(load.since, load.minutes)
    broken = {day for piece in load.pieces for day in piece.held.damaged}
    zones = len(cut.zones)
    due = (since, end)
    peaks = Peaks(load.pieces)
    items = tuple(
        _sum(
            load,
            cut,
            tally,
            keys=range(index * zones, (index + 1) * zones),
            marks=marks[index],
            slots=(cut.bucket_slots[index], cut.bucket_slots[index + 1]),
            days=(bucket.first, bucket.last),
            due=due,
            broken=broken,
            peak=peaks.of(*(slot * load.minutes for slot in cut.bucket_slots[index : index + 2])),
        )
        for index, bucket in enumerate(cut.buckets)
    )
    total = _sum(
        load,
        cut,
        tally,
        keys=range(cut.n_keys),
        marks=[sum(row[place] for row in marks) for place in range(3)],
        slots=(cut.first_slot, cut.end_slot),
        days=(first, last),
        due=due,
        broken=broken,
        peak=reduce(higher, (item.peak for item in items), None),
    )
    return ProfileSums(
        point_id=load.row.id,
        time_zone=load.time_zone,
        minutes=load.minutes,
        zones=cut.zones,
        channels=load.channels,
        sources=load.sources(cut.first_slot * load.minutes, cut.end_slot * load.minutes),
        items=items,
        total=total,
        peak=total.peak,
    )


_KEPT: Kept[ProfileSums] = Kept(256)


def sums_in(loading: Loading, first: date, last: date, level: Level, now: datetime) -> ProfileSums:
    """Sum a point as `summed` does, or give what was summed of the same before."""
    key = (first, last, level, *loading.known.key(minute_of(now)))
    return _KEPT.get(key, lambda: summed(loading.load, first, last, level, now))


def _again(load: Load, piece: Piece, first: date, last: date, level: Level) -> Runs:
    return runs(load.schedule, load.time_zone, first, last, piece.minutes, level)


def _sum_piece(tally: Tally, marks: list[list[int]], piece: Piece, cut: Runs, weight: int) -> None:
    start, end = max(piece.start, cut.first_slot), min(piece.end, cut.end_slot)
    if start >= end:
        return
    origin = piece.held.origin
    bounds, keys = cut.within(origin, start, end)
    flags = memoryview(piece.flags).cast("B", (1, len(piece.flags)))
    sums, counts = aggregate(piece.held.values, flags, bounds, keys, cut.n_keys)
    by_key: Any = sums.tolist()  # one series: its rows of sums by key
    slots: Any = counts.tolist()
    tally.add(piece, by_key[0], slots[0], weight)
    if piece.flags.translate(None, PLAIN):
        for index, (low, high) in enumerate(
            zip(cut.bucket_slots, cut.bucket_slots[1:], strict=False)
        ):
            window = piece.flags[max(low, start) - origin : max(min(high, end) - origin, 0)]
            for place, bit in enumerate((PARTIAL, ESTIMATED, MANUAL)):
                marks[index][place] += weight * sum(
                    window.count(flag) for flag in _with_bit(bit) if flag in window
                )


@lru_cache(maxsize=8)
def _with_bit(bit: int) -> tuple[int, ...]:
    """List the flags of slots that count and carry this bit."""
    return tuple(flag for flag in range(256) if flag & bit and not flag & NO_VALUE)


def _sum(
    load: Load,
    cut: Runs,
    tally: Tally,
    *,
    keys: range,
    marks: list[int],
    slots: tuple[int, int],
    days: tuple[date, date],
    due: tuple[int, int],
    broken: set[int],
    peak: Peak | None,
) -> Sum:
    zones = len(cut.zones)
    low, high = slots[0] * load.minutes, slots[1] * load.minutes
    one_zone = zones == 1
    energy = tally.energy(keys)
    return Sum(
        first=days[0],
        last=days[1],
        start_at=instant_of(low),
        end_at=instant_of(high),
        slots=slots[1] - slots[0],
        expected=max(min(slots[1], due[1]) - max(slots[0], due[0]), 0),
        measured=sum(tally.counts[keys.start : keys.stop]),
        partial=marks[0],
        estimated=marks[1],
        manual=marks[2],
        damaged=any(low < (day + 1) * 1440 and high > day * 1440 for day in broken),
        energy=energy,
        zones={
            name: energy if one_zone else tally.energy(keys[place::zones])
            for place, name in enumerate(cut.zones)
        },
        peak=peak,
    )


class Peaks:
    """Finds the slot with the most P+ of a span; the earliest of equals."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        # of each piece that has P+: its counts in a row, -1 where there is no value
        self.rows: list[tuple[Piece, list[int]]] = []
        for piece in pieces:
            held = piece.held
            if 0 not in held.channels:
                continue
            low, high, wide = piece.start - held.origin, piece.end - held.origin, len(held.channels)
            flat = held.values.cast("B").cast("I")
            counts = flat[low * wide + held.channels.index(0) : high * wide : wide].tolist()
            flags = piece.flags[low:high]
            if flags.translate(None, b"\0"):  # such without a value must not win
                counts = [
                    -1 if flag & NO_VALUE else count
                    for count, flag in zip(counts, flags, strict=True)
                ]
            self.rows.append((piece, counts))

    def of(self, first: int, end: int) -> Peak | None:
        """Look at the slots that begin from minute ``first`` up to, not including, ``end``."""
        best: Peak | None = None
        for piece, counts in self.rows:
            low = max(slot_at(first, piece.minutes) - piece.start, 0)
            window = counts[low : max(slot_at(end, piece.minutes) - piece.start, 0)]
            most = max(window, default=-1)
            if most >= 0:
                at = instant_of((piece.start + low + window.index(most)) * piece.minutes)
                best = higher(best, Peak(at, piece.minutes, most * piece.factor))
        return best


def higher(one: Peak | None, other: Peak | None) -> Peak | None:
    """Give the peak with more power; of equals the earlier."""
    if one is None or other is None:
        return one or other
    mine, its = one.energy, other.energy
    if one.minutes != other.minutes:
        mine, its = one.power, other.power
    return other if (its, one.start_at) > (mine, other.start_at) else one
