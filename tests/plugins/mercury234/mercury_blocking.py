"""A runner without loop, clock or sleep: drives a driver's coroutine against a function.

What changes the meter leaves only with ``leave`` for its act, as on a line.
"""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hub.plugins.api import Act, Ask, FrameGarbled, Reply, ReplyTimeout
from hub.plugins.mercury234 import is_mutating
from hub.plugins.mercury234.writes import act
from hub.wire.blocking import run_blocking

T = TypeVar("T")
Answer = Callable[[bytes, datetime], bytes]


def receive(rule, data: bytes, chunk: int) -> bytes:
    """Feed bytes in chunks; return the frame, or raise as a line does when it falls quiet."""
    buffer, quiet, since = b"", b"", 0
    for start in range(0, len(data), chunk):
        buffer += data[start : start + chunk]
        while since < len(buffer):
            verdict = rule(buffer[since:])
            if not verdict.skip:
                break
            since += verdict.skip
        else:
            continue
        frame = buffer[since : since + verdict.length]
        if frame and verdict.sure:
            return frame
        quiet = frame if since + verdict.length == len(buffer) else b""
    if quiet:
        return quiet
    if not data:
        raise ReplyTimeout
    raise FrameGarbled(received=data)


class Blocking:
    """Asks ``answer`` and keeps the requests; ``repeats`` as a line does them."""

    def __init__(self, answer: Answer, now: datetime, *, chunk: int = 300, repeats: int = 0):
        self.answer, self.now, self.chunk, self.repeats = answer, now, chunk, repeats
        self.asked: list[bytes] = []
        self.steps: list[Ask] = []
        self.leave: Act | None = None  # what may be written now

    def run(self, talk: Coroutine[Any, Any, T]) -> T:
        return run_blocking(talk, self._exchange, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _exchange(self, step: Ask) -> Reply:
        assert step.rule is not None
        self.steps.append(step)
        for left in range(0 if step.mutating else self.repeats, -1, -1):
            sent_at = self.now
            request = step.request(sent_at) if callable(step.request) else step.request
            mutating = step.mutating or is_mutating(request)
            assert not mutating or (self.leave and act(request) == self.leave), request.hex(" ")
            self.asked.append(request)
            data = self.answer(request, sent_at)
            self.now += timedelta(seconds=0.3)
            try:
                return Reply(receive(step.rule, data, self.chunk), sent_at, self.now)
            except (FrameGarbled, ReplyTimeout):
                if not left:
                    raise
        raise AssertionError


NOON = datetime(2026, 11, 24, 12, 7, tzinfo=UTC)
