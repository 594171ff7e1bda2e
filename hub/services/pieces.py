"""Pieces: stretches of slots of one series that count for a point with one factor.

A point's profile is cut at every installation, ratio, scale and change of series; each piece is
summed by one call of ``corefast.profile.aggregate`` and multiplied once, exactly. Where several
series hold a slot the better source hides the worse one: driver, supplier, manual, estimate.

Slots are numbered from the epoch in steps of the series' own minutes; values stay in the memory
that corefast unpacked them to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from math import gcd

from corefast.profile import BlockDamaged, unpack_days
from hub.domain.calendar import DAY_MINUTES, minute_of, slot_at, utc_day
from hub.domain.series import NO_VALUE, REJECTED, columns
from hub.domain.tariffs import ONE_ZONE, Schedule, parse_schedule
from hub.store import points as stored
from hub.store.points import InstallationRow, PointRow, SeriesRow, SpanRow
from hub.store.unit import Unit

CHANNELS = 4
RANK = {"driver": 0, "supplier": 1, "manual": 2, "estimate": 3}
USUAL_MINUTES = 30
DEFAULT_ZONE = "Europe/Moscow"
MILLION = 1_000_000
FOREVER = 1 << 40
RATIOS_END = len(SpanRow._fields)  # an installation begins with these

# A rejected value is kept and not summed: for sums it is no value.
TO_SUM = bytes(flag | NO_VALUE if flag & REJECTED else flag for flag in range(256))
TO_PRESENT = bytes(1 - (flag & NO_VALUE) for flag in range(256))
PLAIN = bytes([0, NO_VALUE])


@dataclass(slots=True)
class Batch:
    """Series of one shape that were unpacked together, for who sums them together."""

    values: memoryview  # series x slots x channels
    flags: bytes


@dataclass(slots=True)
class Held:
    """What the store has of one series for a window of UTC days, unpacked."""

    row: SeriesRow
    origin: int  # first slot of the window
    values: memoryview  # uint32, one series x slots x channels
    flags: bytes  # rejected ones already count as no value
    channels: tuple[int, ...]  # which of P+ P- Q+ Q- a column is
    damaged: tuple[int, ...]  # UTC days whose block can't be read
    batch: Batch
    index: int  # in the batch

    @property
    def minutes(self) -> int:
        return self.row.minutes

    @property
    def end(self) -> int:
        return self.origin + len(self.flags)


@dataclass(slots=True)
class Piece:
    """Slots ``start`` up to ``end`` of a series; kWh (kvarh) of a count is ``factor``."""

    held: Held
    start: int
    end: int
    factor: Fraction
    flags: bytes  # of the whole window, slots hidden by a better source are without value

    @property
    def minutes(self) -> int:
        return self.held.row.minutes

    def present(self) -> bytes:
        """One byte a slot of the piece: 1 where it has a value that counts."""
        origin = self.held.origin
        return self.flags[self.start - origin : self.end - origin].translate(TO_PRESENT)

    def gives(self, first: int, last: int) -> bool:
        """Say whether it has a value that counts between two minutes."""
        low = slot_at(first, self.minutes) - self.start
        high = slot_at(last, self.minutes) - self.start
        return 1 in self.present()[max(low, 0) : max(high, 0)]


@dataclass(slots=True)
class Load:
    """A point with its pieces for a window."""

    row: PointRow
    time_zone: str
    schedule: Schedule
    installed: list[SpanRow | InstallationRow]
    pieces: list[Piece] = field(default_factory=list)
    minutes: int = USUAL_MINUTES  # the finest period of the pieces: what slots are counted in

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that any piece has, in the order P+ P- Q+ Q-."""
        return tuple(sorted({c for piece in self.pieces for c in piece.held.channels}))

    def sources(self, first: int, last: int) -> tuple[str, ...]:
        """Name the sources that give a slot from minute ``first`` up to ``last``, best first."""
        found = {piece.held.row.source for piece in self.pieces if piece.gives(first, last)}
        return tuple(sorted(found, key=RANK.__getitem__))

    @property
    def since(self) -> int:
        """First minute at which a meter could have counted here."""
        if not self.installed:
            return 0
        return minute_of(min(row.from_at for row in self.installed))


@dataclass(frozen=True, slots=True)
class Known:
    """What the store says of some points for a window, without the blocks of their series."""

    rows: tuple[PointRow, ...]
    first: int
    last: int
    spans: tuple[SpanRow | InstallationRow, ...]
    series: tuple[SeriesRow, ...]

    def key(self, minute: int) -> tuple[object, ...]:
        """Say what all sums depend on, in a form that can be compared: equal, then equal sums.

        Of blocks a series' own mark stands, which is another after each change of them; of the
        ``minute`` of now, which slots have ended.
        """
        rules = {row.schedule_id: row.rules for row in self.rows}
        step = gcd(USUAL_MINUTES, *[row.minutes for row in self.series])
        return (
            step,
            minute // step,
            tuple(
                [
                    (row.id, row.metering_point_id, row.time_zone, row.schedule_id)
                    for row in self.rows
                ]
            ),
            repr(rules),
            tuple([span[:RATIOS_END] for span in self.spans]),
            self.series,
            self.first,
            self.last,
        )


