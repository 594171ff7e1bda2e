"""What «Трансформаторы тока и напряжения» shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hub.web.kit.views import PointHead


@dataclass(frozen=True, slots=True)
class PhaseCell:
    """A parameter of one phase: ``value`` text, day or None; ``mood``: warn is due, bad overdue."""

    value: str | date | None
    mood: str = ""


@dataclass(frozen=True, slots=True)
class FactRow:
    """One of the 13 parameters, its cells in the order of the phases."""

    key: str
    label: str
    cells: tuple[PhaseCell, ...]


@dataclass(frozen=True, slots=True)
class KindTable:
    """The transformers of one kind; without ``rows`` there are none."""

    kind: str  # current, voltage
    title: str
    rows: tuple[FactRow, ...]


@dataclass(frozen=True, slots=True)
class SetView:
    """A dated set; ``period`` in words."""

    period: str
    in_force: bool
    tables: tuple[KindTable, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A verification that is due: ``days`` are negative once it is over."""

    kind: str
    phase: str  # its letter
    day: date
    days: int


@dataclass(frozen=True, slots=True)
class TransformersView:
    """``ratio`` «200/5 А» by the set in force; ``factor``: by what readings are multiplied."""

    head: PointHead
    sets: Sequence[SetView]
    ratio: str | None = None
    current_ratio: int | None = None
    voltage_ratio: int | None = None
    since: date | None = None
    due: Sequence[Due] = ()

    @property
    def factor(self) -> int:
        return (self.current_ratio or 1) * (self.voltage_ratio or 1)
