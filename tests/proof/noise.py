"""A virtual month of meters on bad lines, read by the real collector through the real driver.

Time is simulated, everything is seeded. What the store holds at the end is compared, slot by
slot, with what the virtual meters' load model computed; every accepted answer is compared with
the one that the meter gave to the request as it was meant.

    python tests/proof/noise.py frames|bytes     # one line, its outcome as JSON
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from structlog.testing import capture_logs
from virtual_time import run_virtual, virtual_line, virtual_now

from hub.collector.loop import CollectorSettings, collect
from hub.domain.calendar import minute_of
from hub.domain.series import NO_VALUE
from hub.plugins.api import SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.plugins.mercury234.simulator import VirtualLine
from hub.services.meters import add_meter
from hub.store import meters as meters_store
from hub.store import series
from hub.store.blocks import DAY_MINUTES
from hub.store.secrets import new_key
from hub.store.unit import Store
from hub.wire.capture import Exchanged
from hub.wire.faults import FaultCounts, Faults
from proof.figures import Figure

START = datetime(2026, 10, 25, 9, 7, 31, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
GRACE = timedelta(hours=3)  # for the last half-hours of the span to be asked for again
BASE = timedelta(minutes=180)
SUMMER_HOUR = timedelta(hours=1)
OUTAGE = "2026-11-03T10:00/2026-11-03T15:10"
LINES: dict[str, dict[str, float]] = {
    "frames": {"loss": 0.01, "bit": 0.01},
    "bytes": {"damage": 0.01},
}
WORDS = {
    "frames": "1 % of frames lost and 1 % damaged",
    "bytes": "1 % of bytes damaged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to run. ``every_minutes`` between visits to a meter."""

    faults: Mapping[str, float] | Faults
    meters: int = 10
    days: float = 30
    every_minutes: int = 60
    seed: int = 2
    options: Mapping[str, str] = field(default_factory=lambda: {"outage": OUTAGE})
    watch: "type[Watch] | None" = None
    judges: Sequence["Judge"] = ()  # of what else the store holds


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    due: int = 0  # half-hours that the meters wrote and still had when they were first asked
    stored: int = 0
    missing: int = 0
    wrong: int = 0  # stored as measured, and not what the meter had
    revised: int = 0  # slots that were wrong at first, and put right by a second reading
    overwritten: int = 0  # the ring went on while it was read for the first time
    asks: int = 0
    repeats: int = 0
    timeouts: int = 0
    garbled: int = 0
    line_hours: float = 0.0
    damaged: int = 0  # frames, requests and answers
    lost: int = 0
    passed: list[str] = field(default_factory=list)  # accepted, and not what the meter said
    in_doubt: int = 0  # balance checks that failed at the end
    failed_visits: int = 0
    visits: int = 0
    first_read_hours: float = 0.0
    took_s: float = 0.0
    faulty: int = 0  # exchanges that something happened to
    compared: dict[str, int] = field(default_factory=dict)  # what else is stored
    differing: dict[str, int] = field(default_factory=dict)  # and is not the meter's
    counts: dict[str, int] = field(default_factory=dict)  # of the faults
    notes: list[str] = field(default_factory=list)


KINDS = {each.name for each in fields(FaultCounts)} - {"carried"}
Judge = Callable[[Store, Mapping[int, int], Mapping[int, Any], "Outcome"], None]


class Watch:
    """Between line and meters: knows what each answer should have been.

    It is the simulator that the line's link speaks to and the line's log at once.
    """

    def __init__(self, simulator: VirtualLine, faults: Faults) -> None:
        self.simulator = simulator
        self.faults = faults
        self.heard = b""
        self.answers: list[bytes] = []
        self.told: dict[str, tuple[bytes, bool]] = {}  # by meter: last request, did it fail
        self.verdicts: Counter[str] = Counter()
        self.repeats = 0
        self.seconds = 0.0
        self.faulty = 0
        self.happened = 0
        self.passed: list[str] = []

    def receive(self, data: bytes, now: datetime) -> Any:
        answers = self.simulator.receive(data, now)
        self.heard, self.answers = data, [frame for _, frame in answers]
        return answers

    def note(self, *_: object) -> None:
        """Openings of the line and stray bytes are no exchanges."""

    def flush(self) -> None:
        """There is no file."""

    def exchange(self, item: Exchanged) -> None:
        self.verdicts[item.verdict] += 1
        happened = sum(getattr(self.faults.counts, kind) for kind in KINDS)
        self.faulty += happened != self.happened or bool(item.verdict)
        self.happened = happened
        self.seconds += item.seconds
        before = self.told.get(item.key)
        self.repeats += before == (item.request, True)
        self.told[item.key] = (item.request, bool(item.verdict))
        if item.verdict:
            return
        meant = self.heard == item.request
        # Behind the answer there may stand a late one to another meter.
        if not (meant and self.answers and self.answers[0] in item.received):
            said = " ".join(answer.hex() for answer in self.answers)
            self.passed.append(
                f"asked {item.request.hex()}, heard {self.heard.hex()}, "
                f"said {said}, came {item.received.hex()}"
            )


