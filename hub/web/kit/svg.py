"""SVG text of the geometry that charts and small_charts make; classes only, no styles.

Written in Python because a chart has hundreds of numbers, and a template asks of each whether it
must be escaped. Here only texts are: numbers and paths are our own.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from markupsafe import Markup, escape

from hub.web.kit.charts import Area, Label, StepChart, hatch_lines
from hub.web.kit.small_charts import BarChart, Box, Column, RunningTotal

SPARK_WIDTH, SPARK_HEIGHT = 150, 24
PLATE = 84, 40  # the plate behind the words of a gap


def text(label: Label, *, kind: str = "", down: float = 0.0) -> str:
    return (
        f'<text{kind} x="{label.x:g}" y="{label.y + down:g}" text-anchor="{label.anchor}">'
        f"{escape(label.text)}</text>"
    )


def grid(left: float, right: float, ticks: Iterable[Label]) -> str:
    return "".join(
        f'<line class="grid-l" x1="{left:g}" x2="{right:g}" y1="{t.y:g}" y2="{t.y:g}"/>'
        for t in ticks
    )


def box(kind: str, b: Box, *, corner: float = 0.0) -> str:
    rx = f' rx="{min(corner, b.height / 2):g}"' if corner else ""
    return (
        f'<rect class="{kind}" x="{b.x:g}" y="{b.y:g}" width="{b.width:g}" '
        f'height="{b.height:g}"{rx}/>'
    )


def opened(width: float, height: float, label: str, *, role: str = "img", kind: str = "") -> str:
    return (
        f'<svg class="chart{kind}" viewBox="0 0 {width:g} {height:g}" role="{role}" '
        f'aria-label="{escape(label)}">'
    )


# -- steps -------------------------------------------------------------------------------------


def step(c: StepChart, label: str) -> Markup:
    """Draw the load profile by the server."""
    high = c.base - c.top
    parts = [opened(c.width, c.height, f"{label}. {c.summary}")]

    def area(kind: str, a: Area, top: float = c.top, tall: float = high) -> str:
        return (
            f'<rect class="{kind}" x="{a.x:g}" y="{top:g}" width="{a.width:g}" height="{tall:g}"/>'
        )

    if c.future:
        parts.append(area("future", c.future))
    for b in c.bands:
        ribbon = area("ribbon", b, c.top - 5, 5)
        parts.append(f'<g class="z{b.zone}">{area("band", b)}{ribbon}</g>')
        if b.title:
            parts.append(text(Label(b.x + b.width / 2, c.top - 10, b.title)))
    parts += [
        grid(c.left, c.right, c.y_ticks),
        text(Label(c.left - 8, c.top - 10, c.unit, "end")),
        *(text(Label(t.x, t.y + 4, t.text, "end")) for t in c.y_ticks),
        *(
            f'<line class="midnight" x1="{x:g}" x2="{x:g}" y1="{c.top:g}" y2="{c.base:g}"/>'
            for x in c.midnights
        ),
    ]
    for run in c.runs:
        if run.estimated:
            drawn = (
                f'<path class="zbase" d="{run.shape}"/><path class="zhatch thin" d="{run.hatch}"/>'
                f'<path class="est-top" d="{run.line}"/>'
            )
        else:
            drawn = f'<path class="fill" d="{run.shape}"/><path class="step" d="{run.line}"/>'
        parts.append(f'<g class="z{run.zone}">{drawn}</g>')
    parts += [f'<path class="cmp" d="{line}"/>' for line in c.compare]
    for g in c.gaps:
        words = _gap_words(c, g) if g.labelled else ""
        parts.append(
            f'<g class="gap">{area("hatch", g)}'
            f'<path class="hatched" d="{hatch_lines(g, c.top, c.base)}"/>{words}</g>'
        )
    parts += [f'<path class="max" d="M{t.x - 4:g} {t.y:g}h8l-4 -7z"/>' for t in c.partials]
    parts += [text(t) for t in c.estimates]
    if c.limit:
        parts.append(
            f'<line class="limit" x1="{c.left:g}" x2="{c.right:g}" y1="{c.limit.y:g}" '
            f'y2="{c.limit.y:g}"/>'
        )
        parts.append(text(c.limit, kind=' class="limit-t"', down=-5))
    if c.maximum:
        parts.append(f'<circle class="max" cx="{c.maximum.x:g}" cy="{c.maximum.y:g}" r="3.2"/>')
    parts += [_axis(c.left, c.right, c.base), *(text(t) for t in c.x_ticks), "</svg>"]
    return Markup("".join(parts))  # noqa: S704 - texts are escaped where they are written


def _axis(left: float, right: float, base: float) -> str:
    return f'<line class="axis" x1="{left:g}" x2="{right:g}" y1="{base:g}" y2="{base:g}"/>'


def _gap_words(c: StepChart, g: Area) -> str:
    x, y = g.x + g.width / 2, (c.top + c.base) / 2
    width, height = PLATE
    return (
        f'<rect class="plate" x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" '
        f'height="{height}" rx="6"/>'
        + text(Label(x, y - 3, g.title), kind=' class="strong"')
        + text(Label(x, y + 13, g.note))
    )


# -- bars --------------------------------------------------------------------------------------


def bars(c: BarChart, label: str, corner: float = 3.0) -> Markup:
    """Draw stacked bars; a column with an address is a link to it."""
    links = bool(c.columns and c.columns[0].href)
    role = "group" if links else "img"
    parts = [opened(c.width, c.height, f"{label}. {c.summary}", role=role)]
    parts += [box("weekend", w) for w in c.weekends]
    parts.append(grid(c.left, c.right, c.y_ticks))
    if c.unit:
        parts.append(text(Label(0, c.top - 10, c.unit, "start")))
    anchor, down = ("end", 4) if c.left else ("start", -4)
    parts += [text(Label(t.x, t.y + down, t.text, anchor)) for t in c.y_ticks]
    parts.append(_axis(c.left, c.right, c.base))
    parts += [_column(column, corner) for column in c.columns]
    tick = "tickb" if c.left else "tick"
    parts += [
        f'<line class="{tick}" x1="{t.x:g}" x2="{t.x + t.width:g}" y1="{t.y:g}" y2="{t.y:g}"/>'
        for t in c.ticks
    ]
    parts += [*(text(t) for t in c.x_ticks), "</svg>"]
    return Markup("".join(parts))  # noqa: S704 - texts are escaped where they are written


def _column(column: Column, corner: float) -> str:
    parts = []
    for b in column.boxes:
        if b.hatch:
            drawn = box("zbase", b) + f'<path class="zhatch" d="{b.hatch}"/>'
        else:
            drawn = box("bar run" if b.running else "bar", b, corner=corner)
        parts.append(f'<g class="z{b.zone}">{drawn}</g>')
    if column.ghost:
        parts.append(box("ghost", column.ghost))
    if not column.href:
        return "".join(parts)
    title, hit = escape(column.title), column.hit
    return (
        f'<a href="{escape(column.href)}" aria-label="{title}">'
        f'<rect x="{hit.x:g}" y="{hit.y:g}" width="{hit.width:g}" height="{hit.height:g}" '
        f'fill="transparent"/>{"".join(parts)}<title>{title}</title></a>'
    )


# -- small -------------------------------------------------------------------------------------


def total(c: RunningTotal, label: str) -> Markup:
    """Draw a running total against the one before."""
    parts = [opened(c.width, c.height, label), grid(0, c.width, c.y_ticks)]
    parts += [text(Label(0, t.y - 4, t.text, "start")) for t in c.y_ticks]
    parts.append(_axis(0, c.width, c.base))
    if c.before:
        parts.append(f'<path class="cmp-line" d="{c.before}"/>')
    if c.shape:
        parts.append(f'<path class="run-fill" d="{c.shape}"/><path class="run-line" d="{c.line}"/>')
    if c.holes:
        parts.append(f'<path class="run-line holes" d="{c.holes}"/>')
    if c.forecast:
        parts.append(f'<path class="fore" d="{c.forecast}"/>')
    if c.dot:
        parts.append(f'<circle class="run-dot" cx="{c.dot.x:g}" cy="{c.dot.y:g}" r="4"/>')
    parts += [*(text(t) for t in c.x_ticks), "</svg>"]
    return Markup("".join(parts))  # noqa: S704 - texts are escaped where they are written


def spark(values: Sequence[Decimal | None], label: str) -> Markup:
    """Draw the days of a row: an unknown day is a low grey mark, the last one stands out.

    A page has dozens, so nothing is made of a day but its text.
    """
    highest = max((float(v) for v in values if v is not None), default=0.0) or 1.0
    places, wide = _spark_places(len(values))
    parts = [opened(SPARK_WIDTH, SPARK_HEIGHT, label, kind=" spark")]
    for x, value in zip(places, values, strict=True):
        tall = 2.0 if value is None else max(1.0, float(value) / highest * SPARK_HEIGHT)
        kind = "sp" if value is not None else "sp miss"
        parts.append(
            f'<rect class="{kind}" x="{x}" y="{round(SPARK_HEIGHT - tall, 2):g}" width="{wide}" '
            f'height="{round(tall, 2):g}"/>'
        )
    if values and values[-1] is not None:
        parts[-1] = parts[-1].replace('"sp"', '"sp last"', 1)
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - texts are escaped


@lru_cache(maxsize=64)
def _spark_places(count: int) -> tuple[tuple[str, ...], str]:
    """Give where bars begin, and how wide each is."""
    slot = SPARK_WIDTH / max(count, 1)
    return tuple(f"{round(at * slot, 2):g}" for at in range(count)), f"{round(slot * 0.78, 2):g}"
