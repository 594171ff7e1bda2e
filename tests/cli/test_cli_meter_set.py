"""``hub meter set`` and the reads beside it, against a virtual Mercury over TCP."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from hub.cli import run
from hub.cli.meter_set import InPerson
from hub.domain.consent import Consent

# The meters' zone is one where it is about noon: corrections about midnight are refused.
BASE = (12 - datetime.now(UTC).hour) * 60


@pytest.fixture(scope="module")
def line():
    """Meters 1 to 6, of which each test that changes one has its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "simulate", "mercury234", "--listen", "tcp://127.0.0.1:0",
         "--meters", "6", "--option", "drift=100", "--option", f"clock_base={BASE}"],
        stdout=subprocess.PIPE, text=True, env=clean | {"HUB_PLUGINS": "mercury234"},
    )  # fmt: skip
    yield process.stdout.readline().split()[1]
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(autouse=True)
def mercury(monkeypatch):
    monkeypatch.setenv("HUB_PLUGINS", "mercury234")
    monkeypatch.delenv("HUB_METER_PASSWORD", raising=False)


def hub(line, command, what, *options, address=1):
    return run(
        [
            "meter",
            command,
            line,
            what,
            "--driver=mercury234",
            f"--address={address}",
            f"--clock-base={BASE}",
            *options,
        ]
    )


def read(capsys, line, what, address=1):
    assert hub(line, "read", what, "--json", address=address) == 0
    return json.loads(capsys.readouterr().out)


def change(capsys, line, what, *options, address=1, code=0):
    assert hub(line, "set", what, "--yes", "--json", *options, address=address) == code
    answer = json.loads(capsys.readouterr().out)
    assert answer["meter"].endswith(f"{address:03d}")
    return answer["act"], answer["outcome"]


def test_snapshot_is_in_the_names_of_the_papers(capsys, line):
    values = {each["obis"]: each for each in read(capsys, line, "snapshot")["values"]}
    assert values["32.7.0"]["unit"] == "V"
    assert 180 < float(values["32.7.0"]["value"]) < 260
    assert {"1.7.0", "3.7.0", "9.7.0", "13.7.0", "14.7.0", "31.7.0", "81.7.12"} <= set(values)


def test_state_has_everything_and_says_nothing_it_does_not_know(capsys, line):
    state = read(capsys, line, "state")
    assert state["faults"] == []
    assert state["tariff"] in {1, 2}
    assert state["load_on"] is True
    assert state["power_limit"]["unit"] == "W"
    assert {each["unit"] for each in state["maxima"]} == {"W", "var"}
    assert hub(line, "read", "state") == 0
    shown = capsys.readouterr().out
    assert "load_on" in shown
    assert "{" not in shown


def test_what_was_latched_is_read_with_its_time(capsys, line):
    assert change(capsys, line, "fix", address=2) == ("fix", "confirmed")
    fixed = read(capsys, line, "fixed", address=2)
    ago = datetime.now(UTC) + timedelta(minutes=BASE, seconds=100)
    ago -= datetime.fromisoformat(fixed["fixed"]).replace(tzinfo=UTC)
    assert timedelta(0) <= ago < timedelta(minutes=5)
    assert {"1.8.0", "1.8.1", "1.7.0", "72.7.0"} <= {each["obis"] for each in fixed["values"]}
    assert hub(line, "read", "fixed", address=2) == 0
    assert capsys.readouterr().out.startswith(f"Latched at {fixed['fixed']}.")


def test_fast_clock_is_corrected_once_a_day(capsys, line):
    assert change(capsys, line, "clock", "--nudge", address=3) == ("correct_clock", "started")
    assert change(capsys, line, "clock", "--nudge", address=3, code=1) == (
        "correct_clock", "refused",
    )  # fmt: skip
    assert "E-47" in read(capsys, line, "state", address=3)["faults"]
    for tongue, words in (("en", "the clock is being corrected"), ("ru", "идет коррекция времени")):
        assert hub(line, "read", "state", f"--language={tongue}", address=3) == 0
        assert words in capsys.readouterr().out


