"""The inside of one meter: everything an answer is computed from."""

from datetime import date, timedelta

from hub.plugins.mercury234.simulator.clock import Calendar, day_start
from hub.plugins.mercury234.simulator.energy import Registers
from hub.plugins.mercury234.simulator.journal import Journals
from hub.plugins.mercury234.simulator.load import Counter, digest
from hub.plugins.mercury234.simulator.memory import Outage, Ring
from hub.plugins.mercury234.simulator.options import Options

OK, BAD_REQUEST, INTERNAL, LEVEL_TOO_LOW, CHANNEL_CLOSED = 0, 1, 2, 3, 5


class Refusal(Exception):
    """The meter answers with a status instead of data."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Works:
    """Counter, calendar, ring and registers of one meter, and what its firmware can do.

    The day it was initialised depends on seed, address and ``year`` alone (or is the option
    ``since``), so that a line started anew within the year keeps its history.
    """

    def __init__(self, options: Options, seed: int, address: int, year: int) -> None:
        self.options = options
        self.address = address
        self.key = f"{seed}/{address}"
        self.serial = _serial(seed, address)
        luck = digest("life", seed, address)
        born = options.since or (
            date(year - options.years, 1, 1) - timedelta(days=1 + luck[0] % 60)
        )
        self.made_on = born - timedelta(days=20 + luck[1] % 40)
        self.started = day_start(born)
        self.calendar = calendar_of(options)
        self.outages = self._real_outages()
        self.counter = Counter(
            options, seed=seed, address=address, calendar=self.calendar, started=self.started,
            outages=[(outage.start, outage.end) for outage in self.outages],
        )  # fmt: skip
        self.ring = Ring(
            self.counter, self.calendar, self.outages,
            places=options.ring, period=options.period, first_end=self.started,
            wide=options.firmware >= (7, 1, 0), offgrid=options.offgrid,
        )  # fmt: skip
        self.registers = Registers(self.counter, self.calendar, options.constant)
        self.journals = Journals(self.calendar, self.started, self.outages)
        self.long_answers = options.firmware >= (2, 2, 2)
        self.last_records = options.firmware >= (2, 1, 0)
        self.new_generation = options.firmware >= (8, 0, 0)
        # In the papers of 2.3.4 and of 8 and 9, but not in that of 7.1.1.
        self.start_registers = self.new_generation or (2, 3, 4) <= options.firmware < (3, 0, 0)
        self.fixed_at = self.started

    def powered_since(self, at: int) -> int | None:
        """Return the standard second when the power last came, None while it is off."""
        since = self.started
        for outage in self.outages:
            if outage.start <= at < outage.end:
                return None
            if outage.end <= at:
                since = outage.end
        return since

    def _real_outages(self) -> list[Outage]:
        spans = []
        for start, end in self.options.outages:
            first, last = self.calendar.from_face(start), self.calendar.from_face(end)
            if last > self.started:
                spans.append(Outage(max(first, self.started), last))
        return spans


def calendar_of(options: Options) -> Calendar:
    """Return the time that all meters of a line keep."""
    return Calendar(
        base_minutes=options.clock_base, drift_s=options.drift, seasons=options.season == "auto"
    )


def _serial(seed: int, address: int) -> str:
    """Return eight digits; the last three are the address, as a meter leaves the factory."""
    number = int.from_bytes(digest("serial", seed)[:4], "big") + 7_919 * address
    return f"{number % 100_000:05d}{address:03d}"
