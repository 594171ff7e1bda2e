"""Today by hour and zone beside yesterday, counted from each point's own midnight."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from corefast.profile import aggregate
from hub.domain.calendar import Level, day_starts, instant_of
from hub.domain.tariffs import Schedule, runs
from hub.services.ledger import Ledger, column_of, flat
from hub.services.pieces import Load, Piece
from hub.services.spans import active_column, ledgers_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HourUse:
    """A local hour of today. ``zones``: kWh by zone; None where nothing is known of the hour."""

    hour: int
    zones: dict[str, Fraction] | None
    yesterday: Fraction | None
    partial: bool
    future: bool


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
    ledgers = ledgers_of(group, held.batch.flags, cut, array("i", keys), hours * len(zones))
    into.setdefault(zones, Ledger(0)).join_all(ledgers)


def _add_hours(load: Load, piece: Piece, day: date, into: dict[tuple[str, ...], Ledger]) -> None:
    bounds, keys, zones, hours = _hour_runs(load.schedule, load.time_zone, day, piece.minutes)
    column = active_column(piece)
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
