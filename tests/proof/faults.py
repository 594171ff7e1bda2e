"""A million exchanges of which one in twenty goes wrong, in every way that a line and a meter know.

Virtual meters of all personalities are read by the real collector through the real line and
driver; time is simulated, everything is seeded. Requests and answers are lost, flipped, hit by
bursts, cut in half, late, led by noise, answered from another address, echoed; meters are busy,
slow, refuse, or start anew while they are asked. At the end all that is stored is compared with
what the meters counted: half-hours, registers, events. What has been done is kept, part by part,
under .proof/faults, so that a second start goes on.

    python tests/proof/faults.py N     # the N-th part alone, its outcome as JSON
"""

import gc
import json
import resource
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlmodel import select

from corefast.crc import is_sealed
from hub.store.tables import MeterEvent, RegisterReading
from hub.store.unit import Store
from hub.wire.capture import Exchanged
from hub.wire.faults import Faults
from proof.figures import SCRATCH, Figure
from proof.noise import OUTAGE, Outcome, Trial, Watch, run_trial

FOLDER = SCRATCH / "faults"
GOAL = 1_000_000
SHARE = 0.05  # of exchanges that something happens to
MARK_EVERY = 100_000
WARM = 3  # marks until caches are as large as they get
GROWTH_KB = 16 * 1024
NOW_WITHIN = timedelta(minutes=6)  # a register of now was read at most so long before its instant

