"""The step profile chart as SVG geometry; ``kit/_charts.html`` draws it.

A half-hour is a step that fills its half-hour. What is not known is a hatched area of the whole
height and never a step at zero: a line is only drawn through points that have a value. Floats
appear here and nowhere before: this is drawing, not accounting.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from hub.web.kit.formats import clock, day, day_short, interval, number
from hub.web.kit.i18n import gettext

LEFT, RIGHT, TOP, BOTTOM = 44.0, 6.0, 30.0, 22.0
RIBBON_NAME_FROM, RIBBON_CODE_FROM = 58.0, 18.0
GAP_LABEL_FROM = 96.0
LABEL_EVERY = 62.0
HATCH_EVERY = 9.0
MINUTES_A_DAY = 1440

Points = Sequence["ProfilePoint"]
X = Callable[[datetime], float]
End = Callable[["ProfilePoint"], float]
Y = Callable[[Decimal | float], float]


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


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Area:
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


def _minutes(later: datetime, earlier: datetime) -> float:
    # Same zone on both sides, so plain subtraction would ignore a season change.
    return (later.timestamp() - earlier.timestamp()) / 60


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

    ``zones`` names zone numbers for the ribbon; ``compare`` holds the previous period moved
    onto this one.
    """
    right, base = width - RIGHT, height - BOTTOM
    if not points:
        return StepChart(width, height, LEFT, right, TOP, base, unit=unit)
    start = points[0].start
    total = _minutes(points[-1].start, start) + points[-1].minutes
    highest = max((float(p.kw) for p in points if p.known and p.kw is not None), default=0.0)
    over = [float(p.kw) for p in compare if p.known and p.kw is not None]
    shown_limit = float(limit_kw) if limit_kw and highest * 2 >= float(limit_kw) else None
    top_value, step = nice_ceiling(max([highest, *over, shown_limit or 0.0]))
    scale = (base - TOP) / top_value

    def x(at: datetime) -> float:
        return round(LEFT + _minutes(at, start) / total * (right - LEFT), 2)

    def end(p: ProfilePoint) -> float:
        return round(LEFT + (_minutes(p.start, start) + p.minutes) / total * (right - LEFT), 2)

    def y(value: Decimal | float) -> float:
        return round(base - float(value) * scale, 2)

    peak = max((p for p in points if p.known), key=lambda p: p.kw or Decimal(0), default=None)
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
        x_ticks=_x_ticks(points, x, right, base + 16),
        midnights=tuple(x(p.start) for p in points[1:] if clock(p.start) == "00:00"),
        bands=_bands(points, zones or {}, x, end),
        runs=_runs(points, x, end, y, base),
        gaps=_gaps(points, x, end),
        future=_future(points, x, end),
        estimates=_estimates(points, x, end, y),
        partials=tuple(
            Label((x(p.start) + end(p)) / 2, base, "")
            for p in points
            if p.known and p.flag is Flag.PARTIAL
        ),
        compare=tuple(run.line for run in _runs(compare, x, end, y, base, by_zone=False)),
        limit=None
        if shown_limit is None
        else Label(
            right - 4,
            y(shown_limit),
            gettext("Permitted power %(kw)s kW") % {"kw": number(shown_limit, 0)},
            "end",
        ),
        maximum=None
        if peak is None or not peak.kw
        else Label((x(peak.start) + end(peak)) / 2, y(peak.kw), ""),
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
    counts = {flag: sum(p.flag is flag for p in points) for flag in Flag}
    if counts[Flag.MISSING]:
        sentences.append(gettext("No data: %(n)s intervals.") % {"n": counts[Flag.MISSING]})
    if counts[Flag.ESTIMATED]:
        sentences.append(gettext("Estimated: %(n)s intervals.") % {"n": counts[Flag.ESTIMATED]})
    if counts[Flag.PARTIAL]:
        sentences.append(gettext("Incomplete: %(n)s intervals.") % {"n": counts[Flag.PARTIAL]})
    return " ".join(sentences)


def hours(minutes: int) -> str:
    """Write the length of a gap: ``10,5 ч``."""
    value = Decimal(minutes) / 60
    whole = value == value.to_integral_value()
    return gettext("%(n)s h") % {"n": number(value, 0 if whole else 1)}


