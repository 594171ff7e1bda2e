"""The proxy between a master and its meters, on real sockets."""

import asyncio
import contextlib

import pytest
import wire_toy as toy

from hub.errors import LineBusy, LineDown
from hub.wire.address import LineAddress, parse_line
from hub.wire.capture import WireLog
from hub.wire.line import Line
from hub.wire.links import open_link
from hub.wire.record import Recorded, record
from hub.wire.runner import run
from hub.wire.serve import serving
from hub.wire.transcript import Entry, read_log

ANY_PORT = parse_line("tcp://127.0.0.1:0", listen=True)
PATIENT = toy.Timing(first_byte_s=10.0, gap_s=0.005, late_reply_s=0.05)


def secrets(request):
    return (slice(1, 3),) if request[1:2] == bytes([toy.HELLO]) else ()


@contextlib.asynccontextmanager
async def proxy(line, log, recorded=None, listen=ANY_PORT):
    """A running record; gives (its task, where the master connects)."""
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        record(
            listen, await open_link(line), log, line=line, secrets=secrets,
            recorded=recorded or Recorded(), ready=ready.set_result,
        )
    )  # fmt: skip
    yield task, await ready
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, LineDown):
        await task


def entries(log):
    return [item for item in read_log(log.lines()) if isinstance(item, Entry)]


async def visit(address):
    async with Line(open_link, address) as line:
        seat = line.seat(PATIENT, is_mutating=toy.is_mutating, key="7")
        return await run(toy.visit(7, [3, 4]), seat, deadline=60)


async def test_the_master_hears_the_meters_and_all_is_kept_but_secrets():
    log, recorded = WireLog(), Recorded()
    async with serving(toy.Toy(7), ANY_PORT) as line, proxy(line, log, recorded) as (_, address):
        assert await visit(address) == [toy.answer(7, 3), toy.answer(7, 4)]
    hello, three, four, bye = entries(log)
    assert hello.request == [7, None, None, toy.request(7, toy.HELLO)[3]]
    assert (three.request_bytes, three.received_bytes) == (toy.request(7, 3), toy.answer(7, 3))
    assert (four.received_bytes, four.line) == (toy.answer(7, 4), str(line))
    assert bye.request_bytes == toy.request(7, toy.BYE)
    assert (recorded.exchanges, recorded.unanswered) == (4, 0)
    assert recorded.masked == {bytes([7, toy.HELLO]): 1}


async def test_a_request_that_nobody_answers_is_kept_as_such():
    log, recorded = WireLog(), Recorded()
    async with serving(toy.Toy(7), ANY_PORT) as line, proxy(line, log, recorded) as (_, address):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(toy.request(9, 3))
        await asyncio.sleep(0.1)
        writer.close()
        assert await reader.read() == b""
    (one,) = entries(log)
    assert (one.request_bytes, one.verdict) == (toy.request(9, 3), "timeout")
    assert recorded.unanswered == 1


async def test_a_newer_master_takes_over():
    async with serving(toy.Toy(7), ANY_PORT) as line, proxy(line, WireLog()) as (_, address):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        assert await visit(address) == [toy.answer(7, 3), toy.answer(7, 4)]
        assert await reader.read() == b""
        writer.close()


async def test_a_line_that_breaks_ends_the_record():
    async def hangs_up(reader, writer):
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
    line = LineAddress("tcp", *server.sockets[0].getsockname())
    async with server, proxy(line, WireLog()) as (task, address):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"\x01")
        with pytest.raises(LineDown, match="broke the connection off"):
            await task
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


async def test_a_port_in_use_is_a_sentence():
    async with serving(toy.Toy(7), ANY_PORT) as line:
        with pytest.raises(LineBusy, match="listens at"):
            await record(
                line, await open_link(line), WireLog(), line=line, secrets=secrets,
                recorded=Recorded(), ready=print,
            )  # fmt: skip
