"""Kinds of events in a scenario file: what their tables say, as happenings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.plugins.mercury234.simulator import happenings, writes
from hub.plugins.mercury234.simulator.clock import DAY
from hub.plugins.mercury234.simulator.happenings import Happening
from hub.plugins.mercury234.simulator.network import PHASES
from hub.plugins.mercury234.simulator.tables import Table

BATTERY_LOW = frozenset({1, 48})

_SECONDS_A_DAY_IN_PPB = 1_000_000_000 / DAY
_MOST_PPB = 100_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """How an event of one kind is read, and whether it lasts or is over at once."""

    read: Callable[[Table], tuple[Happening, ...]]
    lasting: bool = True


def _one(what: Happening) -> Callable[[Table], tuple[Happening, ...]]:
    return lambda _table: (what,)


def _voltage(low: int, high: int) -> Callable[[Table], tuple[Happening, ...]]:
    return lambda table: (happenings.Voltage(table.phases(), table.number("percent", low, high)),)


def _frequency(table: Table) -> tuple[Happening, ...]:
    return (happenings.Frequency(round(table.number("hertz", 40.0, 60.0) * 100)),)


def _unbalance(table: Table) -> tuple[Happening, ...]:
    shares = table.take("shares", list)
    whole = all(isinstance(share, int) and share >= 0 for share in shares)
    if len(shares) != len(PHASES) or not whole or sum(shares) != 100:
        raise table.wrong("shares", f"is {shares!r}; give three percentages that make 100.")
    first, second, third = shares
    return (happenings.Shares((first, second, third)),)


def _cover(table: Table) -> tuple[Happening, ...]:
    return (
        happenings.Cover(("terminal", "case").index(table.word("cover", ("terminal", "case")))),
    )


def _errors(table: Table) -> tuple[Happening, ...]:
    codes = table.take("codes", list)
    if not codes or not all(isinstance(code, int) and 1 <= code <= 48 for code in codes):
        raise table.wrong("codes", f"is {codes!r}; list numbers of errors, 1 to 48.")
    return (happenings.Errors(frozenset(codes)),)


def _drift(table: Table) -> tuple[Happening, ...]:
    if table.has("ppm") == table.has("seconds_a_day"):
        raise table.wrong("ppm", "or seconds_a_day says how the clock drifts; give one of them.")
    if table.has("ppm"):
        ppb = round(table.take("ppm", int | float) * 1000)
        key = "ppm"
    else:
        ppb = round(table.take("seconds_a_day", int | float) * _SECONDS_A_DAY_IN_PPB)
        key = "seconds_a_day"
    if abs(ppb) > _MOST_PPB:
        raise table.wrong(key, "is too much; a clock may gain or lose a tenth at most.")
    return (happenings.Drift(ppb),)


def _clock_set(table: Table) -> tuple[Happening, ...]:
    return (happenings.ClockSet(table.number("error_s", -(10**9), 10**9, 0)),)


def _clock_correct(table: Table) -> tuple[Happening, ...]:
    return (happenings.ClockCorrected(table.number("by_s", -writes.MOST_S, writes.MOST_S, None)),)


def _write(table: Table) -> tuple[Happening, ...]:
    parameter = table.number("parameter", 0, 0xFF)
    text = table.take("data", str, "")
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise table.wrong("data", f"is {text!r}; write bytes in hex.") from error
    if not writes.is_known(parameter) or not writes.length_fits(parameter, len(data)):
        raise table.wrong("data", f"has {len(data)} bytes; parameter {parameter:02X} has others.")
    return (happenings.Written(parameter, data),)


def _power_limit(table: Table) -> tuple[Happening, ...]:
    limit = round(table.number("watts", 0.0, 160_000.0) * 100)
    control = table.take("control", bool, False)
    return (
        happenings.Written(0x2C, limit.to_bytes(3, "big")),
        happenings.Written(0x2D, bytes((control,))),
    )


def _energy_limit(table: Table) -> tuple[Happening, ...]:
    tariff = table.number("tariff", 1, 4)
    limit = table.number("wh", 0, 0xFFFFFFFF)
    control = table.take("control", bool, False)
    return (
        happenings.Written(0x2E, bytes((tariff,)) + limit.to_bytes(4, "big")),
        happenings.Written(0x2F, bytes((control,))),
    )


def _tariffs(table: Table) -> tuple[Happening, ...]:
    return (happenings.Written(0x2A, bytes((table.take("single", bool),))),)


def _start_profile(table: Table) -> tuple[Happening, ...]:
    minutes = table.number("minutes", 1, 60)
    return (happenings.Written(0x00, bytes((minutes, table.take("wipe", bool, False)))),)


def _slow(table: Table) -> tuple[Happening, ...]:
    return (happenings.Trouble("slow", table.number("seconds", 0.0, 60.0)),)


KINDS: Mapping[str, Kind] = {
    "outage": Kind(_one(happenings.Outage())),
    "phase_loss": Kind(lambda table: (happenings.PhasesLost(table.phases()),)),
    "current_loss": Kind(lambda table: (happenings.CurrentsLost(table.phases()),)),
    "dip": Kind(_voltage(0, 99)),
    "swell": Kind(_voltage(101, 200)),
    "frequency": Kind(_frequency),
    "unbalance": Kind(_unbalance),
    "reverse": Kind(_one(happenings.Reverse())),
    "sun": Kind(lambda table: (happenings.Sun(table.number("percent", 1, 200)),)),
    "magnet": Kind(_one(happenings.Magnet())),
    "cover": Kind(_cover),
    "battery_low": Kind(_one(happenings.Errors(BATTERY_LOW))),
    "error": Kind(_errors),
    "relay_off": Kind(_one(happenings.RelayOff())),
    "silent": Kind(_one(happenings.Trouble("silent"))),
    "refusing": Kind(_one(happenings.Trouble("refusing"))),
    "misnamed": Kind(_one(happenings.Trouble("misnamed"))),
    "slow": Kind(_slow),
    "drift": Kind(_drift, lasting=False),
    "clock_set": Kind(_clock_set, lasting=False),
    "clock_correct": Kind(_clock_correct, lasting=False),
    "power_limit": Kind(_power_limit, lasting=False),
    "energy_limit": Kind(_energy_limit, lasting=False),
    "tariffs": Kind(_tariffs, lasting=False),
    "schedule": Kind(_one(happenings.Written(0x1D, bytes(19))), lasting=False),
    "holidays": Kind(_one(happenings.Written(0x1E, b"\x01" + bytes(4))), lasting=False),
    "start_profile": Kind(_start_profile, lasting=False),
    "reset_energy": Kind(_one(happenings.Written(0x20, b"")), lasting=False),
    "reset_maxima": Kind(_one(happenings.Written(0x24, b"")), lasting=False),
    "restart": Kind(_one(happenings.Written(0x16, b"")), lasting=False),
    "write": Kind(_write, lasting=False),
}