@dataclass(frozen=True, slots=True)
class Fetched(Known):
    """The same with the bodies of the blocks, not yet unpacked."""

    blocks: dict[int, list[bytes | None]]


def gather(unit: Unit, rows: Sequence[PointRow], first: int, last: int) -> list[Load]:
    """Load the profile of these points from minute ``first`` up to, not including, ``last``.

    Three queries however many points; a damaged block costs its own day and nothing else.
    """
    return assemble(fetch(unit, know(unit, rows, first, last)))


def know(
    unit: Unit,
    rows: Sequence[PointRow],
    first: int,
    last: int,
    spans: Sequence[SpanRow | InstallationRow] | None = None,
) -> Known:
    """Read which series there are; ``spans`` if the installations are known already."""
    places = [row.metering_point_id for row in rows if row.metering_point_id is not None]
    found = stored.spans(unit, places) if spans is None else spans
    meters = {span.meter_id for span in found if _overlaps(span, first, last)}
    series = stored.series_of(unit, meters, places) if places else []
    return Known(tuple(rows), first, last, tuple(found), tuple(series))


def fetch(unit: Unit, known: Known) -> Fetched:
    """Read the blocks of the series."""
    days = utc_day(known.first), utc_day(known.last - 1)
    blocks = stored.blocks(unit, [row.id for row in known.series], *days)
    return Fetched(known.rows, known.first, known.last, known.spans, known.series, blocks)


class Loading:
    """What is known of one point, and its pieces, which are fetched when first asked for."""

    def __init__(self, unit: Unit, row: PointRow, first: int, last: int) -> None:
        self.unit = unit
        self.known = know(unit, [row], first, last)

    @cached_property
    def load(self) -> Load:
        return assemble(fetch(self.unit, self.known))[0]


def assemble(fetched: Fetched) -> list[Load]:
    """Unpack and cut into pieces; pure."""
    first, last = fetched.first, fetched.last
    installed: dict[int | None, list[SpanRow | InstallationRow]] = {}
    for span in fetched.spans:
        installed.setdefault(span.metering_point_id, []).append(span)
    schedules: dict[int | None, Schedule] = {None: ONE_ZONE}
    by_meter: dict[int, list[Held]] = {}
    by_place: dict[int, list[Held]] = {}
    for held in hold(fetched):
        if held.row.meter_id is not None:
            by_meter.setdefault(held.row.meter_id, []).append(held)
        else:
            by_place.setdefault(held.row.metering_point_id or 0, []).append(held)
    loads = []
    for row in fetched.rows:
        if row.schedule_id not in schedules:
            schedules[row.schedule_id] = parse_schedule(row.rules or ())
        place = row.metering_point_id
        here = [] if place is None else installed.get(place, [])
        load = Load(row, row.time_zone or DEFAULT_ZONE, schedules[row.schedule_id], here)
        if place is not None:
            meters = {span.meter_id for span in here}
            mine = [held for meter in meters for held in by_meter.get(meter, ())]
            mine += by_place.get(place, ())
            load.pieces = layered(list(_cut(load, mine, first, last)))
            load.minutes = gcd(*(piece.minutes for piece in load.pieces)) or USUAL_MINUTES
        loads.append(load)
    return loads


def hold(fetched: Fetched) -> list[Held]:
    """Unpack the blocks of a window; series without any block are left out."""
    alike: dict[tuple[int, int], list[SeriesRow]] = {}
    for row in fetched.series:
        if row.id in fetched.blocks:
            alike.setdefault((row.minutes, row.channels), []).append(row)
    days = range(utc_day(fetched.first), utc_day(fetched.last - 1) + 1)
    found: list[Held] = []
    for (minutes, mask), rows in alike.items():
        blocks = [block for row in rows for block in fetched.blocks[row.id]]
        found += _unpack(rows, blocks, days, minutes, columns(mask))
    return found


