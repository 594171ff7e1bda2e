"""Meters and lines as the collector sees them: what is due, how to reach it, how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import and_, col, or_, select

from hub.domain.calendar import minute_of
from hub.domain.clock import ClockBase, ClockBases
from hub.domain.pages import Cursor
from hub.errors import Missing
from hub.store.tables import Installation, Line, Meter, MeterState, StoredCursor
from hub.store.unit import Unit

PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line with its lease and its failures."""

    id: int
    address: str
    reach: str
    lease_holder: str
    lease_until: datetime | None
    failures: int
    next_try_at: datetime | None
    down_since_at: datetime | None
    error_code: str
    error_text: str


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter with what a visit needs; ``settings`` is the driver's model as JSON, unsealed."""

    id: int
    line_id: int
    maker: str
    serial: str
    driver: str
    settings: str
    learned: Mapping[str, str]
    identity: Mapping[str, Any]  # as it was told last; empty before the first visit
    drift_s: float | None  # of its clock at the last visit


@dataclass(frozen=True, slots=True)
class StateRow:
    """When a meter is due and how its last visits went."""

    meter_id: int
    line_id: int
    due_at: datetime
    every_minutes: int
    failures: int
    stopped: bool
    seen_at: datetime | None
    error_code: str
    error_text: str
    urgent_at: datetime | None = None  # since when a person waits for it
    tried_at: datetime | None = None
    glance_at: datetime | None = None  # since when an open page waits for its values of now


def line_of(row: Line) -> LineRow:
    held = bool(row.lease_token)
    return LineRow(
        row.id or 0,
        row.address,
        row.reach,
        row.lease_holder if held else "",
        row.lease_until if held else None,
        row.failures,
        row.next_try_at,
        row.down_since_at,
        row.error_code,
        row.error_text,
    )


def state_of(row: MeterState, line_id: int, glance_at: datetime | None = None) -> StateRow:
    return StateRow(
        row.meter_id,
        line_id,
        row.due_at,
        row.every_minutes,
        row.failures,
        row.stopped,
        row.seen_at,
        row.error_code,
        row.error_text,
        row.urgent_at,
        row.tried_at,
        glance_at,
    )


def lines(unit: Unit) -> list[LineRow]:
    return [line_of(row) for row in unit.session.exec(select(Line).order_by(col(Line.id)))]


def line(unit: Unit, line_id: int) -> LineRow:
    return line_of(unit.session.get_one(Line, line_id))


def states(unit: Unit, *, due_by: datetime) -> list[StateRow]:
    """List the states of meters that are due and not stopped, longest waiting first.

    A meter that a person waits for is due, and not stopped.
    """
    query = (
        select(MeterState, Meter.line_id)
        .join(Meter, col(Meter.id) == MeterState.meter_id)
        .where(
            or_(
                and_(col(MeterState.stopped).is_(False), MeterState.due_at <= due_by),
                col(MeterState.urgent_at).is_not(None),
            )
        )
        .order_by(col(MeterState.due_at), col(MeterState.meter_id))
    )
    return [state_of(row, line_id) for row, line_id in unit.session.exec(query)]


def next_due(unit: Unit, after: datetime) -> datetime | None:
    """Return when the next meter becomes due; None: none will."""
    return unit.session.exec(
        select(MeterState.due_at)
        .where(col(MeterState.stopped).is_(False), MeterState.due_at > after)
        .order_by(col(MeterState.due_at))
        .limit(1)
    ).first()


def state(unit: Unit, meter_id: int) -> MeterState:
    """Fetch the state to change it; made if there is none yet."""
    row = unit.session.get(MeterState, meter_id)
    if row is None:
        row = MeterState(meter_id=meter_id, due_at=unit.now())
        unit.session.add(row)
    return row


def fare(unit: Unit, meter_id: int) -> StateRow:
    """Read one meter's state; Missing if there is no such meter."""
    query = (
        select(MeterState, Meter.line_id)
        .join(Meter, col(Meter.id) == MeterState.meter_id)
        .where(MeterState.meter_id == meter_id)
    )
    found = unit.session.exec(query).first()
    if found is None:
        raise Missing(f"There is no meter {meter_id}.")
    return state_of(*found)


def asked_for(unit: Unit, line_id: int) -> list[MeterState]:
    """List the states of a line's meters that a person waits for, to change them."""
    query = (
        select(MeterState)
        .join(Meter, col(Meter.id) == MeterState.meter_id)
        .where(Meter.line_id == line_id, col(MeterState.urgent_at).is_not(None))
    )
    return list(unit.session.exec(query))


def waiting_since(unit: Unit, meter_id: int) -> datetime | None:
    """Return since when a person waits for a meter to be read; None: nobody does."""
    return unit.session.exec(
        select(MeterState.urgent_at).where(MeterState.meter_id == meter_id)
    ).first()


def journals_at(unit: Unit, meter_id: int) -> datetime | None:
    """Return when all journals of a meter were gone through last."""
    return unit.session.exec(
        select(MeterState.journals_at).where(MeterState.meter_id == meter_id)
    ).first()