def test_clock_is_set_as_an_act_of_its_own(capsys, line):
    assert change(capsys, line, "clock", "--set", address=4) == ("set_clock", "confirmed")
    assert abs(read(capsys, line, "clock", address=4)["drift_s"]) < 3


def test_load_and_limits_are_the_owners(capsys, line):
    assert change(capsys, line, "relay", "--off", address=5) == ("switch_relay", "confirmed")
    assert read(capsys, line, "state", address=5)["load_off_by"] == ["order"]
    assert change(
        capsys, line, "limits", "--power=1500.5", "--power-control=on", "--energy=1=70000",
        "--energy-control=off", address=5,
    ) == ("set_limits", "confirmed")  # fmt: skip
    state = read(capsys, line, "state", address=5)
    assert state["power_limit"] == {"value": "1500.50", "unit": "W"}
    assert state["energy_limits"]["1"] == {"value": 70000, "unit": "Wh"}
    assert "power_limit" in state["controls"]


def test_leave_is_written_down_and_no_password(capsys, line, tmp_path):
    log = tmp_path / "wire.log"
    options = ["--on", f"--wire-log={log}", "--reason=back to work", "--password=222222"]
    assert change(capsys, line, "relay", *options, address=6)[1] == "confirmed"
    text = log.read_text("ascii")
    assert "switch_relay at meter" in text
    assert "reason: back to work" in text
    assert "06 03 31 00" in text
    assert "02 02 02 02 02 02" not in text
    assert log.stat().st_mode & 0o077 == 0


class Terminal:
    """A stdin that somebody sits at, or not."""

    def __init__(self, says="", *, there=True):
        self.says, self.there = says, there

    def isatty(self):
        return self.there

    def readline(self, *_):
        return self.says


@pytest.mark.parametrize(("says", "code"), [("n\n", 1), ("y\n", 0)])
def test_person_at_the_terminal_is_asked_with_the_warning(capsys, monkeypatch, line, says, code):
    monkeypatch.setattr(sys, "stdin", Terminal(says))
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: says.strip())
    assert hub(line, "set", "clock", "--set", address=6) == code
    shown = capsys.readouterr()
    assert "serial number" in shown.err
    assert "may upset the order of the meter's archives" in shown.err
    assert ("Nothing was sent." in shown.err) is (code == 1)
    assert shown.out == ("" if code else "Done, and read back from the meter.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["clock", "--yes"], 2, "--nudge to correct the clock, or --set"),
        (["clock", "--nudge", "--set", "--yes"], 2, "--nudge to correct the clock, or --set"),
        (["relay", "--yes"], 2, "Say --on or --off"),
        (["limits", "--yes"], 2, "Say which limit"),
        (["limits", "--on", "--yes"], 2, "That is for 'relay'"),
        (["fix", "--power=5", "--yes"], 2, "That is for 'limits'"),
        (["relay", "--off", "--nudge", "--yes"], 2, "That is for 'clock'"),
        (["limits", "--power=five", "--yes"], 2, "is no number"),
        (["limits", "--energy=5", "--yes"], 2, "is not KEY=VALUE"),
        (["limits", "--energy=T1=5", "--yes"], 2, "has no tariff number"),
        (["limits", "--energy=7=5", "--yes"], 2, "no tariff 7"),
        (["relay", "--off"], 2, "say --yes"),
        (["relay", "--off", "--yes", "--password=654321"], 1, "refused the password of level 2"),
        (["clock", "--nudge", "--yes", f"--clock-base={BASE + 60}"], 2, "240 s a day"),
        (["password", "--yes"], 2, "'password' is not one of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(capsys, monkeypatch, line, arguments, code, said):
    monkeypatch.setattr(sys, "stdin", Terminal(there=False))
    assert hub(line, "set", *arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1


async def test_leave_is_spent_once_and_runs_out():
    now = datetime.now(UTC)

    def leave(minutes):
        return InPerson(
            Consent(act="fix", target="1", actor="me", reason="",
                    until=now + timedelta(minutes=minutes))
        )  # fmt: skip

    fresh = leave(1)
    assert [await fresh.spend(), await fresh.spend()] == [True, False]
    assert not await leave(-1).spend()
