"""Conversations without ``async``: for scripts, migrations and batches.

``run_blocking`` pumps a driver's conversation against any function; ``BlockingLine`` is such a
function over the production line, with its repeats, its quarantine and its log. Reads only: a
script has no consent to change a meter.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from hub.errors import Abandoned, ContractBroken, LinkError
from hub.plugins.api.meter import DriverSpec
from hub.plugins.api.wire import Ask, Reply, Rest, Talk
from hub.wire.address import LineAddress, parse_line
from hub.wire.capture import WireLog
from hub.wire.line import Line, Seat
from hub.wire.links import Links
from hub.wire.runner import CLOSING_FRAMES, CLOSING_STEPS, Conversation, rest_s

T = TypeVar("T")

DEADLINE_S = 3600.0
BUDGET = 100_000
CALL_S = 180.0  # how long a gateway that calls us is waited for


def run_blocking(
    talk: Talk[T],
    exchange: Callable[[Ask], Reply],
    *,
    deadline: float = DEADLINE_S,
    budget: int = BUDGET,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Run a conversation to its end and return its result.

    As ``runner.run``: what the driver raises comes out unchanged; ``Abandoned`` past the
    ``deadline`` (seconds from now), ``ContractBroken`` for a foreign await or a spent ``budget``;
    then, and after Ctrl-C, the driver may send two closing frames.
    """
    conversation: Conversation[T] = Conversation(talk)
    try:
        return _pump(conversation, exchange, time.monotonic() + deadline, budget, sleep)
    except (KeyboardInterrupt, ContractBroken):
        _say_goodbye(conversation, exchange)
        raise
    except _OverdueError:
        _say_goodbye(conversation, exchange)
        raise Abandoned(
            f"The visit did not end within its {deadline:g} s and was stopped; "
            "what was read is kept."
        ) from None
    finally:
        conversation.close()


class BlockingLine:
    """A line for one meter, used from ordinary code: give it to ``run_blocking``.

    Closed by the ``with`` block. One thread; not from within a running event loop.
    """

    def __init__(
        self,
        line: str | LineAddress,
        spec: DriverSpec[Any],
        *,
        key: str = "meter",
        repeats: int = 2,
        log: WireLog | None = None,
    ) -> None:
        self.address = parse_line(line) if isinstance(line, str) else line
        self._spec = spec
        self._key = key
        self._repeats = repeats
        self._log = log
        self._runner = asyncio.Runner()
        self._closed = False
        self._seat: Seat | None = None
        self._line: Line | None = None
        self._links: Links | None = None

    def __call__(self, step: Ask, /) -> Reply:
        """Do one ask; LinkError if the line did not carry it. Opened at the first."""
        return self._runner.run(self._ask(step))

    async def _ask(self, step: Ask) -> Reply:
        if self._seat is None:
            self._links = Links(patience_s=CALL_S)
            self._line = Line(self._links.open, self.address, repeats=self._repeats, log=self._log)
            self._seat = self._line.seat(
                self._spec.timing(self.address.baud),
                interleave=self._spec.interleave,
                is_mutating=self._spec.is_mutating,
                key=self._key,
            )
        return await self._seat(step)

    async def _close(self) -> None:
        if self._seat is not None and self._line is not None and self._links is not None:
            self._seat.release()
            await self._line.close()
            await self._links.close()

    def close(self) -> None:
        """Let go of the line; may be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._runner.run(self._close())
        finally:
            self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _OverdueError(Exception):
    """The deadline has passed."""


def _pump(
    conversation: "Conversation[T]",
    exchange: Callable[[Ask], Reply],
    ends: float,
    budget: int,
    sleep: Callable[[float], None],
) -> T:
    reply: Reply | None = None
    trouble: BaseException | None = None
    for _ in range(budget):
        try:
            step = conversation.step(reply, trouble)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.monotonic() >= ends:
            raise _OverdueError
        reply = trouble = None
        if isinstance(step, Rest):
            sleep(rest_s(step))
            continue
        try:
            reply = exchange(step)
        except LinkError as error:
            trouble = error
    raise ContractBroken(
        f"The driver took more than {budget} steps in one conversation; "
        "report it to the plugin's maker."
    )


def _say_goodbye(conversation: "Conversation[Any]", exchange: Callable[[Ask], Reply]) -> None:
    """Let the driver send its closing frames, twice at most."""
    reply: Reply | None = None
    trouble: BaseException | None = Abandoned()
    frames = 0
    for _ in range(CLOSING_STEPS):
        if conversation.done:
            return
        try:
            step = conversation.step(reply, trouble)
        except Exception:  # noqa: BLE001 - the reason for leaving matters more
            return
        reply = trouble = None
        if isinstance(step, Ask):
            if frames == CLOSING_FRAMES:
                return
            frames += 1
            try:
                reply = exchange(step)
            except LinkError as error:
                trouble = error
