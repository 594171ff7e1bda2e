"""Spans of days in the address: read, kept within limits, and moved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from litestar.exceptions import ValidationException

from hub.domain.calendar import month_end, month_start
from hub.web.kit.formats import month, span
from hub.web.kit.requests import AnyRequest
from hub.web.kit.views import PeriodBar

EARLIEST = date(2000, 1, 1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACE = re.compile(r"([0-9]{1,16})-([0-9]{1,17})")


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Local days, both ends included; ``clamped``: fewer than the address asked for."""

    first: date
    last: date
    clamped: bool = False

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_month(self) -> bool:
        return self.first.day == 1 and self.last == month_end(self.first)

    def anchor(self, today: date) -> date:
        """Give the day that stays in sight when the span becomes shorter or longer."""
        return max(min(self.last, today), self.first)

    def label(self, today: date) -> str:
        return month(self.first, today) if self.is_month else span(self.first, self.last, today)

    def shifted(self, ahead: int) -> "DaySpan":
        """Move by its own length, a whole month by a month."""
        if not self.is_month:
            step = ahead * self.days * DAY
            return DaySpan(self.first + step, self.last + step)
        first = month_start(self.first - DAY) if ahead < 0 else self.last + DAY
        return DaySpan(first, month_end(first))


def one_day(request: AnyRequest, name: str) -> date | None:
    """Read a day of the address; a ValidationException (400) for what is no day."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValidationException(f"{name} must be a day such as 2026-11-24.") from error


def one_of(request: AnyRequest, name: str, known: Mapping[str, object], default: str) -> str:
    """Read a choice of the address; a ValidationException (400) for an unknown one."""
    text = request.query_params.get(name) or default
    if text not in known:
        raise ValidationException(f"{name} must be one of {', '.join(known)}.")
    return text


def day_span(request: AnyRequest, today: date, usual: DaySpan, most_days: int) -> DaySpan:
    """Read ``from`` and ``to``; turned round they are the same days, too many are cut."""
    first, last = one_day(request, "from"), one_day(request, "to")
    if first is None and last is None:
        return usual
    one, other = first or last or today, last or first or today
    asked = DaySpan(min(one, other), max(one, other))
    # A month may be looked at whole before it is over.
    latest = month_end(today)
    end = max(min(asked.last, latest), EARLIEST)
    begin = min(max(asked.first, EARLIEST, end - (most_days - 1) * DAY), end)
    return DaySpan(begin, end, clamped=(begin, end) != (asked.first, asked.last))


def address(path: str, found: DaySpan, **more: str) -> str:
    """Give the address of a span; parameters that are empty are left out.

    All values are days and choices of ours, so nothing needs to be quoted.
    """
    rest = "".join(f"&{name}={value}" for name, value in more.items() if value)
    return f"{path}?from={found.first}&to={found.last}{rest}"


def period_bar(path: str, found: DaySpan, today: date, **more: str) -> PeriodBar:
    """Make the toolbar's period: no step into the future, none before the hub's calendar."""
    before, after = found.shifted(-1), found.shifted(1)
    return PeriodBar(
        label=found.label(today),
        action=path,
        first=found.first,
        last=found.last,
        previous=address(path, before, **more) if before.first >= EARLIEST else None,
        following=address(path, after, **more) if after.first <= today else None,
        hidden=tuple((name, value) for name, value in more.items() if value),
    )


def place_in(at: datetime, number: int) -> str:
    """Write where a long list goes on: after the row of this instant and number."""
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{number}"


def read_place(text: str) -> tuple[datetime, int] | None:
    """Read it again; a ValidationException (400) for what we never wrote."""
    if not text:
        return None
    parts = PLACE.fullmatch(text)
    if parts is None:
        raise ValidationException("after is an address of ours and can't be typed.")
    return EPOCH + timedelta(microseconds=int(parts[1])), int(parts[2])
