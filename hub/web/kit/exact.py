"""Exact numbers on pages: what the services count, as the templates and browsers read it.

Cells are written here and not by a template: a page has hundreds of them.
"""

from decimal import MAX_PREC, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from markupsafe import Markup

from hub.web.kit.formats import UNKNOWN, number

AS_IT_IS = Context(prec=MAX_PREC)  # nothing is rounded


@lru_cache(maxsize=512)
def _power_of_ten(denominator: int) -> int | None:
    """Find the digits after the point that this denominator needs; None: they never end."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    return max(twos, fives) if denominator == 1 else None


def decimal_of(value: Fraction | None) -> Decimal | None:
    """Give the same number as a decimal.

    Exact whenever a decimal can be: meters count in parts of a kWh that are made of twos and
    fives. Any other (a loss factor may bring one) is rounded at 28 digits.
    """
    if value is None:
        return None
    digits = _power_of_ten(value.denominator)
    if digits is None:
        return Decimal(value.numerator) / Decimal(value.denominator)
    whole = value.numerator * (10**digits // value.denominator)
    return Decimal(whole).scaleb(-digits, AS_IT_IS)


def plain(value: Decimal) -> str:
    """Write it as a machine reads it, all digits, no exponent: for ``<data value>``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def data(value: Decimal | None, decimals: int) -> Markup:
    """Write the exact value for machines and the rounded one for people; unknown is a dash."""
    return Markup(_data(value, decimals))  # noqa: S704 - digits of ours


def _data(value: Decimal | None, decimals: int) -> str:
    if value is None:
        return UNKNOWN
    return f'<data value="{plain(value)}">{number(value, decimals)}</data>'


def cell(value: Decimal | None, decimals: int, *, strong: bool = False) -> Markup:
    """Write a table's cell of it."""
    kind = "num strong" if strong else "num"
    return Markup(f'<td class="{kind}">{_data(value, decimals)}</td>')  # noqa: S704 - digits of ours
