"""How many exchanges a second one collector process does on many TCP lines, and where time goes.

A program in C answers on one core, by a table of what the virtual meter says to each request; the
client has the other core. Clients take turns, several rounds of each, each in a fresh process:

* ``hub``: every line reads the energy registers of one meter of the old firmware, tariff by
  tariff, again and again, through the production driver, runner, line and TCP link; the wire log
  goes to a file, the lease is looked at, drain and quarantine are as ever.
* ``pymodbus``: its asynchronous client, RTU over TCP, holding registers, an answer of the same
  length (19 bytes), nothing logged.
* the layers alone, for the table of where the time goes; each has all of those before it.

Exchanges a second are by the wall clock, medians of rounds. On a machine that does other work
too, processor time an exchange is the firmer figure. The answerer counts what it answered, and the
two counts must agree.

Both clients run on the collector's loop (uvloop) with its settings of the garbage collector.

    python tests/proof/lines.py CLIENT LINES SECONDS     # one client alone
"""

import asyncio
import contextlib
import functools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))

from virtual_time import VirtualLink, run_virtual  # noqa: E402

from corefast.crc import seal  # noqa: E402
from hub.plugins.api import Ask, Level, Register, SimulatorSettings, ask  # noqa: E402
from hub.plugins.manager import load_plugins  # noqa: E402
from hub.plugins.mercury234.frames import reply_rule  # noqa: E402
from hub.plugins.mercury234.simulator import VirtualLine  # noqa: E402
from hub.wire.address import LineAddress, parse_line  # noqa: E402
from hub.wire.capture import WireLog  # noqa: E402
from hub.wire.line import Line, Seat  # noqa: E402
from hub.wire.links import open_link  # noqa: E402
from hub.wire.loops import lines_runner  # noqa: E402
from hub.wire.runner import run  # noqa: E402
from hub.wire.tcp_link import TcpLink, open_tcp  # noqa: E402
from proof.figures import Figure  # noqa: E402

LINES, SECONDS, ROUNDS = 1000, 3.0, 5
WARM_UP = 10  # exchanges of a line before measuring begins
GOAL = 20_000
SOURCE = Path(__file__).with_name("answerer.c")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
METER = SimulatorSettings(seed=1, options={"firmware": "2.1.0"})
WANTED = tuple(
    Register(f"1.8.{tariff}", period)
    for period in ("now", "of:year:0", "of:day:0", "of:day:1")
    for tariff in range(5)
)
LONGEST_READ_S = 3600.0
REQUEST = seal(bytes.fromhex("01050000"))
ANSWER_BYTES = 19
MODBUS_REQUEST = seal(bytes.fromhex("010300000007"))
MODBUS_ANSWER = seal(bytes((1, 3, 14, *range(14))))
MODBUS_WORDS = 7
LEASE_ENDS = time.monotonic() + 86_400


@dataclass(frozen=True, slots=True)
class Tally:
    """What a client did in the measured time."""

    exchanges: int
    wall_s: float
    cpu_s: float
    in_all: int  # with warming up and the end, to compare with the answerer's count

    @property
    def rate(self) -> float:
        return self.exchanges / self.wall_s

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.exchanges * 1e6


# -- the answers -------------------------------------------------------------------------------


@functools.cache
def mercury():
    return load_plugins().drivers["mercury234"]


def new_driver(learned: dict[str, str]):
    spec = mercury()
    return spec.build(spec.settings(address=1), learned)


class _Recorder:
    """The virtual meter, remembering what it said to what."""

    def __init__(self) -> None:
        self.meter = VirtualLine(METER, NOW)
        self.said: dict[bytes, bytes] = {}

    def receive(self, data, now):
        answers = [(0.0, frame) for _, frame in self.meter.receive(data, NOW)]
        self.said[data] = b"".join(frame for _, frame in answers)
        return answers


def table() -> dict[bytes, bytes]:
    """Return each request of the driver's conversations with the virtual meter's answer to it."""
    recorder = _Recorder()

    async def conversation() -> None:
        async def wire(_address: LineAddress) -> VirtualLink:
            return VirtualLink(recorder)

        spec = mercury()
        async with Line(wire, LineAddress("serial", device="/dev/virtual")) as line:
            seat = line.seat(spec.timing(9600), is_mutating=spec.is_mutating, key="1")
            driver = new_driver({})
            for talk in (driver.open(Level.READ), driver.identify()):
                await run(talk, seat, deadline=60)
            await run(driver.read_registers(WANTED), seat, deadline=60)
            await run(driver.close(), seat, deadline=60)

    run_virtual(conversation(), NOW)
    return recorder.said | {MODBUS_REQUEST: MODBUS_ANSWER}


