"""Conversations without ``async``, against functions and over the production line."""

import re
import socket
import subprocess
import sys
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest
import wire_toy as toy

from hub.errors import Abandoned, ContractBroken, LineDown, ReplyTimeout
from hub.plugins.api import Ask, Reply, rest
from hub.wire.blocking import BlockingLine, run_blocking

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GUIDE = Path(__file__).parents[2] / "docs/guide/scripts.md"


class Answers:
    """An exchange that is a function."""

    def __init__(self, *, silent_at=()):
        self.toy = toy.Toy(7)
        self.silent_at = silent_at

    def __call__(self, step: Ask) -> Reply:
        answers = self.toy.receive(step.request, NOON)
        if len(self.toy.heard) in self.silent_at:
            raise ReplyTimeout
        return Reply(answers[0][1], NOON, NOON)


def test_a_conversation_against_a_function():
    answers = Answers()
    assert run_blocking(toy.visit(7, [3, 4]), answers) == [toy.answer(7, 3), toy.answer(7, 4)]
    assert answers.toy.heard == [toy.request(7, code) for code in (toy.HELLO, 3, 4, toy.BYE)]


def test_what_the_line_did_not_carry_is_the_driver_s_to_catch():
    answers = Answers(silent_at={2})
    with pytest.raises(ReplyTimeout):
        run_blocking(toy.visit(7, [3]), answers)
    assert answers.toy.heard[-1] == toy.request(7, toy.BYE)


def test_rests_are_slept():
    slept = []

    async def talk():
        await rest(2.5)
        return "rested"

    assert run_blocking(talk(), Answers(), sleep=slept.append) == "rested"
    assert slept == [2.5]


async def babbles():
    async with toy.Channel(7):
        while True:
            await toy.read(7, 3)


@pytest.mark.parametrize(
    ("limits", "error"), [({"deadline": 0}, Abandoned), ({"budget": 5}, ContractBroken)]
)
def test_one_without_end_is_stopped_with_a_goodbye(limits, error):
    answers = Answers()
    with pytest.raises(error):
        run_blocking(babbles(), answers, **limits)
    said = [frame[1] for frame in answers.toy.heard]
    assert said.count(toy.BYE) == (1 if error is ContractBroken else 0)


def test_ctrl_c_says_goodbye():
    answers = Answers()

    def exchange(step):
        if len(answers.toy.heard) == 2 and step.request != toy.request(7, toy.BYE):
            raise KeyboardInterrupt
        return answers(step)

    with pytest.raises(KeyboardInterrupt):
        run_blocking(babbles(), exchange)
    assert answers.toy.heard[-1] == toy.request(7, toy.BYE)


def test_a_foreign_await_is_the_plugin_s_fault():
    @types.coroutine
    def foreign():
        yield "something else"

    async def talk():
        await foreign()

    with pytest.raises(ContractBroken, match="neither ask"):
        run_blocking(talk(), Answers())


class Spec:
    interleave = True
    timing = staticmethod(lambda baud: toy.TIMING)
    is_mutating = staticmethod(toy.is_mutating)


def test_a_line_that_is_down_is_a_sentence():
    with BlockingLine("tcp://127.0.0.1:1", Spec) as line, pytest.raises(LineDown, match="Nothing"):
        run_blocking(toy.visit(7, [3]), line)
    line.close()


def test_nothing_that_changes_a_meter_leaves():
    async def talk():
        await toy.read(7, toy.CHANGE)

    with socket.create_server(("127.0.0.1", 0)) as gateway:
        line = f"tcp://127.0.0.1:{gateway.getsockname()[1]}"
        with BlockingLine(line, Spec) as exchange, pytest.raises(ContractBroken, match="changes"):
            run_blocking(talk(), exchange)
        connection, _ = gateway.accept()
        with connection:
            assert connection.recv(100) == b""


def test_the_guide_s_script_reads_a_meter():
    (script,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    meters = subprocess.Popen(
        [sys.executable, "-m", "hub", "simulate", "mercury234", "--listen", "tcp://127.0.0.1:0",
         "--address", "48"],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        line = meters.stdout.readline().split()[1]
        script = script.replace("tcp://192.0.2.10:4001", line)
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
        )
    finally:
        meters.terminate()
        meters.communicate(timeout=30)
    assert done.stderr == ""
    serial, *registers = done.stdout.splitlines()
    assert serial.isdigit()
    assert any(re.fullmatch(r"1\.8\.0 now \d+ Wh", each) for each in registers)
