"""``hub meter find`` against virtual Mercury meters on TCP and a pty."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from hub.cli import run

CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}


@pytest.fixture(scope="module")
def mercuries():
    """Start virtual Mercury meters; gives their line."""
    started = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "simulate", "mercury234", *options],
            stdout=subprocess.PIPE,
            text=True,
            env=CLEAN,
        )
        started.append(process)
        return process.stdout.readline().split()[1]

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def find(monkeypatch, capsys):
    for name in ("HUB_PLUGINS", "HUB_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*words):
        code = run(["meter", "find", *words, "--driver", "mercury234"])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def test_three_meters_behind_a_gateway(find, mercuries):
    line = mercuries("--listen", "tcp://127.0.0.1:0", "--meters", "3", "--address", "5")
    code, out, err = find(line, "--addresses", "4-7,9", "--json")
    answer = json.loads(out)
    assert code == 0
    assert [(one["kind"], one["address"], one["line"]) for one in answer["found"]] == [
        ("meter", address, line) for address in (5, 6, 7)
    ]
    assert len({one["serial"] for one in answer["found"]}) == 3
    assert answer["whole"] is True
    assert err == "5 addresses at 9600 8N1: 2 s at most, 2 s if all meters have one setting.\n"


def test_a_lone_meter_on_a_port(find, mercuries):
    line = mercuries("--serial", "--address", "48")
    code, out, _ = find(line, "--bauds", "9600")
    assert code == 0
    head, row = out.splitlines()
    assert head.split() == ["ADDRESS", "WHAT", "MAKER", "MODEL", "SERIAL", "LINE"]
    assert row.split()[:3] == ["48", "meter", "Incotex"]
    assert row.endswith(line)


def test_what_was_found_can_be_read(find, mercuries, capsys):
    line = mercuries("--listen", "tcp://127.0.0.1:0", "--address", "9")
    (one,) = json.loads(find(line, "--json")[1])["found"]
    words = ["meter", "read", one["line"], "identity", "--driver", "mercury234", "--json"]
    assert run([*words, "--address", str(one["address"]), "--password", "111111"]) == 0
    assert json.loads(capsys.readouterr().out)["serial"] == one["serial"]


def test_nobody_is_exit_code_1(find, mercuries):
    line = mercuries("--listen", "tcp://127.0.0.1:0", "--address", "9", "--fault", "loss=1")
    code, out, _ = find(line, "--addresses", "1-2")
    assert (code, out) == (1, "No meter was found.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--addresses", "1-"), "'1-' is no number or range"),
        (("--addresses", "9-1"), "'9-1' is no range"),
        (("--addresses", "1-999999999"), "is no range"),
        (("--bauds", "fast"), "'fast' is no number"),
        (("--parities", "N,X"), "'N,X' are no parities"),
    ],
)
def test_what_can_not_be_searched(find, options, said):
    code, _, err = find("tcp://127.0.0.1:1", *options)
    assert code == 2
    assert said in err


def test_a_line_that_is_down(find):
    code, _, err = find("tcp://127.0.0.1:1")
    assert code == 1
    assert "Nothing listens at 127.0.0.1:1" in err


def test_interrupted_it_shows_what_was_found(mercuries):
    line = mercuries("--listen", "tcp://127.0.0.1:0", "--meters", "2", "--address", "1")
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "meter", "find", f"{line}?latency=0.3", "--json",
         "--driver", "mercury234", "--everywhere"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN,
        # a shell lets what it runs in the background ignore the key, and Python would go by that
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    )  # fmt: skip
    assert "addresses at" in process.stderr.readline()
    time.sleep(8)  # both have answered long since, and there are 238 addresses to go
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    answer = json.loads(out)
    assert process.returncode == 130
    assert answer["whole"] is False
    assert [one["address"] for one in answer["found"]] == [1, 2]
