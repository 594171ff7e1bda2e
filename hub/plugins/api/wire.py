"""What a driver may say to the line: ask, rest, and how a reply is recognised."""

import types
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a frame rule makes of the bytes so far."""

    length: int = 0  # a whole frame of this many bytes; 0: not yet
    sure: bool = True  # False: accept it only if the line now stays quiet
    skip: int = 0  # this many leading bytes cannot begin a frame


NEED_MORE = Verdict()
FrameRule: TypeAlias = Callable[[bytes], Verdict]

# Bytes, or a function of the instant of sending: clock writes are built last.
Request: TypeAlias = bytes | Callable[[datetime], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request and how its reply will be recognised."""

    request: Request
    rule: FrameRule | None  # None: a broadcast, nobody answers
    timeout: float | None = None  # None: from the driver's timing and the line
    mutating: bool = False  # never repeated, never guessed at
    hide: tuple[slice, ...] = ()  # request bytes that stay out of every log


@dataclass(frozen=True, slots=True)
class Rest:
    """Keep the line quiet."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    frame: bytes
    sent_at: datetime
    received_at: datetime


Step: TypeAlias = Ask | Rest
Talk: TypeAlias = Coroutine[Any, Any, T]  # awaits ask() and rest(), nothing else


@types.coroutine
def ask(
    request: Request,
    rule: FrameRule,
    *,
    timeout: float | None = None,
    mutating: bool = False,
    hide: tuple[slice, ...] = (),
) -> Generator[Step, Reply, Reply]:
    """Send a request, return its reply, or raise a LinkError."""
    return (yield Ask(request=request, rule=rule, timeout=timeout, mutating=mutating, hide=hide))


@types.coroutine
def tell(request: Request, *, mutating: bool = False) -> Generator[Step, Reply, datetime]:
    """Send to everybody, whom nobody answers; return the instant of sending."""
    reply = yield Ask(request=request, rule=None, mutating=mutating)
    return reply.sent_at


@types.coroutine
def rest(seconds: float) -> Generator[Step, Reply, None]:
    """Let the meter think."""
    yield Rest(seconds)
