"""Metering points, their zone schedules, and which meter was installed when."""

from sqlmodel import select

from hub.errors import Conflict
from hub.store.tables import Installation, MeteringPoint, ZoneSchedule
from hub.store.unit import Unit


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
