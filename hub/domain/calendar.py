"""Local days, weeks and months of a time zone, as instants and as slots.

Instants are whole minutes since 1970-01-01T00:00Z, so that slots are plain arithmetic. Only the
point's own zone makes days; a day has 46, 48 or 50 half-hours, or whatever the zone says.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MINUTES = 1440


class Level(StrEnum):
    """What sums are made by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A local day, week (from Monday) or month, cut at the span; both days belong to it."""

    first: date
    last: date


def minute_of(instant: datetime) -> int:
    """Whole minutes since the epoch, rounded down. The instant must be aware."""
    return (instant - EPOCH) // timedelta(minutes=1)


def instant_of(minute: int) -> datetime:
    return EPOCH + timedelta(minutes=minute)


def utc_day(minute: int) -> int:
    """UTC day number that the minute falls into."""
    return minute // DAY_MINUTES


def days_of(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def local_day(zone: str, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=1024)
def day_starts(zone: str, first: date, last: date) -> tuple[int, ...]:
    """First minute of each local day from ``first`` to the day after ``last``.

    Where a season change skips midnight the day begins at the change; where midnight comes twice
    it begins at the first.
    """
    info = ZoneInfo(zone)
    return tuple(
        minute_of(datetime(day.year, day.month, day.day, tzinfo=info))
        for day in days_of(first, last + timedelta(days=1))
    )


def slot_at(minute: int, minutes: int) -> int:
    """Find the first slot that starts at this minute or later; slots count from the epoch."""
    return -(-minute // minutes)


@lru_cache(maxsize=1024)
def buckets(level: Level, first: date, last: date) -> tuple[Bucket, ...]:
    """Split the span of local days, both ends included; the outer buckets are cut at the span."""
    found: list[Bucket] = []
    day = first
    while day <= last:
        if level is Level.DAY:
            end = day
        elif level is Level.WEEK:
            end = day + timedelta(days=6 - day.weekday())
        else:
            end = month_end(day)
        end = min(end, last)
        found.append(Bucket(day, end))
        day = end + timedelta(days=1)
    return tuple(found)


def month_start(day: date) -> date:
    return day.replace(day=1)


def month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def previous_month(day: date) -> date:
    """First day of the month before."""
    return month_start(month_start(day) - timedelta(days=1))
