"""How lines fare in figures: for ``hub doctor --lines`` and ``/metrics``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.store import health, line_stats, meters
from hub.store.health import MeterFare
from hub.store.unit import Store

__all__ = ["LineFigures", "MeterFigures", "line_figures"]

NONE: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFigures:
    """A meter; ``visit_s``: how long its last visit took, turns of others on the line included."""

    fare: MeterFare
    visit_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFigures:
    """A line. ``total``: counts since it was first used; ``recent``: of one to two hours of late.

    Counts: asks, repeats, timeouts, garbled, reconnects, bytes_out, bytes_in, bytes_unasked,
    wire_s (asking and waiting for answers), held_s (a collector had the line), visits,
    visits_failed, events_info, events_warning, events_alarm (where there were any); none of them
    before the first use. ``holder``: the process that has the line.
    """

    address: str
    holder: str
    down_since_at: datetime | None
    error_code: str
    error_text: str
    heard_at: datetime | None  # the last answer, to a quarter of a minute
    recent_s: float  # how long ``recent`` is
    total: Mapping[str, float]
    recent: Mapping[str, float]
    meters: tuple[MeterFigures, ...]

    def share(self, name: str) -> float | None:
        """Say which part of the recent asks this count is; None: nothing was asked."""
        asks = self.recent.get("asks", 0)
        return self.recent.get(name, 0) / asks if asks else None

    @property
    def busy(self) -> float:
        """Say which part of the recent time the line was asking or waiting for answers."""
        return min(self.recent.get("wire_s", 0) / self.recent_s, 1.0) if self.recent_s else 0.0


def line_figures(store: Store, *, with_meters: bool = True) -> list[LineFigures]:
    """List all lines, each with its meters, the slowest first."""
    with store.read() as unit:
        now = unit.now()
        carried = {each.line_id: each for each in line_stats.figures(unit)}
        fares = health.meters(unit) if with_meters else []
        lines = meters.lines(unit)
    by_line: dict[int, list[MeterFigures]] = {}
    for fare in fares:
        counted = carried.get(fare.line_id)
        visit_s = counted.visit_s.get(fare.id) if counted else None
        by_line.setdefault(fare.line_id, []).append(MeterFigures(fare=fare, visit_s=visit_s))
    found = []
    for line in lines:
        counted = carried.get(line.id)
        slowest = sorted(by_line.get(line.id, ()), key=lambda each: -(each.visit_s or 0.0))
        found.append(
            LineFigures(
                address=line.address,
                holder=_process(line.lease_holder),
                down_since_at=line.down_since_at,
                error_code=line.error_code,
                error_text=line.error_text,
                heard_at=counted.heard_at if counted else None,
                recent_s=(now - counted.recent_at).total_seconds() if counted else 0.0,
                total=counted.total if counted else NONE,
                recent=counted.recent if counted else NONE,
                meters=tuple(slowest),
            )
        )
    return found


def _process(holder: str) -> str:
    """Return the number of the process that holds a line, as its name has it; '' for nobody."""
    words = holder.split()
    return words[-2] if len(words) > 1 else holder
