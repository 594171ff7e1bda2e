"""The inside of one meter: everything an answer is computed from."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

from hub.plugins.mercury234.simulator.books import Books
from hub.plugins.mercury234.simulator.clock import DAY, Calendar, day_start
from hub.plugins.mercury234.simulator.counter import Counter
from hub.plugins.mercury234.simulator.energy import Losses, Registers
from hub.plugins.mercury234.simulator.happenings import Outage, Plan, Written
from hub.plugins.mercury234.simulator.life import Life
from hub.plugins.mercury234.simulator.luck import digest
from hub.plugins.mercury234.simulator.memory import PLACE, Ring
from hub.plugins.mercury234.simulator.options import Options
from hub.plugins.mercury234.simulator.settings import factory
from hub.plugins.mercury234.simulator.spans import Spans
from hub.plugins.mercury234.simulator.timeline import Timeline
from hub.plugins.mercury234.simulator.writes import FACTORY, OK, write


class Refusal(Exception):
    """The meter answers with a status instead of data."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Works:
    """Counter, calendar, rings, registers and books of one meter, and what its firmware can do.

    The day it was initialised depends on seed, address and ``year`` alone (or is the option
    ``since``), so that a line started anew within the year keeps its history. What was written
    to it since is kept beside, and done again when the past is computed anew.
    """

    def __init__(
        self, options: Options, seed: int, address: int, year: int, plans: Sequence[Plan] = ()
    ) -> None:
        self.options = options
        self.address = address
        self.key = f"{seed}/{address}"
        self.serial = _serial(seed, address)
        self._seed = seed
        luck = digest("life", seed, address)
        born = options.since or (
            date(year - options.years, 1, 1) - timedelta(days=1 + luck[0] % 60)
        )
        self.made_on = born - timedelta(days=20 + luck[1] % 40)
        self.started = day_start(born)
        self.calendar = calendar_of(options)
        self.long_answers = options.firmware >= (2, 2, 2)
        self.last_records = options.firmware >= (2, 1, 0)
        self.groups = options.firmware >= (2, 1, 0)
        self.wide = options.firmware >= (7, 1, 0)
        self.new_generation = options.firmware >= (8, 0, 0)
        # In the papers of 2.3.4 and of 8 and 9, but not in that of 7.1.1.
        self.start_registers = self.new_generation or (2, 3, 4) <= options.firmware < (3, 0, 0)
        self.fixed_at = self.started
        self._twin: Works | None = None
        self._copy: Callable[[], Works] = partial(Works, options, seed, address, year, plans)
        self._plans = [*self._outages(), *plans]
        self._written: list[tuple[int, Written]] = []
        self._make()

    def write(self, parameter: int, data: bytes, right: int, level: int) -> int:
        """Do a write at a right second, with what comes of it; return the status."""
        if right < self.life.right:
            self.redo([each for each in self._written if each[0] <= right])
        self.life.advance(right)
        status = write(self.life, parameter, data, level=level)
        self._twin = None
        if status == OK:
            self._written.append((right, Written(parameter, data)))
        return status

    def at_right(self, right: int) -> "Works":
        """Return the works as they are, or will be, at a right second.

        Those of the future are another's, so that this meter does not live through it before its
        time. They know of all that was written so far.
        """
        if right <= self.life.right:
            return self
        if self._twin is None:
            self._twin = self._copy()
            self._twin.redo(self._written)
        self._twin.life.advance(right)
        return self._twin

    def at_clock(self, clock: int) -> "Works":
        """Return the works as they are, or will be, when the clock is past this."""
        behind = clock - self.timeline.clock(self.life.run)
        return self if behind <= 0 else self.at_right(self.life.right + behind + DAY)

    def redo(self, written: Sequence[tuple[int, Written]]) -> None:
        """Begin life again, with these writes in it."""
        self._written = list(written)
        self._make()

    def _make(self) -> None:
        options, calendar, started = self.options, self.calendar, self.started
        self.timeline = timeline = Timeline(options.drift)
        self.counter = counter = Counter(
            options, seed=self._seed, address=self.address, calendar=calendar,
            timeline=timeline, started=started,
        )  # fmt: skip
        losses = Losses(counter) if options.losses else None
        self.registers = Registers(counter, losses, calendar, timeline, options.constant)
        off, slowed = Spans(), Spans()
        # Before 7.1.0 the profile of losses lies in the second half of the same memory.
        places = options.ring // 2 if losses and not self.wide else options.ring
        main = Ring(
            counter, calendar, timeline, off=off, slowed=slowed, places=places,
            wide=self.wide, offgrid=options.offgrid,
        )  # fmt: skip
        self.rings = [main]
        if losses:
            second = Ring(
                losses, calendar, timeline, off=off, slowed=slowed, places=places,
                wide=self.wide, offgrid=options.offgrid, additional=True,
                base=0 if self.wide else places * PLACE,
            )  # fmt: skip
            self.rings.append(second)
        self.books = Books(
            long=self.long_answers, last=self.last_records, later=self.new_generation,
            two_seals=options.seals == 2, blank=0 if self.long_answers else 0xFF,
        )  # fmt: skip
        self.life = Life(
            options, factory(options, self.address), calendar=calendar, timeline=timeline,
            counter=counter, registers=self.registers, rings=self.rings, book=self.books,
            off=off, slowed=slowed, started=started, ahead=options.drift, plans=self._plans,
        )  # fmt: skip
        for right, written in self._written:
            self.life.advance(right)
            write(self.life, written.parameter, written.data, level=FACTORY)

    @property
    def ring(self) -> Ring:
        """The main profile."""
        return self.rings[0]

    def _outages(self) -> list[Plan]:
        plans = []
        for start, end in self.options.outages:
            first, last = self.calendar.from_face(start), self.calendar.from_face(end)
            right = first - self.options.drift
            plans.append(Plan(what=Outage(), first=right, lasts=last - first))
        return plans


def calendar_of(options: Options) -> Calendar:
    """Return the time that all meters of a line keep."""
    return Calendar(base_minutes=options.clock_base, seasons=options.season == "auto")


def _serial(seed: int, address: int) -> str:
    """Return eight digits; the last three are the address, as a meter leaves the factory."""
    number = int.from_bytes(digest("serial", seed)[:4], "big") + 7_919 * address
    return f"{number % 100_000:05d}{address:03d}"
