"""The wire log: every exchange with times and verdict, secrets masked before anything is kept.

The lines are those of a transcript, so a piece of a log can be played back::

    # 2026-11-24T10:00:00.000000Z tcp://127.0.0.1:4001 37
    > 25 00 1A 70
    < 25 00 1A 70
    # 0.0312 s

``! timeout``, ``! garbled``, ``! cancelled`` and ``! down`` stand where a reply should be.
"""

import logging
import os
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MASK = "**"
MAX_BYTES = 5_000_000
KEEP = 3
MEMORY_LINES = 2000
MIN_SECRET = 2  # a single byte is everywhere

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """One attempt at one exchange, as the line hands it over. ``hide`` is of the request."""

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
    ``path.1`` … ``path.keep``. A file that can't be written costs lines, never an exchange;
    ``lost`` counts them.
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
        self._memory: deque[str] = deque(maxlen=memory)
        self.lost = 0

    def exchange(self, done: Exchanged) -> None:
        """Write one attempt down."""
        lines = [
            f"# {_stamp(done.sent_at)} {_one_line(done.line)} {_one_line(done.key)}".rstrip(),
            f"> {masked(done.request, done.hide)}",
        ]
        if done.received:
            mark = "#" if done.verdict else "<"
            lines.append(f"{mark} {_shown(done)}")
        if done.verdict:
            lines.append(f"! {done.verdict}")
        lines.append(f"# {done.seconds:.4f} s")
        self._write(lines)

    def note(self, at: datetime, line: str, text: str) -> None:
        """Write a remark: a connection opened, bytes that nobody asked for."""
        self._write([f"# {_stamp(at)} {_one_line(line)} {_one_line(text)}"])

    def lines(self) -> Sequence[str]:
        """Return the last lines, oldest first."""
        return tuple(self._memory)

    def _write(self, lines: Iterable[str]) -> None:
        lines = list(lines)
        self._memory.extend(lines)
        if self._path is None:
            return
        text = "".join(f"{line}\n" for line in lines).encode("ascii", "backslashreplace")
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
            self.lost += len(lines)

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


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _one_line(text: str) -> str:
    return " ".join(text.split())
