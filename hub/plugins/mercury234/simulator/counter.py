"""What a meter has really counted: its loads, cut to pieces by what happened on the wires."""

from bisect import bisect_right
from dataclasses import dataclass

from hub.plugins.mercury234.simulator.clock import DAY, Calendar
from hub.plugins.mercury234.simulator.load import CELL, ChannelLoad, Consumer, choose, schedule
from hub.plugins.mercury234.simulator.network import SUN, WHOLE, Mix, Network
from hub.plugins.mercury234.simulator.options import RATED_W, Options
from hub.plugins.mercury234.simulator.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of runs, up to the next piece, in which all stays as it is."""

    start: int
    shift: int
    single: bool
    network: Network
    mixes: tuple[Mix, ...]


class Counter:
    """Counts by channel, tariff and phase at any run second of the past.

    ``kind`` names the load, ``metered`` tells of A+, A-, R+, R- whether this meter has them.
    """

    def __init__(
        self, options: Options, *, seed: int, address: int, calendar: Calendar,
        timeline: Timeline, started: int,
    ) -> None:  # fmt: skip
        self.kind, consumers = choose(options, seed, address)
        self._calendar = calendar
        self._timeline = timeline
        self._directions = options.directions
        self.zones = schedule(options.tariffs)
        sun = RATED_W[options.constant]
        self._loads = {
            channel: ChannelLoad(
                consumer, key=f"day/{seed}/{address}/{channel}", constant=options.constant,
                first_day=started // DAY, calendar=calendar, zones=self.zones,
            )
            for channel, consumer in {**consumers, SUN: Consumer("sun", "sun", "even", sun)}.items()
        }  # fmt: skip
        metered = (0, 2) if options.directions == 1 else (0, 1, 2, 3)
        self.metered = tuple(channel in metered for channel in range(4))
        self.pieces: list[Piece] = []
        self._starts: list[int] = []
        self._sums: dict[tuple[int, int], list[int]] = {}

    def go_on(self, run: int, network: Network, *, single: bool) -> None:
        """From this run second on things are so."""
        shift = self._timeline.shifts[-1]
        piece = Piece(run, shift, single, network, network.mixes(self._directions))
        if self._starts and self._starts[-1] == run:
            self.pieces[-1] = piece
            return
        self.pieces.append(piece)
        self._starts.append(run)

    def piece(self, run: int) -> Piece:
        """Return the piece that a run second lies in; before the first one, the first."""
        starts = self._starts
        return self.pieces[-1 if run >= starts[-1] else max(0, bisect_right(starts, run) - 1)]

    def tariff_at(self, run: int) -> int:
        """Return the tariff 1..3 that runs at a run second."""
        if self.piece(run).single:
            return 1
        clock = self._timeline.clock(run)
        return self.zones[self._calendar.face_seconds(clock) % DAY // CELL]

    def upto(self, channel: int, run: int, tariff: int = 0) -> int:
        """Return counts of A+, A-, R+ or R- from initialisation to a run second."""
        return self._sum(channel, tariff, run)

    def phase_upto(self, phase: int, run: int, tariff: int = 0) -> int:
        """Return counts of A+ of one phase, 1..3, from initialisation to a run second."""
        return self._sum(3 + phase, tariff, run)

    def running(self, channel: int, run: int) -> int:
        """Return counts of the half-hour that runs, as if it were all as at this second."""
        start = run // CELL * CELL
        counts = 0
        for load, share in self.piece(run).mixes[channel]:
            found = self._loads.get(load)
            if found is not None:
                counts += found.between(start, start + CELL) * share
        return counts // WHOLE

    def _sum(self, what: int, tariff: int, run: int) -> int:
        starts = self._starts
        at = len(starts) - 1 if run >= starts[-1] else bisect_right(starts, run) - 1
        if at < 0:
            return 0
        sums = self._sums.get((what, tariff))
        if sums is None:
            sums = self._sums[what, tariff] = [0]
        while len(sums) <= at:
            last = len(sums) - 1
            sums.append(sums[-1] + self._within(self.pieces[last], what, tariff, starts[last + 1]))
        return (sums[at] + self._within(self.pieces[at], what, tariff, run)) // WHOLE

    def _within(self, piece: Piece, what: int, tariff: int, run: int) -> int:
        if piece.single and tariff:
            if tariff != 1:
                return 0
            tariff = 0
        total = 0
        for load, share in piece.mixes[what]:
            found = self._loads.get(load)
            if found is not None:
                total += found.between(piece.start, run, tariff, piece.shift) * share
        return total
