"""Registers: what the meter's face shows, by tariff zone, and what was used between two readings.

A register is whole Wh as the face shows it (secondary); consumption is the difference of two,
times the ratios and the loss of the installation, exact kWh (primary). Where a reading is not
there, the half-hours of the period say what was used: all of it or none, and said so; where they
don't know either, the answer is None, never a guess.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from hub.domain.calendar import (
    Level,
    day_starts,
    instant_of,
    local_day,
    month_end,
    month_start,
)
from hub.domain.money import Price
from hub.errors import Missing
from hub.services.clock import utc_now
from hub.services.comparing import Against, Comparison, comparison_of, hull, whole_before
from hub.services.costs import Cost, kopecks_by_zone, one_price, prices_in
from hub.services.forecast import Forecast, forecast_of
from hub.services.pieces import CHANNELS, DEFAULT_ZONE, MILLION, gather
from hub.services.profile import Sum, span_minutes, summed
from hub.store import points as stored
from hub.store.points import InstallationRow, PointRow, ReadingRow
from hub.store.unit import Store, Unit

TOTAL = "1.8.0"
TARIFFS = {f"T{number}": f"1.8.{number}" for number in range(1, 5)}
SHOWN = (TOTAL, *TARIFFS.values())
# How far from a local midnight a meter's own midnight may lie: its clock may go by another zone.
NEAR = timedelta(hours=3)
WH_IN_KWH = 1000


class Tariff(NamedTuple):
    """A register of the face: ``label`` T1…T4, or '' for the total; ``zone`` of the contract."""

    label: str
    zone: str
    obis: str


class Reading(NamedTuple):
    """A register at an instant. ``value``: kWh as the face shows it."""

    tariff: Tariff
    value: Decimal
    taken_at: datetime
    source: str


class LatestReadings(NamedTuple):
    """The newest registers of the meter that is installed now; the total comes last."""

    point_id: int
    taken_at: datetime
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Registers around a local day, week or month, and what was used in it.

    ``start`` and ``end`` are by tariff, None where there is no reading; ``used`` is primary kWh,
    from the registers, or from the half-hours where the registers of an end are not there:
    ``from_slots``, and then a sum of only those that are ``measured``.
    ``exact``: both readings are of the period's own ends, not of a meter's midnight near them.
    ``running``: not over; ``end`` is the newest reading. ``replaced``: the meter or its ratios
    changed within, so the registers do not simply follow each other. ``before``: half-hours of the
    same days four weeks earlier (of a month: a year earlier), only where they lack nothing.
    """

    first: date
    last: date
    start: tuple[Reading | None, ...]
    end: tuple[Reading | None, ...]
    used: tuple[Fraction | None, ...]
    exact: bool
    running: bool
    replaced: bool
    measured: int  # half-hours with a value, of
    expected: int  # those that have ended
    estimated: int = 0  # of the measured; partial ones too
    partial: int = 0
    from_slots: bool = False
    before: Fraction | None = None
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class RegisterPeriods:
    """``tariffs`` is the order of every tuple in ``periods``; the total comes last.

    ``whole`` is the span as one period: registers of its two ends, or all its half-hours.
    ``comparison`` is with the period before, ``forecast`` of the running month: None where the
    span does not hold today, or where too little is known. ``priced``: the supplier told prices.
    """

    point_id: int
    time_zone: str
    tariffs: tuple[Tariff, ...]
    periods: tuple[Period, ...]
    whole: Period
    comparison: Comparison | None = None
    forecast: Forecast | None = None
    priced: bool = False


