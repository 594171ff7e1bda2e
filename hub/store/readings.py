"""Registers of meters at instants, and the checks between them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import and_, col, func, or_, select

from hub.store.tables import BalanceCheck, RegisterReading
from hub.store.unit import Unit


class BalanceState(StrEnum):
    OK = "ok"
    IN_DOUBT = "in_doubt"
    NOT_CHECKABLE = "not_checkable"


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """A register at an instant; ``value`` in whole Wh or varh, as the meter's face shows it."""

    obis: str
    taken_at: datetime
    value: int
    day_start: bool


@dataclass(frozen=True, slots=True)
class Balance:
    obis: str
    from_at: datetime
    to_at: datetime
    state: BalanceState
    registers_wh: int | None = None
    slots_wh: int | None = None
    rereads: int = 0

    @property
    def is_in_doubt(self) -> bool:
        return self.state is BalanceState.IN_DOUBT


def known(
    unit: Unit, meter_id: int, *, since: datetime, obis: Collection[str] | None = None,
    day_start: bool | None = None,
) -> list[Taken]:  # fmt: skip
    """List a meter's readings from an instant on, by register and time."""
    query = select(RegisterReading).where(
        RegisterReading.meter_id == meter_id,
        RegisterReading.taken_at >= since,
        RegisterReading.source == "driver",
    )
    if obis is not None:
        query = query.where(col(RegisterReading.obis).in_(obis))
    if day_start is not None:
        query = query.where(col(RegisterReading.day_start).is_(day_start))
    return sorted(
        Taken(row.obis, row.taken_at, row.value, row.day_start) for row in unit.session.exec(query)
    )


def stored_at(
    unit: Unit, meter_id: int, instants: Collection[datetime]
) -> set[tuple[str, datetime]]:
    """List which registers are stored for exactly these instants."""
    rows = unit.session.exec(
        select(RegisterReading.obis, RegisterReading.taken_at).where(
            RegisterReading.meter_id == meter_id,
            col(RegisterReading.taken_at).in_(sorted(instants)),
        )
    )
    return {(obis, at) for obis, at in rows}


def keep(unit: Unit, meter_id: int, taken: Collection[Taken]) -> list[tuple[Taken, int]]:
    """Store readings; returns those that had another value, with the value that was there.

    A reading of day starts stays for ever. Of the readings of now only the last of each UTC day
    does, or a meter would grow more rows by its registers than its profile has bytes.
    """
    changed: list[tuple[Taken, int]] = []
    held = _held(unit, meter_id, taken)
    for item in taken:
        row = held.get((item.obis, item.taken_at))
        if row is not None:
            if row.value != item.value:
                changed.append((item, row.value))
                row.value = item.value
                unit.session.add(row)
            continue
        if not item.day_start and not _make_last_of_day(unit, held, item):
            continue
        row = RegisterReading(
            meter_id=meter_id,
            obis=item.obis,
            taken_at=item.taken_at,
            value=item.value,
            day_start=item.day_start,
        )
        unit.session.add(row)
        held[item.obis, item.taken_at] = row  # a month may begin with the year, or a day
    return changed


def _held(
    unit: Unit, meter_id: int, taken: Collection[Taken]
) -> dict[tuple[str, datetime], RegisterReading]:
    """Fetch what is stored for these instants, and all readings of now of their days."""
    days = {_day(item.taken_at) for item in taken if not item.day_start}
    of_days = [
        and_(
            col(RegisterReading.day_start).is_(False),
            col(RegisterReading.taken_at) >= day,
            col(RegisterReading.taken_at) < day + timedelta(days=1),
        )
        for day in sorted(days)
    ]
    rows = unit.session.exec(
        select(RegisterReading).where(
            RegisterReading.meter_id == meter_id,
            or_(
                col(RegisterReading.taken_at).in_(sorted({item.taken_at for item in taken})),
                *of_days,
            ),
        )
    )
    return {(row.obis, row.taken_at): row for row in rows}


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _make_last_of_day(
    unit: Unit, held: Mapping[tuple[str, datetime], RegisterReading], item: Taken
) -> bool:
    """Remove the day's earlier readings of now; False: a later one is there."""
    day = _day(item.taken_at)
    same = [
        row
        for (obis, at), row in held.items()
        if obis == item.obis and not row.day_start and _day(at) == day
    ]
    if any(row.taken_at > item.taken_at for row in same):
        return False
    for row in same:
        unit.session.delete(row)
    return True


def balances(unit: Unit, meter_id: int, since: datetime) -> list[Balance]:
    """List the checks of a meter that begin at or after an instant."""
    rows = unit.session.exec(
        select(BalanceCheck).where(BalanceCheck.meter_id == meter_id, BalanceCheck.from_at >= since)
    )
    return [
        Balance(
            row.obis,
            row.from_at,
            row.to_at,
            BalanceState(row.state),
            row.registers_wh,
            row.slots_wh,
            row.rereads,
        )
        for row in rows
    ]


def to_check_since(unit: Unit, meter_id: int, obis: Collection[str], usual: datetime) -> datetime:
    """Return from when on readings are to be checked: as usual, or from what is older and open.

    Older are the readings of a meter whose oldest ones were never checked, and doubts that stay.
    """
    oldest = unit.session.exec(
        select(func.min(RegisterReading.taken_at)).where(
            RegisterReading.meter_id == meter_id,
            col(RegisterReading.day_start).is_(True),
            col(RegisterReading.obis).in_(obis),
        )
    ).one()
    if oldest is None:
        return usual
    checks = unit.session.exec(
        select(BalanceCheck.from_at, BalanceCheck.state).where(
            BalanceCheck.meter_id == meter_id,
            or_(
                col(BalanceCheck.from_at) == oldest,
                col(BalanceCheck.state) == BalanceState.IN_DOUBT,
            ),
        )
    ).all()
    if all(at != oldest for at, _ in checks):
        return min(oldest, usual)
    return min([at for at, state in checks if state == BalanceState.IN_DOUBT] + [usual])


def keep_balance(unit: Unit, meter_id: int, balance: Balance) -> None:
    """Store a check in place of the one of the same register and span."""
    row = unit.session.exec(
        select(BalanceCheck).where(
            BalanceCheck.meter_id == meter_id,
            BalanceCheck.obis == balance.obis,
            BalanceCheck.from_at == balance.from_at,
            BalanceCheck.to_at == balance.to_at,
        )
    ).first() or BalanceCheck(
        meter_id=meter_id,
        obis=balance.obis,
        from_at=balance.from_at,
        to_at=balance.to_at,
        state=balance.state,
        at=unit.now(),
    )
    row.state = balance.state
    row.registers_wh, row.slots_wh = balance.registers_wh, balance.slots_wh
    row.rereads, row.at = balance.rereads, unit.now()
    unit.session.add(row)
