"""What ``hub meter read`` prints equals what the virtual meter computed, count by count.

Real processes: ``hub simulate`` and ``hub meter read``, over TCP or a pty, on good lines and bad
ones. The truth is computed in this process from the same settings, never from encoded bytes.
"""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.plugins.api import Channel, SimulatorSettings
from hub.plugins.mercury234.simulator import VirtualMeter, truth
from proof.figures import Figure

NOW = datetime.fromisoformat("2026-11-24T12:07:31+03:00")
OUTAGE = "2026-11-03T10:00/2026-11-03T15:10"  # five hours and a bit of the meter's face
SEED = 11
ADDRESS = 2
LONGEST_S = 900
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
AT_ONCE = 12

# What each fault leaves time for: the whole ring, or days of the face.
FAULTS: Mapping[str, tuple[str, str] | None] = {
    "": None,
    "loss=0.01": ("2026-10-28", "2026-11-12"),
    "bit=0.01": ("2026-10-28", "2026-11-12"),
    "damage=0.001": ("2026-10-28", "2026-11-12"),
    "damage=0.01": ("2026-11-02", "2026-11-05"),
}
METERS = ({"directions": "2", "constant": "1000"}, {"directions": "1", "constant": "5000"})

# Arrays of the protocol paper by the period that the hub calls them.
FIXED = {"of:year:1": 0x2, "of:day:1": 0x5, "at:year:0": 0x9, "at:year:1": 0xA, "at:day:0": 0xC,
         "at:day:1": 0xD}  # fmt: skip
GROWING = {"now": 0x0, "of:year:0": 0x1, "of:day:0": 0x4}
OBIS = ("1", "2", "3", "4")


