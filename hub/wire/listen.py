"""Hearing one reply: where it begins and ends is decided by its bytes, by silence last."""

from collections.abc import Callable
from datetime import datetime

from hub.errors import ContractBroken, FrameGarbled, ReplyTimeout
from hub.plugins.api.wire import FrameRule, Verdict
from hub.wire.link import Link

MAX_REPLY_BYTES = 4096


class Ear:
    """Listens to one reply. What was heard stays readable after a failure.

    ``first_s``: how long the first byte of a reply may take, from now. ``quiet_s``: the silence
    that ends a frame. ``longest_s``: no reply lasts longer than that. ``echo``: the request, if
    the adapter repeats it to us before the reply.
    """

    __slots__ = ("_clock", "_echo", "_now", "_since", "heard_at", "received")

    heard_at: datetime  # when the last bytes came; not there before any have

    def __init__(
        self, clock: Callable[[], float], now: Callable[[], datetime], *, echo: bytes = b""
    ) -> None:
        self._clock = clock
        self._now = now
        self._echo = echo
        self._since = 0  # bytes before it can't begin a frame
        self.received = b""  # all since the request, the echo cut off

    async def listen(
        self, link: Link, rule: FrameRule, *, first_s: float, quiet_s: float, longest_s: float
    ) -> bytes:
        """Return the frame; ``ReplyTimeout`` if nothing came, ``FrameGarbled`` if no frame did."""
        clock = self._clock
        started = clock()
        first_by = started + first_s
        ends = started + longest_s
        wait = first_s
        frame_if_quiet = 0
        while True:
            data = await link.receive(wait)
            if not data:
                if frame_if_quiet:
                    return self._frame(frame_if_quiet)
                break
            heard = clock()
            self.heard_at = self._now()
            self.received += data
            if self._echo and not self._cut_echo():
                wait = max(self._until(first_by, heard + quiet_s) - heard, 0.0)
                continue
            verdict = self._judge(rule)
            if verdict.length and verdict.sure:
                return self._frame(verdict.length)
            # bytes behind an unsure frame mean that the line was not quiet after it
            whole = verdict.length == len(self.received) - self._since
            frame_if_quiet = verdict.length if whole else 0
            if len(self.received) > MAX_REPLY_BYTES or heard > ends:
                break
            # even late: bytes may lie ready
            wait = max(self._until(first_by, heard + quiet_s) - clock(), 0.0)
        if not self.received:
            raise ReplyTimeout(
                f"No answer within {first_s:.2g} s; check the address, the wiring "
                "and that the meter has power."
            )
        raise FrameGarbled(received=self.received)

    def _until(self, first_by: float, quiet_by: float) -> float:
        if not self.received:
            return first_by
        if self._since == len(self.received):  # noise so far, the reply may still begin
            return max(first_by, quiet_by)
        return quiet_by

    def _frame(self, length: int) -> bytes:
        return self.received[self._since : self._since + length]

    def _cut_echo(self) -> bool:
        """Take the echo off once it is whole. False: it may still be coming."""
        if self.received.startswith(self._echo):
            self.received = self.received[len(self._echo) :]
            self._echo = b""
            return True
        if self._echo.startswith(self.received):
            return False
        self._echo = b""  # damaged, or there is none: the rule judges the bytes
        return True

    def _judge(self, rule: FrameRule) -> Verdict:
        while True:
            rest = self.received[self._since :]
            if not rest:
                return Verdict()
            try:
                verdict = rule(rest)
            except Exception as error:
                raise ContractBroken(
                    f"The driver's frame rule failed ({type(error).__name__}: {error}); "
                    "report it to the plugin's maker."
                ) from error
            if not (0 <= verdict.length <= len(rest) and 0 <= verdict.skip <= len(rest)):
                raise ContractBroken(
                    "The driver's frame rule counts more bytes than there are; "
                    "report it to the plugin's maker."
                )
            if not verdict.skip:
                return verdict
            self._since += verdict.skip
