"""Consents: leave to change a meter once, spent before the bytes leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select, update

from hub.store.tables import Meter, StoredConsent
from hub.store.unit import Unit


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A consent. ``outcome`` '': it waits, or, once spent, its visit goes on or died."""

    id: int
    act: str
    meter_id: int
    serial: str
    parameters: Mapping[str, Any]
    actor: str
    reason: str
    given_at: datetime
    until: datetime
    spent_at: datetime | None
    outcome: str
    outcome_at: datetime | None
    note: str


def give(
    unit: Unit, *, act: str, meter_id: int, parameters: Mapping[str, Any], actor: str,
    reason: str, until: datetime,
) -> int:  # fmt: skip
    """Add a consent; returns its id."""
    row = StoredConsent(
        act=act, meter_id=meter_id, parameters=dict(parameters), actor=actor, reason=reason,
        given_at=unit.now(), until=until,
    )  # fmt: skip
    unit.session.add(row)
    unit.session.flush()
    return row.id or 0


def spend(unit: Unit, consent_id: int) -> bool:
    """Spend it for good; False if it is spent, settled or run out."""
    now = unit.now()
    spent = unit.session.execute(
        update(StoredConsent)
        .where(
            col(StoredConsent.id) == consent_id,
            col(StoredConsent.spent_at).is_(None),
            col(StoredConsent.outcome) == "",
            col(StoredConsent.until) > now,
        )
        .values(spent_at=now)
        .returning(col(StoredConsent.id))
    )
    return spent.first() is not None


def settle(unit: Unit, consent_id: int, outcome: str, note: str, *, was: str = "") -> bool:
    """Say what became of it; False if its outcome was not ``was`` any more."""
    settled = unit.session.execute(
        update(StoredConsent)
        .where(col(StoredConsent.id) == consent_id, col(StoredConsent.outcome) == was)
        .values(outcome=outcome, outcome_at=unit.now(), note=note[:500])
        .returning(col(StoredConsent.id))
    )
    return settled.first() is not None


def one(unit: Unit, consent_id: int) -> ConsentRow | None:
    row = unit.session.get(StoredConsent, consent_id)
    return None if row is None else _row(row, unit.session.get_one(Meter, row.meter_id).serial)


def listed(
    unit: Unit, meter_id: int | None = None, *, outcome: str | None = None,
    limit: int | None = None,
) -> list[ConsentRow]:  # fmt: skip
    """List consents, newest first; of one meter, or with one outcome ('': none yet)."""
    query = select(StoredConsent, Meter.serial).join(Meter, col(Meter.id) == StoredConsent.meter_id)
    if meter_id is not None:
        query = query.where(StoredConsent.meter_id == meter_id)
    if outcome is not None:
        query = query.where(StoredConsent.outcome == outcome)
    query = query.order_by(col(StoredConsent.id).desc()).limit(limit)
    return [_row(row, serial) for row, serial in unit.session.exec(query)]


def last_spent(unit: Unit, meter_id: int, act: str) -> ConsentRow | None:
    """Return the consent of an act that was spent last at a meter."""
    row = unit.session.exec(
        select(StoredConsent)
        .where(
            StoredConsent.meter_id == meter_id,
            StoredConsent.act == act,
            col(StoredConsent.spent_at).is_not(None),
        )
        .order_by(col(StoredConsent.spent_at).desc())
        .limit(1)
    ).first()
    return None if row is None else _row(row, "")


def _row(row: StoredConsent, serial: str) -> ConsentRow:
    return ConsentRow(
        row.id or 0, row.act, row.meter_id, serial, dict(row.parameters), row.actor, row.reason,
        row.given_at, row.until, row.spent_at, row.outcome, row.outcome_at, row.note,
    )  # fmt: skip
