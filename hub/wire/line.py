"""One line, many meters: whose turn it is, what may leave, and which bytes are the answer.

The rules are those of the plugin paper: one ask at a time; drain before sending; an address that
did not answer is left alone for as long as a late reply may come; repeats of reads only, after
silence or damage, and once when the link broke; what changes a meter leaves only under a consent
to that very act; the lease is looked at before every ask; every exchange is logged with its
secrets masked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from hub.errors import (
    ContractBroken,
    FrameGarbled,
    LineBusy,
    LineDown,
    LinkError,
    ReplyTimeout,
)
from hub.plugins.api.meter import Timing
from hub.plugins.api.wire import Ask, Reply
from hub.wire.address import LineAddress
from hub.wire.capture import MASK, Exchanged, WireLog
from hub.wire.link import Link
from hub.wire.listen import MAX_REPLY_BYTES, Ear
from hub.wire.pauses import pauses
from hub.wire.turns import Turns

PATIENCE = 3  # more repeats for a meter that was heard in this visit: it is there, in noise
QUIET_CHARS = 4  # silence in characters that ends a frame, whatever the driver says
LONGEST_PAUSE_S = 2.0  # what a reply may lose in pauses on its way

_VERDICTS: dict[type[Exception], str] = {
    ReplyTimeout: "timeout",
    FrameGarbled: "garbled",
    ContractBroken: "refused",
}


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class LineStats:
    """Counters since the line was made."""

    asks: int = 0  # frames sent, repeats included
    repeats: int = 0
    timeouts: int = 0
    garbled: int = 0
    reconnects: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    bytes_unasked: int = 0
    wire_s: float = 0.0  # from the first byte out to the end of the reply, failures included

    def count(self, bytes_out: int, bytes_in: int, seconds: float, verdict: str) -> None:
        """Add one attempt."""
        self.asks += 1
        self.bytes_out += bytes_out
        self.bytes_in += bytes_in
        self.wire_s += seconds
        self.timeouts += verdict == "timeout"
        self.garbled += verdict == "garbled"


class Line:
    """One physical line. Opened at the first ask; one event loop, any number of seats.

    ``repeats``: how often a read is tried again after silence or damage; from a meter that has
    answered in this visit it is ``PATIENCE`` more, if it is any at all. ``lease``: True while
    this process may be the line's master; asked before every frame.
    """

    def __init__(
        self,
        link_factory: Callable[[LineAddress], Awaitable[Link]],
        address: LineAddress,
        *,
        log: WireLog | None = None,
        repeats: int = 2,
        lease: Callable[[], bool] | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.address = address
        self.repeats = repeats
        self.stats = LineStats()
        self._name = str(address)
        self._char_s = address.char_s
        self._longest_s = MAX_REPLY_BYTES * self._char_s + LONGEST_PAUSE_S  # after the first byte
        self._open_link = link_factory
        self._log = log
        self._lease = lease
        self._now = now
        self._turns = Turns()
        self._link: Link | None = None
        self._closed = False
        self._quarantine: dict[str, float] = {}
        self._last_byte = 0.0  # of either side; whoever speaks next keeps a gap from it
        self._hush = False  # the last request held a secret; its echo may come at any time

    def seat(
        self,
        timing: Timing,
        *,
        interleave: bool = True,
        is_mutating: Callable[[bytes], bool],
        act: Callable[[bytes], str | None] = lambda _request: None,
        priority: int = 0,
        key: str,
    ) -> "Seat":
        """Make a place on the line for one visit to the meter ``key``.

        A higher ``priority`` is served first. ``interleave=False`` keeps the line from the first
        ask until ``release()``.
        """
        return Seat(
            self,
            timing,
            interleave=interleave,
            is_mutating=is_mutating,
            act=act,
            priority=priority,
            key=key,
        )

    async def close(self) -> None:
        """Close the link for good; asks that come later are ``LineDown``.

        Waits until no late reply can come any more: whoever opens the line next would take it
        for an answer.
        """
        self._closed = True
        try:
            if self._link is not None and self._quarantine:
                clock = asyncio.get_running_loop().time
                await asyncio.sleep(max(0.0, max(self._quarantine.values()) - clock()))
        finally:
            await self._drop_link()
            if self._log is not None:
                self._log.flush()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # -- the way of one ask

    async def ask(self, seat: "Seat", step: Ask, repeats: int) -> Reply:
        """Do one ask for a seat; between its repeats others may have the line."""
        if seat.asking:
            raise RuntimeError("a seat serves one conversation at a time")
        seat.asking, seat.broke = True, False
        renewed = False
        try:
            while True:
                if self._quarantine or not (seat.holding or self._turns.take_free()):
                    await self._my_turn(seat)
                seat.holding = not seat.interleave
                try:
                    reply = await self._attempt(seat, step)
                except (ReplyTimeout, FrameGarbled):
                    if not repeats:
                        seat.heard = False
                        raise
                    repeats -= 1
                    self.stats.repeats += 1
                except LineDown:
                    # Gateways drop calls: once in an ask a new one is made. If that can't be, or
                    # it breaks as well, the line is down.
                    if not (repeats and seat.broke) or renewed:
                        raise
                    renewed, seat.broke = True, False
                    self.stats.repeats += 1
                    self.stats.reconnects += 1
                else:
                    seat.heard = seat.heard or step.rule is not None
                    return reply
                finally:
                    if seat.interleave:
                        self._turns.pass_on()
        finally:
            seat.asking = False

    async def _my_turn(self, seat: "Seat") -> None:
        """Return with the turn taken and nothing late to come from this address any more."""
        clock = seat.clock
        while True:
            wait = self._quarantine.get(seat.key, 0.0) - clock()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            if not seat.holding:
                await self._turns.take(seat.priority)
                if self._quarantine.get(seat.key, 0.0) > clock():
                    self._turns.pass_on()
                    continue
            self._quarantine.pop(seat.key, None)
            return

    def give_back(self) -> None:
        """Take the line back from the seat that held it."""
        self._turns.pass_on()

    async def _attempt(self, seat: "Seat", step: Ask) -> Reply:
        link = self._link
        if link is None:
            self._check_lease()
            link = await self._connect()
        clock = seat.clock
        quiet_at = self._last_byte + seat.gap_s
        if quiet_at > clock():
            await seat.pauses.until(quiet_at)
        try:
            stray = await link.drain()
        except LineDown:
            link, stray = await self._reconnected()
        if stray:
            self._note_unasked(stray)
        self._check_lease()
        at = self._now()
        request = _built(step, seat, at)
        self._hush = bool(step.hide)
        began = clock()
        ear = Ear(clock, self._now, echo=request if self.address.echo else b"")
        verdict = "cancelled"
        first_s = 0.0
        try:
            await link.send(request)
            sending_s = len(request) * self._char_s
            if step.rule is None:
                await asyncio.sleep(sending_s)
                verdict = ""
                return Reply(b"", at, self._now())
            first_s = sending_s + seat.first_byte_s(step.timeout)
            frame = await ear.listen(
                link,
                step.rule,
                first_s=first_s,
                quiet_s=seat.quiet_s,
                longest_s=first_s + self._longest_s,
            )
            verdict = ""
            return Reply(frame, at, ear.heard_at)
        except (LinkError, ContractBroken) as error:
            verdict = _VERDICTS.get(type(error), "down")
            if verdict == "down":
                seat.broke = True
                await self._drop_link()
            raise
        finally:
            ended = self._last_byte = clock()
            self.stats.count(len(request), len(ear.received), ended - began, verdict)
            if verdict:
                self._quarantine[seat.key] = max(began + first_s, ended) + seat.late_reply_s
            if self._log is not None:
                self._log.exchange(
                    Exchanged(
                        line=self._name,
                        key=seat.key,
                        sent_at=at,
                        request=request,
                        received=ear.received,
                        verdict=verdict,
                        seconds=ended - began,
                        hide=step.hide,
                    )
                )

    def _check_lease(self) -> None:
        if self._lease is not None and not self._lease():
            raise LineBusy(
                f"The lease of {self._name} has run out, so another collector may hold the line; "
                "the visit ends here and goes on when the lease is ours again."
            )

    # -- the link

    async def _connect(self) -> Link:
        if self._closed:
            raise LineDown(f"The line {self._name} is closed.")
        link = await self._open_link(self.address)
        self._link = link
        if self._log is not None:
            self._log.note(self._now(), self._name, "open")
        return link

    async def _reconnected(self) -> tuple[Link, bytes]:
        """Return a fresh link for one that broke, and what came on it at once."""
        await self._drop_link()
        self.stats.reconnects += 1
        link = await self._connect()
        return link, await link.drain()

    def _note_unasked(self, stray: bytes) -> None:
        self.stats.bytes_unasked += len(stray)
        if self._log is not None:
            shown = " ".join([MASK] * len(stray)) if self._hush else stray.hex(" ").upper()
            self._log.note(self._now(), self._name, f"unasked: {shown}")

    async def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()


class Seat:
    """One meter's way of doing asks: the ``Exchange`` that the runner takes.

    ``with line.seat(…) as exchange:`` gives the line back at the end of the visit.
    """

    __slots__ = (
        "_delay_s",
        "_first_s",
        "_line",
        "act",
        "asking",
        "broke",
        "clock",
        "gap_s",
        "heard",
        "holding",
        "interleave",
        "is_mutating",
        "key",
        "late_reply_s",
        "leave",
        "pauses",
        "priority",
        "quiet_s",
    )

    def __init__(
        self,
        line: Line,
        timing: Timing,
        *,
        interleave: bool,
        is_mutating: Callable[[bytes], bool],
        act: Callable[[bytes], str | None],
        priority: int,
        key: str,
    ) -> None:
        address = line.address
        self._line = line
        self.asking = False
        self.broke = False  # the link broke in this seat's last attempt
        self._delay_s = 2 * address.delay_s  # there and back
        self._first_s = timing.first_byte_s
        self.clock = asyncio.get_running_loop().time
        self.gap_s = max(timing.gap_s, address.gap_s)
        self.pauses = pauses(self.gap_s)
        self.quiet_s = quiet_s(timing, address)
        self.late_reply_s = timing.late_reply_s
        self.interleave = interleave
        self.is_mutating = is_mutating
        self.act = act
        self.leave = ""  # the act that may leave now
        self.priority = priority
        self.key = key
        self.holding = False
        self.heard = False

    def __call__(self, step: Ask, /) -> Coroutine[Any, Any, Reply]:
        """Do one ask, repeated as the line's policy says if it only reads."""
        repeats = 0 if step.mutating else self._line.repeats
        return self._line.ask(self, step, repeats + PATIENCE if repeats and self.heard else repeats)

    def once(self, step: Ask, /) -> Coroutine[Any, Any, Reply]:
        """Do one ask and never repeat it."""
        return self._line.ask(self, step, 0)

    async def write(self, step: Ask, act: str, /) -> Reply:
        """Do one mutating ask, never repeated; its bytes have to be of this act."""
        self.leave = act
        try:
            return await self._line.ask(self, step, 0)
        finally:
            self.leave = ""

    def first_byte_s(self, timeout: float | None) -> float:
        """How long the meter and the way there and back may take until the first byte."""
        return (self._first_s if timeout is None else timeout) + self._delay_s

    def release(self) -> None:
        """Leave the line to others; may be called twice, and asked again after it."""
        if self.holding:
            self.holding = False
            self._line.give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def quiet_s(timing: Timing, address: LineAddress) -> float:
    """Say what silence ends a frame: in characters on a port, in latency over a network."""
    own = max(timing.gap_s, timing.quiet_s, QUIET_CHARS * address.char_s)
    return own + address.delay_s if address.kind == "serial" else max(own, address.delay_s)


def _built(step: Ask, seat: Seat, at: datetime) -> bytes:
    """Return the request's bytes, if they may leave."""
    try:
        request = step.request(at) if callable(step.request) else step.request
        mutating = step.mutating or seat.is_mutating(request)
        allowed = not mutating or (seat.leave and seat.act(request) == seat.leave)
    except Exception as error:
        raise ContractBroken(
            f"The driver could not build its request ({type(error).__name__}: {error}); "
            "report it to the plugin's maker."
        ) from error
    if not request:
        raise ContractBroken("The driver asked with no bytes; report it to the plugin's maker.")
    if not allowed:
        doing = f"with leave for '{seat.leave}' only" if seat.leave else "while reading"
        raise ContractBroken(
            f"The driver tried to send a frame that changes the meter {doing}; "
            "nothing was sent. Report it to the plugin's maker."
        )
    return request
