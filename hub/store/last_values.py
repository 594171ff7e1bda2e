"""What a meter showed last: one row for each kind, written over at every visit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import SQLModel

from hub.store.prepared import Prepared
from hub.store.tables import LastValues
from hub.store.unit import Unit


class LastRow(NamedTuple):
    """``shown``: the meter's face then, '' where it is not known."""

    at: datetime
    shown: str
    body: Mapping[str, Any]


def _named(cells: Sequence[Any]) -> tuple[str, LastRow]:
    return cells[0], LastRow._make(cells[1:])


_LAST = SQLModel.metadata.tables["last_values"].c
_OF_METER = select(_LAST.what, _LAST.at, _LAST.shown, _LAST.body).where(
    _LAST.meter_id == bindparam("meter")
)
_ALL = Prepared(_OF_METER, _named)
_CHOSEN = Prepared(_OF_METER.where(_LAST.what.in_(bindparam("what", expanding=True))), _named)


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
    rows = _CHOSEN.all(unit, meter=meter_id, what=what) if what else _ALL.all(unit, meter=meter_id)
    return dict(rows)
