"""An open page waits for a meter's values of now: they are read aside, and visits go on."""

import asyncio
from datetime import timedelta

import pytest
from toy import SPEC, ToyLine, ToyMeter, plugins

from hub.collector.loop import CollectorSettings, collect
from hub.collector.plan import plan
from hub.errors import LineBusy
from hub.services import lines, live, meters, snapshots
from hub.store import glances
from hub.store import meters as meters_store
from hub.store.tables import Glance, MeterState

LINE = "tcp://toy:1?latency=0"
CAN = "clock registers profile snapshot"


def add(store, *addresses):
    return [
        meters.add_meter(store, line=LINE, driver="toy", settings=f'{{"address": {address}}}')
        for address in addresses
    ]


def rest(store, *ids, **values):
    """Let no visit be due."""
    with store.write() as unit:
        for meter_id in ids:
            row = meters_store.state(unit, meter_id)
            row.due_at = store.now() + timedelta(days=1)
            for name, value in values.items():
                setattr(row, name, value)


def wish(store, meter_id):
    with store.write() as unit:
        glances.ask(unit, meter_id, 1)


def outcome(store, meter_id):
    with store.read() as unit:
        return unit.session.get_one(Glance, meter_id), unit.session.get_one(MeterState, meter_id)


async def collecting(store, line, spec=SPEC, **more):
    stop = asyncio.Event()
    settings = CollectorSettings(open_link=line.open, now=store.now, look_every_s=0.01, **more)
    return asyncio.create_task(collect(store, plugins(spec), settings, stop=stop)), stop


async def until(is_so):
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.005)


async def once(store, line):
    settings = CollectorSettings(open_link=line.open, now=store.now)
    return await collect(store, plugins(SPEC), settings, once=True)


@pytest.mark.clause("T9.live-ask")
async def test_values_of_now_are_read_without_a_visit(store, clock):
    (meter_id,) = add(store, 1)
    rest(store, meter_id)
    wish(store, meter_id)
    line = ToyLine(ToyMeter(1, slots=20, can=CAN))
    await once(store, line)
    glance, state = outcome(store, meter_id)
    assert (glance.answered_at, glance.error_code) == (clock(), "")
    assert state.seen_at is None  # how the visits fare is another matter
    assert state.due_at == clock() + timedelta(days=1)
    asked = line.meters[1].asked
    assert asked.count("values") == 1
    assert not {"profile", "registers", "journal"} & set(asked)
    assert snapshots.of_meter(store, meter_id).snapshot is not None
    assert not line.meters[1].open  # it was told goodbye
    assert plan(lines.due(store)) == []


async def test_a_wish_that_nobody_waits_for_any_more_is_left(store, clock):
    (meter_id,) = add(store, 1)
    rest(store, meter_id)
    wish(store, meter_id)
    assert plan(lines.due(store))[0].glances
    clock.advance(seconds=lines.GLANCE_LASTS.total_seconds() + 1)
    assert plan(lines.due(store)) == []


async def test_a_line_that_waits_for_its_next_try_is_left_alone(store, clock):
    (meter_id,) = add(store, 1)
    rest(store, meter_id)
    with store.write() as unit:
        meters_store.change_line(unit, 1, next_try_at=store.now() + timedelta(hours=1))
    wish(store, meter_id)
    assert plan(lines.due(store)) == []


@pytest.mark.parametrize(
    ("toy", "code"),
    [
        ({"password": "other"}, "device.access_denied"),
        ({"can": "clock registers profile"}, "device.not_supported"),
    ],
)
async def test_a_failure_is_the_answer_and_no_mark_against_the_meter(store, clock, toy, code):
    (meter_id,) = add(store, 1)
    rest(store, meter_id)
    wish(store, meter_id)
    await once(store, ToyLine(ToyMeter(1, **{"can": CAN, **toy})))
    glance, state = outcome(store, meter_id)
    assert glance.error_code == code
    assert glance.answered_at is not None
    assert (state.failures, state.error_code, state.stopped) == (0, "", False)


async def test_a_line_that_is_down_is_said_to_be(store, clock):
    (meter_id,) = add(store, 1)
    rest(store, meter_id)
    wish(store, meter_id)
    line = ToyLine(ToyMeter(1, can=CAN))
    line.down = True
    await once(store, line)
    glance, _ = outcome(store, meter_id)
    assert glance.error_code == "line.down"
    with store.read() as unit:
        assert meters_store.line(unit, 1).down_since_at is not None


@pytest.mark.clause("T9.live-ask")
async def test_a_visit_that_runs_reads_them_between_two_pages_and_goes_on(store, clock):
    (meter_id,) = add(store, 1)
    line = ToyLine(ToyMeter(1, slots=40_000, can=CAN))
    toy = line.meters[1]
    task, stop = await collecting(store, line)
    await until(lambda: toy.asked.count("profile") > 3)
    for times in (2, 3):  # the first is the visit's own
        clock.advance(seconds=5)
        wish(store, meter_id)
        await until(lambda: outcome(store, meter_id)[0].answered_at is not None)
        assert toy.asked.count("values") == times
        pages = toy.asked.count("profile")
        await until(lambda pages=pages: toy.asked.count("profile") > pages)
    assert toy.asked.count("open") == 1  # it was not ended for that
    stop.set()
    await task


async def test_a_neighbours_visit_does_not_hold_it_up(store, clock):
    long, looked_at = add(store, 1, 2)
    rest(store, looked_at)
    line = ToyLine(ToyMeter(1, slots=40_000, can=CAN), ToyMeter(2, slots=10, can=CAN))
    task, stop = await collecting(store, line, at_a_time=1)
    await until(lambda: line.meters[1].asked.count("profile") > 3)
    wish(store, looked_at)
    await until(lambda: outcome(store, looked_at)[0].answered_at is not None)
    with store.read() as unit:
        assert meters_store.fare(unit, long).seen_at is None  # it is far from its end
    stop.set()
    await task


def test_nobody_without_the_lines_lease_settles_a_wish(store, clock):
    (meter_id,) = add(store, 1)
    wish(store, meter_id)
    lease = lines.claim(store, 1, "one", is_dead=lambda _: False)
    clock.advance(seconds=lines.TERM.total_seconds() + 1)
    lines.claim(store, 1, "two", is_dead=lambda _: False)
    with pytest.raises(LineBusy):
        live.failed(store, meter_id, "line.reply_timeout", lease=lease)
    assert outcome(store, meter_id)[0].answered_at is None
