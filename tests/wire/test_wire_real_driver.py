"""The Mercury driver on every kind of line, through the production line: the same answers."""

import asyncio
import contextlib
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from remote_port import remote_port
from virtual_time import run_virtual, virtual_line

from hub.plugins.api import Level, MeterTime, SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.wire.address import LineAddress, parse_line
from hub.wire.faults import Faults
from hub.wire.line import Line
from hub.wire.links import Links
from hub.wire.runner import run
from hub.wire.serve import serving

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's

NOW = datetime(2026, 11, 24, 9, 7, 31, tzinfo=UTC)
SPAN = (MeterTime(datetime(2026, 11, 22)), MeterTime(datetime(2026, 11, 22, 6)))
SPEC = load_plugins(only=("mercury234",)).driver("mercury234")
ANY_PORT = parse_line("tcp://127.0.0.1:0", listen=True)


def meters(number=2):
    return SPEC.simulator(SimulatorSettings(meters=number, options={"now": NOW.isoformat()}))


async def reads(driver):
    """All that a visit reads, as one talk."""
    await driver.open(Level.READ)
    try:
        identity = await driver.identify()
        shown = await driver.read_clock()
        wanted = [one for one in driver.registers() if one.period == "now"]
        registers = await driver.read_registers(wanted)
        slots, cursor = [], None
        while True:
            page = await driver.read_profile(cursor, SPAN)
            slots += page.slots
            if not page.more:
                return identity, shown.shown, registers, slots
            cursor = page.next
    finally:
        await driver.close()


async def visit(line, address):
    seat = line.seat(SPEC.timing(line.address.baud), is_mutating=SPEC.is_mutating, key=str(address))
    driver = SPEC.build(SPEC.settings(address=address), {})
    with seat as exchange:
        return await run(reads(driver), exchange, deadline=300)


@contextlib.asynccontextmanager
async def on(kind, faults=None):
    """Virtual meters on a line of this kind; gives its address."""
    where = {"pty": None, "rfc2217": None, "tcp": ANY_PORT}.get(kind)
    if kind == "listen":
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            where = LineAddress("listen", *listener.getsockname(), name="860000000000001")
    async with serving(meters(), where, faults=faults, now=lambda: NOW) as address:
        if kind != "rfc2217":
            yield address
            return
        with remote_port(address.device) as remote:
            yield remote


@pytest.fixture(scope="module")
def told():
    async def tell():
        async with on("tcp") as address, Links() as links, Line(links.open, address) as line:
            return [await visit(line, number) for number in (1, 2)]

    return asyncio.run(tell())


async def test_it_is_what_the_meter_has():
    virtual = meters(1)
    async with on("tcp") as address, Links() as links, Line(links.open, address) as line:
        identity, shown, registers, slots = await visit(line, 1)
    meter = virtual.meters[1]
    assert identity.serial == meter.serial
    assert shown.face == meter.face(NOW)
    assert len(slots) == 12
    assert len(registers) > 10


@pytest.mark.parametrize(
    ("kind", "options", "faults"),
    [
        ("pty", {}, {}),
        ("rfc2217", {}, {}),
        ("listen", {}, {}),
        ("tcp", {"echo": True}, {"echo": True}),
        ("pty", {"echo": True}, {"echo": True}),
    ],
    ids=lambda part: "-".join(part) if isinstance(part, dict) else part,
)
async def test_every_kind_of_line_tells_the_same(kind, options, faults, told):
    async with (
        on(kind, Faults(**faults)) as address,
        Links() as links,
        Line(links.open, replace(address, **options), repeats=4) as line,
    ):
        assert await visit(line, 1) == told[0]
        assert await visit(line, 2) == told[1]


@pytest.mark.parametrize(
    ("options", "faults"),
    [
        ({"latency_s": 0.6}, {"latency": 1.1}),  # a mobile network
        ({"latency_s": 0.6}, {"latency": 0.9, "leading_ff": 0.3, "loss": 0.02}),
        ({"latency_s": 0.6}, {"latency": 0.2, "late": 0.1, "late_by": 1.5}),
        ({}, {"damage": 0.002, "burst": 0.02, "half": 0.02, "address": 0.05}),
        ({}, {"busy": 0.02, "busy_for": 4}),
        ({"echo": True}, {"echo": True, "burst": 0.05, "leading_ff": 0.1}),
    ],
    ids="-".join,
)
def test_a_bad_line_tells_the_same(options, faults, told):
    """In simulated time, so that it may be slow."""

    async def main():
        faults_of = Faults(**faults, seed=5)
        open_link, address = virtual_line(Fixed(meters()), faults=faults_of)
        async with Line(open_link, replace(address, **options), repeats=6) as line:
            both = [await visit(line, 1), await visit(line, 2)]
        return both, faults_of.counts

    both, counts = run_virtual(main(), NOW)
    assert both == told
    assert counts.carried > 40


class Fixed:
    """Meters for which time stands still."""

    def __init__(self, simulator):
        self.simulator = simulator

    def receive(self, data, now):
        return self.simulator.receive(data, NOW)


async def test_a_gateway_that_drops_calls_in_a_visit(told):
    """Two drops, one within an exchange: the visit goes on over new calls."""
    faults = Faults()
    async with (
        on("listen", faults) as address,
        Links() as links,
        Line(links.open, replace(address, latency_s=0.0)) as line,
    ):
        answered = 0
        judge = faults.answer

        def answer(frame):
            nonlocal answered
            answered += 1
            if answered in (4, 9):
                (call,) = links.incoming._calls.values()
                call.hang_up()
            return judge(frame)

        faults.answer = answer
        assert await visit(line, 1) == told[0]
        assert line.stats.reconnects == 2
        assert links.incoming.counts.accepted == 3
