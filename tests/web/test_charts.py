"""What a chart never does: join over a gap, draw the unknown as zero, smooth a step."""

import itertools
import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_samples import DAY, NAMES, POINTS, half_hours

from hub.web.kit.charts import (
    Area,
    Flag,
    ProfilePoint,
    axis_labels,
    hatch_lines,
    nice_ceiling,
    step_chart,
)
from hub.web.kit.small_charts import DayBar, HourBar, day_bars, hour_bars, running_total
from hub.web.kit.svg import spark

FLAG_LISTS = st.lists(st.sampled_from(list(Flag)), min_size=1, max_size=96)


def spans(path: str) -> list[tuple[float, float]]:
    """The x extent of every M…-part of a step path."""
    found = []
    for part in path.split("M")[1:]:
        start = float(part.split()[0])
        ends = [float(x) for x in re.findall(r"H([\d.]+)", part)]
        found.append((start, ends[-1]))
    return found


@given(FLAG_LISTS)
def test_lines_cover_exactly_what_is_known(flags):
    points = half_hours(DAY, len(flags), dict(enumerate(flags)))
    chart = step_chart(points, zones=NAMES)
    slot = (chart.right - chart.left) / len(points)
    covered = [
        any(
            a - 0.02 <= chart.left + (at + 0.5) * slot <= b + 0.02
            for run in chart.runs
            for a, b in spans(run.line)
        )
        for at in range(len(points))
    ]
    assert covered == [p.known for p in points]
    hatched = [
        any(g.x <= chart.left + (at + 0.5) * slot <= g.x + g.width for g in chart.gaps)
        for at in range(len(points))
    ]
    assert hatched == [p.flag is Flag.MISSING for p in points]


def test_a_gap_is_hatched_and_never_at_the_base():
    chart = step_chart(POINTS, zones=NAMES)
    (gap,) = chart.gaps
    assert (gap.title, gap.note) == ("Нет данных", "5\xa0ч")
    for run in chart.runs:
        assert not re.search(rf"V{chart.base:g}(H|$)", run.line)


def test_zero_is_drawn_when_the_meter_said_zero():
    chart = step_chart(
        [ProfilePoint(DAY, 30, Decimal(0), 1), ProfilePoint(DAY, 30, None, 1, Flag.MISSING)]
    )
    assert len(chart.runs) == 1
    assert f"V{chart.base:g}" in chart.runs[0].line


def test_what_is_not_measured_has_its_own_look():
    chart = step_chart(POINTS, zones=NAMES, limit_kw=Decimal(20))
    assert any(run.estimated for run in chart.runs)
    assert [label.text for label in chart.estimates] == ["расчет"]
    assert len(chart.partials) == 1
    assert chart.future is not None
    assert chart.limit is not None
    assert "Нет данных: интервалов 10" in chart.summary
    assert step_chart(POINTS, limit_kw=Decimal(5000)).limit is None


def test_ribbon_names_only_what_fits():
    chart = step_chart(half_hours(DAY, 48 * 31), zones=NAMES)
    assert all(not band.title for band in chart.bands if band.width < 18)
    wide = step_chart(POINTS, zones=NAMES)
    assert [band.title for band in wide.bands][:2] == ["T2 ночь", "T1 пик"]


def test_neighbouring_runs_meet():
    chart = step_chart(half_hours(DAY, 48))
    ends = [spans(run.line)[0] for run in chart.runs]
    assert all(a[1] == pytest.approx(b[0]) for a, b in itertools.pairwise(ends))


def test_nothing_makes_an_empty_chart():
    assert step_chart([]).runs == ()
    assert hour_bars([]).columns == ()
    assert day_bars([]).columns == ()
    assert running_total([], days=30).line == ""
    assert "<rect" not in spark([], "")


@given(st.floats(min_value=1e-3, max_value=1e6))
def test_axis_covers_the_value_in_round_steps(value):
    top, step = nice_ceiling(value)
    assert top >= value * 0.999
    assert 2 <= round(top / step) <= 6
    assert len(set(axis_labels(top, step))) == round(top / step) + 1


def test_small_charts_draw_nothing_for_the_unknown():
    hours = hour_bars([HourBar(0, None), HourBar(1, Decimal(2), 2, True, Decimal(1))])
    assert [len(column.boxes) for column in hours.columns] == [0, 1]
    assert len(hours.ticks) == 1
    days = day_bars([
        DayBar(date(2026, 11, 2), "2", None, expected=Decimal(4)),
        DayBar(date(2026, 11, 3), "3", {1: Decimal(1), 2: Decimal(2)}),
        DayBar(date(2026, 11, 4), "4", {1: Decimal(1)}, complete=False, expected=Decimal(3)),
    ])  # fmt: skip
    unknown, whole, part = days.columns
    assert unknown.boxes == ()
    assert unknown.ghost is not None
    assert "Нет данных" in unknown.title
    assert [box.zone for box in whole.boxes] == [2, 1], "cheap zones at the base"
    assert whole.ghost is None
    assert part.boxes[0].hatch
    row = spark([Decimal(1), None, Decimal(4)], "By day")
    assert re.findall(r'class="(sp[^"]*)"', row) == ["sp", "sp miss", "sp last"]
    assert re.findall(r' height="([^"]+)"', row) == ["6", "2", "24"]


@given(st.floats(0, 900), st.floats(1, 100))
def test_hatch_stays_inside(left, width):
    path = hatch_lines(Area(left, width), 10, 100)
    xs = [float(x) for x in re.findall(r"[ML]([-\d.]+) ", path)]
    ys = [float(y) for y in re.findall(r" ([-\d.]+)", path)]
    assert all(left - 0.1 <= x <= left + width + 0.1 for x in xs)
    assert all(9.9 <= y <= 100.1 for y in ys)


def test_a_day_with_a_season_change_keeps_its_width():
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, tzinfo=zone).timestamp()
    points = [
        ProfilePoint(datetime.fromtimestamp(first + 1800 * at, zone), 30, Decimal(1))
        for at in range(50)
    ]
    chart = step_chart(points)
    assert spans(chart.runs[0].line)[0][1] == pytest.approx(chart.right)
    assert points[-1].start - points[0].start == timedelta(hours=23, minutes=30)


def test_a_running_total_shows_what_there_is():
    """It begins with the history, and is dashed where half-hours are missing."""
    totals = [None, None, Decimal(4), Decimal(6), Decimal(9)]
    chart = running_total(totals, whole=[True, True, True, False, True], days=10, width=100)
    xs = [float(x) for x in re.findall(r"[ML]([\d.]+) ", chart.line)]
    assert xs == [20, 30, 40, 50]  # the third day and the fifth
    assert [float(x) for x in re.findall(r"[ML]([\d.]+) ", chart.holes)] == [30, 40]
    assert chart.dot.x == 50
    nothing = running_total([None, None], days=10)
    assert (nothing.line, nothing.holes, nothing.shape, nothing.dot) == ("", "", "", None)
