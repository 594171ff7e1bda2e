"""A toy meter in this process: a driver, its line and what can go wrong with both.

The toy speaks JSON lines: ``{"to": address, "ask": ...}``. Its profile is a function of the slot
number, so that what was stored can be compared with what it had.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hub.domain.clock import ClockReading, MeterTime
from hub.domain.consent import Act, Consent
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.meters import Identity, Limits, MeterState, Quantity, Register
from hub.domain.pages import Cursor
from hub.domain.profile import Gap, ProfilePage, Slot
from hub.errors import AccessDenied, CursorLost, LineDown, Refused, ReplyTimeout
from hub.plugins.api.meter import Can, ClockMove, DriverSpec, Level, Outcome, Timing
from hub.plugins.api.settings import PluginSettings
from hub.plugins.api.wire import NEED_MORE, Talk, Verdict, ask
from hub.plugins.manager import Plugins

BEGIN = datetime(2026, 11, 1)  # on the face
HALF = timedelta(minutes=30)
BASE = timedelta(minutes=180)
LATE_HOUR = 23  # in it the toy's clock can't be nudged


def count_of(address: int, n: int) -> int:
    return (n * 7919 + address * 104729) % 1000


def start_of(n: int) -> datetime:
    """The n-th slot's start in UTC."""
    return (BEGIN + n * HALF - BASE).replace(tzinfo=UTC)


@dataclass
class ToyMeter:
    address: int
    slots: int = 480  # records kept so far
    serial: str = ""
    password: str = "1"
    lost: set[int] = field(default_factory=set)  # never written
    hidden: set[int] = field(default_factory=set)  # not told by cursor reads
    wrong: dict[int, int] = field(default_factory=dict)  # told wrongly once
    refuses: set[str] = field(default_factory=set)
    minutes: int = 30
    silent: bool = False
    cursor_lost: bool = False
    asked: list[str] = field(default_factory=list)
    open: bool = False
    dies_after: int = 10**9  # asks until the line breaks
    can: str = "clock registers profile"
    fast_s: float = 5.0  # face minus the end of the newest slot
    journal: dict[str, list[list]] = field(default_factory=dict)  # book: [n, end or None] …
    oldest: int = 0  # entries of any book before it are overwritten
    values: dict[str, str] = field(default_factory=lambda: {"32.7.0": "230.10"})
    closed: bool = True  # the relay
    limit: str = "0"
    level: str = ""
    says_no: str = ""  # to a write: 'refused', or 'busy' for one that goes on by itself
    deaf: bool = False  # does what it is told and does not answer
    moved: list[float] = field(default_factory=list)  # seconds, by clock writes

    def register(self, n: int) -> int:
        """Wh at the start of slot n: a count is a watt-hour."""
        return 1000 + sum(count_of(self.address, k) for k in range(n) if k not in self.lost)

    def answer(self, message: dict) -> dict | None:
        what = message["ask"]
        self.asked.append(what)
        if self.silent or len(self.asked) > self.dies_after:
            return None
        if what in self.refuses:
            return {"no": what}
        if what == "open" and message["password"] != self.password:
            return {"no": "password"}
        if what == "open":
            self.level = message["level"]
        if what in {"open", "close"}:
            self.open = what == "open"
            return {}
        return getattr(self, f"do_{what}")(message) if self.open else {"no": "closed"}

    def do_identity(self, message: dict) -> dict:
        return {"serial": self.serial or f"{self.address:08d}", "can": self.can}

    @property
    def face(self) -> datetime:
        return BEGIN + self.slots * HALF + timedelta(seconds=self.fast_s)

    def do_clock(self, message: dict) -> dict:
        return {"face": self.face.replace(microsecond=0).isoformat()}

    def do_journal(self, message: dict) -> dict:
        book = self.journal.get(message["book"], [])
        if self.cursor_lost and message["from"]:
            self.cursor_lost = False
            return {"no": "cursor"}
        first = max(message["from"] - 1, 0)  # the newest one that was told may have ended since
        lost = message["from"] < self.oldest and message["from"] > 0
        first = max(first, self.oldest)
        told = [[n, *book[n]] for n in range(first, min(first + 3, len(book)))]
        last = told[-1][0] + 1 if told else first
        return {"entries": told, "next": last, "more": last < len(book), "lost": lost}

    def do_values(self, message: dict) -> dict:
        return self.values

    def do_state(self, message: dict) -> dict:
        return {"load_on": self.closed, "limit": self.limit}

    def write(self, message: dict, done: Callable[[], None]) -> dict | None:
        if self.says_no == "refused":
            return {"no": "refused"}
        done()
        return None if self.deaf else {}

    def do_set_clock(self, message: dict) -> dict | None:
        shift = (datetime.fromisoformat(message["aim"]) - self.face).total_seconds()
        if message["move"] == "nudge" and abs(shift) > 240:
            return {"no": "refused"}

        def move() -> None:
            self.moved.append(shift)
            if self.says_no != "busy":
                self.fast_s += shift

        return self.write(message, move)

    def do_relay(self, message: dict) -> dict | None:
        if self.level != "CONFIGURE":
            return {"no": "refused"}
        return self.write(message, lambda: setattr(self, "closed", message["closed"]))

    def do_limit(self, message: dict) -> dict | None:
        return self.write(message, lambda: setattr(self, "limit", message["watts"]))

    def do_registers(self, message: dict) -> dict:
        day = self.slots // 48 * 48
        return {"now": self.register(self.slots), "at:day:0": self.register(day),
                "at:day:1": self.register(max(day - 48, 0))}  # fmt: skip

    def do_profile(self, message: dict) -> dict:
        if self.cursor_lost and message["from"]:
            self.cursor_lost = False
            return {"no": "cursor"}
        by_span = message["to_n"] is not None
        first = message["from"]
        last = min(first + 50, self.slots, message["to_n"] if by_span else 10**9)
        told = []
        for n in range(first, last):
            if n in self.lost or (n in self.hidden and not by_span):
                continue
            count = count_of(self.address, n)
            told.append([n, self.wrong.pop(n, count)])
        end = min(self.slots, message["to_n"]) if by_span else self.slots
        return {"slots": told, "next": last, "more": last < end, "minutes": self.minutes}


