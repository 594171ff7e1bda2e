"""Comparisons with earlier days, in words."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from hub.services.comparing import Comparison
from hub.web.kit.exact import decimal_of
from hub.web.kit.spans import DaySpan
from hub.web.kit.views import Change


def change_of(found: Comparison | None, today: date) -> Change | None:
    """Word a comparison; None where the two spans have no half-hour in common."""
    if found is None or not found.both or found.now is None or found.before is None:
        return None
    difference = decimal_of(found.now - found.before)
    if difference is None:
        return None
    percent = None
    if found.before >= 1:
        share = (found.now - found.before) * 100 / found.before
        exact = Decimal(share.numerator) / share.denominator
        percent = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return Change(difference, percent, DaySpan(found.first, found.last).label(today))
