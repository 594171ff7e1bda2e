"""A point's pages, each from one unit of the store: frame, head, and what the tab shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.domain.calendar import Level, instant_of, local_day, month_end, month_start
from hub.errors import Missing
from hub.services.appeals import takes_appeals
from hub.services.clock import utc_now
from hub.services.comparing import Against, Comparison, beside_of, comparison_of, load_beside
from hub.services.costs import kopecks_by_zone, one_price, prices_in, zone_prices
from hub.services.events import EventFilter, EventPage, events_in
from hub.services.past_readings import PastReading, past_in
from hub.services.pieces import DEFAULT_ZONE, Load, Loading, gather, minutes_of
from hub.services.points import PointCard, PointInfo, card_in, info_in
from hub.services.profile import MOST_SLOT_DAYS, ProfileSums, Sum, span_minutes, summed, sums_in
from hub.services.registers import RegisterPeriods, periods_in
from hub.services.shell import ShellView, shell_in
from hub.services.slots import Columns, SlotView, columns_of, slot_views
from hub.services.submissions import SubmissionForm, forms_in
from hub.services.transformers import Transformers, transformers_of
from hub.store import gaps
from hub.store import points as stored
from hub.store.accounts import SignedIn
from hub.store.points import InstallationRow, PointRow, SpanRow
from hub.store.unit import Store, Unit

MANY_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class InfoPage:
    """«Общая информация»; with ``form`` and ``past`` readings where people read the meter."""

    shell: ShellView
    info: PointInfo
    form: SubmissionForm | None = None
    past: tuple[PastReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Hole:
    """A span without values that the gap ledger knows of.

    ``state``: open (the meter is asked again, next at ``next_try_at``) or gone (it no longer has
    it); ``reason``: not_written, not_read, damaged.
    """

    from_at: datetime
    to_at: datetime
    state: str
    reason: str
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a profile is wanted: local days ``first`` to ``last`` summed by ``level``.

    ``step`` None: no slots for a chart. ``month``: a day of the month to count by day beside it;
    ``day``: the day whose slots are wanted one by one. ``against``: what to compare with.
    """

    first: date
    last: date
    level: Level = Level.DAY
    step: int | None = 30
    month: date | None = None
    day: date | None = None
    against: Against | None = None


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """«Профиль мощности»: ``sums`` for the table and the totals, ``columns`` for the chart.

    ``columns`` is None where none was asked for, or for more than 100 days: days are drawn then.
    ``beside``: kWh of the earlier days beside each of its steps. ``cost``: kopecks of the total by
    half-hours, None where a price is not known or changed within the span.
    """

    shell: ShellView
    card: PointCard
    sums: ProfileSums
    columns: Columns | None
    holes: tuple[Hole, ...]
    month: tuple[Sum, ...] = ()
    slots: tuple[SlotView, ...] = ()
    comparison: Comparison | None = None
    beside: Sequence[float | None] = ()
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class ProfileChart:
    """What a chart is drawn from; ``beside`` as in ProfilePage.

    ``prices``: millionths of a rouble for a kWh by zone, of those that hold through the span; the
    one zone '' where one price holds for all hours.
    """

    columns: Columns
    beside: Sequence[float | None]
    comparison: Comparison | None
    prices: dict[str, int]


@dataclass(frozen=True, slots=True)
class ReadingsPage:
    """«Показания»."""

    shell: ShellView
    card: PointCard
    periods: RegisterPeriods


@dataclass(frozen=True, slots=True)
class JournalPage:
    """«Журналы событий»."""

    shell: ShellView
    card: PointCard
    events: EventPage
    appeals: bool  # the supplier takes them


@dataclass(frozen=True, slots=True)
class TransformersPage:
    """«Трансформаторы тока и напряжения»."""

    shell: ShellView
    card: PointCard
    transformers: Transformers


@dataclass(frozen=True, slots=True)
class IntervalsPage:
    """Each interval of a span, for a file: ``slots`` are made as they are asked for.

    ``beside``: earlier P+ of each, kWh, empty unless asked for; ``cost`` in kopecks.
    """

    card: PointCard
    sums: ProfileSums
    minutes: int
    slots: Iterator[SlotView]
    comparison: Comparison | None = None
    beside: Sequence[float | None] = ()
    cost: int | None = None