def compiled(folder: Path) -> Path:
    program = folder / "answerer"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-O2", "-Wall", "-o", str(program), str(SOURCE)], check=True
    )
    return program


@contextlib.contextmanager
def answering(cores: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Run the answerer on the last core; gives its port, and afterwards how many it answered."""
    answered: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "table"
        listed.write_text("".join(f"{a.hex()} {b.hex()}\n" for a, b in table().items()))
        program = compiled(Path(folder))
        with subprocess.Popen(
            [str(program), str(listed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            os.sched_setaffinity(process.pid, {cores[-1]})
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline()), answered
            finally:
                process.stdin.close()
                answered.append(int(process.stdout.readline() or -1))


# -- the clients -------------------------------------------------------------------------------


class Count:
    """Exchanges so far, on all lines."""

    def __init__(self) -> None:
        self.asked = 0
        self.lines: list[Line] = []
        self.stop = False

    @property
    def done(self) -> int:
        return self.asked + sum(line.stats.asks for line in self.lines)


class PingPong(asyncio.Protocol):
    """The least that awaits an answer: a transport and a future."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[bytes] = self.loop.create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.answer.set_result(data)

    async def ask(self, request: bytes) -> bytes:
        self.answer = self.loop.create_future()
        assert self.transport is not None
        self.transport.write(request)
        return await self.answer


async def bare(port: int, count: Count, _log: WireLog) -> None:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(PingPong, "127.0.0.1", port)
    while not count.stop:
        assert len(await protocol.ask(REQUEST)) == ANSWER_BYTES
        count.asked += 1
    assert protocol.transport is not None
    protocol.transport.close()


async def link(port: int, count: Count, _log: WireLog) -> None:
    wire: TcpLink = await open_tcp(parse_line(f"tcp://127.0.0.1:{port}"))
    while not count.stop:
        assert not await wire.drain()
        await wire.send(REQUEST)
        assert len(await wire.receive(0.3)) == ANSWER_BYTES
        count.asked += 1
    await wire.close()


def _lease() -> bool:
    return time.monotonic() < LEASE_ENDS


@contextlib.asynccontextmanager
async def seated(port: int, count: Count, log: WireLog | None):
    spec = mercury()
    address = parse_line(f"tcp://127.0.0.1:{port}")
    async with Line(open_link, address, log=log, lease=_lease) as made:
        count.lines.append(made)
        timing = spec.timing(address.baud)
        with made.seat(timing, is_mutating=spec.is_mutating, key="1") as seat:
            yield made, seat


async def _asks(seat: Seat, count: Count) -> None:
    step = Ask(request=REQUEST, rule=reply_rule(1, 16))
    while not count.stop:
        assert len((await seat(step)).frame) == ANSWER_BYTES


async def line(port: int, count: Count, _log: WireLog) -> None:
    async with seated(port, count, None) as (_, seat):
        await _asks(seat, count)


async def logged(port: int, count: Count, log: WireLog) -> None:
    async with seated(port, count, log) as (_, seat):
        await _asks(seat, count)


async def runner(port: int, count: Count, log: WireLog) -> None:
    async def talk() -> None:
        rule = reply_rule(1, 16)
        while not count.stop:
            assert len((await ask(REQUEST, rule)).frame) == ANSWER_BYTES

    async with seated(port, count, log) as (_, seat):
        while not count.stop:
            await run(talk(), seat, deadline=LONGEST_READ_S)


async def hub(port: int, count: Count, log: WireLog) -> None:
    async with seated(port, count, log) as (made, seat):
        driver = new_driver({})
        await run(driver.open(Level.READ), seat, deadline=LONGEST_READ_S)
        await run(driver.identify(), seat, deadline=LONGEST_READ_S)
        while not count.stop:
            read = await run(driver.read_registers(WANTED), seat, deadline=LONGEST_READ_S)
            assert len(read) == len(WANTED)
        await run(driver.close(), seat, deadline=LONGEST_READ_S)
        assert made.stats.repeats == 0


async def pymodbus(port: int, count: Count, _log: WireLog) -> None:
    from pymodbus import FramerType  # noqa: PLC0415 -- not there where only the hub is measured
    from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415

    client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU)
    assert await client.connect()
    while not count.stop:
        answer = await client.read_holding_registers(0, count=MODBUS_WORDS, device_id=1)
        assert len(answer.registers) == MODBUS_WORDS
        count.asked += 1
    client.close()


