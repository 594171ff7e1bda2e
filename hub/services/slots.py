"""Single slots and hours of a point: exact for tables, in columns for charts."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import TypeAlias
from zoneinfo import ZoneInfo

from hub.domain.calendar import Level, instant_of, minute_of, slot_at
from hub.domain.series import ESTIMATED, MANUAL, NO_VALUE, PARTIAL
from hub.domain.tariffs import Runs, runs
from hub.services.pieces import CHANNELS, Load

Energy: TypeAlias = tuple[Fraction | None, Fraction | None, Fraction | None, Fraction | None]


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot or hour. ``flags`` are the stored bits, joined where an hour is made of several.

    ``energy`` of an hour that lacks a half-hour is the sum of what is there, and partial;
    ``covered`` minutes of it have a value.
    """

    start_at: datetime
    local_start: datetime
    minutes: int
    energy: Energy
    flags: int
    zone: str
    source: str  # '' without a value
    damaged: bool
    future: bool
    covered: int

    @property
    def missing(self) -> bool:
        return bool(self.flags & NO_VALUE)

    @property
    def partial(self) -> bool:
        return bool(self.flags & PARTIAL) and not self.missing

    @property
    def estimated(self) -> bool:
        return bool(self.flags & ESTIMATED)

    @property
    def manual(self) -> bool:
        return bool(self.flags & MANUAL)

    def power(self, channel: int) -> Fraction | None:
        """Mean kW (kvar) over the slot; of an hour with one half-hour, that half-hour's."""
        value = self.energy[channel]
        return None if value is None else value * 60 / self.covered


@dataclass(frozen=True, slots=True)
class Columns:
    """Slots as columns to draw from; floats, because a picture has no more digits.

    ``starts`` are seconds since the epoch; ``energy`` one column for each of ``channels``;
    ``covered``: of how many minutes of the step there is a value.
    """

    point_id: int
    time_zone: str
    minutes: int
    channels: tuple[int, ...]
    zones: tuple[str, ...]
    starts: list[int]
    energy: list[list[float | None]]
    flags: list[int]
    covered: list[int]
    zone: list[int]
    damaged: tuple[tuple[int, int], ...]  # spans in seconds
    now: int


@dataclass(slots=True)
class Cells:
    """A span in steps: what each step holds, in columns."""

    first: int  # minute of the first step
    step: int
    energy: list[list[Fraction | float | None]]
    flags: list[int]
    covered: list[int]  # minutes that have a value
    source: list[str]
    cut: Runs


def cells_of(load: Load, first: date, last: date, step: int, *, exact: bool) -> Cells:
    """Lay the pieces of a point into steps from the local midnight of ``first``."""
    step = max([step, *(piece.minutes for piece in load.pieces)])
    cut = runs(load.schedule, load.time_zone, first, last, load.minutes, Level.DAY)
    origin = cut.first_slot * load.minutes
    count = -(-(cut.end_slot - cut.first_slot) * load.minutes // step)
    energy: list[list[Fraction | float | None]] = [[None] * count for _ in range(CHANNELS)]
    flags = [0] * count
    found = [0] * count
    source = [""] * count
    for piece in load.pieces:
        low = max(piece.start, slot_at(origin, piece.minutes))
        high = min(piece.end, slot_at(cut.end_slot * load.minutes, piece.minutes))
        if low >= high:
            continue
        wide = len(piece.held.channels)
        at = low - piece.held.origin
        flat = piece.held.values.cast("B").cast("I")
        columns = [
            (channel, flat[at * wide + column : (high - piece.held.origin) * wide : wide].tolist())
            for column, channel in enumerate(piece.held.channels)
        ]
        factor: Fraction | float = piece.factor if exact else float(piece.factor)
        name = piece.held.row.source
        window = piece.flags[at : high - piece.held.origin]
        for place, flag in enumerate(window):
            if flag & NO_VALUE:
                continue
            cell = ((low + place) * piece.minutes - origin) // step
            flags[cell] |= flag
            found[cell] += piece.minutes
            source[cell] = source[cell] or name
            for channel, counts in columns:
                value = counts[place] * factor
                old = energy[channel][cell]
                energy[channel][cell] = value if old is None else old + value
    whole = (cut.end_slot * load.minutes - origin) % step or step
    for cell, minutes in enumerate(found):
        if minutes == 0:
            flags[cell] |= NO_VALUE
        elif minutes < (step if cell < count - 1 else whole):
            flags[cell] |= PARTIAL
    return Cells(origin, step, energy, flags, found, source, cut)


def slot_views(load: Load, first: date, last: date, step: int, now: datetime) -> list[SlotView]:
    """List a loaded point's slots; pure."""
    cells = cells_of(load, first, last, step, exact=True)
    info = ZoneInfo(load.time_zone)
    broken = {day for piece in load.pieces for day in piece.held.damaged}
    end = minute_of(now)
    views = []
    for cell, flags in enumerate(cells.flags):
        minute = cells.first + cell * cells.step
        start_at = instant_of(minute)
        values = [column[cell] for column in cells.energy]
        exact = [value if isinstance(value, Fraction) else None for value in values]
        views.append(
            SlotView(
                start_at=start_at,
                local_start=start_at.astimezone(info),
                minutes=cells.step,
                energy=(exact[0], exact[1], exact[2], exact[3]),
                flags=flags,
                zone=cells.cut.zone_of(minute // load.minutes),
                source=cells.source[cell],
                damaged=bool(flags & NO_VALUE) and minute // 1440 in broken,
                future=minute + cells.step > end,
                covered=cells.covered[cell],
            )
        )
    return views


def columns_of(load: Load, first: date, last: date, step: int, now: datetime) -> Columns:
    """Give a loaded point's slots in columns; pure."""
    cells = cells_of(load, first, last, step, exact=False)
    count = len(cells.flags)
    zones = len(cells.cut.zones)
    zone = []
    run = 0
    for cell in range(count):
        slot = (cells.first + cell * cells.step) // load.minutes
        while cells.cut.bounds[run + 1] <= slot:
            run += 1
        zone.append(cells.cut.keys[run] % zones)
    broken = sorted({day for piece in load.pieces for day in piece.held.damaged})
    channels = load.channels
    return Columns(
        point_id=load.row.id,
        time_zone=load.time_zone,
        minutes=cells.step,
        channels=channels,
        zones=cells.cut.zones,
        starts=[(cells.first + cell * cells.step) * 60 for cell in range(count)],
        energy=[
            [None if value is None else float(value) for value in cells.energy[channel]]
            for channel in channels
        ],
        flags=cells.flags,
        covered=cells.covered,
        zone=zone,
        damaged=tuple((day * 86400, (day + 1) * 86400) for day in broken),
        now=int(now.timestamp()),
    )
