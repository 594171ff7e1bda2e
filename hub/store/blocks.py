"""Profile blocks: one UTC day of one series each, packed by corefast, over the DBAPI cursor.

A day is the UTC day number of its slots' starts. Read-change-write of a block belongs into one
``store.write()``; there ``lock_days`` reads what will be changed.
"""

import secrets
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corefast.profile import BlockDamaged, pack_day, unpack_days
from hub.domain.series import NO_VALUE, Shape, Span
from hub.store.unit import DbCursor, Unit

READ = "SELECT day, body FROM block WHERE series_id = ? AND day >= ? AND day <= ?"
UPSERT = (
    "INSERT INTO block (series_id, day, body) VALUES (?, ?, ?) "
    "ON CONFLICT (series_id, day) DO UPDATE SET body = excluded.body"
)
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Days:
    """Whole UTC days of one series, unpacked.

    ``values``: uint32 (days, slots, channels), 0 where there is none; ``flags``: uint8 (days,
    slots), bit 0 = no value. A damaged block reads as a day without values and its number is in
    ``damaged``, so that one bad day never hides the others.
    """

    series_id: int
    shape: Shape
    first_day: int
    values: memoryview
    flags: memoryview
    damaged: tuple[int, ...] = ()

    def spans(self) -> list[Span]:
        """List the stretches of minutes that have values."""
        minutes, out = self.shape.minutes, []
        begin: int | None = None
        at = self.first_day * DAY_MINUTES
        for flag in self.flags.cast("B", (self.flags.nbytes,)):
            if flag & NO_VALUE:
                if begin is not None:
                    out.append((begin, at))
                    begin = None
            elif begin is None:
                begin = at
            at += minutes
        if begin is not None:
            out.append((begin, at))
        return out


def read_days(
    cursor: DbCursor, series_id: int, shape: Shape, first_day: int, last_day: int
) -> Days:
    """Read the days of one series from ``first_day`` to ``last_day``, both included."""
    cursor.execute(READ, (series_id, first_day, last_day))
    bodies: list[bytes | None] = [None] * (last_day - first_day + 1)
    for day, body in cursor.fetchall():
        bodies[day - first_day] = body
    return unpacked(series_id, shape, first_day, bodies)


def unpacked(series_id: int, shape: Shape, first_day: int, bodies: Iterable[bytes | None]) -> Days:
    """Unpack the bodies of days that follow each other; None is a day without values."""
    left = list(bodies)
    damaged: list[int] = []
    channels = shape.channels.bit_count()
    while True:
        try:
            values, flags = unpack_days(left, shape.slots, channels)
        except BlockDamaged as damage:
            left[damage.index] = None
            damaged.append(first_day + damage.index)
        else:
            return Days(series_id, shape, first_day, values, flags, tuple(damaged))


class DayBuffer:
    """One day that is being changed: counts and flags by slot number."""

    __slots__ = ("channels", "counts", "flags", "shape")

    def __init__(self, shape: Shape, day: Days | None = None) -> None:
        self.shape = shape
        self.channels = shape.channels.bit_count()
        if day is None:
            self.counts = array("I", bytes(4 * shape.slots * self.channels))
            self.flags = bytearray([NO_VALUE]) * shape.slots
        else:
            self.counts = array("I", day.values.tobytes())
            self.flags = bytearray(day.flags)

    def get(self, slot: int) -> tuple[int, ...]:
        """Return the counts of a slot, in the order of its columns."""
        return tuple(self.counts[slot * self.channels : (slot + 1) * self.channels])

    def put(self, slot: int, counts: Sequence[int], flags: int) -> None:
        self.counts[slot * self.channels : (slot + 1) * self.channels] = array("I", counts)
        self.flags[slot] = flags

    def packed(self) -> bytes:
        shaped = memoryview(self.counts).cast("B").cast("I", (self.shape.slots, self.channels))
        return pack_day(shaped, self.flags)


def lock_days(unit: Unit, series_id: int, shape: Shape, days: Sequence[int]) -> dict[int, Days]:
    """Read days that this unit is going to change; on PostgreSQL their rows are locked."""
    cursor = unit.cursor()
    lock = " FOR UPDATE" if unit.store.path is None else ""
    cursor.execute(READ + lock, (series_id, min(days), max(days)))
    wanted = set(days)
    return {
        day: unpacked(series_id, shape, day, [body])
        for day, body in cursor.fetchall()
        if day in wanted
    }


def write_day(cursor: DbCursor, series_id: int, day: int, body: bytes) -> None:
    """Store a packed day in place of whatever was there; then `mark_changed`."""
    cursor.execute(UPSERT, (series_id, day, body))


def mark_changed(cursor: DbCursor, series_id: int) -> None:
    """Say, in the transaction that wrote or deleted days of a series, that it is another now.

    By chance and not by counting: a database restored from a copy may count to the same number.
    """
    mark = secrets.randbits(62)
    cursor.execute("UPDATE series SET mark = ? WHERE id = ?", (mark, series_id))


def delete_day(cursor: DbCursor, series_id: int, day: int) -> None:
    """Delete a day, if there is one; then `mark_changed`."""
    cursor.execute("DELETE FROM block WHERE series_id = ? AND day = ?", (series_id, day))
