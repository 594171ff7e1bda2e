"""Real links: TCP, serial over a pty, rfc2217 over a pty; and what the system's errors become."""

import asyncio
import contextlib
import errno
import os
import socket
import tty
from datetime import UTC, datetime

import pytest
import wire_toy as toy
from hypothesis import given
from hypothesis import strategies as st
from remote_port import remote_port
from virtual_time import run_virtual, virtual_now
from wire_script import START

from hub.errors import BadLine, LineBusy, LineDown
from hub.plugins.api import Ask
from hub.wire.address import LineAddress, parse_line
from hub.wire.faults import Faults
from hub.wire.line import Line
from hub.wire.links import open_link
from hub.wire.runner import run
from hub.wire.serve import _Ear, _VirtualLine, serve, serving
from hub.wire.tcp_link import TcpLink
from hub.wire.trouble import explained

ANY_PORT = parse_line("tcp://127.0.0.1:0", listen=True)
# patience for a busy machine: a right answer never waits for it
PATIENT = toy.Timing(first_byte_s=10.0, gap_s=0.005, late_reply_s=0.05)


def seat(line, address=7, timing=PATIENT):
    return line.seat(timing, is_mutating=toy.is_mutating, key=str(address))


async def visit(address, meter=7, **line):
    async with Line(open_link, address, **line) as made:
        return await run(toy.visit(meter, [3, 4, 5]), seat(made, meter), deadline=60)


EXPECTED = [toy.answer(7, code) for code in (3, 4, 5)]


# -- TCP


class _Transport:
    """A connection on which nothing happens by itself."""

    def get_extra_info(self, _name):
        return None

    def close(self):
        pass


@given(st.lists(st.tuples(st.floats(0, 2), st.none() | st.floats(0, 2)), max_size=20))
def test_each_wait_lasts_as_long_as_it_may_and_no_longer(waits):
    """Waits of any length follow each other on one timer; an answer ends its wait at once."""

    async def main():
        loop = asyncio.get_running_loop()
        link = TcpLink(LineAddress("tcp", host="gate", port=1))
        link.connection_made(_Transport())
        for longest, comes in waits:
            began = loop.time()
            if comes is not None and comes < longest:
                loop.call_later(comes, link.data_received, b"\x07")
                assert await link.receive(longest) == b"\x07"
                assert loop.time() - began == pytest.approx(comes, abs=1e-5)
            else:
                assert await link.receive(longest) == b""
                assert loop.time() - began == pytest.approx(longest, abs=1e-5)
        link.connection_lost(None)
        await link.close()

    run_virtual(main(), START)


async def test_a_wait_that_was_given_up_leaves_the_next_one_alone():
    link = TcpLink(LineAddress("tcp", host="gate", port=1))
    link.connection_made(_Transport())
    task = asyncio.create_task(link.receive(60.0))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    link.data_received(b"\x07")
    assert await link.receive(60.0) == b"\x07"
    assert await link.receive(0.0) == b""
    link.connection_lost(None)
    await link.close()


async def test_a_visit_over_tcp():
    async with serving(toy.Toy(7), ANY_PORT) as address:
        assert address.port
        assert await visit(address) == EXPECTED


async def test_several_connections_at_once_and_one_after_another():
    meters = toy.Toy(7, 8, delay=0.0)
    async with serving(meters, ANY_PORT) as address:
        both = await asyncio.gather(visit(address, 7), visit(address, 8))
        assert both == [EXPECTED, [toy.answer(8, code) for code in (3, 4, 5)]]
        assert await visit(address) == EXPECTED


async def test_a_request_cut_into_segments_is_one_request():
    meters = toy.Toy(7)
    async with serving(meters, ANY_PORT, quiet_s=0.2) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        for byte in toy.request(7, 3):
            writer.write(bytes([byte]))
            await writer.drain()
        assert await reader.readexactly(len(toy.answer(7, 3))) == toy.answer(7, 3)
        writer.close()
        await writer.wait_closed()
    assert meters.heard == [toy.request(7, 3)]


def test_a_request_ends_when_it_has_been_quiet_for_long_enough():
    meters, said = toy.Toy(7), []

    async def main():
        ear = _Ear(_VirtualLine(meters, Faults(), virtual_now, 0.003), said.append)
        for byte in toy.request(7, 3):
            ear.hear(bytes([byte]))
            await asyncio.sleep(0.002)
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(0.006)
        early = list(said)
        await asyncio.sleep(1)
        ear.hear(toy.request(7, 3))
        await asyncio.sleep(0.005)
        ear.stop()
        await asyncio.sleep(1)
        return at, early

    # the answer is due ten milliseconds after the last byte of the request, quiet included
    assert run_virtual(main(), datetime(2026, 11, 24, tzinfo=UTC)) == (pytest.approx(0.008), [])
    assert meters.heard == [toy.request(7, 3)] * 2
    assert said == [toy.answer(7, 3)]