def _unpack(
    rows: Sequence[SeriesRow],
    blocks: list[bytes | None],
    days: range,
    minutes: int,
    channels: tuple[int, ...],
) -> list[Held]:
    """One call for all series of one shape, again without each damaged block."""
    per_day = DAY_MINUTES // minutes
    values, flags, damaged = _whole(blocks, per_day, len(channels))
    slots = len(days) * per_day
    raw = values.cast("B")
    size = slots * len(channels) * 4
    clean = bytes(flags).translate(TO_SUM)
    batch = Batch(raw.cast("I", (len(rows), slots, len(channels))), clean)
    return [
        Held(
            row,
            days.start * per_day,
            raw[index * size : (index + 1) * size].cast("I", (1, slots, len(channels))),
            clean[index * slots : (index + 1) * slots],
            channels,
            tuple(days[place % len(days)] for place in damaged if place // len(days) == index),
            batch,
            index,
        )
        for index, row in enumerate(rows)
    ]


def _whole(
    blocks: list[bytes | None], per_day: int, channels: int
) -> tuple[memoryview, memoryview, list[int]]:
    """Unpack all that can be unpacked, and say which could not."""
    damaged: list[int] = []
    while True:
        try:
            values, flags = unpack_days(blocks, per_day, channels)
        except BlockDamaged as damage:
            blocks[damage.index] = None
            damaged.append(damage.index)
        else:
            return values, flags, damaged


def minutes_of(row: SpanRow | InstallationRow) -> tuple[int, int]:
    """From and to, rounded up: a slot that starts within the minute of a change is the older."""
    start = ceil_minute(row.from_at)
    return start, FOREVER if row.to_at is None else ceil_minute(row.to_at)


def ceil_minute(instant: datetime) -> int:
    minute = minute_of(instant)
    return minute + 1 if instant.second or instant.microsecond else minute


def _overlaps(row: SpanRow | InstallationRow, first: int, last: int) -> bool:
    start, end = minutes_of(row)
    return start < last and end > first


def _factor(row: SeriesRow, installed: SpanRow | InstallationRow | None) -> Fraction:
    """Express one count as primary kWh (kvarh)."""
    factor = Fraction(row.scale_num, row.scale_den * MILLION)
    if installed is None or row.ratios_applied:
        return factor
    ratio = installed.current_ratio * installed.voltage_ratio
    return factor * ratio * Fraction(MILLION + installed.loss_millionths, MILLION)


def _cut(load: Load, held: Iterable[Held], first: int, last: int) -> Iterable[Piece]:
    for series in held:
        row = series.row
        covered: list[tuple[int, int]] = []
        for installed in load.installed:
            if row.meter_id is not None and installed.meter_id != row.meter_id:
                continue
            start, end = minutes_of(installed)
            if row.meter_id is None and row.ratios_applied:
                continue
            start, end = max(start, first), min(end, last)
            if start < end:
                covered.append((start, end))
                yield from _piece(series, start, end, _factor(row, installed))
        if row.meter_id is None:
            # What is known of the point itself needs no meter; between two there is no ratio.
            at = first
            for start, end in [*sorted(covered), (last, last)]:
                yield from _piece(series, at, start, _factor(row, None))
                at = max(at, end)


def _piece(held: Held, start: int, end: int, factor: Fraction) -> Iterable[Piece]:
    """Cut on the slots of the series: a slot belongs where it starts."""
    low = max(slot_at(start, held.minutes), held.origin)
    high = min(slot_at(end, held.minutes), held.end)
    if low < high:
        yield Piece(held, low, high, factor, held.flags)


def layered(pieces: list[Piece]) -> list[Piece]:
    """Hide each slot that a better source has; of equals, the newer series counts."""
    if len({piece.held.row.id for piece in pieces}) < 2:  # noqa: PLR2004 - alone, nothing to hide
        return pieces
    grid = gcd(*(piece.minutes for piece in pieces))
    base = min(piece.start * piece.minutes for piece in pieces) // grid
    taken = 0
    for piece in sorted(pieces, key=lambda p: (RANK[p.held.row.source], -p.held.row.id)):
        wide = piece.minutes // grid
        present = spread(piece.present(), wide)
        shift = 8 * (piece.start * wide - base)
        mine = int.from_bytes(present, "little") << shift
        both = (taken & mine) >> shift
        if both:
            hidden = gathered(both.to_bytes(len(present), "little"), wide)
            low = piece.start - piece.held.origin
            window = piece.flags[low : low + len(hidden)]
            piece.flags = (
                piece.flags[:low]
                + bytes(flag | less for flag, less in zip(window, hidden, strict=True))
                + piece.flags[low + len(hidden) :]
            )
            mine = int.from_bytes(spread(piece.present(), wide), "little") << shift
        taken |= mine
    return pieces


def spread(present: bytes, wide: int) -> bytes:
    """Repeat each byte for the finer slots that it covers."""
    return present if wide == 1 else bytes(byte for byte in present for _ in range(wide))


def gathered(present: bytes, wide: int) -> bytes:
    """1 for each coarser slot of which any finer one is set."""
    if wide == 1:
        return present
    return bytes(max(present[at : at + wide]) for at in range(0, len(present), wide))
