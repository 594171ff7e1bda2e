"""Lines whose gateways call the collector, on real sockets."""

import asyncio
import dataclasses
import json
import socket
from datetime import timedelta

import pytest
from sqlmodel import select
from toy import SPEC, ToyMeter, plugins

from hub.collector.loop import CollectorSettings, collect
from hub.collector.plan import called_lines
from hub.plugins.api import Timing
from hub.services import lines, meters
from hub.store.tables import Line, MeterState
from hub.wire.address import parse_line
from hub.wire.serve import serving

# patience for a busy machine: a right answer never waits for it
PATIENT = dataclasses.replace(SPEC, timing=lambda baud: Timing(10.0, 0.0, 0.001))


class Meters:
    """Toy meters as a simulator."""

    def __init__(self, *toys):
        self.toys = {toy.address: toy for toy in toys}

    def receive(self, data, now):
        message = json.loads(data)
        answer = self.toys[message["to"]].answer(message)
        return [(0.0, json.dumps(answer).encode() + b"\n")]


@pytest.fixture
def line(store):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    return f"listen://127.0.0.1:{port}/860000000000001?latency=0"


def row(store, table):
    with store.read() as unit:
        return unit.session.exec(select(table)).one()


async def test_a_gateway_that_calls_is_read(store, line):
    meters.add_meter(store, line=line, driver="toy", settings='{"address": 1}')
    toy = ToyMeter(1, slots=100)
    async with serving(Meters(toy), parse_line(line)):
        outcome = await collect(
            store, plugins(PATIENT), CollectorSettings(now=store.now), once=True
        )
    assert (outcome.visited, outcome.failed) == (1, {})


async def test_one_that_calls_late_is_read_when_it_calls(store, line):
    store.clock = None
    meter_id = meters.add_meter(store, line=line, driver="toy", settings='{"address": 1}')
    meters.start_again(store, meter_id)
    stop = asyncio.Event()
    collecting = asyncio.create_task(
        collect(
            store, plugins(PATIENT), CollectorSettings(look_every_s=0.05, call_s=0.01), stop=stop
        )
    )
    async with asyncio.timeout(60):
        while row(store, Line).down_since_at is None:  # noqa: ASYNC110 - another process's row
            await asyncio.sleep(0.02)
        assert "860000000000001 has not called" in row(store, Line).error_text
        assert row(store, Line).next_try_at > store.now() + timedelta(seconds=20)
        async with serving(Meters(ToyMeter(1, slots=10)), parse_line(line)):
            while row(store, MeterState).seen_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            stop.set()
            await collecting
    assert row(store, Line).down_since_at is None


def test_lines_out_of_reach_are_not_listened_for(store, line):
    meters.add_meter(store, line=line, driver="toy", settings="{}")
    meters.add_meter(store, line="tcp://h:1", driver="toy", settings="{}")
    meters.add_meter(store, line="listen://h:1/", driver="toy", settings="{}")
    assert called_lines(lines.due(store)) == [parse_line(line)]
    with store.write() as unit:
        unit.session.exec(select(Line).where(Line.address == line)).one().reach = "roof"
    assert called_lines(lines.due(store)) == []
    assert called_lines(lines.due(store), reach=["roof"]) == [parse_line(line)]
