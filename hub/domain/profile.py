"""The load profile as a meter keeps it: slots of whole counts, and what is missing."""

from dataclasses import dataclass
from enum import Flag, StrEnum, auto
from fractions import Fraction
from typing import TypeAlias

from hub.domain.clock import MeterTime
from hub.domain.pages import Cursor


class Channel(StrEnum):
    """The order of ``Slot.counts`` and the keys of every JSON."""

    ACTIVE_IMPORT = "active_import"
    ACTIVE_EXPORT = "active_export"
    REACTIVE_IMPORT = "reactive_import"
    REACTIVE_EXPORT = "reactive_export"


class SlotMark(Flag):
    """All four are stored as the flag 'partial'; the mark itself goes to the revision or gap."""

    PARTIAL = auto()
    POWER_LOST = auto()
    CLOCK_MOVED = auto()
    OVERFLOW = auto()


Counts: TypeAlias = tuple[int | None, int | None, int | None, int | None]  # A+ A- R+ R-


@dataclass(frozen=True, slots=True)
class Slot:
    """One record of the profile, exactly as the meter kept it."""

    ends: MeterTime  # the stamp in the record, with its own season flag
    minutes: int
    counts: Counts  # None: this meter has no such channel
    marks: SlotMark = SlotMark(0)


@dataclass(frozen=True, slots=True)
class Gap:
    """What the meter no longer has, or never wrote, between two readings of its face."""

    starts: MeterTime | None  # None: from as far back as anything was
    ends: MeterTime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePage:
    """Slots of one scale and one set of channels, oldest first; no slot is without a value."""

    slots: tuple[Slot, ...]
    milliwatt_hours_per_count: Fraction  # the same number of mvarh for reactive channels
    gaps: tuple[Gap, ...] = ()
    next: Cursor
    more: bool
