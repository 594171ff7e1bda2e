"""Reading the power profile: where the ring ends, in which pieces, one page at a time.

A cursor names the last place walked over by address *and* stamp: whichever of the two still holds
finds the way, and if they disagree the record itself is asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from hub.plugins.api import (
    Cursor,
    CursorLost,
    DeviceFault,
    FrameGarbled,
    HubError,
    MeterTime,
    NotSupported,
    PeriodUnsupported,
    ProfilePage,
    ReplyTimeout,
    rest,
)
from hub.plugins.mercury234.frames import data_of
from hub.plugins.mercury234.models import (
    LONG_ANSWERS_SINCE,
    RECORD_NUMBERS_SINCE,
    RELATIVE_READS_SINCE,
    RING_RECORDS,
    Facts,
)
from hub.plugins.mercury234.reach import (
    BLOCKS,
    RELATIVE,
    RELATIVE_SHORT,
    SINGLES,
    Reach,
    Way,
)
from hub.plugins.mercury234.ring import (
    INITIALISING,
    OVERFLOW,
    RECORD_BYTES,
    STEP,
    Last,
    Mark,
    Record,
    Span,
    addresses,
    cursor,
    divides_day,
    memory_read,
    parse_last,
    parse_record,
    place_of,
    relative_read,
    shown,
    snapped_up,
    std,
    window,
)
from hub.plugins.mercury234.session import LATE_ANSWERS_S, Session
from hub.plugins.mercury234.walk import Draft, Entry, Judged, Sense, Walker, gaps

POINTER = "pointer"  # its name among the habits; values as in ring.addresses
LAST_RECORD = b"\x08\x13"
LAST_BYTES = 9
PAGE_RECORDS = 170  # ten blocks: a page is stored every ten exchanges
SPAN_MARGIN = 1  # neighbours, for the twin of a slot at the edge
FEW = 2  # so many records are cheaper one by one
ODD_READS = 2
LATE_PLACES = 32  # read one by one within a few seconds


@dataclass(slots=True)
class Route:
    """Where a page starts and how far it may go, in records before the last one."""

    start: int
    stop: int
    edge: MeterTime | None  # what lies between here and the first slot is a gap
    walker: Walker
    searching: bool = False  # unwritten places before the first slot are nobody's news


class ProfileReader:
    """Reads pages for one visit; the last record is asked for once."""

    def __init__(self, session: Session, facts: Facts) -> None:
        variant = facts.variant
        if variant is None or not variant.has_profile:
            raise NotSupported("This meter keeps no power profile.")
        if variant.imp_per_kwh is None:
            raise NotSupported(
                "The meter reports a constant that no edition of its protocol lists, "
                "so counts can't become energy; report its variant bytes."
            )
        self._session = session
        self._facts = facts
        self._scale = Fraction(10**6, 2 * variant.imp_per_kwh)
        self._ring = RING_RECORDS[variant.profile_memory_131x8] * STEP
        self._reach = Reach(
            session.habits,
            blocks=facts.since(LONG_ANSWERS_SINCE),
            relative=facts.since(RELATIVE_READS_SINCE),
        )
        self._last: Last | None = None
        self._name = ""  # of the pointer's meaning
        self._address = 0  # byte address of the last record
        self._drift = 0  # records formed since the last record was asked for
        self._sure_of_address = False
        self._wires: dict[int, bytes] = {}  # by how far before the last record

    async def page(self, since: Cursor | None, span: Span | None) -> ProfilePage:
        """Return the page behind ``since``; CursorLost, PeriodUnsupported as they say."""
        place = place_of(since, span)
        if span is not None and since is None:
            self._wires.clear()  # a span is asked for to hear it anew, perhaps because of doubt
        last = await self._ask_last()
        from_oldest = since is None and span is None
        if (from_oldest and not last.status & OVERFLOW) or not divides_day(last.minutes):
            # damage here would hide a lap of history for good, or all of it for today
            self._wires.clear()
            last = await self._ask_last(anew=True)
        if last.ends is None or last.status & INITIALISING:
            return self._empty(cursor(place, span))
        if not divides_day(last.minutes):
            raise PeriodUnsupported
        route = await self._route(place, span)
        if route is None:
            return self._empty(cursor(place, span))
        return await self._walk(route, span)

    def _empty(self, at: Cursor) -> ProfilePage:
        return ProfilePage(slots=(), milliwatt_hours_per_count=self._scale, next=at, more=False)

    # -- the last record ------------------------------------------------------------------------

    async def _ask_last(self, *, anew: bool = False) -> Last:
        if self._last is not None and not anew:
            return self._last
        last, _ = await self._session.sense(LAST_RECORD, LAST_BYTES, parse=parse_last)
        self._last = last
        self._name, self._address = next(iter(self._means(last).items()))
        return last

    def _means(self, last: Last) -> dict[str, int]:
        by_firmware = "record" if self._facts.since(RECORD_NUMBERS_SINCE) else "byte"
        return addresses(last, self._ring, self._session.habits.get(POINTER, by_firmware))

    async def _find_last(self) -> None:
        """Read the record that the pointer means, by each meaning, until the stamps agree."""
        last = await self._ask_last()
        for anew in (False, True):
            last = await self._ask_last(anew=anew)
            tried: set[int] = set()
            for name, address in self._means(last).items():
                if address in tried:
                    continue
                tried.add(address)
                try:
                    wire = await self._single(address)
                except (NotSupported, DeviceFault):
                    continue  # no such address, so not this meaning
                if self._is_due(wire, 0):
                    if address != self._address:
                        self._wires.clear()
                    self._wires[0] = wire
                    self._found(name, address)
                    return
        raise DeviceFault(
            "The record that the meter calls its last is not where it points; "
            "read its status word, and initialise the profile if this stays."
        )

    def _found(self, name: str, address: int) -> None:
        self._name, self._address = name, address
        self._session.habits[POINTER] = name
        self._sure_of_address = True

    def _due(self, back: int) -> datetime:
        last = self._known_last
        return last.std - timedelta(minutes=last.minutes * back)

    def _is_due(self, wire: bytes, back: int, *, late: int = 0) -> bool:
        """Tell whether a record has the stamp that follows from the last record's."""
        record = _record(wire)
        last = self._known_last
        if record is None or record.minutes != last.minutes:
            return False
        return _end(record) == self._due(back - late)

    @property
    def _known_last(self) -> Last:
        if self._last is None:
            raise AssertionError("the last record is asked for first")
        return self._last

    # -- where to start -------------------------------------------------------------------------

    async def _route(self, place: Mark | None, span: Span | None) -> Route | None:
        """Return the way to go; None if there is nothing to read."""
        known = self._lag(place) is not None if place else span is not None
        if not known and not self._sure_of_address:
            await self._find_last()
        last = self._known_last
        if self._address == 0 and not last.status & OVERFLOW:
            return None  # initialised, and no record formed since
        if last.ends is None:
            return None
        mark = Mark(self._address, last.ends, last.minutes)
        walker = Walker(mark, self._ring // STEP, summer=bool(last.ends.summer))
        route = Route(self._kept(), 0, None, walker)
        if span is not None:
            self._narrow(route, span)
        if place is not None:
            await self._resume(route, place)
        return route if route.start >= route.stop else self._nothing(route, span)

    def _nothing(self, route: Route, span: Span | None) -> Route | None:
        return route if span is not None and route.edge is not None else None

    def _kept(self) -> int:
        """Return how far back records go: all the ring, or to 0010h if it never wrapped."""
        if self._known_last.status & OVERFLOW:
            return self._ring // STEP - 1
        return max(self._address // STEP - 1, 0)

    def _narrow(self, route: Route, span: Span) -> None:
        last = self._known_last
        period = timedelta(minutes=last.minutes)
        first, end = (std(edge) for edge in span)
        oldest = -(-(last.std - first) // period) - 1
        newest = -(-(last.std - end) // period)
        route.start = min(oldest + SPAN_MARGIN, route.start)
        route.stop = max(newest - SPAN_MARGIN, 0)
        route.edge = span[0]
        route.walker.floor, route.walker.ceiling = first, end

    def _lag(self, place: Mark) -> int | None:
        """Return how far back ``place`` is, if its address and its stamp agree on that."""
        last = self._known_last
        back = self._back(place.address)
        regular = place.minutes == last.minutes and self._due(back) == place.std
        return back if regular else None

    def _at(self, back: int) -> int:
        return (self._address - back * STEP) % self._ring

    def _back(self, address: int) -> int:
        return (self._address - address) % self._ring // STEP

    async def _resume(self, route: Route, place: Mark) -> None:
        """Start behind ``place``, found by address and by stamp."""
        route.edge = place.ends
        route.walker.floor = place.std
        back = self._lag(place)
        if back is not None:
            self._go_on(route, place, back)
            return
        back = self._back(place.address)
        if not self._overwritten(place):
            # the clock was moved, or the ring begun anew: is our record still there?
            record = _record(self._wires.get(back) or await self._single(place.address))
            if record and record.minutes == place.minutes and _end(record) == place.std:
                self._go_on(route, place, back)
                await self._step_back(route, place, back)
                return
            if self._known_last.std <= place.std:
                raise CursorLost(
                    "The meter's profile was begun anew and its clock set back; "
                    "reading starts from the oldest record kept."
                )
        route.start = min(route.start, self._kept())
        route.searching = True

    def _overwritten(self, place: Mark) -> bool:
        """Tell whether the ring simply went on, by more than it can hold."""
        last = self._known_last
        passed, rest = divmod(last.std - place.std, timedelta(minutes=last.minutes))
        laps = (passed - self._back(place.address)) % (self._ring // STEP)
        return place.minutes == last.minutes and passed > self._kept() and not (rest or laps)

    def _go_on(self, route: Route, place: Mark, back: int) -> None:
        route.start = back - 1
        route.walker.before = Entry(back, place)
        route.walker.summer = bool(place.ends.summer)

    async def _step_back(self, route: Route, place: Mark, back: int) -> None:
        """If the clock was set back right after ``place``, give its twins another reading."""
        if back < 1:
            return
        follower = _record(await self._wire(back - 1, 0))
        half_a_lap = timedelta(minutes=place.minutes * self._ring // STEP) / 2
        if follower is None or follower.minutes != place.minutes:
            return
        overlap = place.std - _end(follower)
        if not timedelta(0) <= overlap < half_a_lap:
            return
        again = overlap // timedelta(minutes=place.minutes) + 1
        summer = bool(place.ends.summer)
        edge = place.std - timedelta(minutes=place.minutes * again)
        mark = Mark(
            (place.address - again * STEP) % self._ring, shown(edge, summer=summer), place.minutes
        )
        route.start = min(back - 1 + again, self._kept())
        route.edge = mark.ends
        route.walker.floor = mark.std
        route.walker.before = Entry(back + again, mark)

    # -- the way --------------------------------------------------------------------------------

    async def _walk(self, route: Route, span: Span | None) -> ProfilePage:
        draft, walker = Draft(), route.walker
        more = False
        for back in range(route.start, route.stop - 1, -1):
            try:
                judged = await self._judged(walker, draft, back, route.stop)
            except (ReplyTimeout, FrameGarbled):
                # what is read so far is a page too, and the next one begins here; the last
                # place is held back because what follows it was not seen
                if len(draft.entries) < 2 or not draft.end_before(draft.entries.pop()):
                    raise
                more = True
                break
            entry = walker.entry(judged, back, self._at(back))
            if route.searching and not draft.entries and entry.record is None:
                continue
            full = len(draft.entries) >= PAGE_RECORDS - 1 and draft.end_before(entry)
            if full or not draft.fits(entry.record):
                more = True
                break
            draft.add(entry)
        return self._page(route, draft, span, more=more)

    def _page(self, route: Route, draft: Draft, span: Span | None, *, more: bool) -> ProfilePage:
        last_ends = route.walker.last.ends
        end = draft.entries[-1].mark.ends if draft.entries else last_ends
        if span is not None and not more:
            end = min(span[1], last_ends, key=std)
        mark = draft.entries[-1].mark if draft.entries else route.walker.last
        slots = draft.slots()
        return ProfilePage(
            slots=tuple(slots),
            milliwatt_hours_per_count=self._scale,
            gaps=tuple(gaps(route.edge, slots, end)),
            next=cursor(mark, span),
            more=more,
        )

    async def _judged(self, walker: Walker, draft: Draft, back: int, stop: int) -> Judged:
        wire = await self._wire(back, stop)
        judged = walker.judge(wire, back)
        if judged.sense is Sense.SLOT and draft.fits(judged.record):
            return judged
        if judged.sense is Sense.GAP:
            return judged
        address = self._at(back)
        for _ in range(ODD_READS):
            if self._is_late(wire, back):
                await rest(LATE_ANSWERS_S)
            again = await self._single(address)
            self._wires[back] = again
            judged = walker.judge(again, back)
            if again == wire and judged.sense is Sense.ODD:
                return walker.believe(judged, back)
            if again == wire or (judged.sense is Sense.SLOT and draft.fits(judged.record)):
                return judged
            if judged.sense is Sense.GAP:
                return judged
            wire = again
        return Judged(Sense.GAP)

    def _is_late(self, wire: bytes, back: int) -> bool:
        """Tell whether this is a record just read at another place: its answer came too late."""
        return any(self._wires.get(back + ago) == wire for ago in range(1, LATE_PLACES + 1))

    # -- memory ---------------------------------------------------------------------------------

    async def _wire(self, back: int, stop: int) -> bytes:
        """Return the bytes of a record, read together with those that are due after it."""
        while back not in self._wires:
            wanted = back - stop + 1
            way = self._reach.way(wanted) if wanted > FEW else SINGLES
            try:
                await self._read(way, back, stop)
            except (NotSupported, DeviceFault, ReplyTimeout, FrameGarbled) as error:
                if not await self._another_way(way, error):
                    raise
                continue
            if way.count > 1 or self._reach.way() is SINGLES:
                self._reach.arrived()
            if not self._sure_of_address and way.name != RELATIVE.name:
                await self._become_sure()
        return self._wires[back]

    async def _another_way(self, way: Way, error: HubError) -> bool:
        """Look for another way after a failed read. False: there is none."""
        refused = isinstance(error, NotSupported | DeviceFault)
        if refused and not self._sure_of_address:
            await self._find_last()  # perhaps the address was no address
            return True
        if way is SINGLES:
            return False
        if isinstance(error, NotSupported) or self._never_worked(way):
            self._reach.refuse(way)
            return True
        return self._reach.damaged()

    def _never_worked(self, way: Way) -> bool:
        """Tell whether a short read that failed may be one that this meter understands otherwise.

        Relative reads are in one edition of the protocol only, and not all who tell of them agree
        on what they count.
        """
        return way is RELATIVE_SHORT and not self._reach.proved(way)

    async def _become_sure(self) -> None:
        if any(self._is_due(wire, back) for back, wire in self._wires.items()):
            self._found(self._name, self._address)
        else:
            await self._find_last()

    async def _read(self, way: Way, back: int, stop: int) -> None:
        address = self._at(back)
        if way is SINGLES:
            self._wires[back] = await self._single(address)
        elif way is BLOCKS:
            start = window(address, self._ring, way.count, max(way.count - 1 - back, 0))
            size = RECORD_BYTES * way.count
            reply = await self._session.data(memory_read(start, way.count), size)
            for index, wire in enumerate(_records(data_of(reply.frame))):
                self._wires.setdefault(self._back(start + index * STEP), wire)
        else:
            await self._read_relative(way, back, stop)

    async def _read_relative(self, way: Way, back: int, stop: int) -> None:
        count = min(way.count, back - stop + 1)
        wires: dict[int, bytes] = {}
        for _ in range(2):
            body = relative_read(back - count + 1 + self._drift, count)
            reply = await self._session.data(body, RECORD_BYTES * count)
            wires = dict(zip(range(back, -1, -1), _records(data_of(reply.frame)), strict=False))
            due = any(self._is_due(wire, at) for at, wire in wires.items())
            if due:
                self._reach.prove(way)
                break
            if not any(self._is_due(wire, at, late=1) for at, wire in wires.items()):
                break
            self._drift += 1  # the meter formed a record since we asked for its last one
        if not self._reach.proved(way):
            self._reach.refuse(way)
            return
        self._wires.update((at, wire) for at, wire in wires.items() if at not in self._wires)

    async def _single(self, address: int) -> bytes:
        reply = await self._session.data(memory_read(address, 1), RECORD_BYTES)
        return data_of(reply.frame)


def _records(data: bytes) -> list[bytes]:
    return [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]


def _record(wire: bytes) -> Record | None:
    try:
        return parse_record(wire)
    except ValueError:
        return None


def _end(record: Record) -> datetime:
    """Return the record's end on the even scale, an interrupted interval taken as whole."""
    if not record.incomplete:
        return record.std
    off = snapped_up(record.ends.face, record.minutes) - record.ends.face
    return record.std + off
