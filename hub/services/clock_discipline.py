"""Meters' clocks: how far they are off, and putting them right in small steps.

Drift is measured at every visit, with half the round trip, and never applied to stamps. A clock
that is off by more than its utility's threshold is corrected once a day, by at most what a meter
takes without upsetting its archives; one that is off by more than the policy trusts itself with
is left to a person. Every correction is an order like any other: a consent, spent once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from zoneinfo import ZoneInfo

from hub.domain.clock import ClockReading, MeterTime, drift_s, to_face
from hub.domain.consent import Act
from hub.errors import BadOrder
from hub.services import events, orders
from hub.services.orders import Order, State
from hub.store import audit, clocks, consents, leases, meters
from hub.store import events as stored_events
from hub.store.clocks import DriftRow, PolicyRow
from hub.store.leases import Lease
from hub.store.unit import Store, Unit

__all__ = ["DriftRow", "PolicyRow"]

ACTOR = "policy"
STEP_S = 235  # meters take ±4 minutes; the rest is for the way there and for whole seconds
UNWATCHED_S = 60  # without a policy a clock is called off only when it is badly off
KEEP_EVERY = timedelta(days=1)
RESOLUTION_S = 1.0  # a face shows whole seconds
ARRIVED_S = 2.0
FOLLOW = timedelta(hours=3)  # a clock that is slowed down by four minutes is done by then
SAME_REFUSAL_S = 60.0
LEAST_THRESHOLD_S = 2  # whole seconds and the way there hide less
HOURS = 24
TRIES_A_DAY = 3
CORRECTION_TERM = timedelta(minutes=30)


# -- measuring ---------------------------------------------------------------------------------


def tells_something(before: DriftRow | None, now: DriftRow) -> bool:
    """Whether a measurement is kept: the first, one a day, and all that differ from the last one.

    Two measurements are the same within the face's whole seconds and what the round trips hide.
    """
    if before is None or now.at - before.at >= KEEP_EVERY:
        return True
    blur = RESOLUTION_S + (before.round_trip_s + now.round_trip_s) / 2
    return abs(now.drift_s - before.drift_s) > blur


def note_reading(store: Store, meter_id: int, reading: ClockReading, *, lease: Lease) -> float:
    """Keep how far the clock is off, in seconds; tell when it passes the threshold.

    A correction that was under way is settled when the clock has arrived.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        at = reading.answered_at
        bases = meters.clock_bases(unit, meter_id)
        drift = drift_s(reading, bases.now(at))
        trip = (reading.answered_at - reading.asked_at).total_seconds()
        now = DriftRow(at, round(drift, 2), round(trip, 3))
        if tells_something(clocks.last_drift(unit, meter_id), now):
            clocks.add_drift(unit, meter_id, now)
        before = meters.meter_drift(unit, meter_id)
        meters.change_meter(unit, meter_id, drift_s=round(drift, 1), drift_at=at)
        threshold = _threshold(unit, meter_id, at)
        if abs(drift) > threshold and (before is None or abs(before) <= threshold):
            events.note(
                unit, meter_id, "clock_drifted", reading.shown,
                {"drift_s": _seconds(drift), "threshold_s": str(threshold)},
            )  # fmt: skip
        _follow(unit, meter_id, reading.shown, drift, trip)
        return drift


def _threshold(unit: Unit, meter_id: int, at: datetime) -> int:
    found = clocks.policy_of_meter(unit, meter_id, at)
    return found[0].threshold_s if found and found[0].enabled else UNWATCHED_S