class Registers:
    """Reads registers for their owner; ``Missing`` for anybody else's point."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def latest(self, user_id: int, point_id: int) -> LatestReadings | None:
        """Give the newest registers of a point; None if none was ever read."""
        with self.store.read() as unit:
            row = self._own(unit, user_id, point_id)
            places = [] if row.metering_point_id is None else [row.metering_point_id]
            installed = stored.installations(unit, places)
            return latest_of(unit, present_of([row], installed, self.clock())).get(point_id)

    def periods(
        self, user_id: int, point_id: int, first: date, last: date, level: Level
    ) -> RegisterPeriods:
        """Give readings and consumption by day, week or month of local days, both ends included."""
        with self.store.read() as unit:
            row = self._own(unit, user_id, point_id)
            return periods_in(unit, row, (first, last), level, self.clock())

    def _own(self, unit: Unit, user_id: int, point_id: int) -> PointRow:
        row = stored.one(unit, user_id, point_id)
        if row is None:
            raise Missing
        return row


def periods_in(
    unit: Unit, row: PointRow, span: tuple[date, date], level: Level, now: datetime
) -> RegisterPeriods:
    """Give the periods of a point from a unit that is open already."""
    first, last = span
    zone = row.time_zone or DEFAULT_ZONE
    minutes = span_minutes(zone, first, last)
    begin, end = (instant_of(minute) for minute in minutes)
    today = local_day(zone, now)
    load = gather(unit, [row], *span_minutes(zone, *hull(first, last, level, today)))[0]
    places = [] if row.metering_point_id is None else [row.metering_point_id]
    installed = [
        each
        for each in stored.installations(unit, places)
        if each.from_at < end and (each.to_at is None or each.to_at > begin)
    ]
    book = _book(unit, installed, begin, min(end, now))
    sums = summed(load, first, last, level, now)
    tariffs = tariffs_of(installed, book.registers)
    prices = prices_in(unit, row)
    before = (*whole_before(load, sums.items, level), None)
    found = []
    for part, earlier in zip((*sums.items, sums.total), before, strict=True):
        starts = day_starts(zone, part.first, part.last)
        period = _period(
            book,
            installed,
            tariffs,
            days=(part.first, part.last),
            span=(instant_of(starts[0]), instant_of(starts[-1])),
            now=now,
            slots=part,
        )
        cost = _cost(
            prices,
            period,
            tariffs,
            part,
            mapped=bool(installed[-1:] and installed[-1].register_map),
        )
        found.append(replace(period, before=earlier, cost=cost))
    forecast = None
    if first <= today <= last:
        month = month_start(today), month_end(today)
        days = sums.items
        if (first, last, level) != (*month, Level.DAY):
            days = summed(load, *month, Level.DAY, now).items
        forecast = forecast_of(days, today)
    return RegisterPeriods(
        row.id,
        zone,
        tariffs,
        tuple(found[:-1]),
        found[-1],
        comparison=comparison_of(load, first, last, Against.PREVIOUS, now),
        forecast=forecast,
        priced=bool(prices),
    )


def _cost(
    prices: Sequence[Price], period: Period, tariffs: Sequence[Tariff], slots: Sum, *, mapped: bool
) -> Cost | None:
    """Price a line: by registers where their zones are the contract's, else by half-hours."""
    days = period.first, period.last
    if not prices:
        return None
    if not period.from_slots and (mapped or one_price(prices)):
        zones = {
            each.zone: used for each, used in zip(tariffs, period.used, strict=True) if each.label
        }
        kopecks = kopecks_by_zone(prices, period.used[-1], zones, days)
        return None if kopecks is None else Cost(kopecks, from_slots=False)
    known = {zone: energy[0] for zone, energy in slots.zones.items()}
    kopecks = kopecks_by_zone(prices, slots.energy[0], known, days)
    return None if kopecks is None else Cost(kopecks, from_slots=True)


def present_of(
    rows: Sequence[PointRow], installed: Sequence[InstallationRow], now: datetime
) -> dict[int, InstallationRow]:
    """Find the meter that is installed at each point now."""
    places = {row.metering_point_id: row.id for row in rows if row.metering_point_id is not None}
    return {
        places[each.metering_point_id]: each
        for each in installed
        if each.from_at <= now and (each.to_at is None or each.to_at > now)
    }


def latest_of(unit: Unit, installed: Mapping[int, InstallationRow]) -> dict[int, LatestReadings]:
    """Newest registers for points whose present installation is known, by one query."""
    found: dict[int, list[ReadingRow]] = {}
    meters = {each.meter_id for each in installed.values()}
    for reading in stored.latest(unit, meters, SHOWN, TOTAL):
        found.setdefault(reading.meter_id, []).append(reading)
    latest = {}
    for point_id, each in installed.items():
        readings = {reading.obis: reading for reading in found.get(each.meter_id, ())}
        if readings:
            shown = [
                _reading(tariff, readings[tariff.obis])
                for tariff in tariffs_of([each], readings)
                if tariff.obis in readings
            ]
            latest[point_id] = LatestReadings(point_id, readings[TOTAL].taken_at, tuple(shown))
    return latest


def tariffs_of(
    installed: Sequence[InstallationRow], registers: "Mapping[str, object] | set[str]"
) -> tuple[Tariff, ...]:
    """List the registers to show: those that the newest register map names, and the total.

    Without a map, the tariff registers that there are readings of, unless it is T1 alone.
    """
    named = installed[-1].register_map if installed else {}
    if named:
        return _tariffs(tuple([each for each in sorted(named.items()) if each[0] in TARIFFS]))
    known = [(label, label) for label, obis in TARIFFS.items() if obis in registers]
    return _tariffs(tuple(known) if len(known) > 1 else ())


@lru_cache(256)
def _tariffs(zones: tuple[tuple[str, str], ...]) -> tuple[Tariff, ...]:
    """Give the registers of labels with their zones, and the total."""
    return (*(Tariff(label, zone, TARIFFS[label]) for label, zone in zones), Tariff("", "", TOTAL))


def _reading(tariff: Tariff, row: ReadingRow) -> Reading:
    return Reading(tariff, Decimal(row.value).scaleb(-3), row.taken_at, row.source)


