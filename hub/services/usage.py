"""Figures of the main page: what was used today and this month, against the day and month before.

Only P+ of electricity, exact kWh. A comparison counts only the half-hours that both spans have,
day by day; each figure says of how many slots it is made. All points of a contract come out of
one load: three queries and a few calls of corefast for each point.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, takewhile

from hub.domain.calendar import (
    day_starts,
    local_day,
    minute_of,
    month_end,
    month_start,
    previous_month,
    slot_at,
)
from hub.services.forecast import Forecast, forecast_of_contract
from hub.services.hours import Hours, HourUse
from hub.services.kept import Kept
from hub.services.ledger import Ledger
from hub.services.pieces import DEFAULT_ZONE, Load, assemble, fetch, know
from hub.services.spans import (
    Span,
    active_column,
    by_day,
    by_day_of,
    compared,
    compared_of,
    join_span,
    no_span,
)
from hub.store.points import InstallationRow, PointRow
from hub.store.unit import Unit

ELECTRICITY = "electricity"


@dataclass(frozen=True, slots=True)
class Figure:
    """Energy of a span so far, and how it compares with an earlier span of the same days.

    ``now`` and ``before`` hold only slots that both spans have (``both`` of them).
    """

    first: date
    last: date
    before_first: date
    before_last: date
    energy: Fraction | None
    measured: int
    expected: int
    now: Fraction | None
    before: Fraction | None
    both: int


@dataclass(frozen=True)
class PointUsage:
    """One point's month; ``days`` from the first to today, None where a day has no value.

    They are made when first asked for: a list of points draws them, a page of figures does not.
    """

    point_id: int
    by_day: Ledger
    own: "Days"
    of_today: "Span"
    of_month: "Span"

    @cached_property
    def today(self) -> Figure:
        return _figure(self.of_today, *self.own.for_today)

    @cached_property
    def month(self) -> Figure:
        return _figure(self.of_month, *self.own.for_month)

    @cached_property
    def days(self) -> tuple[Fraction | None, ...]:
        return self.by_day.energies()


@dataclass(frozen=True)
class ContractUsage:
    """All points of a contract together; ``before_days`` is the whole month before, for drawing.

    ``whole``: of each day of ``days``, whether no slot of any point is missing in it, of today so
    far; a running total is a lower bound past a day that is not. ``whole_before``: how many days
    of the month before are whole, counted from its first.
    """

    today: Figure
    month: Figure
    days: tuple[Fraction | None, ...]
    before_days: tuple[Fraction | None, ...]
    whole: tuple[bool, ...]
    whole_before: int
    hours: tuple[HourUse, ...]
    zones: tuple[str, ...]
    points: tuple[PointUsage, ...]

    # Made at the first look and kept with the rest.

    @cached_property
    def running(self) -> tuple[Decimal | None, ...]:
        """The month's kWh up to each of ``days``; None before the first that has a value."""
        return _running(self.days)

    @cached_property
    def running_before(self) -> tuple[Decimal, ...]:
        """The same of the month before, while it is whole, and no further than this one goes."""
        days = (month_end(self.month.first) - self.month.first).days + 1
        before = _running(self.before_days[: min(self.whole_before, days)])
        return tuple(total or Decimal(0) for total in before)

    @cached_property
    def forecast(self) -> Forecast | None:
        """The running month's forecast; None where a day of its beginning is not known."""
        if None in self.running:
            return None
        return forecast_of_contract(self.month.first, self.days, self.whole)


@dataclass(frozen=True, slots=True)
class Days:
    """Today in a point's zone and the spans that hang on it."""

    today: date
    month: date
    month_before: date
    before_last: date  # same number of days into the month before

    @classmethod
    def of(cls, zone: str, now: datetime) -> "Days":
        today = local_day(zone, now)
        month, before = month_start(today), previous_month(today)
        passed = (today - month).days
        return cls(today, month, before, min(before + timedelta(days=passed), month - _DAY))

    @property
    def for_today(self) -> tuple[tuple[date, date], tuple[date, date]]:
        """Today, and yesterday to compare it with."""
        return (self.today, self.today), (self.today - _DAY, self.today - _DAY)

    @property
    def for_month(self) -> tuple[tuple[date, date], tuple[date, date]]:
        """The month so far, and as many days of the month before."""
        return (self.month, self.today), (self.month_before, self.before_last)


_DAY = timedelta(days=1)


def usage_in(
    unit: Unit,
    rows: Sequence[PointRow],
    now: datetime,
    installed: Sequence[InstallationRow] | None = None,
) -> ContractUsage | None:
    """Load and sum the electricity points among ``rows``; None if none has a place."""
    rows = [
        row for row in rows if row.resource == ELECTRICITY and row.metering_point_id is not None
    ]
    if not rows:
        return None
    zones = {row.time_zone or DEFAULT_ZONE for row in rows}
    spans = [(zone, Days.of(zone, now)) for zone in zones]
    first = min(day_starts(zone, days.month_before, days.month_before)[0] for zone, days in spans)
    last = max(day_starts(zone, days.today, days.today)[1] for zone, days in spans)
    known = know(unit, rows, first, last, installed)
    return _KEPT.get(known.key(minute_of(now)), lambda: usage_of(assemble(fetch(unit, known)), now))


_KEPT: Kept[ContractUsage] = Kept(256)


