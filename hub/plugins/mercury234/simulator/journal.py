"""Event books: rings of ten. What this meter lived through is power and initialisation.

All other books are empty and say so with zeros.
"""

from collections.abc import Sequence
from datetime import datetime

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.clock import Calendar
from hub.plugins.mercury234.simulator.memory import Outage

_POWER, _ENERGY_RESET, _PROFILE_STARTED = 0x01, 0x09, 0x0A
_DEPTH, _QUALITY_DEPTH, _QUALITY_PAGE = 10, 100, 20
_LAST, _ALL = 0xFF, 0xFE

#: Book -> bytes of a record.
_SIZES = {
    **dict.fromkeys((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x12, 0x13, 0x14), 12),
    **dict.fromkeys((0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F), 6),
    **dict.fromkeys((0x10, 0x11, 0x15, 0x16), 6),
    **dict.fromkeys((0x17, 0x18, 0x19, 0x1A), 12),
    **dict.fromkeys(range(0x20, 0x30), 12),
}


class Journals:
    """The books of one meter."""

    def __init__(self, calendar: Calendar, started: int, outages: Sequence[Outage]) -> None:
        self._calendar = calendar
        self._started = started
        self._outages = outages

    def read(self, book: int, record: int, now: int, *, long: bool, last: bool) -> bytes | None:
        """Answer to 04 book record, None if there is no such thing.

        Args:
            book: number of the book.
            record: a place in the ring, or FF the last written, FE the whole ring.
            now: standard seconds.
            long: whether this firmware gives long answers.
            last: whether this firmware knows FF.

        """
        size = _SIZES.get(book)
        if size is None:
            return None
        if 0x20 <= book < 0x30:
            return self._quality(record, size, long=long, last=last)
        places = [bytes(size)] * _DEPTH
        entries = self._entries(book, now)
        for number, entry in enumerate(entries):
            places[number % _DEPTH] = entry
        if record < _DEPTH:
            return places[record]
        if record == _ALL and long:
            return b"".join(places)
        if record == _LAST and last:
            newest = (len(entries) - 1) % _DEPTH if entries else 0
            return places[newest] + bytes((newest,))
        return None

    def _quality(self, record: int, size: int, *, long: bool, last: bool) -> bytes | None:
        if record < _QUALITY_DEPTH:
            return bytes(size)
        if record == _LAST and last and not long:
            return bytes(size + 1)
        return bytes(size * _QUALITY_PAGE) if record >= 0xFA and long else None

    def _entries(self, book: int, now: int) -> list[bytes]:
        if book == _POWER:
            past = [outage for outage in self._outages if outage.start <= now]
            on = [self._started, *(outage.end for outage in past)]
            off: list[int | None] = [*(outage.start for outage in past), None]
            return [
                layouts.moment(self._face(a)) + layouts.moment(None if b is None else self._face(b))
                for a, b in zip(on, off, strict=True)
            ]
        if book in {_ENERGY_RESET, _PROFILE_STARTED}:
            return [layouts.moment(self._face(self._started))]
        return []

    def _face(self, standard: int) -> datetime:
        return self._calendar.face(standard)
