"""A person asks for a meter now: it goes before all that is merely due."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from toy import SPEC, ToyLine, ToyMeter, plugins
from virtual_time import run_virtual, virtual_line, virtual_now

from hub.collector.loop import CollectorSettings, collect
from hub.collector.plan import plan
from hub.errors import Missing
from hub.plugins.api import SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.services import lines, meters
from hub.store import meters as meters_store
from hub.store.secrets import new_key
from hub.store.tables import MeterState
from hub.store.unit import Store

LINE = "tcp://toy:1?latency=0"
START = datetime(2026, 11, 24, 9, 7, 31, tzinfo=UTC)


def add(store, *addresses, line=LINE):
    return [
        meters.add_meter(store, line=line, driver="toy", settings=f'{{"address": {address}}}')
        for address in addresses
    ]


def state(store, meter_id):
    with store.read() as unit:
        return unit.session.get_one(MeterState, meter_id)


def change(store, meter_id, **values):
    with store.write() as unit:
        row = meters_store.state(unit, meter_id)
        for name, value in values.items():
            setattr(row, name, value)


async def once(store, line, spec=SPEC, **settings):
    settings = CollectorSettings(open_link=line.open, now=store.now, **settings)
    return await collect(store, plugins(spec), settings, once=True)


# -- what is due


def test_a_person_goes_before_what_is_due(store, clock):
    first, second = add(store, 1, 2)
    meters.read_now(store, second)
    (work,) = plan(lines.due(store))
    assert [one.meter_id for one in work.meters] == [second, first]


def test_a_person_does_not_wait_for_the_next_regular_visit_nor_for_a_stopped_meter(store, clock):
    (meter_id,) = add(store, 1)
    for values in ({"due_at": store.now() + timedelta(hours=1)}, {"stopped": True}):
        change(store, meter_id, **values)
        assert plan(lines.due(store)) == []
        meters.read_now(store, meter_id)
        assert [one.meter_id for one in plan(lines.due(store))[0].meters] == [meter_id]
        change(store, meter_id, urgent_at=None, stopped=False, due_at=store.now())


def test_a_person_does_not_wait_for_the_next_try_of_a_line_that_is_down(store, clock):
    (meter_id,) = add(store, 1)
    with store.write() as unit:
        meters_store.change_line(unit, 1, next_try_at=store.now() + timedelta(hours=1))
    assert plan(lines.due(store)) == []
    meters.read_now(store, meter_id)
    assert plan(lines.due(store))


def test_there_has_to_be_such_a_meter(store):
    with pytest.raises(Missing, match="no meter 7"):
        meters.read_now(store, 7)
    with pytest.raises(Missing, match="no meter 7"):
        meters.asked(store, 7, store.now())


# -- how it ends


async def test_it_is_read_and_no_longer_asked_for(store, clock):
    (meter_id,) = add(store, 1)
    change(store, meter_id, due_at=store.now() + timedelta(hours=1), stopped=True)
    asked_at = meters.read_now(store, meter_id)
    assert meters.asked(store, meter_id, asked_at).waiting
    await once(store, ToyLine(ToyMeter(1, slots=20)))
    told = meters.asked(store, meter_id, asked_at)
    assert (told.waiting, told.error) == (False, "")
    assert not state(store, meter_id).stopped


async def test_a_failure_is_the_answer(store, clock):
    (meter_id,) = add(store, 1)
    asked_at = meters.read_now(store, meter_id)
    await once(store, ToyLine(ToyMeter(1, password="other")))
    told = meters.asked(store, meter_id, asked_at)
    assert (told.waiting, told.error) == (False, state(store, meter_id).error_text)
    assert "password" in told.error


async def test_a_line_that_is_down_is_the_answer(store, clock):
    (meter_id,) = add(store, 1)
    asked_at = meters.read_now(store, meter_id)
    line = ToyLine(ToyMeter(1))
    line.down = True
    await once(store, line)
    told = meters.asked(store, meter_id, asked_at)
    assert not told.waiting
    assert "can't be opened" in told.error


async def test_who_asks_again_meanwhile_is_not_taken_for_answered(store, clock):
    (meter_id,) = add(store, 1)
    first = meters.read_now(store, meter_id)
    clock.advance(seconds=1)
    second = meters.read_now(store, meter_id)
    with store.write() as unit:
        meters._answer(meters_store.state(unit, meter_id), first)
    assert meters.asked(store, meter_id, second).waiting


# -- beside visits that run


async def collecting(store, line, spec=SPEC, **settings):
    """Collect until told to stop; gives (task, stop)."""
    stop = asyncio.Event()
    settings = CollectorSettings(open_link=line.open, now=store.now, look_every_s=0.01, **settings)
    return asyncio.create_task(collect(store, plugins(spec), settings, stop=stop)), stop


async def until(is_so):
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.005)


class Slow(ToyLine):
    """Each answer takes a while; who asks is kept in order."""

    def __init__(self, *toys):
        super().__init__(*toys)
        self.order = []
        self.before_answer = lambda message: self.order.append((message["to"], message["ask"]))


@pytest.mark.parametrize("interleave", [True, False])
async def test_a_long_visit_makes_way(store, clock, interleave):
    spec = dataclasses.replace(SPEC, interleave=interleave)
    long, urgent = add(store, 1, 2)
    change(store, urgent, due_at=store.now() + timedelta(days=1))
    line = Slow(ToyMeter(1, slots=40_000), ToyMeter(2, slots=10))
    task, stop = await collecting(store, line, spec)
    await until(lambda: line.order.count((1, "profile")) > 3)
    asked_at = meters.read_now(store, urgent)
    await until(lambda: not meters.asked(store, urgent, asked_at).waiting)
    assert state(store, long).seen_at is None  # it is far from its end
    asked = len(line.order)
    await until(lambda: len(line.order) > asked + 3)  # and goes on
    stop.set()
    await task
    toy = line.meters[1]
    assert toy.asked.count("open") == (1 if interleave else 2)
    assert not toy.open


async def test_a_meter_that_is_deep_in_its_profile_is_asked_for_its_registers_anew(store, clock):
    (meter_id,) = add(store, 1)
    line = Slow(ToyMeter(1, slots=40_000))
    task, stop = await collecting(store, line)
    await until(lambda: line.order.count((1, "profile")) > 3)
    asked_at = meters.read_now(store, meter_id)
    await until(lambda: not meters.asked(store, meter_id, asked_at).waiting)
    pages = line.order.count((1, "profile"))
    await until(lambda: line.order.count((1, "profile")) > pages + 1)
    stop.set()
    await task
    toy = line.meters[1]
    assert toy.asked.count("registers") == 2
    assert toy.asked.count("open") == 2
    # the profile went on where it was
    with store.read() as unit:
        assert int(meters_store.cursor(unit, meter_id).body) >= 50 * (
            toy.asked.count("profile") - 2
        )


async def test_places_that_are_taken_do_not_hold_a_person_up(store, clock):
    *long, urgent = add(store, 1, 2, 3)
    change(store, urgent, due_at=store.now() + timedelta(days=1))
    line = Slow(ToyMeter(1, slots=40_000), ToyMeter(2, slots=40_000), ToyMeter(3, slots=10))
    task, stop = await collecting(store, line, at_a_time=2)
    await until(lambda: len({who for who, what in line.order if what == "profile"}) == 2)
    asked_at = meters.read_now(store, urgent)
    await until(lambda: not meters.asked(store, urgent, asked_at).waiting)
    assert all(state(store, each).seen_at is None for each in long)
    stop.set()
    await task


# -- 32 meters on one line


async def busy_line(folder):
    """31 meters with a whole memory to read, at 9600 baud; then a person asks for the 32nd."""
    store = Store.open(f"sqlite:///{folder}/hub.sqlite", keys=[new_key()], clock=virtual_now)
    drivers = load_plugins(only=("mercury234",))
    spec = drivers.driver("mercury234")
    asked = SimulatorSettings(meters=32, options={"now": START.isoformat()})
    open_link, address = virtual_line(spec.simulator(asked))
    try:
        store.upgrade()
        ids = [
            meters.add_meter(
                store, line=str(address), driver=spec.id, settings=json.dumps({"address": number})
            )
            for number in range(1, 33)
        ]
        change(store, ids[31], due_at=START + timedelta(days=1))
        stop = asyncio.Event()
        task = asyncio.create_task(
            collect(
                store, drivers, CollectorSettings(open_link=open_link, now=virtual_now), stop=stop
            )
        )
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(120)
        assert any(state(store, each).profile_through_at for each in ids)
        assert all(state(store, each).seen_at is None for each in ids)  # all are at it, or wait
        began = clock()
        asked_at = meters.read_now(store, ids[31])
        while meters.asked(store, ids[31], asked_at).waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        took = clock() - began
        told = meters.asked(store, ids[31], asked_at)
        stop.set()
        await task
    finally:
        store.close()
    return told, took


def test_a_person_waits_seconds_on_a_line_of_32_meters(tmp_path):
    with capture_logs():
        told, took = run_virtual(busy_line(tmp_path), START)
    assert told.error == ""
    # two seconds until the collector looks, then some forty exchanges, alternating with nobody:
    # at a first visit the meter tells what it has of registers and values of now
    assert took < 15
