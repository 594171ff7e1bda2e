"""The meter's own clock: what its face shows, and when it was asked.

Time base: a ``MeterTime`` has no zone. Everything that ends in ``_at`` is aware UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_BASE_MINUTES = 180


@dataclass(frozen=True, slots=True)
class MeterTime:
    """A reading of the meter's own clock face; no zone, perhaps a season."""

    face: datetime  # naive
    summer: bool | None = None  # None: the meter keeps no season


@dataclass(frozen=True, slots=True)
class ClockReading:
    shown: MeterTime
    asked_at: datetime  # aware UTC, as all that ends in _at
    answered_at: datetime


def to_utc(shown: MeterTime, base_minutes: int) -> datetime:
    """Convert a face: ``utc = face - clock_base - 60 minutes if the flag says summer``."""
    ahead = base_minutes + (60 if shown.summer else 0)
    return shown.face.replace(tzinfo=UTC) - timedelta(minutes=ahead)


def to_face(at: datetime, base_minutes: int, *, summer: bool | None = None) -> MeterTime:
    """Convert an instant to the face that shows it; the inverse of ``to_utc``."""
    ahead = base_minutes + (60 if summer else 0)
    face = at.astimezone(UTC).replace(tzinfo=None) + timedelta(minutes=ahead)
    return MeterTime(face, summer)


def drift_s(reading: ClockReading, base_minutes: int) -> float:
    """Return meter minus UTC in seconds, taken at the middle of the round trip."""
    middle = reading.asked_at + (reading.answered_at - reading.asked_at) / 2
    return (to_utc(reading.shown, base_minutes) - middle).total_seconds()


def day_start(shown: MeterTime, days_back: int = 0) -> MeterTime:
    """Return the midnight that began the face's day, or the one ``days_back`` before it."""
    midnight = shown.face.replace(hour=0, minute=0, second=0, microsecond=0)
    return MeterTime(midnight - timedelta(days=days_back), shown.summer)


@dataclass(frozen=True, slots=True)
class ClockBase:
    """What a meter's clock is ahead of UTC by, from an instant to an instant (None: still)."""

    from_at: datetime
    to_at: datetime | None
    minutes: int


@dataclass(frozen=True, slots=True)
class ClockBases:
    """The dated clock bases of a meter's installations, oldest first."""

    dated: tuple[ClockBase, ...] = ()

    def at(self, shown: MeterTime, minutes: int = 0) -> int:
        """Find the base by which this face, less ``minutes``, falls into the base's own time.

        Before the first one it is the first's, between two it is the earlier one's, with none
        at all it is UTC+3.
        """
        found = self.dated[0].minutes if self.dated else DEFAULT_BASE_MINUTES
        for base in self.dated:
            if to_utc(shown, base.minutes) - timedelta(minutes=minutes) >= base.from_at:
                found = base.minutes
        return found

    def minute_of(self, shown: MeterTime, minutes: int = 0) -> int:
        """Return whole minutes since the epoch of a face; seconds round up."""
        utc = to_utc(shown, self.at(shown, minutes))
        return -((EPOCH - utc) // timedelta(minutes=1))

    def utc(self, shown: MeterTime) -> datetime:
        """Convert a face with the base of its time."""
        return to_utc(shown, self.at(shown))

    def now(self, at: datetime) -> int:
        """Return the base that holds at an instant."""
        found = self.dated[0].minutes if self.dated else DEFAULT_BASE_MINUTES
        for base in self.dated:
            if base.from_at <= at:
                found = base.minutes
        return found
