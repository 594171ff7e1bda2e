"""Readings that people send: the window of days, the digits, roll-over, and what is absurd.

The same rules hold on both sides: before a reading is sent, and in the in-house books that take it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from hub.domain.calendar import month_end

READING = re.compile(r"\d{1,12}([.,]\d{1,6})?", re.ASCII)
# More than this a day nobody uses through a meter that is read by eye; kWh, m3, Gcal.
ABSURD_A_DAY = {
    "electricity": Decimal(500),
    "water": Decimal(20),
    "gas": Decimal(200),
    "heat": Decimal(5),
}
ABSURD_OTHER = Decimal(1000)
TIMES_USUAL = 5
NEVER_ABSURD = 50  # this part of the absurd a day raises no question, however little is usual


class Wrong(StrEnum):
    """Why a value can't be sent at all."""

    NOT_A_NUMBER = "not_a_number"
    TOO_LONG = "too_long"  # more digits before the point than the meter shows
    TOO_FINE = "too_fine"  # more digits after the point
    LOWER = "lower"  # than the previous one, and no roll-over explains it


class Doubt(StrEnum):
    """What has to be confirmed before it is sent."""

    ROLLED_OVER = "rolled_over"
    TOO_HIGH = "too_high"


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the month on which readings are taken, both included; may pass the month's end.

    A day that a month lacks is its last one. Without days it is always open.
    """

    from_day: int | None = None
    to_day: int | None = None

    def is_open(self, day: date) -> bool:
        span = self.span(day)
        return span is None or span[0] <= day <= span[1]

    def span(self, day: date) -> tuple[date, date] | None:
        """Give the window that is open on ``day``, else the next one; None: always open."""
        if self.from_day is None or self.to_day is None:
            return None
        first = day.replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        after = month_end(first) + timedelta(days=1)
        spans = [self._of(month) for month in (before, first, after)]
        return next(span for span in spans if span[1] >= day)

    def _of(self, month: date) -> tuple[date, date]:
        """Give the window that opens in a month."""
        if self.from_day is None or self.to_day is None:
            raise AssertionError
        ends = month
        if self.to_day < self.from_day:
            ends = month_end(month) + timedelta(days=1)
        return _day(month, self.from_day), _day(ends, self.to_day)


def _day(month: date, day: int) -> date:
    return min(month + timedelta(days=day - 1), month_end(month))


@dataclass(frozen=True, slots=True)
class Face:
    """The digits that the meter shows; None: not known."""

    whole_digits: int | None = None
    decimal_digits: int | None = None

    def read(self, text: str) -> Decimal | Wrong:
        """Read what was typed, with a point or a comma; spaces between digits don't count."""
        text = "".join(text.split())
        if not READING.fullmatch(text):
            return Wrong.NOT_A_NUMBER
        whole, _, decimals = text.replace(",", ".").partition(".")
        if self.whole_digits is not None and len(whole.lstrip("0")) > self.whole_digits:
            return Wrong.TOO_LONG
        if self.decimal_digits is not None and len(decimals.rstrip("0")) > self.decimal_digits:
            return Wrong.TOO_FINE
        return Decimal(f"{whole}.{decimals or 0}").normalize() + 0


@dataclass(frozen=True, slots=True)
class Judged:
    """``used``: since the previous reading; None where there is none, or nothing can be said."""

    used: Decimal | None = None
    wrong: Wrong | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """The reading that a new one is compared with, and what is usual a day (None: not known)."""

    value: Decimal
    taken_on: date
    usual_a_day: Decimal | None = None


def judge(
    before: Before | None, value: Decimal, taken_on: date, face: Face, resource: str
) -> Judged:
    """Compare a reading with the previous one.

    A lower one is a roll-over if the meter's digits are known and what was then used is not
    absurd; that has to be confirmed.
    """
    if before is None:
        return Judged()
    days = max((taken_on - before.taken_on).days, 1)
    most = most_sane(resource, before.usual_a_day, days)
    used = value - before.value
    if used >= 0:
        return Judged(used, doubt=Doubt.TOO_HIGH if used > most else None)
    if face.whole_digits is not None:
        used += Decimal(10) ** face.whole_digits
        if 0 <= used <= most:
            return Judged(used, doubt=Doubt.ROLLED_OVER)
    return Judged(wrong=Wrong.LOWER)


def most_sane(resource: str, usual_a_day: Decimal | None, days: int) -> Decimal:
    """Give what may be used in so many days without a question being asked."""
    absurd = ABSURD_A_DAY.get(resource, ABSURD_OTHER)
    if usual_a_day is None:
        return absurd * days
    return max(usual_a_day * TIMES_USUAL, absurd / NEVER_ABSURD) * days


def usual_a_day(readings: Mapping[date, Decimal], whole_digits: int | None) -> Decimal | None:
    """Give the mean a day over the known readings of one register; None with less than two."""
    days = sorted(readings)
    if len(days) < 2:  # noqa: PLR2004 - a difference needs two
        return None
    used = Decimal(0)
    for first, last in pairwise(days):
        step = readings[last] - readings[first]
        if step < 0:
            if whole_digits is None:
                return None
            step += Decimal(10) ** whole_digits
        used += step
    return used / (days[-1] - days[0]).days
