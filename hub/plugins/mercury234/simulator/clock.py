"""What a clock shows: seconds, days, seasons.

A *clock* counts seconds since 2000-01-01 00:00 of the meter's winter time. The *face* is what
the display and the stamps show; it runs an hour ahead in summer if the meter keeps a season at
all. How a clock runs and jumps is in `timeline`.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache

DAY = 86_400
HOUR = 3_600

_ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - the face of a meter has no time zone
_ORIGIN_UTC = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


def parse_face(text: str) -> datetime:
    """Read a face time without a zone. Raises ValueError for anything else."""
    face = datetime.fromisoformat(text)
    if face.tzinfo is not None:
        raise ValueError("the face of a meter has no zone")
    return face


def naive(seconds: int) -> datetime:
    """Seconds since 2000-01-01 00:00 as a time without a zone."""
    return _ORIGIN + timedelta(seconds=seconds)


def since_origin(face: datetime) -> int:
    """Whole seconds since 2000-01-01 00:00."""
    return int((face - _ORIGIN) // timedelta(seconds=1))


def day_start(day: date) -> int:
    """Seconds since 2000-01-01 to the midnight that starts a day."""
    return (day - _ORIGIN.date()).days * DAY


@cache
def _changes() -> tuple[int, ...]:
    """List the clock at each change of season, to summer first, European rule."""
    found = []
    for year in range(_FIRST_YEAR, _LAST_YEAR + 1):
        for month in (3, 10):
            last = date(year, month, 31)
            sunday = last - timedelta(days=(last.weekday() + 1) % 7)
            found.append(day_start(sunday) + 2 * HOUR)
    return tuple(found)


class Calendar:
    """From UTC to the meter's zone, from a clock to its face and back.

    Args:
        base_minutes: the meter's winter time minus UTC.
        seasons: whether the face goes to summer time.

    """

    def __init__(self, *, base_minutes: int, seasons: bool) -> None:
        self._offset = base_minutes * 60
        self.seasons = seasons

    def right(self, now: datetime) -> int:
        """Return what a clock without error counts at an aware instant, rounded down."""
        return int((now - _ORIGIN_UTC) // timedelta(seconds=1)) + self._offset

    def is_summer(self, clock: int) -> bool:
        return self.seasons and bisect_right(_changes(), clock) % 2 == 1

    def face_seconds(self, clock: int) -> int:
        return clock + HOUR if self.is_summer(clock) else clock

    def face(self, clock: int) -> datetime:
        return naive(self.face_seconds(clock))

    def from_face(self, face: datetime) -> int:
        """Return what the clock counts when the face shows this; the first of two in autumn.

        A face that spring skips means what the clock would have shown in winter time.
        """
        seconds = since_origin(face)
        return seconds - HOUR if self.is_summer(seconds - HOUR) else seconds

    def midnight(self, day: date) -> int:
        """Return what the clock counts when this day starts on the face."""
        return self.from_face(naive(day_start(day)))
