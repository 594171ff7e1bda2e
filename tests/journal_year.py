"""A year of a virtual meter's journals, read by daily visits into a store, beside its own account.

``wanted`` makes events of the meter's own list of records by the tables of the protocol paper
(6.1); it shares nothing with the driver. As a program this is one process of a long reading: it
goes on where the one before it was killed, and dies itself at its n-th commit if it is told to.

    python journal_year.py DATABASE CASE DAYS [N before|after]
"""

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [
    str(TESTS / "services"),
    str(TESTS / "plugins" / "mercury234"),
]

from mercury_blocking import Blocking  # noqa: E402
from metering import a_meter  # noqa: E402
from sqlmodel import Session  # noqa: E402

from hub.errors import LinkError  # noqa: E402
from hub.plugins.api import Level, SimulatorSettings  # noqa: E402
from hub.plugins.mercury234 import MercurySettings, build  # noqa: E402
from hub.plugins.mercury234.simulator import JournalEvent, VirtualLine  # noqa: E402
from hub.plugins.mercury234.simulator import build as build_line  # noqa: E402
from hub.services import events, lines, meters  # noqa: E402
from hub.store.events import Stay, Wish, listed  # noqa: E402
from hub.store.unit import Store  # noqa: E402

ADDRESS = 7
FIRST = datetime(2026, 1, 1, 0, 40, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VISITS_A_DAY = 20  # tries, an hour apart, until one gets through to the end
LOST, SPOILT = 0.02, 0.03  # of the answers, on a bad line
SILENCE = (100, 260)  # days without a visit


@dataclass(frozen=True)
class Case:
    """One meter on one line. ``silence``: the visits of these days are left out."""

    options: Mapping[str, str]
    bad_line: bool = False
    silence: tuple[int, int] | None = None

    def days(self, until: int) -> Iterator[int]:
        left_out = range(*self.silence) if self.silence else ()
        return (day for day in range(1, until + 1) if day not in left_out)


CASES = {
    "firmware 9.0.0": Case({"firmware": "9.0.0"}),
    "firmware 2.3.4": Case({"firmware": "2.3.4"}),
    "firmware 2.0.0, one by one": Case({"firmware": "2.0.0"}),
    "two seals": Case({"firmware": "9.0.0", "seals": "2"}),
    "a bad line": Case({"firmware": "9.0.0"}, bad_line=True),
    "160 days of silence": Case({"firmware": "9.0.0"}, silence=SILENCE),
}


class Event(NamedTuple):
    """An event as it is compared; times as text, without an end where there is none."""

    book: str
    kind: str
    nth: int
    began: str
    ended: str
    facts: tuple[tuple[str, str], ...]
    raw: str


# -- visits ------------------------------------------------------------------------------------


def virtual_line(case: Case) -> VirtualLine:
    told = {"scenario": "village-line", "now": "2026-01-01T03:00:00+03:00", **case.options}
    return build_line(SimulatorSettings(address=ADDRESS, seed=5, options=told))


@dataclass
class Reading:
    """Visits to one meter, one a day, each as the collector does them."""

    case: Case
    store: Store
    clock: Any  # of the store, set to the visits' instants
    line: VirtualLine = field(init=False)
    meter_id: int = field(init=False)
    asked: int = 0

    def __post_init__(self) -> None:
        self.line = virtual_line(self.case)
        self.clock.at = FIRST
        with self.store.read() as unit:
            found = unit.cursor().execute("SELECT id FROM meter").fetchone()
        self.meter_id = found[0] if found else a_meter(self.store, serial="").meter_id

    def read(self, until: int) -> None:
        """Visit on all days up to ``until`` that were not done before."""
        read_at = events.plan(self.store, self.meter_id).read_at
        for day in self.case.days(until):
            at = FIRST + day * DAY
            if read_at is None or read_at < at:
                self._day(at)

    def _day(self, at: datetime) -> None:
        for hour in range(VISITS_A_DAY):
            try:
                self._visit(at + hour * HOUR)
            except LinkError:
                continue
            return
        raise AssertionError(f"no visit got through on {at:%d %B}")

    def _visit(self, at: datetime) -> None:
        self.clock.at = at
        errand = meters.errand(self.store, self.meter_id)
        line_id = errand.meter.line_id
        lease = lines.claim(self.store, line_id, f"{at}", is_dead=lambda _: True)
        driver = build(MercurySettings(address=ADDRESS), errand.meter.learned)
        runner = Blocking(self._answers(at), at, repeats=2)
        plan = events.plan(self.store, self.meter_id)
        runner.run(driver.open(Level.READ))
        runner.run(driver.identify())
        for book in sorted(driver.books()):
            cursor = plan.cursors.get(book)
            page = runner.run(driver.read_journal(book, cursor))
            if page.next == cursor and not (page.entries or page.lost):
                continue
            events.store_journal_page(
                self.store, self.meter_id, book, page, lease=lease, learned=driver.learned()
            )
        runner.run(driver.close())
        events.journals_read(self.store, self.meter_id, at, lease=lease)
        self.asked += len(runner.asked)

    def _answers(self, at: datetime) -> Callable[[bytes, datetime], bytes]:
        luck = random.Random(at.isoformat())  # noqa: S311

        def answer(request: bytes, now: datetime) -> bytes:
            data = b"".join(part for _, part in self.line.receive(request, now))
            if not self.case.bad_line or not data:
                return data
            if luck.random() < LOST:
                return b""
            if luck.random() < SPOILT:
                start = luck.randrange(len(data))
                noise = luck.randbytes(luck.randrange(1, 5))
                return data[:start] + noise + data[start + len(noise) :]
            return data

        return answer

    # -- what came of them ----------------------------------------------------------------------

    def stored(self) -> list[Event]:
        with self.store.read() as unit:
            stay = Stay(self.meter_id, datetime(1990, 1, 1, tzinfo=UTC), None)
            rows = listed(unit, [stay], Wish(), limit=1_000_000)
        return [_stored(row.entry) for row in rows]

    def account(self, at: datetime) -> list[JournalEvent]:
        """List the meter's own records at an instant."""
        return self.line.meters[ADDRESS].journal(at)

    @property
    def last_visit(self) -> datetime:
        read_at = events.plan(self.store, self.meter_id).read_at
        assert read_at is not None
        return read_at


def _stored(entry: Any) -> Event:
    return Event(
        entry.book,
        entry.kind,
        entry.nth,
        entry.began.face.isoformat(),
        entry.ended.face.isoformat() if entry.ended else "",
        tuple(sorted((entry.detail or {}).items())),
        entry.raw.hex(),
    )


# -- the meter's own account, as events --------------------------------------------------------

_PHASES = {3: "1", 4: "2", 5: "3", 0x17: "1", 0x18: "2", 0x19: "3"}
_MOMENTS = {
    0x07: "tariff_schedule_changed", 0x08: "holidays_changed", 0x09: "energy_reset",
    0x0A: "profile_initialised", 0x0F: "power_limit_changed", 0x10: "energy_limit_changed",
    0x11: "loss_parameters_changed", 0x15: "maxima_schedule_changed", 0x16: "maxima_reset",
}  # fmt: skip
_QUALITY = ("below_limit", "below_normal", "above_normal", "above_limit")
_BREAKS = {1, *_PHASES}
_FIRST_ERRORS = (33, 41, 17, 25, 1, 9)


def kind_of(book: int, place: int, *, two_seals: bool) -> tuple[str, dict[str, str]]:
    """Return the kind of a book's events and what they all have."""
    if book == 0x12:
        return ("terminal_cover_opened" if two_seals and place < 5 else "case_opened"), {}
    if 0x0B <= book <= 0x0E:
        return "energy_limit_exceeded", {"tariff": str(book - 0x0A)}
    if book >= 0x20:
        quantity, limit = divmod(book - 0x20, 4)
        if quantity == 3:
            return f"frequency_{_QUALITY[limit]}", {}
        return f"voltage_{_QUALITY[limit]}", {"phase": str(quantity + 1)}
    lost = "phase_voltage_lost" if book < 6 else "phase_current_lost"
    named = {
        **_MOMENTS, 0x01: "power_lost", 0x02: "clock_corrected", 0x06: "power_limit_exceeded",
        0x13: "parameters_written", 0x14: "self_test_changed", 0x1A: "magnetic_field",
        **dict.fromkeys(_PHASES, lost),
    }[book]  # fmt: skip
    return named, {"phase": _PHASES[book]} if book in _PHASES else {}


def face(wire: bytes) -> datetime | None:
    """Read the six bytes of a time; BCD is what hexadecimal digits show."""
    return None if not any(wire) or wire == b"\xff" * 6 else (
        datetime.strptime(wire.hex(), "%S%M%H%d%m%y")  # noqa: DTZ007 -- a face
    )  # fmt: skip


def first_of(record: JournalEvent) -> datetime:
    """Return the first time of a record; book 13 has a day."""
    if record.book == 0x13:
        return datetime.strptime(record.raw[:3].hex(), "%d%m%y")  # noqa: DTZ007 -- a face
    return face(record.raw[:6])


def last_of(record: JournalEvent) -> datetime:
    """Return until when a record tells: its end, where it has one."""
    spans = record.book in {*_BREAKS, 0x06, 0x12, 0x1A} or record.book >= 0x20
    return (face(record.raw[6:]) if spans else None) or first_of(record)


def rings(account: Sequence[JournalEvent], *, two_seals: bool) -> Iterator[list[JournalEvent]]:
    """Part the records by ring, each oldest first."""
    found: dict[tuple[int, bool], list[JournalEvent]] = {}
    for each in account:
        found.setdefault((each.book, two_seals and each.book == 0x12 and each.record < 5), [])
        found[each.book, two_seals and each.book == 0x12 and each.record < 5].append(each)
    yield from found.values()


def wanted(records: Sequence[JournalEvent], *, two_seals: bool, whole: bool = True) -> list[Event]:
    """Make events of the records of one ring; ``whole``: from the very first on."""
    book = records[0].book
    kind, facts = kind_of(book, records[0].record, two_seals=two_seals)
    made: list[tuple[datetime, datetime | None, dict[str, str], bytes]] = []
    for at, record in enumerate(records):
        raw = record.raw
        if book in _BREAKS:
            gone = face(raw[6:])
            if gone is not None:
                back = face(records[at + 1].raw[:6]) if at + 1 < len(records) else None
                made.append((gone, back, {}, raw))
        elif book == 0x13:
            day = datetime.strptime(raw[:3].hex(), "%d%m%y")  # noqa: DTZ007
            made.append((day, None, _writes(raw), raw))
        elif book == 0x14:
            before = records[at - 1].raw if at else None
            made.append((face(raw[:6]), None, _errors(raw, before), raw))
        elif book == 0x02:
            first, second = face(raw[:6]), face(raw[6:])
            shift = str(int((second - first).total_seconds()))
            told = {"before": first.isoformat(), "after": second.isoformat(), "shift_s": shift}
            made.append((first, None, told, raw))
        else:
            made.append((face(raw[:6]), face(raw[6:]) if raw[6:] else None, {}, raw))
    seen: Counter[datetime] = Counter()
    out = []
    for began, ended, more, raw in made:
        out.append(
            Event(
                f"{book:02X}", kind, seen[began], began.isoformat(),
                ended.isoformat() if ended else "",
                tuple(sorted({**facts, **more}.items())), raw.hex(),
            )
        )  # fmt: skip
        seen[began] += 1
    return out


def _writes(raw: bytes) -> dict[str, str]:
    bits = raw[4:11]
    told = {"times": str(int(raw[3:4].hex())), "map": raw[4:].hex(" ").upper()}
    if bits == bits[::-1]:
        number = int.from_bytes(bits, "little")
        told["parameters"] = " ".join(f"{bit:02X}" for bit in range(56) if number >> bit & 1)
    return told


def _errors(raw: bytes, before: bytes | None) -> dict[str, str]:
    def names(word: bytes) -> list[str]:
        found = [
            first + bit
            for first, byte in zip(_FIRST_ERRORS, word, strict=True)
            for bit in range(8)
            if byte & 1 << bit
        ]
        return [f"E-{number:02d}" for number in sorted(found)]

    now = names(raw[6:])
    told = {"faults": " ".join(now), "status_word": raw[6:].hex(" ").upper()}
    if before is not None:
        then = names(before[6:])
        told["appeared"] = " ".join(name for name in now if name not in then)
        told["gone"] = " ".join(name for name in then if name not in now)
    return told


def year_wanted(reading: Reading) -> list[Event]:
    """List the events that daily visits must have found by the last one."""
    two_seals = reading.case.options.get("seals") == "2"
    account = reading.account(reading.last_visit)
    return [
        event
        for ring in rings(account, two_seals=two_seals)
        for event in wanted(ring, two_seals=two_seals)
    ]


def silence_wanted(reading: Reading) -> tuple[list[Event], list[Event]]:
    """List the events that must be found around a silence, and the losses among them.

    The visits after it are daily again, so what is lost is what the first of them no longer found.
    """
    assert reading.case.silence is not None
    first, end = reading.case.silence
    last_before = FIRST + (first - 1) * DAY
    back = FIRST + end * DAY
    before = {ring[0].book: ring for ring in rings(reading.account(last_before), two_seals=False)}
    then = {ring[0].book: ring for ring in rings(reading.account(back), two_seals=False)}
    found: list[Event] = []
    losses: list[Event] = []
    for ring in rings(reading.account(reading.last_visit), two_seals=False):
        book = ring[0].book
        depth = 100 if book >= 0x20 else 10
        known, now = len(before.get(book, [])), len(then.get(book, []))
        if now - known < depth:
            found += wanted(ring, two_seals=False)
            continue
        kept = ring[now - depth :]
        found += wanted(before[book], two_seals=False) if known else []
        found += wanted(kept, two_seals=False)
        oldest = first_of(kept[0])
        told = {"before": oldest.isoformat()}
        if known:
            told["after"] = last_of(before[book][-1]).isoformat()
        losses.append(
            Event(
                f"{book:02X}", "journal_lost", 0, told.get("after", told["before"]),
                told["before"], tuple(sorted(told.items())), "",
            )
        )  # fmt: skip
    return found + losses, losses


def differences(wanted: Sequence[Event], found: Sequence[Event]) -> tuple[int, int]:
    """Count the events that are missing, and those that are too many or differ."""
    ours, theirs = Counter(wanted), Counter(found)
    return sum((ours - theirs).values()), sum((theirs - ours).values())


# -- as a program ------------------------------------------------------------------------------


class SetClock:
    def __init__(self) -> None:
        self.at = FIRST

    def __call__(self) -> datetime:
        return self.at


def opened(database: Path, key: str) -> tuple[Store, SetClock]:
    clock = SetClock()
    return Store.open(f"sqlite:///{database}", keys=[key], clock=clock), clock


def die_at(number: int, when: str) -> None:
    """Die of SIGKILL just before or after the n-th commit."""
    commit, counted = Session.commit, count(1)

    def killed(session: Session) -> None:
        now = next(counted) == number
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(session)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)

    Session.commit = killed


def main(database: str, case: str, days: str, *kill: str) -> None:
    store, clock = opened(Path(database), os.environ["HUB_KEYS"])
    if kill:
        die_at(int(kill[0]), kill[1])
    Reading(CASES[case], store, clock).read(int(days))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
