"""A meter that lies, every conversation that the driver can have, and what may come of them.

The liar is the virtual meter with its answers changed: by what, says a program of ``Lie``s, which
hypothesis draws, or a coverage-guided fuzzer gives as bytes. ``Visit`` has all
conversations that the driver's spec declares, so a capability that is new is told lies at once.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import partial
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from mercury_blocking import receive

from corefast.crc import seal
from hub.domain.consent import Act, Consent
from hub.domain.events import KINDS, UNKNOWN
from hub.plugins.api import (
    Abandoned,
    Ask,
    Can,
    FrameGarbled,
    HubError,
    Level,
    LinkError,
    MeterTime,
    Quantity,
    Register,
    Reply,
    ReplyTimeout,
    Rest,
    SimulatorSettings,
)
from hub.plugins.api.meter import PROTOCOLS, ClockMove, Limits, Outcome
from hub.plugins.mercury234 import MercurySettings, hub_meter_drivers
from hub.plugins.mercury234.simulator import VirtualLine

T = TypeVar("T")

(SPEC,) = hub_meter_drivers()
ADDRESS = 48
NOW = datetime(2026, 11, 24, 12, 7, tzinfo=UTC)
PERSONALITIES: tuple[Mapping[str, str], ...] = tuple(
    {"since": "2026-11-20"} | options
    for options in (
        {"firmware": "9.0.0", "memory": "131"},
        {"firmware": "2.3.4", "memory": "64"},
        {"firmware": "2.1.0", "memory": "64", "directions": "1"},
        {"firmware": "7.1.1", "memory": "131"},
    )
)
LONGEST_SKIP = 15  # honest answers before a lie
MOST_ASKS = 400  # of a conversation, before the runner's deadline is played
CLOSING_STEPS = 10
OPEN, CLOSE, WRITE = 0x01, 0x02, 0x03


class Kind(IntEnum):
    """What is done to an answer. Up to ``GLUED`` its check is right."""

    HONEST = 0
    FLIP = 1
    PATCH = 2
    DATA = 3
    STATUS = 4
    SIZED = 5
    EARLIER = 6
    GLUED = 7
    BARE = 8
    CUT = 9
    DAMAGED = 10
    JUNK_FIRST = 11
    SILENCE = 12
    STRANGER = 13
    ECHO = 14


@dataclass(frozen=True, slots=True)
class Lie:
    """One change, after ``skip`` honest answers. ``a``, ``b``, ``raw`` as its kind wants them."""

    kind: Kind
    skip: int = 0
    a: int = 0
    b: int = 1
    raw: bytes = b""


raws = st.binary(max_size=24) | st.sampled_from(
    [b"\xff" * 24, b"\0" * 24, b"\x99" * 8, b"\x7f" * 8, b"\x31\x12\x26", b"\0\0\1\1\0"]
)
programs = st.lists(
    st.builds(
        Lie,
        kind=st.sampled_from(Kind),
        skip=st.integers(0, LONGEST_SKIP),
        a=st.integers(0, 255),
        b=st.integers(1, 255),
        raw=raws,
    ),
    min_size=1,
    max_size=40,
)


def lies(stream: bytes) -> Iterator[Lie]:
    """Read lies from bytes, as a fuzzer gives them: kind and skip, a, b, length of raw, raw."""
    place = 0
    while place + 4 <= len(stream):
        head, a, b, size = stream[place : place + 4]
        place += 4
        raw = stream[place : place + size % 32]
        place += len(raw)
        yield Lie(Kind(head % 16 % len(Kind)), head >> 4, a, b or 1, raw)


@dataclass(slots=True)
class Told:
    """What a liar did, by kind."""

    answers: int = 0
    changed: int = 0


class Liar:
    """Answers requests; one instance is one meter's life."""

    _honest: ClassVar[dict[tuple[int, bytes], bytes]] = {}  # of meters that nobody has written to

    def __init__(self, personality: int, program: Iterable[Lie], told: Told) -> None:
        self.personality = personality
        self.told = told
        self._program = iter(program)
        self._lie: Lie | None = None
        self._skip = 0
        self._before = b""
        self._line: VirtualLine | None = None

    def __call__(self, request: bytes, now: datetime) -> bytes:
        honest = self._answer(request, now)
        self.told.answers += 1
        lie = self._next(request)
        if lie is None:
            self._before = honest
            return honest
        self.told.changed += 1
        return self._changed(lie, request, honest)

    def _next(self, request: bytes) -> Lie | None:
        if self._lie is None:
            self._lie = next(self._program, None)
            self._skip = self._lie.skip if self._lie else 0
        lie = self._lie
        if lie is None or self._skip > 0:
            self._skip -= 1
            return None
        if request[1] in {OPEN, CLOSE} and lie.a % 8:
            return None  # a channel that never opens would keep the rest from being heard
        self._lie = None
        return None if lie.kind is Kind.HONEST else lie

    def _answer(self, request: bytes, now: datetime) -> bytes:
        if self._line is None and request[1] != WRITE:
            known = self._honest.get((self.personality, request))
            if known is None:
                self._line = self._meter(now)
                known = self._ask(request, now)
                self._line = None
                if len(self._honest) > 50_000:
                    self._honest.clear()
                self._honest[self.personality, request] = known
            return known
        self._line = self._line or self._meter(now)
        return self._ask(request, now)

    def _meter(self, now: datetime) -> VirtualLine:
        options = PERSONALITIES[self.personality]
        line = VirtualLine(SimulatorSettings(address=ADDRESS, seed=7, options=options), NOW)
        for level, digit in ((1, 1), (2, 2)):
            line.receive(seal(bytes((ADDRESS, OPEN, level, *[digit] * 6))), now)
        return line

    def _ask(self, request: bytes, now: datetime) -> bytes:
        assert self._line is not None
        return b"".join(frame for _, frame in self._line.receive(request, now))

    def _changed(self, lie: Lie, request: bytes, honest: bytes) -> bytes:
        wires = {
            Kind.EARLIER: self._before,
            Kind.GLUED: honest + self._before,
            Kind.BARE: lie.raw,
            Kind.CUT: honest[: lie.a % (len(honest) + 1)],
            Kind.JUNK_FIRST: lie.raw + honest,
            Kind.SILENCE: b"",
            Kind.ECHO: request + honest,
        }
        if lie.kind in wires:
            return wires[lie.kind]
        if lie.kind is Kind.DAMAGED:
            wire = bytearray(honest or b"\0")
            wire[lie.a % len(wire)] ^= lie.b
            return bytes(wire)
        address = lie.a if lie.kind is Kind.STRANGER else ADDRESS
        return seal(bytes((address,)) + _data(lie, bytearray(honest[1:-2] or b"\0")))


