from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metering import a_lease, a_meter, an_installation
from sqlmodel import select

from hub.domain.clock import ClockReading, MeterTime, drift_s, to_face
from hub.domain.consent import Act
from hub.errors import BadOrder, Missing
from hub.services import clock_discipline as clocks
from hub.services import events as event_services
from hub.services import orders
from hub.services.clock_discipline import DriftRow, PolicyRow, Step
from hub.services.orders import State
from hub.store.tables import Audit, Meter, MeterEvent, MeteringPoint

BASE = 180
ALWAYS = PolicyRow(1, "House", True, True, 5, 900, 0, 0)


@pytest.fixture
def meter(store):
    made = a_meter(store)
    point = an_installation(store, made.meter_id)
    with store.read() as unit:
        made.supplier = unit.session.get_one(MeteringPoint, point).supplier_id
    return made


def reading(store, drift: float, trip: float = 0.0) -> ClockReading:
    asked = store.now()
    shown = to_face(asked + timedelta(seconds=trip / 2 + drift), BASE)
    return ClockReading(shown, asked, asked + timedelta(seconds=trip))


def look(store, meter, drift: float, trip: float = 0.0) -> float:
    return clocks.note_reading(
        store, meter.meter_id, reading(store, drift, trip), lease=meter.lease
    )


def propose(store, meter, drift: float):
    return clocks.propose(store, meter.meter_id, reading(store, drift), lease=meter.lease)


def allow(store, meter, **more):
    return clocks.set_policy(store, meter.supplier, actor="anna", enabled=True, **more)


def seen(store):
    with store.read() as unit:
        rows = unit.session.exec(select(MeterEvent).order_by(MeterEvent.id)).all()
        return [(row.kind, row.detail) for row in rows]


# -- measuring


def test_drift_is_measured_with_half_the_round_trip(store, meter):
    assert look(store, meter, 7, trip=2.0) == pytest.approx(7)
    with store.read() as unit:
        assert unit.session.get_one(Meter, meter.meter_id).drift_s == 7
    assert clocks.series(store, meter.meter_id) == [
        DriftRow(store.now() + timedelta(seconds=2), 7.0, 2.0)
    ]


def test_the_series_keeps_what_tells_something_new(store, clock, meter):
    for minutes, drift in ((0, 3), (30, 3.4), (60, 2.2), (90, 9), (120, 9.5), (60 * 24, 9.2)):
        clock.at = datetime(2026, 11, 24, 10, tzinfo=UTC) + timedelta(minutes=minutes)
        meter.lease = a_lease(store, meter.meter_id)
        look(store, meter, drift)
    kept = clocks.series(store, meter.meter_id)
    assert [row.drift_s for row in kept] == [3, 9]
    clock.advance(hours=2)
    meter.lease = a_lease(store, meter.meter_id)
    look(store, meter, 9.2)
    assert [row.drift_s for row in clocks.series(store, meter.meter_id)] == [3, 9, 9.2]
    assert len(clocks.series(store, meter.meter_id, from_at=kept[1].at)) == 2
    assert len(clocks.series(store, meter.meter_id, to_at=kept[1].at)) == 1


@given(
    st.lists(st.tuples(st.floats(0, 40), st.floats(-5, 5), st.floats(0, 3)), max_size=60),
)
def test_what_the_series_leaves_out_is_within_its_blur(steps):
    """Every measurement is as one that was kept within a day before it, as far as can be seen."""
    at, kept = datetime(2026, 1, 1, tzinfo=UTC), None
    for hours, drift, trip in steps:
        at += timedelta(hours=hours)
        row = DriftRow(at, drift, trip)
        if clocks.tells_something(kept, row):
            kept = row
        assert at - kept.at < timedelta(days=1)
        assert abs(drift - kept.drift_s) <= 1 + (trip + kept.round_trip_s) / 2


def test_passing_the_threshold_is_an_event_once(store, clock, meter):
    allow(store, meter, threshold_s=10)
    for drift in (4, 11, 12, 11, 3, -12):
        clock.advance(seconds=10)
        look(store, meter, drift)
    assert seen(store) == [
        ("clock_drifted", {"drift_s": "11", "threshold_s": "10"}),
        ("clock_drifted", {"drift_s": "-12", "threshold_s": "10"}),
    ]


