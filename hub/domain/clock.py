"""The meter's own clock: what its face shows, and when it was asked.

Time base: a ``MeterTime`` has no zone. Everything that ends in ``_at`` is aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MeterTime:
    """A reading of the meter's own clock face; no zone, perhaps a season."""

    face: datetime               # naive
    summer: bool | None = None   # None: the meter keeps no season


@dataclass(frozen=True, slots=True)
class ClockReading:
    shown: MeterTime
    asked_at: datetime           # aware UTC, as all that ends in _at
    answered_at: datetime
