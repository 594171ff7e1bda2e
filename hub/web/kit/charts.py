"""The step profile chart as SVG geometry; ``hub.web.kit.svg`` writes it.

A half-hour is a step that fills its half-hour. What is not known is a hatched area of the whole
height and never a step at zero: a line is only drawn through points that have a value. Floats
appear here and nowhere before: this is drawing, not accounting.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple, TypeVar

from hub.web.kit.formats import clock, day, day_short, interval, number
from hub.web.kit.i18n import gettext

LEFT, RIGHT, TOP, BOTTOM = 44.0, 6.0, 30.0, 22.0
RIBBON_NAME_FROM, RIBBON_CODE_FROM = 58.0, 18.0
GAP_LABEL_FROM = 96.0
CHARACTER = 7.0  # about the width of one
LABEL_EVERY = 62.0
HATCH_EVERY = 9.0
MINUTES_A_DAY = 1440

Key = TypeVar("Key")


class Flag(StrEnum):
    """How good one interval is."""

    MEASURED = "measured"
    PARTIAL = "partial"
    ESTIMATED = "estimated"
    MISSING = "missing"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class ProfilePoint:
    """One interval: mean power in kW (None when not known), zone 1 to 4 (0: no zones).

    ``start`` is aware and in the point's zone.
    """

    start: datetime
    minutes: int
    kw: Decimal | None
    zone: int = 0
    flag: Flag = Flag.MEASURED

    @property
    def known(self) -> bool:
        return self.kw is not None and self.flag not in {Flag.MISSING, Flag.FUTURE}


class Label(NamedTuple):
    x: float
    y: float
    text: str
    anchor: str = "middle"


class Area(NamedTuple):
    """A rectangle over the plot, with a label when it fits."""

    x: float
    width: float
    zone: int = 0
    title: str = ""
    note: str = ""
    labelled: bool = False
    top: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring known intervals of one zone: the line and the filled shape under it."""

    zone: int
    line: str
    shape: str
    estimated: bool = False
    hatch: str = ""


@dataclass(frozen=True, slots=True)
class StepChart:
    """Everything the macro draws, in the coordinates of ``viewBox``."""

    width: float
    height: float
    left: float
    right: float
    top: float
    base: float
    y_ticks: tuple[Label, ...] = ()
    x_ticks: tuple[Label, ...] = ()
    midnights: tuple[float, ...] = ()
    bands: tuple[Area, ...] = ()
    runs: tuple[Run, ...] = ()
    gaps: tuple[Area, ...] = ()
    future: Area | None = None
    estimates: tuple[Label, ...] = ()
    partials: tuple[Label, ...] = ()
    compare: tuple[str, ...] = ()
    limit: Label | None = None
    maximum: Label | None = None
    unit: str = ""
    summary: str = ""
    flags: frozenset[Flag] = field(default_factory=frozenset)


def nice_ceiling(value: float, steps: int = 5) -> tuple[float, float]:
    """Give the top of an axis and its step (1, 2, 2.5 or 5 times a power of ten)."""
    if value <= 0:
        return 1.0, 0.5
    raw = value / steps
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    return math.ceil(value / step - 1e-9) * step, step


