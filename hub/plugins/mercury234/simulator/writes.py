"""Code 03: what can be written, by whom, and what comes of it.

Lengths and levels are those of the protocol paper, section 6.2. The answer is a status.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hub.plugins.mercury234.simulator import books, layouts
from hub.plugins.mercury234.simulator.clock import HOUR, naive, since_origin

if TYPE_CHECKING:
    from hub.plugins.mercury234.simulator.life import Life

OK, BAD_REQUEST, INTERNAL, LEVEL_TOO_LOW, CORRECTED_TODAY, CHANNEL_CLOSED = range(6)
READER, OWNER, FACTORY = 1, 2, 3

FIX, SET_CLOCK, CORRECT_CLOCK, RELAY = 0x08, 0x0C, 0x0D, 0x31

TARIFFS = (1, 2, 3, 4)
MOST_S = 240
_LAST_ADDRESS = 0xF0
_MOST_PERIOD, _MOST_PERIOD_BEFORE_8 = 60, 45

Act = Callable[["Life", bytes], int]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One parameter: numbers of data bytes, level, effect, the book that notes it."""

    lengths: tuple[int, ...]
    level: int
    act: Act
    book: int | None = None


def is_known(parameter: int) -> bool:
    """Tell whether there is such a parameter."""
    return parameter in _PARAMETERS


def length_fits(parameter: int, length: int) -> bool:
    """Tell whether a parameter has so many bytes; of an unknown one nobody knows."""
    known = _PARAMETERS.get(parameter)
    return known is None or length in known.lengths


def write(life: "Life", parameter: int, data: bytes, *, level: int) -> int:
    """Write a parameter, with what comes of it; return the status."""
    known = _PARAMETERS.get(parameter)
    if known is None:
        return BAD_REQUEST
    if level < known.level:
        return LEVEL_TOO_LOW
    status = known.act(life, data)
    if status == OK and parameter != FIX:
        life.notes.programmed(life.run, parameter)
        if known.book is not None:
            life.notes.write(known.book, life.run)
    return status


def _keep(parameter: int, indexed: int = 0) -> Act:
    """Make the effect of being kept; ``indexed`` bytes say which of several it is."""

    def act(life: "Life", data: bytes) -> int:
        index = int.from_bytes(data[:indexed], "big")
        life.keep(parameter, data[indexed:], index)
        return OK

    return act


def _nothing(_life: "Life", _data: bytes) -> int:
    return OK


def _switch(name: str) -> Act:
    """Make the effect of switching a setting on (1) or off (0)."""

    def act(life: "Life", data: bytes) -> int:
        if data[0] > 1:
            return BAD_REQUEST
        life.change(**{name: bool(data[0])})
        return OK

    return act


def _begin_profile(ring: int) -> Act:
    def act(life: "Life", data: bytes) -> int:
        period, wiped = data
        most = _MOST_PERIOD if life.firmware >= (8, 0, 0) else _MOST_PERIOD_BEFORE_8
        if not 1 <= period <= most or wiped > 1 or ring >= len(life.rings):
            return BAD_REQUEST
        life.begin_profile(ring, period, wiped=bool(wiped))
        return OK

    return act


def _move(life: "Life", data: bytes) -> int:
    if not 1 <= data[0] <= _LAST_ADDRESS:
        return BAD_REQUEST
    life.change(address=data[0])
    return OK


def _set_clock(life: "Life", data: bytes) -> int:
    second, minute, hour, _, day, month, year, season = map(layouts.from_bcd, data)
    try:
        clock = since_origin(
            naive(0).replace(
                _int(year) + 2000, _int(month), _int(day), _int(hour), _int(minute), _int(second)
            )
        )
    except ValueError:
        return BAD_REQUEST
    summer = season == 0 and life.calendar.seasons
    life.set_clock(clock - (HOUR if summer else 0))
    return OK


