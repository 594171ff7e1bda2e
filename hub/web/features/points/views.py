"""What the list of points and a point's general information show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from hub.web.kit.sending import Sending
from hub.web.kit.views import Choice, PointHead, RegisterText


@dataclass(frozen=True, slots=True)
class PointRow:
    """``state``: see `point_head.state_of`; ``days`` feeds the sparkline.

    ``kinds``: the filters it is shown by. A meter that people read has ``sending``, and its
    registers are of the day ``taken_on``; ``basis`` says how the supplier came to them.
    """

    id: int
    name: str
    model: str | None
    serial: str | None
    symbol: str
    state: str
    kinds: frozenset[str]
    last_at: datetime | None
    registers: tuple[RegisterText, ...]
    unit: str
    month_kwh: Decimal | None
    days: Sequence[Decimal | None]
    taken_on: date | None = None
    basis: str = ""
    sending: Sending | None = None

    @property
    def href(self) -> str:
        return f"/points/{self.id}"


@dataclass(frozen=True, slots=True)
class PointsView:
    contract_name: str
    now: datetime
    month_first: date
    rows: tuple[PointRow, ...]
    filters: tuple[Choice, ...]
    month_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """One line of the installation history, the present one first."""

    first: date
    last: date | None
    model: str
    serial: str
    closing: str | None = None


@dataclass(frozen=True, slots=True)
class PastRow:
    """Readings of a day: ``tag`` is the state's label, colour and symbol; ``by``: who read it."""

    taken_on: date
    values: tuple[RegisterText, ...]
    tag: tuple[str, str, str]
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class PastView:
    """What was read of a meter that people read; ``window`` says when readings are taken."""

    rows: tuple[PastRow, ...]
    unit: str
    sending: Sending
    window: str


@dataclass(frozen=True, slots=True)
class InfoView:
    """The 25 fields of «Общая информация»; None is an unknown value and shows as a dash.

    ``differs`` holds what the supplier says otherwise, by the keys of ``hub.services.points``.
    """

    head: PointHead
    name: str
    number: str | None = None
    resource: str | None = None
    last_reading_at: datetime | None = None
    last_reading_on: date | None = None  # where only the day is known
    last_reading: str | None = None
    place: str | None = None
    model: str | None = None
    registry_number: str | None = None
    serial: str | None = None
    commissioned_on: date | None = None
    verified_on: date | None = None
    verify_by: date | None = None
    tariff: str | None = None
    instrument_verified_on: date | None = None
    accuracy_class: str | None = None
    nominal_voltage: str | None = None
    current_range: str | None = None
    power_limit: str | None = None
    relay_on: bool | None = None
    current_ratio: str | None = None
    voltage_ratio: str | None = None
    loss_factor: str | None = None
    norm_hour: str | None = None
    norm_day: str | None = None
    norm_month: str | None = None
    history: tuple[Installed, ...] = ()
    differs: Mapping[str, str] = field(default_factory=dict)
    readings: PastView | None = None

    @property
    def days_to_verify(self) -> int | None:
        return None if self.verify_by is None else (self.verify_by - self.head.today).days
