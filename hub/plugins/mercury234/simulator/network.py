"""The wires at the meter: what is out of order there while something happens."""

from dataclasses import dataclass

PHASES = (1, 2, 3)

#: Percent of the whole by phase where nothing is out of order.
EVEN_SHARES = (38, 33, 29)

IMPORT, EXPORT, SUN = 0, 1, 4

#: What runs into one count: loads, and how many ten-thousandths of each.
Mix = tuple[tuple[int, int], ...]
WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The state of the wires.

    Attributes:
        powered: at least one phase feeds the meter.
        lost: phases without voltage.
        volts: percent of the nominal voltage by phase, None: as usual.
        hertz: frequency in 0.01 Hz, None: as usual.
        shares: percent of the load by phase.
        reverse: what is taken goes the other way.
        sun: percent of the rated power that the sun adds to the export.
        connected: the relay has not cut the load off.

    """

    powered: bool = True
    lost: frozenset[int] = frozenset()
    volts: tuple[int | None, int | None, int | None] = (None, None, None)
    hertz: int | None = None
    shares: tuple[int, int, int] = EVEN_SHARES
    reverse: bool = False
    sun: int = 0
    connected: bool = True

    def share(self, phase: int) -> int:
        """Percent of the load that really runs through a phase."""
        if not (self.powered and self.connected) or phase in self.lost:
            return 0
        return self.shares[phase - 1]

    def mixes(self, directions: int) -> tuple[Mix, ...]:
        """Say what runs into A+, A-, R+, R- and into A+ of L1, L2, L3.

        A meter of one direction counts what goes the other way as taken.
        """
        whole = sum(self.share(phase) for phase in PHASES)
        reverse = self.reverse and directions == 2
        taken, given = self._given(whole), self._taken(whole)
        if not reverse:
            taken, given = given, taken
        phases = (
            self._given(self.share(phase)) if reverse else self._taken(self.share(phase))
            for phase in PHASES
        )
        return (taken, given, _of(2, whole), _of(3, whole), *phases)

    def _taken(self, share: int) -> Mix:
        return _of(IMPORT, share)

    def _given(self, share: int) -> Mix:
        sun = ((SUN, self.sun * share),) if self.sun and share else ()
        return (*_of(EXPORT, share), *sun)


def _of(load: int, share: int) -> Mix:
    return ((load, share * WHOLE // 100),) if share else ()
