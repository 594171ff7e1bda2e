"""Figures of the main page: what was used today and this month, against the day and month before.

Only P+ of electricity, exact kWh. A comparison counts only the half-hours that both spans have,
day by day; each figure says of how many slots it is made. All points of a contract come out of
one load: three queries and a few calls of corefast for each point.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from corefast.profile import aggregate
from hub.domain.calendar import (
    Level,
    day_starts,
    instant_of,
    local_day,
    minute_of,
    month_start,
    previous_month,
    slot_at,
)
from hub.domain.tariffs import Schedule, runs
from hub.services.ledger import Ledger, column_of, flat
from hub.services.pieces import DEFAULT_ZONE, TO_PRESENT, Load, Piece, gather, gathered, spread
from hub.store.points import InstallationRow, PointRow
from hub.store.unit import Unit

ACTIVE = 0  # P+
ELECTRICITY = "electricity"
TO_ABSENT = bytes(1 if byte == 0 else 0 for byte in range(256))


@dataclass(frozen=True, slots=True)
class Figure:
    """Energy of a span so far, and how it compares with an earlier span of the same days.

    ``now`` and ``before`` hold only slots that both spans have (``both`` of them).
    """

    first: date
    last: date
    before_first: date
    before_last: date
    energy: Fraction | None
    measured: int
    expected: int
    now: Fraction | None
    before: Fraction | None
    both: int


@dataclass(frozen=True, slots=True)
class HourUse:
    """A local hour of today. ``zones``: kWh by zone; None where nothing is known of the hour."""

    hour: int
    zones: dict[str, Fraction] | None
    yesterday: Fraction | None
    partial: bool
    future: bool


@dataclass(frozen=True, slots=True)
class PointUsage:
    """One point's month; ``days`` from the first to today, None where a day has no value.

    They are made when asked for: a list of points draws them, a page of figures does not.
    """

    point_id: int
    by_day: Ledger
    own: "Days"
    of_today: "Span"
    of_month: "Span"

    @property
    def today(self) -> Figure:
        return _figure(self.of_today, *self.own.for_today)

    @property
    def month(self) -> Figure:
        return _figure(self.of_month, *self.own.for_month)

    @property
    def days(self) -> tuple[Fraction | None, ...]:
        return self.by_day.energies()


@dataclass(frozen=True, slots=True)
class ContractUsage:
    """All points of a contract together; ``before_days`` is the whole month before, for drawing."""

    today: Figure
    month: Figure
    days: tuple[Fraction | None, ...]
    before_days: tuple[Fraction | None, ...]
    hours: tuple[HourUse, ...]
    zones: tuple[str, ...]
    points: tuple[PointUsage, ...]


@dataclass(slots=True)
class Span:
    """What a figure is made of, before it is worded as kWh."""

    so_far: Ledger
    now: Ledger
    before: Ledger
    expected: int


@dataclass(frozen=True, slots=True)
class Days:
    """Today in a point's zone and the spans that hang on it."""

    today: date
    month: date
    month_before: date
    before_last: date  # same number of days into the month before

    @classmethod
    def of(cls, zone: str, now: datetime) -> "Days":
        today = local_day(zone, now)
        month, before = month_start(today), previous_month(today)
        passed = (today - month).days
        return cls(today, month, before, min(before + timedelta(days=passed), month - _DAY))

    @property
    def for_today(self) -> tuple[tuple[date, date], tuple[date, date]]:
        """Today, and yesterday to compare it with."""
        return (self.today, self.today), (self.today - _DAY, self.today - _DAY)

    @property
    def for_month(self) -> tuple[tuple[date, date], tuple[date, date]]:
        """The month so far, and as many days of the month before."""
        return (self.month, self.today), (self.month_before, self.before_last)


_DAY = timedelta(days=1)


def usage_in(
    unit: Unit,
    rows: Sequence[PointRow],
    now: datetime,
    installed: Sequence[InstallationRow] | None = None,
) -> ContractUsage | None:
    """Load and sum the electricity points among ``rows``; None if none has a place."""
    rows = [
        row for row in rows if row.resource == ELECTRICITY and row.metering_point_id is not None
    ]
    if not rows:
        return None
    zones = {row.time_zone or DEFAULT_ZONE for row in rows}
    spans = [(zone, Days.of(zone, now)) for zone in zones]
    first = min(day_starts(zone, days.month_before, days.month_before)[0] for zone, days in spans)
    last = max(day_starts(zone, days.today, days.today)[1] for zone, days in spans)
    return usage_of(gather(unit, rows, first, last, installed), now)