def axis_labels(top: float, step: float) -> list[str]:
    """Texts of 0, step … top, with only the decimals the step needs."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if not (step * 10**decimals).is_integer():
        decimals += 1
    values = (round(at * step, decimals) for at in range(round(top / step) + 1))
    return [number(v, 0 if v.is_integer() else decimals) for v in values]


class Plane:
    """Where each interval lies: edges, levels and what is known, by index.

    Neighbouring intervals follow each other in real time, so an edge is a running sum of
    minutes, and a day of 23 or 25 hours takes the width it has.
    """

    def __init__(self, points: Sequence[ProfilePoint], right: float, base: float) -> None:
        self.points = points
        self.base = base
        self.known = [p.known for p in points]
        total = sum(p.minutes for p in points)
        unit = (right - LEFT) / total
        self.edges = [LEFT]
        passed = 0
        for p in points:
            passed += p.minutes
            self.edges.append(round(LEFT + passed * unit, 1))
        self.values = [0.0 if p.kw is None else float(p.kw) for p in points]
        self.scale = 1.0

    def level(self, value: float) -> float:
        return round(self.base - value * self.scale, 1)

    def stretches(self, key: Callable[[int], Key]) -> Iterator[tuple[Key, int, int]]:
        """Neighbours with an equal key: the key, the first index and the one past the last."""
        for value, group in groupby(range(len(self.points)), key=key):
            at = list(group)
            yield value, at[0], at[-1] + 1


def step_chart(
    points: Sequence[ProfilePoint],
    *,
    zones: Mapping[int, str] | None = None,
    compare: Sequence[ProfilePoint] = (),
    limit_kw: Decimal | None = None,
    unit: str = "kW",
    width: float = 1000.0,
    height: float = 330.0,
) -> StepChart:
    """Give the geometry for neighbouring intervals in time order; an empty chart for none.

    ``zones`` names zone numbers for the ribbon; ``compare`` holds the previous period, interval
    for interval.
    """
    right, base = width - RIGHT, height - BOTTOM
    if not points:
        return StepChart(width, height, LEFT, right, TOP, base, unit=unit)
    plane = Plane(points, right, base)
    known = [at for at, yes in enumerate(plane.known) if yes]
    peak = max(known, key=plane.values.__getitem__, default=None)
    highest = 0.0 if peak is None else plane.values[peak]
    limit = float(limit_kw) if limit_kw and highest * 2 >= float(limit_kw) else None
    over = [float(p.kw) for p in compare if p.known and p.kw is not None]
    top_value, step = nice_ceiling(max([highest, *over, limit or 0.0]))
    scale = plane.scale = (base - TOP) / top_value
    edges = plane.edges
    beside = Plane(compare, right, base) if compare else None
    if beside is not None:
        beside.scale = scale
    return StepChart(
        width=width,
        height=height,
        left=LEFT,
        right=right,
        top=TOP,
        base=base,
        y_ticks=tuple(
            Label(LEFT - 8, round(base - at * step * scale, 2), text, "end")
            for at, text in enumerate(axis_labels(top_value, step))
        ),
        x_ticks=_x_ticks(plane, right, base + 16),
        midnights=tuple(
            edges[at]
            for at, p in enumerate(points)
            if at and not p.start.hour and not p.start.minute
        ),
        bands=_bands(plane, zones or {}),
        runs=_runs(plane),
        gaps=_gaps(plane),
        future=_future(plane),
        estimates=_estimates(plane),
        partials=tuple(
            Label((edges[at] + edges[at + 1]) / 2, base, "")
            for at in known
            if points[at].flag is Flag.PARTIAL
        ),
        compare=tuple(run.line for run in _runs(beside, by_zone=False)) if beside else (),
        limit=None
        if limit is None
        else Label(
            right - 4,
            plane.level(limit),
            gettext("Permitted power %(kw)s kW") % {"kw": number(limit, 0)},
            "end",
        ),
        maximum=None
        if peak is None or not highest
        else Label((edges[peak] + edges[peak + 1]) / 2, plane.level(highest), ""),
        unit=unit,
        summary=summary(points),
        flags=frozenset(p.flag for p in points),
    )


def summary(points: Sequence[ProfilePoint]) -> str:
    """One sentence for who can't see the chart: the maximum, what is missing, what is not sure."""
    known = [p for p in points if p.known and p.kw is not None]
    if not known:
        return gettext("No data for this period.")
    peak = max(known, key=lambda p: p.kw or Decimal(0))
    until = peak.start + timedelta(minutes=peak.minutes)
    sentences = [
        gettext("Maximum %(kw)s kW, %(day)s, %(time)s.")
        % {
            "kw": number(peak.kw, 2),
            "day": day(peak.start.date()),
            "time": interval(peak.start, until),
        }
    ]
    counts = Counter(p.flag for p in points)
    if counts[Flag.MISSING]:
        sentences.append(gettext("No data: %(n)s intervals.") % {"n": counts[Flag.MISSING]})
    if counts[Flag.ESTIMATED]:
        sentences.append(gettext("Estimated: %(n)s intervals.") % {"n": counts[Flag.ESTIMATED]})
    if counts[Flag.PARTIAL]:
        sentences.append(gettext("Incomplete: %(n)s intervals.") % {"n": counts[Flag.PARTIAL]})
    return " ".join(sentences)