def test_without_a_policy_only_a_clock_that_is_badly_off_is_told(store, meter):
    look(store, meter, 30)
    assert seen(store) == []
    look(store, meter, 75)
    assert seen(store) == [("clock_drifted", {"drift_s": "75", "threshold_s": "60"})]


# -- deciding


def decide(drift, policy=ALWAYS, *, hour=12, corrected_today=False):
    return clocks.decide(policy, drift, hour=hour, corrected_today=corrected_today)


@pytest.mark.parametrize(
    ("drift", "step", "shift"),
    [
        (0, Step.NONE, 0),
        (5, Step.NONE, 0),
        (-5, Step.NONE, 0),
        (5.4, Step.NUDGE, -5.4),
        (-200, Step.NUDGE, 200),
        (600, Step.NUDGE, -235),
        (-900, Step.NUDGE, 235),
        (901, Step.TOO_FAR, 0),
        (-1200, Step.TOO_FAR, 0),
    ],
)
def test_what_a_policy_makes_of_a_clock(drift, step, shift):
    assert decide(drift) == clocks.Decision(step, shift)


@pytest.mark.parametrize(
    ("first", "last", "allowed"),
    [(0, 0, range(24)), (1, 5, range(1, 5)), (23, 2, (23, 0, 1))],
)
def test_hours_of_a_policy(first, last, allowed):
    policy = PolicyRow(1, "House", True, True, 5, 900, first, last)
    assert [h for h in range(24) if decide(9, policy, hour=h).step is Step.NUDGE] == sorted(allowed)


def test_one_correction_a_day_and_none_without_leave():
    assert decide(9, corrected_today=True).step is Step.NONE
    assert decide(9, PolicyRow(1, "House", False, False, 5, 900, 0, 0)).step is Step.NONE


@given(st.floats(-900, 900))
def test_steps_lead_there_within_four_days(drift):
    """No step is longer than a meter takes, and none goes past the aim."""
    left, days = drift, 0
    while (decision := decide(left)).step is Step.NUDGE:
        assert abs(decision.shift_s) <= 240
        assert abs(left + decision.shift_s) <= abs(left)
        left, days = left + decision.shift_s, days + 1
    assert abs(left) <= 5
    assert days <= 4


# -- ordering


def test_nothing_is_ordered_without_a_policy(store, meter):
    assert propose(store, meter, 600) is None
    assert orders.listed(store) == []


def test_a_correction_is_an_order_of_the_policy(store, meter):
    allow(store, meter)
    found = propose(store, meter, 600)
    assert (found.act, found.actor, found.state) == (Act.CORRECT_CLOCK, "policy", State.WAITING)
    assert found.parameters == {"drift_s": 600, "shift_s": -235, "day": "2026-11-24"}
    assert found.reason == "The clock is off by 600 s."


def test_once_a_day_of_the_meters_face(store, clock, meter):
    allow(store, meter)
    orders.spend(store, propose(store, meter, 600).id, lease=meter.lease)
    clock.advance(hours=1)
    meter.lease = a_lease(store, meter.meter_id)
    orders.to_do(store, meter.meter_id, lease=meter.lease)
    assert propose(store, meter, 365) is None
    clock.advance(hours=10, minutes=56)  # on the face, which is fast, it is tomorrow
    meter.lease = a_lease(store, meter.meter_id)
    assert propose(store, meter, 365).parameters["day"] == "2026-11-25"


def test_a_correction_that_a_visit_did_not_come_to_is_measured_anew(store, meter):
    allow(store, meter)
    first = propose(store, meter, 600)
    assert orders.to_do(store, meter.meter_id, lease=meter.lease) == []
    assert orders.one(store, first.id).state is State.WITHDRAWN
    assert propose(store, meter, 610).parameters["drift_s"] == 610


def test_what_can_not_be_sent_is_not_ordered_at_every_visit(store, clock, meter):
    allow(store, meter)
    for _ in range(10):
        propose(store, meter, 600)
        orders.to_do(store, meter.meter_id, lease=meter.lease)
        clock.advance(minutes=30)
        meter.lease = a_lease(store, meter.meter_id)
    assert len(orders.listed(store)) == 3
    clock.advance(hours=10)
    meter.lease = a_lease(store, meter.meter_id)
    assert propose(store, meter, 600).parameters["day"] == "2026-11-25"


