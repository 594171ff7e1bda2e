"""What consumption costs by the prices that a supplier told, dated; no price known, no cost.

A line is made of registers where the register map says that the meter's schedule is the contract's
(or one price holds for all hours), else of half-hours by the contract's zones: never of both. Each
zone is rounded to a kopeck once; the fixed part of a month belongs to bills and not to a line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hub.domain.money import Price, kopecks_of, steady_price
from hub.store import told
from hub.store.points import PointRow
from hub.store.unit import Unit

FIXED = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """A line's cost. ``from_slots``: half-hours made it, not registers."""

    kopecks: int
    from_slots: bool


def prices_in(unit: Unit, row: PointRow) -> tuple[Price, ...]:
    """List the prices of a point: its own where the supplier told any, else the contract's."""
    rows = told.prices_of(unit, row.id)
    own = [each for each in rows if each.point]
    return tuple(
        Price(each.zone, each.valid_from, each.millionths, each.valid_to) for each in own or rows
    )


def one_price(prices: Iterable[Price]) -> bool:
    """Say whether one price holds for all hours, so that zones do not matter."""
    return len({price.zone for price in prices if price.zone != FIXED}) == 1


def zone_prices(prices: Iterable[Price], first: date, last: date) -> dict[str, int]:
    """Give millionths of a rouble by zone, of those zones whose price holds all the days."""
    prices = tuple(prices)
    found = {
        zone: steady_price(prices, zone, first, last)
        for zone in {price.zone for price in prices if price.zone != FIXED}
    }
    return {zone: price for zone, price in found.items() if price is not None}


def kopecks_by_zone(
    prices: Iterable[Price],
    total: Fraction | None,
    zones: Mapping[str, Fraction | None],
    days: tuple[date, date],
) -> int | None:
    """Give what ``zones`` (or ``total``, where there is one price) cost from day to day.

    None where a zone's use or its price is not known, or where the price changed in between.
    """
    prices = tuple(prices)
    known = zone_prices(prices, *days)
    if one_price(prices):
        use: Mapping[str, Fraction | None] = dict.fromkeys(known, total)
    else:
        use = zones
    if not use or any(energy is None or zone not in known for zone, energy in use.items()):
        return None
    return sum(
        kopecks_of(Decimal(energy.numerator) / energy.denominator, known[zone])
        for zone, energy in use.items()
        if energy is not None
    )
