"""The writes of code 03: what each does, at which level, and which may ever leave. No I/O.

One table for the driver, for ``act`` and for ``hub wire decode`` (protocol paper, section 6.2).
Writes are plain big-endian, unlike reads. Code 07, raw physical writes, is left out on purpose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from corefast.crc import is_sealed
from hub.plugins.api import Act, MeterTime
from hub.plugins.mercury234.frames import face_from_bcd, from_bcd, spaced
from hub.plugins.mercury234.values import parse_clock

WRITE_CODE = 0x03
FIX, SET_CLOCK, NUDGE_CLOCK = 0x08, 0x0C, 0x0D
POWER_LIMIT, POWER_CONTROL, ENERGY_LIMIT, ENERGY_CONTROL, RELAY = 0x2C, 0x2D, 0x2E, 0x2F, 0x31
NEW_ADDRESS, NEW_PASSWORD = 0x05, 0x1F
LAST_OWN_ADDRESS = 0xF0  # above it are broadcast and addresses that no meter can be given
POWER_LIMIT_BYTES, ENERGY_LIMIT_BYTES = 3, 4
SPEEDS = (9600, 4800, 2400, 1200, 600, 300, 19200, 38400, 57600, 115200)
PARITIES = ("no parity", "odd parity", "even parity")


@dataclass(frozen=True, slots=True)
class Write:
    """One parameter that can be written.

    ``level``: 0 no channel needed, 1 user, 2 owner, 3 the factory's jumper, None not known.
    ``says``: what these data do; ValueError if they can't be meant. ``act``: what has to be
    consented to; None: this driver never sends it.
    """

    does: str
    level: int | None
    says: Callable[[bytes], str] | None = None
    act: Act | None = None


def _sized(data: bytes, *sizes: int) -> None:
    if len(data) not in sizes:
        raise ValueError(f"{len(data)} bytes of data where {sizes[0]} were due")


def _nothing(text: str) -> Callable[[bytes], str]:
    def say(data: bytes) -> str:
        _sized(data, 0)
        return text

    return say


def _switch(off: str, on: str) -> Callable[[bytes], str]:
    """Say a byte that is 0 or 1."""

    def say(data: bytes) -> str:
        _sized(data, 1)
        if data[0] > 1:
            raise ValueError(f"{data[0]:02X} where 00 or 01 were due")
        return on if data[0] else off

    return say


def _number(text: str, size: int) -> Callable[[bytes], str]:
    def say(data: bytes) -> str:
        _sized(data, size)
        return text.format(int.from_bytes(data, "big"))

    return say


def _clock(data: bytes) -> str:
    _sized(data, 8)
    shown = parse_clock(data)
    if from_bcd(data[3]) != shown.face.isoweekday():
        raise ValueError(f"weekday {data[3]:02X} on a day that is {shown.face.isoweekday()}")
    return f"set the clock to {shown.face.isoformat(' ')}, {'summer' if shown.summer else 'winter'}"


def _nudge(data: bytes) -> str:
    _sized(data, 3)
    at = face_from_bcd(1, 1, 0, hour=data[2], minute=data[1], second=data[0])
    return f"correct the clock to {at:%H:%M:%S}, within four minutes and once a day"


def _power_limit(data: bytes) -> str:
    _sized(data, POWER_LIMIT_BYTES)
    return f"set the power limit to {Decimal(int.from_bytes(data, 'big')).scaleb(-2)} W"


def _energy_limit(data: bytes) -> str:
    _sized(data, 1 + ENERGY_LIMIT_BYTES)
    if data[0] not in range(1, 5):
        raise ValueError(f"tariff {data[0]} is none of 1 to 4")
    return f"set the energy limit of tariff {data[0]} to {int.from_bytes(data[1:], 'big')} Wh"


def _profile(data: bytes) -> str:
    _sized(data, 1, 2)
    erases = " and erase its memory" if data[1:] == b"\x01" else ""
    return f"begin the profile anew with a period of {data[0]} minutes{erases}"


def _interface(data: bytes) -> str:
    _sized(data, 1, 2)
    speed, parity = data[0] & 0x0F, data[0] >> 4 & 0x03
    if speed >= len(SPEEDS) or parity >= len(PARITIES):
        raise ValueError(f"{data[0]:02X} is no speed and parity")
    more = ", with the code repeated in every answer" if data[0] & 0x80 else ""
    more += ", with open access at level 2" if data[0] & 0x40 else ""
    return f"set the interface to {SPEEDS[speed]} baud, {PARITIES[parity]}{more}"


def _ratios(data: bytes) -> str:
    _sized(data, 4)
    voltage, current = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")
    return f"set the transformer ratios to {voltage} for voltage and {current} for current"


def _password(data: bytes) -> str:
    _sized(data, 13)
    return f"change the password of level {data[0]}"


WRITES: Mapping[int, Write] = {
    0x00: Write("initialise the main profile", 2, _profile),
    0x01: Write("set the indication by tariff", None),
    0x02: Write("set the indication by period", None),
    0x03: Write("set the indication", None),
    NEW_ADDRESS: Write("set the network address", 1, _number("set the network address to {}", 1)),
    0x06: Write("initialise the additional profile", 2, _profile),
    FIX: Write("latch the present values", 0, _nothing("latch the present values"), Act.FIX),
    0x04: Write("something about the test mode, probably", None),
    0x0A: Write("a write that is not documented", 3),
    SET_CLOCK: Write("set the clock", 2, _clock, Act.SET_CLOCK),
    NUDGE_CLOCK: Write("correct the clock", 1, _nudge, Act.CORRECT_CLOCK),
    0x14: Write("set the additional interface", 1, _interface),
    0x15: Write("set the main interface", 1, _interface),
    0x16: Write("restart the meter", 2, _nothing("restart the meter")),
    0x18: Write(
        "allow or forbid summer time", 2, _switch("allow summer time", "forbid summer time")
    ),
    0x19: Write("set the season changes", 2),
    0x1B: Write("set the transformer ratios", 2, _ratios),
    0x1D: Write("write a part of the tariff schedule", None),
    0x1E: Write("write the holidays of a month", None),
    NEW_PASSWORD: Write("change a password", 2, _password),
    0x20: Write("reset the energy registers, probably", 3),
    0x22: Write("set the location", 2),
    0x23: Write("set the hours of morning and evening maxima", None),
    0x24: Write("reset the maxima, probably", None),
    0x26: Write(
        "set the time of power-limit control",
        2,
        _number("set the time of power-limit control to {} s", 2),
    ),
    0x27: Write("something about the PLC modem, probably", None),
    0x28: Write("a write that is not documented", 3),
    0x29: Write("a write that is not documented", 3),
    0x2A: Write(
        "choose one tariff or several",
        2,
        _switch("count by several tariffs", "count by one tariff"),
    ),
    POWER_LIMIT: Write("set the power limit", 2, _power_limit, Act.SET_LIMITS),
    POWER_CONTROL: Write(
        "switch power-limit control",
        2,
        _switch("switch power-limit control off", "switch power-limit control on"),
        Act.SET_LIMITS,
    ),
    ENERGY_LIMIT: Write("set an energy limit", 2, _energy_limit, Act.SET_LIMITS),
    ENERGY_CONTROL: Write(
        "switch energy-limit control",
        2,
        _switch("switch energy-limit control off", "switch energy-limit control on"),
        Act.SET_LIMITS,
    ),
    0x30: Write(
        "choose what the pulse output is for",
        2,
        _switch("use the pulse output for telemetry", "use the pulse output for load control"),
    ),
    RELAY: Write(
        "switch the load", 2, _switch("switch the load on", "switch the load off"), Act.SWITCH_RELAY
    ),
    0x32: Write("set the time-out multiplier", 1, _number("set the time-out multiplier to {}", 1)),
    0x33: Write("set the mode of technical losses", None),
    0x34: Write("set the powers of technical losses", None),
    0x35: Write("something about technical losses, probably", None),
    0x36: Write("set the limits of power quality", None),
    0x37: Write("set the averaging of voltage and frequency", None),
}


def act(request: bytes) -> Act | None:
    """Return what has to be consented to before this frame leaves; None: it never leaves.

    Only whole frames with a right CRC, to one meter, with data that mean something.
    """
    if len(request) < 5 or request[1] != WRITE_CODE or request[0] > LAST_OWN_ADDRESS:
        return None
    write = WRITES.get(request[2])
    if write is None or write.act is None or write.says is None or not is_sealed(request):
        return None
    try:
        write.says(request[3:-2])
    except ValueError:
        return None
    return write.act


# -- bodies, address and CRC aside ---------------------------------------------------------------


def said(body: bytes) -> str:
    """Say what a body of ours does."""
    write = WRITES[body[1]]
    return write.says(body[2:]) if write.says else write.does


def bcd(number: int) -> int:
    """Return 0 to 99 as two decimal digits."""
    return number // 10 << 4 | number % 10


def nudge_body(face: datetime) -> bytes:
    """Ask for a correction to this time of day."""
    return bytes((WRITE_CODE, NUDGE_CLOCK, *map(bcd, (face.second, face.minute, face.hour))))


def set_clock_body(shown: MeterTime) -> bytes:
    """Set this face; ValueError for a year that the meter does not have."""
    face = shown.face
    if not 2000 <= face.year <= 2099:
        raise ValueError(f"{face.year} is no year of the meter, which has 2000 to 2099")
    date = (bcd(face.day), bcd(face.month), bcd(face.year - 2000))
    time = (bcd(face.second), bcd(face.minute), bcd(face.hour))
    season = 0 if shown.summer else 1
    return bytes((WRITE_CODE, SET_CLOCK, *time, face.isoweekday(), *date, season))


def switch_body(parameter: int, *, on: bool) -> bytes:
    return bytes((WRITE_CODE, parameter, on))


def power_limit_body(watts: Decimal) -> bytes:
    """Set this limit; ValueError if the meter can't hold it."""
    count = _count(watts.scaleb(2), POWER_LIMIT_BYTES, f"A power limit of {watts} W")
    return bytes((WRITE_CODE, POWER_LIMIT)) + count


def energy_limit_body(tariff: int, wh: Decimal) -> bytes:
    """Set this limit; ValueError if the meter can't hold it."""
    if tariff not in range(1, 5):
        raise ValueError(f"There is no tariff {tariff} to limit; there are 1 to 4.")
    count = _count(wh, ENERGY_LIMIT_BYTES, f"An energy limit of {wh} Wh")
    return bytes((WRITE_CODE, ENERGY_LIMIT, tariff)) + count


def _count(value: Decimal, size: int, what: str) -> bytes:
    most = (1 << 8 * size) - 2  # all ones may mean that there is none
    if not value.is_finite() or value != value.to_integral_value() or not 0 <= value <= most:
        raise ValueError(f"{what} can't be set; the meter takes whole steps from 0 to {most}.")
    return int(value).to_bytes(size, "big")


def masked(data: bytes, parameter: int) -> str | None:
    """Return what may be shown of a write's data; None: they are a password."""
    return None if parameter == NEW_PASSWORD else spaced(data)
