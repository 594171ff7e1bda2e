"""Money: whole kopecks, prices in millionths of a rouble, each charge rounded once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

MILLIONTHS = 1_000_000
A_KOPECK = 10_000  # millionths


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """What a unit costs in a zone ('': the fixed part, a month) from a day to a day, included."""

    zone: str
    valid_from: date
    millionths: int
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def kopecks_of(quantity: Decimal, millionths: int) -> int:
    """Give quantity x price in whole kopecks; a half is rounded away from zero."""
    exact = quantity * millionths / A_KOPECK
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def millionths_of(roubles: Decimal) -> int | None:
    """Give a price as it is kept; None where it is negative or finer than a millionth."""
    exact = roubles * MILLIONTHS
    whole = int(exact.to_integral_value())
    return whole if whole >= 0 and whole == exact else None


def price_on(prices: Iterable[Price], zone: str, day: date) -> Price | None:
    """Find the price of a zone on a day; the later one where two hold."""
    found = [price for price in prices if price.zone == zone and price.holds(day)]
    return max(found, key=lambda price: price.valid_from, default=None)


def steady_price(prices: Iterable[Price], zone: str, first: date, last: date) -> int | None:
    """Give the price in millionths, if it is one and the same from ``first`` to ``last``.

    A difference of two readings can't be split where the price changed between them, so then
    there is none.
    """
    prices = [price for price in prices if price.zone == zone]
    days = {first, last}
    for price in prices:
        ends = price.valid_to and price.valid_to + timedelta(days=1)
        days |= {day for day in (price.valid_from, ends) if day and first <= day <= last}
    found = {price_on(prices, zone, day) for day in days}
    values = {None if price is None else price.millionths for price in found}
    return values.pop() if len(values) == 1 else None
