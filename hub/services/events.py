"""Events: storing what a meter's journals say, and listing them for a point.

A page is stored with its cursor in one transaction, any number of times. What a ring has
overwritten is an event of its own, with its bounds. Times are the meter's face by the clock base
of the installation; the face itself is kept beside.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub.domain.calendar import day_starts, instant_of
from hub.domain.clock import MeterTime
from hub.domain.events import Group, Severity, kind_of
from hub.domain.journal import JournalEntry, JournalPage, When
from hub.domain.pages import Cursor
from hub.domain.profile import Gap
from hub.errors import Missing
from hub.services.clock import utc_now
from hub.services.made_notices import announce_events
from hub.services.pieces import DEFAULT_ZONE
from hub.services.storing import tell
from hub.store import events, leases, meters, points
from hub.store.events import EventRow, Put, Stay, Wish
from hub.store.leases import Lease
from hub.store.points import PointRow
from hub.store.unit import Store, Unit

LOST = "journal_lost"
PAGE = 50


# -- storing -----------------------------------------------------------------------------------


@dataclass(slots=True)
class JournalStored:
    """What a page of a journal changed; nothing at all when it was stored before."""

    fresh: Counter[Severity] = field(default_factory=Counter)  # new ones, by severity
    changed: int = 0
    same: int = 0
    moved: bool = False  # the cursor

    @property
    def new(self) -> int:
        return self.fresh.total()


def cursor_name(book: str) -> str:
    """Name a book's cursor among the meter's."""
    return f"journal/{book}"


def store_journal_page(
    store: Store,
    meter_id: int,
    book: str,
    page: JournalPage,
    *,
    lease: Lease,
    anew: bool = False,
    learned: Mapping[str, str] | None = None,
) -> JournalStored:
    """Store a page of a book with its cursor.

    ``anew``: the driver had lost its place and began at the oldest entry; if that is newer than
    the newest one ever read, what was between them is reported as lost. Raises LineBusy (nothing
    is stored) if the lease was lost.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        bases = meters.clock_bases(unit, meter_id)
        lost = page.lost or (_between(unit, meter_id, book, page) if anew else None)
        stored = JournalStored()
        done = events.put_entries(unit, meter_id, page.entries, bases)
        if lost is not None:
            done += events.put_entries(
                unit, meter_id, [lost_entry(book, lost)], bases, source=events.HUB
            )
            events.give_up_ends(unit, meter_id, book, bases.utc(lost.ends))
        counted = Counter(put for put, _ in done)
        stored.changed, stored.same = counted[Put.CHANGED], counted[Put.SAME]
        stored.fresh = Counter(Severity(row.severity) for put, row in done if put is Put.NEW)
        announce_events(unit, meter_id, [row for put, row in done if put is not Put.SAME])
        if learned is not None:
            meters.change_meter(unit, meter_id, learned=dict(learned))
        stored.moved = meters.move_cursor(unit, meter_id, page.next, cursor_name(book))
        if stored.new or stored.changed:
            tell(unit, meter_id)
        return stored


def _between(unit: Unit, meter_id: int, book: str, page: JournalPage) -> Gap | None:
    """Return the span between what was read of a book long ago and the oldest entry it keeps."""
    newest = events.newest_of_book(unit, meter_id, book)
    faces = [entry.began for entry in page.entries if isinstance(entry.began, MeterTime)]
    oldest = min(faces, key=lambda shown: shown.face, default=None)
    if oldest is None or not isinstance(newest, MeterTime) or newest.face >= oldest.face:
        return None
    return Gap(newest, oldest)


def lost_entry(book: str, lost: Gap) -> JournalEntry:
    """Say that entries of a book were overwritten before they were read."""
    told = {"before": lost.ends.face.isoformat()}
    if lost.starts is not None:
        told["after"] = lost.starts.face.isoformat()
    return JournalEntry(book, LOST, lost.starts or lost.ends, lost.ends, told)


@dataclass(frozen=True, slots=True)
class JournalPlan:
    """Where to go on in each book, and when all books were gone through last (None: never)."""

    cursors: dict[str, Cursor]
    read_at: datetime | None


def plan(store: Store, meter_id: int) -> JournalPlan:
    """Say how far a meter's journals have been read."""
    with store.read() as unit:
        return JournalPlan(
            meters.cursors(unit, meter_id, cursor_name("")), meters.journals_at(unit, meter_id)
        )


def journals_read(store: Store, meter_id: int, at: datetime, *, lease: Lease) -> None:
    """Note that all books were gone through; the next time is reckoned from ``at``."""
    with store.write() as unit:
        leases.prove(unit, lease)
        meters.state(unit, meter_id).journals_at = at


def note(unit: Unit, meter_id: int, kind: str, at: When, detail: Mapping[str, str]) -> None:
    """Add an event that the hub itself saw, at the meter's face or at an instant, to the second.

    Once, however often it is told.
    """
    if isinstance(at, MeterTime):
        at = MeterTime(at.face.replace(microsecond=0), at.summer)
    else:
        at = at.replace(microsecond=0)
    entry = JournalEntry("", kind, at, detail=detail)
    bases = meters.clock_bases(unit, meter_id)
    ((put, row),) = events.put_entries(unit, meter_id, [entry], bases, source=events.HUB)
    if put is Put.NEW:
        announce_events(unit, meter_id, [row])
        tell(unit, meter_id)


# -- listing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events of a point; days are of its time zone, both included. Empty: all."""

    first: date | None = None
    last: date | None = None
    kinds: Collection[str] = ()
    severities: Collection[Severity] = ()
    phase: int | None = None
    only_open: bool = False


