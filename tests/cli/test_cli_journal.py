"""``hub meter read … journal`` of a virtual Mercury that was tampered with, over TCP."""

import json
import os
import subprocess
import sys

import pytest

from hub.cli import run

NOW = "2026-11-24T10:00:00+03:00"


@pytest.fixture(scope="module")
def line():
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    told = ["--listen", "tcp://127.0.0.1:0", "--option", "scenario=tampering", "--now", NOW]
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "simulate", "mercury234", *told],
        stdout=subprocess.PIPE,
        text=True,
        env=clean,
    ) as process:
        yield process.stdout.readline().split()[1]
        process.terminate()
        assert process.wait(10) == 0


def read(capsys, line, *options):
    asked = ["meter", "read", line, "journal", "--driver", "mercury234", "--address", "1"]
    code = run([*asked, *options])
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    return shown.out


def test_events_are_told_as_json_and_in_either_language(capsys, line):
    told = json.loads(read(capsys, line, "--book", "1a", "--json"))
    assert told["lost"] == []
    assert told["events"][0] == {
        "book": "1A",
        "kind": "magnetic_field",
        "began": "2026-11-03T19:00:00",
        "ended": "2026-11-04T06:00:00",
        "detail": {},
        "text": "On 3 November 2026 at 19:00 the meter was in a magnetic field, for 11 hours",
    }
    told = json.loads(
        read(capsys, line, "--book", "02", "--book", "13", "--json", "--language", "ru")
    )
    texts = {event["kind"]: event["text"] for event in told["events"]}
    assert texts["clock_corrected"] == (
        "8 ноября 2026 в 12:10 часы переведены на 1 час 30 минут назад, с 12:10:00 на 10:40:00"
    )
    assert texts["parameters_written"] == "8 ноября 2026 параметры записывались 1 раз"


def test_people_read_sentences_by_journal(capsys, line):
    shown = read(capsys, line, "--language", "ru", "--since", "2026-11-01").splitlines()
    assert shown[0] == "02  Коррекции часов"
    assert "12  Вскрытие корпуса" in shown
    assert "    2 ноября 2026 в 20:15 вскрыт корпус счетчика, на 22 минуты" in shown
    assert not any(line.startswith("09") for line in shown)  # of years ago
    shown = read(capsys, line, "--until", "2020-01-01")
    assert shown == "No entries.\n"


def test_a_journal_that_is_not_there_is_said(capsys, line):
    asked = ["meter", "read", line, "journal", "--driver", "mercury234", "--address", "1"]
    assert run([*asked, "--book", "77"]) == 1
    assert "has no journal 77; it has: 01, 02" in capsys.readouterr().err
