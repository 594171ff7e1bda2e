"""The life of one meter: what happens to it, in order, and what it keeps of that.

A machine that is moved forward from second to second by `Life.advance`; all that it leaves
behind (counter, rings, books, settings) is only added to, so any earlier instant can be asked.
Right seconds and runs are those of `timeline`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from operator import itemgetter
from typing import Any, TypeVar

from hub.plugins.mercury234.simulator import books, happenings, layouts, writes
from hub.plugins.mercury234.simulator.books import Books, Version
from hub.plugins.mercury234.simulator.clock import DAY, Calendar
from hub.plugins.mercury234.simulator.counter import Counter
from hub.plugins.mercury234.simulator.energy import Registers
from hub.plugins.mercury234.simulator.happenings import Happening, Plan, Trouble
from hub.plugins.mercury234.simulator.load import CELL
from hub.plugins.mercury234.simulator.memory import Ring
from hub.plugins.mercury234.simulator.network import PHASES, Network
from hub.plugins.mercury234.simulator.options import Options
from hub.plugins.mercury234.simulator.settings import Settings
from hub.plugins.mercury234.simulator.spans import NEVER, Spans
from hub.plugins.mercury234.simulator.timeline import BILLION, Timeline
from hub.plugins.mercury234.simulator.writes import TARIFFS

T = TypeVar("T")

CORRECTING = 47  # E-code

#: Bits of 08 24, what has been put off.
ENERGY_INIT, PROFILE_INIT, SECOND_PROFILE_INIT, SCHEDULE_WRITE, CORRECTION = 1, 2, 3, 8, 9

_WIPING_S, _STARTING_S = 120, 2
_RESTART_S = 2
_FREQUENCY = 4


class Life:
    """See the module.

    Attributes:
        right: the right second up to which all has happened.
        run: the same by the meter's own clock.
        off, slowed: stretches without power, and with the clock being slowed down.
        boots: how often the meter has started.
        firmware: of the meter; a few effects depend on it.
        trouble: the ways in which it answers badly right now.

    """

    def __init__(
        self, options: Options, settings: Settings, *, calendar: Calendar, timeline: Timeline,
        counter: Counter, registers: Registers, rings: Sequence[Ring], book: Books,
        off: Spans, slowed: Spans, plans: Sequence[Plan], started: int, ahead: int,
    ) -> None:  # fmt: skip
        self.calendar = calendar
        self.timeline = timeline
        self.counter = counter
        self.registers = registers
        self.rings = rings
        self.books = book
        self.off = off
        self.slowed = slowed
        self.run = started
        self.right = started - ahead
        self.boots = 0
        self.trouble: list[Trouble] = []
        self.maxima_since = started
        self.network = Network()
        self.firmware = options.firmware
        self._options = options
        self._nominal = layouts.nominal_cv(options.constant)
        self._pace = BILLION
        self._settings = [(started, settings)]
        self._errors: list[tuple[int, frozenset[int]]] = [(started, frozenset())]
        self._put_off: list[tuple[int, int, int]] = []
        self._corrected_on: int | None = None
        self._programmed: dict[int, list[int]] = {}
        self._active: list[Happening] = []
        self._standing: set[tuple[int, int]] = set()
        self._over_power = self._tripping = False
        self._exceeded: set[int] = set()
        self._watching = False
        self._due: list[tuple[int, int, int, Callable[[], object]]] = []
        self._count = 0
        self._begin(plans)

    # What is, at any run second.

    @property
    def settings(self) -> Settings:
        return self._settings[-1][1]

    def settings_at(self, run: int) -> Settings:
        return _at(self._settings, run)

    def errors_at(self, run: int) -> frozenset[int]:
        """Return the E-codes of the status word."""
        errors = _at(self._errors, run)
        return errors | {CORRECTING} if self.slowed.at(run) is not None else errors

    def put_off_at(self, run: int) -> int:
        """Return the bits of 08 24."""
        bits = 1 << CORRECTION if self.slowed.at(run) is not None else 0
        for start, end, bit in self._put_off[-16:]:
            if start <= run < end:
                bits |= 1 << bit
        return bits

    def face(self, run: int) -> datetime:
        return self.calendar.face(self.timeline.clock(run))

    # What happens.

    def advance(self, right: int) -> int:
        """Let all happen up to a right second; return the run then, also of an earlier one."""
        due = self._due
        while due and due[0][0] <= right:
            at, _, _, act = heappop(due)
            if at > self.right:
                self.right = at
                self.run = self.timeline.run(at)
            act()
        run = self.timeline.run(right)
        if right > self.right:
            self.right, self.run = right, run
        return run

    def at(self, right: int, act: Callable[[], object], *, ending: bool = False) -> None:
        """Have something done at a right second; endings come before all else in it."""
        self._count += 1
        heappush(self._due, (max(right, self.right), 0 if ending else 1, self._count, act))

    def change(self, **changes: Any) -> None:
        """Set something from this second on."""
        self._settings.append((self.run, replace(self.settings, **changes)))
        self._settle()

    def keep(self, parameter: int, data: bytes, index: int = 0) -> None:
        """Keep what was written, to be shown again and for nothing else."""
        self.change(raw={**self.settings.raw, (parameter, index): data})

    def write_book(self, book: int, ended: datetime | None = None) -> None:
        """Write a record of this second."""
        self.books.open(book, Version(self.run, self.face(self.run), ended))

    def put_off(self, bit: int, seconds: int) -> None:
        self._put_off.append((self.run, self.run + seconds, bit))

    def begin_profile(self, ring: int, period: int, *, wiped: bool) -> None:
        """Begin a profile anew: 0 the main one, 1 the additional one."""
        seconds = _WIPING_S if wiped else _STARTING_S
        self.put_off(SECOND_PROFILE_INIT if ring else PROFILE_INIT, seconds)
        if ring < len(self.rings):
            self.rings[ring].begin(self.run, period, ready=self.run + seconds, wiped=wiped)
        if ring == 0:
            self.change(period=period)

    def set_clock(self, clock: int) -> None:
        """Set the clock as a new one; a correction that runs is over."""
        self._end_slowing()
        before = self.face(self.run)
        self._move(clock - self.timeline.clock(self.run))
        self.books.open(books.CLOCK, Version(self.run, before, self.face(self.run)))

    def correct_clock(self, seconds: int) -> bool:
        """Correct the clock; False if it has been corrected today.

        Forward it jumps; back it goes at half pace until it is right.
        """
        face = self.face(self.run)
        today = self.calendar.face_seconds(self.timeline.clock(self.run)) // DAY
        if self._corrected_on == today:
            return False
        self._corrected_on = today
        after = self.calendar.face(self.timeline.clock(self.run) + seconds)
        self.books.open(books.CLOCK, Version(self.run, face, after))
        if seconds > 0:
            self._move(seconds)
        elif seconds < 0:
            self.slowed.begin(self.run)
            self.timeline.pace(self.right, self._pace // 2)
            self.at(self.right + 2 * -seconds, partial(self._stop_slowing, len(self.slowed.starts)))
        return True

    def programmed(self, parameter: int) -> None:
        """Note in the book of the day that a parameter was written."""
        face = self.face(self.run)
        day = face.toordinal()
        written = self._programmed.get(day)
        fresh = written is None
        if written is None:
            self._programmed.clear()
            written = self._programmed[day] = []
        written.append(parameter)
        bits = bytearray(8)
        for each in written:
            if each < 56:
                bits[each // 8] |= 1 << each % 8
        date = bytes(map(layouts.bcd, (face.day, face.month, face.year % 100)))
        record = date + bytes((layouts.bcd(min(len(written), 99)),)) + bytes(bits)
        version = Version(self.run, face.replace(hour=0, minute=0, second=0), rest=record)
        if fresh:
            self.books.open(books.PROGRAMMED, version)
        else:
            self.books.amend(books.PROGRAMMED, version)

    def restart(self) -> None:
        """Start anew: the channel is gone, and nobody answers for a moment."""
        self.boots += 1
        trouble = Trouble("restarting")
        self.trouble.append(trouble)
        self.at(self.right + _RESTART_S, partial(self.trouble.remove, trouble), ending=True)

    def reset_energy(self) -> None:
        self.registers.reset(self.run)
        self._exceeded.clear()
        self.put_off(ENERGY_INIT, _STARTING_S)
        self.change(tripped=frozenset())

    def reset_maxima(self) -> None:
        self.maxima_since = self.run

    def limit_energy(self, tariff: int, wh: int) -> None:
        """Set the energy limit of a tariff; it counts from the last reset of the registers."""
        limits = list(self.settings.energy_limits)
        limits[tariff - 1] = wh
        self._exceeded.discard(tariff)
        self.change(energy_limits=tuple(limits), tripped=self.settings.tripped - {tariff})

    # The inside.

    def _begin(self, plans: Sequence[Plan]) -> None:
        run, face = self.run, self.face(self.run)
        for book in (books.POWER, *(b(p) for p in PHASES for b in (books.voltage, books.current))):
            self.books.open(book, Version(run, face))
        self._standing = {(b(p), 0) for p in PHASES for b in (books.voltage, books.current)}
        self.write_book(books.ENERGY_RESET)
        self.write_book(books.PROFILE_STARTED)
        for ring in self.rings:
            ring.begin(run, self._options.period, ready=run, wiped=True)
        self.counter.go_on(run, self.network, single=self.settings.single_tariff)
        for plan in plans:
            self._follow(plan, plan.starts(self.right))
        self.advance(self.right)

    def _follow(self, plan: Plan, starts: Iterator[int]) -> None:
        """Plan the next time of a plan; when it comes, the one after it."""
        start = next(starts, None)
        if start is not None:
            self.at(start, partial(self._happen, plan, starts, start))

    def _happen(self, plan: Plan, starts: Iterator[int], start: int) -> None:
        end = start + plan.lasts
        if end > self.right or start == self.right:
            self._start(plan.what, end)
        self._follow(plan, starts)

    def _start(self, what: Happening, end: int) -> None:
        if isinstance(what, happenings.Act) and not self.network.powered:
            return
        match what:
            case happenings.Written(parameter, data):
                writes.write(self, parameter, data, level=writes.FACTORY)
            case happenings.ClockSet(error_s):
                self.set_clock(self.right + error_s)
                self.programmed(writes.SET_CLOCK)
            case happenings.ClockCorrected(by_s):
                behind = self.right - self.timeline.clock(self.run)
                wanted = behind if by_s is None else by_s
                seconds = max(-writes.MOST_S, min(writes.MOST_S, wanted))
                if self.correct_clock(seconds):
                    self.programmed(writes.CORRECT_CLOCK)
            case happenings.Drift(ppb):
                self._pace = BILLION + ppb
                if self.slowed.at(self.run) is None:
                    self.timeline.pace(self.right, self._pace)
            case happenings.RelayOff():
                writes.write(self, writes.RELAY, b"\1", level=writes.FACTORY)
                on = partial(writes.write, self, writes.RELAY, b"\0", level=writes.FACTORY)
                self.at(end, on, ending=True)
            case _:
                self._active.append(what)
                self.at(end, partial(self._stop, what), ending=True)
                if isinstance(what, Trouble):
                    self.trouble.append(what)
                self._settle()

    def _stop(self, what: Happening) -> None:
        self._active.remove(what)
        if isinstance(what, Trouble):
            self.trouble.remove(what)
        self._settle()

    def _move(self, seconds: int) -> None:
        self.timeline.move(self.run, seconds)
        self.counter.go_on(self.run, self.network, single=self.settings.single_tariff)

    def _stop_slowing(self, number: int) -> None:
        if number == len(self.slowed.starts):
            self._end_slowing()

    def _end_slowing(self) -> None:
        if self.slowed.ends and self.slowed.ends[-1] == NEVER:
            self.slowed.end(self.run)
            self.timeline.pace(self.right, self._pace)

    def _settle(self) -> None:
        """Draw the conclusions from what is active and set now."""
        network = self._wires()
        single = self.settings.single_tariff
        if network.powered != self.network.powered:
            if network.powered:
                self.boots += 1
                self.off.end(self.run)
                self.books.open(books.POWER, Version(self.run, self.face(self.run)))
            else:
                self.off.begin(self.run)
                self._close(books.POWER)
        if network != self.network or single != self.counter.piece(self.run).single:
            self.network = network
            self.counter.go_on(self.run, network, single=single)
        self._note_power()
        self._note_errors()
        self._note_conditions()
        if not self._watching and (self.settings.power_limit or any(self.settings.energy_limits)):
            self._watching = True
            self.at(self.right, self._watch)

    def _wires(self) -> Network:
        network = Network(connected=not self.settings.load_off)
        for what in self._active:
            if isinstance(what, happenings.OnTheWires):
                network = what.bend(network)
        if len(network.lost) == len(PHASES):
            network = replace(network, powered=False)
        return network

    def _note_errors(self) -> None:
        codes = frozenset[int]().union(
            *(what.codes for what in self._active if isinstance(what, happenings.Errors))
        )
        if codes != self._errors[-1][1] and self.network.powered:
            self._errors.append((self.run, codes))
            word = layouts.status_word(codes)
            self.books.open(books.STATUS_WORD, Version(self.run, self.face(self.run), rest=word))

    def _note_conditions(self) -> None:
        """Open and close the records of what begins and ends."""
        standing = {
            (books.COVER, what.seal) for what in self._active if isinstance(what, happenings.Cover)
        }
        if self.network.powered:
            standing |= self._measured()
        else:  # the rest is not seen without power
            standing |= {each for each in self._standing if each[0] != books.COVER}
        for book, seal in sorted(self._standing - standing):
            self._close(book, seal)
        for book, seal in sorted(standing - self._standing):
            self.books.open(book, Version(self.run, self.face(self.run)), seal)
        self._standing = standing

    def _measured(self) -> set[tuple[int, int]]:
        """List the books in which a record stands open by what the meter measures."""
        network = self.network
        found = {books.voltage(p) for p in PHASES if p not in network.lost}
        found |= {books.current(p) for p in PHASES if network.share(p)}
        limits = self.settings.quality_limits
        for phase, percent in zip(PHASES, network.volts, strict=True):
            if phase in network.lost:
                found |= _outside(phase, 0, limits[:4])
            elif percent is not None:
                found |= _outside(phase, self._nominal * percent // 100, limits[:4])
        if network.hertz is not None:
            found |= _outside(_FREQUENCY, network.hertz, limits[4:])
        if any(isinstance(what, happenings.Magnet) for what in self._active):
            found.add(books.MAGNET)
        if self._over_power:
            found.add(books.POWER_LIMIT)
        return {(book, 0) for book in found}

    def _close(self, book: int, seal: int = 0) -> None:
        newest = self.books.newest(book, seal)
        if newest is not None:
            version = Version(self.run, newest.began, self.face(self.run))
            self.books.amend(book, version, seal)

    # Limits: what runs is compared with them at each half-hour, and where it crosses one.

    def _watch(self) -> None:
        settings = self.settings
        if not (settings.power_limit or any(settings.energy_limits)):
            self._watching = False
            return
        if self._is_too_much() != self._over_power:
            self._settle()
        end = (self.run // CELL + 1) * CELL
        for tariff, limit in zip(TARIFFS, settings.energy_limits, strict=True):
            if limit and tariff not in self._exceeded:
                self._foresee(tariff, end)
        self.at(self.right + max(1, end - self.run), self._watch)

    def _is_too_much(self) -> bool:
        """Tell whether the power that runs is above the limit."""
        limit = self.settings.power_limit
        if not limit or not self.network.powered:
            return self._over_power and bool(limit)
        return self.counter.running(0, self.run) * 100_000 // self._options.constant > limit

    def _note_power(self) -> None:
        self._over_power = self._is_too_much()
        if self._over_power and self.settings.power_control and not self._tripping:
            self._tripping = True
            self.at(self.right + self.settings.power_control_s, self._trip_power)

    def _trip_power(self) -> None:
        self._tripping = False
        if self._over_power and self.settings.power_control:
            self.change(power_tripped=True)

    def _foresee(self, tariff: int, end: int) -> None:
        """Find the second of this half-hour in which an energy limit is come to."""
        if not self._is_over(tariff, end):
            return
        crossed = bisect_left(range(self.run, end), 1, key=partial(self._is_over, tariff))
        self.at(self.right + crossed, partial(self._exceed, tariff))

    def _is_over(self, tariff: int, run: int) -> bool:
        limit = self.settings.energy_limits[tariff - 1]
        if not limit or tariff in self._exceeded:
            return False
        return (self.registers.since_reset(run, tariff)[0] or 0) >= limit

    def _exceed(self, tariff: int) -> None:
        if self._is_over(tariff, self.run):
            self._exceeded.add(tariff)
            self.write_book(books.energy_limit(tariff))
            self.change(tripped=self.settings.tripped | {tariff})


def _outside(quantity: int, value: int, limits: Sequence[int]) -> set[int]:
    """List the books of the limits that a value lies outside of."""
    least, least_normal, most_normal, most = limits
    broken = (value < least, value < least_normal, value > most_normal, value > most)
    return {books.quality(quantity, limit) for limit, is_so in enumerate(broken) if is_so}


def _at(history: Sequence[tuple[int, T]], run: int) -> T:
    """Return what was so at a run second."""
    if run >= history[-1][0]:
        return history[-1][1]
    return history[max(0, bisect_right(history, run, key=itemgetter(0)) - 1)][1]
