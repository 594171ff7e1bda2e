from datetime import timedelta

import pytest
from metering import a_lease, a_meter
from sqlmodel import select

from hub.domain.consent import Act
from hub.errors import BadOrder, Conflict, LineBusy, Missing
from hub.services import lines, meters, orders
from hub.services.orders import State
from hub.store.tables import Audit, MeterState


def order(store, meter, act=Act.SET_CLOCK, parameters=None, **more):
    told = {
        "actor": "anna@example.org",
        "reason": "battery replaced",
        "until": store.now() + timedelta(hours=1),
    } | more
    return orders.give(store, meter.meter_id, act, parameters or {}, **told)


def log(store):
    with store.read() as unit:
        return [(row.actor, row.act) for row in unit.session.exec(select(Audit))]


def test_an_order_waits_and_the_meter_is_due_at_once(store, clock):
    meter = a_meter(store)
    meters.visited(
        store, meter.meter_id, due_at=clock() + timedelta(hours=1), learned={}, lease=meter.lease
    )
    order_id = order(store, meter)
    (found,) = orders.to_do(store, meter.meter_id, lease=meter.lease)
    assert (found.id, found.act, found.state) == (order_id, Act.SET_CLOCK, State.WAITING)
    assert found.consent.target == str(meter.meter_id)
    with store.read() as unit:
        state = unit.session.get_one(MeterState, meter.meter_id)
        assert state.due_at == state.urgent_at == clock()
    assert log(store) == [("anna@example.org", "order.set_clock")]


def test_an_order_is_spent_once_and_settled_once(store):
    meter = a_meter(store)
    order_id = order(store, meter)
    (found,) = orders.to_do(store, meter.meter_id, lease=meter.lease)
    assert orders.spend(store, order_id, lease=meter.lease)
    assert not orders.spend(store, order_id, lease=meter.lease)
    assert orders.one(store, order_id).state is State.SENDING
    orders.settle(store, found, State.CONFIRMED, "seen", lease=meter.lease)
    assert orders.one(store, order_id).state is State.CONFIRMED
    assert orders.to_do(store, meter.meter_id, lease=meter.lease) == []
    assert not orders.spend(store, order_id, lease=meter.lease)
    assert log(store)[1:] == [("collector", "order.confirmed")]


def test_what_a_dead_visit_had_spent_is_unknown_and_never_sent_again(store):
    meter = a_meter(store)
    order_id = order(store, meter)
    orders.spend(store, order_id, lease=meter.lease)
    assert orders.to_do(store, meter.meter_id, lease=meter.lease) == []
    assert orders.one(store, order_id).state is State.UNKNOWN
    assert not orders.spend(store, order_id, lease=meter.lease)


def test_an_order_runs_out(store, clock):
    meter = a_meter(store)
    order_id = order(store, meter)
    clock.advance(hours=1)
    assert orders.one(store, order_id).state is State.EXPIRED
    assert not orders.spend(store, order_id, lease=a_lease(store, meter.meter_id))
    assert orders.to_do(store, meter.meter_id, lease=a_lease(store, meter.meter_id)) == []
    assert log(store)[-1] == ("collector", "order.expired")
    order(store, meter)  # and no longer stands in the way


def test_an_order_that_waits_can_be_withdrawn(store):
    meter = a_meter(store)
    order_id = order(store, meter)
    orders.withdraw(store, order_id, actor="anna@example.org")
    assert orders.one(store, order_id).state is State.WITHDRAWN
    assert not orders.spend(store, order_id, lease=meter.lease)
    for again in (order_id, order_id + 1):
        with pytest.raises((Conflict, Missing)):
            orders.withdraw(store, again, actor="anna@example.org")
    spent = order(store, meter)
    orders.spend(store, spent, lease=meter.lease)
    with pytest.raises(Conflict):
        orders.withdraw(store, spent, actor="anna@example.org")


def test_one_order_of_an_act_waits_at_a_time(store):
    meter = a_meter(store)
    order(store, meter)
    with pytest.raises(Conflict):
        order(store, meter)
    order(store, meter, Act.SWITCH_RELAY, {"closed": False})
    assert [one.act for one in orders.listed(store)] == [Act.SWITCH_RELAY, Act.SET_CLOCK]


def test_without_the_lease_nothing_is_spent_or_settled(store):
    meter = a_meter(store)
    order_id = order(store, meter)
    lines.release(store, meter.lease)
    with pytest.raises(LineBusy):
        orders.spend(store, order_id, lease=meter.lease)
    with pytest.raises(LineBusy):
        orders.to_do(store, meter.meter_id, lease=meter.lease)
    assert orders.one(store, order_id).state is State.WAITING


@pytest.mark.parametrize(
    ("act", "parameters"),
    [
        (Act.SET_CLOCK, {"to": "2026-01-01"}),
        (Act.SWITCH_RELAY, {}),
        (Act.SWITCH_RELAY, {"closed": "no"}),
        (Act.SWITCH_RELAY, {"closed": True, "more": 1}),
        (Act.SET_LIMITS, {}),
        (Act.SET_LIMITS, {"power_limit_w": "much"}),
        (Act.SET_LIMITS, {"power_limit_w": "-1"}),
        (Act.SET_LIMITS, {"power_limit_w": "NaN"}),
        (Act.SET_LIMITS, {"energy_limits_wh": {"one": "5"}}),
        (Act.SET_LIMITS, {"power_control": "yes"}),
        (Act.SET_LIMITS, {"colour": "red"}),
        (Act.CORRECT_CLOCK, {}),
    ],
)
def test_what_an_act_has_not_is_refused(store, act, parameters):
    with pytest.raises(BadOrder):
        order(store, a_meter(store), act, parameters)
    assert orders.listed(store) == []


@pytest.mark.parametrize("hours", [0, 24 * 31])
def test_an_order_ends_in_the_near_future(store, clock, hours):
    with pytest.raises(BadOrder):
        order(store, a_meter(store), until=clock() + timedelta(hours=hours))


def test_an_order_says_who_and_why(store):
    meter = a_meter(store)
    for wrong in ({"actor": ""}, {"reason": ""}):
        with pytest.raises(BadOrder):
            order(store, meter, **wrong)


def test_limits_are_read_as_they_were_written():
    read = orders.limits_of(
        {"power_limit_w": "5000", "energy_limits_wh": {"2": "1000"}, "energy_control": True}
    )
    assert (str(read.power_limit.value), read.power_limit.unit) == ("5000", "W")
    assert (read.power_control, read.energy_control) == (None, True)
    assert {tariff: str(limit.value) for tariff, limit in read.energy_limits.items()} == {2: "1000"}