class ToyLine:
    """The wire to some meters. ``down``: it can't be opened."""

    def __init__(self, *meters: ToyMeter) -> None:
        self.meters = {meter.address: meter for meter in meters}
        self.down = False
        self.opened = 0
        self.before_answer: Callable[[dict], None] = lambda message: None

    async def open(self, address: object) -> "ToyLink":
        if self.down:
            raise LineDown
        self.opened += 1
        return ToyLink(self)


class ToyLink:
    def __init__(self, line: ToyLine) -> None:
        self.line = line
        self.ready = b""

    async def send(self, data: bytes, /) -> None:
        if self.line.down:
            raise LineDown
        message = json.loads(data)
        self.line.before_answer(message)
        meter = self.line.meters.get(message["to"])
        answer = None if meter is None else meter.answer(message)
        if answer is not None:
            self.ready += json.dumps(answer).encode() + b"\n"

    async def receive(self, timeout: float, /) -> bytes:  # noqa: ASYNC109
        await asyncio.sleep(0)
        data, self.ready = self.ready, b""
        return data

    async def drain(self) -> bytes:
        data, self.ready = self.ready, b""
        return data

    async def close(self) -> None:
        pass


class ToySettings(PluginSettings):
    address: int
    password: str = "1"


def line_rule(data: bytes) -> Verdict:
    end = data.find(b"\n")
    return NEED_MORE if end < 0 else Verdict(end + 1)


