"""The event journals of a meter: which there are, and what one record of each says.

Facts: protocol paper 6.1 and 5.5. A stamp is BCD ``ss mm hh dd mm yy`` without a season; a record
that is all zeros or all FF was never written.

====== ===== =======================================================================
shape  bytes contents
====== ===== =======================================================================
MOMENT 6     when it happened
SPAN   12    when it began, when it ended (blank: not yet)
BREAK  12    when there was something again, when it was gone: power, voltage, current.
             What is told is the break from the second stamp to the next record's first
SHIFT  12    the clock before and after it was moved
MAP    12    dd mm yy, number of writes (BCD), 8 bytes of which parameters: one record a day
WORD   12    when the status word changed, and to what
RAW    12    known to newer editions only: kept as it is
====== ===== =======================================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from hub.plugins.api import N_, UNKNOWN
from hub.plugins.mercury234.frames import face_from_bcd, from_bcd, spaced

STAMP = 6


class Shape(Enum):
    """How a record is read; see the table above."""

    MOMENT = auto()
    SPAN = auto()
    BREAK = auto()
    SHIFT = auto()
    MAP = auto()
    WORD = auto()
    RAW = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One journal. ``kind`` is the name of its entries in ``hub.domain.events``."""

    number: int
    title: str  # a message id
    kind: str
    shape: Shape
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Records in the ring."""
        return 100 if 0x20 <= self.number < 0x30 else 10

    @property
    def name(self) -> str:
        return f"{self.number:02X}"

    @property
    def size(self) -> int:
        """Bytes of a record."""
        return STAMP if self.shape is Shape.MOMENT else 2 * STAMP


def _book(number: int, title: str, kind: str, shape: Shape, **detail: str) -> Book:
    return Book(number=number, title=title, kind=kind, shape=shape, detail=detail)


_M, _S, _B = Shape.MOMENT, Shape.SPAN, Shape.BREAK
# Numbers that only quotations of newer editions know; what they say is not certain.
_NEWER = (0x30, 0x31, 0x32, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86)

BOOKS: Mapping[str, Book] = {
    book.name: book
    for book in (
        _book(0x01, N_("Power supply"), "power_lost", _B),
        _book(0x02, N_("Clock corrections"), "clock_corrected", Shape.SHIFT),
        _book(0x03, N_("Phase 1 voltage"), "phase_voltage_lost", _B, phase="1"),
        _book(0x04, N_("Phase 2 voltage"), "phase_voltage_lost", _B, phase="2"),
        _book(0x05, N_("Phase 3 voltage"), "phase_voltage_lost", _B, phase="3"),
        _book(0x06, N_("Power limit"), "power_limit_exceeded", _S),
        _book(0x07, N_("Tariff schedule"), "tariff_schedule_changed", _M),
        _book(0x08, N_("Holidays"), "holidays_changed", _M),
        _book(0x09, N_("Resets of energy"), "energy_reset", _M),
        _book(0x0A, N_("Starts of the power profile"), "profile_initialised", _M),
        _book(0x0B, N_("Energy limit of tariff 1"), "energy_limit_exceeded", _M, tariff="1"),
        _book(0x0C, N_("Energy limit of tariff 2"), "energy_limit_exceeded", _M, tariff="2"),
        _book(0x0D, N_("Energy limit of tariff 3"), "energy_limit_exceeded", _M, tariff="3"),
        _book(0x0E, N_("Energy limit of tariff 4"), "energy_limit_exceeded", _M, tariff="4"),
        _book(0x0F, N_("Changes of the power limit"), "power_limit_changed", _M),
        _book(0x10, N_("Changes of energy limits"), "energy_limit_changed", _M),
        _book(0x11, N_("Changes of loss parameters"), "loss_parameters_changed", _M),
        _book(0x12, N_("Opening of the case"), "case_opened", _S),
        _book(0x13, N_("Writes of parameters"), "parameters_written", Shape.MAP),
        _book(0x14, N_("Self-test"), "self_test_changed", Shape.WORD),
        _book(0x15, N_("Schedule of maxima"), "maxima_schedule_changed", _M),
        _book(0x16, N_("Resets of maxima"), "maxima_reset", _M),
        _book(0x17, N_("Phase 1 current"), "phase_current_lost", _B, phase="1"),
        _book(0x18, N_("Phase 2 current"), "phase_current_lost", _B, phase="2"),
        _book(0x19, N_("Phase 3 current"), "phase_current_lost", _B, phase="3"),
        _book(0x1A, N_("Magnetic field"), "magnetic_field", _S),
        _book(0x20, N_("Phase 1 voltage below limit"), "voltage_below_limit", _S, phase="1"),
        _book(0x21, N_("Phase 1 voltage below normal"), "voltage_below_normal", _S, phase="1"),
        _book(0x22, N_("Phase 1 voltage above normal"), "voltage_above_normal", _S, phase="1"),
        _book(0x23, N_("Phase 1 voltage above limit"), "voltage_above_limit", _S, phase="1"),
        _book(0x24, N_("Phase 2 voltage below limit"), "voltage_below_limit", _S, phase="2"),
        _book(0x25, N_("Phase 2 voltage below normal"), "voltage_below_normal", _S, phase="2"),
        _book(0x26, N_("Phase 2 voltage above normal"), "voltage_above_normal", _S, phase="2"),
        _book(0x27, N_("Phase 2 voltage above limit"), "voltage_above_limit", _S, phase="2"),
        _book(0x28, N_("Phase 3 voltage below limit"), "voltage_below_limit", _S, phase="3"),
        _book(0x29, N_("Phase 3 voltage below normal"), "voltage_below_normal", _S, phase="3"),
        _book(0x2A, N_("Phase 3 voltage above normal"), "voltage_above_normal", _S, phase="3"),
        _book(0x2B, N_("Phase 3 voltage above limit"), "voltage_above_limit", _S, phase="3"),
        _book(0x2C, N_("Frequency below limit"), "frequency_below_limit", _S),
        _book(0x2D, N_("Frequency below normal"), "frequency_below_normal", _S),
        _book(0x2E, N_("Frequency above normal"), "frequency_above_normal", _S),
        _book(0x2F, N_("Frequency above limit"), "frequency_above_limit", _S),
        *(_book(n, N_("Journal of newer meters"), UNKNOWN, Shape.RAW) for n in _NEWER),
    )
}  # fmt: skip

#: Book 12 of a meter with two seals: places 0 to 4 and 5 to 9 are rings of their own.
TWO_SEALS = (("terminal_cover_opened", 0), ("case_opened", 5))
SEAL_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Record:
    """What one record says; times are faces.

    ``first`` is None only in a BREAK that begins with the second stamp.
    """

    first: datetime | None
    second: datetime | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


def is_blank(wire: bytes) -> bool:
    """Tell whether a record, or a stamp, was never written."""
    return not any(wire) or wire == b"\xff" * len(wire)


def parse_stamp(wire: bytes) -> datetime | None:
    """Read ``ss mm hh dd mm yy``; None if it is blank, ValueError if it is no time."""
    if is_blank(wire):
        return None
    second, minute, hour, day, month, year = wire
    return face_from_bcd(day, month, year, hour=hour, minute=minute, second=second)


def parse_record(shape: Shape, wire: bytes) -> Record:
    """Read a written record; ValueError if it makes no sense."""
    return _READERS[shape](wire)


def _certain(wire: bytes) -> datetime:
    face = parse_stamp(wire[:STAMP])
    if face is None:
        raise ValueError("a record without its time")
    return face


def _moment(wire: bytes) -> Record:
    return Record(_certain(wire))


def _span(wire: bytes) -> Record:
    return Record(_certain(wire), parse_stamp(wire[STAMP:]))


def _break(wire: bytes) -> Record:
    return Record(parse_stamp(wire[:STAMP]), parse_stamp(wire[STAMP:]))


def _shift(wire: bytes) -> Record:
    before, after = _certain(wire), _certain(wire[STAMP:])
    seconds = int((after - before).total_seconds())
    times = {"before": before.isoformat(), "after": after.isoformat()}
    return Record(before, detail={**times, "shift_s": str(seconds)})


def _word(wire: bytes) -> Record:
    return Record(_certain(wire), detail={"status_word": spaced(wire[STAMP:])})


def _writes(wire: bytes) -> Record:
    day, month, year, count = wire[:4]
    written = wire[4:]
    detail = {"map": spaced(written), "times": str(from_bcd(count))}
    # The editions print the bytes of one example in two orders (paper 6.1, 11), so parameters
    # are named only where both orders mean the same.
    if _numbers(written[:7]) == _numbers(written[6::-1]):
        detail["parameters"] = " ".join(f"{number:02X}" for number in _numbers(written[:7]))
    return Record(face_from_bcd(day, month, year, hour=0, minute=0), detail=detail)


def _numbers(bits: bytes) -> list[int]:
    return [8 * at + bit for at, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1]


_READERS: Mapping[Shape, Callable[[bytes], Record]] = {
    Shape.MOMENT: _moment,
    Shape.SPAN: _span,
    Shape.BREAK: _break,
    Shape.SHIFT: _shift,
    Shape.MAP: _writes,
    Shape.WORD: _word,
    Shape.RAW: _moment,
}
