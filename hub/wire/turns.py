"""Turns on one line: the most urgent waits shortest, equals in the order of coming."""

import asyncio
import heapq
import itertools


class Turns:
    """Who may use the line now. Free turns are taken without a task or a future."""

    def __init__(self) -> None:
        self._taken = False
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def take_free(self) -> bool:
        """Take the turn if nobody has it."""
        if self._taken:
            return False
        self._taken = True
        return True

    async def take(self, priority: int) -> None:
        """Wait for the turn; a higher ``priority`` goes first."""
        if self.take_free():
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.pass_on()  # it came just as we stopped waiting for it
            raise

    def pass_on(self) -> None:
        """Give the turn to the next who still waits, or nobody."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
