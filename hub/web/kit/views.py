"""View models that several slices share: a point's head, choices, registers, data still coming."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Change:
    """How a sum compares with the same of an earlier span, ``to`` in words.

    ``percent`` is None where the base is below 1 kWh; ``kwh`` is the difference itself.
    """

    kwh: Decimal
    percent: int | None
    to: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few exclusive views; each has its own address."""

    label: str
    href: str
    current: bool = False


class RegisterText(NamedTuple):
    """One register for people: ``label`` is «T1 пик», ``text`` the formatted value."""

    label: str
    text: str
    zone: int = 0


@dataclass(frozen=True, slots=True)
class Growing:
    """History is being read: ``days`` of ``of_days`` so far; ``href`` answers with the strip."""

    days: int
    of_days: int
    href: str


@dataclass(frozen=True, slots=True)
class PointHead:
    """The head of every tab of a point.

    ``state`` is online, waiting (never read yet), silent, told (by the supplier) or manual; times
    are in the point's zone.
    """

    id: int
    name: str
    list_href: str
    model: str | None
    serial: str | None
    ratio: str | None
    state: str
    last_at: datetime | None
    now: datetime
    tabs: tuple[Choice, ...]
    power: str = ""  # of the last reading, in words; '' where the meter tells none
    rule_href: str = ""  # sets a rule for the point; '' where there is nothing to look at
    never: bool = False  # silent since it was installed, at ``last_at``

    @property
    def today(self) -> date:
        return self.now.date()


@dataclass(frozen=True, slots=True)
class PeriodBar:
    """The toolbar's period: a label, its neighbours and the dates for the form."""

    label: str
    action: str
    first: date
    last: date
    previous: str | None
    following: str | None
    hidden: tuple[tuple[str, str], ...] = ()
