"""Scenario files: what shall happen to the meters of a line, in TOML.

The keys are explained, with examples, in docs/guide/rehearse-a-case.md. A time without an offset
is what a right clock shows in the meters' zone; the errors of a meter's own clock come on top.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from hub.plugins.mercury234.simulator.clock import DAY, Calendar
from hub.plugins.mercury234.simulator.happenings import Happening, Plan
from hub.plugins.mercury234.simulator.kinds import KINDS
from hub.plugins.mercury234.simulator.tables import Table, midnight

#: Scenarios that come with the virtual meter, explained in their first lines.
EXAMPLES = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """One entry of a scenario. ``at``: an instant, or seconds after the scenario's start."""

    subjects: tuple[Happening, ...]
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
            for what in event.subjects
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
    table = Table("", content)
    table.take("title", str, "")
    start = table.take("start", datetime | date, None)
    events = table.take("event", list, [])
    if not all(isinstance(each, dict) for each in events):
        raise table.wrong("event", "is no list of tables; begin each with [[event]].")
    table.done()
    return Scenario(
        start=None if start is None else midnight(start),
        events=tuple(
            _event(Table(f"event[{number}]", each)) for number, each in enumerate(events, 1)
        ),
    )


def _event(table: Table) -> _Event:
    name = table.word("kind", tuple(KINDS))
    kind = KINDS[name]
    subjects = kind.read(table)
    at = table.time("at")
    lasts = table.seconds("lasts") if kind.lasting else 0
    every = table.seconds("every", None)
    spread = table.seconds("spread", 0)
    meters = table.addresses()
    event = _Event(
        subjects=subjects, at=at, lasts=lasts, every=every, spread=spread,
        times=table.number("times", 1, 1_000_000, None), until=table.time("until", None),
        apart=table.take("apart", bool, False),
        meters=meters,
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


def _right(at: datetime, calendar: Calendar) -> int:
    return calendar.from_face(at) if at.tzinfo is None else calendar.right(at.astimezone(UTC))
