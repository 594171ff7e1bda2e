"""Reading the event journals: rings of ten, or of a hundred, that turn while they are read.

With FF the meter says which record is the newest; without it that is found from the last one read,
by what has changed behind it. From there the ring is walked back to the last one read before.
Where something is new, it is read until two readings in a row agree: that catches a ring that
turned meanwhile, a damaged frame that passed its check, and a record that makes no sense once;
one that makes no sense twice is kept raw.

A record has no season. Entries are dated in the season that the clock shows at the visit, if it
was the same when the book was read last; between a change and the next visit it is not known, and
the entry says so by ``summer`` None. So does, at the first reading of a book, what is older than
the last usual change of clocks.
"""

from collections.abc import Mapping
from datetime import datetime

from hub.plugins.api import (
    Cursor,
    FrameGarbled,
    JournalPage,
    MeterTime,
    NotSupported,
    ReplyTimeout,
)
from hub.plugins.mercury234.books import BOOKS, SEAL_DEPTH, TWO_SEALS, Book, Shape, is_blank
from hub.plugins.mercury234.chronicle import (
    Chapter,
    Ring,
    Season,
    Told,
    View,
    chapter,
    face_of,
    first_time,
    from_cursor,
    joined,
    season_between,
    to_cursor,
)
from hub.plugins.mercury234.session import Session

# Habits: names of the books that the meter does not have, and does not give so.
ABSENT, NO_LAST, NO_BLOCKS = "journals_absent", "journals_no_last", "journals_no_blocks"
SEALED = "12"
LAST = 0xFF
FIRST_BLOCK = 0xFE  # then FD and so on down
SMALL_BLOCK, BLOCK = 10, 20  # records in a block of a small and of a large ring
FEW = 2  # so many records are cheaper one by one
LOOKS = 5  # at a ring that never looks the same twice


class _NoSuchBook(Exception):
    """The meter refuses even the first record."""


def books(habits: Mapping[str, str]) -> frozenset[str]:
    """All books but those that this meter has refused."""
    return frozenset(BOOKS) - frozenset(habits.get(ABSENT, "").split())