# -- periods -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Book:
    """Readings by meter and register, in order of time; and the newest of each meter."""

    rows: dict[tuple[int, str], list[ReadingRow]]
    newest: dict[tuple[int, str], ReadingRow]

    @property
    def registers(self) -> set[str]:
        return {obis for _, obis in (*self.rows, *self.newest)}

    def near(self, meter_id: int, obis: str, at: datetime) -> ReadingRow | None:
        """Find the reading at an instant, or the nearest within three hours of it."""
        rows = self.rows.get((meter_id, obis), [])
        place = bisect_left(rows, at, key=lambda row: row.taken_at)
        around = rows[max(place - 1, 0) : place + 1]
        found = min(around, key=lambda row: abs(row.taken_at - at), default=None)
        return found if found is not None and abs(found.taken_at - at) <= NEAR else None


def _book(unit: Unit, installed: Sequence[InstallationRow], begin: datetime, end: datetime) -> Book:
    meters = {each.meter_id for each in installed}
    rows = stored.readings(unit, meters, SHOWN, begin - NEAR, end + NEAR, only_day_starts=True)
    for each in installed:  # a meter comes and goes at any hour; what was read then is wanted too
        for at in (each.from_at, each.to_at):
            if at is not None and begin < at < end:
                rows += stored.readings(unit, [each.meter_id], SHOWN, at - NEAR, at + NEAR)
    by_key: dict[tuple[int, str], dict[datetime, ReadingRow]] = {}
    for row in rows:
        by_key.setdefault((row.meter_id, row.obis), {})[row.taken_at] = row
    newest = {(row.meter_id, row.obis): row for row in stored.latest(unit, meters, SHOWN, TOTAL)}
    return Book({key: [found[at] for at in sorted(found)] for key, found in by_key.items()}, newest)


def _period(
    book: Book,
    installed: Sequence[InstallationRow],
    tariffs: tuple[Tariff, ...],
    *,
    days: tuple[date, date],
    span: tuple[datetime, datetime],
    now: datetime,
    slots: Sum,
) -> Period:
    begin, end = span
    running = begin <= now < end
    here = [
        each
        for each in installed
        if each.from_at < end and (each.to_at is None or each.to_at > begin)
    ]
    starts: list[Reading | None] = []
    ends: list[Reading | None] = []
    used: list[Fraction | None] = []
    exact = True
    for tariff in tariffs:
        parts: list[Fraction | None] = []
        edges: list[tuple[ReadingRow | None, ReadingRow | None]] = []
        for each in here:
            low = max(begin, each.from_at)
            high = end if each.to_at is None else min(end, each.to_at)
            first = book.near(each.meter_id, tariff.obis, low)
            last = book.near(each.meter_id, tariff.obis, high)
            if running and high == end:
                last = book.newest.get((each.meter_id, tariff.obis))
            elif last is not None and last.taken_at != high:
                exact = False
            if first is not None and first.taken_at != low:
                exact = False
            edges.append((first, last))
            parts.append(_used(each, first, last))
        starts.append(_shown(tariff, edges[0][0] if edges else None))
        ends.append(_shown(tariff, edges[-1][1] if edges else None))
        used.append(_added(parts) if parts and begin <= now else None)
    from_slots = None in used and slots.measured > 0
    return Period(
        *days,
        tuple(starts),
        tuple(ends),
        _used_by_slots(tariffs, slots) if from_slots else tuple(used),
        exact=exact or from_slots,
        running=running,
        replaced=len(here) > 1,
        measured=slots.measured,
        expected=slots.expected,
        estimated=slots.estimated + slots.manual,
        partial=slots.partial,
        from_slots=from_slots,
    )


def _used_by_slots(tariffs: Sequence[Tariff], slots: Sum) -> tuple[Fraction | None, ...]:
    """Say what was used by what half-hours tell; a register of no zone of the contract: None."""
    nothing = (None,) * CHANNELS
    return tuple(
        slots.zones.get(tariff.zone, nothing)[0] if tariff.label else slots.energy[0]
        for tariff in tariffs
    )


def _shown(tariff: Tariff, row: ReadingRow | None) -> Reading | None:
    return None if row is None else _reading(tariff, row)


def _used(
    each: InstallationRow, first: ReadingRow | None, last: ReadingRow | None
) -> Fraction | None:
    """Multiply the difference once; a register that went back tells nothing."""
    if first is None or last is None or last.taken_at < first.taken_at:
        return None
    difference = last.value - first.value
    if difference < 0:
        return None
    ratio = each.current_ratio * each.voltage_ratio
    loss = Fraction(MILLION + each.loss_millionths, MILLION)
    return Fraction(difference * ratio, WH_IN_KWH) * loss


def _added(parts: Sequence[Fraction | None]) -> Fraction | None:
    known = [part for part in parts if part is not None]
    if not parts or len(known) < len(parts):
        return None
    return sum(known, Fraction(0))
