"""Instantaneous and fixed values: BWRI bytes, layouts and scales, OBIS names. No I/O.

One table for the driver's readers and for ``hub wire decode``. A BWRI byte is
``quantity << 4 | power << 2 | phase`` (protocol paper, sections 5.1 to 5.3).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hub.plugins.api import MeterTime, Quantity, Register
from hub.plugins.mercury234.frames import face_from_bcd, word_132, word_2143

ACTIVE_REVERSE, REACTIVE_REVERSE = 0x80, 0x40
ALL = 0xA0  # everything in one answer
FIXED_AT, FIXED_ENERGY = 0xE0, 0xF0
CLOCK_BYTES, ENERGY_BYTES = 8, 16


@dataclass(frozen=True, slots=True)
class Kind:
    """One quantity: its group's BWRI, name and scale, and a register for each element."""

    bwri: int  # of the group
    name: str  # in ``hub wire decode`` where all come in one answer
    element: str  # name of one element there
    unit: str
    divisor: int
    phases: tuple[int, ...]  # 0 is the sum, in the order of the answer
    obis: tuple[str, ...]
    most: int  # counts above it are no such quantity
    directed: bool = False  # two bits of each element are directions
    sign: int = 0  # the direction bit that makes it negative
    width: int = 3  # bytes of an element

    def singles(self) -> tuple[int, ...]:
        """Return the BWRI bytes that ask for each element alone."""
        return tuple(self.bwri | phase for phase in self.phases)

    def size(self, *, fixed: bool = False) -> int:
        """Return the bytes of one element; powers are wider among the fixed values."""
        return 4 if fixed and self.bwri < 0x10 else self.width


ONE, THREE, FOUR = (0,), (1, 2, 3), (0, 1, 2, 3)
ACTIVE = Kind(
    0x00, "active_power", "power", "W", 100, FOUR, ("1.7.0", "21.7.0", "41.7.0", "61.7.0"),
    0x3FFFFFFF, directed=True, sign=ACTIVE_REVERSE,
)  # fmt: skip
REACTIVE = Kind(
    0x04, "reactive_power", "power", "var", 100, FOUR, ("3.7.0", "23.7.0", "43.7.0", "63.7.0"),
    0x3FFFFFFF, directed=True, sign=REACTIVE_REVERSE,
)  # fmt: skip
APPARENT = Kind(
    0x08, "apparent_power", "power", "VA", 100, FOUR, ("9.7.0", "29.7.0", "49.7.0", "69.7.0"),
    0x3FFFFFFF, directed=True,
)  # fmt: skip
VOLTAGE = Kind(
    0x10, "voltage", "voltage_v", "V", 100, THREE, ("32.7.0", "52.7.0", "72.7.0"), 100_000
)
CURRENT = Kind(
    0x20, "current", "current_a", "A", 1000, THREE, ("31.7.0", "51.7.0", "71.7.0"), 1_000_000
)
COSINE = Kind(
    0x30, "power_factor", "power_factor", "1", 1000, FOUR,
    ("13.7.0", "33.7.0", "53.7.0", "73.7.0"), 1000, directed=True, sign=ACTIVE_REVERSE,
)  # fmt: skip
FREQUENCY = Kind(0x40, "frequency", "frequency_hz", "Hz", 100, ONE, ("14.7.0",), 10_000)
ANGLE = Kind(
    0x50, "voltage_angle", "angle_deg", "deg", 100, THREE, ("81.7.1", "81.7.2", "81.7.12"), 36_000
)
DISTORTION = Kind(
    0x60, "voltage_thd", "thd_percent", "%", 100, THREE,
    ("32.7.124", "52.7.124", "72.7.124"), 0xFFFF, width=2,
)  # fmt: skip
TEMPERATURE = Kind(
    0x70, "temperature", "temperature_c", "Cel", 1, ONE, ("0-0:96.9.0",), 100, width=2
)
# In the order of 08 16 A0: the first eight are its 78 bytes, all are its 86.
KINDS = (
    ACTIVE, REACTIVE, APPARENT, VOLTAGE, ANGLE, CURRENT, COSINE, FREQUENCY, DISTORTION, TEMPERATURE,
)  # fmt: skip
ALWAYS, SINCE_233 = KINDS[:8], KINDS[8:]
BY_BWRI: Mapping[int, Kind] = {kind.bwri: kind for kind in KINDS}
ENERGY_ORDER = (1, 2, 3, 4, 0)  # tariffs in 08 14 A0, 0 being the sum