def _correct_clock(life: "Life", data: bytes) -> int:
    second, minute, hour = map(layouts.from_bcd, data)
    face = life.face(life.run)
    try:
        wanted = face.replace(hour=_int(hour), minute=_int(minute), second=_int(second))
    except ValueError:
        return BAD_REQUEST
    half = timedelta(hours=12)
    seconds = int(((wanted - face + half) % (2 * half) - half) // timedelta(seconds=1))
    if abs(seconds) > MOST_S:
        return BAD_REQUEST
    return OK if life.correct_clock(seconds) else CORRECTED_TODAY


def _int(value: int | None) -> int:
    if value is None:
        raise ValueError("not a number")
    return value


def _interface(life: "Life", data: bytes) -> int:
    life.keep(0x15, data)
    # From 2.2.5 on; the answer to this very request has no code in it yet.
    life.change(repeat=bool(data[0] & 0x80) and life.firmware >= (2, 2, 5))
    return OK


def _restart(life: "Life", _data: bytes) -> int:
    life.restart()
    return OK


def _ratios(life: "Life", data: bytes) -> int:
    voltage, current = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")
    if not (voltage and current):
        return BAD_REQUEST
    life.change(voltage_ratio=voltage, current_ratio=current)
    return OK


def _password(life: "Life", data: bytes) -> int:
    level, old, new = data[0], data[1:7], data[7:]
    names = {READER: "password", OWNER: "owner_password"}
    if level not in names:
        return BAD_REQUEST
    if old != getattr(life.settings, names[level]):
        return LEVEL_TOO_LOW
    life.change(**{names[level]: new})
    return OK


def _reset_energy(life: "Life", _data: bytes) -> int:
    life.reset_energy()
    return OK


def _reset_maxima(life: "Life", _data: bytes) -> int:
    life.reset_maxima()
    return OK


def _control_time(life: "Life", data: bytes) -> int:
    life.change(power_control_s=int.from_bytes(data, "big"))
    return OK


def _power_limit(life: "Life", data: bytes) -> int:
    life.change(power_limit=int.from_bytes(data, "big"), power_tripped=False)
    return OK


def _power_control(life: "Life", data: bytes) -> int:
    life.change(power_tripped=False)
    return _switch("power_control")(life, data)


def _energy_limit(life: "Life", data: bytes) -> int:
    if data[0] not in TARIFFS:
        return BAD_REQUEST
    life.limit_energy(data[0], int.from_bytes(data[1:], "big"))
    return OK


def _relay(life: "Life", data: bytes) -> int:
    if data[0] > 1:
        return BAD_REQUEST
    life.change(ordered_off=bool(data[0]), power_tripped=False)
    return OK


def _quality_limits(life: "Life", data: bytes) -> int:
    limits = tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, 16, 2))
    if any(list(half) != sorted(half) for half in (limits[:4], limits[4:])):
        return BAD_REQUEST
    life.change(quality_limits=limits)
    return OK


_PARAMETERS: Mapping[int, _Parameter] = {
    0x00: _Parameter((2,), OWNER, _begin_profile(0), books.PROFILE_STARTED),
    0x01: _Parameter((8,), OWNER, _keep(0x01)),
    0x02: _Parameter((4,), OWNER, _keep(0x02)),
    0x03: _Parameter((5, 17), OWNER, _keep(0x03, 1)),
    0x04: _Parameter((1,), OWNER, _nothing),
    0x05: _Parameter((1,), READER, _move),
    0x06: _Parameter((2,), OWNER, _begin_profile(1), books.PROFILE_STARTED),
    0x0A: _Parameter((0,), FACTORY, _nothing),
    0x0C: _Parameter((8,), OWNER, _set_clock),
    0x0D: _Parameter((3,), READER, _correct_clock),
    0x10: _Parameter((1,), OWNER, _nothing),
    0x11: _Parameter((1,), OWNER, _nothing),
    0x14: _Parameter((1, 2), READER, _keep(0x14)),
    0x15: _Parameter((1,), READER, _interface),
    0x16: _Parameter((0,), OWNER, _restart),
    0x18: _Parameter((1,), OWNER, _keep(0x18)),
    0x19: _Parameter((6,), OWNER, _keep(0x19)),
    0x1B: _Parameter((4,), OWNER, _ratios),
    0x1D: _Parameter((19,), OWNER, _keep(0x1D, 3), books.SCHEDULE),
    0x1E: _Parameter((5,), OWNER, _keep(0x1E, 1), books.HOLIDAYS),
    0x1F: _Parameter((13,), OWNER, _password),
    0x20: _Parameter((0,), FACTORY, _reset_energy, books.ENERGY_RESET),
    0x21: _Parameter((0,), OWNER, _nothing),
    0x22: _Parameter((4,), OWNER, _keep(0x22)),
    0x23: _Parameter((9,), OWNER, _keep(0x23, 1), books.MAXIMA_SET),
    0x24: _Parameter((0,), OWNER, _reset_maxima, books.MAXIMA_RESET),
    0x26: _Parameter((2,), OWNER, _control_time, books.POWER_LIMIT_SET),
    0x27: _Parameter((1,), OWNER, _nothing),
    0x28: _Parameter((2,), FACTORY, _nothing),
    0x29: _Parameter((2,), FACTORY, _nothing),
    0x2A: _Parameter((1,), OWNER, _switch("single_tariff")),
    0x2C: _Parameter((3,), OWNER, _power_limit, books.POWER_LIMIT_SET),
    0x2D: _Parameter((1,), OWNER, _power_control, books.POWER_LIMIT_SET),
    0x2E: _Parameter((5,), OWNER, _energy_limit, books.ENERGY_LIMITS_SET),
    0x2F: _Parameter((1,), OWNER, _switch("energy_control"), books.ENERGY_LIMITS_SET),
    0x30: _Parameter((1,), OWNER, _switch("output_switches")),
    0x31: _Parameter((1,), OWNER, _relay),
    0x32: _Parameter((1,), READER, _keep(0x32)),
    0x33: _Parameter((2,), OWNER, _keep(0x33), books.LOSSES_SET),
    0x34: _Parameter((12,), OWNER, _keep(0x34), books.LOSSES_SET),
    0x35: _Parameter((1,), OWNER, _nothing),
    0x36: _Parameter((16,), OWNER, _quality_limits),
    0x37: _Parameter((2,), OWNER, _keep(0x37)),
}
