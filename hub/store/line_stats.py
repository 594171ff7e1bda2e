"""What lines have carried: added up since the line was first used, and by the hour of late.

One row a line, rewritten with each renewal of its lease. Counts only grow, so that whoever reads
them now and then can take differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import select

from hub.store.tables import LineStats
from hub.store.unit import Unit

HOUR = timedelta(hours=1)
HOURS = 2  # the present one and the one before


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one line by name: ``total`` since ``since_at``, ``recent`` since ``recent_at``."""

    line_id: int
    since_at: datetime
    recent_at: datetime
    at: datetime  # when they were last added to
    heard_at: datetime | None  # the last answer
    total: Mapping[str, float] = field(default_factory=dict)
    recent: Mapping[str, float] = field(default_factory=dict)
    visit_s: Mapping[int, float] = field(default_factory=dict)  # of each meter's last visit


def add(
    unit: Unit,
    line_id: int,
    counts: Mapping[str, float],
    *,
    heard: bool,
    visit_s: Mapping[int, float],
) -> None:
    """Add to a line's counts; ``heard``: somebody answered since the last time."""
    now = unit.now()
    row = unit.session.get(LineStats, line_id)
    if row is None:
        row = LineStats(line_id=line_id, at=now, counters={})
        unit.session.add(row)
    before = row.counters
    hours: list[Any] = list(before.get("hours", []))
    if not hours or now - datetime.fromisoformat(hours[0][0]) >= HOUR:
        hours = [[now.isoformat(), {}], *hours][:HOURS]
    hours[0] = [hours[0][0], _sum(hours[0][1], counts)]
    row.at = now
    row.counters = {
        "since": before.get("since", now.isoformat()),
        "heard": now.isoformat() if heard else before.get("heard"),
        "total": _sum(before.get("total", {}), counts),
        "hours": hours,
        "visit_s": before.get("visit_s", {}) | {str(id_): s for id_, s in visit_s.items()},
    }


def figures(unit: Unit) -> list[Figures]:
    """Read the counts of all lines that were ever used."""
    return [_figures(row) for row in unit.session.exec(select(LineStats))]


def _figures(row: LineStats) -> Figures:
    told = row.counters
    recent: dict[str, float] = {}
    for _, counts in told["hours"]:
        recent = _sum(recent, counts)
    return Figures(
        row.line_id,
        since_at=datetime.fromisoformat(told["since"]),
        recent_at=datetime.fromisoformat(told["hours"][-1][0]),
        at=row.at,
        heard_at=datetime.fromisoformat(told["heard"]) if told["heard"] else None,
        total=told["total"],
        recent=recent,
        visit_s={int(id_): seconds for id_, seconds in told["visit_s"].items()},
    )


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