@dataclass(frozen=True, slots=True)
class EventView:
    """An event in the point's time zone, with the meter's clock beside it.

    ``entry`` is what the journal said. ``open``: it goes on. ``end_unknown``: the meter
    overwrote the entry before its end was read. ``source``: 'meter', or 'hub' for what the hub saw.
    """

    id: int
    meter_id: int
    serial: str
    source: str
    entry: JournalEntry
    severity: Severity
    group: Group | None
    phase: int | None
    began_at: datetime
    began_local: datetime
    ended_at: datetime | None
    ended_local: datetime | None
    end_unknown: bool
    first_seen_at: datetime

    @property
    def kind(self) -> str:
        return self.entry.kind

    @property
    def open(self) -> bool:
        lasting = kind_of(self.kind).lasting
        return lasting and self.ended_at is None and not self.end_unknown

    @property
    def clock_differs(self) -> bool:
        """Whether the meter's face is not the point's time."""
        began = self.entry.began
        return isinstance(began, MeterTime) and began.face != self.began_local.replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first. ``kinds``: all that ever occurred at the point, for the filter.

    ``counts``: of all that is wished for by kind, whatever kinds are wished. ``drivers``: of the
    meters, whose books they number. ``next``: where to go on, None at the end.
    """

    events: tuple[EventView, ...]
    kinds: tuple[str, ...]
    counts: Mapping[str, int]
    drivers: Mapping[int, str]
    time_zone: str
    next: tuple[datetime, int] | None


class Events:
    """Reads events for the owner of a point; ``Missing`` for anybody else."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def of_point(
        self,
        user_id: int,
        point_id: int,
        wish: EventFilter | None = None,
        *,
        limit: int = PAGE,
        after: tuple[datetime, int] | None = None,
    ) -> EventPage:
        """List a point's events across the meters that were there, each while it was there."""
        with self.store.read() as unit:
            row = _owned(unit, user_id, point_id)
            return events_in(unit, row, wish or EventFilter(), limit=limit, after=after)

    def one(self, user_id: int, point_id: int, event_id: int) -> EventView:
        """Give one event of a point."""
        return self.about(user_id, point_id, event_id)[0]

    def about(self, user_id: int, point_id: int, event_id: int) -> tuple[EventView, str]:
        """Give one event of a point with its meter's driver, for an appeal about it."""
        with self.store.read() as unit:
            row = _owned(unit, user_id, point_id)
            stays, serials = _stays(unit, row)
            found = events.one(unit, event_id)
            drivers = events.drivers(unit, serials)
        if found is None or not any(_within(found, stay) for stay in stays):
            raise Missing
        view = view_of(found, row.time_zone or DEFAULT_ZONE, serials)
        return view, drivers.get(found.meter_id, "")


def events_in(
    unit: Unit,
    row: PointRow,
    wish: EventFilter,
    *,
    limit: int = PAGE,
    after: tuple[datetime, int] | None = None,
) -> EventPage:
    """List a point's events in a unit that is open; see ``Events.of_point``."""
    zone = row.time_zone or DEFAULT_ZONE
    stays, serials = _stays(unit, row)
    wished = _wish(wish, zone)
    found = events.listed(unit, stays, wished, limit=limit + 1, after=after)
    shown = found[:limit]
    return EventPage(
        tuple(view_of(each, zone, serials) for each in shown),
        tuple(events.kinds(unit, stays)),
        events.counts(unit, stays, replace(wished, kinds=())),
        events.drivers(unit, serials),
        zone,
        (shown[-1].began_at, shown[-1].id) if len(found) > limit else None,
    )


def _owned(unit: Unit, user_id: int, point_id: int) -> PointRow:
    row = points.one(unit, user_id, point_id)
    if row is None:
        raise Missing
    return row


def _stays(unit: Unit, row: PointRow) -> tuple[list[Stay], dict[int, str]]:
    places = [] if row.metering_point_id is None else [row.metering_point_id]
    installed = points.installations(unit, places)
    stays = [Stay(each.meter_id, each.from_at, each.to_at) for each in installed]
    return stays, {each.meter_id: each.serial for each in installed}


def _within(found: EventRow, stay: Stay) -> bool:
    """Tell what ``events.listed`` asks the database for one event."""
    if found.meter_id != stay.meter_id or (stay.to_at and found.began_at >= stay.to_at):
        return False
    if found.began_at >= stay.from_at:
        return True
    if found.ended_at is None:
        return not found.end_unknown and kind_of(found.entry.kind).lasting
    return found.ended_at >= stay.from_at


def _wish(wish: EventFilter, zone: str) -> Wish:
    return Wish(
        from_at=None
        if wish.first is None
        else instant_of(day_starts(zone, wish.first, wish.first)[0]),
        to_at=None if wish.last is None else instant_of(day_starts(zone, wish.last, wish.last)[1]),
        kinds=wish.kinds,
        severities=[severity.value for severity in wish.severities],
        phase=wish.phase,
        only_open=wish.only_open,
    )


def view_of(found: EventRow, zone: str, serials: Mapping[int, str]) -> EventView:
    """Put a stored event into a time zone."""
    info = ZoneInfo(zone)
    return EventView(
        id=found.id,
        meter_id=found.meter_id,
        serial=serials.get(found.meter_id, ""),
        source=found.source,
        entry=found.entry,
        severity=Severity(found.severity),
        group=kind_of(found.entry.kind).group,
        phase=found.phase,
        began_at=found.began_at,
        began_local=found.began_at.astimezone(info),
        ended_at=found.ended_at,
        ended_local=None if found.ended_at is None else found.ended_at.astimezone(info),
        end_unknown=found.end_unknown,
        first_seen_at=found.first_seen_at,
    )
