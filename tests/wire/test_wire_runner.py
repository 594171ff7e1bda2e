"""The runner: steps, foreign awaits, budgets, deadlines, and a goodbye on every way out."""

import asyncio

import pytest
import wire_toy as toy
from virtual_time import run_virtual
from wire_script import START

from hub.errors import Abandoned, AccessDenied, ContractBroken, ReplyTimeout
from hub.plugins.api import Reply, ask, rest
from hub.wire.runner import run


class Meters:
    """An exchange that answers each ask after ten milliseconds, and remembers them."""

    def __init__(self, *, hang_at=None):
        self.asked = []
        self.hang_at = hang_at

    async def __call__(self, step):
        self.asked.append(step.request)
        if len(self.asked) == self.hang_at:
            await asyncio.sleep(1e6)
        await asyncio.sleep(0.01)
        return Reply(toy.answer(step.request[0], step.request[1]), START, START)


def runs(talk, exchange, deadline=100.0, **more):
    return run_virtual(run(talk, exchange, deadline=deadline, **more), START)


def test_a_visit_runs_to_its_result():
    meters = Meters()
    assert runs(toy.visit(7, [3, 4]), meters) == [toy.answer(7, 3), toy.answer(7, 4)]
    assert meters.asked == [toy.request(7, code) for code in (toy.HELLO, 3, 4, toy.BYE)]


def test_rest_takes_time_and_a_bad_rest_is_the_plugins_fault():
    async def rests():
        await rest(3600)
        return 1

    async def main():
        result = await run(rests(), Meters(), deadline=4000)
        return result, asyncio.get_running_loop().time()

    assert run_virtual(main(), START) == (1, 3600)

    async def impatient(seconds):
        await rest(seconds)

    for seconds in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ContractBroken, match="rest"):
            runs(impatient(seconds), Meters())


def test_what_the_driver_raises_comes_out_and_the_goodbye_was_its_own():
    async def refused():
        async with toy.Channel(7):
            raise AccessDenied

    meters = Meters()
    with pytest.raises(AccessDenied):
        runs(refused(), meters)
    assert meters.asked[-1] == toy.request(7, toy.BYE)


def test_a_link_error_is_thrown_in_at_the_await_and_can_be_handled():
    async def silent(_step):
        raise ReplyTimeout

    async def handles():
        try:
            await toy.read(7, 3)
        except ReplyTimeout:
            return "silence"

    assert runs(handles(), silent) == "silence"
    with pytest.raises(ReplyTimeout):
        runs(toy.read(7, 3), silent)


@pytest.mark.parametrize("foreign", [lambda: asyncio.sleep(0), lambda: asyncio.sleep(1)])
def test_a_foreign_await_is_a_broken_contract_and_still_says_goodbye(foreign):
    async def strays():
        async with toy.Channel(7):
            await foreign()

    meters = Meters()
    with pytest.raises(ContractBroken, match="awaited"):
        runs(strays(), meters)
    assert meters.asked == [toy.request(7, toy.HELLO), toy.request(7, toy.BYE)]


def test_what_is_no_conversation_is_a_broken_contract():
    with pytest.raises(ContractBroken, match="async def"):
        runs(42, Meters())


def test_a_spent_budget_is_a_broken_contract():
    with pytest.raises(ContractBroken, match="more than 10 steps"):
        runs(toy.visit(7, [3] * 10), Meters(), budget=10)


def test_a_driver_that_never_ends_is_stopped_by_the_deadline():
    async def for_ever():
        async with toy.Channel(7):
            while True:
                await toy.read(7, 3)

    meters = Meters()
    with pytest.raises(Abandoned, match="within its 5 s"):
        runs(for_ever(), meters, deadline=5)
    assert meters.asked[-1] == toy.request(7, toy.BYE)


def test_the_deadline_holds_for_a_driver_that_lets_nobody_else_run():
    asked = []

    async def at_once(step):
        asked.append(step)
        asyncio.get_running_loop().jump(1.0)
        return Reply(b"", START, START)

    async def greedy():
        while True:
            await toy.read(7, 3)

    with pytest.raises(Abandoned, match="within its 5 s"):
        runs(greedy(), at_once, deadline=5)
    assert len(asked) <= 5


async def cancelled_at(meters, talk):
    task = asyncio.create_task(run(talk, meters, deadline=1e9))
    await asyncio.sleep(100)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("step", range(1, 6))
def test_cancelled_at_every_step_it_says_goodbye_and_then_is_silent(step):
    meters = Meters(hang_at=step)
    run_virtual(cancelled_at(meters, toy.visit(7, [3, 4, 5])), START)
    codes = [frame[1] for frame in meters.asked]
    assert codes[:step] == [toy.HELLO, 3, 4, 5, toy.BYE][:step]
    # no channel yet: nothing to close. The goodbye itself was cut off: it is not said twice
    assert codes[step:] == ([] if step in (1, 5) else [toy.BYE])


def test_no_more_than_two_closing_frames_leave():
    closed = []

    async def talkative():
        try:
            await toy.read(7, 3)
        finally:
            try:
                for code in range(10, 20):
                    await toy.read(7, code)
            finally:
                closed.append(True)

    meters = Meters(hang_at=1)
    run_virtual(cancelled_at(meters, talkative()), START)
    assert [frame[1] for frame in meters.asked] == [3, 10, 11]
    assert closed == [True]


def test_a_driver_that_swallows_everything_is_closed_all_the_same():
    async def deaf():
        for _ in range(10):
            try:
                await toy.read(7, 3)
            except BaseException:  # noqa: BLE001, S112 - that is its fault
                continue

    meters = Meters(hang_at=1)
    talk = deaf()
    run_virtual(cancelled_at(meters, talk), START)
    assert len(meters.asked) == 3
    assert talk.cr_frame is None


def test_trouble_while_saying_goodbye_goes_along_with_the_reason():
    async def clumsy():
        try:
            await asyncio.sleep(1)
        finally:
            raise ValueError("oops")

    with pytest.raises(ContractBroken) as caught:
        runs(clumsy(), Meters())
    assert caught.value.__notes__ == ["While saying goodbye: ValueError: oops"]


def test_closing_rests_are_short():
    async def sleepy():
        try:
            await toy.read(7, 3)
        finally:
            await rest(3600)
            await ask(toy.request(7, toy.BYE), toy.rule(7, toy.BYE))

    async def main():
        meters = Meters(hang_at=1)
        await cancelled_at(meters, sleepy())
        return len(meters.asked), asyncio.get_running_loop().time()

    asked, at = run_virtual(main(), START)
    assert asked == 2
    assert at < 110


def test_cancelled_twice_it_stops_at_once():
    async def main():
        meters = Meters(hang_at=2)
        task = asyncio.create_task(run(toy.visit(7, [3]), meters, deadline=1e9))
        await asyncio.sleep(1)
        meters.hang_at = 3
        task.cancel()
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), len(meters.asked)

    assert run_virtual(main(), START) == (True, 3)
