"""The JSON that ``js/profile-chart.js`` draws, with the words it speaks."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.web.kit.charts import Flag, ProfilePoint
from hub.web.kit.i18n import gettext, language

FLAGS = (Flag.MEASURED, Flag.PARTIAL, Flag.ESTIMATED, Flag.MISSING, Flag.FUTURE)


def plain(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def chart_words() -> dict[str, str]:
    """Give what the chart says on the screen and aloud."""
    return {
        "no_data": gettext("No data"),
        "no_data_why": gettext("No data. The hub keeps asking the meter."),
        "estimate": gettext("estimate"),
        "partial": gettext("incomplete"),
        "power": gettext("Active P+"),
        "energy": gettext("Energy"),
        "returned": gettext("Active P−"),
        "reactive": gettext("Reactive"),
        "mean": gettext("mean"),
        "limit": gettext("Permitted power"),
        "kw": gettext("kW"),
        "kwh": gettext("kWh"),
        "kvar": gettext("kvar"),
        "hours": gettext("h"),
        "kw_spoken": gettext("kilowatts"),
        "label": gettext(
            "Load profile chart. Left and right arrows move by an interval, Page Up and Page "
            "Down by a day, Home and End to the edges, plus and minus zoom, Shift selects, "
            "Escape clears."
        ),
        "chart": gettext("chart"),
        "zoom": gettext("Zoom in"),
        "clear": gettext("Clear"),
        "selected": gettext("Selected"),
    }


def profile_json(
    points: Sequence[ProfilePoint],
    *,
    minutes: int,
    timezone: str,
    zones: Mapping[int, str],
    kwh: Sequence[Decimal | None],
    p_minus: Sequence[Decimal | None] | None = None,
    q_plus: Sequence[Decimal | None] | None = None,
    q_minus: Sequence[Decimal | None] | None = None,
    compare: Sequence[Decimal | None] | None = None,
    limit_kw: Decimal | None = None,
) -> dict[str, Any]:
    """Columns over the same intervals; an unknown value is null, never zero.

    ``start`` holds UTC seconds; ``flag`` counts in the order measured, partial, estimated,
    missing, future.
    """
    series: dict[str, Sequence[Decimal | None] | None] = {
        "p_minus": p_minus,
        "q_plus": q_plus,
        "q_minus": q_minus,
        "compare": compare,
    }
    return {
        "minutes": minutes,
        "timezone": timezone,
        "language": language.get(),
        "zones": {str(number): name for number, name in zones.items()},
        "limit": plain(limit_kw),
        "start": [int(p.start.timestamp()) for p in points],
        "zone": [p.zone for p in points],
        "flag": [FLAGS.index(p.flag) for p in points],
        "p_plus": [plain(p.kw) if p.known else None for p in points],
        "kwh": [plain(v) for v in kwh],
        **{name: [plain(v) for v in column] for name, column in series.items() if column},
        "words": chart_words(),
    }