class PointPages:
    """Reads a point's pages for its owner; ``Missing`` for anybody else's."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def info(self, who: SignedIn, point_id: int) -> InfoPage:
        with self.store.read() as unit:
            row, shell = _begin(unit, who, point_id)
            card, installed = card_in(unit, row, self.clock())
            info = info_in(unit, row, card, installed)
            if row.smart:
                return InfoPage(shell, info)
            form = forms_in(unit, [row], self.clock())[row.id]
            return InfoPage(shell, info, form, past_in(unit, form))

    def transformers(self, who: SignedIn, point_id: int) -> TransformersPage:
        now = self.clock()
        with self.store.read() as unit:
            row, shell = _begin_smart(unit, who, point_id)
            card, installed = card_in(unit, row, now)
        zone = row.time_zone or DEFAULT_ZONE
        since = None if installed is None else local_day(zone, installed.from_at)
        told = transformers_of(row, installed, since, local_day(zone, now))
        return TransformersPage(shell, card, told)

    def intervals_of(
        self, who: SignedIn, point_id: int, choose: Callable[[date], Asked]
    ) -> IntervalsPage:
        """Give every interval of what ``choose`` asks for, oldest first, and their sums."""
        now = self.clock()
        with self.store.read() as unit:
            row, _shell = _begin_smart(unit, who, point_id)
            zone = row.time_zone or DEFAULT_ZONE
            asked = choose(local_day(zone, now))
            days = asked.first, asked.last
            card, _ = card_in(unit, row, now)
            load = gather(unit, [row], *span_minutes(zone, *days))[0]
            earlier = load_beside(unit, row, days, asked.against, (load, days))
            prices = prices_in(unit, row)
        step = asked.step or load.minutes
        sums = summed(load, *days, asked.level, now)
        comparison = None
        beside: Sequence[float | None] = ()
        if asked.against is not None:
            comparison = comparison_of(earlier, *days, asked.against, now)
            beside = beside_of(earlier, *days, step, asked.against)
        zones = {zone: energy[0] for zone, energy in sums.total.zones.items()}
        cost = kopecks_by_zone(prices, sums.total.energy[0], zones, days)
        slots = _slots(load, *days, step, now)
        return IntervalsPage(card, sums, step, slots, comparison, beside, cost)

    def profile(
        self,
        who: SignedIn,
        point_id: int,
        first: date,
        last: date,
        *,
        level: Level = Level.DAY,
        step: int | None = 30,
    ) -> ProfilePage:
        """Give the profile of a span of local days; ``step`` None: without the chart's slots."""
        return self.profile_of(who, point_id, lambda _today: Asked(first, last, level, step))

    def profile_of(
        self, who: SignedIn, point_id: int, choose: Callable[[date], Asked]
    ) -> ProfilePage:
        """Give what ``choose`` asks for when it hears which day it is at the point."""
        now = self.clock()
        with self.store.read() as unit:
            row, shell = _begin_smart(unit, who, point_id)
            zone = row.time_zone or DEFAULT_ZONE
            asked = choose(local_day(zone, now))
            first, last = asked.first, asked.last
            minutes = span_minutes(zone, first, last)
            card, _ = card_in(unit, row, now)
            hull = _hull(asked)
            loading = Loading(unit, row, *span_minutes(zone, *hull))
            sums = sums_in(loading, first, last, asked.level, now)
            month: tuple[Sum, ...] = ()
            if asked.month is not None:
                days = month_start(asked.month), month_end(asked.month)
                month = sums_in(loading, *days, Level.DAY, now).items
            # What has all its slots has no hole; most pages need not ask.
            holes = _holes(unit, loading.known.spans, minutes) if sums.total.missing else ()
            load = earlier = None
            if asked.step is not None or asked.day is not None or asked.against is not None:
                load = loading.load
                earlier = load_beside(unit, row, (first, last), asked.against, (load, hull))
            prices = prices_in(unit, row)
        columns = None
        beside: Sequence[float | None] = ()
        if load and asked.step is not None and last - first < MOST_SLOT_DAYS:
            columns = columns_of(load, first, last, asked.step, now)
            if earlier and asked.against is not None:
                beside = beside_of(earlier, first, last, asked.step, asked.against)
        comparison = None
        if earlier and asked.against is not None:
            comparison = comparison_of(earlier, first, last, asked.against, now)
        zones = {zone: energy[0] for zone, energy in sums.total.zones.items()}
        cost = kopecks_by_zone(prices, sums.total.energy[0], zones, (first, last))
        day = asked.day
        slots = slot_views(load, day, day, asked.step or 30, now) if load and day else []
        return ProfilePage(
            shell,
            card,
            sums,
            columns,
            holes,
            month,
            tuple(slots),
            comparison,
            beside,
            cost,
        )

    def chart(
        self,
        who: SignedIn,
        point_id: int,
        days: tuple[date, date],
        *,
        step: int = 30,
        against: Against | None = None,
    ) -> ProfileChart:
        """Give the slots of local days for a chart; Missing for more than 100 days."""
        now = self.clock()
        first, last = days
        if last - first >= MOST_SLOT_DAYS:
            raise Missing
        with self.store.read() as unit:
            row = stored.one(unit, who.user_id, point_id)
            if row is None or not row.smart:
                raise Missing
            zone = row.time_zone or DEFAULT_ZONE
            load = gather(unit, [row], *span_minutes(zone, first, last))[0]
            earlier = load_beside(unit, row, days, against, (load, days))
            prices = prices_in(unit, row)
        comparison = None
        beside: Sequence[float | None] = ()
        if against is not None:
            comparison = comparison_of(earlier, first, last, against, now)
            beside = beside_of(earlier, first, last, step, against)
        known = zone_prices(prices, first, last)
        if known and one_price(prices):
            known = {"": next(iter(known.values()))}
        return ProfileChart(columns_of(load, first, last, step, now), beside, comparison, known)

    def readings(
        self, who: SignedIn, point_id: int, first: date, last: date, level: Level = Level.DAY
    ) -> ReadingsPage:
        """Give registers and consumption of a span of local days."""
        return self.readings_of(who, point_id, lambda _today: Asked(first, last, level))

    def readings_of(
        self, who: SignedIn, point_id: int, choose: Callable[[date], Asked]
    ) -> ReadingsPage:
        """Give what ``choose`` asks for when it hears which day it is at the point."""
        now = self.clock()
        with self.store.read() as unit:
            row, shell = _begin_smart(unit, who, point_id)
            asked = choose(local_day(row.time_zone or DEFAULT_ZONE, now))
            card, _ = card_in(unit, row, now)
            periods = periods_in(unit, row, (asked.first, asked.last), asked.level, now)
            return ReadingsPage(shell, card, periods)

    def events_of(
        self, who: SignedIn, point_id: int, choose: Callable[[date], EventFilter]
    ) -> tuple[PointCard, list[EventPage]]:
        """Give all events of what ``choose`` asks for, newest first, page by page."""
        now = self.clock()
        with self.store.read() as unit:
            row, _shell = _begin_smart(unit, who, point_id)
            wish = choose(local_day(row.time_zone or DEFAULT_ZONE, now))
            card, _ = card_in(unit, row, now)
            pages = [events_in(unit, row, wish, limit=MANY_EVENTS)]
            while (after := pages[-1].next) is not None:
                pages.append(events_in(unit, row, wish, limit=MANY_EVENTS, after=after))
            return card, pages

    def journal_of(
        self,
        who: SignedIn,
        point_id: int,
        choose: Callable[[date], EventFilter],
        after: tuple[datetime, int] | None = None,
    ) -> JournalPage:
        """Give the events that ``choose`` asks for when it hears which day it is at the point."""
        now = self.clock()
        with self.store.read() as unit:
            row, shell = _begin_smart(unit, who, point_id)
            wish = choose(local_day(row.time_zone or DEFAULT_ZONE, now))
            card, _ = card_in(unit, row, now)
            found = events_in(unit, row, wish, after=after)
            return JournalPage(shell, card, found, takes_appeals(unit, row.contract_id))


