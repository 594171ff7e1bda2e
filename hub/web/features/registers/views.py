"""What «Показания» shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.web.kit.small_charts import DayBar
from hub.web.kit.views import Change, Choice, Growing, PeriodBar, PointHead


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a row is: ``known`` of ``expected`` intervals, ``estimated``, ``partial`` of them.

    ``unread``: nobody can say what was used; ``from_slots``: half-hours say it, not registers.
    """

    known: int
    expected: int
    estimated: int = 0
    partial: int = 0
    running: bool = False
    unread: bool = False
    from_slots: bool = False

    @property
    def kind(self) -> str:
        if self.running:
            return "running"
        if self.unread:
            return "none"
        if 0 < self.known < self.expected:
            return "partial"
        if self.from_slots and self.partial:
            return "parts"
        if self.from_slots and self.estimated:
            return "estimated"
        return "slots" if self.from_slots else "measured"

    @property
    def complete(self) -> bool:
        """Say whether a bar is drawn whole."""
        return self.kind not in {"none", "partial", "parts"}

    @property
    def whole(self) -> bool:
        """Say whether a bar needs no ghost of what it may have come to."""
        return self.complete and not self.running


@dataclass(frozen=True, slots=True)
class CostCell:
    """What a line costs, and whether half-hours made it or registers."""

    kopecks: int
    from_slots: bool


@dataclass(frozen=True, slots=True)
class ForecastView:
    """The running month's forecast in kWh, made of so many complete ``days``."""

    month: date
    kwh: Decimal
    low: Decimal
    high: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A day, week or month: registers at its end, and use by zone in the order of ``zones``."""

    label: str
    start: date
    last: date
    registers: Sequence[Decimal | None]
    used: Sequence[Decimal | None]
    total: Decimal | None
    quality: Quality
    href: str | None = None
    cost: CostCell | None = None


@dataclass(frozen=True, slots=True)
class ReadingsView:
    """``zones`` is (number, name) in reading order; bars are oldest first, rows newest first.

    A meter without tariffs has the one zone 0. ``clamped``: the address asked for more days;
    ``nearby``: some registers are of the meter's own midnight; ``replaced``: the meter changed.
    """

    head: PointHead
    period: PeriodBar
    scales: tuple[Choice, ...]
    zones: tuple[tuple[int, str], ...]
    bars: Sequence[DayBar]
    rows: Sequence[ReadingRow]
    total_used: Sequence[Decimal | None]
    total: Decimal | None
    quality: Quality  # of the total
    self_href: str = ""
    scale: str = "days"
    zone_words: str = ""
    growing: Growing | None = None
    clamped: bool = False
    nearby: bool = False
    replaced: bool = False
    priced: bool = False
    cost: CostCell | None = None  # of the total
    change: Change | None = None
    forecast: ForecastView | None = None

    @property
    def any_before(self) -> bool:
        return any(bar.before is not None for bar in self.bars)

    @property
    def any_from_slots(self) -> bool:
        return any(row.quality.from_slots for row in self.rows)

    @property
    def any_incomplete(self) -> bool:
        return any(not bar.complete for bar in self.bars)
