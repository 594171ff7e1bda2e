"""Pictures of the live page as SVG: the vectors of voltages and currents, the last minutes' power.

Angles are counted clockwise from UA, which points up, as in the trade. A current lags its voltage
by φ. Drawing only: floats appear here and nowhere before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from hub.domain.meters import PHASE_LETTERS
from hub.web.kit import svg
from hub.web.kit.charts import Label, axis_labels, nice_ceiling

WIDTH, HEIGHT = 360.0, 300.0
CENTRE = WIDTH / 2, HEIGHT / 2
NOMINAL_RADIUS = 96.0  # of the nominal voltage; the longest current is shorter
LONGEST_U, LONGEST_I = 118.0, 72.0
LABEL_RADIUS = 134.0
RINGS = (NOMINAL_RADIUS / 3, NOMINAL_RADIUS * 2 / 3)
HEAD = 9.0  # length of an arrow's head
SECTOR_RADIUS = 26.0
LEAST_SECTOR = 2.0  # degrees

LINE_HEIGHT = 250.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 26.0, 22.0
MINUTES = 5


@dataclass(frozen=True, slots=True)
class Phase:
    """Of one phase what is drawn: volts, amperes, degrees; None where the meter says nothing."""

    letter: str
    volts: float | None
    volts_text: str
    volts_angle: float
    amperes: float | None
    lag: float | None  # φ: by how much the current follows the voltage


@dataclass(frozen=True, slots=True)
class VectorDiagram:
    """``low`` to ``high``: the norm as parts of the nominal voltage; None: no ring."""

    phases: Sequence[Phase]
    nominal: float
    norm: tuple[float, float] | None
    label: str


@dataclass(frozen=True, slots=True)
class PowerLine:
    """Kilowatts by instant, oldest first, up to ``until``; a break longer than ``gap`` is left."""

    samples: Sequence[tuple[datetime, float]]
    until: datetime
    gap: timedelta
    unit: str
    label: str


def draw_vectors(d: VectorDiagram) -> Markup:
    """Draw the vector diagram; its numbers stand in the table beside it."""
    x, y = CENTRE
    parts = [svg.opened(WIDTH, HEIGHT, d.label, kind=" vectors")]
    if d.norm is not None:
        low, high = (NOMINAL_RADIUS * each for each in d.norm)
        parts.append(
            f'<circle class="norm" cx="{x:g}" cy="{y:g}" r="{(low + high) / 2:.1f}" '
            f'stroke-width="{high - low:.1f}"/>'
        )
    parts += [f'<circle class="grid-c" cx="{x:g}" cy="{y:g}" r="{r:g}"/>' for r in RINGS]
    strongest = max((p.amperes or 0.0 for p in d.phases), default=0.0)
    for phase in d.phases:
        kind = f"ph{PHASE_LETTERS.index(phase.letter) + 1}"
        parts.append(f'<g class="{kind}">{_phase(phase, d.nominal, strongest)}</g>')
    parts += [_names(phase) for phase in d.phases if phase.volts is not None]
    parts.append(f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="3.5"/></svg>')
    return Markup("".join(parts))  # noqa: S704 - texts are escaped where they are written


def _phase(p: Phase, nominal: float, strongest: float) -> str:
    parts = []
    if p.volts is not None and p.amperes and p.lag is not None and abs(p.lag) >= LEAST_SECTOR:
        parts.append(_sector(p.volts_angle, p.lag))
    if p.volts:
        parts.append(_arrow("u", p.volts_angle, min(p.volts / nominal * NOMINAL_RADIUS, LONGEST_U)))
    if p.amperes and p.lag is not None and strongest:
        at = p.volts_angle + p.lag
        length = p.amperes / strongest * LONGEST_I
        parts.append(_arrow("i", at, length))
        tip = _at(at, length + 12)
        parts.append(svg.text(Label(*tip, f"I{p.letter}"), kind=' class="i-name"', down=4))
    return "".join(parts)


def _names(p: Phase) -> str:
    x, y = _at(p.volts_angle, LABEL_RADIUS)
    name = svg.text(Label(x, y, f"U{p.letter}"), kind=' class="strong"', down=-2)
    return name + svg.text(Label(x, y, p.volts_text), down=12)


def _at(degrees: float, radius: float) -> tuple[float, float]:
    """Give the place at an angle clockwise from up."""
    turn = math.radians(degrees)
    return (
        round(CENTRE[0] + radius * math.sin(turn), 1),
        round(CENTRE[1] - radius * math.cos(turn), 1),
    )


def _arrow(kind: str, degrees: float, length: float) -> str:
    head = min(HEAD, length)
    x, y = _at(degrees, length - head)
    tip = _at(degrees, length)
    turn = math.radians(degrees)
    across = head / 2.4 * math.cos(turn), head / 2.4 * math.sin(turn)
    return (
        f'<line class="{kind}" x1="{CENTRE[0]:g}" y1="{CENTRE[1]:g}" x2="{x:g}" y2="{y:g}"/>'
        f'<path class="head" d="M{tip[0]:g} {tip[1]:g}L{x - across[0]:.1f} {y - across[1]:.1f}'
        f'L{x + across[0]:.1f} {y + across[1]:.1f}z"/>'
    )


def _sector(begin: float, lag: float) -> str:
    one, two = _at(begin, SECTOR_RADIUS), _at(begin + lag, SECTOR_RADIUS)
    sweep, large = int(lag > 0), int(abs(lag) > 180)  # noqa: PLR2004 - half a turn
    return (
        f'<path class="phi" d="M{CENTRE[0]:g} {CENTRE[1]:g}L{one[0]:g} {one[1]:g}'
        f'A{SECTOR_RADIUS:g} {SECTOR_RADIUS:g} 0 {large} {sweep} {two[0]:g} {two[1]:g}z"/>'
    )


def draw_power(width: float, c: PowerLine) -> Markup:
    """Draw the power of the last minutes; where it was not read there is no line."""
    base, right = LINE_HEIGHT - BOTTOM, width - RIGHT
    begin = c.until - timedelta(minutes=MINUTES)
    shown = [(at, kw) for at, kw in c.samples if begin <= at <= c.until]
    ceiling, step = nice_ceiling(max((kw for _, kw in shown), default=0.0), 3)
    low = min((kw for _, kw in shown), default=0.0)
    floor = -math.ceil(-low / step) * step if low < 0 else 0.0
    scale = (base - TOP) / (ceiling - floor)

    def across(at: datetime) -> float:
        return LEFT + (at - begin) / timedelta(minutes=MINUTES) * (right - LEFT)

    def up(kw: float) -> float:
        return base - (kw - floor) * scale

    values = [floor + n * step for n in range(round((ceiling - floor) / step) + 1)]
    texts = (
        axis_labels(ceiling, step) if not floor else [f"{v:g}".replace("-", "−") for v in values]
    )
    ticks = [Label(LEFT, round(up(v), 1), t) for v, t in zip(values, texts, strict=True)]
    parts = [svg.opened(width, LINE_HEIGHT, c.label), svg.grid(LEFT, right, ticks)]
    parts.append(svg.text(Label(LEFT - 8, TOP - 12, c.unit, "end")))
    parts += [svg.text(Label(t.x - 8, t.y + 4, t.text, "end")) for t in ticks]
    minute = begin.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute <= c.until:
        parts.append(svg.text(Label(round(across(minute), 1), base + 16, f"{minute:%H:%M}")))
        minute += timedelta(minutes=1)
    for run in _runs(shown, c.gap):
        places = [(round(across(at), 1), round(up(kw), 1)) for at, kw in run]
        line = "L".join(f"{x:g} {y:g}" for x, y in places)
        if len(places) > 1:
            zero = round(up(0.0), 1)
            shape = f"M{places[0][0]:g} {zero:g}L{line}L{places[-1][0]:g} {zero:g}z"
            parts.append(f'<path class="run-fill" d="{shape}"/>')
            parts.append(f'<path class="run-line" d="M{line}"/>')
    if shown:
        x, y = round(across(shown[-1][0]), 1), round(up(shown[-1][1]), 1)
        parts.append(f'<circle class="run-dot" cx="{x:g}" cy="{y:g}" r="4.5"/>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - texts are escaped


def _runs(
    shown: Sequence[tuple[datetime, float]], gap: timedelta
) -> list[list[tuple[datetime, float]]]:
    runs: list[list[tuple[datetime, float]]] = []
    for each in shown:
        if not runs or each[0] - runs[-1][-1][0] > gap:
            runs.append([])
        runs[-1].append(each)
    return runs