# -- parts -------------------------------------------------------------------------------------


def _bands(points: Points, zones: Mapping[int, str], x: X, end: End) -> tuple[Area, ...]:
    bands = []
    for zone, group in groupby(points, key=lambda p: p.zone):
        if not zone:
            continue
        run = list(group)
        left, width = x(run[0].start), end(run[-1]) - x(run[0].start)
        name = zones.get(zone, "")
        text = ""
        if width >= RIBBON_NAME_FROM:
            text = f"T{zone} {name}".strip()
        elif width >= RIBBON_CODE_FROM:
            text = f"T{zone}"
        bands.append(Area(left, round(width, 2), zone, text))
    return tuple(bands)


def _runs(
    points: Points, x: X, end: End, y: Y, base: float, *, by_zone: bool = True
) -> tuple[Run, ...]:
    runs: list[Run] = []
    previous: ProfilePoint | None = None
    line: list[str] = []
    shape: list[str] = []
    key: tuple[int, bool] | None = None

    def close() -> None:
        if key is not None and previous is not None:
            shape.append(f"V{base:g}Z")
            runs.append(Run(key[0], "".join(line), "".join(shape), key[1]))

    for p in points:
        if not p.known or p.kw is None:
            close()
            key, previous = None, None
            continue
        new_key = (p.zone if by_zone else 0, p.flag is Flag.ESTIMATED)
        left, right, level = x(p.start), end(p), y(p.kw)
        if new_key != key:
            joint = y(previous.kw) if previous is not None and previous.kw is not None else level
            close()
            line = [f"M{left:g} {joint:g}V{level:g}H{right:g}"]
            shape = [f"M{left:g} {base:g}V{level:g}H{right:g}"]
            key = new_key
        else:
            line.append(f"V{level:g}H{right:g}")
            shape.append(f"V{level:g}H{right:g}")
        previous = p
    close()
    return tuple(runs)


def _gaps(points: Points, x: X, end: End) -> tuple[Area, ...]:
    gaps = []
    for is_gap, group in groupby(points, key=lambda p: not p.known and p.flag is not Flag.FUTURE):
        if not is_gap:
            continue
        run = list(group)
        left, width = x(run[0].start), end(run[-1]) - x(run[0].start)
        gaps.append(
            Area(
                left,
                round(width, 2),
                title=gettext("No data"),
                note=hours(sum(p.minutes for p in run)),
                labelled=width >= GAP_LABEL_FROM,
            )
        )
    return tuple(gaps)


def _future(points: Points, x: X, end: End) -> Area | None:
    ahead = [p for p in points if p.flag is Flag.FUTURE]
    if not ahead:
        return None
    left = x(ahead[0].start)
    return Area(left, round(end(ahead[-1]) - left, 2))


def _estimates(points: Points, x: X, end: End, y: Y) -> tuple[Label, ...]:
    labels = []
    for estimated, group in groupby(points, key=lambda p: p.known and p.flag is Flag.ESTIMATED):
        if estimated:
            run = list(group)
            top = min(y(p.kw) for p in run if p.kw is not None)
            labels.append(Label((x(run[0].start) + end(run[-1])) / 2, top - 8, gettext("estimate")))
    return tuple(labels)


def _x_ticks(points: Points, x: X, right: float, y: float) -> tuple[Label, ...]:
    days = _minutes(points[-1].start, points[0].start) / MINUTES_A_DAY
    per_day = (right - LEFT) / max(days, 1 / 24)
    step_hours = next((h for h in (1, 3, 6, 12) if per_day * h / 24 >= LABEL_EVERY), 24)
    ticks: list[Label] = []
    last = -LABEL_EVERY
    for p in points:
        if p.start.minute or p.start.hour % step_hours:
            continue
        at = x(p.start)
        if at - last < LABEL_EVERY - 4 or right - at < LABEL_EVERY / 4:
            continue
        midnight = p.start.hour == 0
        ticks.append(Label(at, y, day_short(p.start) if midnight else clock(p.start)))
        last = at
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