def _data(lie: Lie, data: bytearray) -> bytes:
    """Return what is sealed in place of the meter's own data."""
    place = lie.a % len(data)
    if lie.kind is Kind.STATUS:
        return bytes((lie.b,))
    if lie.kind is Kind.SIZED:
        return ((lie.raw or b"\0") * (lie.a % 9 + 1))[:255]
    if lie.kind is Kind.DATA:
        raw = lie.raw or bytes((lie.b,))
        return (raw * (len(data) // len(raw) + 1))[: len(data)]
    if lie.kind is Kind.FLIP:
        data[place] ^= lie.b
    elif lie.kind is Kind.PATCH:
        data[place : place + len(lie.raw)] = lie.raw[: len(data) - place]
    return bytes(data)


class Refused(AssertionError):
    """The driver did what no driver may."""


class Wire:
    """Runs conversations as the hub's runner and line do, bounded in steps, without time."""

    def __init__(self, liar: Liar, *, chunk: int = 300, repeats: int = 1) -> None:
        self.liar = liar
        self.now = NOW
        self.chunk, self.repeats = chunk, repeats
        self.asks = 0
        self.written = 0
        self.abandoned = 0

    def run(self, talk: Coroutine[Any, Any, T], act: Act | None = None) -> T:
        """Run to the end; after ``MOST_ASKS`` as past a deadline: Abandoned, two frames, closed."""
        send: Any = talk.send
        value: Any = None
        left = self.asks + MOST_ASKS
        closing = CLOSING_STEPS
        overdue = False
        while True:
            try:
                step = send(value)
            except StopIteration as end:
                result: T = end.value
                return result
            if self.asks > left:
                closing -= 1
                assert closing, "the driver goes on though the visit was abandoned"
                if not overdue:
                    overdue = True
                    self.abandoned += 1
                    send, value = talk.throw, Abandoned()
                    continue
            if isinstance(step, Rest):
                assert 0 <= step.seconds < 3600
                self.now += timedelta(seconds=step.seconds)
                send, value = talk.send, Reply(b"", self.now, self.now)
                continue
            assert isinstance(step, Ask), step
            try:
                send, value = talk.send, self._exchange(step, act)
            except LinkError as error:
                send, value = talk.throw, error

    def _exchange(self, step: Ask, act: Act | None) -> Reply:
        request = step.request(self.now) if callable(step.request) else step.request
        assert request
        mutating = step.mutating or SPEC.is_mutating(request)
        if mutating and (act is None or SPEC.act(request) != act):
            raise Refused(f"{request.hex()} would leave with leave for {act}")
        self.written += mutating
        rule = step.rule
        for left in range(0 if mutating else self.repeats, -1, -1):
            self.asks += 1
            sent_at = self.now
            data = self.liar(request, sent_at)
            self.now += timedelta(seconds=0.1)
            if rule is None:
                return Reply(b"", sent_at, self.now)
            try:
                frame = receive(rule, data, self.chunk)
            except (FrameGarbled, ReplyTimeout):
                if not left:
                    raise
            else:
                assert frame
                return Reply(frame, sent_at, self.now)
        raise AssertionError


class Visit:
    """All conversations of one visit; ``kinds`` counts how each ended."""

    def __init__(self, wire: Wire, learned: Mapping[str, str] | None = None) -> None:
        self.wire = wire
        self.driver: Any = SPEC.build(MercurySettings(address=ADDRESS), learned or {})
        self.kinds: Counter[str] = Counter()
        self.identity: Any = None

    def __call__(self, turn: int = 0, level: Level = Level.READ) -> None:
        """Open, identify, have all conversations beginning with the ``turn``-th, close."""
        self.attempt(lambda: self.driver.open(level))
        self.identity = self.attempt(self.driver.identify)
        if self.identity is not None:
            check_identity(self.identity)
            assert self.driver.can(self.identity) <= SPEC.may
        known = [
            CONVERSATIONS[can]
            for can in sorted(SPEC.may)
            if isinstance(self.driver, PROTOCOLS[can])
        ]
        assert len(known) == len(SPEC.may), "the spec declares what the driver does not have"
        at = turn % len(known)
        for have in known[at:] + known[:at]:
            have(self)
        self.attempt(self.driver.close)
        learned = self.driver.learned()
        assert all(isinstance(item, str) for pair in learned.items() for item in pair)
        assert sum(map(len, itertools.chain(*learned.items()))) < 1000

    def attempt(
        self, talk: Callable[[], Coroutine[Any, Any, T]], act: Act | None = None
    ) -> T | None:
        """Run one conversation: a value, or None after an error of ours; all else comes out.

        A conversation that may write may also decline by ValueError, before it wrote.
        """
        written = self.wire.written
        try:
            found = self.wire.run(talk(), act)
        except ValueError:
            if act is None or self.wire.written > written:
                raise
            self.kinds["declined"] += 1
            return None
        except HubError as error:
            self.kinds[error.code] += 1
            return None
        self.kinds["value"] += 1
        return found


def consent(act: Act) -> Consent:
    return Consent(
        act=act, target="1", actor="user/1", reason="test", until=NOW + timedelta(hours=1)
    )


# -- the conversations ---------------------------------------------------------------------------


def clock(visit: Visit) -> None:
    reading = visit.attempt(visit.driver.read_clock)
    if reading is not None:
        check_time(reading.shown)
        assert reading.asked_at <= reading.answered_at


def registers(visit: Visit) -> None:
    offered = visit.driver.registers()
    wanted = [r for r in sorted(offered) if r.period in {"now", "at:day:0"}]
    wanted += [r for r in sorted(offered) if r.period.startswith(("of:month:", "at:month"))][:7]
    found = visit.attempt(lambda: visit.driver.read_registers(wanted))
    if found is not None:
        assert found.keys() <= set(wanted)
        check_quantities(found, {"Wh", "varh"})


def snapshot(visit: Visit) -> None:
    found = visit.attempt(visit.driver.read_snapshot)
    if found is not None:
        check_quantities(found, RANGES.keys() - {"Wh", "varh"})


def profile(visit: Visit) -> None:
    since = None
    for _ in range(3):
        page = visit.attempt(partial(visit.driver.read_profile, since))
        if page is None:
            break
        check_page(page, since)
        since = page.next
    span = MeterTime(datetime(2026, 11, 22, 3), False), MeterTime(datetime(2026, 11, 22, 9), False)
    page = visit.attempt(lambda: visit.driver.read_profile(None, span))
    if page is not None:
        check_page(page, None, span)


def journal(visit: Visit) -> None:
    for book in sorted(visit.driver.books()):
        since = None
        for _ in range(2):
            page = visit.attempt(
                lambda book=book, since=since: visit.driver.read_journal(book, since)
            )
            if page is None:
                break
            check_journal(book, page)
            since = page.next


def state(visit: Visit) -> None:
    found = visit.attempt(visit.driver.read_state)
    if found is not None:
        check_state(found)


def fixed(visit: Visit) -> None:
    outcome = visit.attempt(lambda: visit.driver.fix(consent(Act.FIX)), Act.FIX)
    assert outcome is None or isinstance(outcome, Outcome)
    found = visit.attempt(visit.driver.read_fixed)
    if found is not None:
        check_time(found.fixed)
        check_quantities(found.values, RANGES.keys())


def set_clock(visit: Visit) -> None:
    for move, act in ((ClockMove.NUDGE, Act.CORRECT_CLOCK), (ClockMove.SET, Act.SET_CLOCK)):
        outcome = visit.attempt(partial(visit.driver.set_clock, _face, move, consent(act)), act)
        assert outcome is None or isinstance(outcome, Outcome)


def _face(at: datetime) -> MeterTime:
    return MeterTime(at.replace(tzinfo=None) + timedelta(hours=3), summer=False)


def relay(visit: Visit) -> None:
    for closed in (False, True):
        outcome = visit.attempt(
            partial(visit.driver.switch_relay, consent(Act.SWITCH_RELAY), closed=closed),
            Act.SWITCH_RELAY,
        )
        assert outcome is None or isinstance(outcome, Outcome)


def limits(visit: Visit) -> None:
    wanted = Limits(
        power_limit=Quantity(Decimal(5000), "W"),
        power_control=True,
        energy_limits={1: Quantity(Decimal(100_000), "Wh")},
        energy_control=False,
    )
    outcome = visit.attempt(
        lambda: visit.driver.set_limits(wanted, consent(Act.SET_LIMITS)), Act.SET_LIMITS
    )
    assert outcome is None or isinstance(outcome, Outcome)


CONVERSATIONS: Mapping[Can, Callable[[Visit], None]] = {
    Can.CLOCK: clock,
    Can.REGISTERS: registers,
    Can.SNAPSHOT: snapshot,
    Can.PROFILE: profile,
    Can.JOURNAL: journal,
    Can.STATE: state,
    Can.FIXED: fixed,
    Can.SET_CLOCK: set_clock,
    Can.RELAY: relay,
    Can.LIMITS: limits,
}


# -- what may be stored --------------------------------------------------------------------------

# By unit: lowest and highest value that a meter of this family can measure, or count.
RANGES: Mapping[str, tuple[float, float]] = {
    "Wh": (0, 0xFFFFFFFE),
    "varh": (0, 0xFFFFFFFE),
    "W": (-0x3FFFFFFF, 0x3FFFFFFF),
    "var": (-0x3FFFFFFF, 0x3FFFFFFF),
    "VA": (0, 0x3FFFFFFF),
    "V": (0, 1000),
    "A": (0, 1000),
    "Hz": (0, 100),
    "deg": (-360, 360),
    "%": (0, 656),
    "1": (-1, 1),
    "Cel": (-100, 150),
}


def check_identity(identity: Any) -> None:
    assert identity.serial.isdigit()
    assert 1 <= len(identity.serial) <= 20
    assert identity.phases in {None, 1, 3}
    assert identity.imp_per_kwh in {None, 5000, 25000, 1250, 500, 1000, 250}
    for ratio in (identity.current_ratio, identity.voltage_ratio):
        assert ratio is None or 0 <= ratio <= 0xFFFF


def check_time(time: MeterTime) -> None:
    assert time.face.tzinfo is None
    assert 1999 <= time.face.year <= 2100
    assert time.summer in {None, False, True}


def check_quantities(found: Mapping[Register, Quantity], units: Collection[str]) -> None:
    for register, quantity in found.items():
        assert quantity.unit in units, (register, quantity)
        low, high = RANGES[quantity.unit]
        assert quantity.value.is_finite()
        assert low <= quantity.value <= high, (register, quantity)
        if quantity.unit in {"Wh", "varh"}:
            assert quantity.value == int(quantity.value)


def std(time: MeterTime) -> datetime:
    return time.face - timedelta(hours=1) if time.summer else time.face


def check_page(page: Any, since: Any, span: tuple[MeterTime, MeterTime] | None = None) -> None:
    before = None
    for slot in page.slots:
        check_time(slot.ends)
        assert 1 <= slot.minutes <= 60
        assert 1440 % slot.minutes == 0
        assert any(count is not None for count in slot.counts)
        assert all(count is None or 0 <= count <= 2 * 0xFFFE for count in slot.counts)
        assert before is None or std(slot.ends) > before
        before = std(slot.ends)
        if span is not None:
            assert std(span[0]) < std(slot.ends) <= std(span[1])
    for gap in page.gaps:
        check_time(gap.ends)
        assert gap.starts is None or std(gap.starts) < std(gap.ends)
    shapes = {(s.minutes, tuple(c is not None for c in s.counts)) for s in page.slots}
    assert len(shapes) <= 1
    assert page.milliwatt_hours_per_count > 0
    if page.more and not page.slots:
        assert page.next != since, "the same page would be asked for again and again"


def check_journal(book: str, page: Any) -> None:
    seen = set()
    for entry in page.entries:
        assert entry.book == book
        assert entry.kind in KINDS or entry.kind == UNKNOWN
        key = entry.kind, entry.began, entry.nth
        assert key not in seen, "two entries of one key"
        seen.add(key)
        for time in (entry.began, entry.ended):
            if isinstance(time, MeterTime):
                check_time(time)
        assert all(isinstance(item, str) for pair in (entry.detail or {}).items() for item in pair)
    if page.lost is not None:
        check_time(page.lost.ends)


def check_state(found: Any) -> None:
    assert found.tariff is None or 1 <= found.tariff <= 8
    for fault in found.faults or ():
        assert fault.startswith("E-")
    if found.power_limit is not None:
        check_quantities({Register("", ""): found.power_limit}, {"W"})
    assert found.energy_limits.keys() <= {1, 2, 3, 4}
    for quantity in found.energy_limits.values():
        check_quantities({Register("", ""): quantity}, {"Wh"})
    check_quantities(found.maxima, {"W", "var"})
