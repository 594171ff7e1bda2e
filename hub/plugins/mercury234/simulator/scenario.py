"""Scenario files: what shall happen to the meters of a line, in TOML.

The keys are explained, with examples, in docs/guide/rehearse-a-case.md. A time without an offset
is what a right clock shows in the meters' zone; the errors of a meter's own clock come on top.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

from hub.plugins.mercury234.simulator import happenings, writes
from hub.plugins.mercury234.simulator.clock import DAY, HOUR, Calendar
from hub.plugins.mercury234.simulator.happenings import Happening, Plan
from hub.plugins.mercury234.simulator.network import PHASES

T = TypeVar("T")

#: Scenarios that come with the virtual meter, explained in their first lines.
EXAMPLES = Path(__file__).parent / "scenarios"

BATTERY_LOW = frozenset({1, 48})

_UNITS = {"d": DAY, "h": HOUR, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SECONDS_A_DAY_IN_PPB = 1_000_000_000 / DAY
_MOST_PPB = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """One entry of a scenario. ``at``: an instant, or seconds after the scenario's start."""

    whats: tuple[Happening, ...]
    at: datetime | int
    lasts: int
    every: int | None
    times: int | None
    until: datetime | int | None
    spread: int
    apart: bool
    meters: frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario as read: without the meters, the seed and the instant that it is played with."""

    start: datetime | None
    events: tuple[_Event, ...]

    def plans(self, address: int, seed: int, calendar: Calendar, now: int) -> list[Plan]:
        """Return what happens to the meter at an address.

        Args:
            address: of the meter.
            seed: of the line, for the luck of spread starts.
            calendar: of the line.
            now: right second of the line's first instant; a scenario without a start begins at
                the midnight before it.

        """
        start = now // DAY * DAY if self.start is None else _right(self.start, calendar)

        def right(at: datetime | int) -> int:
            return start + at if isinstance(at, int) else _right(at, calendar)

        return [
            Plan(
                what=what, first=right(event.at), lasts=event.lasts, every=event.every,
                times=event.times, until=None if event.until is None else right(event.until),
                spread=event.spread,
                key=f"{seed}/{number}/{address if event.apart else ''}",
            )
            for number, event in enumerate(self.events)
            if event.meters is None or address in event.meters
            for what in event.whats
        ]  # fmt: skip


def read_scenario(name: str) -> Scenario:
    """Read a scenario file, or one of `EXAMPLES` by its name.

    Raises:
        ValueError: a sentence with the file and the key.

    """
    path = Path(name)
    if not path.exists() and (EXAMPLES / f"{name}.toml").exists():
        path = EXAMPLES / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The scenario {name} can't be read: {error}.") from error
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"The scenario {name} is wrong. {error}") from error


def parse(text: str) -> Scenario:
    """Read the text of a scenario. Raises ValueError: a sentence with the key."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"It is no TOML: {error}.") from error
    table = _Table("", content)
    table.take("title", str, "")
    start = table.take("start", datetime | date, None)
    events = table.take("event", list, [])
    if not all(isinstance(each, dict) for each in events):
        raise table.wrong("event", "is no list of tables; begin each with [[event]].")
    table.done()
    return Scenario(
        start=None if start is None else _midnight(start),
        events=tuple(
            _event(_Table(f"event[{number}]", each)) for number, each in enumerate(events, 1)
        ),
    )


