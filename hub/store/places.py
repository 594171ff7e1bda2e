"""Metering points, their zone schedules, and which meter was installed when."""

import secrets
from datetime import datetime

from sqlmodel import col, delete, select

from hub.errors import Conflict, Missing
from hub.store.tables import Block, Installation, MeteringPoint, Revision, Series, ZoneSchedule
from hub.store.unit import Unit

OWN = "told/"  # begins the number of a place that one supplier's point has for itself


def schedule_named(unit: Unit, name: str, rules: list[dict[str, str]]) -> int:
    """Find the zone schedule of this name, or add it; Conflict if it is there with other rules."""
    row = unit.session.exec(select(ZoneSchedule).where(ZoneSchedule.name == name)).first()
    if row is None:
        row = ZoneSchedule(name=name, rules=[dict(rule) for rule in rules])
        unit.session.add(row)
        unit.session.flush()
    elif row.rules != rules:
        raise Conflict(f"The zone schedule '{name}' has other hours; give the new one a new name.")
    return row.id or 0


def add_point(
    unit: Unit, *, supplier_id: int, number: str, name: str, time_zone: str, schedule_id: int | None
) -> int:
    """Add a metering point; Conflict if the supplier has one with this number."""
    found = unit.session.exec(
        select(MeteringPoint.id).where(
            MeteringPoint.supplier_id == supplier_id, MeteringPoint.number == number
        )
    ).first()
    if found is not None:
        raise Conflict(f"There is already a metering point {number} at this supplier.")
    row = MeteringPoint(
        supplier_id=supplier_id,
        number=number,
        name=name,
        time_zone=time_zone,
        zone_schedule_id=schedule_id,
    )
    unit.session.add(row)
    unit.session.flush()
    return row.id or 0


def add_own(unit: Unit, supplier_id: int, name: str, time_zone: str) -> int:
    """Add a place for a single supplier's point; by its number nobody else is joined to it."""
    return add_point(
        unit,
        supplier_id=supplier_id,
        number=f"{OWN}{secrets.token_hex(16)}",
        name=name,
        time_zone=time_zone,
        schedule_id=None,
    )


def is_own(unit: Unit, place_id: int) -> bool:
    row = unit.session.get(MeteringPoint, place_id)
    return row is not None and row.number.startswith(OWN)


def set_zone(unit: Unit, place_id: int, time_zone: str) -> None:
    row = unit.session.get(MeteringPoint, place_id)
    if row is not None and row.time_zone != time_zone:
        row.time_zone = time_zone
        unit.session.flush()


def forget_own(unit: Unit, place_id: int) -> None:
    """Let go of a place that one supplier's point had for itself, and of all kept there."""
    if not is_own(unit, place_id):
        return
    series = list(unit.session.exec(select(Series.id).where(Series.metering_point_id == place_id)))
    for table, column in (
        (Revision, Revision.series_id), (Block, Block.series_id), (Series, Series.id),
    ):  # fmt: skip
        unit.session.execute(delete(table).where(col(column).in_(series)))
    unit.session.execute(delete(MeteringPoint).where(col(MeteringPoint.id) == place_id))


def end_installation(unit: Unit, point_id: int, at: datetime) -> Installation:
    """End what is installed at a point; Missing if nothing is, Conflict if it came later."""
    row = unit.session.exec(
        select(Installation).where(
            Installation.metering_point_id == point_id,
            Installation.to_at == None,  # noqa: E711 - SQL's own comparison
        )
    ).first()
    if row is None:
        raise Missing("No meter is installed at this point.")
    if at <= row.from_at:
        raise Conflict("The present meter was put in later than that; check the day.")
    row.to_at = at
    unit.session.flush()
    return row


def install(unit: Unit, row: Installation) -> int:
    """Put a meter at a point; the one before it must have been taken away."""
    standing = unit.session.exec(
        select(Installation.id).where(
            Installation.metering_point_id == row.metering_point_id,
            Installation.to_at == None,  # noqa: E711 - SQL's own comparison
        )
    ).first()
    if standing is not None:
        raise Conflict("Another meter is still installed at this point; end that first.")
    unit.session.add(row)
    unit.session.flush()
    return row.id or 0
