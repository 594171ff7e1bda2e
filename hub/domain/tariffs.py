"""Tariff zones of the day, and the runs of slots that the sums are made by.

A schedule is a list of rules ``{"zone": "T1", "from": "07:00", "to": "10:00", "days": "all"}`` in
the point's local time; ``days`` is ``all``, ``workdays`` (Monday to Friday) or ``weekend``. A span
may pass midnight (23:00 to 07:00), ``to`` may be 24:00, and the first rule that fits wins. A time
without a rule has the zone ``''``. A slot belongs to the zone of its start.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hub.domain.calendar import (
    DAY_MINUTES,
    Bucket,
    Level,
    buckets,
    day_starts,
    days_of,
    instant_of,
    slot_at,
)
from hub.errors import BadSchedule

DAYS = ("all", "workdays", "weekend")
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """From a local minute of the day until, not including, another; wraps when it is not later."""

    zone: str
    start: int
    end: int
    days: str = "all"

    def fits(self, minute: int, *, weekend: bool) -> bool:
        if self.days != "all" and (self.days == "weekend") != weekend:
            return False
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rules in the order in which they are tried; hashable, so runs are cached by it."""

    rules: tuple[Rule, ...] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        """Zone names in order, ``''`` first where some time has no rule."""
        return _zones(self)

    def zone_at(self, minute: int, *, weekend: bool) -> str:
        """Zone of a local minute of the day. A Monday's 01:00 goes by Monday's rules."""
        for rule in self.rules:
            if rule.fits(minute, weekend=weekend):
                return rule.zone
        return ""


ONE_ZONE = Schedule()


@lru_cache(maxsize=256)
def _zones(schedule: Schedule) -> tuple[str, ...]:
    if not schedule.rules:
        return ("",)
    edges = {0} | {edge % DAY_MINUTES for rule in schedule.rules for edge in (rule.start, rule.end)}
    found = {schedule.zone_at(edge, weekend=weekend) for edge in edges for weekend in (False, True)}
    return tuple(sorted(found))


def _minute(text: object) -> int:
    hours, colon, minutes = str(text).partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal()):
        raise BadSchedule(f"{text!r} is not a time of day; write it like 07:00.")
    minute = int(hours) * 60 + int(minutes)
    if not (0 <= minute <= DAY_MINUTES and int(minutes) < 60):  # noqa: PLR2004 - minutes of an hour
        raise BadSchedule(f"{text!r} is not a time of day; write one from 00:00 to 24:00.")
    return minute


def parse_schedule(rules: Sequence[Mapping[str, Any]]) -> Schedule:
    """Read the stored rules; raise BadSchedule naming what is wrong."""
    parsed = []
    for rule in rules:
        try:
            zone, start, end = str(rule["zone"]), _minute(rule["from"]), _minute(rule["to"])
        except KeyError as missing:
            raise BadSchedule(f"A rule of the zone schedule lacks {missing}; add it.") from missing
        days = str(rule.get("days", "all"))
        if days not in DAYS or not zone:
            raise BadSchedule
        parsed.append(Rule(zone, start % DAY_MINUTES, end, days))
    return Schedule(tuple(parsed))


@dataclass(frozen=True, slots=True)
class Runs:
    """Slots of a span of local days, cut where the key changes.

    Slots are numbered from the epoch in steps of ``minutes``; the span is ``first_slot`` up to,
    not including, ``end_slot``. ``bounds`` (one more than ``keys``) are such numbers too;
    ``keys[i]`` = bucket x number of zones + zone.
    """

    minutes: int
    bounds: tuple[int, ...]
    keys: tuple[int, ...]
    buckets: tuple[Bucket, ...]
    zones: tuple[str, ...]
    bucket_slots: tuple[int, ...]  # first slot of each bucket, and the end

    @property
    def first_slot(self) -> int:
        return self.bounds[0]

    @property
    def end_slot(self) -> int:
        return self.bounds[-1]

    @property
    def n_keys(self) -> int:
        return len(self.buckets) * len(self.zones)

    def within(self, origin: int, start: int, end: int) -> tuple["array[int]", "array[int]"]:
        """Bounds and keys (int32) of slots ``start`` to ``end``, counted from ``origin``."""
        if start == self.bounds[0] and end == self.bounds[-1]:
            return (
                array("i", [bound - origin for bound in self.bounds]),
                array("i", self.keys),
            )
        low = bisect_right(self.bounds, start) - 1
        high = bisect_right(self.bounds, end - 1)
        bounds = [start, *self.bounds[low + 1 : high], end]
        return array("i", [bound - origin for bound in bounds]), array("i", self.keys[low:high])

    def zone_of(self, slot: int) -> str:
        """Zone of a slot of the span."""
        run = bisect_right(self.bounds, slot) - 1
        return self.zones[self.keys[run] % len(self.zones)]


@lru_cache(maxsize=64)
def _usual_day(schedule: Schedule, minutes: int, weekend: bool) -> tuple[tuple[int, str], ...]:  # noqa: FBT001 - a cache key
    """Slot of the day and zone at each change, for a day that begins on a slot and has 24 h."""
    return tuple(
        _changes(
            (start, schedule.zone_at(start, weekend=weekend))
            for start in range(0, DAY_MINUTES, minutes)
        )
    )


def _changes(starts: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for start, zone in starts:
        if not found or found[-1][1] != zone:
            found.append((start, zone))
    return found


@lru_cache(maxsize=512)
def runs(  # noqa: PLR0917 - all six are the cache key
    schedule: Schedule, time_zone: str, first: date, last: date, minutes: int, level: Level
) -> Runs:
    """Cut the local days ``first`` to ``last`` (both included) into runs of one bucket and zone."""
    info = ZoneInfo(time_zone)
    starts = day_starts(time_zone, first, last)
    days = days_of(first, last)
    split = buckets(level, first, last)
    zones = schedule.zones
    number = {zone: index for index, zone in enumerate(zones)}
    bounds: list[int] = []
    keys: list[int] = []
    bucket_slots: list[int] = []
    bucket = -1
    for day, (start, end) in zip(days, pairwise(starts), strict=True):
        if bucket < 0 or day > split[bucket].last:
            bucket += 1
            bucket_slots.append(slot_at(start, minutes))
        weekend = day.weekday() >= SATURDAY
        if end - start == DAY_MINUTES and start % minutes == 0 and not _shifts(info, start, end):
            changes = _usual_day(schedule, minutes, weekend)
            found = [(start + offset, zone) for offset, zone in changes]
        else:  # a season change, or a zone that is not whole slots from UTC: ask for each slot
            grid = range(slot_at(start, minutes) * minutes, end, minutes)
            found = _changes(
                (minute, schedule.zone_at(_face(info, minute), weekend=weekend)) for minute in grid
            )
        for minute, zone in found:
            key = bucket * len(zones) + number[zone]
            if not keys or keys[-1] != key:
                bounds.append(minute // minutes)
                keys.append(key)
    end_slot = slot_at(starts[-1], minutes)
    bounds.append(end_slot)
    bucket_slots.append(end_slot)
    return Runs(minutes, tuple(bounds), tuple(keys), split, zones, tuple(bucket_slots))


def _face(info: ZoneInfo, minute: int) -> int:
    local = instant_of(minute).astimezone(info)
    return local.hour * 60 + local.minute


def _shifts(info: ZoneInfo, start: int, end: int) -> bool:
    """Two changes on one day that cancel out in its length; happens in history."""
    offset = info.utcoffset(instant_of(start).astimezone(info))
    noon = info.utcoffset(instant_of((start + end) // 2).astimezone(info))
    return offset != noon
