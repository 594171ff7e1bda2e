"""The JSON that ``js/profile-chart.js`` draws, with the words it speaks."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.web.kit.charts import Flag
from hub.web.kit.i18n import gettext, language

FLAGS = (Flag.MEASURED, Flag.PARTIAL, Flag.ESTIMATED, Flag.MISSING, Flag.FUTURE)


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
        "d": gettext("%(n)s d"),
        "h": gettext("%(n)s h"),
        "min": gettext("%(n)s min"),
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
        "compare": gettext("Earlier period"),
        "of_slots": gettext("from {known} of {all} half-hours"),
        "of_hours": gettext("from {known} of {all} hours"),
    }


def profile_json(
    *,
    minutes: int,
    timezone: str,
    zones: Mapping[int, str],
    start: Sequence[int],
    zone: Sequence[int],
    flag: Sequence[int],
    p_plus: Sequence[float | None],
    kwh: Sequence[float | None],
    series: Mapping[str, Sequence[float | None]] | None = None,
    prices: Mapping[int, float] | None = None,
) -> dict[str, Any]:
    """Give columns over the same intervals; an unknown value is null, never zero.

    ``start`` holds UTC seconds; ``flag`` counts in the order of FLAGS; ``series`` holds the other
    columns that there are: p_minus, q_plus, q_minus, compare. ``prices``: roubles for a kWh by
    zone, of zone 0 where one price holds for all hours.
    """
    return {
        "minutes": minutes,
        "timezone": timezone,
        "language": language.get(),
        "zones": {str(number): name for number, name in zones.items()},
        "limit": None,
        "start": start,
        "zone": zone,
        "flag": flag,
        "p_plus": p_plus,
        "kwh": kwh,
        "prices": {str(number): price for number, price in (prices or {}).items()},
        **(series or {}),
        "words": chart_words(),
    }