@dataclass(slots=True)
class Parts:
    """What one point, or several alike, give to the figures of their contract."""

    days: Ledger
    before_days: Ledger
    today: Span
    month: Span
    points: list[PointUsage]


def usage_of(loads: Sequence[Load], now: datetime) -> ContractUsage:
    """Sum loaded points; pure."""
    days = Days.of(loads[0].time_zone, now)
    end = minute_of(now)
    whole = Parts(Ledger(0), Ledger(0), no_span(), no_span(), [])
    hours = Hours()
    for group in _alike(loads, now):
        own = Days.of(group[0].time_zone, now)
        parts = _parts_alone(group[0], own, end) if len(group) == 1 else _batch(group, own, end)
        whole.days.join(parts.days)
        whole.before_days.join(parts.before_days)
        join_span(whole.today, parts.today)
        join_span(whole.month, parts.month)
        whole.points += parts.points
        hours.add(group, own.today)
    places = {load.row.id: place for place, load in enumerate(loads)}
    return ContractUsage(
        today=_figure(whole.today, *days.for_today),
        month=_figure(whole.month, *days.for_month),
        days=whole.days.energies(),
        before_days=whole.before_days.energies(),
        whole=_whole(loads, whole.days, days.month, end),
        whole_before=sum(takewhile(bool, _whole(loads, whole.before_days, days.month_before, end))),
        hours=hours.views(loads[0], days.today, end),
        zones=tuple(sorted({zone for load in loads for zone in load.schedule.zones})),
        points=tuple(sorted(whole.points, key=lambda point: places[point.point_id])),
    )


def _whole(loads: Sequence[Load], ledger: Ledger, first: date, end: int) -> tuple[bool, ...]:
    """Say of each day from ``first`` on whether no point lacks a slot of it; of today so far."""
    last = first + timedelta(days=len(ledger.slots) - 1)
    clocks = Counter((load.time_zone, load.minutes) for load in loads)
    whole = []
    for number, slots in enumerate(ledger.slots):
        wanted = 0
        for (zone, minutes), count in clocks.items():
            starts = day_starts(zone, first, last)
            low, high = starts[number], min(starts[number + 1], end)
            wanted += count * (slot_at(max(high, low), minutes) - slot_at(low, minutes))
        whole.append(slots >= wanted)
    return tuple(whole)


def _alike(loads: Sequence[Load], now: datetime) -> list[list[Load]]:
    """Put together points that can be summed by one call; all others are alone."""
    groups: dict[object, list[Load]] = {}
    for load in loads:
        key: object = load.row.id
        if len(load.pieces) == 1:
            piece = load.pieces[0]
            own = Days.of(load.time_zone, now)
            first = slot_at(day_starts(load.time_zone, own.month_before, own.today)[0], 1)
            last = day_starts(load.time_zone, own.today, own.today)[1]
            start, end = piece.start * piece.minutes, piece.end * piece.minutes
            if start <= first and end >= last and active_column(piece) is not None:
                key = (id(piece.held.batch), load.time_zone, load.schedule)
        groups.setdefault(key, []).append(load)
    return list(groups.values())


def _parts_alone(load: Load, own: Days, end: int) -> Parts:
    mine = by_day(load, own.month, own.today)
    today = compared(load, *own.for_today, end)
    month = compared(load, *own.for_month, end)
    today.so_far = mine.only(len(mine.slots) - 1)
    month.so_far = mine.total()
    point = PointUsage(load.row.id, mine, own, today, month)
    earlier = by_day(load, own.month_before, own.month - _DAY)
    return Parts(mine, earlier, today, month, [point])


def _batch(group: Sequence[Load], own: Days, end: int) -> Parts:
    """Sum points of one batch with one call for each question instead of one for each point."""
    whole = Parts(Ledger(0), Ledger(0), no_span(), no_span(), [])
    mine = by_day_of(group, own.month, own.today)
    earlier = by_day_of(group, own.month_before, own.month - _DAY)
    today = compared_of(group, *own.for_today, end)
    month = compared_of(group, *own.for_month, end)
    for place, load in enumerate(group):
        today[place].so_far = mine[place].only(len(mine[place].slots) - 1)
        month[place].so_far = mine[place].total()
        whole.points.append(PointUsage(load.row.id, mine[place], own, today[place], month[place]))
    whole.days.join_all(mine)
    whole.before_days.join_all(earlier)
    for into, spans in ((whole.today, today), (whole.month, month)):
        into.so_far.join_all([span.so_far for span in spans])
        into.now.join_all([span.now for span in spans])
        into.before.join_all([span.before for span in spans])
        into.expected = sum(span.expected for span in spans)
    return whole


def _running(days: Sequence[Fraction | None]) -> tuple[Decimal | None, ...]:
    """Add up the days; None before the first that has a value."""
    before = sum(1 for _ in takewhile(lambda day: day is None, days))
    totals = accumulate(day or Fraction(0) for day in days[before:])
    known = (Decimal(total.numerator) / total.denominator for total in totals)
    return (*[None] * before, *known)


def _figure(span: Span, days: tuple[date, date], before: tuple[date, date]) -> Figure:
    return Figure(
        *days,
        *before,
        energy=span.so_far.energy(0),
        measured=span.so_far.slots[0],
        expected=span.expected,
        now=span.now.energy(0),
        before=span.before.energy(0),
        both=span.now.slots[0],
    )
