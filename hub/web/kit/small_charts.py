"""Small charts of cards and lists, as SVG geometry: bars of a day, of a month, running totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from hub.web.kit.charts import Area, Label, axis_labels, hatch_lines, nice_ceiling
from hub.web.kit.formats import day, day_short, number
from hub.web.kit.i18n import gettext

STACK_ORDER = (2, 3, 1, 4)  # cheap zones at the base
WEEKEND_FROM = 5
HOURS = 24


class HourBar(NamedTuple):
    """Energy of one hour; None is not known and draws nothing at all."""

    hour: int
    kwh: Decimal | None
    zone: int = 0
    running: bool = False
    before: Decimal | None = None


class DayBar(NamedTuple):
    """Energy of one day (or week, month) by zone.

    ``parts`` is zone to kWh and is None when nothing is known; ``expected`` is the ghost of an
    incomplete day; ``before`` is the same weekday four weeks earlier.
    """

    start: date
    label: str
    parts: dict[int, Decimal] | None
    complete: bool = True
    expected: Decimal | None = None
    before: Decimal | None = None
    href: str | None = None
    title: str = ""

    @property
    def total(self) -> Decimal | None:
        return None if self.parts is None else sum(self.parts.values(), Decimal(0))


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    zone: int = 0
    running: bool = False
    hatch: str = ""


class Column(NamedTuple):
    boxes: tuple[Box, ...]
    ghost: Box | None
    hit: Box
    href: str | None
    title: str


@dataclass(frozen=True, slots=True)
class BarChart:
    width: float
    height: float
    left: float
    right: float
    top: float
    base: float
    y_ticks: tuple[Label, ...]
    x_ticks: tuple[Label, ...]
    columns: tuple[Column, ...]
    ticks: tuple[Box, ...] = ()
    weekends: tuple[Box, ...] = ()
    unit: str = ""
    summary: str = ""


def _axis(
    highest: float, base: float, top: float, left: float, steps: int
) -> tuple[float, tuple[Label, ...]]:
    ceiling, step = nice_ceiling(highest, steps)
    scale = (base - top) / ceiling
    labels = tuple(
        Label(left, round(base - at * step * scale, 2), text)
        for at, text in enumerate(axis_labels(ceiling, step))
    )
    return scale, labels


def hour_bars(hours: Sequence[HourBar], *, width: float = 330.0, height: float = 140.0) -> BarChart:
    """Today by hour: a bar by zone, a short stroke for the same hour of yesterday."""
    left, right, top, base = 0.0, width, 14.0, height - 20
    values = [float(v) for h in hours for v in (h.kwh, h.before) if v is not None]
    scale, y_ticks = _axis(max(values, default=0.0), base, top, left, 3)
    slot = (right - left) / HOURS
    columns, ticks = [], []
    for h in hours:
        x = left + h.hour * slot
        boxes: tuple[Box, ...] = ()
        if h.kwh is not None:
            tall = float(h.kwh) * scale
            boxes = (
                Box(
                    round(x + 1, 2),
                    round(base - tall, 2),
                    round(slot - 2, 2),
                    round(tall, 2),
                    h.zone,
                    h.running,
                ),
            )
        if h.before is not None:
            ticks.append(
                Box(
                    round(x + 1, 2), round(base - float(h.before) * scale, 2), round(slot - 2, 2), 0
                )
            )
        columns.append(Column(boxes, None, Box(x, top, slot, base - top), None, ""))
    known = [h.kwh for h in hours if h.kwh is not None]
    return BarChart(
        width,
        height,
        left,
        right,
        top,
        base,
        y_ticks[1:],
        tuple(
            Label(round(left + at * slot, 2), base + 16, f"{at:02d}:00", "start")
            for at in (0, 6, 12, 18)
        ),
        tuple(columns),
        tuple(ticks),
        summary=gettext("By hour today: %(n)s hours known, %(kwh)s kWh.")
        % {"n": len(known), "kwh": number(sum(known, Decimal(0)), 1)},
    )


def day_bars(
    days: Sequence[DayBar], *, unit: str = "", width: float = 1000.0, height: float = 280.0
) -> BarChart:
    """Stack zones; an incomplete day is hatched under a dashed ghost, an unknown one is empty."""
    left, right, top, base = 44.0, width - 6, 24.0, height - 22
    values = [float(v) for d in days for v in (d.total, d.expected, d.before) if v is not None]
    scale, y_ticks = _axis(max(values, default=0.0), base, top, left - 8, 5)
    slot = (right - left) / max(len(days), 1)
    bar = min(slot * 0.68, 34.0)
    columns, ticks, weekends, x_ticks = [], [], [], []
    every = max(1, round(30 / slot)) if slot else 1
    by_day = len(days) > 1 and (days[1].start - days[0].start).days == 1
    for at, d in enumerate(days):
        x = left + at * slot + (slot - bar) / 2
        boxes = []
        floor = base
        for zone in _order(d.parts or {}):
            tall = float((d.parts or {})[zone]) * scale
            if tall <= 0:
                continue
            area = Area(x, bar)
            boxes.append(
                Box(
                    round(x, 2),
                    round(floor - tall, 2),
                    round(bar, 2),
                    round(max(tall - 1.5, 0.5), 2),
                    zone,
                    hatch="" if d.complete else hatch_lines(area, floor - tall, floor - 1.5, 5),
                )
            )
            floor -= tall
        ghost = None
        if d.expected is not None and (d.total is None or d.expected > d.total):
            high = base - float(d.expected) * scale
            ghost = Box(round(x, 2), round(high, 2), round(bar, 2), round(floor - high, 2))
        if d.before is not None:
            ticks.append(
                Box(round(x - 2, 2), round(base - float(d.before) * scale, 2), round(bar + 4, 2), 0)
            )
        hit = Box(round(left + at * slot, 2), top, round(slot, 2), round(base - top, 2))
        if by_day and d.start.weekday() >= WEEKEND_FROM:
            weekends.append(hit)
        if at % every == 0:
            x_ticks.append(Label(round(left + (at + 0.5) * slot, 2), base + 16, d.label))
        columns.append(Column(tuple(boxes), ghost, hit, d.href, d.title or _title(d)))
    known = [d.total for d in days if d.total is not None]
    return BarChart(
        width,
        height,
        left,
        right,
        top,
        base,
        y_ticks,
        tuple(x_ticks),
        tuple(columns),
        tuple(ticks),
        tuple(weekends),
        unit,
        gettext("%(n)s of %(all)s columns known, %(kwh)s kWh in all.")
        % {"n": len(known), "all": len(days), "kwh": number(sum(known, Decimal(0)), 1)},
    )


def _order(parts: dict[int, Decimal]) -> list[int]:
    return [z for z in STACK_ORDER if z in parts] + [z for z in parts if z not in STACK_ORDER]


def _title(bar: DayBar) -> str:
    if bar.total is None:
        return f"{day(bar.start)}: {gettext('No data')}"
    return f"{day(bar.start)}: {gettext('%(kwh)s kWh') % {'kwh': number(bar.total, 1)}}"


@dataclass(frozen=True, slots=True)
class RunningTotal:
    width: float
    height: float
    top: float
    base: float
    y_ticks: tuple[Label, ...]
    x_ticks: tuple[Label, ...]
    line: str
    holes: str
    shape: str
    before: str
    forecast: str
    dot: Label | None


def running_total(
    now: Sequence[Decimal | None],
    before: Sequence[Decimal] = (),
    *,
    whole: Sequence[bool] = (),
    days: int,
    forecast: Decimal | None = None,
    start: date | None = None,
    width: float = 300.0,
    height: float = 130.0,
) -> RunningTotal:
    """Month to date against the last month: totals at the end of each day, from day 1.

    None: the day is before the history. ``whole`` says of each day whether all of it is known (as
    a rule it is); the others are drawn as ``holes``, since from there on the total is only what
    is known of it.
    """
    top, base = 12.0, height - 20
    known = [total for total in now if total is not None]
    values = [*map(float, known), *map(float, before), float(forecast or 0)]
    scale, y_ticks = _axis(max(values, default=0.0), base, top, 0.0, 3)

    def place(at: int, value: Decimal) -> str:
        return f"{at / days * width:.1f} {base - float(value) * scale:.1f}"

    def path(totals: Sequence[Decimal]) -> str:
        steps = [f"L{place(at, value)}" for at, value in enumerate(totals, 1)]
        return f"M0 {base:g}" + "".join(steps) if steps else ""

    begins = len(now) - len(known)
    parts: dict[bool, list[str]] = {True: [], False: []}
    ends = [place(begins, Decimal(0)), *(place(at, v) for at, v in enumerate(known, begins + 1))]
    for at, (one, other) in enumerate(pairwise(ends), begins):
        parts[whole[at] if at < len(whole) else True].append(f"M{one}L{other}")
    edge = "L".join(ends)
    end = len(now) / days * width
    first = day_short(start.replace(day=1)) if start else "1"
    labels = [Label(0.0, base + 16, first, "start")]
    last = Label(width, base + 16, str(days), "end")
    dot = None
    if known:
        dot = Label(round(end, 1), round(base - float(known[-1]) * scale, 1), "")
        if 70 < end < width - 50:  # noqa: PLR2004 - room for the first label and the last
            labels.append(Label(round(end, 1), base + 16, gettext("today")))
    return RunningTotal(
        width,
        height,
        top,
        base,
        y_ticks[1:],
        (*labels, last),
        "".join(parts[True]),
        "".join(parts[False]),
        f"M{edge}V{base:g}Z" if known else "",
        path(before),
        f"M{place(len(now), known[-1])}L{place(days, forecast)}" if known and forecast else "",
        dot,
    )
