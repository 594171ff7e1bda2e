"""What a virtual line was asked for, checked before the first byte.

This package imports nothing of the hub: not the driver, so that a mistake in one cannot hide
in the other, and not the plugin API, whose ``SimulatorSettings`` it takes by shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Protocol

from hub.plugins.mercury234.simulator.clock import parse_face
from hub.plugins.mercury234.simulator.scenario import Scenario, read_scenario

#: Meter constant in impulses per kWh -> its code in the low nibble of variant byte 2.
CONSTANT_CODES = {5000: 0, 25000: 1, 1250: 2, 500: 3, 1000: 4, 250: 5}

#: Meter constant -> the most that such a meter is installed for, W.
RATED_W = {5000: 1_600, 25000: 1_000, 1250: 6_000, 500: 35_000, 1000: 6_500, 250: 60_000}

LOADS = ("house", "flat", "workshop", "pv")

#: Ways in which a meter may fail to answer as it should.
TROUBLES = ("silent", "refusing", "misnamed", "restarting", "slow")

_DIGITS = 6


class LineSettings(Protocol):
    """The shape of the plugin API's ``SimulatorSettings``."""

    @property
    def meters(self) -> int: ...

    @property
    def address(self) -> int: ...

    @property
    def seed(self) -> int: ...

    @property
    def options(self) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one line, parsed; the same for every meter on it.

    firmware      2.3.4, 9.0.0 or any other: decides the personality (see `works`)
    constant      5000, 25000, 1250, 500, 1000 or 250 impulses per kWh
    memory        131 (a ring of 8192 records) or 64 (4096)
    now           the instant whose year the history is reckoned back from
    years         how long the meter has run at least
    since         the day it was initialised, instead of years
    period        minutes of a slot, 1 to 60, a divisor of a day
    directions    2, or 1 for a meter that masks A- and R-
    load          house, flat, workshop, pv, or mixed: each meter by its luck
    tariffs       1; 2: day and night; 3: peak, night and half-peak
    outage        start/end of the meter's face, several with ; between
    offgrid       1: a record cut short by a power failure bears the minute of the failure
    clock_base    minutes that the meter's winter time is ahead of UTC
    drift         seconds that its clock is ahead of that
    season        winter, or auto for summer time by the European rule
    password, owner_password, password_form    six digits; digits or ascii on the wire
    losses        1: technical losses and the second profile
    seals         1, or 2 for separate records of the terminal cover and the case
    scenario      a file that says what happens to the meters, see `scenario`, or the name of one
                  in the folder scenarios
    protocol      dlms for meters that answer nothing but HDLC, as those with the letter D
    silent, refusing, misnamed, restarting, slow    how often, 0 to 1, a request is met so:
                  not at all; with status 2; under the next address; by a new start of the
                  meter, without an answer; one second late
    turnaround_ms milliseconds before any answer leaves; without it 20, 25 before a long one

    ``outages`` are spans of the meter's face, as it would have shown had it kept running.
    ``now`` is the aware UTC instant up to which the history is built, None for the instant of
    the first byte. ``turnaround_s`` is the pause before an answer leaves, None: as hardware.
    """

    firmware: tuple[int, int, int] = (9, 0, 0)
    constant: int = 1000
    ring: int = 8192
    now: datetime | None = None
    period: int = 30
    directions: int = 2
    outages: tuple[tuple[datetime, datetime], ...] = ()
    clock_base: int = 180
    season: str = "winter"
    drift: int = 0
    offgrid: bool = False
    tariffs: int = 2
    load: str | None = None
    years: int = 3
    since: date | None = None
    password: bytes = bytes([1] * _DIGITS)
    owner_password: bytes = bytes([2] * _DIGITS)
    losses: bool = False
    scenario: Scenario | None = None
    dlms: bool = False
    troubles: tuple[tuple[str, float], ...] = ()
    seals: int = 1
    turnaround_s: float | None = None

    @classmethod
    def parse(cls, options: Mapping[str, str] | None) -> "Options":
        """Read ``SimulatorSettings.options``.

        Raises:
            ValueError: one sentence that names the option and what it may be.

        """
        asked = dict(options or {})
        unknown = sorted(set(asked) - _KNOWN)
        if unknown:
            raise ValueError(
                f"The virtual Mercury 234 has no option {unknown[0]!r}; "
                f"it has {', '.join(sorted(_KNOWN))}."
            )
        password_form = _one_of(asked, "password_form", ("digits", "ascii"), "digits")
        load = _one_of(asked, "load", (*LOADS, "mixed"), "mixed")
        return cls(
            firmware=_firmware(asked.get("firmware", "9.0.0")),
            constant=int(_one_of(asked, "constant", tuple(map(str, CONSTANT_CODES)), "1000")),
            ring={"131": 8192, "64": 4096}[_one_of(asked, "memory", ("131", "64"), "131")],
            now=_instant(asked["now"]) if "now" in asked else None,
            period=_period(asked),
            directions=int(_one_of(asked, "directions", ("1", "2"), "2")),
            outages=_outages(asked.get("outage", "")),
            clock_base=_number(asked, "clock_base", 180, -720, 840),
            season=_one_of(asked, "season", ("winter", "auto"), "winter"),
            drift=_number(asked, "drift", 0, -86_400, 86_400),
            offgrid=_one_of(asked, "offgrid", ("0", "1"), "0") == "1",
            tariffs=int(_one_of(asked, "tariffs", ("1", "2", "3"), "2")),
            load=None if load == "mixed" else load,
            years=_number(asked, "years", 3, 1, 30),
            since=_day(asked["since"]) if "since" in asked else None,
            password=_password(asked.get("password", "111111"), password_form),
            owner_password=_password(asked.get("owner_password", "222222"), password_form),
            losses=_one_of(asked, "losses", ("0", "1"), "0") == "1",
            scenario=read_scenario(asked["scenario"]) if "scenario" in asked else None,
            dlms=_one_of(asked, "protocol", ("mercury", "dlms"), "mercury") == "dlms",
            troubles=tuple((how, _rate(asked, how)) for how in TROUBLES if how in asked),
            seals=int(_one_of(asked, "seals", ("1", "2"), "1")),
            turnaround_s=_turnaround(asked["turnaround_ms"]) if "turnaround_ms" in asked else None,
        )


_KNOWN = frozenset({
    "firmware", "constant", "memory", "now", "period", "directions", "outage", "clock_base",
    "season", "drift", "offgrid", "tariffs", "load", "years", "since", "password", "owner_password",
    "password_form", "losses", "seals", "turnaround_ms", "scenario", "protocol", *TROUBLES,
})  # fmt: skip


def _one_of(asked: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = asked.get(name, default)
    if value not in allowed:
        raise ValueError(f"Option {name} is {value!r}; it may be {', '.join(allowed)}.")
    return value


def _number(asked: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = asked.get(name, str(default))
    try:
        value = int(text)
    except ValueError as cause:
        raise ValueError(f"Option {name} is {text!r}; give a whole number.") from cause
    if not low <= value <= high:
        raise ValueError(f"Option {name} is {value}; it may be {low} to {high}.")
    return value


def _rate(asked: Mapping[str, str], name: str) -> float:
    try:
        value = float(asked[name])
    except ValueError as cause:
        raise ValueError(f"Option {name} is {asked[name]!r}; give a rate, 0 to 1.") from cause
    if not 0 <= value <= 1:
        raise ValueError(f"Option {name} is {asked[name]}; give a rate, 0 to 1.")
    return value


def _period(asked: Mapping[str, str]) -> int:
    period = _number(asked, "period", 30, 1, 60)
    if 1440 % period:
        raise ValueError(
            f"Option period is {period}; the virtual meter keeps periods that divide a day."
        )
    return period


def _firmware(text: str) -> tuple[int, int, int]:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) <= 99 for part in parts):
        raise ValueError(f"Option firmware is {text!r}; write it like 2.3.4 or 9.0.0.")
    first, second, third = (int(part) for part in parts)
    return first, second, third


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as cause:
        raise ValueError(
            f"Option now is {text!r}; write an instant like 2026-11-03T12:00+00:00."
        ) from cause
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise ValueError(f"Option since is {text!r}; write a day like 2026-11-03.") from cause


def _outages(text: str) -> tuple[tuple[datetime, datetime], ...]:
    spans = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        start, slash, end = part.partition("/")
        try:
            span = parse_face(start), parse_face(end)
        except ValueError as cause:
            raise ValueError(
                f"Option outage has {part!r}; write the meter's time like "
                "2026-11-03T10:00/2026-11-03T15:00, several with a semicolon between."
            ) from cause
        if not slash or span[0] >= span[1]:
            raise ValueError(f"Option outage has {part!r}; its end must come after its start.")
        spans.append(span)
    spans.sort()
    for before, after in pairwise(spans):
        if before[1] >= after[0]:
            raise ValueError("Option outage has spans that overlap; join them into one.")
    return tuple(spans)


def _password(text: str, form: str) -> bytes:
    if len(text) != _DIGITS or not (text.isascii() and text.isdecimal()):
        raise ValueError("A password of the virtual meter is six digits.")
    return text.encode("ascii") if form == "ascii" else bytes(int(digit) for digit in text)


def _turnaround(text: str) -> float:
    try:
        value = float(text)
    except ValueError as cause:
        raise ValueError(f"Option turnaround_ms is {text!r}; give milliseconds.") from cause
    if not 0.0 <= value <= 10_000.0:
        raise ValueError(f"Option turnaround_ms is {text}; it may be 0 to 10000.")
    return value / 1000
