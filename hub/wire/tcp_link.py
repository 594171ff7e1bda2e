"""A line behind a TCP gateway, on an asyncio transport.

A protocol rather than a stream: a stream has no way to take what has arrived without waiting,
and draining before every ask is the line's first duty.
"""

import asyncio
import contextlib
from typing import cast

from typing_extensions import override

from hub.errors import LineDown
from hub.wire.address import LineAddress
from hub.wire.sockets import keep_alive
from hub.wire.trouble import explained

CONNECT_S = 10.0
MAX_UNREAD = 64 * 1024
MAX_UNSENT = 64 * 1024


class TcpLink(asyncio.Protocol):
    """One connection to a gateway."""

    def __init__(self, address: LineAddress) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._until = 0.0  # when the waiter gives up
        self._timer: asyncio.TimerHandle | None = None
        self._rings = 0.0  # when the timer does
        self._broken: LineDown | None = None
        self._gone = self._loop.create_future()

    # -- called by the transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            keep_alive(sock)

    @override
    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > MAX_UNREAD and self._transport is not None:
            self._transport.pause_reading()  # a babbling gateway fills its own memory, not ours
            self._paused = True
        self._wake()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._broken = LineDown(
            f"{self._address.host}:{self._address.port} broke the connection off"
            f"{f' ({exc})' if exc else ''}; the hub connects again at the next try."
        )
        self._wake()
        if not self._gone.done():
            self._gone.set_result(None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- called by the line

    async def send(self, data: bytes, /) -> None:
        transport = self._open()
        transport.write(data)
        if transport.get_write_buffer_size() > MAX_UNSENT:
            raise LineDown(
                f"{self._address.host}:{self._address.port} takes no more bytes; "
                "restart the gateway."
            )

    async def receive(self, timeout: float, /) -> bytes:  # noqa: ASYNC109 - a wait of the wire
        if not self._unread:
            self._open()
            self._until = self._loop.time() + timeout
            if self._timer is None or self._until < self._rings:
                self._wind_up()
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
            if not self._unread:
                self._open()
        return self._take()

    # One timer serves many waits: as a rule the answer comes long before it rings, and setting
    # and cancelling one for each would cost more than all else that is done here.

    def _wind_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = self._until
        self._timer = self._loop.call_at(self._rings, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._until <= self._rings:
            self._wake()
        else:
            self._wind_up()

    async def drain(self) -> bytes:
        data = self._take()
        self._open()
        return data

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await asyncio.shield(self._gone)

    def _take(self) -> bytes:
        data, self._unread = self._unread, b""
        if self._paused and self._transport is not None:
            self._transport.resume_reading()
            self._paused = False
        return data

    def _open(self) -> asyncio.Transport:
        if self._broken is not None:
            raise self._broken
        if self._transport is None:
            raise LineDown(f"The connection to {self._address.host} is closed.")
        return self._transport


async def open_tcp(address: LineAddress) -> TcpLink:
    """Connect; ``LineDown`` with a plain sentence if that can't be done within ten seconds."""
    loop = asyncio.get_running_loop()
    link = TcpLink(address)
    try:
        async with asyncio.timeout(CONNECT_S):
            await loop.create_connection(lambda: link, address.host, address.port)
    except UnicodeError as error:
        raise LineDown(f"'{address.host}' can't be a host's name; check it.") from error
    except OSError as error:
        raise explained(error, address) from error
    return link