class JournalReader:
    """Reads books for one visit; ``now`` is what the clock shows in it."""

    def __init__(self, session: Session, now: MeterTime, *, two_seals: bool) -> None:
        self._session = session
        self._now = now
        self._two_seals = two_seals
        self._short = False  # a long answer did not arrive

    async def page(self, name: str, since: Cursor | None) -> JournalPage:
        """Return all that is new of a book; CursorLost, NotSupported for a name of no book."""
        book = BOOKS.get(name)
        if book is None:
            raise NotSupported(f"There is no journal '{name}'; see the list of journals.")
        rings = self._rings(book)
        told, then = from_cursor(since, rings)
        now = self._now
        season = season_between(now, then=then, is_first=since is None)
        chapters = []
        try:
            for at, ring in enumerate(rings):
                new = await self._chapter(ring, told[at], now.face, season=season)
                told[at] = new.told
                chapters.append(new)
        except _NoSuchBook:
            self._learn(ABSENT, book)
        entries = [entry for new in chapters for entry in new.entries]
        if len(rings) > 1:
            entries.sort(key=lambda entry: face_of(entry.began))
        return JournalPage(
            entries=tuple(entries),
            lost=joined([new.lost for new in chapters if new.lost], season=season),
            next=to_cursor(told, summer=bool(now.summer)),
            more=False,
        )

    def _rings(self, book: Book) -> list[Ring]:
        if self._two_seals and book is BOOKS[SEALED]:
            return [
                Ring(book, kind, first, SEAL_DEPTH, numbered=False) for kind, first in TWO_SEALS
            ]
        return [Ring(book, book.kind, 0, book.depth, numbered=True)]

    async def _chapter(
        self, ring: Ring, told: Told | None, now: datetime, *, season: Season
    ) -> Chapter:
        """Look until nothing is new, not even where to go on from, or two looks agree."""
        seen: View | None = None
        for _ in range(LOOKS):
            view = await self._look(ring, told)
            new = chapter(ring, view, told, now, season=season)
            if (new.empty and new.told == told) or view == seen:
                return new
            seen = view
        raise FrameGarbled(
            f"Journal {ring.book.name} reads differently each time; it is read at the next visit, "
            "check that no other master talks on the line.",
            received=b"",
        )

    async def _look(self, ring: Ring, told: Told | None) -> View:
        """Walk back from the newest record to the last one told, or to the oldest kept."""
        wires: dict[int, bytes] = {}
        newest, stamps = await self._newest(ring, told, wires)
        if newest is None or is_blank(wires[newest]):
            return View()
        wanted = (newest - told.at) % ring.depth if told else ring.depth
        kept: list[bytes] = []
        met = False
        while not met and len(kept) < ring.depth:
            place = (newest - len(kept)) % ring.depth
            wire = await self._fetch(ring, place, wires, wanted)
            if is_blank(wire):
                break
            kept.append(wire)
            met = told is not None and told.at == place and ring.same(wire, told.wire)
        past: list[bytes] = []
        if met and told is not None and _is_back(ring, told, kept):
            for back in range(len(kept), ring.depth):
                wire = await self._fetch(ring, (newest - back) % ring.depth, wires, ring.depth)
                if is_blank(wire):
                    break
                past.append(wire)
        older: dict[int, bytes] = {}
        for place, began, _nth in told.entries if met and told else ():
            if (newest - place) % ring.depth >= len(kept):
                wire = await self._fetch(ring, place, wires, wanted)
                if first_time(ring.book.shape, wire).isoformat() == began:
                    older[place] = wire
        return View(newest, tuple(kept[::-1]), met, older, tuple(past[::-1]), stamps)

    async def _newest(
        self, ring: Ring, told: Told | None, wires: dict[int, bytes]
    ) -> tuple[int | None, tuple[bytes, ...]]:
        """Find the place written last; with it what stays of each record, if the meter can't tell.

        Only if the last one told is gone, or none was, the whole ring is read.
        """
        tells = ring.numbered and not self._refused(NO_LAST, ring.book)
        last = await self._last(ring.book) if tells else None
        if last is not None:
            wires[last[1]] = last[0]
            return last[1], ()
        found = await self._followed(ring, told, wires)
        if found is not None:
            return found
        starts = [await self._fetch(ring, place, wires, FEW) for place in range(FEW)]
        if all(map(is_blank, starts)):
            return None, ()
        ordered: list[bytes] = []
        for place in range(ring.depth):
            wire = await self._fetch(ring, place, wires, ring.depth)
            if is_blank(wire) and ordered and not is_blank(ordered[-1]):
                ordered += [wire] * (ring.depth - place)  # written from the first place on
                break
            ordered.append(wire)
        return ring.newest(ordered), tuple(map(ring.lasting, ordered))

    async def _followed(
        self, ring: Ring, told: Told | None, wires: dict[int, bytes]
    ) -> tuple[int, tuple[bytes, ...]] | None:
        """Go on from the last one told while places have changed; None: it is not there."""
        if told is None or len(told.stamps) != ring.depth:
            return None
        if not ring.same(await self._fetch(ring, told.at, wires, FEW), told.wire):
            return None
        stamps, newest = list(told.stamps), told.at
        for ahead in range(1, ring.depth):
            place = (told.at + ahead) % ring.depth
            stamp = ring.lasting(await self._fetch(ring, place, wires, FEW))
            if stamp == stamps[place]:
                break
            stamps[place], newest = stamp, place
        return newest, tuple(stamps)

    # -- exchanges ------------------------------------------------------------------------------

    async def _last(self, book: Book) -> tuple[bytes, int] | None:
        """Return the newest record and its place; None: this meter does not tell."""

        def parse(data: bytes) -> tuple[bytes, int]:
            if data[-1] >= book.depth:
                raise ValueError(f"record number {data[-1]}")
            return data[:-1], data[-1]

        try:
            found, _ = await self._session.sense(_body(book, LAST), book.size + 1, parse=parse)
        except NotSupported:
            await self._single(book, 0)  # if it has no first record either, it has no such book
            self._learn(NO_LAST, book)
            return None
        return found

    async def _fetch(self, ring: Ring, place: int, wires: dict[int, bytes], wanted: int) -> bytes:
        """Return the record at a place of the ring, from ``wires`` if it is there already."""
        if place not in wires and wanted > FEW:
            await self._block(ring, place, wires)
        if place not in wires:
            wires[place] = await self._single(ring.book, ring.first + place)
        return wires[place]

    async def _single(self, book: Book, place: int) -> bytes:
        try:
            wire, _ = await self._session.sense(_body(book, place), book.size, parse=bytes)
        except NotSupported as error:
            if place == 0:
                raise _NoSuchBook from error
            raise
        return wire

    async def _block(self, ring: Ring, place: int, wires: dict[int, bytes]) -> None:
        """Read the block that a place is in; what is in ``wires`` already stays."""
        book = ring.book
        if self._short or self._refused(NO_BLOCKS, book):
            return
        records = SMALL_BLOCK if book.depth == SMALL_BLOCK else BLOCK
        number = (ring.first + place) // records
        try:
            data, _ = await self._session.sense(
                _body(book, FIRST_BLOCK - number), records * book.size, parse=bytes
            )
        except NotSupported:
            await self._single(book, 0)
            self._learn(NO_BLOCKS, book)
            return
        except (FrameGarbled, ReplyTimeout):
            self._short = True
            return
        for at in range(records):
            within = number * records + at - ring.first
            if 0 <= within < ring.depth:
                wires.setdefault(within, data[at * book.size : (at + 1) * book.size])

    def _refused(self, habit: str, book: Book) -> bool:
        return book.name in self._session.habits.get(habit, "").split()

    def _learn(self, habit: str, book: Book) -> None:
        known = self._session.habits.get(habit, "").split()
        self._session.habits[habit] = " ".join(sorted({*known, book.name}))


def _is_back(ring: Ring, told: Told, kept: list[bytes]) -> bool:
    """Tell whether something new began at a time that the clock had come to before."""
    new = kept if kept[-1] != told.wire and ring.book.shape is Shape.BREAK else kept[:-1]
    times = (ring.began(wire) for wire in new)
    return any(time is not None and time.isoformat() <= told.high for time in times)


def _body(book: Book, record: int) -> bytes:
    return bytes((0x04, book.number, record))
