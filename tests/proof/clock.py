"""Clocks that are wrong, kept right by a utility's policy: collector, driver and virtual meters.

Time is simulated. A meter 600 s fast is brought right by steps of the meter's own daily allowance,
in the hours that the policy gives; one that is 20 minutes slow is left alone until somebody orders
its clock to be set. What the meter's clock really shows is asked of the simulator, and every
half-hour that the store has is compared with the load model, marks included.
"""

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from sqlmodel import select
from structlog.testing import capture_logs
from virtual_time import run_virtual, virtual_line, virtual_now

from hub.collector.loop import CollectorSettings, collect
from hub.domain.calendar import minute_of
from hub.domain.consent import Act
from hub.domain.series import NO_VALUE, PARTIAL
from hub.plugins.api import SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.plugins.mercury234.simulator import VirtualLine, VirtualMeter
from hub.services import clock_discipline, orders, places
from hub.services.clock_discipline import DriftRow
from hub.services.orders import Order, State
from hub.store import meters as meters_store
from hub.store import series
from hub.store.blocks import DAY_MINUTES
from hub.store.secrets import new_key
from hub.store.tables import MeterEvent, Supplier
from hub.store.unit import Store
from proof.figures import Figure

START = datetime(2026, 11, 10, 9, 7, 31, tzinfo=UTC)
SINCE = "2026-11-08"  # the meter's first day: a short history is read quickly
BASE = timedelta(minutes=180)
HALF = timedelta(minutes=30)
GRACE = timedelta(hours=2)
HOURS = (1, 5)  # of the point's day
ALLOWANCE_S = 240
RIGHT_S = 2
FIRMWARES = ("9.0.0", "2.3.4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to run. ``set_after_days``: when somebody orders the clock to be set."""

    fast_s: int
    days: float = 3
    set_after_days: float | None = None
    every_minutes: int = 30
    firmware: str = "9.0.0"


@dataclass(slots=True)
class Outcome:
    """What came of it. ``errors_s``: how far the clock was off, by the simulator, each midnight."""

    errors_s: list[int] = field(default_factory=list)
    before_set_s: int | None = None
    orders: list[Order] = field(default_factory=list)
    drifts: list[DriftRow] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    hours: set[int] = field(default_factory=set)  # of the point's day, in which the clock was moved
    slots: int = 0
    wrong: int = 0  # other counts than the meter had
    marked: int = 0  # partial, as the meter has them
    unmarked: int = 0  # the clock moved in them, and nothing says so
    over_marked: int = 0  # marked, and nothing happened
    missing: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[float]:
        """Corrections that were sent, in seconds, oldest first."""
        return [
            float(one.parameters["shift_s"])
            for one in reversed(self.orders)
            if one.act is Act.CORRECT_CLOCK and one.spent_at
        ]


def run_trial(trial: Trial, folder: Path) -> Outcome:
    """Run a trial with its database in ``folder``."""
    with capture_logs() as lines:
        outcome = run_virtual(_run(trial, folder), START)
    outcome.failed += [line["text"] for line in lines if line["event"] == "visit_failed"]
    return outcome


async def _run(trial: Trial, folder: Path) -> Outcome:
    random.seed(1)
    store = Store.open(f"sqlite:///{folder}/hub.sqlite", keys=[new_key()], clock=virtual_now)
    out = Outcome()
    try:
        store.upgrade()
        asked = SimulatorSettings(
            meters=1,
            seed=3,
            options={"since": SINCE, "drift": str(trial.fast_s), "firmware": trial.firmware},
        )
        line = VirtualLine(asked, START)
        open_link, address = virtual_line(line)  # type: ignore[arg-type]
        meter_id = _set_up(store, str(address), trial.every_minutes)
        settings = CollectorSettings(open_link=open_link, now=virtual_now, look_every_s=60)
        stop = asyncio.Event()
        working = asyncio.create_task(collect(store, load_plugins(), settings, stop=stop))
        virtual = line.meters[1]
        await _watch(trial, store, meter_id, virtual, out)
        ends = virtual_now()
        await asyncio.sleep(GRACE.total_seconds())
        stop.set()
        ended = await working
        out.failed += [f"{who}: {what}" for who, what in ended.failed.items()]
        out.errors_s.append(virtual.clock_error_s(virtual_now()))
        out.orders = orders.listed(store, meter_id)
        out.drifts = clock_discipline.series(store, meter_id)
        out.hours = {(one.spent_at + BASE).hour for one in out.orders if one.spent_at is not None}
        with store.read() as unit:
            out.events = Counter(row.kind for row in unit.session.exec(select(MeterEvent)))
        _compare(store, meter_id, virtual, ends, out)
    finally:
        store.close()
    return out


def _set_up(store: Store, address: str, every_minutes: int) -> int:
    with store.write() as unit:
        supplier = Supplier(connector="house", title="House", created_at=unit.now())
        unit.session.add(supplier)
        unit.session.flush()
        supplier_id = supplier.id or 0
    _, meter_id = places.set_up(
        store,
        places.NewPlace(
            supplier_id=supplier_id,
            number="1",
            name="Point",
            time_zone="Europe/Moscow",
            installed_at=START - timedelta(days=30),
            meter=places.NewMeter(
                line=address, driver="mercury234", settings=json.dumps({"address": 1})
            ),
        ),
    )
    clock_discipline.set_policy(
        store, supplier_id, actor="proof", enabled=True, threshold_s=RIGHT_S,
        from_hour=HOURS[0], to_hour=HOURS[1],
    )  # fmt: skip
    with store.write() as unit:
        meters_store.state(unit, meter_id).every_minutes = every_minutes
    return meter_id


async def _watch(
    trial: Trial, store: Store, meter_id: int, virtual: VirtualMeter, out: Outcome
) -> None:
    """Note each midnight how far the clock is off; give the order when its time has come."""
    day = 0.0
    while day < trial.days:
        out.errors_s.append(virtual.clock_error_s(virtual_now()))
        if trial.set_after_days == day:
            out.before_set_s = out.errors_s[-1]
            orders.give(
                store, meter_id, Act.SET_CLOCK, {}, actor="proof", reason="twenty minutes slow",
                until=virtual_now() + timedelta(hours=1),
            )  # fmt: skip
        await asyncio.sleep(timedelta(days=1).total_seconds())
        day += 1


def _compare(
    store: Store, meter_id: int, virtual: VirtualMeter, ends: datetime, out: Outcome
) -> None:
    """Compare the half-hours that the store has with the load model."""
    held = _held(store, meter_id)
    oldest, _ = virtual.kept(START)
    for slot in virtual.truth(oldest, virtual.face(ends)):
        if slot.counts is None:
            continue
        got = held.get(minute_of((slot.end - BASE - HALF).replace(tzinfo=UTC)))
        if got is None:
            out.missing += 1
            continue
        out.slots += 1
        out.wrong += got[0] != tuple(count for count in slot.counts if count is not None)
        is_marked = bool(got[1] & PARTIAL)
        out.marked += is_marked and slot.partial
        out.unmarked += slot.partial and not is_marked
        out.over_marked += is_marked and not slot.partial


def _held(store: Store, meter_id: int) -> dict[int, tuple[tuple[int, ...], int]]:
    """All that is stored of a meter: minute of the start -> counts and flags."""
    found: dict[int, tuple[tuple[int, ...], int]] = {}
    with store.read() as unit:
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


def figures() -> Iterable[Figure]:
    """Both clocks, in meters of two generations."""
    fast = [Trial(fast_s=600, firmware=firmware) for firmware in FIRMWARES]
    slow = [
        Trial(fast_s=-1200, days=4, set_after_days=3, firmware=firmware) for firmware in FIRMWARES
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for trial, out in zip(fast + slow, pool.map(_trial, fast + slow), strict=True):
            yield from (_fast if trial in fast else _slow)(out, trial.firmware)


def _trial(trial: Trial) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return run_trial(trial, Path(folder))


def _fast(out: Outcome, firmware: str) -> Iterable[Figure]:
    told = ", ".join(f"{step:+g}" for step in out.steps)
    yield Figure(
        f"a clock 600 s fast after three days, firmware {firmware}",
        f"{out.errors_s[-1]:+d} s; by midnights {out.errors_s}",
        f"within {RIGHT_S} s",
        abs(out.errors_s[-1]) <= RIGHT_S,
    )
    yield Figure(
        f"its steps, firmware {firmware}",
        f"{told} s, in the hours {sorted(out.hours)}",
        f"three, at most {ALLOWANCE_S} s each, from {HOURS[0]} to {HOURS[1]} o'clock",
        len(out.steps) == 3
        and max(map(abs, out.steps)) <= ALLOWANCE_S
        and out.hours <= set(range(*HOURS)),
    )
    yield _marks("it", out, firmware)


def _slow(out: Outcome, firmware: str) -> Iterable[Figure]:
    yield Figure(
        f"a clock 20 minutes slow after three days of the policy, firmware {firmware}",
        f"{out.before_set_s:+d} s, {len(out.steps)} corrections sent, "
        f"{out.events['clock_correction_refused']} refusal noted",
        "left alone, refused once",
        out.before_set_s == -1200 and not out.steps and out.events["clock_correction_refused"] == 1,
    )
    ordered = [one for one in out.orders if one.act is Act.SET_CLOCK]
    yield Figure(
        f"the same clock after an explicit order, firmware {firmware}",
        f"{out.errors_s[-1]:+d} s, order {ordered[0].state}",
        f"within {RIGHT_S} s, confirmed",
        abs(out.errors_s[-1]) <= RIGHT_S and ordered[0].state is State.CONFIRMED,
    )
    yield _marks("it, set", out, firmware)


def _marks(what: str, out: Outcome, firmware: str) -> Figure:
    return Figure(
        f"half-hours around {what}, firmware {firmware}",
        f"{out.marked} marked of {out.slots}; {out.unmarked} that should be and are not, "
        f"{out.over_marked} that should not; {out.wrong} wrong, {out.missing} missing",
        "all that the clock moved in are marked, none is wrong",
        out.marked > 0 and not (out.unmarked or out.wrong or out.missing),
    )
