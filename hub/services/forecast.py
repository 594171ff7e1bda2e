"""What the running month is likely to come to: a plain mean of its own days, with its range.

Days that are over and lack nothing are *complete*; below seven of them there is no forecast. Every
other day of the month (still to come, running, or with gaps) is given the mean of the complete
days of its kind, working day or weekend; where a kind has fewer than two of them, of all. What was
measured of such a day counts where it is already more. The range is where eight of ten such months
would end if days went on varying as they did: 1.28 standard deviations of the sum of the days that
are not known, with the doubt in the mean itself. It never goes below what was measured. It knows
nothing of weather, holidays or new appliances, and so the pages say how it is made.

Energy is primary kWh as ``Fraction``; the spread is found in floats and rounded to a watt-hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import fsum, sqrt

from hub.domain.calendar import days_of, month_end, month_start
from hub.services.profile import Sum

FEWEST_DAYS = 7
FEWEST_OF_A_KIND = 2
EIGHT_OF_TEN = 1.28
SATURDAY = 5
WATT_HOURS = 1000


@dataclass(frozen=True, slots=True)
class Forecast:
    """Energy of the whole month that holds ``month``: likely, at least, at most; kWh.

    ``days``: how many complete days it is made of; ``measured``: kWh that are known already.
    """

    month: date
    energy: Fraction
    low: Fraction
    high: Fraction
    days: int
    measured: Fraction


def month_forecast(
    month: date, complete: Mapping[date, Fraction], begun: Mapping[date, Fraction] | None = None
) -> Forecast | None:
    """Forecast the month that holds ``month``; None below seven complete days.

    ``complete``: kWh of days of it that are over and whole; ``begun``: what is known of days that
    are not, the running one too.
    """
    whole = {day: energy for day, energy in complete.items() if _within(day, month)}
    parts = {day: energy for day, energy in (begun or {}).items() if _within(day, month)}
    if len(whole) < FEWEST_DAYS:
        return None
    kinds = {
        kind: [energy for day, energy in whole.items() if _weekend(day) == kind]
        for kind in (False, True)
    }
    everything = list(whole.values())
    known = sum(everything, Fraction(0))
    likely, variance = known, 0.0
    at_least = known
    for kind, alike in kinds.items():
        open_days = [
            day
            for day in days_of(month_start(month), month_end(month))
            if day not in whole and _weekend(day) == kind
        ]
        like = alike if len(alike) >= FEWEST_OF_A_KIND else everything
        mean = sum(like, Fraction(0)) / len(like)
        for day in open_days:
            part = parts.get(day, Fraction(0))
            at_least += part
            likely += max(mean, part)
        unknown = len(open_days)
        variance += _variance(like) * (unknown + unknown * unknown / len(like))
    spread = Fraction(round(EIGHT_OF_TEN * sqrt(variance) * WATT_HOURS), WATT_HOURS)
    low = max(likely - spread, at_least)
    return Forecast(
        month_start(month), likely, min(low, likely), likely + spread, len(whole), at_least
    )


def forecast_of(days: Sequence[Sum], today: date) -> Forecast | None:
    """Forecast the running month of a point from the sums of its local days."""
    complete: dict[date, Fraction] = {}
    begun: dict[date, Fraction] = {}
    for day in days:
        energy = day.energy[0]
        if energy is None:
            continue
        whole = day.last < today and day.complete and day.measured == day.slots
        (complete if whole else begun)[day.first] = energy
    return month_forecast(today, complete, begun)


def forecast_of_contract(
    first: date, days: Sequence[Fraction | None], whole: Sequence[bool]
) -> Forecast | None:
    """Forecast the running month of all points of a contract, by its days up to today.

    Complete are the days that are over and lack no half-hour of any point (``whole``).
    """
    complete: dict[date, Fraction] = {}
    begun: dict[date, Fraction] = {}
    for at, (energy, has_all) in enumerate(zip(days, whole, strict=True)):
        day = first + timedelta(days=at)
        if energy is not None:
            (complete if has_all and at < len(days) - 1 else begun)[day] = energy
    return month_forecast(first, complete, begun)


def _within(day: date, month: date) -> bool:
    return (day.year, day.month) == (month.year, month.month)


def _weekend(day: date) -> bool:
    return day.weekday() >= SATURDAY


def _variance(days: Sequence[Fraction]) -> float:
    """Sample variance of the days' energy, kWh squared."""
    kwh = [float(each) for each in days]
    mean = fsum(kwh) / len(kwh)
    return fsum((each - mean) ** 2 for each in kwh) / (len(kwh) - 1)
