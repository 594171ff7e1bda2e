"""What can happen to a meter, and when: the words that a scenario is made of.

What happens on the wires says how it bends a `Network`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hub.plugins.mercury234.simulator.luck import digest
from hub.plugins.mercury234.simulator.network import PHASES, Network


@dataclass(frozen=True, slots=True)
class Outage:
    """No power at all."""

    def bend(self, network: Network) -> Network:
        return replace(network, powered=False)


@dataclass(frozen=True, slots=True)
class PhasesLost:
    """Phases without voltage; the meter lives on the others."""

    phases: frozenset[int]

    def bend(self, network: Network) -> Network:
        return replace(network, lost=network.lost | self.phases)


@dataclass(frozen=True, slots=True)
class CurrentsLost:
    """Phases through which nothing flows."""

    phases: frozenset[int]

    def bend(self, network: Network) -> Network:
        first, second, third = (
            0 if phase in self.phases else share
            for phase, share in zip(PHASES, network.shares, strict=True)
        )
        return replace(network, shares=(first, second, third))


@dataclass(frozen=True, slots=True)
class Voltage:
    """A dip or a swell, to so many percent of the nominal voltage."""

    phases: frozenset[int]
    percent: int

    def bend(self, network: Network) -> Network:
        first, second, third = (
            self.percent if phase in self.phases else before
            for phase, before in zip(PHASES, network.volts, strict=True)
        )
        return replace(network, volts=(first, second, third))


@dataclass(frozen=True, slots=True)
class Frequency:
    """Another frequency, 0.01 Hz."""

    hertz: int

    def bend(self, network: Network) -> Network:
        return replace(network, hertz=self.hertz)


@dataclass(frozen=True, slots=True)
class Shares:
    """The load spread over the phases otherwise, in percent of the whole."""

    percent: tuple[int, int, int]

    def bend(self, network: Network) -> Network:
        return replace(network, shares=self.percent)


@dataclass(frozen=True, slots=True)
class Reverse:
    """What is taken goes through the meter the other way."""

    def bend(self, network: Network) -> Network:
        return replace(network, reverse=True)


@dataclass(frozen=True, slots=True)
class Sun:
    """A solar plant that exports, percent of the meter's rated power at noon in June."""

    percent: int

    def bend(self, network: Network) -> Network:
        return replace(network, sun=self.percent)


@dataclass(frozen=True, slots=True)
class Magnet:
    """A magnet at the case."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover is open: 0 the terminal cover, 1 the case."""

    seal: int


@dataclass(frozen=True, slots=True)
class Errors:
    """E-codes in the status word."""

    codes: frozenset[int]


@dataclass(frozen=True, slots=True)
class RelayOff:
    """The load is switched off through the interface at the start and on again at the end."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The meter answers badly: ``silent``, ``refusing``, ``slow``, ``misnamed``, ``restarting``.

    ``seconds`` is how much later a slow meter answers.
    """

    how: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """An owner writes a parameter, code 03."""

    parameter: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ClockSet:
    """An owner sets the clock, wrong by so many seconds."""

    error_s: int


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """Somebody corrects the clock within its four minutes, None: as near to right as may be."""

    by_s: int | None


@dataclass(frozen=True, slots=True)
class Drift:
    """From now on the clock gains so many billionths."""

    ppb: int


OnTheWires = Outage | PhasesLost | CurrentsLost | Voltage | Frequency | Shares | Reverse | Sun
Act = Written | ClockSet | ClockCorrected
Happening = OnTheWires | Act | Magnet | Cover | Errors | RelayOff | Trouble | Drift


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A happening and when it comes, once or again and again.

    Attributes:
        what: the happening.
        first: right second (see `timeline`) of the first time.
        lasts: seconds; an act has no length.
        every: seconds from one time to the next, None: it comes once.
        times: how often at most, None: no end.
        until: right second after which it does not come again.
        spread: seconds of luck added to each start, less than ``every``.
        key: of that luck.

    """

    what: Happening
    first: int
    lasts: int = 0
    every: int | None = None
    times: int | None = None
    until: int | None = None
    spread: int = 0
    key: str = ""

    def starts(self, begin: int) -> Iterator[int]:
        """Give the starts in order; of those that were over before ``begin``, none."""
        number = 0
        if self.every is not None and self.first + self.spread + self.lasts < begin:
            number = (begin - self.first - self.spread - self.lasts) // self.every
        while (self.every is not None or number == 0) and number != self.times:
            start = self.first + number * (self.every or 0)
            if self.spread:
                luck = int.from_bytes(digest("spread", self.key, number)[:8], "big")
                start += luck % self.spread
            if self.until is not None and start > self.until:
                return
            if self.times is not None and number >= self.times:
                return
            yield start
            number += 1
