"""Virtual meters on TCP ports and ptys: a simulator's bytes on a real line, with its faults.

A meter knows the end of a request by silence, so a request is handed to the simulator only when
the sender has been quiet for ``quiet_s``, however it was cut into segments.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from typing_extensions import override

from hub.errors import BadLine
from hub.plugins.api.meter import Simulator
from hub.wire.address import LineAddress
from hub.wire.faults import Faults
from hub.wire.line import utc_now
from hub.wire.trouble import explained

QUIET_S = 0.003
MAX_REQUEST_BYTES = 4096
READ_BYTES = 4096
CALL_AGAIN_S = 1.0


@contextlib.asynccontextmanager
async def serving(
    simulator: Simulator,
    listen: LineAddress | None,
    *,
    faults: Faults | None = None,
    now: Callable[[], datetime] = utc_now,
    quiet_s: float = QUIET_S,
) -> AsyncGenerator[LineAddress]:
    """Put a simulator on a line; gives the address at which it answers.

    ``listen``: a TCP address, port 0 for any free one; None: a new pty. On TCP any number of
    connections may come, at once or one after another; they share the meters. Of a line whose
    gateway calls, this is the gateway: it calls the hub, says its name, and calls again.
    """
    line = _VirtualLine(simulator, faults or Faults(), now, quiet_s)
    if listen is None:
        async with _on_pty(line) as address:
            yield address
    elif listen.kind == "tcp":
        async with _on_tcp(line, listen) as address:
            yield address
    elif listen.kind == "listen":
        async with _calling(line, listen):
            yield listen
    else:
        raise BadLine(
            "Virtual meters listen at tcp://host:port, call as the gateway of "
            "listen://host:port/NAME, or are on a new pty; they can't be put on an existing port."
        )


async def serve(
    simulator: Simulator,
    listen: LineAddress | None,
    *,
    faults: Faults | None = None,
    now: Callable[[], datetime] = utc_now,
    ready: Callable[[LineAddress], None] | None = None,
) -> None:
    """Serve until cancelled; ``ready`` is told the address once it answers."""
    async with serving(simulator, listen, faults=faults, now=now) as address:
        if ready is not None:
            ready(address)
        await asyncio.get_running_loop().create_future()


def together(answers: Sequence[tuple[float, bytes]]) -> Sequence[tuple[float, bytes]]:
    """Put answers of several meters to one request on one wire, where they spoil each other.

    The dominant level of a bus is the zero: of two bits at a time the wire carries their AND.
    """
    if not answers[1:]:
        return answers
    mixed = bytearray()
    for _, frame in answers:
        mixed += b"\xff" * (len(frame) - len(mixed))
        for place, byte in enumerate(frame):
            mixed[place] &= byte
    return [(min(delay for delay, _ in answers), bytes(mixed))]


class _VirtualLine:
    """What all ways to one group of virtual meters share."""

    def __init__(
        self,
        simulator: Simulator,
        faults: Faults,
        now: Callable[[], datetime],
        quiet_s: float,
    ) -> None:
        self.simulator = simulator
        self.faults = faults
        self.now = now
        self.quiet_s = quiet_s


class _Ear:
    """One way in: gathers a request until it is quiet, sends the answers when they are due."""

    def __init__(self, line: _VirtualLine, write: Callable[[bytes], None]) -> None:
        self._line = line
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._request = bytearray()
        self._quiet: asyncio.TimerHandle | None = None
        self._due: set[asyncio.TimerHandle] = set()

    def hear(self, data: bytes) -> None:
        self._request += data
        del self._request[MAX_REQUEST_BYTES:]  # no meter's buffer is longer
        if self._quiet is not None:
            self._quiet.cancel()
        heard = self._loop.time()
        self._quiet = self._loop.call_at(heard + self._line.quiet_s, self._answer, heard)

    def stop(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        for handle in self._due:
            handle.cancel()
        self._due.clear()

    def _answer(self, heard: float) -> None:
        line = self._line
        sent = bytes(self._request)
        self._request.clear()
        if line.faults.echo:
            self._write(sent)
        request = line.faults.request(sent)
        if request is None:
            return
        for delay, frame in together(line.simulator.receive(request, line.now())):
            answer = line.faults.answer(frame)
            if answer is not None:
                self._later(heard + delay + answer[0], answer[1])

    def _later(self, at: float, data: bytes) -> None:
        if at <= self._loop.time():
            self._write(data)
            return

        def speak() -> None:
            self._due.discard(handle)
            self._write(data)

        handle = self._loop.call_at(at, speak)
        self._due.add(handle)


class _Connection(asyncio.Protocol):
    def __init__(self, line: _VirtualLine, all_of_them: "set[_Connection]") -> None:
        self._all = all_of_them
        self._ear = _Ear(line, self.write)
        self.transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._all.add(self)

    @override
    def data_received(self, data: bytes) -> None:
        self._ear.hear(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._ear.stop()
        self._all.discard(self)
        self.gone.set()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


@contextlib.asynccontextmanager
async def _on_tcp(line: _VirtualLine, listen: LineAddress) -> AsyncIterator[LineAddress]:
    connections: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: _Connection(line, connections), listen.host, listen.port
        )
    except OSError as error:
        raise explained(error, listen, listening=True) from error
    try:
        yield replace(listen, port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in list(connections):
            if connection.transport is not None:
                connection.transport.abort()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def _calling(line: _VirtualLine, hub: LineAddress) -> AsyncIterator[None]:
    calls: set[_Connection] = set()
    keeps_calling = asyncio.create_task(_call_on(line, hub, calls))
    try:
        yield
    finally:
        keeps_calling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeps_calling
        for call in list(calls):
            if call.transport is not None:
                call.transport.abort()


async def _call_on(line: _VirtualLine, hub: LineAddress, calls: "set[_Connection]") -> None:
    loop = asyncio.get_running_loop()
    hello = bytes.fromhex(hub.hello) if hub.hello else f"{hub.name}\r\n".encode()
    while True:
        with contextlib.suppress(OSError):
            _, call = await loop.create_connection(
                lambda: _Connection(line, calls), hub.host, hub.port
            )
            call.write(hello)
            await call.gone.wait()
        await asyncio.sleep(CALL_AGAIN_S)


@contextlib.asynccontextmanager
async def _on_pty(line: _VirtualLine) -> AsyncIterator[LineAddress]:
    loop = asyncio.get_running_loop()
    # our hold on the far end keeps the near one readable while no client has it open
    near, far = os.openpty()
    try:
        tty.setraw(far)
        os.set_blocking(near, False)

        def speak(data: bytes) -> None:
            # a full buffer means that nobody listens; a wire would not wait for them either
            with contextlib.suppress(BlockingIOError):
                os.write(near, data)

        def hear() -> None:
            with contextlib.suppress(BlockingIOError):
                ear.hear(os.read(near, READ_BYTES))

        ear = _Ear(line, speak)
        loop.add_reader(near, hear)
        try:
            yield LineAddress("serial", device=os.ttyname(far))
        finally:
            loop.remove_reader(near)
            ear.stop()
    finally:
        os.close(far)
        os.close(near)
