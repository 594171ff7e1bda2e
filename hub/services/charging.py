"""A month's charges of one point in the in-house books, each line with what it is made of.

A zone is charged for what lies between the readings that hold at the month's two ends. Without a
newer one the mean of the true readings so far is charged, else the norm; that estimate becomes a
reading, so that the next true one corrects it, downwards too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hub.domain.calendar import month_end
from hub.domain.money import Price, kopecks_of, price_on, steady_price
from hub.domain.submitting import Face, Wrong, usual_a_day
from hub.plugins.api import Basis, PointFact
from hub.services.books import THOUSANDTH
from hub.store.tables import HouseBillLine, HousePoint, HousePrice, HouseReading

ONLY_ZONE = "T1"  # a meter without zones is priced by this one; '' is the fixed part
ESTIMATED = "estimated"


@dataclass(slots=True)
class Charges:
    """Lines without a bill yet, readings that were estimated for them, and what has no line."""

    lines: list[HouseBillLine] = field(default_factory=list)
    estimates: list[HouseReading] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Used:
    """``quantity`` through the meter between two readings of it."""

    before: Decimal
    after: Decimal
    quantity: Decimal
    basis: Basis


def charges_of(
    point: HousePoint,
    priced: Sequence[HousePrice],
    known: Sequence[HouseReading],
    month: date,
    now: datetime,
) -> Charges:
    """Charge a point for the month that begins on ``month``."""
    prices = [Price(row.zone, row.valid_from, row.millionths, row.valid_to) for row in priced]
    made = Charges()
    if not prices:
        made.left_out.append(f"{point.name}: no prices.")
        return made
    ratio = ratio_of(point.facts)
    for zone in point.tariff_zones or [""]:
        label = f"{point.name}, {zone}" if zone else point.name
        price = steady_price(prices, zone or ONLY_ZONE, month, month_end(month))
        of_zone = [row for row in known if row.zone == zone]
        used = _used(point, of_zone, month) if price is not None else None
        if price is None:
            made.left_out.append(f"{label}: no one price through {month:%Y-%m}.")
        elif used is None:
            made.left_out.append(f"{label}: no reading to begin with, or none to end with.")
        else:
            if used.basis is not Basis.ACCEPTED:
                made.estimates.append(_estimated(point, zone, used, month, now))
            quantity = used.quantity * ratio
            made.lines.append(
                HouseBillLine(
                    bill_id=0,
                    words=label,
                    kopecks=kopecks_of(quantity, price),
                    house_point_id=point.id,
                    zone=zone,
                    quantity_thousandths=int(quantity / THOUSANDTH),
                    unit=point.unit,
                    price_millionths=price,
                    before_thousandths=int(used.before / THOUSANDTH),
                    after_thousandths=int(used.after / THOUSANDTH),
                    ratio=ratio,
                    basis=used.basis.value,
                )
            )
    fixed = price_on(prices, "", month)
    if fixed is not None:
        made.lines.append(
            HouseBillLine(
                bill_id=0,
                words=point.name,
                kopecks=kopecks_of(Decimal(1), fixed.millionths),
                house_point_id=point.id,
                quantity_thousandths=1000,
                unit="month",
                price_millionths=fixed.millionths,
            )
        )
    return made


def ratio_of(facts: Mapping[str, str]) -> int:
    """Multiply the transformers' ratios; what is not said, or is no whole number, is 1."""
    ratio = 1
    for fact in (PointFact.CURRENT_RATIO, PointFact.VOLTAGE_RATIO):
        try:
            told = Fraction(facts.get(fact, "").replace(" ", "").replace(",", "."))
        except (ValueError, ZeroDivisionError):
            continue
        if told.denominator == 1 and told > 0:
            ratio *= told.numerator
    return ratio


def _used(point: HousePoint, known: Sequence[HouseReading], month: date) -> _Used | None:
    """Find what a zone used in a month; None where there is nothing to go by."""
    end = month_end(month) + timedelta(days=1)
    begin = [row for row in known if row.taken_on <= month]
    within = [row for row in known if month < row.taken_on <= end]
    if not begin:
        return None
    first = begin[-1]
    before = first.thousandths * THOUSANDTH
    if not within:
        return _usual(point, known, before, (end - month).days)
    last = within[-1]
    after = last.thousandths * THOUSANDTH
    quantity = after - before
    if quantity < 0 and first.source != ESTIMATED:
        if point.whole_digits is None:
            return None
        quantity += Decimal(10) ** point.whole_digits
    return _Used(before, after, quantity, Basis(last.basis))


def _usual(
    point: HousePoint, known: Sequence[HouseReading], before: Decimal, days: int
) -> _Used | None:
    """Estimate a month without a reading: by the mean of the true ones, else by the norm."""
    true = {row.taken_on: row.thousandths * THOUSANDTH for row in known if row.source != ESTIMATED}
    usual = usual_a_day(true, point.whole_digits)
    basis = Basis.AVERAGE
    if usual is not None:
        quantity = (usual * days).quantize(THOUSANDTH)
    else:
        norm = Face().read(point.facts.get(PointFact.NORM_MONTH, ""))
        if isinstance(norm, Wrong):
            return None
        quantity = (norm / max(len(point.tariff_zones), 1)).quantize(THOUSANDTH)
        basis = Basis.NORM
    after = before + quantity
    if point.whole_digits is not None:
        after %= Decimal(10) ** point.whole_digits
    return _Used(before, after, quantity, basis)


def _estimated(
    point: HousePoint, zone: str, used: _Used, month: date, now: datetime
) -> HouseReading:
    return HouseReading(
        house_point_id=point.id or 0,
        zone=zone,
        taken_on=month_end(month) + timedelta(days=1),
        thousandths=int(used.after / THOUSANDTH),
        source=ESTIMATED,
        basis=used.basis.value,
        changed_at=now,
    )