@dataclass(slots=True)
class Parts:
    """What one point, or several alike, give to the figures of their contract."""

    by_day: Ledger
    before_day: Ledger
    today: Span
    month: Span
    points: list[PointUsage]


def usage_of(loads: Sequence[Load], now: datetime) -> ContractUsage:
    """Sum loaded points; pure."""
    days = Days.of(loads[0].time_zone, now)
    end = minute_of(now)
    whole = Parts(Ledger(0), Ledger(0), _span(), _span(), [])
    hours = Hours()
    for group in _alike(loads, now):
        own = Days.of(group[0].time_zone, now)
        parts = _parts_alone(group[0], own, end) if len(group) == 1 else _batch(group, own, end)
        whole.by_day.join(parts.by_day)
        whole.before_day.join(parts.before_day)
        _join(whole.today, parts.today)
        _join(whole.month, parts.month)
        whole.points += parts.points
        hours.add(group, own.today)
    places = {load.row.id: place for place, load in enumerate(loads)}
    return ContractUsage(
        today=_figure(whole.today, *days.for_today),
        month=_figure(whole.month, *days.for_month),
        days=whole.by_day.energies(),
        before_days=whole.before_day.energies(),
        hours=hours.views(loads[0], days.today, end),
        zones=tuple(sorted({zone for load in loads for zone in load.schedule.zones})),
        points=tuple(sorted(whole.points, key=lambda point: places[point.point_id])),
    )


def _alike(loads: Sequence[Load], now: datetime) -> list[list[Load]]:
    """Put together points that can be summed by one call; all others are alone."""
    groups: dict[object, list[Load]] = {}
    for load in loads:
        key: object = load.row.id
        if len(load.pieces) == 1:
            piece = load.pieces[0]
            own = Days.of(load.time_zone, now)
            first = slot_at(day_starts(load.time_zone, own.month_before, own.today)[0], 1)
            last = day_starts(load.time_zone, own.today, own.today)[1]
            start, end = piece.start * piece.minutes, piece.end * piece.minutes
            if start <= first and end >= last and _column(piece) is not None:
                key = (id(piece.held.batch), load.time_zone, load.schedule)
        groups.setdefault(key, []).append(load)
    return list(groups.values())


def _parts_alone(load: Load, own: Days, end: int) -> Parts:
    mine = _by_day(load, own.month, own.today)
    today = _compared(load, *own.for_today, end)
    month = _compared(load, *own.for_month, end)
    today.so_far = mine.only(len(mine.slots) - 1)
    month.so_far = mine.total()
    point = PointUsage(load.row.id, mine, own, today, month)
    earlier = _by_day(load, own.month_before, own.month - _DAY)
    return Parts(mine, earlier, today, month, [point])


def _batch(group: Sequence[Load], own: Days, end: int) -> Parts:
    """Sum points of one batch with one call for each question instead of one for each point."""
    whole = Parts(Ledger(0), Ledger(0), _span(), _span(), [])
    mine = _by_day_of(group, own.month, own.today)
    earlier = _by_day_of(group, own.month_before, own.month - _DAY)
    today = _compared_of(group, *own.for_today, end)
    month = _compared_of(group, *own.for_month, end)
    for place, load in enumerate(group):
        today[place].so_far = mine[place].only(len(mine[place].slots) - 1)
        month[place].so_far = mine[place].total()
        whole.points.append(PointUsage(load.row.id, mine[place], own, today[place], month[place]))
    whole.by_day.join_all(mine)
    whole.before_day.join_all(earlier)
    for into, spans in ((whole.today, today), (whole.month, month)):
        into.so_far.join_all([span.so_far for span in spans])
        into.now.join_all([span.now for span in spans])
        into.before.join_all([span.before for span in spans])
        into.expected = sum(span.expected for span in spans)
    return whole