def run_trial(trial: Trial, folder: Path) -> Outcome:
    """Run a trial with its database in ``folder``."""
    with capture_logs() as lines:
        outcome = run_virtual(_run(trial, folder), START)
    outcome.visits = sum(line["event"] == "visit" for line in lines)
    outcome.failed_visits = sum(line["event"] == "visit_failed" for line in lines)
    return outcome


async def _run(trial: Trial, folder: Path) -> Outcome:
    began = time.monotonic()
    random.seed(trial.seed)  # the luck of backoff
    store = Store.open(f"sqlite:///{folder}/hub.sqlite", keys=[new_key()], clock=virtual_now)
    try:
        store.upgrade()
        asked = SimulatorSettings(meters=trial.meters, seed=trial.seed, options=trial.options)
        faults = trial.faults
        if not isinstance(faults, Faults):
            faults = Faults(**faults, seed=trial.seed)  # type: ignore[arg-type]
        watch = (trial.watch or Watch)(VirtualLine(asked, START), faults)
        open_link, address = virtual_line(watch, faults=faults)  # type: ignore[arg-type]
        ids = {
            number: add_meter(
                store,
                line=str(address),
                driver="mercury234",
                settings=json.dumps({"address": number}),
            )
            for number in range(1, trial.meters + 1)
        }
        with store.write() as unit:
            for meter_id in ids.values():
                meters_store.state(unit, meter_id).every_minutes = trial.every_minutes
        ends = START + timedelta(days=trial.days)
        outcome = Outcome()
        settings = CollectorSettings(
            open_link=open_link,
            now=virtual_now,
            wire_log=watch,  # type: ignore[arg-type]
            look_every_s=900,
        )
        await _collect(store, settings, ids, ends + GRACE, outcome)
        virtual = watch.simulator.meters
        _judge(store, ids, virtual, ends, outcome)
        for judge in trial.judges:
            judge(store, ids, virtual, outcome)
    finally:
        store.close()
    outcome.asks = sum(watch.verdicts.values())
    outcome.repeats = watch.repeats
    outcome.timeouts, outcome.garbled = watch.verdicts["timeout"], watch.verdicts["garbled"]
    outcome.line_hours = round(watch.seconds / 3600, 2)
    outcome.damaged, outcome.lost = faults.counts.damaged, faults.counts.lost
    outcome.passed = watch.passed
    outcome.counts = asdict(faults.counts)
    outcome.faulty = watch.faulty
    outcome.took_s = round(time.monotonic() - began, 1)
    return outcome


async def _collect(
    store: Store, settings: CollectorSettings, ids: Mapping[int, int], until: datetime,
    outcome: Outcome,
) -> None:  # fmt: skip
    stop = asyncio.Event()

    async def look() -> None:
        while virtual_now() < until:
            await asyncio.sleep(600)
            if not outcome.first_read_hours and _all_read(store, ids):
                outcome.first_read_hours = round((virtual_now() - START) / timedelta(hours=1), 1)
        stop.set()

    looking = asyncio.create_task(look())
    ended = await collect(store, load_plugins(), settings, stop=stop)
    outcome.notes = [f"{who}: {what}" for who, what in sorted(ended.failed.items())]
    await looking


def _all_read(store: Store, ids: Mapping[int, int]) -> bool:
    with store.read() as unit:
        return all(meters_store.state(unit, each).profile_done for each in ids.values())