def change_line(unit: Unit, line_id: int, **values: Any) -> None:
    row = unit.session.get_one(Line, line_id)
    for name, value in values.items():
        setattr(row, name, value)
    unit.session.add(row)


def meter(unit: Unit, meter_id: int) -> MeterRow:
    """Read a meter with its settings unsealed; Missing if there is none."""
    row = unit.session.get(Meter, meter_id)
    if row is None:
        raise Missing(f"There is no meter {meter_id}.")
    settings = "{}"
    if row.sealed_settings:
        settings = unit.secrets.open(
            row.sealed_settings, table="meter", row=meter_id, field="sealed_settings"
        )
    return MeterRow(
        meter_id,
        row.line_id,
        row.maker,
        row.serial,
        row.driver,
        settings,
        dict(row.learned),
        dict(row.identity),
        row.drift_s,
    )


def add_meter(
    unit: Unit, *, line_address: str, driver: str, settings: str, maker: str = "",
    serial: str = "", model: str = "",
) -> int:  # fmt: skip
    """Add a meter, and its line if that is new; it is due at once. ``settings``: JSON, sealed here.

    Conflict if a meter with this maker and serial is there already.
    """
    found = unit.session.exec(select(Line).where(Line.address == line_address)).first()
    if found is None:
        found = Line(address=line_address)
        unit.session.add(found)
        unit.session.flush()
    row = Meter(maker=maker, serial=serial, model=model, driver=driver, line_id=found.id or 0)
    unit.session.add(row)
    unit.session.flush()
    meter_id = row.id or 0
    row.sealed_settings = unit.secrets.seal(
        settings, table="meter", row=meter_id, field="sealed_settings"
    )
    unit.session.add(row)
    state(unit, meter_id)
    return meter_id


def known_as(unit: Unit, maker: str, serial: str) -> int | None:
    """Return the id of the meter with this identity."""
    return unit.session.exec(
        select(Meter.id).where(Meter.maker == maker, Meter.serial == serial)
    ).first()


def meter_drift(unit: Unit, meter_id: int) -> float | None:
    """Return how far a meter's clock was off at the last visit, in seconds; None: never seen."""
    return unit.session.get_one(Meter, meter_id).drift_s


def change_meter(unit: Unit, meter_id: int, **values: Any) -> None:
    """Set fields that differ."""
    row = unit.session.get_one(Meter, meter_id)
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    unit.session.add(row)


def clock_bases(unit: Unit, meter_id: int) -> ClockBases:
    """Read the dated clock bases of the meter's installations."""
    rows = unit.session.exec(
        select(Installation)
        .where(Installation.meter_id == meter_id)
        .order_by(col(Installation.from_at))
    )
    return ClockBases(
        tuple(ClockBase(row.from_at, row.to_at, row.clock_base_minutes) for row in rows)
    )


def points_of(unit: Unit, meter_id: int) -> list[int]:
    """List the metering points that the meter is or was at."""
    rows = unit.session.exec(
        select(Installation.metering_point_id).where(Installation.meter_id == meter_id).distinct()
    )
    return sorted(rows)


def cursor(unit: Unit, meter_id: int, what: str = PROFILE) -> Cursor | None:
    row = unit.session.get(StoredCursor, (meter_id, what))
    return None if row is None else Cursor(row.scheme, row.body)


def cursors(unit: Unit, meter_id: int, family: str) -> dict[str, Cursor]:
    """Read the cursors whose names begin with ``family``, by the rest of their names."""
    rows = unit.session.exec(
        select(StoredCursor).where(
            StoredCursor.meter_id == meter_id, col(StoredCursor.what).startswith(family)
        )
    )
    return {row.what.removeprefix(family): Cursor(row.scheme, row.body) for row in rows}


def move_cursor(unit: Unit, meter_id: int, to: Cursor, what: str = PROFILE) -> bool:
    """Store where to go on; False if it was there already."""
    row = unit.session.get(StoredCursor, (meter_id, what))
    if row is not None and (row.scheme, row.body) == (to.scheme, to.body):
        return False
    if row is None:
        row = StoredCursor(meter_id=meter_id, what=what, scheme="", body="", at=unit.now())
    row.scheme, row.body, row.at = to.scheme, to.body, unit.now()
    unit.session.add(row)
    return True


def forget_cursor(unit: Unit, meter_id: int, what: str = PROFILE) -> None:
    row = unit.session.get(StoredCursor, (meter_id, what))
    if row is not None:
        unit.session.delete(row)


def profile_span(unit: Unit, meter_id: int) -> tuple[int | None, int | None]:
    """Return from and up to which minute the profile was read; None: nothing yet."""
    row = unit.session.get(MeterState, meter_id)
    if row is None or row.profile_from_at is None or row.profile_through_at is None:
        return None, None
    return minute_of(row.profile_from_at), minute_of(row.profile_through_at)


def profile_through(unit: Unit, meter_id: int) -> int | None:
    return profile_span(unit, meter_id)[1]
