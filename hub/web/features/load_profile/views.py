"""What «Профиль мощности» shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hub.web.kit.charts import Flag, ProfilePoint
from hub.web.kit.small_charts import DayBar
from hub.web.kit.views import Change, Choice, Growing, PeriodBar, PointHead


@dataclass(frozen=True, slots=True)
class ZoneTotal:
    zone: int
    name: str
    kwh: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of the period over what is known: ``known`` of ``expected`` intervals.

    ``fed_kwh``: P−, None where nothing was fed in. ``kopecks``: by half-hours, None without prices.
    """

    kwh: Decimal | None
    zones: Sequence[ZoneTotal]
    maximum_kw: Decimal | None
    maximum_at: datetime | None
    known: int
    expected: int
    minutes: int
    fed_kwh: Decimal | None = None
    kopecks: int | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One interval of the table; None is not known. ``p_minus`` … None when not measured."""

    start: datetime
    end: datetime
    zone: int
    p_plus: Decimal | None
    p_minus: Decimal | None
    q_plus: Decimal | None
    q_minus: Decimal | None
    kwh: Decimal | None
    flag: Flag


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of the table, whose ``href`` opens its intervals; or a week or month, ``label``.

    ``others``: P−, Q+, Q− of those that the meter has, kWh and kvarh.
    """

    day: date
    zones: Sequence[Decimal | None]
    kwh: Decimal | None
    maximum_kw: Decimal | None
    known: int
    expected: int
    estimated: int
    href: str
    label: str = ""
    others: Sequence[Decimal | None] = ()
    partial: int = 0
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """``kind`` is full, est, part, gap, none or future; ``count`` («38/48») only where not full."""

    day: date
    kind: str
    known: int = 0
    expected: int = 0
    today: bool = False
    shown: bool = False
    href: str | None = None

    @property
    def missing(self) -> int:
        return max(self.expected - self.known, 0)

    @property
    def classes(self) -> str:
        marks = (self.kind, "today" if self.today else "", "on" if self.shown else "")
        return " ".join(mark for mark in marks if mark)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A month of completeness; ``pad`` empty cells come before the first day.

    ``previous`` and ``following`` are addresses of the months beside it, '' where there is none.
    """

    month: date
    days: Sequence[CalendarDay]
    known: int
    expected: int
    sentences: Sequence[str] = ()
    previous: str = ""
    following: str = ""

    @property
    def pad(self) -> int:
        return self.month.replace(day=1).weekday()


@dataclass(frozen=True, slots=True)
class Table:
    """Days of the period, or the intervals of one day when ``day`` is set, and their sums.

    ``totals`` are by zone in the order of ``zones``, ``others`` by channel as in the rows.
    """

    days: Sequence[DayRow] = ()
    zones: Sequence[int] = ()
    day: date | None = None
    slots: Sequence[SlotRow] = ()
    back_href: str = ""
    totals: Sequence[Decimal | None] = ()
    others: Sequence[Decimal | None] = ()
    total: Decimal | None = None
    known: int = 0
    expected: int = 0


@dataclass(frozen=True, slots=True)
class ProfileView:
    """``data_href`` is the JSON of the chart (``hub.web.kit.profile_json``); '' for long periods.

    The server's own picture is the steps of ``points``, or, when ``bars`` are given (periods
    longer than a week, where a half-hour is less than a pixel), the days as stacks.
    """

    head: PointHead
    period: PeriodBar
    scales: tuple[Choice, ...]
    steps: tuple[Choice, ...]
    totals: Totals
    points: Sequence[ProfilePoint]
    zone_names: dict[int, str]
    channels: tuple[str, ...]
    table: Table
    calendar: Calendar
    self_href: str
    data_href: str
    zone_words: str
    compare: Sequence[ProfilePoint] = ()
    compare_label: str = ""
    versus: tuple[Choice, ...] = ()
    table_href: str = ""  # of the table of a day, without the day
    estimated: bool = False
    partial: bool = False
    limit_kw: Decimal | None = None
    growing: Growing | None = None
    bars: Sequence[DayBar] = ()
    source: str | None = None
    levels: tuple[Choice, ...] = ()
    clamped: bool = False
    step: str = ""  # of the intervals, in words
    begins: Choice | None = None  # the first day there is, where the period lies before it
