"""Pauses of many lines on one timer: each lasts as long as it should."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import run_virtual
from wire_script import START

from hub.wire.pauses import pauses


@given(
    st.lists(
        st.tuples(st.floats(0, 3), st.sampled_from([0.005, 0.025]), st.floats(0, 1), st.booleans()),
        max_size=30,
    )
)
def test_each_pause_ends_when_it_should_and_not_before(lines):
    """(when a line stops talking, its gap, how much of it is over, whether it is given up)."""

    async def rest(begins, gap_s, over, given_up):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(begins)
        ends = loop.time() + gap_s * (1 - over)
        waiting = asyncio.ensure_future(pauses(gap_s).until(ends))
        if given_up:
            loop.call_later(gap_s / 3, waiting.cancel)
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            assert loop.time() == pytest.approx(ends, abs=1e-5)

    async def main():
        await asyncio.gather(*(rest(*line) for line in lines))

    run_virtual(main(), START)


def test_loops_do_not_share_their_pauses():
    async def mine():
        assert pauses(0.005) is pauses(0.005)
        assert pauses(0.005) is not pauses(0.025)
        return pauses(0.005)

    assert run_virtual(mine(), START) is not run_virtual(mine(), START)
