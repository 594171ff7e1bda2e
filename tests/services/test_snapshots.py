from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metering import a_lease, a_meter
from sqlmodel import select

from hub.domain.clock import MeterTime
from hub.domain.meters import FixedValues, MeterState, Quantity, Register
from hub.errors import LineBusy, Missing
from hub.services import lines, snapshots
from hub.store import meters, outbox
from hub.store.tables import LastValues

SHOWN = MeterTime(datetime(2026, 11, 24, 13, 0, 5))
U1 = Register("32.7.0")


def volts(text: str) -> dict[Register, Quantity]:
    return {U1: Quantity(Decimal(text), "V")}


def keep(store, meter, values, at):
    snapshots.store_snapshot(store, meter.meter_id, values, SHOWN, at, lease=meter.lease)


def test_the_last_snapshot_is_the_only_one(store, clock):
    meter = a_meter(store)
    for text in ("230.10", "231.40"):
        keep(store, meter, volts(text), clock.advance(minutes=30))
    seen = snapshots.of_meter(store, meter.meter_id)
    assert seen.snapshot.values == volts("231.40")
    assert str(seen.snapshot.values[U1].value) == "231.40"
    assert seen.snapshot.at == clock()
    keep(store, meter, volts("1"), clock() - timedelta(hours=1))  # one that comes late
    assert snapshots.of_meter(store, meter.meter_id).snapshot.values == volts("231.40")
    with store.read() as unit:
        assert len(unit.session.exec(select(LastValues)).all()) == 1


def test_pages_hear_of_a_snapshot_when_a_person_waits(store, clock):
    meter = a_meter(store)
    keep(store, meter, volts("230"), clock())
    with store.write() as unit:
        assert outbox.signals(unit, 0) == []
        meters.state(unit, meter.meter_id).urgent_at = clock()
    assert snapshots.of_meter(store, meter.meter_id).waiting_since_at == clock()
    keep(store, meter, volts("230"), clock())
    with store.read() as unit:
        assert len(outbox.signals(unit, 0)) == 1


names = st.sampled_from(["order", "power_limit", "E-03"])
quantities = st.builds(
    Quantity, st.decimals(0, 10**6, places=2, allow_nan=False), st.sampled_from(["W", "Wh"])
)


@given(
    st.builds(
        MeterState,
        faults=st.none() | st.frozensets(names),
        tariff=st.none() | st.integers(1, 4),
        load_on=st.none() | st.booleans(),
        load_off_by=st.frozensets(names),
        controls=st.frozensets(names),
        power_limit=st.none() | quantities,
        energy_limits=st.dictionaries(st.integers(1, 4), quantities),
        maxima=st.dictionaries(st.builds(Register, names, names), quantities),
        detail=st.dictionaries(names, names),
    )
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_state_comes_back_as_it_was_told(store, state):
    meter_id = getattr(store, "of_this_test", None)
    if meter_id is None:
        meter_id = store.of_this_test = a_meter(store).meter_id
    lease = a_lease(store, meter_id)
    snapshots.store_state(store, meter_id, state, SHOWN, store.now(), lease=lease)
    assert snapshots.of_meter(store, meter_id).state == state


def test_a_state_that_is_another_is_told(store, clock):
    meter = a_meter(store)

    def put(state):
        return snapshots.store_state(
            store, meter.meter_id, state, SHOWN, clock(), lease=meter.lease
        )

    assert put(MeterState(load_on=True))
    assert not put(MeterState(load_on=True))
    assert put(MeterState(load_on=False))
    with store.read() as unit:
        assert len(outbox.signals(unit, 0)) == 2


def test_what_was_latched_keeps_its_instant(store, clock):
    meter = a_meter(store)
    fixed = FixedValues(fixed=MeterTime(datetime(2026, 11, 1), summer=False), values=volts("229"))
    snapshots.store_fixed(store, meter.meter_id, fixed, clock(), lease=meter.lease)
    assert snapshots.of_meter(store, meter.meter_id).fixed == fixed


def test_nothing_is_kept_without_the_lease(store, clock):
    meter = a_meter(store)
    lines.release(store, meter.lease)
    with pytest.raises(LineBusy):
        keep(store, meter, volts("230"), clock())
    assert snapshots.of_meter(store, meter.meter_id).snapshot is None


def test_a_point_shows_the_meter_that_is_there_now(world, store, clock):
    swap = clock() - timedelta(days=1)
    user, point, place, old = world.simple(to_at=swap)
    assert snapshots.of_point(store, user, point) is None
    new = world.meter()
    world.install(place, new, swap)
    for meter_id, text in ((old, "1"), (new, "230")):
        snapshots.store_snapshot(
            store, meter_id, volts(text), SHOWN, clock(), lease=a_lease(store, meter_id)
        )
    assert snapshots.of_point(store, user, point).snapshot.values == volts("230")
    with pytest.raises(Missing):
        snapshots.of_point(store, world.user(), point)