class Toy:
    def __init__(self, settings: ToySettings, learned: Mapping[str, str]) -> None:
        self.address = settings.address
        self.password = settings.password
        self.visits = int(learned.get("visits", "0")) + 1

    async def say(self, what: str, **more: object) -> tuple[dict, object]:
        message = {"to": self.address, "ask": what, **more}
        reply = await ask(json.dumps(message).encode(), line_rule)
        answer = json.loads(reply.frame)
        match answer.get("no"):
            case None:
                return answer, reply
            case "password":
                raise AccessDenied
            case "cursor":
                raise CursorLost
            case _:
                raise Refused

    async def open(self, level: Level) -> None:
        await self.say("open", password=self.password, level=level.name)

    async def identify(self) -> Identity:
        answer, _ = await self.say("identity")
        traits = frozenset(answer["can"].split())
        return Identity(maker="Toy", model="T1", serial=answer["serial"], traits=traits)

    def can(self, identity: Identity) -> frozenset[Can]:
        return frozenset(map(Can, identity.traits))

    async def close(self) -> None:
        await self.say("close")

    def learned(self) -> Mapping[str, str]:
        return {"visits": str(self.visits)}

    async def read_clock(self) -> ClockReading:
        answer, reply = await self.say("clock")
        face = datetime.fromisoformat(answer["face"])
        return ClockReading(MeterTime(face), reply.sent_at, reply.received_at)

    def registers(self) -> frozenset[Register]:
        return frozenset(Register("1.8.0", when) for when in ("now", "at:day:0", "at:day:1"))

    async def read_registers(self, wanted: object) -> dict[Register, Quantity]:
        answer, _ = await self.say("registers")
        return {
            register: Quantity(Decimal(answer[register.period]), "Wh")
            for register in wanted
            if register.period in answer
        }

    def read_profile(
        self, since: Cursor | None, span: tuple[MeterTime, MeterTime] | None = None
    ) -> Talk[ProfilePage]:
        return self.profile(since, span)

    async def profile(self, since, span) -> ProfilePage:
        first, to_n = int(since.body) if since else 0, None
        if span is not None:
            begin, end = ((face.face - BEGIN) // HALF for face in span)
            first, to_n = int(since.body) if since else begin, end
        answer, _ = await self.say("profile", **{"from": first, "to_n": to_n})
        slots = [
            Slot(MeterTime(BEGIN + (n + 1) * HALF), answer["minutes"], (count, None, None, None))
            for n, count in answer["slots"]
        ]
        told = {n for n, _ in answer["slots"]}
        gaps = []
        if span is None and slots:
            missing = [n for n in range(first, answer["next"]) if n not in told]
            gaps = [
                Gap(MeterTime(BEGIN + n * HALF), MeterTime(BEGIN + (n + 1) * HALF)) for n in missing
            ]
        return ProfilePage(
            slots=tuple(slots),
            milliwatt_hours_per_count=Fraction(1000),
            gaps=tuple(gaps),
            next=Cursor("toy/1", str(answer["next"])),
            more=answer["more"],
        )

    # -- journals and values

    def books(self) -> frozenset[str]:
        return frozenset("abcde")

    async def read_journal(self, book: str, since: Cursor | None) -> JournalPage:
        answer, _ = await self.say(
            "journal", book=book, **{"from": int(since.body) if since else 0}
        )
        entries = tuple(
            JournalEntry(
                book,
                kind,
                MeterTime(BEGIN + begin * HALF),
                None if end is None else MeterTime(BEGIN + end * HALF),
                raw=bytes([n]),
            )
            for n, kind, begin, end in answer["entries"]
        )
        lost = None
        if answer["lost"]:
            lost = Gap(None, entries[0].began)
        return JournalPage(
            entries=entries,
            lost=lost,
            next=Cursor("toy/1", str(answer["next"])),
            more=answer["more"],
        )

    async def read_snapshot(self) -> dict[Register, Quantity]:
        answer, _ = await self.say("values")
        return {Register(obis): Quantity(Decimal(value), "V") for obis, value in answer.items()}

    async def read_state(self) -> MeterState:
        answer, _ = await self.say("state")
        return MeterState(
            load_on=answer["load_on"], power_limit=Quantity(Decimal(answer["limit"]), "W")
        )

    # -- writes

    async def write(self, what: str, **more: object) -> Outcome:
        def request(at: datetime) -> bytes:
            told = {
                name: value(at).face.isoformat() if callable(value) else value
                for name, value in more.items()
            }
            return json.dumps({"to": self.address, "ask": what, **told}).encode()

        try:
            reply = await ask(request, line_rule, mutating=True)
        except ReplyTimeout:
            return Outcome.UNKNOWN
        return Outcome.REFUSED if json.loads(reply.frame).get("no") else Outcome.CONFIRMED

    async def set_clock(self, target: object, move: ClockMove, consent: Consent) -> Outcome:
        if move is ClockMove.NUDGE and (await self.read_clock()).shown.face.hour == LATE_HOUR:
            raise ValueError("It is about midnight on the meter's clock.")
        outcome = await self.write("set_clock", aim=target, move=move.name.lower())
        if outcome is Outcome.CONFIRMED:
            reading = await self.read_clock()
            away = target(reading.answered_at).face - reading.shown.face
            if abs(away.total_seconds()) > 2:
                return Outcome.STARTED
        return outcome

    async def switch_relay(self, consent: Consent, *, closed: bool) -> Outcome:
        return await self.write("relay", closed=closed)

    async def set_limits(self, limits: Limits, consent: Consent) -> Outcome:
        if limits.power_limit is None:
            raise ValueError("The toy has a power limit only.")
        return await self.write("limit", watts=str(limits.power_limit.value))


ACTS = {"relay": Act.SWITCH_RELAY, "limit": Act.SET_LIMITS}
CLOCK_ACTS = {"nudge": Act.CORRECT_CLOCK, "set": Act.SET_CLOCK}


def act_of(request: bytes) -> Act | None:
    message = json.loads(request)
    if message["ask"] == "set_clock":
        return CLOCK_ACTS[message["move"]]
    return ACTS.get(message["ask"])


SPEC = DriverSpec(
    id="toy",
    title="Toy",
    models=["T1"],
    settings=ToySettings,
    driver=Toy,
    build=Toy,
    may=frozenset(Can) - {Can.FIXED},
    timing=lambda baud: Timing(0.001, 0.0, 0.001),
    is_mutating=lambda request: act_of(request) is not None,
    act=act_of,
)


def plugins(spec: DriverSpec = SPEC) -> Plugins:
    return Plugins(drivers={spec.id: spec}, connectors={}, notifiers={}, reports=())