def _judge(
    store: Store, ids: Mapping[int, int], virtual: Mapping[int, Any], ends: datetime, out: Outcome
) -> None:
    """Compare the store with the load model, slot by slot."""
    with store.read() as unit:
        for number, meter_id in ids.items():
            meter = virtual[number]
            held = _held(unit, meter_id)
            first = min(held, default=0)
            oldest, _ = meter.kept(START)
            face = meter.face(ends)
            for slot in meter.truth(oldest, face):
                if slot.counts is None:
                    continue
                end = slot.end if slot.winter else slot.end - SUMMER_HOUR
                minute = minute_of((end - BASE - HALF_HOUR).replace(tzinfo=UTC))
                got = held.pop(minute, None)
                if got is None and minute < first:
                    out.overwritten += 1
                    continue
                out.due += 1
                if got is None:
                    out.missing += 1
                    continue
                out.stored += 1
                if got[0] != tuple(count for count in slot.counts if count is not None):
                    out.wrong += not got[1] & ~2
                    out.notes.append(f"wrong: meter {number} {slot} {got}")
            last = minute_of((face - BASE).replace(tzinfo=UTC))
            for minute in held:
                if minute + 30 <= last:
                    out.wrong += 1
                    out.notes.append(f"meter {number} never wrote {minute}: {held[minute]}")
        cursor = unit.cursor()
        cursor.execute("SELECT count(*) FROM revision")
        out.revised = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM balance_check WHERE state = 'in_doubt'")
        out.in_doubt = cursor.fetchone()[0]


def _held(unit: Any, meter_id: int) -> dict[int, tuple[tuple[int, ...], int]]:
    """All that is stored of a meter: minute of the start -> counts and flags."""
    found: dict[int, tuple[tuple[int, ...], int]] = {}
    for item in series.of_meter(unit, meter_id):
        cursor = unit.cursor()
        cursor.execute("SELECT min(day), max(day) FROM block WHERE series_id = ?", (item.id,))
        low, high = cursor.fetchone()
        days = series.days_of(unit, item, (low * DAY_MINUTES, (high + 1) * DAY_MINUTES))
        values = days.values.tolist()
        for day, flags in enumerate(days.flags.tolist()):
            for place, flag in enumerate(flags):
                if not flag & NO_VALUE:
                    minute = (low + day) * DAY_MINUTES + place * item.key.shape.minutes
                    found[minute] = (tuple(values[day][place]), flag)
    return found


def one_line(name: str) -> Outcome:
    """The month over one of the lines."""
    with tempfile.TemporaryDirectory() as folder:
        return run_trial(Trial(faults=LINES[name]), Path(folder))


def figures() -> Iterable[Figure]:
    """Each line in a process of its own."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name, outcome in zip(LINES, pool.map(one_line, LINES), strict=True):
            yield from _figures(WORDS[name], outcome)


def _figures(line: str, out: Outcome) -> Iterable[Figure]:
    yield Figure(
        f"half-hours missing, {line}",
        f"{out.missing} of {out.due:,} ({out.overwritten} left the ring before its first reading)",
        "0",
        out.missing == 0 and out.due > 0,
    )
    yield Figure(f"wrong values stored as measured, {line}", str(out.wrong), "0", out.wrong == 0)
    yield Figure(
        f"asks and repeats, {line}",
        f"{out.asks:,} asks, {out.repeats:,} of them repeats; {out.timeouts:,} unanswered, "
        f"{out.garbled:,} garbled",
    )
    yield Figure(
        f"line time of the month, {line}",
        f"{out.line_hours} h at 9600 baud; history read after {out.first_read_hours} h",
    )
    yield Figure(
        f"damaged frames that passed the CRC, {line}",
        f"{len(out.passed)} of {out.damaged:,} damaged ({out.lost:,} lost); "
        f"{out.revised} slots revised, {out.in_doubt} balance checks in doubt",
    )


if __name__ == "__main__":
    trial = Trial(
        faults=LINES[sys.argv[1]],
        meters=int(sys.argv[2]) if len(sys.argv) > 2 else 10,
        days=float(sys.argv[3]) if len(sys.argv) > 3 else 30,
    )
    with tempfile.TemporaryDirectory() as place:
        json.dump(asdict(run_trial(trial, Path(place))), sys.stdout, indent=1, ensure_ascii=False)
