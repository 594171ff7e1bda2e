"""Time that jumps: months of production code on an in-memory line in seconds.

``run_virtual(main(), start)`` runs a coroutine on a loop whose clock moves only when nothing is
left to do, straight to the next timer. ``VirtualLink`` joins the production ``Line`` to a
simulator with byte times of a baud rate and the faults of ``hub.wire.faults``.
"""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from hub.errors import LineDown
from hub.plugins.api import Simulator
from hub.wire.address import LineAddress
from hub.wire.faults import Faults
from hub.wire.link import Link
from hub.wire.serve import together

T = TypeVar("T")

CHUNK_S = 0.01  # a port hands bytes over in pieces of about so long


class StuckError(RuntimeError):
    """Everybody waits, and nobody has set a timer."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: moves its loop's clock by the time that it was asked to wait."""

    loop: "VirtualLoop"

    def select(self, timeout=None):
        if timeout is None:
            raise StuckError("all tasks wait for something that no timer will bring")
        self.loop.jump(max(timeout, 0.0))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is made of timers. Threads are not: executors run inline."""

    def __init__(self, start: datetime) -> None:
        self._virtual_s = 0.0
        self._start = start
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)
        # a year of seconds has no room for nanoseconds: timers would be due and never run
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._virtual_s

    def now(self) -> datetime:
        """Return the aware instant that the loop's clock stands for."""
        return self._start + timedelta(seconds=self._virtual_s)

    def jump(self, seconds: float) -> None:
        self._virtual_s += seconds

    def run_in_executor(self, executor, func, *args):
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - belongs to whoever awaits it
            done.set_exception(error)
        return done


def run_virtual(main: Coroutine[Any, Any, T], start: datetime) -> T:
    """Run ``main`` from the instant ``start`` on and return its result."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(start)) as runner:
        return runner.run(main)


def virtual_now() -> datetime:
    """Return the present instant of the running virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.now()


class VirtualLink:
    """A link in memory. One object is one wire: bytes take their time and collide with nobody."""

    def __init__(
        self,
        simulator: Simulator,
        now: Callable[[], datetime] = virtual_now,
        *,
        baud: int = 9600,
        faults: Faults | None = None,
    ) -> None:
        self._simulator = simulator
        self._now = now
        self._char_s = 10 / baud
        self._chunk = max(1, int(CHUNK_S / self._char_s))
        self._faults = faults or Faults()
        self._clock = asyncio.get_running_loop().time
        self._coming: deque[tuple[float, bytes]] = deque()  # when the first byte has come, bytes
        self._closed = False

    async def send(self, data: bytes, /) -> None:
        self._alive()
        began = self._clock()
        ends = began + len(data) * self._char_s
        if self._faults.echo:
            self._bring(began, data)
        request = self._faults.request(data)
        if request is None:
            return
        at = self._now() + timedelta(seconds=ends - began)
        for delay, frame in together(self._simulator.receive(request, at)):
            answer = self._faults.answer(frame)
            if answer is not None:
                self._bring(ends + delay + answer[0], answer[1])

    async def receive(self, timeout: float, /) -> bytes:  # noqa: ASYNC109 - as the protocol has it
        self._alive()
        ends = self._clock() + max(timeout, 0.0)
        if self._coming and self._coming[0][0] <= ends:
            first, data = self._coming[0]
            wait = first + min(len(data), self._chunk) * self._char_s - self._clock()
            if wait > 0:
                await asyncio.sleep(wait)
            return self._take()
        await asyncio.sleep(ends - self._clock())
        return b""

    async def drain(self) -> bytes:
        self._alive()
        return self._take()

    async def close(self) -> None:
        self._closed = True

    def _alive(self) -> None:
        if self._closed:
            raise LineDown("The virtual line is closed.")

    def _bring(self, at: float, data: bytes) -> None:
        self._coming.append((at, data))
        self._coming = deque(sorted(self._coming, key=lambda burst: burst[0]))

    def _take(self) -> bytes:
        now = self._clock() + 1e-6  # a month of seconds leaves a float no more
        taken = b""
        while self._coming and self._coming[0][0] + self._char_s <= now:
            first, data = self._coming.popleft()
            count = min(len(data), int((now - first) / self._char_s))
            taken += data[:count]
            if count < len(data):
                self._coming.appendleft((first + count * self._char_s, data[count:]))
                break
        return taken


def virtual_line(
    simulator: Simulator, *, baud: int = 9600, faults: Faults | None = None
) -> tuple[Callable[[LineAddress], Coroutine[Any, Any, Link]], LineAddress]:
    """Return what ``Line`` wants: a way to open the in-memory line, and its address.

    Opened again it is the same wire: what was on its way is still coming.
    """
    links: list[VirtualLink] = []

    async def open_link(address: LineAddress) -> Link:
        if links:
            links[0]._closed = False
        else:
            links.append(VirtualLink(simulator, baud=baud, faults=faults))
        return links[0]

    echo = faults is not None and faults.echo
    return open_link, LineAddress("serial", device="/dev/virtual", baud=baud, echo=echo)
