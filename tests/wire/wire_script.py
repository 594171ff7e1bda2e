"""A link that plays a script on virtual time, and helpers around it."""

import asyncio
from datetime import UTC, datetime

from virtual_time import run_virtual, virtual_now

from hub.wire.address import LineAddress
from hub.wire.capture import WireLog
from hub.wire.line import Line

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SERIAL = LineAddress("serial", device="/dev/ttyUSB0")


class Scripted:
    """Answers the n-th request with the n-th script: (seconds after it, bytes) pairs."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.sent = []  # (seconds, bytes)
        self.coming = []  # (seconds, bytes), sorted
        self.breaks = None  # raised by the next call
        self.closed = 0
        self.clock = asyncio.get_running_loop().time

    def _check(self):
        if self.breaks is not None:
            error, self.breaks = self.breaks, None
            raise error

    async def send(self, data, /):
        self._check()
        at = self.clock()
        self.sent.append((at, data))
        script = self.scripts.pop(0) if self.scripts else ()
        if callable(script):
            script = script(data)
        self.coming = sorted([*self.coming, *((at + after, piece) for after, piece in script)])

    async def receive(self, timeout, /):  # noqa: ASYNC109 - as the protocol has it
        self._check()
        ends = self.clock() + timeout
        if self.coming and self.coming[0][0] <= ends:
            await asyncio.sleep(max(0, self.coming[0][0] - self.clock()))
            return self.coming.pop(0)[1]
        await asyncio.sleep(timeout)
        return b""

    async def drain(self):
        self._check()
        taken = b"".join(piece for at, piece in self.coming if at <= self.clock())
        self.coming = [(at, piece) for at, piece in self.coming if at > self.clock()]
        return taken

    async def close(self):
        self.closed += 1


def on_line(main, *scripts, address=SERIAL, **line):
    """Run ``main(line, link)`` on virtual time over a scripted link."""

    async def whole():
        link = Scripted(*scripts)

        async def open_link(_address):
            return link

        async with Line(
            open_link, address, log=line.pop("log", WireLog()), now=virtual_now, **line
        ) as made:
            return await main(made, link)

    return run_virtual(whole(), START)
