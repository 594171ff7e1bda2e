"""What the main page shows; every figure may be unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from hub.web.kit.messages import AppealRow, NoticeRow
from hub.web.kit.sending import Sending
from hub.web.kit.small_charts import HourBar
from hub.web.kit.views import Growing, RegisterText


@dataclass(frozen=True, slots=True)
class Usage:
    """Energy of today and of the month, with like-for-like comparisons (None: not comparable).

    ``running`` are totals at the end of each day, from the first of the month (None: before the
    history) to today; ``whole`` says which days lack nothing. ``running_before`` stops before a
    day that is not whole. ``forecast``: what the whole month is likely to come to.
    """

    today_kwh: Decimal | None
    today_until: datetime | None
    today_delta: Decimal | None
    hours: Sequence[HourBar]
    zones: Sequence[tuple[int, str]]
    month_kwh: Decimal | None
    month_first: date
    month_last: date
    month_delta: Decimal | None
    month_delta_first: date | None
    month_delta_last: date | None
    running: Sequence[Decimal | None]
    whole: Sequence[bool]
    running_before: Sequence[Decimal]
    days_in_month: int
    known: int
    expected: int
    href: str | None = None
    forecast: Decimal | None = None

    @property
    def begins(self) -> date | None:
        """Give the day on which the history begins, where that is within the month."""
        unknown = sum(total is None for total in self.running)
        if not unknown or unknown == len(self.running):
            return None
        return self.month_first + timedelta(days=unknown)

    @property
    def holes(self) -> bool:
        """Say whether days since the history began lack something."""
        known = zip(self.running, self.whole, strict=True)
        return any(total is not None and not whole for total, whole in known)


@dataclass(frozen=True, slots=True)
class BalanceLine:
    label: str
    kopecks: int


@dataclass(frozen=True, slots=True)
class BalanceCard:
    """Owed (positive), or paid in advance (negative), as the supplier said at ``as_of``."""

    kopecks: int
    as_of: date
    lines: tuple[BalanceLine, ...] = ()


class MeterRow(NamedTuple):
    """``state`` is online, waiting, reading, silent, told or manual; manual ones have ``sending``.

    ``registers`` are the newest: of ``last_at``, or of the day ``taken_on`` if people read it.
    ``never``: silent since it was installed.
    """

    href: str
    name: str
    resource: str
    symbol: str
    serial: str | None
    state: str
    last_at: datetime | None
    registers: tuple[RegisterText, ...]
    unit: str
    taken_on: date | None = None
    billed: str | None = None
    billed_at: date | None = None
    never: bool = False
    basis: str = ""
    sending: Sending | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """Something that needs a person: ``kind`` is warn or bad, ``href`` its one action."""

    symbol: str
    kind: str
    title: str
    text: str
    href: str
    action: str


@dataclass(frozen=True, slots=True)
class SupplierCard:
    name: str
    number: str
    holder: str | None = None
    address: str | None = None
    phone: str | None = None
    hours: str | None = None
    email: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class HomeView:
    contract_name: str
    now: datetime
    as_of: datetime | None
    usage: Usage | None
    meters: tuple[MeterRow, ...]
    points_href: str
    supplier: SupplierCard
    asks: tuple[Asks, ...] = ()
    balance: BalanceCard | None = None
    growing: Growing | None = None
    notifications_href: str = "/notifications"
    appeals_href: str = "/appeals"
    notices: tuple[NoticeRow, ...] = ()
    appeals: tuple[AppealRow, ...] = ()