def hub(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hub", *arguments]


class Served:
    """Virtual meters at 1 and 2 in a process of their own; the one at 2 is read."""

    def __init__(
        self,
        options: Mapping[str, str],
        faults: Iterable[str] = (),
        *,
        pty: bool = False,
        now: datetime | None = NOW,
    ) -> None:
        self.options = dict(options)
        given = [f"--option={name}={value}" for name, value in options.items()]
        given += [f"--fault={fault}" for fault in faults]
        given += ["--serial"] if pty else ["--listen=tcp://127.0.0.1:0"]
        given += [f"--now={now.isoformat()}"] if now else []
        self.process = subprocess.Popen(
            hub("simulate", "mercury234", "--meters=2", f"--seed={SEED}", *given),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN,
        )  # fmt: skip
        assert self.process.stdout is not None
        ready = self.process.stdout.readline().split()
        if not ready:
            raise RuntimeError(self.process.communicate()[1])
        self.line = ready[1]

    def asked(self, what: str, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            hub("meter", "read", self.line, what, "--driver=mercury234", f"--address={ADDRESS}",
                "--password=111111", "--json", *options),
            capture_output=True, text=True, env=CLEAN, check=False, timeout=LONGEST_S,
        )  # fmt: skip

    def read(self, what: str, *options: str) -> Any:
        done = self.asked(what, *options)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    @property
    def meter(self) -> VirtualMeter:
        return truth(SimulatorSettings(meters=2, seed=SEED, options=self.options), NOW)[ADDRESS]

    def stop(self) -> None:
        self.process.terminate()
        errors = self.process.communicate(timeout=30)[1]
        assert (self.process.returncode, errors) == (0, "")


def rows(profile: Mapping[str, Any]) -> list[tuple[datetime, tuple[int | None, ...]]]:
    """Ends and counts as read."""
    return [
        (
            datetime.fromisoformat(slot["start"]) + timedelta(minutes=slot["minutes"]),
            tuple(slot["counts"][channel.value] for channel in Channel),
        )
        for slot in profile["slots"]
    ]


def computed(
    meter: VirtualMeter, since: datetime | None = None, until: datetime | None = None
) -> list[tuple[datetime, tuple[int | None, ...]]]:
    """The same, as the virtual meter has it; slots of an outage were never written."""
    first, last = meter.kept(NOW)
    return [
        (slot.end, tuple(slot.counts))
        for slot in meter.truth(max(first, since or first), min(last, until or last))
        if slot.counts is not None
    ]


def month_array(period: str) -> tuple[int, int] | None:
    """Array and month of a monthly period; None: it is the running month, or no month's."""
    which, _, name = period.partition(":month:")
    if not name:
        return None
    month = int(name[5:])
    if which == "at":
        return 0xB, month
    return None if name == f"{NOW:%Y-%m}" else (0x3, month)


def wrong_registers(meter: VirtualMeter, read: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the registers that differ from the load model; growing ones may have gone on."""
    wrong = []
    later = NOW + timedelta(seconds=LONGEST_S)
    for each in read:
        group, _, tariff = each["obis"].split(".")
        if group not in OBIS:
            continue  # phases are no registers of the load model
        column, period, value = OBIS.index(group), each["period"], each["value"]
        place = (FIXED[period], 0) if period in FIXED else month_array(period)
        if place is not None:
            array, month = place
            due = meter.register_wh(NOW, int(tariff), array=array, month=month)[column]
            good = value == due
        else:
            array = GROWING.get(period, 0x3)
            month = NOW.month if array == 0x3 else 0
            low, high = (
                meter.register_wh(at, int(tariff), array=array, month=month)[column]
                for at in (NOW, later)
            )
            good = low is not None and high is not None and low <= value <= high
        if not good:
            wrong.append(f"{each['obis']} {period}: {value}")
    return wrong


@dataclass(frozen=True, slots=True)
class Case:
    """One combination."""

    firmware: str
    memory: str
    pty: bool
    meter: Mapping[str, str]
    fault: str


@dataclass(slots=True)
class Found:
    """What one combination gave."""

    case: Case
    compared: int = 0
    differing: int = 0
    registers: int = 0
    wrong: tuple[str, ...] = ()
    failed: str = ""


def compare(case: Case) -> Found:
    """Read all of a meter and compare it with the load model."""
    found = Found(case)
    options = {"firmware": case.firmware, "memory": case.memory, "outage": OUTAGE, **case.meter}
    served = Served(options, [case.fault, "seed=5"] if case.fault else [], pty=case.pty)
    try:
        _compare(served, case, found)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        found.failed = str(error)
    finally:
        served.stop()
    return found


def _compare(served: Served, case: Case, found: Found) -> None:
    meter = served.meter
    span = FAULTS[case.fault]
    asked = [] if span is None else [f"--since={span[0]}", f"--until={span[1]}"]
    wanted = [] if span is None else [datetime.fromisoformat(edge) for edge in span]
    profile = served.read("profile", *asked)
    read, due = rows(profile), computed(meter, *wanted)
    found.compared = len(due)
    found.differing = len(set(read) ^ set(due)) + (len(read) != len(set(read)))
    scale = {"1000": "500", "5000": "100"}[case.meter["constant"]]
    assert profile["milliwatt_hours_per_count"] == scale
    registers = served.read("registers")["registers"]
    found.registers = len(registers)
    found.wrong = tuple(wrong_registers(meter, registers))
    identity = served.read("identity")
    assert (identity["serial"], identity["firmware"]) == (meter.serial, case.firmware)
    assert identity["imp_per_kwh"] == int(case.meter["constant"])
    shown = datetime.fromisoformat(served.read("clock")["shown"])
    assert timedelta(0) <= shown - meter.face(NOW) < timedelta(seconds=LONGEST_S)


def cases() -> list[Case]:
    """All but one: each kind of meter goes with half of the memories and links."""
    return [
        Case(firmware, memory, pty, METERS[(memory == "64") ^ pty], fault)
        for firmware, memory, pty, fault in itertools.product(
            ("2.3.4", "9.0.0"), ("131", "64"), (False, True), FAULTS
        )
    ]


def figures() -> Iterable[Figure]:
    """All combinations, several at a time: they wait for virtual meters most of the time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(compare, cases()))
    for each in found:
        if each.failed or each.differing or each.wrong:
            sys.stderr.write(f"{each}\n")
    compared = sum(each.compared for each in found)
    differing = sum(each.differing for each in found)
    yield Figure("half-hours compared", f"{compared:,} in {len(found)} combinations")
    yield Figure("half-hours that differ", str(differing), "0", differing == 0 and compared > 0)
    wrong = sum(len(each.wrong) for each in found)
    registers = sum(each.registers for each in found)
    yield Figure(
        "registers that differ", f"{wrong} of {registers:,}", "0", wrong == 0 and registers > 0
    )
    failed = sum(bool(each.failed) for each in found)
    yield Figure("combinations that could not be read", str(failed), "0", failed == 0)
