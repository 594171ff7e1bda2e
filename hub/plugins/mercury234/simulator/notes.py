"""What a meter writes into its books, and when: the beginnings and ends of what it notices."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from hub.plugins.mercury234.simulator import books, layouts
from hub.plugins.mercury234.simulator.books import Books, Version
from hub.plugins.mercury234.simulator.happenings import Cover, Errors, Happening, Magnet
from hub.plugins.mercury234.simulator.network import PHASES, Network

T = TypeVar("T")

_FREQUENCY = 4
_MAPPED = 56  # parameters that have a bit in the map of book 13
_PRESENCE = frozenset(book(phase) for phase in PHASES for book in (books.voltage, books.current))

#: A book, and which seal's ring of it.
_Place = tuple[int, int]


class Notes:
    """The writer of one meter's books.

    Args:
        written: the books.
        face: what the face shows at a run second.
        nominal: voltage in 0.01 V.

    """

    def __init__(self, written: Books, face: Callable[[int], datetime], *, nominal: int) -> None:
        self._books = written
        self._face = face
        self._nominal = nominal
        self._standing: set[_Place] = set()
        self._errors: list[tuple[int, frozenset[int]]] = [(0, frozenset())]
        self._programmed_on = 0
        self._programmed: list[int] = []

    def begin(self, run: int) -> None:
        """Note the first second of a meter's life."""
        self._standing = {(book, 0) for book in _PRESENCE}
        for book in (books.POWER, *sorted(_PRESENCE), books.ENERGY_RESET, books.PROFILE_STARTED):
            self.write(book, run)

    def write(
        self, book: int, run: int, began: datetime | None = None, ended: datetime | None = None
    ) -> None:
        """Write a record of this second, or of the times that are given."""
        self._books.open(book, Version(run, began or self._face(run), ended))

    def errors_at(self, run: int) -> frozenset[int]:
        """Return the E-codes that were noted last."""
        return at_run(self._errors, run)

    def power(self, run: int, *, on: bool) -> None:
        """Note that the power came or went."""
        if on:
            self.write(books.POWER, run)
        else:
            self._close(books.POWER, run)

    def settle(
        self, run: int, network: Network, limits: Sequence[int], active: Iterable[Happening], *,
        over_power: bool,
    ) -> None:  # fmt: skip
        """Open and close records of what begins and ends; most is not seen without power."""
        active = list(active)
        seals = {what.seal for what in active if isinstance(what, Cover)}
        standing = {(books.COVER, seal if self._books.two_seals else 0) for seal in seals}
        if network.powered:
            self._note_errors(run, active)
            found = self._measured(network, limits)
            found |= {books.MAGNET for what in active if isinstance(what, Magnet)}
            found |= {books.POWER_LIMIT} if over_power else set()
            standing |= {(book, 0) for book in found}
        else:
            standing |= {place for place in self._standing if place[0] != books.COVER}
        for book, seal in sorted(self._standing - standing):
            self._close(book, run, seal)
        for book, seal in sorted(standing - self._standing):
            self._books.open(book, Version(run, self._face(run)), seal)
        self._standing = standing

    def programmed(self, run: int, parameter: int) -> None:
        """Note in the book of the day that a parameter was written."""
        face = self._face(run).replace(hour=0, minute=0, second=0)
        fresh = self._programmed_on != face.toordinal()
        if fresh:
            self._programmed_on, self._programmed = face.toordinal(), []
        self._programmed.append(parameter)
        bits = sum(1 << each for each in set(self._programmed) if each < _MAPPED)
        count = min(len(self._programmed), 99)
        head = bytes(map(layouts.bcd, (face.day, face.month, face.year % 100, count)))
        version = Version(run, face, rest=head + bits.to_bytes(8, "little"))
        if fresh:
            self._books.open(books.PROGRAMMED, version)
        else:
            self._books.amend(books.PROGRAMMED, version)

    def _note_errors(self, run: int, active: Iterable[Happening]) -> None:
        codes = frozenset[int]().union(*(what.codes for what in active if isinstance(what, Errors)))
        if codes != self._errors[-1][1]:
            self._errors.append((run, codes))
            word = layouts.status_word(codes)
            self._books.open(books.STATUS_WORD, Version(run, self._face(run), rest=word))

    def _measured(self, network: Network, limits: Sequence[int]) -> set[int]:
        """List the books in which a record stands open by what the meter measures."""
        found = {books.voltage(phase) for phase in PHASES if phase not in network.lost}
        found |= {books.current(phase) for phase in PHASES if network.share(phase)}
        for phase, percent in zip(PHASES, network.volts, strict=True):
            if phase in network.lost:
                found |= _outside(phase, 0, limits[:4])
            elif percent is not None:
                found |= _outside(phase, self._nominal * percent // 100, limits[:4])
        if network.hertz is not None:
            found |= _outside(_FREQUENCY, network.hertz, limits[4:])
        return found

    def _close(self, book: int, run: int, seal: int = 0) -> None:
        newest = self._books.newest(book, seal)
        if newest is not None:
            self._books.amend(book, Version(run, newest.began, self._face(run)), seal)


def _outside(quantity: int, value: int, limits: Sequence[int]) -> set[int]:
    """List the books of the limits that a value lies outside of."""
    least, least_normal, most_normal, most = limits
    broken = (value < least, value < least_normal, value > most_normal, value > most)
    return {books.quality(quantity, limit) for limit, is_so in enumerate(broken) if is_so}


def at_run(history: Sequence[tuple[int, T]], run: int) -> T:
    """Return what a history, oldest first, says was so at a run second."""
    if run >= history[-1][0]:
        return history[-1][1]
    return history[max(0, bisect_right(history, run, key=itemgetter(0)) - 1)][1]
