"""Production line, runner and a driver on virtual time over bad lines: right values or errors."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
import wire_toy as toy
from virtual_time import StuckError, run_virtual, virtual_line, virtual_now

from hub.errors import LinkError
from hub.wire.faults import Faults
from hub.wire.line import Line
from hub.wire.runner import run

START = datetime(2026, 11, 1, tzinfo=UTC)


async def month(faults, *, days=2, meters=10, timing=toy.TIMING):
    """Read each meter once an hour; return what came, what failed, and the line's counters."""
    addresses = range(1, meters + 1)
    opener, address = virtual_line(toy.Toy(*addresses), faults=faults)
    good = wrong = failed = 0
    async with Line(opener, address, now=virtual_now) as line:

        async def visits(meter):
            nonlocal good, wrong, failed
            seat = line.seat(timing, interleave=True, is_mutating=toy.is_mutating, key=f"{meter}")
            for hour in range(24 * days):
                due = START + timedelta(hours=hour)
                await asyncio.sleep(max(0.0, (due - virtual_now()).total_seconds()))
                # neighbours in time have answers of one length: a late one would pass for this one
                code = 3 + 8 * (hour % 16)
                try:
                    frame = await run(toy.read(meter, code), seat, deadline=600)
                except LinkError:
                    failed += 1
                else:
                    good += frame == toy.answer(meter, code)
                    wrong += frame != toy.answer(meter, code)

        await asyncio.gather(*(visits(meter) for meter in addresses))
        return good, wrong, failed, line.stats


@pytest.mark.parametrize(
    "words",
    [
        ["loss=0.05"],
        ["bit=0.05"],
        ["damage=0.01"],
        ["late=0.05", "late_by=0.6"],
        ["half=0.05", "leading_ff=0.2"],
        ["loss=0.02", "damage=0.005", "late=0.05", "late_by=0.9", "half=0.02", "leading_ff=0.1"],
    ],
    ids=" ".join,
)
def test_noise_costs_time_and_never_truth(words):
    faults = Faults.parse(words, seed=1)
    good, wrong, failed, stats = run_virtual(month(faults), START)
    assert good + failed == 480
    assert wrong == 0
    assert failed <= 5
    assert stats.repeats > 0 or "half" not in words[0]


def test_a_late_reply_would_be_taken_without_the_quarantine():
    """The test above can fail: without quarantine the same line gives wrong values."""
    hasty = toy.Timing(first_byte_s=0.15, gap_s=0.005, late_reply_s=0.0)
    faults = Faults.parse(["late=0.9", "late_by=0.21"], seed=1)

    async def main():
        opener, address = virtual_line(toy.Toy(7), faults=faults)
        wrong = 0
        async with Line(opener, address, now=virtual_now, repeats=0) as line:
            seat = line.seat(hasty, interleave=True, is_mutating=toy.is_mutating, key="7")
            for code in range(3, 250, 8):
                try:
                    frame = await run(toy.read(7, code), seat, deadline=600)
                except LinkError:
                    continue
                wrong += frame != toy.answer(7, code)
        return wrong

    assert run_virtual(main(), START) > 0


def test_a_quiet_line_needs_no_repeats_and_its_time_is_the_wire_s():
    good, wrong, failed, stats = run_virtual(month(Faults(), days=1), START)
    assert (good, wrong, failed, stats.repeats) == (240, 0, 0, 0)
    assert (stats.asks, stats.timeouts, stats.garbled, stats.bytes_unasked) == (240, 0, 0, 0)
    # request, delay, answer: 4 and 11 bytes at 9600 and ten milliseconds
    assert stats.wire_s == pytest.approx(240 * (15 * 10 / 9600 + 0.01), rel=0.02)


def test_the_same_seed_is_the_same_month():
    runs = [run_virtual(month(Faults(loss=0.05, seed=5), days=1), START) for _ in range(2)]
    assert runs[0] == runs[1]


def test_virtual_time_jumps_runs_threads_inline_and_notices_a_dead_end():
    async def main():
        before = virtual_now()
        await asyncio.sleep(86400 * 365)
        return virtual_now() - before, await asyncio.to_thread(lambda: 7)

    assert run_virtual(main(), START) == (timedelta(days=365), 7)

    async def stuck():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError):
        run_virtual(stuck(), START)

    async def fails():
        await asyncio.to_thread(time.strptime, "x", "y")

    with pytest.raises(ValueError, match="x"):
        run_virtual(fails(), START)