def _follow(unit: Unit, meter_id: int, shown: MeterTime, drift: float, trip: float) -> None:
    """See whether a correction that the meter carries out by itself has come to its end."""
    row = consents.last_spent(unit, meter_id, Act.CORRECT_CLOCK)
    if row is None or row.outcome != State.STARTED or row.spent_at is None:
        return
    aim = float(row.parameters["drift_s"]) + float(row.parameters["shift_s"])
    if abs(drift - aim) <= ARRIVED_S + trip / 2:
        orders.finish_started(
            unit, row, State.CONFIRMED, f"The clock is off by {_seconds(drift)} s."
        )
        _corrected(unit, meter_id, shown, float(row.parameters["shift_s"]))
    elif unit.now() - row.spent_at > FOLLOW:
        orders.finish_started(
            unit, row, State.UNKNOWN,
            f"The clock is off by {_seconds(drift)} s where {_seconds(aim)} s was aimed at.",
        )  # fmt: skip


def _corrected(unit: Unit, meter_id: int, shown: MeterTime, shift_s: float) -> None:
    """Tell of a correction, unless the meter's own journal will."""
    if meters.state(unit, meter_id).journals_at is None:
        before = shown.face - timedelta(seconds=shift_s)
        events.note(
            unit, meter_id, "clock_corrected", shown,
            {
                "before": before.isoformat(timespec="seconds"),
                "after": shown.face.isoformat(timespec="seconds"),
                "shift_s": _seconds(shift_s),
            },
        )  # fmt: skip