class _Table:
    """A table of the file, whose keys are taken one by one."""

    def __init__(self, path: str, content: Mapping[str, object]) -> None:
        self._path = path
        self._left = dict(content)

    def path(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def wrong(self, key: str, says: str) -> ValueError:
        return ValueError(f"{self.path(key)} {says}")

    def has(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, kind: Any, default: Any = ...) -> Any:
        """Take a key; ``...`` for a default means that it must be there."""
        if key not in self._left:
            if default is ...:
                raise self.wrong(key, "is missing.")
            return default
        value = self._left.pop(key)
        number = kind in {int, float, int | float}
        if not isinstance(value, kind) or (number and isinstance(value, bool)):
            raise self.wrong(key, f"is {value!r}; give {_called(kind)}.")
        return value

    def number(self, key: str, low: float, high: float, default: Any = ...) -> Any:
        """Take a number, whole if the limits are."""
        kind = int if isinstance(low, int) and isinstance(high, int) else int | float
        value = self.take(key, kind, default)
        if value is not default and not low <= value <= high:
            raise self.wrong(key, f"is {value}; it may be {low} to {high}.")
        return value

    def word(self, key: str, allowed: Sequence[str]) -> str:
        value: str = self.take(key, str)
        if value not in allowed:
            raise self.wrong(key, f"is {value!r}; it may be {', '.join(allowed)}.")
        return value

    def seconds(self, key: str, default: Any = ...) -> Any:
        """Take a length of time: 90, "90s", "1h30m", "2d"."""
        value = self.take(key, int | str, default)
        if value is default:
            return value
        seconds = value if isinstance(value, int) else _duration(value)
        if seconds is None or isinstance(value, bool) or seconds < 0:
            raise self.wrong(key, f'is {value!r}; write it like "1h30m", "90s" or "2d".')
        return seconds

    def time(self, key: str, default: Any = ...) -> Any:
        """Take a time, or "+2d4h" after the start, as seconds."""
        value = self.take(key, datetime | date | str, default)
        if value is default:
            return value
        if isinstance(value, str):
            seconds = _duration(value[1:]) if value.startswith("+") else None
            if seconds is None:
                raise self.wrong(
                    key, f'is {value!r}; write 2026-11-03T10:00:00, or "+2d4h" after the start.'
                )
            return seconds
        return _midnight(value)

    def phases(self) -> frozenset[int]:
        """Take the phases; without the key all of them."""
        phases = self.take("phases", list, list(PHASES))
        if not phases or not set(phases) <= set(PHASES):
            raise self.wrong("phases", f"is {phases!r}; list some of 1, 2, 3.")
        return frozenset(phases)

    def done(self) -> None:
        """Refuse keys that nobody has taken."""
        for key in sorted(self._left):
            raise self.wrong(key, "is no key of this table.")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an event of one kind is read, and whether it lasts or is over at once."""

    read: Callable[[_Table], tuple[Happening, ...]]
    lasting: bool = True


def _event(table: _Table) -> _Event:
    name = table.word("kind", tuple(_KINDS))
    kind = _KINDS[name]
    whats = kind.read(table)
    at = table.time("at")
    lasts = table.seconds("lasts") if kind.lasting else 0
    every = table.seconds("every", None)
    spread = table.seconds("spread", 0)
    meters = table.take("meters", list, None)
    event = _Event(
        whats=whats, at=at, lasts=lasts, every=every, spread=spread,
        times=table.number("times", 1, 1_000_000, None), until=table.time("until", None),
        apart=table.take("apart", bool, False),
        meters=None if meters is None else frozenset(meters),
    )  # fmt: skip
    if kind.lasting and lasts == 0:
        raise table.wrong("lasts", f"is nothing; an event of kind {name} lasts a while.")
    if every == 0:
        raise table.wrong("every", "is nothing; leave it out for an event that comes once.")
    if every is None and (event.times is not None or event.until is not None):
        raise table.wrong("every", "is missing; times and until are for events that come again.")
    if spread and spread > (every or spread):
        raise table.wrong("spread", "is longer than every; the starts would overtake each other.")
    table.done()
    return event


def _one(what: Happening) -> Callable[[_Table], tuple[Happening, ...]]:
    return lambda _table: (what,)


def _voltage(low: int, high: int) -> Callable[[_Table], tuple[Happening, ...]]:
    return lambda table: (happenings.Voltage(table.phases(), table.number("percent", low, high)),)


def _frequency(table: _Table) -> tuple[Happening, ...]:
    return (happenings.Frequency(round(table.number("hertz", 40.0, 60.0) * 100)),)


def _unbalance(table: _Table) -> tuple[Happening, ...]:
    shares = table.take("shares", list)
    whole = all(isinstance(share, int) and share >= 0 for share in shares)
    if len(shares) != len(PHASES) or not whole or sum(shares) != 100:
        raise table.wrong("shares", f"is {shares!r}; give three percentages that make 100.")
    first, second, third = shares
    return (happenings.Shares((first, second, third)),)


def _cover(table: _Table) -> tuple[Happening, ...]:
    return (
        happenings.Cover(("terminal", "case").index(table.word("cover", ("terminal", "case")))),
    )


def _errors(table: _Table) -> tuple[Happening, ...]:
    codes = table.take("codes", list)
    if not codes or not all(isinstance(code, int) and 1 <= code <= 48 for code in codes):
        raise table.wrong("codes", f"is {codes!r}; list numbers of errors, 1 to 48.")
    return (happenings.Errors(frozenset(codes)),)


def _drift(table: _Table) -> tuple[Happening, ...]:
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


def _clock_set(table: _Table) -> tuple[Happening, ...]:
    return (happenings.ClockSet(table.number("error_s", -(10**9), 10**9, 0)),)


def _clock_correct(table: _Table) -> tuple[Happening, ...]:
    return (happenings.ClockCorrected(table.number("by_s", -writes.MOST_S, writes.MOST_S, None)),)


def _write(table: _Table) -> tuple[Happening, ...]:
    parameter = table.number("parameter", 0, 0xFF)
    text = table.take("data", str, "")
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise table.wrong("data", f"is {text!r}; write bytes in hex.") from error
    if not writes.is_known(parameter) or not writes.length_fits(parameter, len(data)):
        raise table.wrong("data", f"has {len(data)} bytes; parameter {parameter:02X} has others.")
    return (happenings.Written(parameter, data),)


def _power_limit(table: _Table) -> tuple[Happening, ...]:
    limit = round(table.number("watts", 0.0, 160_000.0) * 100)
    control = table.take("control", bool, False)
    return (
        happenings.Written(0x2C, limit.to_bytes(3, "big")),
        happenings.Written(0x2D, bytes((control,))),
    )


def _energy_limit(table: _Table) -> tuple[Happening, ...]:
    tariff = table.number("tariff", 1, 4)
    limit = table.number("wh", 0, 0xFFFFFFFF)
    control = table.take("control", bool, False)
    return (
        happenings.Written(0x2E, bytes((tariff,)) + limit.to_bytes(4, "big")),
        happenings.Written(0x2F, bytes((control,))),
    )


def _tariffs(table: _Table) -> tuple[Happening, ...]:
    return (happenings.Written(0x2A, bytes((table.take("single", bool),))),)


def _start_profile(table: _Table) -> tuple[Happening, ...]:
    minutes = table.number("minutes", 1, 60)
    return (happenings.Written(0x00, bytes((minutes, table.take("wipe", bool, False)))),)


def _slow(table: _Table) -> tuple[Happening, ...]:
    return (happenings.Trouble("slow", table.number("seconds", 0.0, 60.0)),)


_KINDS: Mapping[str, _Kind] = {
    "outage": _Kind(_one(happenings.Outage())),
    "phase_loss": _Kind(lambda table: (happenings.PhasesLost(table.phases()),)),
    "current_loss": _Kind(lambda table: (happenings.CurrentsLost(table.phases()),)),
    "dip": _Kind(_voltage(0, 99)),
    "swell": _Kind(_voltage(101, 200)),
    "frequency": _Kind(_frequency),
    "unbalance": _Kind(_unbalance),
    "reverse": _Kind(_one(happenings.Reverse())),
    "sun": _Kind(lambda table: (happenings.Sun(table.number("percent", 1, 200)),)),
    "magnet": _Kind(_one(happenings.Magnet())),
    "cover": _Kind(_cover),
    "battery_low": _Kind(_one(happenings.Errors(BATTERY_LOW))),
    "error": _Kind(_errors),
    "relay_off": _Kind(_one(happenings.RelayOff())),
    "silent": _Kind(_one(happenings.Trouble("silent"))),
    "refusing": _Kind(_one(happenings.Trouble("refusing"))),
    "misnamed": _Kind(_one(happenings.Trouble("misnamed"))),
    "slow": _Kind(_slow),
    "drift": _Kind(_drift, lasting=False),
    "clock_set": _Kind(_clock_set, lasting=False),
    "clock_correct": _Kind(_clock_correct, lasting=False),
    "power_limit": _Kind(_power_limit, lasting=False),
    "energy_limit": _Kind(_energy_limit, lasting=False),
    "tariffs": _Kind(_tariffs, lasting=False),
    "schedule": _Kind(_one(happenings.Written(0x1D, bytes(19))), lasting=False),
    "holidays": _Kind(_one(happenings.Written(0x1E, b"\x01" + bytes(4))), lasting=False),
    "start_profile": _Kind(_start_profile, lasting=False),
    "reset_energy": _Kind(_one(happenings.Written(0x20, b"")), lasting=False),
    "reset_maxima": _Kind(_one(happenings.Written(0x24, b"")), lasting=False),
    "restart": _Kind(_one(happenings.Written(0x16, b"")), lasting=False),
    "write": _Kind(_write, lasting=False),
}


def _duration(text: str) -> int | None:
    """Read "1h30m" as seconds, None for what is no length of time."""
    found = _DURATION.fullmatch(text.replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    return sum(
        int(part) * unit
        for part, unit in zip(found.groups(), _UNITS.values(), strict=True)
        if part is not None
    )


def _midnight(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _right(at: datetime, calendar: Calendar) -> int:
    return calendar.from_face(at) if at.tzinfo is None else calendar.right(at.astimezone(UTC))


def _called(kind: Any) -> str:
    return _NAMES.get(kind, "a date or a time")


_NAMES: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    int | float: "a number",
    list: "a list",
    bool: "true or false",
    int | str: "a length of time",
}
