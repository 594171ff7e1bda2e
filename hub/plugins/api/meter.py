"""Driver protocols, capabilities and the spec that declares a driver."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from hub.domain.clock import ClockReading, MeterTime
from hub.domain.consent import Act, Consent
from hub.domain.journal import JournalPage
from hub.domain.meters import FixedValues, Identity, Limits, MeterState, Quantity, Register
from hub.domain.pages import Cursor
from hub.domain.profile import ProfilePage
from hub.plugins.api.settings import PluginSettings
from hub.plugins.api.wire import Talk

S = TypeVar("S", bound=PluginSettings)


class Can(StrEnum):
    """Capabilities: stored, translated, documented under these names."""

    CLOCK = "clock"
    REGISTERS = "registers"
    SNAPSHOT = "snapshot"
    PROFILE = "profile"
    JOURNAL = "journal"
    STATE = "state"
    FIXED = "fixed"
    SET_CLOCK = "set_clock"
    RELAY = "relay"
    LIMITS = "limits"


class ClockMove(Enum):
    """How to put a clock right."""

    NUDGE = auto()  # within the meter's daily allowance; keeps archives in order
    SET = auto()  # any distance; may upset archives


class Outcome(Enum):
    """What became of a write."""

    CONFIRMED = auto()  # read back and seen
    STARTED = auto()  # taken on and still running; look again later
    REFUSED = auto()
    UNKNOWN = auto()  # no answer after a mutating ask; never repeated


class Level(Enum):
    """What a visit may do; the driver maps it to the meter's passwords."""

    READ = auto()
    CONFIGURE = auto()


class MeterDriver(Protocol):
    """The part every driver has."""

    def open(self, level: Level) -> Talk[None]:
        """Make the meter willing to talk. Called once, before anything but identify."""

    def identify(self) -> Talk[Identity]:
        """Say who answers; raise WrongDevice if it is not one of ours."""

    def can(self, identity: Identity) -> frozenset[Can]:
        """Say what this very meter can do; within the spec's ``may``. No I/O."""

    def close(self) -> Talk[None]:
        """Say goodbye. Called on every way out; must not raise for a closed channel."""

    def learned(self) -> Mapping[str, str]:
        """Habits of this meter worth keeping for the next visit. No I/O, no secrets."""


@runtime_checkable
class ReadsClock(Protocol):
    def read_clock(self) -> Talk[ClockReading]: ...


@runtime_checkable
class ReadsRegisters(Protocol):
    def registers(self) -> frozenset[Register]:
        """All that can be asked of this meter. No I/O."""

    def read_registers(self, wanted: Collection[Register]) -> Talk[Mapping[Register, Quantity]]:
        """Read them in as few exchanges as the meter allows; absent means the meter has none."""


@runtime_checkable
class ReadsSnapshot(Protocol):
    def read_snapshot(self) -> Talk[Mapping[Register, Quantity]]:
        """Voltages, currents, powers, angles, frequency, as close in time as the meter allows."""


@runtime_checkable
class ReadsProfile(Protocol):
    def read_profile(
        self, since: Cursor | None, span: tuple[MeterTime, MeterTime] | None = None
    ) -> Talk[ProfilePage]:
        """One page, oldest first. No cursor: from the oldest kept. CursorLost: start again.

        With a span: only slots that end after its first and not after its second reading of
        the face; cursors given back are valid with that span only and never replace the
        stored one.
        """


@runtime_checkable
class ReadsJournal(Protocol):
    def books(self) -> frozenset[str]: ...

    def read_journal(self, book: str, since: Cursor | None) -> Talk[JournalPage]:
        """One page of a book, oldest first. No cursor: all that is kept. CursorLost: start again.

        An entry that was still going on comes again when its end is known. What was overwritten
        before it was read is ``lost``, with its bounds.
        """


@runtime_checkable
class ReadsState(Protocol):
    def read_state(self) -> Talk[MeterState]:
        """Self-diagnosis, tariff now, load control, limits and maxima."""


@runtime_checkable
class Fixes(Protocol):
    def fix(self, consent: Consent) -> Talk[Outcome]:
        """Latch the present values of this meter; it changes nothing that is counted."""

    def read_fixed(self) -> Talk[FixedValues | None]:
        """Read what was latched last; None: nothing was."""


