"""Wishes of open pages for a meter's values of now: one row a meter, written over."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from hub.store.meters import StateRow, state_of
from hub.store.tables import Glance, Meter, MeterState
from hub.store.unit import Unit


def of_meter(unit: Unit, meter_id: int) -> Glance | None:
    """Fetch the last wish for a meter, to read or to change it."""
    return unit.session.get(Glance, meter_id)


def ask(unit: Unit, meter_id: int, user_id: int) -> None:
    """Write down that a user's page waits for a meter from now on."""
    row = of_meter(unit, meter_id) or Glance(
        meter_id=meter_id, user_id=user_id, asked_at=unit.now()
    )
    row.user_id, row.asked_at, row.answered_at, row.error_code = user_id, unit.now(), None, ""
    unit.session.add(row)


def newest_of_user(unit: Unit, user_id: int) -> datetime | None:
    """Return when a user's pages asked last, for any meter."""
    return unit.session.exec(
        select(func.max(Glance.asked_at)).where(Glance.user_id == user_id)
    ).one()


def newest_beside(unit: Unit, meter_id: int) -> datetime | None:
    """Return when anybody's page asked last for any meter on this meter's line."""
    line = select(Meter.line_id).where(Meter.id == meter_id).scalar_subquery()
    return unit.session.exec(
        select(func.max(Glance.asked_at))
        .join(Meter, col(Meter.id) == Glance.meter_id)
        .where(Meter.line_id == line)
    ).one()


def waiting(unit: Unit, since: datetime) -> list[StateRow]:
    """List the meters that pages wait for; what was asked before ``since`` nobody looks at."""
    query = (
        select(MeterState, Meter.line_id, Glance.asked_at)
        .join(Meter, col(Meter.id) == MeterState.meter_id)
        .join(Glance, col(Glance.meter_id) == MeterState.meter_id)
        .where(col(Glance.answered_at).is_(None), Glance.asked_at >= since)
        .order_by(col(Glance.asked_at))
    )
    return [state_of(*found) for found in unit.session.exec(query)]


def answer(unit: Unit, meter_id: int, *, error_code: str = "") -> None:
    """Take a wish off, with what came of it."""
    row = of_meter(unit, meter_id)
    if row is not None and row.answered_at is None:
        row.answered_at, row.error_code = unit.now(), error_code
