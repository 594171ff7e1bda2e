"""Who a meter is and what it counts."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who answered. Identity is (maker, serial); the address is not."""

    maker: str
    model: str
    serial: str  # as printed, leading zeros kept; compared without spaces
    firmware: str = ""
    made_on: date | None = None
    phases: int | None = None
    imp_per_kwh: int | None = None
    current_ratio: int | None = None  # as set in the meter: compared and shown,
    voltage_ratio: int | None = None  # never multiplied by
    traits: frozenset[str] = frozenset()  # model-specific facts for can()
    raw: bytes = b""  # as answered, for diagnosis


@dataclass(frozen=True, slots=True, order=True)
class Register:
    """What is counted ('1.8.0': total active import) and of or at which time.

    period: 'now'; energy of, or register at the start of, a day, month or year:
    'of:day:0' 'at:day:0' 'of:month:2026-11' 'at:month:2026-11' 'of:year:0' 'at:year:0'.
    Days and years count back from the meter's today; a month goes by its date.
    """

    obis: str
    period: str = "now"


@dataclass(frozen=True, slots=True)
class Quantity:
    value: Decimal  # energy registers: a whole number of Wh or varh
    unit: str  # Wh, varh, W, var, VA, V, A, Hz, deg, %, 1
