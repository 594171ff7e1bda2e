"""What ``hub meter read`` prints is what the virtual meter computed, count by count.

Two real processes and a TCP connection between them; the truth is computed in this one from the
same settings, never from encoded bytes.
"""

from datetime import datetime, timedelta

import pytest
from mercury_served import NOW, Served

from hub.plugins.api import Channel

pytestmark = pytest.mark.e2e

OUTAGE = "2026-11-03T10:00/2026-11-03T15:10"  # five hours and a bit of the meter's face


@pytest.fixture
def served():
    started = []

    def start(*faults, **options):
        started.append(Served(options, faults))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def rows(profile):
    """Ends, minutes and counts as read."""
    return [
        (
            datetime.fromisoformat(slot["start"]) + timedelta(minutes=slot["minutes"]),
            tuple(slot["counts"][channel.value] for channel in Channel),
        )
        for slot in profile["slots"]
    ]


def computed(meter, since=None, until=None):
    """The same, as the virtual meter has it; slots of an outage were never written."""
    first, last = meter.kept(NOW)
    return [
        (slot.end, tuple(slot.counts))
        for slot in meter.truth(max(first, since or first), min(last, until or last))
        if slot.counts is not None
    ]


@pytest.mark.parametrize("firmware", ["2.3.4", "9.0.0"])
def test_full_ring_is_read_to_the_count(served, firmware):
    line = served(firmware=firmware, memory="64")
    profile = line.read("profile")
    assert rows(profile) == computed(line.meter)
    assert len(profile["slots"]) > 4000  # the whole ring, which has turned over


@pytest.mark.parametrize("firmware", ["2.3.4", "9.0.0"])
def test_outage_is_a_gap_and_nothing_else(served, firmware):
    line = served(firmware=firmware, outage=OUTAGE)
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
        ("9.0.0", "loss=0.01"),
        ("2.3.4", "damage=0.0005"),
        ("9.0.0", "damage=0.0005"),
    ],
)
def test_noise_costs_time_and_no_count(served, firmware, fault):
    line = served(fault, firmware=firmware, outage=OUTAGE)
    profile = line.read("profile", "--since=2026-11-02", "--repeats=6")
    assert rows(profile) == computed(line.meter, since=datetime(2026, 11, 2))


def test_registers_are_the_computed_ones(served):
    line = served()
    read = {
        each["obis"]: each["value"]
        for each in line.read("registers")["registers"]
        if each["period"] == "at:day:0"
    }
    midnight = NOW.replace(hour=0, minute=0, second=0)
    four = line.meter.register_wh(midnight)
    names = ("1.8.0", "2.8.0", "3.8.0", "4.8.0")
    assert {name: read[name] for name in names} == dict(zip(names, four, strict=True))


def test_identity_and_clock_are_the_meters(served):
    line = served(firmware="2.3.4")
    identity = line.read("identity")
    assert identity["serial"] == line.meter.serial
    assert (identity["maker"], identity["firmware"]) == ("Incotex", "2.3.4")
    shown = datetime.fromisoformat(line.read("clock")["shown"])
    assert timedelta(0) <= shown - line.meter.face(NOW) < timedelta(minutes=2)
