"""How long a nightly visit keeps the wire at 9600 baud 8N1, against the arithmetic.

The production driver, runner and line read virtual meters in simulated time; the wire between
them counts every byte (10 bits: 1.0417 ms), the meter's pause before each answer and the hub's
pause before each request, and the three together must be all the time that passed.

A *meter-day* is what the profile of one day costs a meter that was read yesterday: from the first
byte that opens the channel to the last that closes it. A visit also asks who answers; that is
timed apart, and *whole visit* has everything the collector does: identity, clock, energy registers
of now and of the day's start, profile.

The arithmetic of a meter-day of 48 half-hours, in bytes out + in:

    open the channel       11 + 4       01 level password; status
    last record             5 + 12      08 13; address, status, stamp, period
    records               3k + 15r      an answer of n records is 15n + 3; a request is 8
    close                   4 + 4       02; status

With k reads of 48 records: 40 + 11k + 720 bytes, k + 3 exchanges. Three reads (17 + 17 + 14):
793 bytes, 0.826 s, and six exchanges: 0.976 s at 20 + 5 ms a turnaround, 0.870 s at 3.65 + 3.65
ms (3.5 characters), 3.976 s through a modem with 500 ms there and back. One record a read, as on
old meters: 1,288 bytes and 51 exchanges, 2.617 s. (The pause of the hub after the last answer is
counted in these; it is in nobody's way and not measured.)

Meters with blocks of 17 and no relative reads (230 from 2.2.2, 233) bring 51 records in three
blocks: 838 bytes.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from virtual_time import run_virtual, virtual_line, virtual_now

from hub.plugins.api import Cursor, Level, ProfilePage, Register, SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.plugins.mercury234.simulator import VirtualLine
from hub.wire.line import Line
from hub.wire.runner import run
from proof.figures import Figure

START = datetime(2026, 11, 23, 22, 40, 7, tzinfo=UTC)
CHAR_S = 10 / 9600
SLOTS = 48
EXACT_S = 1e-6
REGISTERS = tuple(
    Register(f"{group}.8.{tariff}", period)
    for group in range(1, 5)
    for tariff in range(5)
    for period in ("now", "at:day:0")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """``turnaround_s``: the meter's pause before an answer. ``modem_s``: there and back."""

    words: str
    turnaround_s: float
    modem_s: float = 0.0


