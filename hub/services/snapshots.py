"""What a meter showed last: its instantaneous values, its state, what it was told to latch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.domain.clock import MeterTime
from hub.domain.meters import FixedValues, MeterState, Quantity, Register
from hub.domain.rules import RuleKind
from hub.errors import Missing
from hub.services.storing import tell
from hub.store import glances, last_values, leases, meters, points, rules
from hub.store.events import face_of, face_text
from hub.store.last_values import LastRow
from hub.store.leases import Lease
from hub.store.unit import Store, Unit

SNAPSHOT, RECENT, STATE, FIXED = "snapshot", "recent", "state", "fixed"
POWER = Register("1.7.0")
RECENT_LASTS = timedelta(minutes=10)  # of the line that an open page draws
MOST_RECENT = 300


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Instantaneous values, and when they were read. They are the meter's own, secondary."""

    at: datetime
    values: Mapping[Register, Quantity]


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What is known of a meter as it was last; None: never read, or the meter can't."""

    meter_id: int
    snapshot: Snapshot | None
    state: MeterState | None
    state_at: datetime | None
    fixed: FixedValues | None
    waiting_since_at: datetime | None  # a person asked for new values and has not got them yet


def store_snapshot(
    store: Store, meter_id: int, values: Mapping[Register, Quantity], shown: MeterTime,
    at: datetime, *, lease: Lease,
) -> None:  # fmt: skip
    """Keep instantaneous values; pages are told at once where a person waits for them."""
    with store.write() as unit:
        body = {"values": _values(values)}
        _keep_in(unit, meter_id, SNAPSHOT, body, shown=shown, at=at, lease=lease)
        rules.touch_meter(unit, meter_id, RuleKind.VOLTAGE)
        power = values.get(POWER)
        if power is not None:
            _keep_recent(unit, meter_id, power.value, at)
        glances.answer(unit, meter_id)


def _keep_recent(unit: Unit, meter_id: int, watts: Decimal, at: datetime) -> None:
    """Add to the powers of the last minutes, oldest first."""
    row = last_values.of_meter(unit, meter_id, RECENT).get(RECENT)
    since = (at - RECENT_LASTS).timestamp()
    told = [] if row is None else [one for one in row.body["watts"] if one[0] >= since]
    told = [*told, [round(at.timestamp(), 3), str(watts)]][-MOST_RECENT:]
    last_values.keep(unit, meter_id, RECENT, {"watts": told}, at=at, shown="")


def recent_of(row: LastRow | None) -> tuple[tuple[datetime, Decimal], ...]:
    """Read the powers of the last minutes, in watts as the meter measures them, oldest first."""
    if row is None:
        return ()
    return tuple(
        (datetime.fromtimestamp(at, UTC), Decimal(watts)) for at, watts in row.body["watts"]
    )


def store_state(
    store: Store, meter_id: int, state: MeterState, shown: MeterTime, at: datetime, *,
    lease: Lease,
) -> bool:  # fmt: skip
    """Keep a meter's state; True if it is another than before."""
    return _keep(store, meter_id, STATE, _state(state), shown=shown, at=at, lease=lease)


def store_fixed(
    store: Store, meter_id: int, fixed: FixedValues, at: datetime, *, lease: Lease
) -> None:
    """Keep what a meter latched."""
    body = {"values": _values(fixed.values)}
    _keep(store, meter_id, FIXED, body, shown=fixed.fixed, at=at, lease=lease)


def _keep(
    store: Store, meter_id: int, what: str, body: Mapping[str, Any], *, shown: MeterTime,
    at: datetime, lease: Lease,
) -> bool:  # fmt: skip
    with store.write() as unit:
        return _keep_in(unit, meter_id, what, body, shown=shown, at=at, lease=lease)