def group_bytes(kind: Kind, *, fixed: bool = False) -> int:
    return kind.size(fixed=fixed) * len(kind.phases)


ALL_SIZES = (
    sum(group_bytes(kind) for kind in ALWAYS),
    sum(group_bytes(kind) for kind in KINDS),
    sum(group_bytes(kind) for kind in KINDS) + 9,  # the newest add nine bytes that nobody names
)
ALL_FIXED_SIZE = CLOCK_BYTES + 5 * ENERGY_BYTES + sum(group_bytes(k, fixed=True) for k in ALWAYS)


def kind_of(bwri: int) -> Kind | None:
    """Return what a BWRI byte asks for, its phase aside; None for what the family lacks."""
    group = bwri & 0xF0 if bwri >= 0x10 else bwri & 0xFC
    return BY_BWRI.get(group)


@dataclass(frozen=True, slots=True)
class Sample:
    """One element as it was sent: a count without sign, and its two directions."""

    count: int
    active_reverse: bool = False
    reactive_reverse: bool = False


def sample(kind: Kind, wire: bytes) -> Sample:
    """Read one element; its width says whether it is a fixed power."""
    if kind is TEMPERATURE:
        return Sample(int.from_bytes(wire, "big", signed=True))
    if kind is DISTORTION:
        return Sample(int.from_bytes(wire, "little"))
    count, flags = (word_2143(wire), wire[1]) if len(wire) == 4 else (word_132(wire), wire[0])
    if not kind.directed:
        return Sample(count)
    count &= 0x3FFFFFFF if len(wire) == 4 else 0x3FFFFF
    return Sample(count, bool(flags & ACTIVE_REVERSE), bool(flags & REACTIVE_REVERSE))


def samples(kind: Kind, wire: bytes, *, fixed: bool = False) -> list[Sample]:
    """Read the elements that stand in ``wire``, one or a group."""
    size = kind.size(fixed=fixed)
    return [sample(kind, wire[at : at + size]) for at in range(0, len(wire), size)]


def split(
    wire: bytes, kinds: Sequence[Kind], *, fixed: bool = False
) -> Iterator[tuple[Kind, bytes]]:
    """Yield each quantity's bytes out of an answer that has them one after another."""
    at = 0
    for kind in kinds:
        size = group_bytes(kind, fixed=fixed)
        yield kind, wire[at : at + size]
        at += size


def quantity(kind: Kind, seen: Sample) -> Quantity:
    """Return the value with its sign; ValueError if no such quantity has this count."""
    if abs(seen.count) > kind.most:
        raise ValueError(f"{seen.count} / {kind.divisor} {kind.unit} is no {kind.name}")
    reverse = (kind.sign == ACTIVE_REVERSE and seen.active_reverse) or (
        kind.sign == REACTIVE_REVERSE and seen.reactive_reverse
    )
    count = -seen.count if reverse else seen.count
    digits = len(str(kind.divisor)) - 1
    return Quantity(Decimal(count).scaleb(-digits), kind.unit)


def quantities(kind: Kind, wire: bytes, *, fixed: bool = False) -> dict[Register, Quantity]:
    """Return a group by register, without what is masked; ValueError if it makes no sense."""
    size = kind.size(fixed=fixed)
    parts = [wire[at : at + size] for at in range(0, len(wire), size)]
    return {
        Register(obis): quantity(kind, sample(kind, part))
        for obis, part in zip(kind.obis, parts, strict=True)
        if kind is TEMPERATURE or part != b"\xff" * size
    }


def everything(wire: bytes) -> dict[Register, Quantity]:
    """Read the answer to 08 16 A0; ValueError if it makes no sense."""
    found: dict[Register, Quantity] = {}
    for kind, part in split(wire, ALWAYS if len(wire) == ALL_SIZES[0] else KINDS):
        found |= quantities(kind, part)
    return found


def parse_clock(wire: bytes) -> MeterTime:
    """Read ss mm hh weekday dd mm yy season; ValueError if that is no time."""
    second, minute, hour, _weekday, day, month, year, season = wire
    if season not in {0, 1}:
        raise ValueError(f"season {season:02X} is neither summer nor winter")
    face = face_from_bcd(day, month, year, hour=hour, minute=minute, second=second)
    return MeterTime(face, summer=season == 0)


def parse_fixed_at(wire: bytes) -> MeterTime | None:
    """Read when values were latched; None: never yet. ValueError if that is no time."""
    if not any(wire[:7]) or wire == b"\xff" * CLOCK_BYTES:
        return None
    return parse_clock(wire)
