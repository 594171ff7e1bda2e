"""What a meter showed last: one row for each kind, written over at every visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from hub.store.tables import LastValues
from hub.store.unit import Unit


@dataclass(frozen=True, slots=True)
class LastRow:
    """``shown``: the meter's face then, '' where it is not known."""

    at: datetime
    shown: str
    body: Mapping[str, Any]


def keep(
    unit: Unit, meter_id: int, what: str, body: Mapping[str, Any], *, at: datetime, shown: str
) -> bool:
    """Write over what was kept; True if the body is another. What is older changes nothing."""
    row = unit.session.get(LastValues, (meter_id, what))
    if row is None:
        row = LastValues(meter_id=meter_id, what=what, at=at)
    elif row.at > at:
        return False
    is_new = dict(row.body) != dict(body)
    row.at, row.shown, row.body = at, shown, dict(body)
    unit.session.add(row)
    return is_new


def of_meter(unit: Unit, meter_id: int, *what: str) -> dict[str, LastRow]:
    """Read what is kept of a meter, by kind: these kinds, or all."""
    query = select(LastValues).where(LastValues.meter_id == meter_id)
    rows = unit.session.exec(query.where(col(LastValues.what).in_(what)) if what else query)
    return {row.what: LastRow(row.at, row.shown, dict(row.body)) for row in rows}
