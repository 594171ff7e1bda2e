"""Capabilities by firmware, in memory; over real lines: ``make proof capabilities``."""

import asyncio

import pytest
from mercury_blocking import Blocking
from proof.capabilities import ADDRESS, ALL, NOW, PERSONALITIES, SPEC, TABLE, Asked, Probe, parse

from hub.plugins.api import SimulatorSettings

PRINTED = parse(TABLE.read_text(encoding="utf-8"))


def column(options):
    asked = Asked(set(), set())
    settings = {"now": NOW.isoformat()} | ALL | options
    meters = SPEC.simulator(SimulatorSettings(address=ADDRESS, seed=7, options=settings))

    def answer(request, now):
        data = b"".join(frame for _, frame in meters.receive(request, now))
        asked.see(request, data)
        return data

    line = Blocking(answer, NOW)

    async def have(talk, act):
        line.leave = act
        return line.run(talk)

    return asyncio.run(Probe(have, asked)())


@pytest.mark.parametrize("name", PERSONALITIES)
def test_the_printed_table_is_what_the_driver_does(name):
    assert column(PERSONALITIES[name]) == PRINTED[name]


def test_the_printed_table_has_every_personality():
    assert PRINTED.keys() == PERSONALITIES.keys()
