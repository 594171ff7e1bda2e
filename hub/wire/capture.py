"""The wire log: every exchange with times and verdict, secrets masked before anything is kept.

The lines are those of a transcript, so a piece of a log can be played back::

    # 2026-11-24T10:00:00.000000Z tcp://127.0.0.1:4001 37
    > 25 00 1A 70
    < 25 00 1A 70
    # 0.0312 s

``! timeout``, ``! garbled``, ``! cancelled`` and ``! down`` stand where a reply should be.
"""

import asyncio
import functools
import logging
import math
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MASK = "**"
MAX_BYTES = 5_000_000
KEEP = 3
MEMORY_LINES = 2000
MIN_SECRET = 2  # a single byte is everywhere
BATCH_BYTES = 65_536
FLUSH_S = 0.2

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Exchanged:
    """One attempt at one exchange, as the line hands it over. ``hide`` is of the request.

    Nobody changes it; not frozen, because that makes a new one four times as dear.
    """

    line: str
    key: str
    sent_at: datetime
    request: bytes
    received: bytes
    verdict: str  # '' for a whole reply, else timeout, garbled, cancelled, down
    seconds: float
    hide: tuple[slice, ...] = ()


class WireLog:
    """Keeps the last lines in memory, and all of them in a file if it has a path.

    The file is appended to, is readable by its owner only, and is turned over by size: ``path``,
    ``path.1`` … ``path.keep``. Within an event loop lines are written together, a fifth of a
    second late at most: a process that is killed loses those; ``flush`` writes them now. A file
    that can't be written costs lines, never an exchange; ``lost`` counts them.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        keep: int = KEEP,
        memory: int = MEMORY_LINES,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._most = memory
        self._memory: deque[str] = deque(maxlen=memory)  # entries, each of some lines
        self._unwritten: list[str] = []
        self._unwritten_bytes = 0
        self.lost = 0

    def exchange(self, done: Exchanged) -> None:
        """Write one attempt down."""
        head = f"# {_stamp(done.sent_at)}{_place(done.line, done.key)}"
        if not done.verdict and not done.hide:
            sent, came = done.request.hex(" ").upper(), done.received.hex(" ").upper()
            heard = f"< {came}\n" if came else ""
            self._write(f"{head}\n> {sent}\n{heard}# {done.seconds:.4f} s\n")
            return
        lines = [head, f"> {masked(done.request, done.hide)}"]
        if done.received:
            mark = "#" if done.verdict else "<"
            lines.append(f"{mark} {_shown(done)}")
        if done.verdict:
            lines.append(f"! {done.verdict}")
        lines.append(f"# {done.seconds:.4f} s\n")
        self._write("\n".join(lines))

    def note(self, at: datetime, line: str, text: str) -> None:
        """Write a remark: a connection opened, bytes that nobody asked for."""
        self._write(f"# {_stamp(at)} {_one_line(line)} {_one_line(text)}\n")

    def lines(self) -> Sequence[str]:
        """Return the last lines, oldest first."""
        return tuple("".join(self._memory).splitlines()[-self._most :])

    def flush(self) -> None:
        """Bring the file up to date."""
        unwritten, self._unwritten, self._unwritten_bytes = self._unwritten, [], 0
        if self._path is None or not unwritten:
            return
        text = "".join(unwritten).encode("ascii", "backslashreplace")
        try:
            self._turn_over(len(text))
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, text)
            finally:
                os.close(file)
        except OSError as error:
            if not self.lost:
                _log.warning("wire log %s can't be written: %s", self._path, error)
            self.lost += text.count(b"\n")

    def _write(self, entry: str) -> None:
        self._memory.append(entry)
        if self._path is None:
            return
        size = len(entry)
        if self._unwritten_bytes + size > min(BATCH_BYTES, self._max_bytes):
            self.flush()
        first = not self._unwritten
        self._unwritten.append(entry)
        self._unwritten_bytes += size
        if first:
            try:
                asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
            except RuntimeError:  # no loop, so nobody would do it later
                self.flush()

    def _turn_over(self, coming: int) -> None:
        path = self._path
        if path is None or not path.exists() or path.stat().st_size + coming <= self._max_bytes:
            return
        for number in range(self._keep - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        if self._keep:
            path.replace(path.with_name(f"{path.name}.1"))
        else:
            path.unlink()


def masked(data: bytes, hide: Sequence[slice]) -> str:
    """Hex of the bytes, upper case, two stars for each byte in one of the slices."""
    if not hide:
        return data.hex(" ").upper()
    shown = [f"{byte:02X}" for byte in data]
    for part in hide:
        for place in range(*part.indices(len(data))):
            shown[place] = MASK
    return " ".join(shown)


def without_secrets(received: bytes, request: bytes, hide: Sequence[slice]) -> str:
    """Hex of what was received, with every copy of a hidden part of the request masked.

    A line that echoes may bring a password back.
    """
    parts: list[slice] = []
    for part in hide:
        secret = request[part]
        found = received.find(secret) if len(secret) >= MIN_SECRET else -1
        while found >= 0:
            parts.append(slice(found, found + len(secret)))
            found = received.find(secret, found + 1)
    return masked(received, parts)


def _shown(done: Exchanged) -> str:
    if done.hide and done.verdict:
        # a damaged echo holds a damaged secret: nothing of it can be shown
        return " ".join([MASK] * len(done.received))
    return without_secrets(done.received, done.request, done.hide)


@functools.lru_cache(maxsize=4096)
def _place(line: str, key: str) -> str:
    return f" {_one_line(line)} {_one_line(key)}".rstrip()


def _stamp(at: datetime) -> str:
    return f"{_second(math.floor(at.timestamp()))}.{at.microsecond:06d}Z"


@functools.lru_cache(maxsize=16)
def _second(since_epoch: int) -> str:
    # the same for thousands of exchanges
    return datetime.fromtimestamp(since_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _one_line(text: str) -> str:
    return " ".join(text.split())