async def test_a_connection_dropped_between_asks_is_made_again():
    async with serving(toy.Toy(7), ANY_PORT) as address, Line(open_link, address) as line:
        await run(toy.visit(7, [3]), seat(line), deadline=60)
        link = line._link
        link._transport.abort()
        await link._gone
        assert await run(toy.visit(7, [4]), seat(line), deadline=60) == [toy.answer(7, 4)]
        assert line.stats.reconnects == 1


async def test_a_peer_that_vanished_is_found_out_by_the_system():
    async with serving(toy.Toy(7), ANY_PORT) as address, Line(open_link, address) as line:
        await run(toy.visit(7, [3]), seat(line), deadline=60)
        sock = line._link._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        probes = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
        apart = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        assert idle + probes * apart <= 60
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


async def test_a_connection_dropped_while_waiting_is_a_line_down():
    async def hangs_up(reader, writer):
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        async with Line(open_link, LineAddress("tcp", host, port)) as line:
            with pytest.raises(LineDown, match="broke the connection off"):
                await seat(line)(Ask(request=b"\x07\x03", rule=toy.rule(7, 3)))


class Dropping:
    """A gateway that drops its first ``times`` calls in the middle of an answer."""

    def __init__(self, times, *, after=3):
        self.times = times
        self.after = after  # bytes of the answer
        self.calls = 0
        self.meter = toy.Toy(7)

    async def __call__(self, reader, writer):
        self.calls += 1
        dropping = self.calls <= self.times
        while request := await reader.read(100):
            ((_, answer),) = self.meter.receive(request, None)
            writer.write(answer[: self.after] if dropping else answer)
            await writer.drain()
            if dropping:
                break
        writer.close()


