"""Pauses of many lines: one timer for all pauses of one length.

Pauses of one length end in the order in which they began, so a queue is enough, and a loop with
a thousand lines has one timer for them instead of a thousand in a heap.
"""

import asyncio
from collections import deque
from weakref import WeakKeyDictionary


class Pauses:
    """Pauses of one length on one event loop."""

    __slots__ = ("_loop", "_resting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._resting: deque[tuple[float, asyncio.Future[None]]] = deque()

    async def until(self, at: float) -> None:
        """Return when the loop's clock shows ``at``."""
        resting = self._resting
        if resting and at < resting[-1][0]:
            await asyncio.sleep(at - self._loop.time())  # it began before those that wait
            return
        waiter = self._loop.create_future()
        resting.append((at, waiter))
        if len(resting) == 1:
            self._loop.call_at(at, self._ring)
        await waiter

    def _ring(self) -> None:
        resting = self._resting
        # a loop calls at the tick of its clock that is next to the time asked for
        now = max(self._loop.time(), resting[0][0])
        while resting and resting[0][0] <= now:
            waiter = resting.popleft()[1]
            if not waiter.done():
                waiter.set_result(None)
        if resting:
            self._loop.call_at(resting[0][0], self._ring)


_ON: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Pauses]] = WeakKeyDictionary()


def pauses(seconds: float) -> Pauses:
    """Return those of this length on the running loop."""
    loop = asyncio.get_running_loop()
    of_loop = _ON.setdefault(loop, {})
    if seconds not in of_loop:
        of_loop[seconds] = Pauses(loop)
    return of_loop[seconds]
