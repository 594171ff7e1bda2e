"""What «Показания» shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.web.kit.small_charts import DayBar
from hub.web.kit.views import Choice, Growing, PeriodBar, PointHead


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a row is: ``known`` of ``expected`` intervals, ``estimated`` among them.

    ``unread``: a register at either end is not there, so nobody can say what was used.
    """

    known: int
    expected: int
    estimated: int = 0
    running: bool = False
    unread: bool = False

    @property
    def kind(self) -> str:
        if self.unread and self.known:
            return "unread"
        if self.running:
            return "running"
        if self.known == 0:
            return "none"
        if self.known < self.expected:
            return "partial"
        return "estimated" if self.estimated else "measured"


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A day, week or month: registers at its end, and use by zone in the order of ``zones``."""

    label: str
    start: date
    registers: Sequence[Decimal | None]
    used: Sequence[Decimal | None]
    total: Decimal | None
    quality: Quality
    href: str | None = None


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
    known: int
    expected: int
    self_href: str = ""
    scale: str = "days"
    zone_words: str = ""
    growing: Growing | None = None
    clamped: bool = False
    nearby: bool = False
    replaced: bool = False

    @property
    def any_before(self) -> bool:
        return any(bar.before is not None for bar in self.bars)

    @property
    def any_incomplete(self) -> bool:
        return any(not bar.complete for bar in self.bars)
