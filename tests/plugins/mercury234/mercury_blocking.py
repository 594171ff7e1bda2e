"""A runner without loop, clock or sleep: drives a driver's coroutine against a function."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hub.plugins.api import Ask, FrameGarbled, LinkError, Reply, ReplyTimeout

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

    def run(self, talk: Coroutine[Any, Any, T]) -> T:
        send: Any = talk.send
        value: Any = None
        while True:
            try:
                step = send(value)
            except StopIteration as end:
                return end.value
            assert isinstance(step, Ask)
            try:
                send, value = talk.send, self._exchange(step)
            except LinkError as error:
                send, value = talk.throw, error

    def _exchange(self, step: Ask) -> Reply:
        assert isinstance(step.request, bytes)
        assert step.rule is not None
        assert not step.mutating
        self.steps.append(step)
        for left in range(self.repeats, -1, -1):
            sent_at = self.now
            self.asked.append(step.request)
            data = self.answer(step.request, sent_at)
            self.now += timedelta(seconds=0.3)
            try:
                return Reply(receive(step.rule, data, self.chunk), sent_at, self.now)
            except (FrameGarbled, ReplyTimeout):
                if not left:
                    raise
        raise AssertionError


NOON = datetime(2026, 11, 24, 12, 7, tzinfo=UTC)
