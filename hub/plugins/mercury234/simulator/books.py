"""Event books as the meter keeps them: rings of ten or a hundred records.

A book is filled by `life`; here is what it looks like through code 04. A record of two times is
written when the first is known and completed in its place. Times of presence (power, phase
voltages and currents) come on first, off second; all others start first, end second.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from hub.plugins.mercury234.simulator import layouts

POWER, CLOCK, POWER_LIMIT, SCHEDULE, HOLIDAYS = 0x01, 0x02, 0x06, 0x07, 0x08
ENERGY_RESET, PROFILE_STARTED = 0x09, 0x0A
POWER_LIMIT_SET, ENERGY_LIMITS_SET, LOSSES_SET = 0x0F, 0x10, 0x11
COVER, PROGRAMMED, STATUS_WORD, MAXIMA_SET, MAXIMA_RESET = 0x12, 0x13, 0x14, 0x15, 0x16
MAGNET = 0x1A

_LAST, _ALL, _LAST_PAGE = 0xFF, 0xFE, 0xFA
_DEPTH, _QUALITY_DEPTH, _QUALITY_PAGE, _SEAL_DEPTH = 10, 100, 20, 5

#: Book -> bytes of a record.
_SIZES = {
    **dict.fromkeys((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x12, 0x13, 0x14), 12),
    **dict.fromkeys((0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F), 6),
    **dict.fromkeys((0x10, 0x11, 0x15, 0x16), 6),
    **dict.fromkeys((0x17, 0x18, 0x19, 0x1A), 12),
    **dict.fromkeys(range(0x20, 0x30), 12),
}
_LATER_BOOKS = frozenset({0x17, 0x18, 0x19, 0x1A})


def voltage(phase: int) -> int:
    """Book of the presence of a phase's voltage."""
    return 0x02 + phase


def current(phase: int) -> int:
    """Book of the presence of a phase's current."""
    return 0x16 + phase


def energy_limit(tariff: int) -> int:
    """Book of the energy limit of a tariff."""
    return 0x0A + tariff


def quality(quantity: int, limit: int) -> int:
    """Book of a limit 0..3 of the voltage of phase 1..3, or of the frequency, quantity 4."""
    return 0x1C + 4 * quantity + limit


@dataclass(frozen=True, slots=True)
class Version:
    """What a record says from a run second on.

    ``began`` and ``ended`` are faces; ``rest`` are bytes instead of the second time, or of both.
    """

    run: int
    began: datetime
    ended: datetime | None = None
    rest: bytes | None = None

    def encode(self, size: int) -> bytes:
        first = layouts.moment(self.began)
        if size == len(first):
            return first
        if self.rest is None:
            return first + layouts.moment(self.ended)
        return self.rest if len(self.rest) == size else first + self.rest


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """One record as it was at an instant, whether the ring still has it or not.

    Attributes:
        book: number of the book.
        record: its place in the ring.
        began, ended: the two times on the face; ``ended`` None: not yet, or a book of one time.
        raw: the bytes of the record.

    """

    book: int
    record: int
    began: datetime
    ended: datetime | None
    raw: bytes


@dataclass(slots=True)
class _Entry:
    versions: list[Version]

    def at(self, run: int) -> Version:
        for version in reversed(self.versions):
            if version.run <= run:
                return version
        return self.versions[0]


@dataclass(slots=True)
class _Ring:
    """The entries of one ring, oldest first, with the runs at which they appeared."""

    depth: int
    first_place: int = 0
    entries: list[_Entry] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)

    def count(self, run: int) -> int:
        return bisect_right(self.runs, run)

    def place(self, index: int) -> int:
        return self.first_place + index % self.depth


class Books:
    """The books of one meter.

    Args:
        long: the firmware gives long answers (FE, FD and so on).
        last: it knows FF, the record written last.
        later: it has the books 17..1A.
        two_seals: records 0..4 of book 12 are the terminal cover, 5..9 the case.
        blank: what fills a record that was never written.

    """

    def __init__(self, *, long: bool, last: bool, later: bool, two_seals: bool, blank: int) -> None:
        self._long = long
        self._last = last
        self._blank = blank
        self.two_seals = two_seals
        self._rings: dict[int, list[_Ring]] = {
            book: [_Ring(_QUALITY_DEPTH if book >= 0x20 else _DEPTH)]
            for book in _SIZES
            if later or book not in _LATER_BOOKS
        }
        if two_seals:
            self._rings[COVER] = [_Ring(_SEAL_DEPTH), _Ring(_SEAL_DEPTH, _SEAL_DEPTH)]

    def open(self, book: int, version: Version, seal: int = 0) -> None:
        """Write a new record; a book that this firmware does not have stays away."""
        for ring in self._rings.get(book, ())[seal if self.two_seals else 0 :][:1]:
            ring.entries.append(_Entry([version]))
            ring.runs.append(version.run)

    def amend(self, book: int, version: Version, seal: int = 0) -> None:
        """Write the last record of a book anew, in its place."""
        for ring in self._rings.get(book, ())[seal if self.two_seals else 0 :][:1]:
            ring.entries[-1].versions.append(version)

    def newest(self, book: int, seal: int = 0) -> Version | None:
        """Return what the last record of a book says."""
        for ring in self._rings.get(book, ())[seal if self.two_seals else 0 :][:1]:
            if ring.entries:
                return ring.entries[-1].versions[-1]
        return None

    def read(self, book: int, record: int, run: int) -> bytes | None:
        """Answer to 04 book record, None if there is no such thing.

        Args:
            book: number of the book.
            record: a place in the ring, or FF the last written, FE the whole ring; of a book
                of a hundred FE is the first twenty, FD the next, and so on to FA.
            run: when it is asked.

        """
        rings = self._rings.get(book)
        if rings is None:
            return None
        depth = sum(ring.depth for ring in rings)
        if record < depth:
            return self._record(book, record, run)
        if record == _LAST and self._last:
            ring = rings[-1]
            count = ring.count(run)
            place = ring.place(count - 1) if count else ring.first_place
            return self._record(book, place, run) + bytes((place,))
        if not self._long or record < _LAST_PAGE or record > _ALL:
            return None
        page = _QUALITY_PAGE if depth == _QUALITY_DEPTH else _DEPTH
        first = (_ALL - record) * page
        if first >= depth:
            return None
        return b"".join(self._record(book, first + i, run) for i in range(page))

    def events(self, run: int) -> list[JournalEvent]:
        """List all that was ever written by a run second: by book, oldest first."""
        return [
            JournalEvent(book, ring.place(index), at.began, at.ended, at.encode(size))
            for book, size in sorted(_SIZES.items())
            for ring in self._rings.get(book, ())
            for index in range(ring.count(run))
            for at in (ring.entries[index].at(run),)
        ]

    def _record(self, book: int, place: int, run: int) -> bytes:
        size = _SIZES[book]
        for ring in self._rings[book]:
            within = place - ring.first_place
            if 0 <= within < ring.depth:
                index = ring.count(run) - 1
                index -= (index - within) % ring.depth
                if index >= 0:
                    return ring.entries[index].at(run).encode(size)
        return bytes([self._blank]) * size
