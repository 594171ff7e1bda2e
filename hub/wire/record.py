"""Recording what another master and its meters say: a proxy between the two.

The master connects to us by TCP, we have the line. Nobody tells where an exchange ends, so it ends
when the master speaks again, or when nothing more has come for a while.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from typing_extensions import override

from hub.wire.address import LineAddress
from hub.wire.capture import Exchanged, WireLog
from hub.wire.line import utc_now
from hub.wire.link import Link
from hub.wire.trouble import explained

LOOK_S = 0.01  # how soon bytes of the master are passed on
OVER_S = 3.0  # silence after which an exchange has ended
MOST_BYTES = 65536

Secrets = Callable[[bytes], Sequence[slice]]


@dataclass(slots=True)
class Recorded:
    """What was recorded so far."""

    exchanges: int = 0
    unanswered: int = 0
    masked: Counter[bytes] = field(default_factory=Counter)  # by a request's first two bytes
    samples: dict[bytes, bytes] = field(default_factory=dict, repr=False)  # one of each, unmasked


async def record(
    listen: LineAddress,
    link: Link,
    log: WireLog,
    *,
    line: LineAddress,
    secrets: Secrets,
    recorded: Recorded,
    ready: Callable[[LineAddress], None],
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Pass bytes between whoever connects to ``listen`` and the link, until cancelled.

    ``ready`` is told the address that is listened on; ``secrets`` which bytes of a request are
    masked. A newer master replaces the older one. LineDown if the line breaks; the link is closed
    in any case.
    """
    proxy = _Proxy(link, log, line=line, secrets=secrets, recorded=recorded, now=now)
    try:
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: _Master(proxy), listen.host, listen.port
            )
        except OSError as error:
            raise explained(error, listen, listening=True) from error
        async with server:
            ready(replace(listen, port=server.sockets[0].getsockname()[1]))
            try:
                await proxy.carry()
            finally:
                proxy.end()
    finally:
        await link.close()
        log.flush()


class _Proxy:
    def __init__(
        self,
        link: Link,
        log: WireLog,
        *,
        line: LineAddress,
        secrets: Secrets,
        recorded: Recorded,
        now: Callable[[], datetime],
    ) -> None:
        self.link = link
        self.log = log
        self.line = line
        self.secrets = secrets
        self.recorded = recorded
        self.now = now
        self.clock = asyncio.get_running_loop().time
        self.master: _Master | None = None
        self.to_line = bytearray()
        self.request = bytearray()
        self.answer = bytearray()
        self.asked_at = now()
        self.began = self.last = self.clock()

    async def carry(self) -> None:
        """Pass bytes on until cancelled; LineDown if the line breaks."""
        while True:
            if self.to_line:
                data, self.to_line = bytes(self.to_line), bytearray()
                self.heard_master(data)
                await self.link.send(data)
            data = await self.link.receive(LOOK_S)
            if data:
                self.heard_line(data)
            elif self.request and self.clock() - self.last > OVER_S:
                self.write()

    def heard_master(self, data: bytes) -> None:
        if self.answer or not self.request:
            self.write()
            self.asked_at, self.began = self.now(), self.clock()
        self.request += data
        self.last = self.clock()

    def heard_line(self, data: bytes) -> None:
        if self.master is not None:
            self.master.write(data)
        self.last = self.clock()
        if not self.request:
            self.log.note(self.now(), str(self.line), f"unasked: {len(data)} bytes")
        elif len(self.answer) < MOST_BYTES:
            self.answer += data

    def write(self) -> None:
        """Write the exchange down that has ended."""
        if not self.request:
            return
        request, answer = bytes(self.request), bytes(self.answer)
        self.request.clear()
        self.answer.clear()
        hide = tuple(self.secrets(request))
        self.recorded.exchanges += 1
        self.recorded.unanswered += not answer
        if hide:
            self.recorded.masked[request[:2]] += 1
            self.recorded.samples[request[:2]] = request
        self.log.exchange(
            Exchanged(
                line=str(self.line),
                key="",
                sent_at=self.asked_at,
                request=request,
                received=answer,
                verdict="" if answer else "timeout",
                seconds=self.last - self.began,
                hide=hide,
            )
        )

    def end(self) -> None:
        self.write()
        if self.master is not None:
            self.master.hang_up()


class _Master(asyncio.Protocol):
    """The connection of whoever asks."""

    def __init__(self, proxy: _Proxy) -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        older, self._proxy.master = self._proxy.master, self
        if older is not None:
            older.hang_up()

    @override
    def data_received(self, data: bytes) -> None:
        if self._proxy.master is self and len(self._proxy.to_line) < MOST_BYTES:
            self._proxy.to_line += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._proxy.master is self:
            self._proxy.master = None

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