TYPICAL = Wire(words="20 + 5 ms turnaround", turnaround_s=0.020)
SWIFT = Wire(words="3.5-character silences", turnaround_s=3.5 * CHAR_S)
MODEM = Wire(words="a modem with 500 ms round trip", turnaround_s=0.020, modem_s=0.5)
SINGLES_READS, BLOCK_READS = 48, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A meter on a wire."""

    firmware: str
    wire: Wire
    goal_s: float

    @property
    def limit_s(self) -> float:
        """Return the arithmetic for reads that bring just the 48 records."""
        reads = SINGLES_READS if self.firmware < "2.2.2" else BLOCK_READS
        gap_s = min(self.wire.turnaround_s, 0.005)
        pauses_s = self.wire.turnaround_s + gap_s + self.wire.modem_s
        return (40 + 11 * reads + 15 * SLOTS) * CHAR_S + (reads + 3) * pauses_s


CASES = (
    Case(firmware="9.0.0", wire=TYPICAL, goal_s=1.03),
    Case(firmware="9.0.0", wire=SWIFT, goal_s=0.92),
    Case(firmware="9.0.0", wire=MODEM, goal_s=4.3),
    Case(firmware="2.1.0", wire=TYPICAL, goal_s=2.75),
    Case(firmware="2.3.4", wire=TYPICAL, goal_s=1.03),
    Case(firmware="2.3.4", wire=SWIFT, goal_s=0.92),
)


@dataclass(slots=True)
class Part:
    """One conversation: what it cost."""

    exchanges: int = 0
    sent: int = 0
    received: int = 0
    meter_s: float = 0.0  # pauses before answers, the modem's way included
    hub_s: float = 0.0  # pauses before requests
    seconds: float = 0.0

    @property
    def bytes(self) -> int:
        return self.sent + self.received

    def accounted(self) -> bool:
        """Tell whether bytes and pauses are all the time that passed."""
        return abs(self.bytes * CHAR_S + self.meter_s + self.hub_s - self.seconds) < EXACT_S


@dataclass(slots=True)
class Visit:
    """What one visit cost, by conversation."""

    parts: dict[str, Part] = field(default_factory=dict)
    slots: int = 0

    @property
    def meter_day_s(self) -> float:
        return sum(self.parts[name].seconds for name in ("open", "profile", "close"))

    @property
    def with_identity_s(self) -> float:
        return self.meter_day_s + self.parts["identity"].seconds

    @property
    def whole_s(self) -> float:
        return sum(part.seconds for part in self.parts.values())

    @property
    def exchanges(self) -> int:
        return sum(self.parts[name].exchanges for name in ("open", "profile", "close"))

    @property
    def bytes(self) -> int:
        return sum(self.parts[name].bytes for name in ("open", "profile", "close"))


class Counted:
    """The virtual meter behind its wire, counting into ``part``."""

    def __init__(self, meter: VirtualLine, wire: Wire) -> None:
        self._meter = meter
        self._pause_s = wire.turnaround_s + wire.modem_s
        self.part = Part()
        self.quiet_since = 0.0  # on the loop's clock

    def receive(self, data: bytes, now: datetime) -> list[tuple[float, bytes]]:
        clock = asyncio.get_running_loop().time()
        answers = [(self._pause_s, frame) for _, frame in self._meter.receive(data, now)]
        part = self.part
        part.exchanges += 1
        part.sent += len(data)
        part.received += sum(len(frame) for _, frame in answers)
        part.meter_s += self._pause_s * len(answers)
        part.hub_s += clock - self.quiet_since if self.quiet_since else 0.0
        length = len(data) + sum(len(frame) for _, frame in answers)
        self.quiet_since = clock + length * CHAR_S + self._pause_s * len(answers)
        return answers


async def _visit(
    line: Line, counted: Counted, learned: dict[str, str], since: Cursor | None
) -> tuple[Visit, dict[str, str], Cursor | None]:
    """Do all that the collector does in a nightly visit; gives visit, habits and cursor."""
    spec = load_plugins().drivers["mercury234"]
    driver = spec.build(spec.settings(address=1), learned)
    clock = asyncio.get_running_loop().time
    visit = Visit()
    counted.quiet_since = 0.0
    with line.seat(spec.timing(line.address.baud), is_mutating=spec.is_mutating, key="1") as seat:

        async def say(name: str, talk):
            counted.part = visit.parts.setdefault(name, Part())
            began = clock()
            result = await run(talk, seat, deadline=7200)
            visit.parts[name].seconds += clock() - began
            return result

        await say("open", driver.open(Level.READ))
        await say("identity", driver.identify())
        await say("clock", driver.read_clock())
        await say("registers", driver.read_registers(REGISTERS))
        page: ProfilePage | None = None
        while page is None or page.more:
            page = await say("profile", driver.read_profile(since))
            visit.slots += len(page.slots)
            since = page.next
        await say("close", driver.close())
    return visit, dict(driver.learned()), since


def nightly(case: Case) -> Visit:
    """Read a meter for the first time, visit it the next two days, and tell of the last visit."""

    async def visits() -> Visit:
        settings = SimulatorSettings(seed=3, options={"firmware": case.firmware})
        counted = Counted(VirtualLine(settings, virtual_now()), case.wire)
        open_link, address = virtual_line(counted, baud=9600)
        address = replace(address, latency_s=case.wire.modem_s)
        async with Line(open_link, address, now=virtual_now) as line:
            visit, learned, since = await _visit(line, counted, {}, None)
            for day in (1, 2):  # the first visit took hours, so the second brings less than a day
                await asyncio.sleep((START + timedelta(days=day) - virtual_now()).total_seconds())
                visit, learned, since = await _visit(line, counted, learned, since)
            return visit

    return run_virtual(visits(), START)


def figures() -> Iterable[Figure]:
    for case in CASES:
        visit = nightly(case)
        assert visit.slots == SLOTS
        assert all(part.accounted() for part in visit.parts.values())
        name = f"firmware {case.firmware}, 9600 baud, {case.wire.words}"
        yield Figure(
            f"meter-day, {name}",
            f"{visit.meter_day_s:.3f} s ({visit.exchanges} exchanges, {visit.bytes} bytes; "
            f"arithmetic {case.limit_s:.3f} s)",
            f"<= {case.goal_s:g} s",
            visit.meter_day_s <= case.goal_s,
        )
        yield Figure(
            f"the same with who it is; whole visit, {name}",
            f"{visit.with_identity_s:.3f} s; {visit.whole_s:.3f} s",
        )
