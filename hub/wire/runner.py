"""Runs a driver's conversation on asyncio: steps out, replies in, and always a goodbye."""

import asyncio
import math
from collections.abc import Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from hub.domain.consent import Consent
from hub.errors import Abandoned, ConsentSpent, ContractBroken, LinkError
from hub.plugins.api.wire import Ask, Reply, Rest, Step, Talk

T = TypeVar("T")

CLOSING_FRAMES = 2
CLOSING_STEPS = 8  # rests between the closing frames included
CLOSING_S = 15.0
CLOSING_REST_S = 1.0
CLOSE_ATTEMPTS = 20


class Exchange(Protocol):
    """One line's way of doing one Ask."""

    async def __call__(self, step: Ask, /) -> Reply: ...


@runtime_checkable
class SaysOnce(Protocol):
    """An exchange that can also be asked not to repeat: closing frames go out once."""

    async def once(self, step: Ask, /) -> Reply: ...


@runtime_checkable
class Writes(Protocol):
    """An exchange that can let the writes of one act through."""

    async def write(self, step: Ask, act: str, /) -> Reply: ...


class HeldConsent(Protocol):
    """An unspent stored consent for one meter and one act, handed to the runner by a service."""

    @property
    def consent(self) -> Consent: ...

    async def spend(self) -> bool:
        """Return True once, for whoever spends it first; False ever after."""


class _OverdueError(Exception):
    """The deadline passed while the driver let nobody else run."""


async def run(
    talk: Talk[T],
    exchange: Exchange,
    *,
    deadline: float,
    budget: int = 100_000,
    consent: HeldConsent | None = None,
) -> T:
    """Run a conversation to its end and return its result.

    ``deadline`` is in seconds from now, ``budget`` the most steps it may take. What the driver
    raises comes out unchanged. Past the deadline: ``Abandoned``. For a foreign await, a spent
    budget or an ask that may not leave: ``ContractBroken``. In those cases, and when this task
    is cancelled, ``Abandoned`` is thrown into the driver, which may send two closing frames;
    then it is closed.

    A mutating ask leaves only under ``consent``, which is spent before the first one and covers
    the writes of its act in this conversation: ``ConsentSpent`` if somebody spent it before.
    """
    conversation = Conversation(talk)
    limit = asyncio.timeout(deadline)
    writing = exchange if consent is None else _Writing(exchange, consent)
    try:
        async with limit:
            return await _pump(conversation, writing, limit.when() or math.inf, budget)
    except (_OverdueError, TimeoutError) as overdue:
        if isinstance(overdue, TimeoutError) and not limit.expired():
            raise
        reason = Abandoned(
            f"The visit did not end within its {deadline:g} s and was stopped; "
            "what was read is kept."
        )
        await _say_goodbye(conversation, exchange, reason)
        raise reason from overdue
    except (asyncio.CancelledError, ContractBroken, ConsentSpent) as reason:
        await _say_goodbye(conversation, exchange, reason)
        raise
    finally:
        conversation.close()


class _Writing:
    """An exchange under a consent: reads go as ever, writes spend it before they leave."""

    def __init__(self, exchange: Exchange, held: HeldConsent) -> None:
        if not isinstance(exchange, Writes):
            raise ContractBroken("This line can't send what changes a meter; nothing was sent.")
        self._exchange = exchange
        self._write = exchange.write
        self._held = held
        self._spent = False

    async def __call__(self, step: Ask, /) -> Reply:
        if not step.mutating:
            return await self._exchange(step)
        if not self._spent:
            if not await self._held.spend():
                raise ConsentSpent
            self._spent = True
        return await self._write(step, self._held.consent.act)


class Conversation(Generic[T]):
    """A driver's coroutine, and whether it has ended."""

    __slots__ = ("done", "talk")

    def __init__(self, talk: Talk[T]) -> None:
        if not isinstance(talk, Coroutine | Generator):
            raise ContractBroken(
                f"The driver returned {type(talk).__name__} where a conversation was due; "
                "its method must be 'async def'."
            )
        self.talk = talk
        self.done = False

    def step(self, reply: Reply | None, trouble: BaseException | None) -> Step:
        """Resume the driver and return its next step; ``StopIteration`` carries the result."""
        try:
            step = self.talk.send(reply) if trouble is None else self.talk.throw(trouble)
        except BaseException:
            self.done = True
            raise
        if isinstance(step, (Ask, Rest)):
            return step
        raise ContractBroken(
            f"The driver awaited {type(step).__name__}, which is neither ask() nor rest(); "
            "report it to the plugin's maker."
        )

    def close(self) -> None:
        """End the driver whatever it says; one that awaits in a finally is closed again."""
        for _ in range(CLOSE_ATTEMPTS):
            if self.done:
                return
            try:
                self.talk.close()
            except RuntimeError:
                continue  # it awaited in a finally: closed again from there
            self.done = True


async def _pump(conversation: "Conversation[T]", exchange: Exchange, ends: float, budget: int) -> T:
    clock = asyncio.get_running_loop().time
    reply: Reply | None = None
    trouble: BaseException | None = None
    for _ in range(budget):
        try:
            step = conversation.step(reply, trouble)
        except StopIteration as end:
            result: T = end.value
            return result
        reply = trouble = None
        if clock() >= ends:
            raise _OverdueError
        if isinstance(step, Ask):
            try:
                reply = await exchange(step)
            except LinkError as error:
                trouble = error
        else:
            await asyncio.sleep(rest_s(step))
    raise ContractBroken(
        f"The driver took more than {budget} steps in one conversation; "
        "report it to the plugin's maker."
    )


async def _say_goodbye(
    conversation: "Conversation[Any]", exchange: Exchange, reason: BaseException
) -> None:
    """Let the driver send its closing frames, twice at most and never repeated."""
    if conversation.done:
        return
    say = exchange.once if isinstance(exchange, SaysOnce) else exchange
    reply: Reply | None = None
    trouble: BaseException | None = Abandoned()
    frames = 0
    try:
        async with asyncio.timeout(CLOSING_S):
            for _ in range(CLOSING_STEPS):
                step = conversation.step(reply, trouble)
                reply = trouble = None
                if isinstance(step, Rest):
                    await asyncio.sleep(min(rest_s(step), CLOSING_REST_S))
                    continue
                if frames == CLOSING_FRAMES:
                    return
                frames += 1
                try:
                    reply = await say(step)
                except LinkError as error:
                    trouble = error
    except (StopIteration, Abandoned):
        return
    except Exception as error:  # noqa: BLE001 - the reason for leaving matters more; this goes along
        reason.add_note(f"While saying goodbye: {type(error).__name__}: {error}")


def rest_s(step: Rest) -> float:
    if 0 <= step.seconds < math.inf:
        return step.seconds
    raise ContractBroken(f"The driver asked to rest for {step.seconds} s.")