@contextlib.asynccontextmanager
async def line_to(gateway, **line):
    server = await asyncio.start_server(gateway, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, Line(open_link, LineAddress("tcp", host, port), **line) as made:
        yield made


@pytest.mark.parametrize("after", [0, 3])
async def test_a_call_that_drops_within_an_exchange_is_made_anew(after):
    gateway = Dropping(1, after=after)
    async with line_to(gateway) as line:
        assert await run(toy.visit(7, [3, 4, 5]), seat(line), deadline=60) == EXPECTED
        assert (line.stats.reconnects, line.stats.repeats, gateway.calls) == (1, 1, 2)


async def test_one_that_drops_again_at_once_is_a_line_down():
    gateway = Dropping(2)
    async with line_to(gateway) as line:
        with pytest.raises(LineDown, match="broke the connection off"):
            await seat(line)(Ask(request=toy.request(7, 3), rule=toy.rule(7, 3)))
    assert gateway.calls == 2


async def test_what_may_not_be_repeated_is_not_repeated_by_a_new_call():
    gateway = Dropping(1)
    async with line_to(gateway) as line:
        with pytest.raises(LineDown):
            await seat(line).once(Ask(request=toy.request(7, 3), rule=toy.rule(7, 3)))
    assert gateway.meter.heard == [toy.request(7, 3)]


async def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused for sure
        address = LineAddress("tcp", "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(LineDown, match=r"Nothing listens at 127\.0\.0\.1:\d+; start"):
            await open_link(address)


async def test_a_name_that_can_be_no_host():
    with pytest.raises(LineDown, match="host's name"):
        await open_link(LineAddress("tcp", "a..b", 7))


async def test_a_babbling_gateway_does_not_fill_our_memory():
    stop = asyncio.Event()

    async def babbles(_reader, writer):
        writer.write(b"\xff" * 2_000_000)
        await stop.wait()
        writer.close()

    server = await asyncio.start_server(babbles, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        link = await open_link(LineAddress("tcp", host, port))
        while not link._paused:
            await link._loop.run_in_executor(None, int)
        for _ in range(50):
            await link._loop.run_in_executor(None, int)
        assert len(link._unread) < 500_000
        taken = 0
        while taken < 2_000_000:
            data = await link.receive(10)
            assert 0 < len(data) < 1_000_000
            taken += len(data)
        stop.set()
        await link.close()


async def test_a_closed_link_is_down():
    async with serving(toy.Toy(7), ANY_PORT) as address:
        link = await open_link(address)
        await link.close()
        await link.close()
        for call in (link.drain(), link.send(b"x"), link.receive(0)):
            with pytest.raises(LineDown):
                await call


async def test_a_port_that_is_taken_is_said_to_be():
    async with serving(toy.Toy(7), ANY_PORT) as address:
        with pytest.raises(LineBusy, match="another port"):
            async with serving(toy.Toy(7), address):
                pass


async def test_virtual_meters_do_not_go_onto_an_existing_port():
    with pytest.raises(BadLine):
        async with serving(toy.Toy(7), parse_line("serial:///dev/ttyS0")):
            pass


async def test_serve_runs_until_cancelled_and_says_when_it_is_ready():
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(toy.Toy(7), ANY_PORT, ready=ready.set_result))
    address = await ready
    assert await visit(address) == EXPECTED
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(LineDown):
        await open_link(address)


async def test_faults_are_on_the_line_whatever_the_driver():
    faults = Faults.parse(["echo=1", "leading_ff=1"])
    async with serving(toy.Toy(7), ANY_PORT, faults=faults) as address:
        # an echoing line that is not marked: the request comes first and is no reply
        echoing = LineAddress("tcp", address.host, address.port, echo=True)
        assert await visit(echoing) == EXPECTED
    assert faults.counts.leading_ff == 5
    faults = Faults.parse(["loss=1"])
    async with serving(toy.Toy(7), ANY_PORT, faults=faults) as address:
        with pytest.raises(Exception, match="No answer"):
            async with Line(open_link, address, repeats=0) as line:
                await seat(line, timing=toy.Timing(0.01, 0.0, 0.0)).once(
                    Ask(request=toy.request(7, 3), rule=toy.rule(7, 3))
                )
    assert faults.counts.lost == 1


# -- serial


async def test_a_visit_over_a_pty():
    async with serving(toy.Toy(7), None) as address:
        assert address.kind == "serial"
        assert await visit(address) == EXPECTED
        assert await visit(address) == EXPECTED


async def test_a_port_has_one_master():
    async with serving(toy.Toy(7), None) as address:
        first = await open_link(address)
        with pytest.raises(LineBusy, match=f"Another process holds {address.device}"):
            await open_link(address)
        await first.close()


async def test_a_closed_port_can_be_opened_again():
    async with serving(toy.Toy(7), None) as address:
        first = await open_link(address)
        await first.close()
        second = await open_link(address)
        await second.close()
        with pytest.raises(LineDown, match="closed"):
            await second.drain()


async def test_a_cancelled_read_frees_the_port_for_the_goodbye():
    loop = asyncio.get_running_loop()
    async with serving(toy.Toy(7), None) as address:
        link = await open_link(address)
        reading = asyncio.Event()
        read = link._port.read

        def noticed(size):
            loop.call_soon_threadsafe(reading.set)
            return read(size)

        link._port.read = noticed
        task = asyncio.create_task(link.receive(600))
        await reading.wait()
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(60):  # not the ten minutes of the read
            assert await link.drain() == b""
        await link.close()


async def test_a_port_that_is_not_there():
    with pytest.raises(LineDown, match=r"There is no port /dev/ttyNONE; plug"):
        await open_link(parse_line("serial:///dev/ttyNONE"))


async def test_a_port_pulled_out_is_a_line_down():
    near, far = os.openpty()
    tty.setraw(far)
    link = await open_link(LineAddress("serial", device=os.ttyname(far)))
    os.close(far)
    os.close(near)
    with pytest.raises(LineDown):
        await link.receive(10)
    await link.close()


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (PermissionError(errno.EACCES, "denied"), LineDown, "usermod -aG dialout"),
        (OSError(errno.ENODEV, "gone"), LineDown, "plug the adapter in"),
        (OSError(errno.EBUSY, "busy"), LineBusy, "Another process"),
        (OSError(errno.EINVAL, "odd"), LineDown, "check the adapter"),
    ],
)
def test_what_is_wrong_with_a_port_is_said_plainly(error, kind, says):
    told = explained(error, LineAddress("serial", device="/dev/ttyUSB0"))
    assert type(told) is kind
    assert says in str(told)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EHOSTUNREACH, "x"), "no way to gate:7"),
        (socket.gaierror(-2, "Name or service not known"), "not known"),
        (TimeoutError(), "does not answer"),
        (OSError(errno.EINVAL, "odd"), "odd"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed"), "Nothing listens"),
    ],
)
def test_what_is_wrong_with_a_network_is_said_plainly(error, says):
    told = explained(error, LineAddress("tcp", "gate", 7))
    assert type(told) is LineDown
    assert says in str(told)


# -- rfc2217


async def test_nobody_listens_with_a_remote_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = LineAddress("rfc2217", "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(LineDown, match="Nothing listens"):
            await open_link(address)


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's own
async def test_a_visit_over_rfc2217():
    async with serving(toy.Toy(7), None) as local:
        with remote_port(local.device) as address:
            line = Line(open_link, address)
            got = await run(toy.visit(7, [3, 4, 5]), seat(line), deadline=60)
            await line.close()
    assert got == EXPECTED
