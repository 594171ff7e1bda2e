"""Storing a meter's registers: as they are now, and as they were when a day began."""

from collections.abc import Collection, Mapping
from datetime import datetime

from hub.domain.clock import ClockBases, MeterTime, day_start
from hub.domain.meters import Quantity, Register
from hub.store import leases, meters, readings
from hub.store.audit import record
from hub.store.leases import Lease
from hub.store.readings import Taken
from hub.store.unit import Store

ENERGY_UNITS = {"Wh", "varh"}


def taken_at(register: Register, shown: MeterTime, bases: ClockBases) -> datetime | None:
    """Say to which instant a register that begins a day, month or year belongs.

    None for 'now' and for energies of a period.
    """
    which, _, rest = register.period.partition(":")
    kind, _, number = rest.partition(":")
    if which != "at":
        return None
    start = day_start(shown)
    if kind == "day":
        start = day_start(shown, int(number))
    elif kind == "month":
        year, month = map(int, number.split("-"))
        start = MeterTime(start.face.replace(year=year, month=month, day=1), shown.summer)
    elif kind == "year":
        year = start.face.year - int(number)
        start = MeterTime(start.face.replace(year=year, month=1, day=1), shown.summer)
    else:
        return None
    return bases.utc(start)


def wanted(
    store: Store, meter_id: int, on_offer: Collection[Register], shown: MeterTime
) -> list[Register]:
    """Choose what to ask a meter: its registers now, and day starts that are not stored yet."""
    with store.read() as unit:
        bases = meters.clock_bases(unit, meter_id)
        starts = {
            period: taken_at(register, shown, bases)
            for period, register in {each.period: each for each in on_offer}.items()
        }
        stored = readings.stored_at(unit, meter_id, {at for at in starts.values() if at})
    return [
        register
        for register in sorted(on_offer)
        if register.period == "now"
        or ((at := starts[register.period]) and (register.obis, at) not in stored)
    ]


def store_registers(
    store: Store,
    meter_id: int,
    read: Mapping[Register, Quantity],
    *,
    shown: MeterTime,
    read_at: datetime,
    lease: Lease,
) -> int:
    """Store registers; returns how many readings came that were not there in this form.

    ``shown``: the meter's face at the visit, from which day starts are dated; ``read_at``: the
    instant of the registers of now.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        bases = meters.clock_bases(unit, meter_id)
        # A day that begins a month, or a year, comes under each of its names.
        taken: dict[tuple[str, datetime], Taken] = {}
        for register, quantity in read.items():
            if quantity.unit not in ENERGY_UNITS:
                continue
            start = taken_at(register, shown, bases)
            if start is None and register.period != "now":
                continue
            at = (start or read_at).replace(microsecond=0)
            item = Taken(register.obis, at, int(quantity.value), start is not None)
            taken[item.obis, item.taken_at] = item
        for item, old in readings.keep(unit, meter_id, sorted(taken.values())):
            record(
                unit,
                actor="collector",
                act="register_changed",
                target=f"meter/{meter_id}",
                detail={
                    "obis": item.obis,
                    "at": item.taken_at.isoformat(),
                    "old": old,
                    "new": item.value,
                },
            )
        return len(taken)
