"""What «Мгновенные значения» shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from hub.web.kit.views import PointHead


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in words; ``out``: low or high, '' within the norm or without one."""

    text: str
    out: Literal["", "low", "high"] = ""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A row of the table: its name with the unit, a cell a phase, and of all phases together."""

    name: str
    phases: Sequence[Cell]
    total: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """``mode``: on (it asks again by itself), paused or stopped (after ten minutes), off (can't).

    ``state``: live, last, lost, or none before the first values. ``since`` says when the page
    began to ask, for the address. ``norm``: the voltages that are well, in words; '' where the
    meter's nominal voltage is not a household's.
    """

    head: PointHead
    here: str
    contract_id: int
    mode: Literal["on", "paused", "stopped", "off"]
    first: bool
    since: int
    state: Literal["live", "last", "lost", "none"]
    at_text: str
    retry_text: str
    trouble: str
    waiting: bool
    power: str
    share: str
    share_percent: int
    exporting: bool
    phases: Sequence[str]
    rows: Sequence[Quantity]
    norm: str
    network: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    lines: Sequence[tuple[str, Markup]]  # by the class of the screens that show it
    vectors: Markup | None
    has_angles: bool  # between the voltages
    in_order: bool | None  # of the phases; None: what the meter tells does not say
    sentence: str
    zone_words: str
