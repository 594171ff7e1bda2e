"""Orders carried out at a virtual Mercury by collector and driver, in virtual time."""

import json
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs
from virtual_time import run_virtual, virtual_line, virtual_now

from hub.collector.loop import CollectorSettings, collect
from hub.domain.consent import Act
from hub.plugins.api import SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.services import meters, orders, snapshots
from hub.services.orders import State
from hub.store.secrets import new_key
from hub.store.unit import Store

START = datetime(2026, 11, 10, 9, 7, 31, tzinfo=UTC)
WISHES = [
    (Act.SWITCH_RELAY, {"closed": False}),
    (Act.SET_LIMITS, {"power_limit_w": "5000", "power_control": True,
                      "energy_limits_wh": {"1": "900000"}}),
    (Act.FIX, {}),
]  # fmt: skip


async def ordered(folder, **settings):
    store = Store.open(f"sqlite:///{folder}/hub.sqlite", keys=[new_key()], clock=virtual_now)
    try:
        store.upgrade()
        drivers = load_plugins(only=("mercury234",))
        spec = drivers.driver("mercury234")
        virtual = SimulatorSettings(meters=1, seed=3, options={"since": "2026-11-08"})
        open_link, address = virtual_line(spec.simulator(virtual))
        meter_id = meters.add_meter(
            store, line=str(address), driver=spec.id, settings=json.dumps({"address": 1} | settings)
        )
        for act, parameters in WISHES:
            orders.give(
                store, meter_id, act, parameters, actor="test", reason="test",
                until=virtual_now() + timedelta(hours=1),
            )  # fmt: skip
        outcome = await collect(
            store, drivers, CollectorSettings(open_link=open_link, now=virtual_now), once=True
        )
        return outcome.failed, orders.listed(store), snapshots.of_meter(store, meter_id)
    finally:
        store.close()


def test_relay_limits_and_latching_are_confirmed_and_shown(tmp_path):
    with capture_logs():
        failed, found, seen = run_virtual(ordered(tmp_path), START)
    assert failed == {}
    assert [(one.act, one.state, one.note) for one in reversed(found)] == [
        (act, State.CONFIRMED, "") for act, _ in WISHES
    ]
    assert seen.state.load_on is False
    assert "order" in seen.state.load_off_by
    assert (int(seen.state.power_limit.value), seen.state.power_limit.unit) == (5000, "W")
    assert "power_limit" in seen.state.controls
    assert int(seen.state.energy_limits[1].value) == 900000
    assert seen.fixed is not None
    assert abs(seen.fixed.fixed.face - (START + timedelta(hours=3)).replace(tzinfo=None)) < (
        timedelta(minutes=2)
    )
    assert seen.snapshot is not None


def test_a_wrong_owner_password_refuses_what_needs_it_and_nothing_else(tmp_path):
    with capture_logs():
        failed, found, seen = run_virtual(ordered(tmp_path, owner_password="999999"), START)
    assert failed == {}
    assert [(one.act, one.state) for one in reversed(found)] == [
        (Act.SWITCH_RELAY, State.REFUSED),
        (Act.SET_LIMITS, State.REFUSED),
        (Act.FIX, State.CONFIRMED),
    ]
    assert "password of level 2" in found[-1].note
    assert found[-2].note == found[-1].note  # a wrong password is not tried again at once
    assert all(one.spent_at is None for one in found[1:])
    assert seen.state.load_on is True