RESTLESS = {"scenario": str(Path(__file__).with_suffix(".toml"))}
LINE: Mapping[str, float] = {
    "loss": 0.003,
    "bit": 0.003,
    "damage": 0.0001,
    "burst": 0.005,
    "half": 0.005,
    "late": 0.005,
    "leading_ff": 0.005,
    "address": 0.005,
    "busy": 0.0008,  # and the four asks that follow
}
METER: Mapping[str, str] = {
    "silent": "0.001",
    "refusing": "0.001",
    "misnamed": "0.001",
    "slow": "0.003",
    "restarting": "0.0005",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One run: so many meters of one personality, for so many days."""

    firmware: str
    memory: str
    meters: int
    days: float
    every_minutes: int = 60
    echo: bool = False
    late_by: float = 1.0  # seconds; the line keeps so long away from a meter that was silent
    more: Mapping[str, str] = field(default_factory=dict)

    def trial(self, seed: int) -> Trial:
        options = {"firmware": self.firmware, "memory": self.memory, "outage": OUTAGE}
        return Trial(
            faults=CountedFaults(**LINE, echo=self.echo, late_by=self.late_by, seed=seed),
            meters=self.meters,
            days=self.days,
            every_minutes=self.every_minutes,
            seed=seed,
            options=options | METER | self.more,
            watch=CountingWatch,
            judges=(registers, events),
        )


OLD = Part("2.1.0", "64", meters=20, days=2)
PARTS: tuple[Part, ...] = (
    OLD,
    Part("9.0.0", "131", 10, days=6, every_minutes=30, more=RESTLESS),
    OLD,
    Part("2.1.0", "131", meters=10, days=2, echo=True),
    OLD,
    Part("2.3.4", "131", 10, days=6, every_minutes=30, more=RESTLESS | {"offgrid": "1"}),
    OLD,
    replace(OLD, late_by=2.0),
    Part("7.1.1", "64", 10, days=6, every_minutes=30, more=RESTLESS | {"season": "auto"}),
    OLD,
    OLD,
    OLD,
)


class CountedFaults(Faults):
    """Counts the damaged frames that nevertheless pass the check."""

    def __init__(self, **faults: Any) -> None:
        super().__init__(**faults, witness=self._see)
        self.sealed = 0

    def _see(self, _sent: bytes, received: bytes) -> None:
        self.sealed += is_sealed(received)


class CountingWatch(Watch):
    """Counts the exchanges of this process, and looks at its memory now and then."""

    exchanges: ClassVar[int] = 0
    marks: ClassVar[list[int]] = []

    def exchange(self, item: Exchanged) -> None:
        super().exchange(item)
        if not self.marks:
            self.marks.append(rss_kb())
        type(self).exchanges += 1
        if self.exchanges % MARK_EVERY == 0:
            gc.collect()
            self.marks.append(rss_kb())


def rss_kb() -> int:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


# -- what is stored besides half-hours -----------------------------------------------------------


def registers(
    store: Store, ids: Mapping[int, int], virtual: Mapping[int, Any], out: Outcome
) -> None:
    """Compare the total registers; those of now lie between what the meter had just before."""
    numbers = {meter_id: number for number, meter_id in ids.items()}
    with store.read() as unit:
        for row in unit.session.exec(select(RegisterReading)):
            group, _, tariff = (int(part) for part in row.obis.split("."))
            if group > 4:
                continue
            meter = virtual[numbers[row.meter_id]]
            high = meter.register_wh(row.taken_at, tariff)[group - 1]
            low = high
            if not row.day_start:
                low = meter.register_wh(row.taken_at - NOW_WITHIN, tariff)[group - 1]
            out.compared["registers"] = out.compared.get("registers", 0) + 1
            if high is None or not low <= row.value <= high:
                out.differing["registers"] = out.differing.get("registers", 0) + 1
                out.notes.append(f"register {row} is not {low} to {high}")


def events(store: Store, ids: Mapping[int, int], virtual: Mapping[int, Any], out: Outcome) -> None:
    """Compare the events that come from journals with the records that the meter has written."""
    with store.read() as unit:
        at = unit.now()
        for number, meter_id in ids.items():
            written = {(event.book, event.raw) for event in virtual[number].journal(at)}
            began = {(event.book, event.began) for event in virtual[number].journal(at)}
            query = select(MeterEvent).where(
                MeterEvent.meter_id == meter_id,
                MeterEvent.source == "meter",
                MeterEvent.kind != "journal_lost",
            )
            for row in unit.session.exec(query):
                out.compared["events"] = out.compared.get("events", 0) + 1
                book = int(row.book, 16)
                if (book, row.raw) not in written and not any(
                    each == book and row.began_face.startswith(face.isoformat())
                    for each, face in began
                ):
                    out.differing["events"] = out.differing.get("events", 0) + 1
                    out.notes.append(f"event {row} was never written")


# -- the parts -----------------------------------------------------------------------------------


def one_part(number: int) -> dict[str, Any]:
    """Run a part; what came of it, without the lists."""
    trial = PARTS[number].trial(seed=1000 + number)
    faults = trial.faults
    assert isinstance(faults, CountedFaults)
    with tempfile.TemporaryDirectory() as place:
        out = run_trial(trial, Path(place))
    found = asdict(out) | {"sealed": faults.sealed}
    found["accepted"] = found.pop("passed")
    return found


def figures() -> Iterator[Figure]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for number in range(len(PARTS)):
        path = FOLDER / f"{number}.json"
        if not path.exists():
            found = one_part(number) | {"marks": list(CountingWatch.marks)}
            path.write_text(json.dumps(found, ensure_ascii=False))
            print(f"  part {number}: {found['asks']:,} asks, {found['took_s']} s", flush=True)
        outcomes.append(json.loads(path.read_text()))
    yield from _figures(outcomes)
    for path in FOLDER.glob("*.json"):
        path.unlink()


def _figures(outcomes: list[dict[str, Any]]) -> Iterator[Figure]:
    def total(name: str) -> int:
        return sum(int(each[name]) for each in outcomes)

    def kinds(name: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in outcomes:
            for kind, count in each[name].items():
                found[kind] = found.get(kind, 0) + count
        return found

    asks, faulty = total("asks"), total("faulty")
    yield Figure(
        "exchanges with faults",
        f"{asks:,} exchanges, {faulty:,} ({faulty / asks:.1%}) faulty; {total('visits'):,} visits, "
        f"{total('failed_visits'):,} of them failed; no hang",
        f"{GOAL:,}, at least {SHARE:.0%} faulty",
        asks >= GOAL and faulty >= SHARE * asks,
    )
    counts = kinds("counts")
    carried = counts.pop("carried")
    yield Figure(
        "faults by kind",
        f"of {carried:,} frames " + ", ".join(f"{kind} {n:,}" for kind, n in counts.items()),
        "every kind",
        all(counts.values()),
    )
    accepted = sum(len(each["accepted"]) for each in outcomes)
    yield Figure(
        "damaged frames that passed the CRC",
        f"{total('sealed')} of {total('damaged'):,}; answers taken that the meter did not give "
        f"to what was asked: {accepted}",
    )
    compared, differing = kinds("compared"), kinds("differing")
    yield Figure(
        "wrong values stored as measured",
        f"{total('wrong')} of {total('stored'):,} half-hours, "
        + ", ".join(f"{differing.get(kind, 0)} of {n:,} {kind}" for kind, n in compared.items()),
        "0",
        total("wrong") == 0 and not any(differing.values()),
    )
    yield Figure(
        "half-hours missing",
        f"{total('missing')} of {total('due'):,} ({total('overwritten')} left the ring before "
        f"their first reading); {total('revised')} revised, {total('in_doubt')} balances in doubt",
        "0",
        total("missing") == 0,
    )
    marks = max((each["marks"] for each in outcomes), key=len)
    warm = marks[min(WARM, len(marks) - 1)]
    yield Figure(
        "memory at the start and after each 100,000 exchanges",
        ", ".join(f"{mark / 1024:.0f}" for mark in marks) + " MB in one process",
        f"at most {GROWTH_KB // 1024} MB more than after the first {WARM}00,000",
        marks[-1] - warm <= GROWTH_KB,
    )


if __name__ == "__main__":
    json.dump(one_part(int(sys.argv[1])), sys.stdout, indent=1, ensure_ascii=False)