@runtime_checkable
class SetsClock(Protocol):
    def set_clock(
        self, target: Callable[[datetime], MeterTime], move: ClockMove, consent: Consent
    ) -> Talk[Outcome]:
        """Move to ``target(now)``, evaluated as the bytes leave.

        REFUSED: the meter said no, for one because it was corrected today already. STARTED: it
        slows its clock down until the time fits. Raises ValueError for a nudge that the meter
        can't do, before anything is sent.
        """


@runtime_checkable
class SwitchesRelay(Protocol):
    def switch_relay(self, consent: Consent, *, closed: bool) -> Talk[Outcome]:
        """Switch, then read back. ``read_state`` tells how it is."""


@runtime_checkable
class SetsLimits(Protocol):
    def set_limits(self, limits: Limits, consent: Consent) -> Talk[Outcome]:
        """Set what is given, then read back. Raises ValueError for what can't be set."""


PROTOCOLS: Mapping[Can, type] = {
    Can.CLOCK: ReadsClock,
    Can.REGISTERS: ReadsRegisters,
    Can.SNAPSHOT: ReadsSnapshot,
    Can.PROFILE: ReadsProfile,
    Can.JOURNAL: ReadsJournal,
    Can.STATE: ReadsState,
    Can.FIXED: Fixes,
    Can.SET_CLOCK: SetsClock,
    Can.RELAY: SwitchesRelay,
    Can.LIMITS: SetsLimits,
}


@dataclass(frozen=True, slots=True)
class Timing:
    """The meter's times, in seconds, on a wire without latency of its own."""

    first_byte_s: float  # the longest it thinks
    gap_s: float  # quiet that it needs between its answer and the next request
    late_reply_s: float  # after an ask that failed, how long an answer may still come
    quiet_s: float = 0.0  # the longest pause that it makes within an answer


@dataclass(frozen=True, slots=True)
class Door:
    """Line settings worth trying where a meter is to be found."""

    baud: int
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """Who answered to a probe."""

    address: int
    identity: Identity | None = None  # None: it is there, and says no more


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """What ``hub simulate DRIVER`` was asked for."""

    meters: int = 1  # they answer at address ... address + meters - 1
    address: int = 1
    seed: int = 0  # the same seed and instant: the same meters, to the count
    options: Mapping[str, str] | None = None  # the driver's own: firmware, constant, memory


class Simulator(Protocol):
    """Virtual meters: bytes in, bytes out, no socket and no clock."""

    def receive(self, data: bytes, now: datetime) -> Sequence[tuple[float, bytes]]:
        """Bytes from the line; answers, each with the delay in seconds before it leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One exchange in words: the JSON of ``hub wire decode``.

    ``says``, where request and response have it, is a list of sentences for people.
    """

    request: Mapping[str, object]
    response: Mapping[str, object]
    decoded: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSpec(Generic[S]):
    """What hub_meter_drivers returns."""

    id: str  # stored; never changes
    title: str  # message id
    models: Sequence[str]
    settings: type[S]  # per meter: address, passwords
    driver: type[MeterDriver]  # the class that build returns
    build: Callable[[S, Mapping[str, str]], MeterDriver]  # settings, what was learned
    may: frozenset[Can]  # the most any model can do
    timing: Callable[[int], Timing]  # by baud rate
    is_mutating: Callable[[bytes], bool] = lambda _request: True  # audits 'reads never write'
    act: Callable[[bytes], Act | None] = lambda _request: None  # of a write; None: it never leaves
    interleave: bool = True
    books: Mapping[str, str] = field(default_factory=dict)  # of journals: title, a message id
    faults: Mapping[str, str] = field(default_factory=dict)  # by code: what it means, a message id
    simulator: Callable[[SimulatorSettings], Simulator] | None = None
    explain: Callable[[bytes, bytes | None, Mapping[str, str]], Explained] | None = None
    # Which bytes of a request stay out of every log, for recordings of other masters; None: not
    # known. A driver's own requests say it themselves (``ask(hide=…)``).
    secrets: Callable[[bytes], Sequence[slice]] | None = None
    # Finding meters: settings to try, the likeliest first; addresses that meters may have; and who
    # is there: at an address, or, with None, whoever is alone on the line. One or two exchanges
    # without a password. ReplyTimeout: nobody; WrongDevice: somebody who is none of ours.
    doors: Sequence[Door] = ()
    addresses: Sequence[int] = ()
    probe: Callable[[int | None], Talk[Probed]] | None = None
    transcripts: str = "transcripts"  # folder of *.wire inside the package
