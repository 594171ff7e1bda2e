"""What ``/api/v1`` answers. Exact numbers are decimals in text, their unit ends the name.

None is not known, never zero. Times have their offset; days are the point's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hub.services.events import EventView
from hub.services.points import PointCard
from hub.services.registers import Period, Reading, Tariff
from hub.services.sentences import Terms, of_view, title
from hub.services.slots import SlotView
from hub.services.submissions import SubmissionForm, SubmissionView
from hub.store.contracts import ListedContract
from hub.web.kit.exact import decimal_of, plain

TOTAL = "total"  # the register that no zone has


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract; ``refreshed_at``: when its supplier was last asked."""

    id: int
    name: str
    number: str
    supplier: str
    refreshed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contracts:
    contracts: list[Contract]


@dataclass(frozen=True, slots=True)
class Point:
    """A metering point. ``reports``: its meter is read by the hub; else people submit readings.

    ``ratio``: of the transformers. ``seen_at``: when its meter answered last.
    """

    id: int
    contract_id: int
    name: str
    number: str
    resource: str
    unit: str
    meter_model: str
    meter_serial: str
    reports: bool
    ratio: int
    time_zone: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Points:
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Register:
    """A register: as the face shows it at both ends, and what was used in between, with ratios."""

    register: str  # T1..T4, total
    zone: str
    start_kwh: str | None
    start_at: datetime | None
    end_kwh: str | None
    end_at: datetime | None
    used_kwh: str | None


@dataclass(frozen=True, slots=True)
class RegisterPeriod:
    """A day, week or month. ``by_half_hours``: use is summed from them, registers were missing.

    ``half_hours`` of ``half_hours_due`` have a value. ``running``: not over, ``end`` is the newest.
    ``replaced``: the meter or its ratios changed within.
    """

    first: date
    last: date
    registers: list[Register]
    by_half_hours: bool
    half_hours: int
    half_hours_due: int
    running: bool
    replaced: bool


@dataclass(frozen=True, slots=True)
class Readings:
    point_id: int
    time_zone: str
    periods: list[RegisterPeriod]


@dataclass(frozen=True, slots=True)
class Slot:
    """A half-hour, or the meter's own longer period, by its start.

    ``marks``: missing (all values are null), damaged, partial, estimated, manual; none: measured.
    """

    start: datetime
    minutes: int
    active_import_kwh: str | None
    active_export_kwh: str | None
    reactive_import_kvarh: str | None
    reactive_export_kvarh: str | None
    zone: str
    source: str
    marks: list[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """Slots that have ended, oldest first."""

    point_id: int
    time_zone: str
    slots: list[Slot]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. ``kind`` is one of docs/reference/events.md, ``detail`` its facts.

    ``text`` is in the language that was asked for. ``open``: it goes on.
    """

    id: int
    kind: str
    severity: str
    phase: int | None
    began: datetime
    ended: datetime | None
    open: bool
    meter_serial: str
    text: str
    detail: dict[str, str]


@dataclass(frozen=True, slots=True)
class Journal:
    """Events, newest first. ``next``: what ``after`` has to be for older ones; null at the end."""

    point_id: int
    time_zone: str
    events: list[Event]
    next: str | None


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent. ``state``: waiting, sent, accepted, refused (see ``reason``), uncertain."""

    id: int
    taken_on: date
    values: dict[str, str]
    state: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Submissions:
    """``registers`` have to be sent, in ``unit``; ``window``: the days for it, null: always.

    ``takes``: the supplier takes readings of this point at all; ``open``: today.
    """

    point_id: int
    unit: str
    registers: list[str]
    takes: bool
    open: bool
    window: tuple[date, date] | None
    submissions: list[Submission]


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """Values by register, in digits as the meter shows them.

    ``confirmed``: they are right, though far more than usual or past the meter's last digit.
    """

    values: dict[str, str]
    confirmed: bool = False


# -- made of what the services give --------------------------------------------------------------


def contract_of(found: ListedContract) -> Contract:
    return Contract(found.id, found.name, found.number, found.supplier, found.refreshed_at)


def point_of(card: PointCard) -> Point:
    return Point(
        id=card.id,
        contract_id=card.contract_id,
        name=card.name,
        number=card.number,
        resource=card.resource,
        unit=card.unit,
        meter_model=card.model,
        meter_serial=card.serial,
        reports=card.smart,
        ratio=card.ratio,
        time_zone=card.time_zone,
        seen_at=card.connection.seen_at,
    )


def period_of(found: Period, tariffs: Sequence[Tariff]) -> RegisterPeriod:
    return RegisterPeriod(
        first=found.first,
        last=found.last,
        registers=[
            _register(tariff, start, end, _exact(used))
            for tariff, start, end, used in zip(
                tariffs, found.start, found.end, found.used, strict=True
            )
        ],
        by_half_hours=found.from_slots,
        half_hours=found.measured,
        half_hours_due=found.expected,
        running=found.running,
        replaced=found.replaced,
    )


def _register(
    tariff: Tariff, start: Reading | None, end: Reading | None, used: str | None
) -> Register:
    return Register(
        tariff.label or TOTAL,
        tariff.zone,
        None if start is None else plain(start.value),
        None if start is None else start.taken_at,
        None if end is None else plain(end.value),
        None if end is None else end.taken_at,
        used,
    )


def slot_of(found: SlotView) -> Slot:
    told = {
        "missing": found.missing, "damaged": found.damaged, "partial": found.partial,
        "estimated": found.estimated, "manual": found.manual,
    }  # fmt: skip
    values = [_exact(each) for each in found.energy]
    return Slot(
        found.local_start, found.minutes, values[0], values[1], values[2], values[3], found.zone,
        found.source, [name for name, holds in told.items() if holds],
    )  # fmt: skip


def event_of(found: EventView, terms: Terms) -> Event:
    return Event(
        id=found.id,
        kind=found.kind,
        severity=found.severity.value,
        phase=found.phase,
        began=found.began_local,
        ended=found.ended_local,
        open=found.open,
        meter_serial=found.serial,
        text=title(of_view(found, terms)),
        detail=dict(found.entry.detail or {}),
    )


def submissions_of(form: SubmissionForm) -> Submissions:
    return Submissions(
        point_id=form.point_id,
        unit=form.unit,
        registers=[zone or TOTAL for zone in form.zones],
        takes=form.can_send,
        open=form.can_send and form.is_open,
        window=form.window,
        submissions=[submission_of(each) for each in form.sent],
    )


def submission_of(found: SubmissionView) -> Submission:
    values = {zone or TOTAL: value for zone, value in found.values.items()}
    return Submission(found.id, found.taken_on, values, found.state, found.reason, found.created_at)


def _exact(value: Any) -> str | None:
    number = decimal_of(value)
    return None if number is None else plain(number)