CLIENTS: dict[str, Callable[[int, Count, WireLog], Awaitable[None]]] = {
    "bare": bare,
    "link": link,
    "line": line,
    "logged": logged,
    "runner": runner,
    "hub": hub,
    "pymodbus": pymodbus,
}


LAYERS = {
    "bare": "a transport and a future: the least of Python and the system",
    "link": "with the TCP link: drain, time-out",
    "line": "with the line: turns, pauses, quarantine, lease, frames",
    "logged": "with the wire log, to a file",
    "runner": "with the runner",
    "hub": "with the driver",
}


async def client(name: str, port: int, lines: int, seconds: float, folder: Path) -> Tally:
    """Run one client on so many lines; only what is done between warm-up and end counts."""
    count = Count()
    log = WireLog(folder / "wire.log")
    tasks = [asyncio.create_task(CLIENTS[name](port, count, log)) for _ in range(lines)]
    while count.done < WARM_UP * lines and not any(task.done() for task in tasks):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    done, wall, cpu = count.done, time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    done, wall, cpu = count.done - done, time.perf_counter() - wall, time.process_time() - cpu
    count.stop = True
    await asyncio.gather(*tasks)
    return Tally(done, wall, cpu, count.done)


def alone(name: str, port: int, lines: int, seconds: float) -> Tally:
    """Run one client in this process, on the collector's own kind of loop."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * lines + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, lines_runner() as loop:
        return loop.run(client(name, port, lines, seconds, Path(folder)))


# -- the rounds --------------------------------------------------------------------------------


def one_round(name: str, lines: int, seconds: float) -> Tally:
    """Run one client in a process of its own against an answerer of its own."""
    cores = sorted(os.sched_getaffinity(0))
    with answering(cores) as (port, answered):
        done = subprocess.run(
            [sys.executable, __file__, name, str(lines), str(seconds), str(port)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    tally = Tally(**json.loads(done.stdout))
    if answered != [tally.in_all]:
        raise AssertionError(f"{name} counted {tally.in_all}, the answerer {answered[0]}")
    return tally


def measured(
    names: Iterable[str], lines: int, seconds: float, rounds: int
) -> dict[str, list[Tally]]:
    found: dict[str, list[Tally]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, tallies in found.items():
            tallies.append(one_round(name, lines, seconds))
            last = tallies[-1]
            print(f"  {name}: {last.rate:,.0f} a second, {last.cpu_us:.1f} us", flush=True)
    return found


def middle(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def figures() -> Iterable[Figure]:
    found = measured(CLIENTS, LINES, SECONDS, ROUNDS)
    ours, theirs = found["hub"], found["pymodbus"]
    rate, peer = middle(t.rate for t in ours), middle(t.rate for t in theirs)
    cpu = {name: middle(t.cpu_us for t in tallies) for name, tallies in found.items()}
    times = middle(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
    yield Figure(
        f"exchanges a second, one collector process, {LINES:,} TCP lines",
        f"{rate:,.0f} (best of {ROUNDS} rounds {max(t.rate for t in ours):,.0f})",
        f">= {GOAL:,}",
        rate >= GOAL,
    )
    yield Figure(
        f"beside pymodbus' asynchronous client, answers of {ANSWER_BYTES} bytes, by the wall clock",
        f"{times:.2f}x ({peer:,.0f} a second)",
        ">= 1x",
        times >= 1,
    )
    yield Figure(
        "the same by processor time",
        f"{cpu['pymodbus'] / cpu['hub']:.2f}x ({1e6 / cpu['hub']:,.0f} and "
        f"{1e6 / cpu['pymodbus']:,.0f} exchanges a processor second)",
    )
    before = 0.0
    for name, words in LAYERS.items():
        yield Figure(
            f"processor time an exchange, {words}",
            f"{cpu[name]:.1f} us ({cpu[name] - before:+.1f})",
        )
        before = cpu[name]


def main(words: list[str]) -> int:
    name, lines, seconds = words[0], int(words[1]), float(words[2])
    if len(words) > 3:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(json.dumps(asdict(alone(name, int(words[3]), lines, seconds))))
    else:
        tally = one_round(name, lines, seconds)
        print(f"{name}: {tally.rate:,.0f} a second, {tally.cpu_us:.1f} us each")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
