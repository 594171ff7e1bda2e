"""What the list of points and a point's general information show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from hub.web.kit.sending import Sending
from hub.web.kit.views import Choice, PointHead, RegisterText


class PointRow(NamedTuple):
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
    """One line of the installation history, the present one first; ``closing`` in words."""

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
class InfoRow:
    """One of the 25 fields: ``value`` None is unknown and shows as a dash.

    ``differs``: what another source says, in words; ``source`` and ``at``: whose the value is, and
    of when. ``mood``: warn or bad.
    """

    key: str
    label: str
    value: str | Decimal | date | datetime | None
    unit: str = ""
    differs: str = ""
    source: str = ""
    at: datetime | None = None
    mood: str = ""


@dataclass(frozen=True, slots=True)
class InfoGroup:
    title: str
    rows: tuple[InfoRow, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Whose the values of these labels are; ``at`` None: of no particular moment."""

    source: str
    at: datetime | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InfoView:
    """The 25 fields of «Общая информация» in two columns of groups."""

    head: PointHead
    left: tuple[InfoGroup, ...]
    right: tuple[InfoGroup, ...]
    verify_by: date | None = None
    appeal_href: str | None = None
    history: tuple[Installed, ...] = ()
    readings: PastView | None = None
    told: tuple[Told, ...] = ()

    @property
    def rows(self) -> tuple[InfoRow, ...]:
        """All fields, as one reads them."""
        return tuple(row for group in (*self.left, *self.right) for row in group.rows)

    @property
    def days_to_verify(self) -> int | None:
        return None if self.verify_by is None else (self.verify_by - self.head.today).days
