"""Orders and the clock's correction in visits to the toy meter."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select
from toy import BASE, BEGIN, HALF, SPEC, ToyLine, ToyMeter, plugins

from hub.collector.loop import CollectorSettings, collect
from hub.domain.consent import Act
from hub.services import clock_discipline, meters, orders, snapshots
from hub.services.orders import State
from hub.store.tables import Installation, Meter, MeterEvent, MeteringPoint, Supplier

LINE = "tcp://toy:1?latency=0"
ALL = "clock registers profile state set_clock relay limits"


@pytest.fixture
def toy(clock):
    meter = ToyMeter(1, slots=100, can=ALL, fast_s=0)
    clock.at = (BEGIN + meter.slots * HALF - BASE).replace(tzinfo=UTC)
    return meter


@pytest.fixture
def meter_id(store, toy):
    made = meters.add_meter(
        store, line=LINE, driver="toy", settings=f'{{"address": {toy.address}}}'
    )
    with store.write() as unit:
        supplier = Supplier(connector="house", title="House", created_at=unit.now())
        unit.session.add(supplier)
        unit.session.flush()
        point = MeteringPoint(supplier_id=supplier.id, number="P1", name="Point")
        unit.session.add(point)
        unit.session.flush()
        unit.session.add(
            Installation(
                metering_point_id=point.id,
                meter_id=made,
                from_at=datetime(2020, 1, 1, tzinfo=UTC),
            )
        )
    return made


async def once(store, line, spec=SPEC):
    return await collect(
        store, plugins(spec), CollectorSettings(open_link=line.open, now=store.now), once=True
    )


def order(store, meter_id, act=Act.SET_CLOCK, **parameters):
    return orders.give(
        store, meter_id, act, parameters, actor="anna", reason="test",
        until=store.now() + timedelta(hours=1),
    )  # fmt: skip


def state_of(store, order_id):
    found = orders.one(store, order_id)
    return found.state, found.note


def events(store):
    with store.read() as unit:
        return [row.kind for row in unit.session.exec(select(MeterEvent))]


def drift(store, meter_id):
    with store.read() as unit:
        return unit.session.get_one(Meter, meter_id).drift_s


async def test_a_relay_is_switched_first_and_its_state_seen(store, toy, meter_id):
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    assert state_of(store, order_id) == (State.CONFIRMED, "")
    assert not toy.closed
    assert toy.asked.index("relay") < toy.asked.index("registers")
    assert snapshots.of_meter(store, meter_id).state.load_on is False
    assert toy.asked.count("relay") == 1
    assert not toy.open


async def test_what_an_order_teaches_is_kept_for_the_next_visit(store, clock, toy, meter_id):
    order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    await once(store, ToyLine(toy))
    with store.read() as unit:
        learned = unit.session.get_one(Meter, meter_id).learned
    assert learned == {"visits": "2"}  # the toy counts its conversations


async def test_limits_are_set(store, toy, meter_id):
    order_id = order(store, meter_id, Act.SET_LIMITS, power_limit_w="5000")
    await once(store, ToyLine(toy))
    assert state_of(store, order_id)[0] is State.CONFIRMED
    assert toy.limit == "5000"


async def test_a_clock_is_set_after_all_is_read(store, toy, meter_id):
    toy.fast_s = -1200
    order_id = order(store, meter_id)
    await once(store, ToyLine(toy))
    assert state_of(store, order_id)[0] is State.CONFIRMED
    assert toy.moved == [1200]
    assert drift(store, meter_id) == 0
    after = toy.asked[toy.asked.index("set_clock") :]
    assert "profile" not in after
    assert toy.level == "CONFIGURE"


async def test_a_refusal_is_kept_and_the_visit_goes_on(store, toy, meter_id):
    toy.says_no = "refused"
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    assert state_of(store, order_id)[0] is State.REFUSED
    assert "profile" in toy.asked


async def test_what_the_driver_can_not_say_is_refused_unsent(store, toy, meter_id):
    order_id = order(store, meter_id, Act.SET_LIMITS, power_control=True)
    await once(store, ToyLine(toy))
    state, note = state_of(store, order_id)
    assert (state, note) == (State.REFUSED, "The toy has a power limit only.")
    assert orders.one(store, order_id).spent_at is None


async def test_what_the_meter_has_not_is_refused_unsent(store, toy, meter_id):
    toy.can = "clock registers profile"
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=True)
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    assert state_of(store, order_id)[0] is State.REFUSED
    assert "relay" not in toy.asked


async def test_no_answer_is_unknown_and_never_repeated(store, clock, toy, meter_id):
    toy.deaf = True
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    await once(store, ToyLine(toy))
    assert state_of(store, order_id)[0] is State.UNKNOWN
    clock.advance(minutes=30)
    await once(store, ToyLine(toy))
    assert toy.asked.count("relay") == 1


async def test_a_silent_meters_order_waits_and_runs_out(store, clock, toy, meter_id):
    toy.silent = True
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed
    assert state_of(store, order_id)[0] is State.WAITING
    clock.advance(hours=2)
    toy.silent = False
    await once(store, ToyLine(toy))
    assert state_of(store, order_id)[0] is State.EXPIRED
    assert toy.closed


async def test_a_wrong_password_of_the_owner_refuses_the_order_only(store, toy, meter_id):
    answer = toy.answer
    toy.answer = lambda message: (
        {"no": "password"} if message.get("level") == "CONFIGURE" else answer(message)
    )
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    state, note = state_of(store, order_id)
    assert (state, "password" in note) == (State.REFUSED, True)
    assert toy.closed


async def test_another_meter_gets_no_order(store, clock, toy, meter_id):
    await once(store, ToyLine(toy))
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    other = ToyMeter(1, slots=100, can=ALL, serial="999")
    outcome = await once(store, ToyLine(other))
    assert "serial" in outcome.failed[f"meter {meter_id}"]
    assert "relay" not in other.asked
    assert state_of(store, order_id)[0] is State.WAITING


async def test_a_visit_that_is_ended_in_a_write_stores_its_outcome_first(store, toy, meter_id):
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    line = ToyLine(toy)
    visiting = asyncio.create_task(once(store, line))

    def cancel(message):
        if message["ask"] == "relay":
            visiting.cancel()

    line.before_answer = cancel
    with pytest.raises(asyncio.CancelledError):
        await visiting
    assert state_of(store, order_id)[0] is State.CONFIRMED
    assert not toy.open
    assert "profile" not in toy.asked


async def test_a_withdrawn_order_is_not_sent(store, toy, meter_id):
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    line = ToyLine(toy)

    def withdraw(message):
        if message["ask"] == "identity" and state_of(store, order_id)[0] is State.WAITING:
            orders.withdraw(store, order_id, actor="anna")

    line.before_answer = withdraw
    outcome = await once(store, line)
    assert outcome.failed == {}
    assert "relay" not in toy.asked
    assert state_of(store, order_id)[0] is State.WITHDRAWN


async def test_a_driver_that_writes_something_else_is_stopped(store, toy, meter_id):
    """The consent is for the relay; a frame of another act does not leave."""
    spec = dataclasses.replace(SPEC, act=lambda request: Act.SET_CLOCK)
    order_id = order(store, meter_id, Act.SWITCH_RELAY, closed=False)
    outcome = await once(store, ToyLine(toy), spec)
    assert "with leave for 'switch_relay' only" in outcome.failed[f"meter {meter_id}"]
    assert "relay" not in toy.asked
    assert state_of(store, order_id)[0] is State.UNKNOWN  # spent, and that is all that is known


# -- the clock policy


def allow(store, **more):
    (policy,) = clock_discipline.policies(store)
    clock_discipline.set_policy(store, policy.supplier_id, actor="anna", enabled=True, **more)


async def day(store, clock, toy, line):
    clock.advance(days=1)
    toy.slots += 48
    outcome = await once(store, line)
    assert outcome.failed == {}


async def test_without_a_policy_a_clock_is_left_alone(store, toy, meter_id):
    toy.fast_s = 600
    await once(store, ToyLine(toy))
    assert toy.moved == []
    assert events(store) == ["clock_drifted"]


async def test_a_clock_600_s_fast_is_right_within_three_days(store, clock, toy, meter_id):
    allow(store)
    toy.fast_s = 600
    line = ToyLine(toy)
    await once(store, line)
    for minutes in (30, 60):  # more visits of the same day change nothing
        clock.advance(minutes=minutes)
        toy.slots += minutes // 30
        await once(store, line)
    assert toy.moved == [-235]
    await day(store, clock, toy, line)
    await day(store, clock, toy, line)
    assert toy.moved == [-235, -235, -130]
    assert abs(toy.fast_s) <= 2
    await day(store, clock, toy, line)
    assert len(toy.moved) == 3
    assert {(one.actor, one.state) for one in orders.listed(store)} == {("policy", State.CONFIRMED)}
    kept = [row.drift_s for row in clock_discipline.series(store, meter_id)]
    assert set(kept) == {600, 365, 130, 0}
    assert kept == sorted(kept, reverse=True)
    assert toy.level == "READ"  # a correction needs no more
    assert events(store).count("clock_corrected") == 3


async def test_a_meter_that_can_not_be_corrected_is_left_alone(store, toy, meter_id):
    allow(store)
    toy.fast_s, toy.can = 600, "clock registers profile"
    await once(store, ToyLine(toy))
    assert orders.listed(store) == []


async def test_one_20_minutes_slow_is_left_to_an_order(store, clock, toy, meter_id):
    allow(store)
    toy.fast_s = -1200
    line = ToyLine(toy)
    await once(store, line)
    await day(store, clock, toy, line)
    assert toy.moved == []
    assert events(store).count("clock_correction_refused") == 1
    order(store, meter_id)
    await once(store, line)
    assert toy.moved == [1200]


async def test_outside_its_hours_a_clock_is_left_alone(store, clock, toy, meter_id):
    allow(store, from_hour=1, to_hour=5)
    toy.fast_s = 100
    assert toy.face.hour == 2
    clock.advance(hours=6)
    toy.slots += 12
    line = ToyLine(toy)
    await once(store, line)
    assert toy.moved == []
    clock.advance(hours=18)
    toy.slots += 36
    await once(store, line)
    assert toy.moved == [-100]


async def test_a_correction_that_can_not_be_now_is_tried_again(store, clock, toy, meter_id):
    allow(store)
    toy.fast_s = 100
    clock.advance(hours=21)
    toy.slots += 42
    line = ToyLine(toy)
    await once(store, line)
    assert toy.moved == []
    assert [one.state for one in orders.listed(store)] == [State.WITHDRAWN]
    assert "clock_correction_refused" not in events(store)
    clock.advance(hours=1)
    toy.slots += 2
    await once(store, line)
    assert toy.moved == [-100]


async def test_a_clock_that_goes_there_by_itself_is_followed(store, clock, toy, meter_id):
    allow(store)
    toy.fast_s, toy.says_no = 100, "busy"
    line = ToyLine(toy)
    await once(store, line)
    (found,) = orders.listed(store)
    assert found.state is State.STARTED
    toy.fast_s = 40
    clock.advance(minutes=30)
    toy.slots += 1
    await once(store, line)
    assert toy.moved == [-100]
    toy.fast_s = 0.4
    clock.advance(minutes=30)
    toy.slots += 1
    await once(store, line)
    assert orders.one(store, found.id).state is State.CONFIRMED


async def test_a_correction_that_the_meter_refuses_is_an_event(store, toy, meter_id):
    allow(store)
    toy.fast_s, toy.says_no = 100, "refused"
    await once(store, ToyLine(toy))
    assert events(store) == ["clock_drifted", "clock_correction_refused"]
    assert [one.state for one in orders.listed(store)] == [State.REFUSED]