def _keep_in(
    unit: Unit, meter_id: int, what: str, body: Mapping[str, Any], *, shown: MeterTime,
    at: datetime, lease: Lease,
) -> bool:  # fmt: skip
    leases.prove(unit, lease)
    is_new = last_values.keep(unit, meter_id, what, body, at=at, shown=face_text(shown))
    if what != SNAPSHOT and is_new:
        tell(unit, meter_id)
    elif meters.state(unit, meter_id).urgent_at is not None:
        # At other times the half-hours that come with a visit are the signal.
        tell(unit, meter_id)
    return is_new


def of_meter(store: Store, meter_id: int) -> LastSeen:
    """Read what a meter showed last."""
    with store.read() as unit:
        return _last_seen(unit, meter_id)


def of_point(store: Store, user_id: int, point_id: int) -> LastSeen | None:
    """Read what the meter that is at a point now showed last; None: there is none.

    ``Missing`` for a point of somebody else.
    """
    with store.read() as unit:
        row = points.one(unit, user_id, point_id)
        if row is None:
            raise Missing
        places = [] if row.metering_point_id is None else [row.metering_point_id]
        now = unit.now()
        here = [
            each.meter_id
            for each in points.installations(unit, places)
            if each.from_at <= now and (each.to_at is None or each.to_at > now)
        ]
        return _last_seen(unit, here[-1]) if here else None


def state_of(row: LastRow) -> MeterState:
    """Read a kept state."""
    return _state_of(row.body)


def _last_seen(unit: Unit, meter_id: int) -> LastSeen:
    rows = last_values.of_meter(unit, meter_id)
    snapshot, state, fixed = rows.get(SNAPSHOT), rows.get(STATE), rows.get(FIXED)
    return LastSeen(
        meter_id,
        snapshot_of(snapshot),
        None if state is None else _state_of(state.body),
        None if state is None else state.at,
        None if fixed is None else _fixed_of(fixed),
        meters.waiting_since(unit, meter_id),
    )


def snapshot_of(row: LastRow | None) -> Snapshot | None:
    """Read a kept snapshot."""
    return None if row is None else Snapshot(row.at, _quantities(row.body["values"]))


def _values(values: Mapping[Register, Quantity]) -> list[list[str]]:
    return [
        [register.obis, register.period, str(quantity.value), quantity.unit]
        for register, quantity in sorted(values.items())
    ]


def _quantities(rows: list[list[str]]) -> dict[Register, Quantity]:
    return {
        Register(obis, period): Quantity(Decimal(value), unit) for obis, period, value, unit in rows
    }


def _fixed_of(row: LastRow) -> FixedValues | None:
    shown = face_of(row.shown)
    if not isinstance(shown, MeterTime):
        return None
    return FixedValues(fixed=shown, values=_quantities(row.body["values"]))


def _state(state: MeterState) -> dict[str, Any]:
    """Make the stored form; what the meter does not say is left out."""
    limit = state.power_limit
    told: dict[str, Any] = {
        "faults": None if state.faults is None else sorted(state.faults),
        "tariff": state.tariff,
        "load_on": state.load_on,
        "load_off_by": sorted(state.load_off_by) or None,
        "controls": sorted(state.controls) or None,
        "power_limit": None if limit is None else [str(limit.value), limit.unit],
        "energy_limits": {
            str(tariff): [str(each.value), each.unit]
            for tariff, each in sorted(state.energy_limits.items())
        }
        or None,
        "maxima": _values(state.maxima) or None,
        "detail": dict(sorted(state.detail.items())) or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _state_of(body: Mapping[str, Any]) -> MeterState:
    faults, limit = body.get("faults"), body.get("power_limit")
    return MeterState(
        faults=None if faults is None else frozenset(faults),
        tariff=body.get("tariff"),
        load_on=body.get("load_on"),
        load_off_by=frozenset(body.get("load_off_by", ())),
        controls=frozenset(body.get("controls", ())),
        power_limit=None if limit is None else Quantity(Decimal(limit[0]), limit[1]),
        energy_limits={
            int(tariff): Quantity(Decimal(value), unit)
            for tariff, (value, unit) in body.get("energy_limits", {}).items()
        },
        maxima=_quantities(body.get("maxima", [])),
        detail=dict(body.get("detail", {})),
    )
