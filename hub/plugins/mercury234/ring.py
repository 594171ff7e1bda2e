"""The profile's ring in the meter's memory: records, addresses, stamps. Pure arithmetic.

Time base: ``std`` is the face without the summer hour, a scale on which the meter's records are
evenly spaced; comparisons and sums are made on it. What leaves is the face with its season.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.plugins.api import Counts, Cursor, CursorLost, MeterTime
from hub.plugins.mercury234.frames import face_from_bcd

SCHEME = "mercury234/ring/1"

STEP = 0x10  # records lie at multiples of this
RECORD_BYTES = 15
BORDER = 0x10000  # reads do not cross it: the 17th bit is in the request
NOT_METERED = 0xFFFF
SUMMER_HOUR = timedelta(hours=1)
DAY_MINUTES = 1440
LONGEST_PERIOD = 60

WINTER, INITIALISING, INCOMPLETE, OVERFLOW, BIT_17 = 0x08, 0x04, 0x02, 0x01, 0x10


def std(time: MeterTime) -> datetime:
    """Return the face without the summer hour."""
    return time.face - SUMMER_HOUR if time.summer else time.face


def shown(at: datetime, *, summer: bool) -> MeterTime:
    """Return what the face shows at ``at`` on the even scale, in this season."""
    return MeterTime(at + SUMMER_HOUR if summer else at, summer=summer)


def divides_day(minutes: int) -> bool:
    return 0 < minutes <= LONGEST_PERIOD and DAY_MINUTES % minutes == 0


def on_grid(face: datetime, minutes: int) -> bool:
    return (face.hour * 60 + face.minute) % minutes == 0


def snapped_up(face: datetime, minutes: int) -> datetime:
    """Return the end of the interval that ``face`` falls in."""
    return face + timedelta(minutes=-(face.hour * 60 + face.minute) % minutes)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the meter kept it."""

    ends: MeterTime
    minutes: int
    counts: Counts
    status: int

    @property
    def std(self) -> datetime:
        return std(self.ends)

    @property
    def incomplete(self) -> bool:
        return bool(self.status & (INCOMPLETE | INITIALISING))


def is_blank(wire: bytes) -> bool:
    """Tell whether a place was never written: no date, or erased memory."""
    return not any(wire[3:6]) or wire == b"\xff" * len(wire)


def parse_record(wire: bytes) -> Record:
    """Read ``status hh mm dd mm yy T`` and four little-endian words; ValueError if senseless."""
    status, hour, minute, day, month, year, minutes = wire[:7]
    face = face_from_bcd(day, month, year, hour=hour, minute=minute)
    if not 0 < minutes <= LONGEST_PERIOD:
        raise ValueError(f"a period of {minutes} minutes")
    words = [int.from_bytes(wire[at : at + 2], "little") for at in (7, 9, 11, 13)]
    a_plus, a_minus, r_plus, r_minus = (None if w == NOT_METERED else w for w in words)
    return Record(
        ends=MeterTime(face, summer=not status & WINTER),
        minutes=minutes,
        counts=(a_plus, a_minus, r_plus, r_minus),
        status=status,
    )


@dataclass(frozen=True, slots=True)
class Last:
    """The reply of 08 13: the last record formed. ``ends`` is None if there is none yet."""

    field: int
    status: int
    ends: MeterTime | None
    minutes: int

    @property
    def std(self) -> datetime:
        if self.ends is None:
            raise ValueError("no record was formed yet")
        return std(self.ends)


def parse_last(wire: bytes) -> Last:
    """Read ``hi lo status hh mm dd mm yy T``; ValueError if senseless."""
    status, hour, minute, day, month, year, minutes = wire[2:9]
    ends = None
    if any((day, month, year)):
        face = face_from_bcd(day, month, year, hour=hour, minute=minute)
        if divides_day(minutes):
            face = snapped_up(face, minutes)
        ends = MeterTime(face, summer=not status & WINTER)
    return Last(int.from_bytes(wire[:2], "big"), status, ends, minutes)


def addresses(last: Last, ring: int, preferred: str) -> dict[str, int]:
    """Return the byte addresses that the pointer may mean, the preferred meaning first.

    ``record``: it counts records. ``byte``: it is an address, bit 4 of the status its 17th bit.
    ``low``: the same, that bit being stuck.
    """
    means = {
        "record": last.field * STEP % ring,
        "byte": (last.field | (BORDER if last.status & BIT_17 else 0)) % ring,
        "low": last.field % ring,
    }
    means = {name: address for name, address in means.items() if address % STEP == 0}
    return dict(sorted(means.items(), key=lambda item: item[0] != preferred))


def window(address: int, ring: int, count: int, back: int) -> int:
    """Return where a read of ``count`` records starts that has the one at ``address``.

    ``back`` says by how many records it had better start earlier, to end with the last record.
    The read stays between the borders of memory.
    """
    low = address // BORDER * BORDER
    high = min(low + BORDER, ring)
    start = max(address - back * STEP, low)
    return max(min(start, high - count * STEP), low)


def memory_read(address: int, count: int) -> bytes:
    """Return code 06 for one record or for seventeen of the main profile."""
    bank = 0x83 if address >= BORDER else 0x03
    low = address % BORDER
    return bytes((0x06, bank, low >> 8, low & 0xFF, RECORD_BYTES * count))


def relative_read(offset: int, count: int) -> bytes:
    """Return code 16h for ``count`` records, the newest being ``offset`` before the last one."""
    return bytes((0x16, 0x03, offset >> 8, offset & 0xFF, count))


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the ring that was walked over, and what stood there or should have."""

    address: int
    ends: MeterTime
    minutes: int

    @property
    def std(self) -> datetime:
        return std(self.ends)


Span = tuple[MeterTime, MeterTime]


def _span_words(span: Span | None) -> list[str] | None:
    return [std(edge).isoformat() for edge in span] if span else None


def cursor(mark: Mark | None, span: Span | None) -> Cursor:
    """Return a cursor behind ``mark``; None: nothing was read yet."""
    body: dict[str, object] = {}
    if mark is not None:
        body = {
            "address": mark.address,
            "ends": mark.ends.face.isoformat(),
            "summer": bool(mark.ends.summer),
            "minutes": mark.minutes,
        }
    if span is not None:
        body["span"] = _span_words(span)
    return Cursor(SCHEME, json.dumps(body, separators=(",", ":")))


def place_of(since: Cursor | None, span: Span | None) -> Mark | None:
    """Return the place that a cursor means; CursorLost if it is not one of ours for this span."""
    if since is None:
        return None
    if since.scheme != SCHEME:
        raise CursorLost(f"The cursor is of another kind ({since.scheme}); reading starts anew.")
    try:
        body = json.loads(since.body)
        if body.get("span") != _span_words(span):
            raise CursorLost("The cursor belongs to another span; the span is read anew.")
        if "address" not in body:
            return None
        face = datetime.fromisoformat(body["ends"])
        ends = MeterTime(face.replace(tzinfo=None), summer=bool(body["summer"]))
        mark = Mark(int(body["address"]), ends, int(body["minutes"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CursorLost("The cursor can't be read; reading starts from the oldest.") from error
    if not divides_day(mark.minutes):
        raise CursorLost("The cursor names no period; reading starts from the oldest.")
    return mark