def _by_day_of(group: Sequence[Load], first: date, last: date) -> list[Ledger]:
    """Sum each local day of each point, all zones together."""
    held = group[0].pieces[0].held
    cut = runs(_NO_ZONES, group[0].time_zone, first, last, held.minutes, Level.DAY)
    bounds, keys = cut.within(held.origin, cut.first_slot, cut.end_slot)
    return _ledgers(group, held.batch.flags, bounds, keys, cut.n_keys)


def _ledgers(
    group: Sequence[Load],
    flags: bytes,
    bounds: "array[int]",
    keys: "array[int]",
    n_keys: int,
) -> list[Ledger]:
    held = group[0].pieces[0].held
    values, slots_each = held.batch.values, len(held.flags)
    shaped = memoryview(flags).cast("B", (len(flags) // slots_each, slots_each))
    sums, counts = aggregate(values, shaped, bounds, keys, n_keys)
    column = _column(group[0].pieces[0]) or 0
    wholes = column_of(sums, column, len(held.channels))
    slots = flat(counts)
    found = []
    for load in group:
        piece = load.pieces[0]
        at = piece.held.index * n_keys
        ledger = Ledger(0)
        factor = (piece.factor.numerator, piece.factor.denominator)
        ledger.counts[factor] = wholes[at : at + n_keys]
        ledger.slots = slots[at : at + n_keys]
        found.append(ledger)
    return found


def _compared_of(
    group: Sequence[Load], days: tuple[date, date], before: tuple[date, date], end: int
) -> list[Span]:
    """Compare all points at once if the two spans lie beside each other as a whole.

    All flags are one long number, so that moving one span onto the other is a shift; what moves
    across from the next series lies outside of the slots that are summed.
    """
    zone, minutes = group[0].time_zone, group[0].minutes
    starts = [slot_at(at, minutes) for at in day_starts(zone, *days)]
    earlier = [slot_at(at, minutes) for at in day_starts(zone, *before)]
    due = max(min(starts[-1], end // minutes), starts[0])
    beside = _beside(starts, earlier, due)
    if len(beside) != 1:
        return [_compared(load, days, before, end) for load in group]
    low, other, count = beside[0]
    held = group[0].pieces[0].held
    flags = held.batch.flags
    size = len(flags)
    number = int.from_bytes(flags, "little")
    shift = 8 * (low - other)
    mask = (1 << 8 * size) - 1
    pairs = []
    for at, moved in ((low, number << shift & mask), (other, number >> shift)):
        both = (number | moved).to_bytes(size, "little")
        bounds = array("i", [at - held.origin, at - held.origin + count])
        pairs.append(_ledgers(group, both, bounds, _FIRST_KEY, 1))
    return [
        Span(Ledger(1), now, was, max(due - max(starts[0], slot_at(load.since, minutes)), 0))
        for load, now, was in zip(group, *pairs, strict=True)
    ]


def _span() -> Span:
    return Span(Ledger(1), Ledger(1), Ledger(1), 0)


def _join(into: Span, more: Span) -> None:
    into.so_far.join(more.so_far)
    into.now.join(more.now)
    into.before.join(more.before)
    into.expected += more.expected


def _figure(span: Span, days: tuple[date, date], before: tuple[date, date]) -> Figure:
    return Figure(
        *days,
        *before,
        energy=span.so_far.energy(0),
        measured=span.so_far.slots[0],
        expected=span.expected,
        now=span.now.energy(0),
        before=span.before.energy(0),
        both=span.now.slots[0],
    )


def _column(piece: Piece) -> int | None:
    channels = piece.held.channels
    return channels.index(ACTIVE) if ACTIVE in channels else None


def _by_day(load: Load, first: date, last: date) -> Ledger:
    """Sum each local day, all zones together."""
    found = Ledger((last - first).days + 1)
    for piece in load.pieces:
        column = _column(piece)
        cut = runs(_NO_ZONES, load.time_zone, first, last, piece.minutes, Level.DAY)
        start, end = max(piece.start, cut.first_slot), min(piece.end, cut.end_slot)
        if column is None or start >= end:
            continue
        bounds, keys = cut.within(piece.held.origin, start, end)
        flags = memoryview(piece.flags).cast("B", (1, len(piece.flags)))
        sums, counts = aggregate(piece.held.values, flags, bounds, keys, cut.n_keys)
        found.add(
            piece.factor, column_of(sums, column, len(piece.held.channels)), flat(counts),
            piece.minutes // load.minutes,
        )  # fmt: skip
    return found


_NO_ZONES = Schedule()


# -- comparison --------------------------------------------------------------------------------


def _compared(load: Load, days: tuple[date, date], before: tuple[date, date], end: int) -> Span:
    """Sum the slots that both spans have; day is laid beside day from its own midnight."""
    span = _span()
    minutes = load.minutes
    since = slot_at(load.since, minutes)
    starts = [slot_at(at, minutes) for at in day_starts(load.time_zone, *days)]
    due = max(min(starts[-1], end // minutes), starts[0])
    span.expected = max(due - max(starts[0], since), 0)
    earlier = [slot_at(at, minutes) for at in day_starts(load.time_zone, *before)]
    for low, other, count in _beside(starts, earlier, due):
        both = _present(load, low, count) & _present(load, other, count)
        if both:
            absent = both.to_bytes(count, "little").translate(TO_ABSENT)
            for at, ledger in ((low, span.now), (other, span.before)):
                for piece in load.pieces:
                    _add_masked(ledger, load, piece, at, absent)
    return span


def _beside(starts: Sequence[int], earlier: Sequence[int], due: int) -> list[tuple[int, int, int]]:
    """Pair up stretches of slots, as long as possible; usually the whole span is one."""
    joined: list[tuple[int, int, int]] = []
    for (low, high), (other, until) in zip(pairwise(starts), pairwise(earlier), strict=False):
        count = min(min(high, due) - low, until - other)
        if count <= 0:
            continue
        if joined:
            at, beside, so_far = joined[-1]
            if at + so_far == low and beside + so_far == other:
                joined[-1] = (at, beside, so_far + count)
                continue
        joined.append((low, other, count))
    return joined


def _present(load: Load, low: int, count: int) -> int:
    """Slots that have a value, as one number with a byte for each slot."""
    found = 0
    for piece in load.pieces:
        wide = piece.minutes // load.minutes
        start, end = max(piece.start * wide, low), min(piece.end * wide, low + count)
        if start >= end:
            continue
        first = start // wide
        window = piece.flags[first - piece.held.origin : -(-end // wide) - piece.held.origin]
        present = spread(window.translate(TO_PRESENT), wide)
        present = present[start - first * wide : end - first * wide]
        found |= int.from_bytes(present, "little") << 8 * (start - low)
    return found


def _add_masked(ledger: Ledger, load: Load, piece: Piece, low: int, absent: bytes) -> None:
    """Sum the piece's slots from ``low`` on, without those whose byte in ``absent`` is set."""
    wide = piece.minutes // load.minutes
    start, end = max(piece.start, -(-low // wide)), min(piece.end, (low + len(absent)) // wide)
    column = _column(piece)
    if start >= end or column is None:
        return
    origin = piece.held.origin
    mask = gathered(absent[start * wide - low : end * wide - low], wide)
    window = piece.flags[start - origin : end - origin]
    size = end - start
    flags = (int.from_bytes(window, "little") | int.from_bytes(mask, "little")).to_bytes(
        size, "little"
    )
    channels = len(piece.held.channels)
    raw = piece.held.values.cast("B")[
        (start - origin) * channels * 4 : (end - origin) * channels * 4
    ]
    sums, counts = aggregate(
        raw.cast("I", (1, size, channels)),
        memoryview(flags).cast("B", (1, size)),
        array("i", [0, size]),
        _FIRST_KEY,
        1,
    )
    ledger.add(piece.factor, [sums[0, 0, column]], [counts[0, 0]], wide)


_FIRST_KEY = array("i", [0])


# -- today by hour -----------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _hour_runs(
    schedule: Schedule, zone: str, day: date, minutes: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...], int]:
    """Bounds, keys (hour x zones + zone) and zones of a day by hours from its midnight."""
    cut = runs(schedule, zone, day, day, minutes, Level.DAY)
    origin = cut.first_slot * minutes
    zones = len(cut.zones)
    bounds: list[int] = []
    keys: list[int] = []
    for slot in range(cut.first_slot, cut.end_slot):
        name = cut.zones.index(cut.zone_of(slot))
        key = (slot * minutes - origin) // 60 * zones + name
        if not keys or keys[-1] != key:
            bounds.append(slot)
            keys.append(key)
    hours = -(-(cut.end_slot - cut.first_slot) * minutes // 60)
    return (*bounds, cut.end_slot), tuple(keys), cut.zones, hours


class Hours:
    """Adds up the points' hours of today and yesterday, counted from each point's midnight."""

    def __init__(self) -> None:
        # one ledger for each way to cut a day into hours and zones: usually one in all
        self.today: dict[tuple[str, ...], Ledger] = {}
        self.yesterday: dict[tuple[str, ...], Ledger] = {}

    def add(self, group: Sequence[Load], today: date) -> None:
        """Add one point, or several that can be summed by one call."""
        for day, into in ((today, self.today), (today - _DAY, self.yesterday)):
            if len(group) > 1:
                _add_hours_of(group, day, into)
            else:
                for piece in group[0].pieces:
                    _add_hours(group[0], piece, day, into)

    def views(self, load: Load, today: date, end: int) -> tuple[HourUse, ...]:
        """List today's hours; one is partial if fewer slots came than in the fullest hour."""
        begin, after = day_starts(load.time_zone, today, today)
        hours = -(-(after - begin) // 60)
        by_zone: dict[str, Ledger] = {}
        slots, yesterday = Ledger(hours), Ledger(hours)
        for zones, ledger in self.today.items():
            for place, zone in enumerate(zones):
                part = _every(ledger, place, len(zones))
                by_zone.setdefault(zone, Ledger(hours)).join(part)
                slots.join(part)
        for zones, ledger in self.yesterday.items():
            for place in range(len(zones)):
                yesterday.join(_every(ledger, place, len(zones)))
        most = max(slots.slots, default=0)
        found = []
        for hour in range(hours):
            minute = begin + hour * 60
            known = {zone: ledger.energy(hour) for zone, ledger in by_zone.items()}
            zones_now = {zone: value for zone, value in known.items() if value is not None}
            found.append(
                HourUse(
                    hour=_local_hour(load.time_zone, minute),
                    zones=zones_now or None,
                    yesterday=yesterday.energy(hour) if hour < len(yesterday.slots) else None,
                    partial=0 < slots.slots[hour] < most,
                    future=minute >= end,
                )
            )
        return tuple(found)


def _every(ledger: Ledger, place: int, step: int) -> Ledger:
    part = Ledger(0)
    part.counts = {key: counts[place::step] for key, counts in ledger.counts.items()}
    part.slots = ledger.slots[place::step]
    return part


def _add_hours_of(group: Sequence[Load], day: date, into: dict[tuple[str, ...], Ledger]) -> None:
    held = group[0].pieces[0].held
    bounds, keys, zones, hours = _hour_runs(
        group[0].schedule, group[0].time_zone, day, held.minutes
    )
    cut = array("i", [bound - held.origin for bound in bounds])
    ledgers = _ledgers(group, held.batch.flags, cut, array("i", keys), hours * len(zones))
    into.setdefault(zones, Ledger(0)).join_all(ledgers)


def _add_hours(load: Load, piece: Piece, day: date, into: dict[tuple[str, ...], Ledger]) -> None:
    bounds, keys, zones, hours = _hour_runs(load.schedule, load.time_zone, day, piece.minutes)
    column = _column(piece)
    low, high = piece.start, piece.end
    if column is None or low >= bounds[-1] or high <= bounds[0]:
        return
    origin = piece.held.origin
    if low <= bounds[0] and high >= bounds[-1]:
        cut = array("i", [bound - origin for bound in bounds])
    else:
        cut = array("i", [min(max(bound, low), high) - origin for bound in bounds])
    flags = memoryview(piece.flags).cast("B", (1, len(piece.flags)))
    n_keys = hours * len(zones)
    sums, counts = aggregate(piece.held.values, flags, cut, array("i", keys), n_keys)
    part = Ledger(n_keys)
    part.add(piece.factor, column_of(sums, column, len(piece.held.channels)), flat(counts))
    into.setdefault(zones, Ledger(0)).join(part)


@lru_cache(maxsize=512)
def _local_hour(zone: str, minute: int) -> int:
    return instant_of(minute).astimezone(ZoneInfo(zone)).hour
