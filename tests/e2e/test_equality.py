"""What ``hub meter read`` prints is what the virtual meter computed, count by count.

Two real processes and a line between them. All combinations are in the proof ``equality``.
"""

from datetime import datetime, timedelta

import pytest
from proof.equality import NOW, OUTAGE, Served, computed, rows, wrong_registers

pytestmark = pytest.mark.e2e


@pytest.fixture
def served():
    started = []

    def start(*faults, pty=False, now=NOW, **options):
        started.append(Served(options, faults, pty=pty, now=now))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.parametrize(
    ("pty", "options"),
    [
        (True, {"firmware": "2.3.4", "memory": "64", "directions": "1", "constant": "5000"}),
        (False, {"firmware": "9.0.0", "memory": "64", "directions": "2", "constant": "1000"}),
    ],
)
def test_full_ring_is_read_to_the_count(served, pty, options):
    line = served(pty=pty, outage=OUTAGE, turnaround_ms="1", **options)
    profile = line.read("profile")
    assert rows(profile) == computed(line.meter)
    assert len(profile["slots"]) > 4000  # the whole ring, which has turned over
    assert profile["milliwatt_hours_per_count"] == {"1000": "500", "5000": "100"}[
        options["constant"]
    ]  # fmt: skip


@pytest.mark.parametrize("firmware", ["2.3.4", "9.0.0"])
def test_outage_is_a_gap_and_nothing_else(served, firmware):
    line = served(firmware=firmware, memory="131", outage=OUTAGE)
    profile = line.read("profile", "--since=2026-11-01", "--until=2026-11-10")
    expected = computed(line.meter, datetime(2026, 11, 1), datetime(2026, 11, 10))
    assert rows(profile) == expected
    missing = 9 * 48 - len(expected)
    assert missing in (9, 10)  # whole half-hours without power
    (gap,) = profile["gaps"]
    span = datetime.fromisoformat(gap["to"]) - datetime.fromisoformat(gap["from"])
    assert span == missing * timedelta(minutes=30)
    assert all("partial" in slot["flags"] for slot in profile["slots"] if slot["start"].startswith(
        "2026-11-03T15:00"))  # fmt: skip


@pytest.mark.parametrize(
    ("firmware", "fault"),
    [
        ("2.3.4", "loss=0.01"),
        ("9.0.0", "bit=0.01"),
        ("2.3.4", "damage=0.001"),
        ("9.0.0", "damage=0.001"),
    ],
)
def test_noise_costs_time_and_no_count(served, firmware, fault):
    line = served(fault, "seed=3", firmware=firmware, outage=OUTAGE)
    since, until = datetime(2026, 11, 2), datetime(2026, 11, 5)
    profile = line.read("profile", f"--since={since}", f"--until={until}")
    assert rows(profile) == computed(line.meter, since, until)


def test_registers_are_the_computed_ones(served):
    line = served(tariffs="3")
    read = line.read("registers")["registers"]
    assert wrong_registers(line.meter, read) == []
    assert {"now", "at:day:0", "at:day:1", "of:day:1", "at:month:2026-03", "of:month:2026-10"} <= {
        each["period"] for each in read if each["obis"] == "2.8.3"
    }


def test_identity_and_clock_are_the_meters(served):
    line = served(firmware="2.3.4")
    identity = line.read("identity")
    assert identity["serial"] == line.meter.serial
    assert (identity["maker"], identity["firmware"]) == ("Incotex", "2.3.4")
    shown = datetime.fromisoformat(line.read("clock")["shown"])
    assert timedelta(0) <= shown - line.meter.face(NOW) < timedelta(minutes=2)


@pytest.mark.parametrize("drift", [0, 95])
def test_drift_is_the_clocks_own(served, drift):
    line = served(now=None, drift=str(drift))
    # the face has no fractions of a second, and the answer its way
    assert line.read("clock")["drift_s"] == pytest.approx(drift, abs=2)