def _begin(unit: Unit, who: SignedIn, point_id: int) -> tuple[PointRow, ShellView]:
    row = stored.one(unit, who.user_id, point_id)
    if row is None:
        raise Missing
    return row, shell_in(unit, who, row.contract_id)


def _begin_smart(unit: Unit, who: SignedIn, point_id: int) -> tuple[PointRow, ShellView]:
    """Begin a page that only a meter which reports by itself has; Missing for any other."""
    row, shell = _begin(unit, who, point_id)
    if not row.smart:
        raise Missing
    return row, shell


def _slots(load: Load, first: date, last: date, step: int, now: datetime) -> Iterator[SlotView]:
    """Make the slots month by month, so that a year of them never is in memory at once."""
    while first <= last:
        end = min(month_end(first), last)
        yield from slot_views(load, first, end, step, now)
        first = end + timedelta(days=1)


def _hull(asked: Asked) -> tuple[date, date]:
    """Give the days that hold all that is asked for."""
    days = [asked.first, asked.last]
    if asked.month is not None:
        days += [month_start(asked.month), month_end(asked.month)]
    if asked.day is not None:
        days.append(asked.day)
    return min(days), max(days)


def _holes(
    unit: Unit, spans: Sequence[SpanRow | InstallationRow], minutes: tuple[int, int]
) -> tuple[Hole, ...]:
    """List the ledger's gaps of the meters that were here, within the span, oldest first."""
    found = []
    for each in spans:
        start, end = minutes_of(each)
        span = max(start, minutes[0]), min(end, minutes[1])
        if span[0] >= span[1]:
            continue
        found += [
            Hole(
                instant_of(max(gap.span[0], span[0])),
                instant_of(min(gap.span[1], span[1])),
                gap.state.value,
                gap.reason.value,
                gap.next_try_at,
            )
            for gap in gaps.missing(unit, each.meter_id, span)
        ]
    return tuple(found)
