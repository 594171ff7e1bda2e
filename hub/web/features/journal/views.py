"""What «Журналы событий» shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hub.web.kit.views import Choice, PeriodBar, PointHead


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. ``mood`` is info, warn or bad, ``grave`` the same in words, '' for info.

    ``lasted``: how long, or that it goes on. ``aside``: the meter's clock, if it differs.
    ``details``: what the meter wrote, label and text. ``report``: the address that tells the
    supplier of it.
    """

    id: int
    symbol: str
    mood: str
    grave: str
    title: str
    note: str
    when: str
    lasted: str
    aside: str
    details: Sequence[tuple[str, str]]
    report: str | None


@dataclass(frozen=True, slots=True)
class EventDay:
    day: date
    rows: Sequence[EventRow]


@dataclass(frozen=True, slots=True)
class Topic:
    """A filter with how many events it has in the period."""

    choice: Choice
    count: int


@dataclass(frozen=True, slots=True)
class JournalView:
    """``total``: of the chosen topic in the period, of which ``shown`` stand here.

    ``ever``: there are events of other periods. ``older`` and ``newest`` are addresses.
    """

    head: PointHead
    period: PeriodBar
    topics: Sequence[Topic]
    days: Sequence[EventDay]
    total: int
    shown: int
    ever: bool
    zone_words: str
    clock_words: str = ""
    older: str | None = None
    newest: str | None = None
    clamped: bool = False
