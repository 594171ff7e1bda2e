"""Reading wire logs back: what ``capture`` wrote, entry by entry; and playing them as a line.

A transcript written by hand is read too: ``> hex`` asks, ``< hex`` answers, ``! timeout`` stands
where nobody did, ``**`` is a byte that was masked, all else behind ``#`` is a remark.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.wire.capture import MASK

_HEAD = re.compile(r"# (\d{4}-\d\d-\d\dT\S+)(?: (\S+))?(?: (.*))?")
_SECONDS = re.compile(r"# (\d+(?:\.\d+)?) s")
_HEX = re.compile(r"(?:(?:[0-9A-Fa-f]{2}|\*\*)(?: |$))+")
LONGEST_LINE = 100_000


@dataclass(slots=True)
class Entry:
    """One exchange as it was logged. In ``request`` and ``received`` None is a masked byte."""

    request: Sequence[int | None]
    received: Sequence[int | None] = ()
    verdict: str = ""  # '' for a whole reply, else timeout, garbled, cancelled, down, refused
    at: datetime | None = None
    line: str = ""
    key: str = ""
    seconds: float | None = None

    @property
    def request_bytes(self) -> bytes | None:
        """The request; None if a byte of it is masked."""
        return _plain(self.request)

    @property
    def received_bytes(self) -> bytes | None:
        """What came; None if a byte of it is masked."""
        return _plain(self.received)


@dataclass(slots=True)
class Remark:
    """What is no exchange: a connection opened, bytes that nobody asked for, a comment."""

    text: str


@dataclass(slots=True)
class LogReader:
    """Takes a log line by line, also while it grows; gives what is whole."""

    _entry: Entry | None = None
    _head: re.Match[str] | None = None
    _number: int = field(default=0)

    def feed(self, line: str) -> Iterator[Entry | Remark]:
        """Take one line; ValueError says which line can't be read."""
        self._number += 1
        line = line.rstrip("\r\n")
        mark, text = line[:1], line[1:].strip()
        if mark == ">":
            yield from self._whole()
            self._begin(text)
        elif mark in ("<", "!"):
            self._answer(mark, text)
        elif mark == "#":
            yield from self._remark(line, text)
        elif line.strip():
            raise self._bad("it begins with none of > < ! #")

    def rest(self) -> Iterator[Entry | Remark]:
        """Give what has begun and not ended: at the end of the log."""
        if self._head is not None:
            head, self._head = self._head, None
            yield Remark(head[0].removeprefix("# "))
        yield from self._whole()

    def _whole(self) -> Iterator[Entry]:
        if self._entry is not None:
            entry, self._entry = self._entry, None
            yield entry

    def _begin(self, text: str) -> None:
        self._entry = Entry(self._bytes(text))
        if self._head is not None:
            self._entry.at = _instant(self._head[1])
            self._entry.line, self._entry.key = self._head[2] or "", self._head[3] or ""
            self._head = None

    def _answer(self, mark: str, text: str) -> None:
        if self._entry is None:
            raise self._bad("it answers no request")
        if mark == "<":
            self._entry.received = [*self._entry.received, *self._bytes(text)]
        else:
            self._entry.verdict = text

    def _remark(self, line: str, text: str) -> Iterator[Entry | Remark]:
        seconds = _SECONDS.fullmatch(line)
        if self._entry is not None and seconds is not None:
            self._entry.seconds = float(seconds[1])
            yield from self._whole()
        elif self._entry is not None and _HEX.fullmatch(text):
            self._entry.received = self._bytes(text)  # damaged; its verdict follows
        else:
            head = _HEAD.fullmatch(line)
            if head is not None and _instant(head[1]) is not None:
                yield from self.rest()
                self._head = head
            else:
                yield Remark(text)

    def _bytes(self, text: str) -> list[int | None]:
        if len(text) > LONGEST_LINE or not _HEX.fullmatch(text):
            raise self._bad("its bytes are not pairs of hexadecimal digits")
        return [None if pair == MASK else int(pair, 16) for pair in text.split()]

    def _bad(self, why: str) -> ValueError:
        return ValueError(f"Line {self._number} can't be read: {why}; is this a wire log?")


def read_log(lines: Iterable[str]) -> Iterator[Entry | Remark]:
    """Read a whole log."""
    reader = LogReader()
    for line in lines:
        yield from reader.feed(line)
    yield from reader.rest()


class Replay:
    """A recorded line: answers each request as it was answered then.

    It is a simulator. The same request asked again gets the next recorded answer, and from the
    last one on that one for ever. A masked byte of a request fits any byte, a masked byte of an
    answer is sent as zero. ``strangers`` counts requests that were not recorded: they get silence.
    """

    def __init__(self, entries: Iterable[Entry], *, timed: bool = False) -> None:
        self._plain: dict[bytes, list[Entry]] = {}
        self._masked: dict[tuple[int | None, ...], list[Entry]] = {}
        self._timed = timed
        self.size = 0
        self.answered = 0
        self.strangers = 0
        for entry in entries:
            self.size += 1
            request = entry.request_bytes
            if request is None:
                self._masked.setdefault(tuple(entry.request), []).append(entry)
            else:
                self._plain.setdefault(request, []).append(entry)

    def receive(self, data: bytes, now: datetime) -> Sequence[tuple[float, bytes]]:
        """Answer a request; ``now`` does not matter."""
        del now
        found = self._plain.get(data) or next(
            (entries for asked, entries in self._masked.items() if _fits(asked, data)), None
        )
        if not found:
            self.strangers += 1
            return ()
        self.answered += 1
        entry = found.pop(0) if len(found) > 1 else found[0]
        answer = bytes(byte or 0 for byte in entry.received)
        if not answer:
            return ()
        return (((entry.seconds or 0.0) if self._timed else 0.0, answer),)


def _fits(asked: Sequence[int | None], data: bytes) -> bool:
    return len(asked) == len(data) and all(
        want is None or want == byte for want, byte in zip(asked, data, strict=True)
    )


def _plain(data: Sequence[int | None]) -> bytes | None:
    whole = [byte for byte in data if byte is not None]
    return bytes(whole) if len(whole) == len(data) else None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
