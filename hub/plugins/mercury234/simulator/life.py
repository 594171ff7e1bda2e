"""The life of one meter: what happens to it, in order, and what it keeps of that.

A machine that is moved forward from second to second by `Life.advance`; all that it leaves
behind (counter, rings, books, settings) is only added to, so any earlier instant can be asked.
Right seconds and runs are those of `timeline`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from typing import Any

from hub.plugins.mercury234.simulator import books, happenings, layouts, writes
from hub.plugins.mercury234.simulator.books import Books
from hub.plugins.mercury234.simulator.clock import DAY, Calendar
from hub.plugins.mercury234.simulator.counter import Counter
from hub.plugins.mercury234.simulator.energy import Registers
from hub.plugins.mercury234.simulator.happenings import Happening, Plan, Trouble
from hub.plugins.mercury234.simulator.limits import Limits
from hub.plugins.mercury234.simulator.memory import Ring
from hub.plugins.mercury234.simulator.network import PHASES, Network
from hub.plugins.mercury234.simulator.notes import Notes, at_run
from hub.plugins.mercury234.simulator.options import Options
from hub.plugins.mercury234.simulator.settings import Settings
from hub.plugins.mercury234.simulator.spans import NEVER, Spans
from hub.plugins.mercury234.simulator.timeline import BILLION, Timeline

CORRECTING = 47  # E-code

#: Bits of 08 24, what has been put off.
ENERGY_INIT, PROFILE_INIT, SECOND_PROFILE_INIT, CORRECTION = 1, 2, 3, 9

_WIPING_S, _STARTING_S = 120, 2
_RESTART_S = 2


class Life:
    """See the module.

    Attributes:
        right: the right second up to which all has happened.
        run: the same by the meter's own clock.
        off, slowed: stretches without power, and with the clock being slowed down.
        boots: how often the meter has started.
        firmware: of the meter; a few effects depend on it.
        trouble: the ways in which it answers badly right now.
        notes, limits: what it writes down, and what it compares the load with.

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
        self._pace = BILLION
        self._settings = [(started, settings)]
        self._put_off: list[tuple[int, int, int]] = []
        self._corrected_on: int | None = None
        self._active: list[Happening] = []
        self._due: list[tuple[int, int, int, Callable[[], object]]] = []
        self._count = 0
        self.limits = Limits(self, options.constant)
        self.notes = Notes(book, self.face, nominal=layouts.nominal_cv(options.constant))
        self._begin(plans)

    # What is, at any run second.

    @property
    def settings(self) -> Settings:
        return self._settings[-1][1]

    def settings_at(self, run: int) -> Settings:
        return at_run(self._settings, run)

    def errors_at(self, run: int) -> frozenset[int]:
        """Return the E-codes of the status word."""
        errors = self.notes.errors_at(run)
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
        self.settle()

    def keep(self, parameter: int, data: bytes, index: int = 0) -> None:
        """Keep what was written, to be shown again and for nothing else."""
        self.change(raw={**self.settings.raw, (parameter, index): data})

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
        self.notes.write(books.CLOCK, self.run, before, self.face(self.run))

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
        self.notes.write(books.CLOCK, self.run, face, after)
        if seconds > 0:
            self._move(seconds)
        elif seconds < 0:
            self.slowed.begin(self.run)
            self.timeline.pace(self.right, self._pace // 2)
            self.at(self.right + 2 * -seconds, partial(self._stop_slowing, len(self.slowed.starts)))
        return True

    def restart(self) -> None:
        """Start anew: the channel is gone, and nobody answers for a moment."""
        self.boots += 1
        trouble = Trouble("restarting")
        self.trouble.append(trouble)
        self.at(self.right + _RESTART_S, partial(self.trouble.remove, trouble), ending=True)

    def reset_energy(self) -> None:
        self.registers.reset(self.run)
        self.limits.exceeded.clear()
        self.put_off(ENERGY_INIT, _STARTING_S)
        self.change(tripped=frozenset())

    def reset_maxima(self) -> None:
        self.maxima_since = self.run

    def limit_energy(self, tariff: int, wh: int) -> None:
        """Set the energy limit of a tariff; it counts from the last reset of the registers."""
        limits = list(self.settings.energy_limits)
        limits[tariff - 1] = wh
        self.limits.exceeded.discard(tariff)
        self.change(energy_limits=tuple(limits), tripped=self.settings.tripped - {tariff})

    # The inside.

    def _begin(self, plans: Sequence[Plan]) -> None:
        run = self.run
        self.notes.begin(run)
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
                self.notes.programmed(self.run, writes.SET_CLOCK)
            case happenings.ClockCorrected(by_s):
                behind = self.right - self.timeline.clock(self.run)
                wanted = behind if by_s is None else by_s
                seconds = max(-writes.MOST_S, min(writes.MOST_S, wanted))
                if self.correct_clock(seconds):
                    self.notes.programmed(self.run, writes.CORRECT_CLOCK)
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
                self.settle()

    def _stop(self, what: Happening) -> None:
        self._active.remove(what)
        if isinstance(what, Trouble):
            self.trouble.remove(what)
        self.settle()

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

    def settle(self) -> None:
        """Draw the conclusions from what is active and set now."""
        network = self._wires()
        single = self.settings.single_tariff
        if network.powered != self.network.powered:
            self._switch(on=network.powered)
        if network != self.network or single != self.counter.piece(self.run).single:
            self.network = network
            self.counter.go_on(self.run, network, single=single)
        self.limits.settle()
        self.notes.settle(
            self.run, network, self.settings.quality_limits, self._active,
            over_power=self.limits.over_power,
        )  # fmt: skip

    def _switch(self, *, on: bool) -> None:
        """Let the power come or go."""
        self.notes.power(self.run, on=on)
        if on:
            self.boots += 1
            self.off.end(self.run)
        else:
            self.off.begin(self.run)

    def _wires(self) -> Network:
        network = Network(connected=not self.settings.load_off)
        for what in self._active:
            if isinstance(what, happenings.OnTheWires):
                network = what.bend(network)
        if len(network.lost) == len(PHASES):
            network = replace(network, powered=False)
        return network
