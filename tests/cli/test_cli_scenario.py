"""``hub simulate mercury234 --option scenario=...``."""

import os
import socket
import subprocess
import sys

import pytest

from corefast.crc import is_sealed, seal
from hub.cli import run

NOW = "2026-11-24T12:07:31+03:00"


@pytest.fixture
def tampered():
    """The address of a line whose meter is tampered with for a week."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "simulate", "mercury234", "--listen", "tcp://127.0.0.1:0",
         "--now", NOW, "--option", "scenario=tampering"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("HUB_")},
    )  # fmt: skip
    yield process.stdout.readline().split()[1]
    process.terminate()
    assert process.communicate(timeout=10) == ("", "")


def test_a_scenario_is_lived_through_before_the_meters_are_ready(tampered):
    host, _, port = tampered.removeprefix("tcp://").rpartition(":")
    answers = []
    with socket.create_connection((host, int(port)), timeout=10) as line:
        for request in ("01 01 01 01 01 01 01 01", "04 1A FF"):
            line.sendall(seal(bytes.fromhex(f"01 {request}")))
            answer = b""
            while not is_sealed(answer):
                answer += line.recv(64)
            answers.append(answer[1:-2])
    # The magnet came off for the third time on the sixth.
    assert answers == [b"\0", bytes.fromhex("000019051126 000006061126 02")]


def test_a_wrong_scenario_is_refused_with_its_key(tmp_path, capsys):
    file = tmp_path / "case.toml"
    file.write_text("[[event]]\nkind = 'dip'\npercent = 120\nat = '+1h'\nlasts = 5\n", "utf-8")
    given = ["simulate", "mercury234", "--listen", "tcp://127.0.0.1:0", "--option"]
    assert run([*given, f"scenario={file}"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "case.toml is wrong. event[1].percent is 120; it may be 0 to 99" in shown.err
    assert run([*given, "scenario=no-such-case"]) == 2
    assert "no-such-case can't be read" in capsys.readouterr().err
