"""The same days earlier, laid beside a span: which days they are, and their P+ by slot.

The previous period is moved by whole weeks, so that weekdays fall on weekdays (3 days: 7 days
back; 24 days: 28 back), a whole month by a month, day beside day from its first; last year by 364
days. Days that have not begun are not compared. Sums count only slots that both spans have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from hub.domain.calendar import (
    Level,
    day_starts,
    local_day,
    minute_of,
    month_end,
    month_start,
    previous_month,
)
from hub.services.pieces import Load, gather
from hub.services.profile import Sum, span_minutes
from hub.services.slots import cells_of
from hub.services.spans import by_day, compared
from hub.store.points import PointRow
from hub.store.unit import Unit

FOUR_WEEKS = timedelta(days=28)
WEEK = 7
YEAR = 364  # whole weeks


class Against(StrEnum):
    """What a span is compared with."""

    PREVIOUS = "previous"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Comparison:
    """P+ of the slots that both spans have (``both`` of them), kWh; None where there are none.

    ``first`` to ``last`` are the earlier days, as many as of the span have begun.
    """

    first: date
    last: date
    now: Fraction | None
    before: Fraction | None
    both: int


def earlier_days(first: date, last: date, against: Against) -> tuple[date, date]:
    """Give the days that lie beside ``first`` to ``last``."""
    if against is Against.YEAR:
        back = timedelta(days=YEAR)
    elif first.day == 1 and last == month_end(first):
        before = previous_month(first)
        return before, min(before + (last - first), month_end(before))
    else:
        days = (last - first).days + 1
        back = timedelta(days=-(-days // WEEK) * WEEK)
    return first - back, last - back


def comparison_of(
    load: Load, first: date, last: date, against: Against, now: datetime
) -> Comparison | None:
    """Compare a loaded point's span, as far as it has begun; None for one that has not."""
    today = local_day(load.time_zone, now)
    if first > today:
        return None
    before_first, before_last = earlier_days(first, last, against)
    until = min(last, today)
    before_last = min(before_last, before_first + (until - first))
    span = compared(load, (first, until), (before_first, before_last), minute_of(now))
    return Comparison(
        before_first, before_last, span.now.energy(0), span.before.energy(0), span.now.slots[0]
    )


def load_beside(
    unit: Unit,
    row: PointRow,
    span: tuple[date, date],
    against: Against | None,
    held: tuple[Load, tuple[date, date]],
) -> Load:
    """Load a span together with its earlier days; ``held`` is a load and the days it has."""
    load, (first, last) = held
    if against is None:
        return load
    days = (*span, *earlier_days(*span, against))
    if first <= min(days) and max(days) <= last:
        return load
    return gather(unit, [row], *span_minutes(load.time_zone, min(days), max(days)))[0]


def beside_of(
    load: Load, first: date, last: date, step: int, against: Against
) -> list[float | None]:
    """Give the earlier P+ energy beside each step of the span, kWh of a whole step; pure.

    A step that is not whole is None: half of it would look like a fall. Where the earlier day is
    shorter (its month, a season change), the rest of the day is None.
    """
    before_first, before_last = earlier_days(first, last, against)
    cells = cells_of(load, before_first, before_last, step, exact=False)
    values = [
        None if value is None or covered < cells.step else float(value)
        for value, covered in zip(cells.energy[0], cells.covered, strict=True)
    ]
    own = cells_of(load, first, last, step, exact=False)
    found: list[float | None] = [None] * len(own.flags)
    if own.step != cells.step:
        return found
    starts = day_starts(load.time_zone, first, last)
    earlier = day_starts(load.time_zone, before_first, before_last)
    for day in range(min(len(starts), len(earlier)) - 1):
        low, other = (starts[day] - own.first) // own.step, (earlier[day] - cells.first) // own.step
        count = min(starts[day + 1] - starts[day], earlier[day + 1] - earlier[day]) // own.step
        found[low : low + count] = values[other : other + count]
    return found


def hull(first: date, last: date, level: Level, today: date) -> tuple[date, date]:
    """Give the days that hold the span, what it is laid beside, and the running month in it."""
    days = [first, last, earlier_days(first, last, Against.PREVIOUS)[0]]
    days.append(_year_before(first) if level is Level.MONTH else first - FOUR_WEEKS)
    if first <= today <= last:
        days += [month_start(today), month_end(today)]
    return min(days), max(days)


def _year_before(day: date) -> date:
    """Give the first of the same month a year earlier."""
    return day.replace(year=day.year - 1, day=1)


def whole_before(load: Load, items: Sequence[Sum], level: Level) -> list[Fraction | None]:
    """Give P+ of the same days four weeks earlier, of a month a year earlier, kWh.

    None where any slot of them has no value: a part would look like little use.
    """
    spans = [_earlier_span(each, level) for each in items]
    known = [span for span in spans if span is not None]
    if not known:
        return [None] * len(items)
    first, last = known[0][0], known[-1][1]
    ledger = by_day(load, first, last)
    starts = day_starts(load.time_zone, first, last)
    whole = [
        slots == (high - low) // load.minutes
        for slots, low, high in zip(ledger.slots, starts, starts[1:], strict=False)
    ]
    found: list[Fraction | None] = []
    for span in spans:
        days = (
            range(0) if span is None else range((span[0] - first).days, (span[1] - first).days + 1)
        )
        energies = [ledger.energy(day) for day in days if whole[day]]
        there = [energy for energy in energies if energy is not None]
        found.append(sum(there, Fraction(0)) if days and len(there) == len(days) else None)
    return found


def _earlier_span(each: Sum, level: Level) -> tuple[date, date] | None:
    """Give the days to lay beside a day or week, or a whole month; None for a part of a month."""
    if level is not Level.MONTH:
        return each.first - FOUR_WEEKS, each.last - FOUR_WEEKS
    if each.first.day != 1 or each.last != month_end(each.first):
        return None
    first = each.first.replace(year=each.first.year - 1)
    return first, month_end(first)