def _seconds(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def series(
    store: Store, meter_id: int, from_at: datetime | None = None, to_at: datetime | None = None
) -> list[DriftRow]:
    """List how far a meter's clock was off, oldest first: where it told something new.

    Missing if there is no such meter.
    """
    with store.read() as unit:
        meters.fare(unit, meter_id)
        return clocks.drifts(unit, meter_id, from_at, to_at)


# -- correcting --------------------------------------------------------------------------------


class Step(Enum):
    """What a policy makes of a clock."""

    NONE = auto()  # it is well, nobody wants it corrected, or not now
    NUDGE = auto()
    TOO_FAR = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """``shift_s``: by how much the clock is to be moved; of a nudge."""

    step: Step
    shift_s: float = 0.0


def decide(policy: PolicyRow, drift: float, *, hour: int, corrected_today: bool) -> Decision:
    """Say what is to be done about a clock; pure. ``hour``: of the point's day."""
    if not policy.enabled or abs(drift) <= policy.threshold_s or corrected_today:
        return Decision(Step.NONE)
    if abs(drift) > policy.farthest_s:
        return Decision(Step.TOO_FAR)
    if not is_allowed(policy, hour):
        return Decision(Step.NONE)
    return Decision(Step.NUDGE, max(-STEP_S, min(STEP_S, -round(drift, 2))))


def is_allowed(policy: PolicyRow, hour: int) -> bool:
    """Whether clocks may be corrected at this hour; a span may go over midnight."""
    if policy.from_hour == policy.to_hour:
        return True
    if policy.from_hour < policy.to_hour:
        return policy.from_hour <= hour < policy.to_hour
    return hour >= policy.from_hour or hour < policy.to_hour


def propose(store: Store, meter_id: int, reading: ClockReading, *, lease: Lease) -> Order | None:
    """Order a correction if the policy of the meter's utility wants one now.

    A clock that is too far off is an event instead, once. Corrections that could not be sent are
    tried anew at later visits, a few times a day.
    """
    shown = reading.shown
    with store.write() as unit:
        leases.prove(unit, lease)
        now = unit.now()
        found = clocks.policy_of_meter(unit, meter_id, now)
        if found is None:
            return None
        policy, zone = found
        drift = drift_s(reading, meters.clock_bases(unit, meter_id).now(reading.answered_at))
        day = shown.face.date().isoformat()
        last = consents.last_spent(unit, meter_id, Act.CORRECT_CLOCK)
        decision = decide(
            policy,
            drift,
            hour=now.astimezone(ZoneInfo(zone)).hour,
            corrected_today=_tried(unit, meter_id, day) >= TRIES_A_DAY
            or (
                last is not None
                and (last.parameters["day"] == day or last.outcome == State.STARTED)
            ),
        )
        if decision.step is Step.TOO_FAR:
            _refuse(unit, meter_id, shown, drift, "too_far")
        if decision.step is not Step.NUDGE:
            return None
        parameters = {"drift_s": round(drift, 2), "shift_s": decision.shift_s, "day": day}
        order_id = orders.give_in(
            unit, meter_id, Act.CORRECT_CLOCK, parameters, actor=ACTOR,
            reason=f"The clock is off by {_seconds(drift)} s.", until=now + CORRECTION_TERM,
            urgent=False,
        )  # fmt: skip
        row = consents.one(unit, order_id)
        return None if row is None else orders.order_of(row, now)


def _tried(unit: Unit, meter_id: int, day: str) -> int:
    """Count the corrections that were ordered on a day of the meter's face."""
    newest = consents.listed(unit, meter_id, limit=2 * TRIES_A_DAY)
    return sum(row.parameters.get("day") == day for row in newest)


def note_outcome(
    store: Store, order: Order, state: State, shown: MeterTime, *, lease: Lease
) -> None:
    """Tell of what became of an order about the clock: corrected, or refused by the meter.

    ``shown``: the face after it, or before it where it was refused.
    """
    shift = float(order.parameters.get("shift_s", 0))
    with store.write() as unit:
        leases.prove(unit, lease)
        if state is State.CONFIRMED and order.act is Act.CORRECT_CLOCK:
            _corrected(unit, order.meter_id, shown, shift)
        elif state is State.REFUSED and order.act is Act.CORRECT_CLOCK:
            _refuse(unit, order.meter_id, shown, float(order.parameters["drift_s"]), "by_meter")


def _refuse(unit: Unit, meter_id: int, shown: MeterTime, drift: float, reason: str) -> None:
    last = stored_events.newest_of_hub(unit, meter_id, "clock_correction_refused")
    if last is not None:
        told = last.entry.detail or {}
        is_same = abs(float(told.get("drift_s", "inf")) - drift) <= SAME_REFUSAL_S
        if is_same and told.get("reason") == reason:
            return
    events.note(
        unit, meter_id, "clock_correction_refused", shown,
        {"drift_s": _seconds(drift), "reason": reason},
    )  # fmt: skip


def target(
    base_minutes: int, shown: MeterTime, *, off_s: float, one_way_s: float
) -> Callable[[datetime], MeterTime]:
    """Make what a clock is to show, from the instant at which the bytes leave, in whole seconds.

    ``off_s``: by how much it may still be off after this step; ``one_way_s``: how long the bytes
    are on their way. The season stays as it is ``shown``.
    """

    def face(at: datetime) -> MeterTime:
        aimed = at + timedelta(seconds=off_s + one_way_s + 0.5)
        there = to_face(aimed, base_minutes, summer=shown.summer)
        return MeterTime(there.face.replace(microsecond=0), shown.summer)

    return face


# -- the policy --------------------------------------------------------------------------------


def policies(store: Store) -> list[PolicyRow]:
    """List the utilities and how their meters' clocks are kept."""
    with store.read() as unit:
        return clocks.policies(unit)


def set_policy(store: Store, supplier_id: int, *, actor: str, **values: int) -> PolicyRow:
    """Change a utility's policy: enabled, threshold_s, farthest_s, from_hour, to_hour.

    Raises BadOrder for what can't be, Missing for a utility that is not there.
    """
    with store.write() as unit:
        found = clocks.set_policy(unit, supplier_id, **values)
        hours = (found.from_hour, found.to_hour)
        if not LEAST_THRESHOLD_S <= found.threshold_s <= found.farthest_s or not all(
            0 <= hour < HOURS for hour in hours
        ):
            raise BadOrder(
                "A threshold is 2 seconds or more and no more than the farthest that is "
                "corrected; hours are 0 to 23. Correct the policy."
            )
        audit.record(
            unit, actor=actor, act="clock_policy.set", target=f"supplier {supplier_id}",
            detail=values,
        )  # fmt: skip
        return found
