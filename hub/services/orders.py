"""Orders: what somebody wants done to a meter, as consents that are spent once.

The collector carries an order out at the meter's next visit. It is spent before the bytes leave;
whoever finds it spent and without an outcome knows that its visit died, says *unknown* and never
sends it again. Every step is in the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from hub.domain.consent import Act, Consent
from hub.domain.meters import Limits, Quantity
from hub.errors import BadOrder, Conflict, Missing
from hub.store import audit, consents, leases, meters
from hub.store.consents import ConsentRow
from hub.store.leases import Lease
from hub.store.unit import Store, Unit

COLLECTOR = "collector"
LONGEST = timedelta(days=30)  # an order that waits longer is not what anybody still wants


class State(StrEnum):
    """How an order stands; stored, translated and documented under these names."""

    WAITING = "waiting"
    SENDING = "sending"  # spent; its visit goes on, or died and is found out at the next
    CONFIRMED = "confirmed"  # read back and seen
    STARTED = "started"  # taken on and still running
    REFUSED = "refused"  # by the meter, or nothing could be sent
    UNKNOWN = "unknown"  # sent, and no answer; never repeated
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Order:
    """An order with what became of it. ``note``: in plain words, of the device or the hub."""

    id: int
    act: Act
    meter_id: int
    serial: str
    parameters: Mapping[str, Any]
    actor: str
    reason: str
    given_at: datetime
    until: datetime
    spent_at: datetime | None
    state: State
    settled_at: datetime | None
    note: str

    @property
    def consent(self) -> Consent:
        """Make the receipt for the driver."""
        return Consent(
            act=self.act.value,
            target=str(self.meter_id),
            actor=self.actor,
            reason=self.reason,
            until=self.until,
        )


# -- giving ------------------------------------------------------------------------------------


def give(
    store: Store, meter_id: int, act: Act, parameters: Mapping[str, Any], *, actor: str,
    reason: str, until: datetime,
) -> int:  # fmt: skip
    """Order an act at the meter's next visit, which is due at once; returns the order's id.

    Raises BadOrder for parameters that the act has not, or an end that is past or too far;
    Conflict if such an order waits for this meter already; Missing without such a meter.
    """
    check(act, parameters)
    if not actor or not reason:
        raise BadOrder("An order says who gives it and why.")
    with store.write() as unit:
        now = unit.now()
        if not now < until <= now + LONGEST:
            raise BadOrder(
                f"An order runs out after now and within {LONGEST.days} days; give another end."
            )
        meters.fare(unit, meter_id)
        return give_in(unit, meter_id, act, parameters, actor=actor, reason=reason, until=until)


def give_in(
    unit: Unit, meter_id: int, act: Act, parameters: Mapping[str, Any], *, actor: str,
    reason: str, until: datetime, urgent: bool = True,
) -> int:  # fmt: skip
    """Give an order inside a unit; ``urgent``: the meter is visited at once."""
    now = unit.now()
    for row in consents.listed(unit, meter_id, outcome=""):
        if row.act == act and row.spent_at is None and row.until > now:
            raise Conflict(
                f"Order {row.id} for the same act waits for this meter; withdraw it first."
            )
    order_id = consents.give(
        unit, act=act.value, meter_id=meter_id, parameters=parameters, actor=actor,
        reason=reason, until=until,
    )  # fmt: skip
    _log(unit, order_id, meter_id, actor, f"order.{act}", parameters=dict(parameters),
         reason=reason, until=until.isoformat())  # fmt: skip
    if urgent:
        state = meters.state(unit, meter_id)
        state.urgent_at = now
        state.due_at = min(state.due_at, now)
    return order_id


def check(act: Act, parameters: Mapping[str, Any]) -> None:
    """Raise BadOrder unless these are the parameters of the act."""
    match act:
        case Act.SWITCH_RELAY:
            if not isinstance(parameters.get("closed"), bool) or len(parameters) != 1:
                raise BadOrder("The relay is ordered on or off; say which.")
        case Act.SET_LIMITS:
            if limits_of(parameters) == Limits():
                raise BadOrder("There is no limit to set; say at least one.")
        case Act.SET_CLOCK | Act.FIX:
            if parameters:
                raise BadOrder(f"The act '{act}' has no parameters.")
        case Act.CORRECT_CLOCK:
            if set(parameters) != {"drift_s", "shift_s", "day"}:
                raise BadOrder("A clock's correction is ordered by the clock policy only.")


def limits_of(parameters: Mapping[str, Any]) -> Limits:
    """Read the limits of an order: power_limit_w, power_control, energy_limits_wh by tariff."""
    known = {"power_limit_w", "power_control", "energy_limits_wh", "energy_control"}
    if not set(parameters) <= known:
        raise BadOrder(f"Limits are {', '.join(sorted(known))}; correct the order.")
    power = parameters.get("power_limit_w")
    try:
        return Limits(
            power_limit=None if power is None else Quantity(_amount(power), "W"),
            power_control=_switch(parameters.get("power_control")),
            energy_limits={
                int(tariff): Quantity(_amount(value), "Wh")
                for tariff, value in dict(parameters.get("energy_limits_wh") or {}).items()
            },
            energy_control=_switch(parameters.get("energy_control")),
        )
    except (ValueError, InvalidOperation) as error:
        raise BadOrder("A limit is a number that is not negative; correct the order.") from error


def _amount(text: object) -> Decimal:
    amount = Decimal(str(text))
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount


def _switch(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(value)


def withdraw(store: Store, order_id: int, *, actor: str) -> None:
    """Take back an order that waits; Conflict if it is too late."""
    with store.write() as unit:
        row = consents.one(unit, order_id)
        if row is None:
            raise Missing(f"There is no order {order_id}.")
        if row.spent_at is not None or not consents.settle(
            unit, order_id, State.WITHDRAWN, f"by {actor}"
        ):
            raise Conflict(f"Order {order_id} does not wait any more; look what became of it.")
        _log(unit, order_id, row.meter_id, actor, "order.withdrawn")


# -- carrying out ------------------------------------------------------------------------------


def to_do(store: Store, meter_id: int, *, lease: Lease) -> list[Order]:
    """List the orders that wait for a meter, oldest first.

    Those that have run out are settled as expired, and those that a visit spent before it died
    as unknown: under the lease of the meter's line nobody else can be at them. A correction of
    the clock that its visit did not come to is withdrawn, for the clock is measured anew.
    """
    with store.read() as unit:
        if not consents.listed(unit, meter_id, outcome="", limit=1):
            return []  # as at most visits; nothing has to be locked for that
    with store.write() as unit:
        leases.prove(unit, lease)
        now = unit.now()
        found = []
        for row in reversed(consents.listed(unit, meter_id, outcome="")):
            if row.spent_at is not None:
                _settle(
                    unit, row, State.UNKNOWN,
                    "The visit ended before the meter's answer was stored; look at its state.",
                )  # fmt: skip
            elif row.until <= now:
                _settle(unit, row, State.EXPIRED, "The meter was not reached in time.")
            elif row.act == Act.CORRECT_CLOCK:
                _settle(unit, row, State.WITHDRAWN, "The visit ended before it.")
            else:
                found.append(order_of(row, now))
        return found


def spend(store: Store, order_id: int, *, lease: Lease) -> bool:
    """Spend an order just before its bytes leave; True once."""
    with store.write() as unit:
        leases.prove(unit, lease)
        return consents.spend(unit, order_id)


def settle(store: Store, order: Order, state: State, note: str = "", *, lease: Lease) -> None:
    """Keep what became of an order."""
    with store.write() as unit:
        leases.prove(unit, lease)
        row = consents.one(unit, order.id)
        if row is not None:
            _settle(unit, row, state, note)


def _settle(unit: Unit, row: ConsentRow, state: State, note: str) -> None:
    if consents.settle(unit, row.id, state, note, was=row.outcome):
        _log(unit, row.id, row.meter_id, COLLECTOR, f"order.{state}", note=note)


def finish_started(unit: Unit, row: ConsentRow, state: State, note: str) -> None:
    """Say how an act ended that the meter had taken on and went on with by itself."""
    _settle(unit, row, state, note)


# -- showing -----------------------------------------------------------------------------------


def listed(store: Store, meter_id: int | None = None, *, limit: int = 50) -> list[Order]:
    """List orders, newest first, of one meter or of all."""
    with store.read() as unit:
        now = unit.now()
        return [order_of(row, now) for row in consents.listed(unit, meter_id, limit=limit)]


def one(store: Store, order_id: int) -> Order:
    """Give an order; Missing if there is none."""
    with store.read() as unit:
        row = consents.one(unit, order_id)
        if row is None:
            raise Missing(f"There is no order {order_id}.")
        return order_of(row, unit.now())


def order_of(row: ConsentRow, now: datetime) -> Order:
    if row.outcome:
        state = State(row.outcome)
    elif row.spent_at is not None:
        state = State.SENDING
    else:
        state = State.WAITING if row.until > now else State.EXPIRED
    return Order(
        row.id, Act(row.act), row.meter_id, row.serial, row.parameters, row.actor, row.reason,
        row.given_at, row.until, row.spent_at, state, row.outcome_at, row.note,
    )  # fmt: skip


def _log(unit: Unit, order_id: int, meter_id: int, actor: str, act: str, **detail: Any) -> None:
    audit.record(
        unit, actor=actor, act=act, target=f"meter {meter_id}", detail={"order": order_id} | detail
    )
