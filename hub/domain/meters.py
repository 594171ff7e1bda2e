"""Who a meter is, what it counts, how it is and what it is set to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hub.domain.clock import MeterTime

PHASE_LETTERS = "ABC"  # of phases 1 to 3, as diagrams and tables name them


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
    'of:day:0' 'at:day:0' 'of:month:2026-11' 'at:month:2026-11' 'of:year:0' 'at:year:0';
    the highest power of a month's mornings or evenings: 'max:2026-11:morning'.
    Days and years count back from the meter's today; a month goes by its date.
    """

    obis: str
    period: str = "now"


@dataclass(frozen=True, slots=True)
class Quantity:
    value: Decimal  # energy registers: a whole number of Wh or varh
    unit: str  # Wh, varh, W, var, VA, V, A, Hz, deg, %, Cel, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState:
    """How a meter is and what it is set to. None, or absent: this meter does not say."""

    faults: frozenset[str] | None = None  # self-diagnosis as the maker prints it: 'E-03'
    tariff: int | None = None  # counted now, from 1
    load_on: bool | None = None  # the load is, or would be, supplied
    load_off_by: frozenset[str] = frozenset()  # 'order', 'energy_limit:1' …
    controls: frozenset[str] = frozenset()  # enabled: 'power_limit', 'energy_limit', 'relay'
    power_limit: Quantity | None = None
    energy_limits: Mapping[int, Quantity] = field(default_factory=dict)  # by tariff
    maxima: Mapping[Register, Quantity] = field(default_factory=dict)
    detail: Mapping[str, str] = field(default_factory=dict)  # the maker's own, by snake_case name


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedValues:
    """What a meter latched at one instant of its face."""

    fixed: MeterTime
    values: Mapping[Register, Quantity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What to set; None leaves as it is. The meter's own unit and scale are the driver's matter."""

    power_limit: Quantity | None = None
    power_control: bool | None = None
    energy_limits: Mapping[int, Quantity] = field(default_factory=dict)  # by tariff
    energy_control: bool | None = None