def test_one_that_is_too_far_off_is_left_to_a_person_and_told_once(store, clock, meter):
    allow(store, meter)
    for _ in range(3):
        clock.advance(minutes=30)
        meter.lease = a_lease(store, meter.meter_id)
        assert propose(store, meter, -1200) is None
    assert seen(store) == [("clock_correction_refused", {"drift_s": "-1200", "reason": "too_far"})]
    assert propose(store, meter, -1300) is None
    assert len(seen(store)) == 2
    assert orders.listed(store) == []


def test_a_clock_that_is_slowed_down_is_followed_to_its_end(store, clock, meter):
    allow(store, meter)
    found = propose(store, meter, 100)
    orders.spend(store, found.id, lease=meter.lease)
    orders.settle(store, found, State.STARTED, lease=meter.lease)
    for minutes, drift, state in ((1, 90, State.STARTED), (20, 1, State.CONFIRMED)):
        clock.advance(minutes=minutes)
        meter.lease = a_lease(store, meter.meter_id)
        look(store, meter, drift)
        assert orders.one(store, found.id).state is state
    kinds = [kind for kind, _ in seen(store)]
    assert kinds == ["clock_drifted", "clock_corrected"]
    assert seen(store)[1][1]["shift_s"] == "-100"


def test_one_that_never_arrives_is_unknown(store, clock, meter):
    allow(store, meter)
    found = propose(store, meter, 100)
    orders.spend(store, found.id, lease=meter.lease)
    orders.settle(store, found, State.STARTED, lease=meter.lease)
    clock.advance(hours=4)
    meter.lease = a_lease(store, meter.meter_id)
    look(store, meter, 55)
    assert orders.one(store, found.id).state is State.UNKNOWN


def test_a_meter_that_tells_by_itself_is_not_told_twice(store, clock, meter):
    event_services.journals_read(store, meter.meter_id, clock(), lease=meter.lease)
    allow(store, meter)
    found = propose(store, meter, 50)
    shown = to_face(clock(), BASE)
    clocks.note_outcome(store, found, State.CONFIRMED, shown, lease=meter.lease)
    assert seen(store) == []
    clocks.note_outcome(store, found, State.REFUSED, shown, lease=meter.lease)
    assert seen(store) == [("clock_correction_refused", {"drift_s": "50", "reason": "by_meter"})]


# -- aiming


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.floats(0, 2),
    st.sampled_from([None, True, False]),
)
def test_a_target_is_the_true_time_in_whole_seconds_when_it_arrives(naive, way, summer):
    at = naive.replace(tzinfo=UTC)
    aim = clocks.target(BASE, MeterTime(datetime(2020, 1, 1), summer), off_s=0, one_way_s=way)(at)
    assert (aim.face.microsecond, aim.summer) == (0, summer)
    arrived = at + timedelta(seconds=way)
    assert abs(drift_s(ClockReading(aim, arrived, arrived), BASE)) <= 0.5001


# -- the policy


def test_a_policy_is_set_and_logged(store, meter):
    assert [row.set for row in clocks.policies(store)] == [False]
    found = allow(store, meter, threshold_s=10, from_hour=1, to_hour=5)
    assert (found.enabled, found.threshold_s, found.farthest_s) == (True, 10, 900)
    assert clocks.policies(store) == [found]
    clocks.set_policy(store, meter.supplier, actor="anna", enabled=False)
    assert (clocks.policies(store)[0].enabled, clocks.policies(store)[0].threshold_s) == (False, 10)
    with store.read() as unit:
        assert [row.act for row in unit.session.exec(select(Audit))] == ["clock_policy.set"] * 2


@pytest.mark.parametrize(
    "wrong", [{"threshold_s": 1}, {"threshold_s": 901}, {"from_hour": 24}, {"to_hour": -1}]
)
def test_a_policy_that_can_not_be_is_refused(store, meter, wrong):
    with pytest.raises(BadOrder):
        allow(store, meter, **wrong)
    assert not clocks.policies(store)[0].set
    with pytest.raises(Missing):
        clocks.set_policy(store, 10**6, actor="anna", enabled=True)
