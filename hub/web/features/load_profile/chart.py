"""The chart's data: intervals for the server's picture, columns for the script's."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hub.domain.money import MILLIONTHS
from hub.domain.series import ESTIMATED, MANUAL, NO_VALUE, PARTIAL
from hub.services.pages import ProfileChart
from hub.services.slots import Columns
from hub.web.kit.charts import Flag, ProfilePoint
from hub.web.kit.point_head import zone_names, zone_number
from hub.web.kit.profile_json import FLAGS, profile_json

CHANNELS = ("p_plus", "p_minus", "q_plus", "q_minus")


def flag_of(flags: int, *, future: bool) -> Flag:
    """Word the stored bits; what somebody entered by hand is shown as an estimate."""
    if flags & NO_VALUE:
        return Flag.FUTURE if future else Flag.MISSING
    if flags & (ESTIMATED | MANUAL):
        return Flag.ESTIMATED
    return Flag.PARTIAL if flags & PARTIAL else Flag.MEASURED


def flags_of(columns: Columns) -> list[Flag]:
    """Word every interval; one that has not ended lies in the future."""
    kinds: dict[tuple[int, bool], Flag] = {}
    found = []
    latest = columns.now - columns.minutes * 60
    for start, bits in zip(columns.starts, columns.flags, strict=True):
        key = (bits, start > latest)
        if key not in kinds:
            kinds[key] = flag_of(bits, future=key[1])
        found.append(kinds[key])
    return found


def powers(columns: Columns, energy: Sequence[float | None]) -> list[float | None]:
    """Give mean kW (kvar) over what of each interval is known."""
    return [
        None if value is None else value * 60 / covered
        for value, covered in zip(energy, columns.covered, strict=True)
    ]


def beside_points(columns: Columns, beside: Sequence[float | None]) -> list[ProfilePoint]:
    """Give the earlier days interval for interval, at the places of this span's."""
    zone = ZoneInfo(columns.time_zone)
    return [
        ProfilePoint(
            datetime.fromtimestamp(start, zone),
            columns.minutes,
            None if value is None else Decimal(value * 60 / columns.minutes),
        )
        for start, value in zip(columns.starts, beside, strict=True)
    ]


def points_of(columns: Columns) -> list[ProfilePoint]:
    """Give the intervals that the server draws."""
    zone = ZoneInfo(columns.time_zone)
    numbers = [zone_number(name) for name in columns.zones]
    energy = columns.energy[columns.channels.index(0)] if 0 in columns.channels else ()
    kw = powers(columns, energy) if energy else [None] * len(columns.starts)
    return [
        ProfilePoint(
            datetime.fromtimestamp(start, zone),
            columns.minutes,
            None if value is None else Decimal(value),
            numbers[place],
            flag,
        )
        for start, value, place, flag in zip(
            columns.starts, kw, columns.zone, flags_of(columns), strict=True
        )
    ]


def chart_data(found: ProfileChart) -> dict[str, Any]:
    """Give what the script draws."""
    columns = found.columns
    numbers = [zone_number(name) for name in columns.zones]
    energy = dict(zip(columns.channels, columns.energy, strict=True))
    nothing: list[float | None] = [None] * len(columns.starts)
    codes = {flag: code for code, flag in enumerate(FLAGS)}
    series = {
        CHANNELS[channel]: powers(columns, column) for channel, column in energy.items() if channel
    }
    if any(value is not None for value in found.beside):
        series["compare"] = [
            None if value is None else value * 60 / columns.minutes for value in found.beside
        ]
    prices = {zone_number(zone): price / MILLIONTHS for zone, price in found.prices.items()}
    return profile_json(
        minutes=columns.minutes,
        timezone=columns.time_zone,
        zones=zone_names(numbers),
        start=columns.starts,
        zone=[numbers[place] for place in columns.zone],
        flag=[codes[flag] for flag in flags_of(columns)],
        p_plus=powers(columns, energy[0]) if 0 in energy else nothing,
        kwh=energy.get(0, nothing),
        series=series,
        prices=prices,
    )