def length(minutes: int) -> str:
    """Write how long a gap is: ``2 сут 20 ч 30 мин``."""
    days, rest = divmod(minutes, 24 * 60)
    parts = (
        (days, gettext("%(n)s d")),
        (rest // 60, gettext("%(n)s h")),
        (rest % 60, gettext("%(n)s min")),
    )
    return " ".join(words % {"n": count} for count, words in parts if count)


# -- parts -------------------------------------------------------------------------------------


def _bands(plane: Plane, zones: Mapping[int, str]) -> tuple[Area, ...]:
    bands = []
    for zone, first, last in plane.stretches(lambda at: plane.points[at].zone):
        if not zone:
            continue
        left = plane.edges[first]
        width = plane.edges[last] - left
        text = ""
        if width >= RIBBON_NAME_FROM:
            text = f"T{zone} {zones.get(zone, '')}".strip()
        elif width >= RIBBON_CODE_FROM:
            text = f"T{zone}"
        bands.append(Area(left, round(width, 1), zone, text))
    return tuple(bands)


def _runs(plane: Plane, *, by_zone: bool = True) -> tuple[Run, ...]:
    """Lines and shapes of what is known; a run starts at the level of its known neighbour."""
    runs = []
    points, known, edges = plane.points, plane.known, plane.edges

    def key(at: int) -> tuple[int, bool] | None:
        if not known[at]:
            return None
        return (points[at].zone if by_zone else 0, points[at].flag is Flag.ESTIMATED)

    for kind, first, last in plane.stretches(key):
        if kind is None:
            continue
        steps = "".join(
            f"V{plane.level(plane.values[at]):g}H{edges[at + 1]:g}" for at in range(first, last)
        )
        left = f"M{edges[first]:g} "
        neighbour = first - 1 if first and known[first - 1] else first
        line = f"{left}{plane.level(plane.values[neighbour]):g}{steps}"
        shape = f"{left}{plane.base:g}{steps}V{plane.base:g}Z"
        hatch = ""
        if kind[1]:
            hatch = "".join(
                hatch_lines(
                    Area(edges[at], edges[at + 1] - edges[at]),
                    plane.level(plane.values[at]),
                    plane.base,
                    5,
                )
                for at in range(first, last)
            )
        runs.append(Run(kind[0], line, shape, kind[1], hatch))
    return tuple(runs)


def _gaps(plane: Plane) -> tuple[Area, ...]:
    def missing(at: int) -> bool:
        return not plane.known[at] and plane.points[at].flag is not Flag.FUTURE

    gaps = []
    for is_gap, first, last in plane.stretches(missing):
        if is_gap:
            left = plane.edges[first]
            width = round(plane.edges[last] - left, 1)
            note = length(sum(p.minutes for p in plane.points[first:last]))
            gaps.append(
                Area(
                    left,
                    width,
                    title=gettext("No data"),
                    note=note,
                    labelled=width >= max(GAP_LABEL_FROM, CHARACTER * len(note)),
                )
            )
    return tuple(gaps)


def _future(plane: Plane) -> Area | None:
    ahead = [at for at, p in enumerate(plane.points) if p.flag is Flag.FUTURE]
    if not ahead:
        return None
    left = plane.edges[ahead[0]]
    return Area(left, round(plane.edges[ahead[-1] + 1] - left, 1))


def _estimates(plane: Plane) -> tuple[Label, ...]:
    def estimated(at: int) -> bool:
        return plane.known[at] and plane.points[at].flag is Flag.ESTIMATED

    return tuple(
        Label(
            (plane.edges[first] + plane.edges[last]) / 2,
            plane.level(max(plane.values[first:last])) - 8,
            gettext("estimate"),
        )
        for is_estimate, first, last in plane.stretches(estimated)
        if is_estimate
    )


def _x_ticks(plane: Plane, right: float, y: float) -> tuple[Label, ...]:
    days = sum(p.minutes for p in plane.points) / MINUTES_A_DAY
    per_day = (right - LEFT) / days
    step_hours = next((h for h in (1, 3, 6, 12) if per_day * h / 24 >= LABEL_EVERY), 24)
    ticks: list[Label] = []
    last = -LABEL_EVERY
    for at, p in enumerate(plane.points):
        if p.start.minute or p.start.hour % step_hours:
            continue
        edge = plane.edges[at]
        if edge - last < LABEL_EVERY - 4 or right - edge < LABEL_EVERY / 4:
            continue
        ticks.append(Label(edge, y, clock(p.start) if p.start.hour else day_short(p.start)))
        last = edge
    return tuple(ticks)


def hatch_lines(area: Area, top: float, base: float, every: float = HATCH_EVERY) -> str:
    """Draw diagonal lines clipped to a rectangle, as one path.

    No pattern and so no id: any number of charts fit one page, and the print keeps them.
    """
    left, right, height = area.x, area.x + area.width, base - top
    parts = []
    at = left - height
    while at < right:
        x1, y1, x2, y2 = at, base, at + height, top
        if x1 < left:
            x1, y1 = left, base - (left - at)
        if x2 > right:
            x2, y2 = right, top + (at + height - right)
        if x2 > x1:
            parts.append(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
        at += every
    return "".join(parts)
