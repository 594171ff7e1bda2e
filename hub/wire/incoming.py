"""Gateways that call us: one listener a port, callers told apart by their first packet.

A modem behind a provider's address translation can't be called; it calls, says its name (an
identification text or IMEI, often again from time to time) and is then a line like any other.
The connection is the gateway's: a line that ends leaves it open for the next one.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import cast

from typing_extensions import override

from hub.errors import LineBusy, LineDown, LinkError
from hub.wire.address import LineAddress
from hub.wire.link import Link
from hub.wire.tcp_link import TcpLink
from hub.wire.trouble import explained

CALL_S = 10.0  # how long a line waits for its gateway to call
HELLO_S = 30.0  # how long a caller may take to say who it is
HELLO_QUIET_S = 0.3  # a first packet without a line end is over when it has been quiet
MAX_HELLO = 512
SHOWN_BYTES = 48
TOLD_AT_FIRST, TOLD_EVERY = 10, 100
MOST_UNNAMED = 256  # callers at once that have not said who they are

_log = logging.getLogger(__name__)
_Place = tuple[str, int]


@dataclass(slots=True)
class CallCounts:
    """Calls at all listeners since the start."""

    accepted: int = 0
    replaced: int = 0  # of the accepted: the gateway's older connection was closed
    refused: int = 0  # said a name that nobody expects, two names, or nothing


def named_by(packet: bytes, expected: Iterable[LineAddress]) -> LineAddress | None:
    """Return the line whose gateway this first packet names; None: no one's, or more than one's.

    A name counts only as a whole word: 860000000000001 is not in 8600000000000017. ``hello``
    counts as the beginning; of several that fit the longest is meant.
    """
    text = packet.decode("ascii", "replace")
    found = [each for each in expected if _is_of(packet, text, each)]
    longest = max((len(each.hello) for each in found), default=0)
    best = [each for each in found if len(each.hello) == longest]
    return best[0] if len(best) == 1 else None


def _is_of(packet: bytes, text: str, address: LineAddress) -> bool:
    if address.hello:
        return packet.startswith(bytes.fromhex(address.hello))
    at = text.find(address.name)
    while at >= 0:
        around = text[max(at - 1, 0) : at] + text[at + len(address.name) :][:1]
        if not re.search(r"[A-Za-z0-9]", around):
            return True
        at = text.find(address.name, at + 1)
    return False


class Incoming:
    """The listeners of one process, and the gateways that have called.

    ``called`` is told each line whose gateway calls, ``trouble`` a sentence for a port that can't
    be had and for callers that are refused (the first ten, then every hundredth). ``patience_s``:
    how long ``open`` waits.
    """

    def __init__(
        self,
        *,
        patience_s: float = CALL_S,
        called: Callable[[LineAddress], None] = lambda _address: None,
        trouble: Callable[[str], None] = _log.warning,
    ) -> None:
        self.counts = CallCounts()
        self._patience_s = patience_s
        self._called = called
        self._trouble = trouble
        self._expected: dict[_Place, dict[str, LineAddress]] = {}
        self._servers: dict[_Place, asyncio.Server] = {}
        self._opening = asyncio.Lock()
        self._told: set[_Place] = set()  # ports that could not be had
        self._unnamed: set[_Caller] = set()
        self._calls: dict[str, Call] = {}
        self._waiting: dict[str, asyncio.Event] = {}

    async def expect(self, addresses: Iterable[LineAddress]) -> None:
        """Listen for these gateways and no others; those that are no longer meant are let go.

        A port that can't be had is told once here, and by ``open`` to whoever needs it.
        """
        expected: dict[_Place, dict[str, LineAddress]] = {}
        for address in addresses:
            expected.setdefault(_place(address), {})[str(address)] = address
        self._expected = expected
        names = {name for lines in expected.values() for name in lines}
        for name in [each for each in self._calls if each not in names]:
            self._calls.pop(name).hang_up()
        for place in [each for each in self._servers if each not in expected]:
            await _ended(self._servers.pop(place))
        for place, lines in expected.items():
            try:
                await self._listen(next(iter(lines.values())))
            except LinkError as error:
                if place not in self._told:
                    self._trouble(str(error))
                self._told.add(place)
            else:
                self._told.discard(place)

    async def open(self, address: LineAddress) -> Link:
        """Return the gateway's connection, waiting for it to call; LineDown if it does not."""
        place, name = _place(address), str(address)
        self._expected.setdefault(place, {})[name] = address
        await self._listen(address)
        call = self._calls.get(name)
        if call is None:
            call = await self._wait(name, address)
        return call.lend()

    async def close(self) -> None:
        """Stop listening and hang up on everybody."""
        for call in list(self._calls.values()):
            call.hang_up()
        for caller in list(self._unnamed):
            caller.hang_up()
        servers, self._servers = list(self._servers.values()), {}
        for server in servers:
            await _ended(server)
        self._calls.clear()

    def port_of(self, address: LineAddress) -> int:
        """Return the port that is listened on for this line; it differs if 0 was asked for."""
        port: int = self._servers[_place(address)].sockets[0].getsockname()[1]
        return port

    async def _wait(self, name: str, address: LineAddress) -> "Call":
        event = self._waiting.setdefault(name, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                await event.wait()
        call = self._calls.get(name)
        if call is None:
            self._waiting.pop(name, None)
            raise LineDown(
                f"The gateway {address.name} has not called {address.host}:{address.port}; check "
                "that it is on, has a network, and is set to call this address and to say its name."
            )
        return call

    async def _listen(self, address: LineAddress) -> None:
        place = _place(address)
        loop = asyncio.get_running_loop()
        async with self._opening:
            if place in self._servers:
                return
            try:
                self._servers[place] = await loop.create_server(
                    lambda: _Caller(self, place, self._unnamed), address.host, address.port
                )
            except OSError as error:
                raise explained(error, address, listening=True) from error

    def expected_at(self, place: _Place) -> Collection[LineAddress]:
        return self._expected.get(place, {}).values()

    def take(self, address: LineAddress, transport: asyncio.Transport) -> None:
        """Let a caller that has said its name be its line; an older connection gives way."""
        name = str(address)
        self.counts.accepted += 1
        older = self._calls.pop(name, None)
        if older is not None:
            self.counts.replaced += 1
            older.hang_up()
        call = Call(address, self._forget)
        transport.set_protocol(call)
        call.connection_made(transport)
        self._calls[name] = call
        event = self._waiting.pop(name, None)
        if event is not None:
            event.set()
        self._called(address)

    def refused(self, peer: str, place: _Place, packet: bytes) -> None:
        """Count a caller that was refused, and tell it now and then."""
        self.counts.refused += 1
        count = self.counts.refused
        if count <= TOLD_AT_FIRST or count % TOLD_EVERY == 0:
            # in hex: a stranger's text has no business in a log
            self._trouble(
                f"A caller from {peer} at {place[0]}:{place[1]} is nobody's gateway and was "
                f"refused ({count} so far); its first packet: {packet.hex(' ').upper() or 'none'}."
            )

    def _forget(self, call: "Call") -> None:
        name = str(call.address)
        if self._calls.get(name) is call:
            del self._calls[name]


class _Caller(asyncio.Protocol):
    """Somebody who has called and not said yet who it is."""

    def __init__(self, incoming: Incoming, place: _Place, unnamed: "set[_Caller]") -> None:
        self._incoming = incoming
        self._place = place
        self._unnamed = unnamed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._heard = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._unnamed.add(self)
        self._timer = self._loop.call_later(HELLO_S, self.refuse)
        if len(self._unnamed) > MOST_UNNAMED:
            self.refuse()

    @override
    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self._timer is not None:
            self._timer.cancel()
        if len(self._heard) >= MAX_HELLO or self._heard.endswith((b"\r", b"\n", b"\r\0")):
            self._judge()
        else:
            self._timer = self._loop.call_later(HELLO_QUIET_S, self._judge)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def _judge(self) -> None:
        packet = bytes(self._heard[:MAX_HELLO])
        address = named_by(packet, self._incoming.expected_at(self._place))
        if address is None:
            self.refuse()
            return
        transport = self._leave()
        if transport is not None and not transport.is_closing():
            self._incoming.take(address, transport)

    def refuse(self) -> None:
        """Hang up on a stranger."""
        if self._transport is not None:
            peer = self._transport.get_extra_info("peername") or ("?",)
            self.hang_up()
            self._incoming.refused(str(peer[0]), self._place, bytes(self._heard[:SHOWN_BYTES]))

    def hang_up(self) -> None:
        """Break the connection off."""
        transport = self._leave()
        if transport is not None:
            transport.abort()

    def _leave(self) -> asyncio.Transport | None:
        self._unnamed.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        transport, self._transport = self._transport, None
        return transport


class Call(TcpLink):
    """A gateway's connection. Lent to one line at a time, which closes only the loan."""

    def __init__(self, address: LineAddress, gone: "Callable[[Call], None]") -> None:
        super().__init__(address)
        self.address = address
        self._tell_gone = gone
        self._lent = False

    def lend(self) -> Link:
        if self._lent:
            raise LineBusy(f"The line {self.address} is in use in this process already.")
        self._lent = True
        return cast("Link", _Loan(self))

    def give_back(self) -> None:
        self._lent = False

    def hang_up(self) -> None:
        """Break the connection off; whoever uses it is told by ``LineDown``."""
        if self._transport is not None:
            self._transport.abort()
        self._lost()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost()

    def _lost(self) -> None:
        self._broken = LineDown(
            f"The gateway {self.address.name} broke its call off; "
            "the line goes on when it calls again."
        )
        self._wake()
        self._tell_gone(self)


class _Loan:
    """The link that a line has; closing it leaves the gateway's call open."""

    def __init__(self, call: Call) -> None:
        self._call: Call | None = call
        self.send = call.send
        self.receive = call.receive
        self.drain = call.drain

    async def close(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.give_back()


def _place(address: LineAddress) -> _Place:
    return address.host, address.port


async def _ended(server: asyncio.Server) -> None:
    server.close()
    # waiting for connections that were handed over would wait for the gateways
    await asyncio.sleep(0)
