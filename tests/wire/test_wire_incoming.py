"""Gateways that call us: told apart by their first packet, on real sockets."""

import asyncio
import logging
import socket

import pytest
import wire_toy as toy
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadLine, LineBusy, LineDown
from hub.plugins.api import Ask
from hub.wire.address import LineAddress, parse_line
from hub.wire.incoming import HELLO_QUIET_S, Incoming, named_by
from hub.wire.line import Line
from hub.wire.links import Links, open_link
from hub.wire.runner import run
from hub.wire.serve import serving

PATIENT = toy.Timing(first_byte_s=10.0, gap_s=0.005, late_reply_s=0.05)


@pytest.fixture
def port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def gateway(port, name, **more):
    return LineAddress("listen", "127.0.0.1", port, name=name, latency_s=0.0, **more)


def seat(line, meter=7):
    return line.seat(PATIENT, is_mutating=toy.is_mutating, key=str(meter))


async def visit(line, meter=7):
    return await run(toy.visit(meter, [3, 4]), seat(line, meter), deadline=60)


def expected(meter):
    return [toy.answer(meter, code) for code in (3, 4)]


async def call(port, hello):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(hello)
    return reader, writer


async def heard(reader):
    """All that comes before the other side hangs up, gently or not."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def until(is_so):
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - a socket tells nobody
            await asyncio.sleep(0.01)


# -- who calls


def test_a_name_counts_as_a_whole_word():
    lines = [gateway(1, "8600"), gateway(1, "modem-7")]
    assert named_by(b"8600\r\n", lines) is lines[0]
    assert named_by(b"+ID:8600,CSQ=20\r\n", lines) is lines[0]
    assert named_by(b"\x00\x7f*modem-7#", lines) is lines[1]
    for stranger in (b"", b"86001", b"18600", b"x8600", b"modem-71", b"modem", b"86001 18600"):
        assert named_by(stranger, lines) is None
    assert named_by(b"18600 and 8600", lines) is lines[0]


def test_two_names_in_one_packet_are_nobodys():
    lines = [gateway(1, "a1"), gateway(1, "b2")]
    assert named_by(b"a1 b2", lines) is None


def test_packets_that_are_no_text_are_told_by_their_beginning():
    lines = [gateway(1, "a", hello="c0"), gateway(1, "b", hello="c000"), gateway(1, "c")]
    assert named_by(b"\xc0\x01", lines) is lines[0]
    assert named_by(b"\xc0\x00\x01", lines) is lines[1]
    assert named_by(b"\x01\xc0\x00", lines) is None


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_any_first_packet_is_somebodys_or_nobodys(packet, tail):
    lines = [gateway(1, "8600"), gateway(1, "b", hello="c0")]
    assert named_by(packet, lines) in (None, *lines)
    assert named_by(b"8600\r" + tail.replace(b"\xc0", b""), lines) is lines[0]


def test_how_such_a_line_is_written():
    line = parse_line("listen://0.0.0.0:5020/860000000000001?baud=19200&hello=C0%2001")
    assert (line.kind, line.name, line.hello) == ("listen", "860000000000001", "c001")
    assert str(line) == "listen://0.0.0.0:5020/860000000000001?baud=19200&hello=c001"
    assert parse_line(str(line)) == line
    for wrong, said in (
        ("listen://0.0.0.0:5020", "name the gateway"),
        ("listen://0.0.0.0:5020/", "name the gateway"),
        ("listen://0.0.0.0:5020/a/b", "name the gateway"),
        ("listen://0.0.0.0:5020/a%20b", "name the gateway"),
        ("listen://0.0.0.0/a", "no port"),
        ("listen://0.0.0.0:1/a?hello=", "beginning of a packet"),
        ("listen://0.0.0.0:1/a?hello=xy", "beginning of a packet"),
        ("tcp://h:1?hello=aa", "gateways that call"),
    ):
        with pytest.raises(BadLine, match=said):
            parse_line(wrong)


async def test_one_who_calls_cannot_be_called():
    with pytest.raises(BadLine, match="can't be called"):
        await open_link(gateway(1, "a"))


# -- on sockets


async def test_many_gateways_share_a_port(port):
    first, second = gateway(port, "one"), gateway(port, "two", hello="c0aa")
    async with (
        Links() as links,
        serving(toy.Toy(7), first),
        serving(toy.Toy(8), second),
        Line(links.open, second) as two,
        Line(links.open, first) as one,
    ):
        await links.incoming.expect([first, second])
        assert await asyncio.gather(visit(one, 7), visit(two, 8)) == [expected(7), expected(8)]
        assert links.incoming.counts.accepted == 2
        assert links.incoming.port_of(first) == port


async def test_a_gateway_stays_on_the_phone_between_lines(port):
    address = gateway(port, "one")
    async with Links() as links, serving(toy.Toy(7), address):
        for _ in range(3):
            async with Line(links.open, address) as line:
                assert await visit(line) == expected(7)
        assert links.incoming.counts.accepted == 1


async def test_a_gateway_that_has_not_called_is_a_line_down(port):
    address = gateway(port, "late")
    async with Links(patience_s=0.01) as links, Line(links.open, address) as line:
        with pytest.raises(LineDown, match="late has not called"):
            await visit(line)
        async with serving(toy.Toy(7), address):
            await until(lambda: links.incoming.counts.accepted)
            assert await visit(line) == expected(7)


async def test_a_newer_call_replaces_the_older(port):
    address = gateway(port, "one")
    async with Links() as links, Line(links.open, address) as line:
        await links.incoming.expect([address])
        reader, writer = await call(port, b"one\r\n")  # half open: it never answers
        await until(lambda: links.incoming.counts.accepted)
        link = await links.open(address)
        await link.close()
        async with serving(toy.Toy(7), address):
            assert await reader.read() == b""
            assert links.incoming.counts.replaced == 1
            assert await visit(line) == expected(7)
        writer.close()


async def test_a_call_that_breaks_off_comes_again(port):
    address = gateway(port, "one")
    async with Links() as links, serving(toy.Toy(7), address), Line(links.open, address) as line:
        assert await visit(line) == expected(7)
        links.incoming._calls[str(address)].hang_up()
        assert await visit(line) == expected(7)
        assert (line.stats.reconnects, links.incoming.counts.accepted) == (1, 2)


async def test_a_call_that_breaks_off_while_waiting_is_a_line_down(port):
    address = gateway(port, "one")
    async with Links(patience_s=0.01) as links, Line(links.open, address) as line:
        await links.incoming.expect([address])
        for ask, said in ((seat(line), "has not called"), (seat(line).once, "broke its call off")):
            reader, writer = await call(port, b"one\r\n")
            await until(lambda: links.incoming._calls)
            asking = asyncio.create_task(ask(Ask(request=b"\x07\x03", rule=toy.rule(7, 3))))
            assert await reader.read(1)
            writer.transport.abort()
            with pytest.raises(LineDown, match=said):
                await asking


@pytest.mark.parametrize(
    "hello", [b"two\r\n", b"one and two", b"\xff" * 2000, b"GET / HTTP/1.1\r\n"]
)
async def test_a_stranger_is_refused_and_counted(port, hello, caplog):
    async with Links() as links:
        await links.incoming.expect([gateway(port, "one"), gateway(port, "two2")])
        with caplog.at_level(logging.WARNING):
            reader, writer = await call(port, hello.replace(b"one and two", b"one and two2"))
            assert await heard(reader) == b""
        assert links.incoming.counts.refused == 1
        assert "127.0.0.1" in caplog.text
        assert "GET /" not in caplog.text  # a stranger's text does not get into the log
        writer.close()


async def test_many_strangers_do_not_fill_the_log(port):
    told = []
    incoming = Incoming(trouble=told.append)
    for _ in range(300):
        incoming.refused("192.0.2.1", ("192.0.2.9", port), b"GET")
    assert incoming.counts.refused == 300
    assert len(told) == 10 + 3
    assert "(300 so far); its first packet: 47 45 54." in told[-1]


async def test_who_has_said_nothing_yet_is_hung_up_on_at_the_end(port):
    told = []
    async with Links(trouble=told.append) as links:
        await links.incoming.expect([gateway(port, "one")])
        reader, writer = await call(port, b"")
        await until(lambda: links.incoming._unnamed)
    assert await heard(reader) == b""
    assert told == []
    writer.close()


async def test_a_name_in_pieces_is_a_name(port):
    address = gateway(port, "one")
    async with Links() as links:
        await links.incoming.expect([address])
        _reader, writer = await call(port, b"o")
        await writer.drain()
        await asyncio.sleep(HELLO_QUIET_S / 4)
        writer.write(b"ne")
        await until(lambda: links.incoming.counts.accepted)
        writer.close()


async def test_who_is_no_longer_expected_is_let_go(port):
    one, two = gateway(port, "one"), gateway(port, "two")
    async with Links() as links:
        await links.incoming.expect([one, two])
        reader, writer = await call(port, b"one\r\n")
        kept, kept_writer = await call(port, b"two\r\n")
        await until(lambda: links.incoming.counts.accepted == 2)
        await links.incoming.expect([two])
        assert await heard(reader) == b""
        assert not kept.at_eof()
        await links.incoming.expect([])
        assert await heard(kept) == b""
        writer.close()
        kept_writer.close()
        with pytest.raises(OSError, match=str(port)):
            await call(port, b"two\r\n")


async def test_a_port_in_use_is_a_sentence(port):
    address = gateway(port, "one")
    told = []
    async with Links() as holder, Links(trouble=told.append) as links:
        await holder.incoming.expect([address])
        for _ in range(3):
            await links.incoming.expect([address])
        assert ["listens at" in each for each in told] == [True]
        with pytest.raises(LineBusy, match="stop it or take another port"):
            await links.open(address)


async def test_a_call_serves_one_line_at_a_time(port):
    address = gateway(port, "one")
    async with Links() as links, serving(toy.Toy(7), address):
        await links.open(address)
        with pytest.raises(LineBusy, match="in use"):
            await links.open(address)


async def test_line_is_told_when_its_gateway_calls(port):
    told = []
    address = gateway(port, "one")
    incoming = Incoming(called=told.append)
    await incoming.expect([address])
    _, writer = await call(port, b"one\n")
    await until(lambda: told)
    assert told == [address]
    writer.close()
    await incoming.close()
