"""How far meters' clocks are off, and how each utility wants them kept."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, or_, select

from hub.errors import Missing
from hub.store.tables import (
    ClockDrift,
    ClockPolicy,
    Installation,
    MeteringPoint,
    Supplier,
)
from hub.store.unit import Unit


@dataclass(frozen=True, slots=True)
class DriftRow:
    """Meter minus UTC, and how long the question and its answer took."""

    at: datetime
    drift_s: float
    round_trip_s: float


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A utility with its clock policy; ``set``: False, these are the defaults, not in force."""

    supplier_id: int
    title: str
    set: bool
    enabled: bool
    threshold_s: int
    farthest_s: int
    from_hour: int
    to_hour: int


def add_drift(unit: Unit, meter_id: int, drift: DriftRow) -> None:
    """Add a measurement; one of the same instant is there already."""
    if unit.session.get(ClockDrift, (meter_id, drift.at)) is None:
        unit.session.add(
            ClockDrift(
                meter_id=meter_id,
                at=drift.at,
                drift_s=drift.drift_s,
                round_trip_s=drift.round_trip_s,
            )
        )


def last_drift(unit: Unit, meter_id: int) -> DriftRow | None:
    row = unit.session.exec(
        select(ClockDrift)
        .where(ClockDrift.meter_id == meter_id)
        .order_by(col(ClockDrift.at).desc())
        .limit(1)
    ).first()
    return None if row is None else DriftRow(row.at, row.drift_s, row.round_trip_s)


def drifts(
    unit: Unit, meter_id: int, from_at: datetime | None, to_at: datetime | None
) -> list[DriftRow]:
    """List the measurements of a span, oldest first."""
    query = select(ClockDrift).where(ClockDrift.meter_id == meter_id)
    if from_at is not None:
        query = query.where(ClockDrift.at >= from_at)
    if to_at is not None:
        query = query.where(ClockDrift.at < to_at)
    rows = unit.session.exec(query.order_by(col(ClockDrift.at)))
    return [DriftRow(row.at, row.drift_s, row.round_trip_s) for row in rows]


def policy_of_meter(unit: Unit, meter_id: int, now: datetime) -> tuple[PolicyRow, str] | None:
    """Find the policy of the utility whose point the meter is at now, and that point's zone."""
    found = unit.session.exec(
        select(Supplier, MeteringPoint.time_zone)
        .join(MeteringPoint, col(MeteringPoint.supplier_id) == Supplier.id)
        .join(Installation, col(Installation.metering_point_id) == MeteringPoint.id)
        .where(
            Installation.meter_id == meter_id,
            Installation.from_at <= now,
            or_(col(Installation.to_at).is_(None), col(Installation.to_at) > now),
        )
        .order_by(col(Installation.from_at).desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    supplier, zone = found
    return _policy(supplier, unit.session.get(ClockPolicy, supplier.id)), zone


def policies(unit: Unit) -> list[PolicyRow]:
    """List the utilities with their policies."""
    return [
        _policy(supplier, unit.session.get(ClockPolicy, supplier.id))
        for supplier in unit.session.exec(select(Supplier).order_by(col(Supplier.id)))
    ]


def set_policy(unit: Unit, supplier_id: int, **values: int) -> PolicyRow:
    """Change a utility's policy; what is not named stays. Missing if there is no such utility."""
    supplier = unit.session.get(Supplier, supplier_id)
    if supplier is None:
        raise Missing(f"There is no supplier {supplier_id}.")
    row = unit.session.get(ClockPolicy, supplier_id) or ClockPolicy(supplier_id=supplier_id)
    for name, value in values.items():
        setattr(row, name, value)
    unit.session.add(row)
    return _policy(supplier, row)


def _policy(supplier: Supplier, row: ClockPolicy | None) -> PolicyRow:
    rule = row or ClockPolicy(supplier_id=supplier.id or 0)
    return PolicyRow(
        supplier.id or 0, supplier.title, row is not None, rule.enabled, rule.threshold_s,
        rule.farthest_s, rule.from_hour, rule.to_hour,
    )  # fmt: skip
