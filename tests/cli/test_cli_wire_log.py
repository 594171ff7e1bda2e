"""``hub wire log``, ``record`` and ``replay``, as processes that work together."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from corefast.crc import seal
from hub.cli import run

CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
REQUEST = seal(bytes.fromhex("250801")).hex(" ").upper()
DENIED = seal(bytes.fromhex("2505")).hex(" ").upper()


@pytest.fixture
def wire(monkeypatch, capsys):
    for name in ("HUB_PLUGINS", "HUB_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*words):
        code = run(["wire", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "wire.log"
    path.write_text(
        f"""# 2026-11-24T10:00:00.000000Z tcp://g:1 open
# 2026-11-24T10:00:00.000000Z tcp://g:1 37
> 25 01 01 ** ** ** ** ** ** ** **
< {seal(bytes.fromhex("2500")).hex(" ").upper()}
# 0.0300 s
# 2026-11-24T10:00:01.500000Z tcp://g:1 37
> {REQUEST}
< {DENIED}
# 0.0312 s
# 2026-11-24T10:00:02.000000Z tcp://g:1 38
> {REQUEST}
! timeout
# 0.2500 s
"""
    )
    return path


def test_each_exchange_in_words(wire, log):
    code, out, err = wire("log", str(log), "--driver", "mercury234")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "2026-11-24 10:00:00.000  tcp://g:1  37  0.030 s  answered"
    assert lines[1] == "  > 25 01 01 ** ** ** ** ** ** ** **"
    assert lines[3].startswith("2026-11-24 10:00:01.500")
    assert lines[4] == f"  > {REQUEST}"
    assert "parameter 01" in lines[5]
    assert lines[6] == f"  < {DENIED}"
    assert "channel not open" in lines[7]
    assert lines[-1] == "3 exchanges: 2 answered, 1 timeout"


def test_a_part_of_it(wire, log):
    assert wire("log", str(log), "--failed")[1].splitlines()[-1] == "1 exchanges: 1 timeout"
    assert wire("log", str(log), "--key", "37")[1].splitlines()[-1] == "2 exchanges: 2 answered"
    assert wire("log", str(log), "--line", "tcp://h:1")[1] == "0 exchanges\n"
    assert "# 2026-11-24T10:00:00.000000Z tcp://g:1 open" in wire("log", str(log), "--remarks")[1]


def test_for_programs_it_is_an_object_a_line(wire, log):
    out = wire("log", str(log), "--driver", "mercury234", "--json")[1]
    masked, denied, silent = map(json.loads, out.splitlines())
    assert masked["explained"] is None
    remarked = wire("log", str(log), "--remarks", "--json")[1].splitlines()
    assert json.loads(remarked[0]) == {"remark": "2026-11-24T10:00:00.000000Z tcp://g:1 open"}
    assert denied["explained"]["decoded"]["status"] == 5
    assert (silent["verdict"], silent["received"], silent["seconds"]) == ("timeout", "", 0.25)


def test_what_is_no_log(wire, tmp_path):
    (tmp_path / "x").write_text("hello\n")
    code, _, err = wire("log", str(tmp_path / "x"))
    assert code == 2
    assert "Line 1 can't be read" in err


def test_it_follows_a_log_that_grows_and_is_turned_over(log):
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "wire", "log", str(log), "--follow"],
        stdout=subprocess.PIPE,
        text=True,
        env=CLEAN | {"PYTHONUNBUFFERED": "1"},
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert [process.stdout.readline()[:3] for _ in range(8)][-1] == "  >"
    with log.open("a") as file:
        file.write("# 2026-11-24T10:00:03.000000Z tcp://g:1 39\n> 27 ")
        file.flush()
        file.write("00\n! timeout\n# 0.1000 s\n")
    assert "39" in process.stdout.readline()
    assert process.stdout.readline() == "  > 27 00\n"
    log.replace(log.with_name("wire.log.1"))
    log.write_text("# 2026-11-24T10:00:04.000000Z tcp://g:1 40\n> 28 00\n! timeout\n# 0.1000 s\n")
    assert "40" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    process.stdout.close()
    watchdog.cancel()


def started(*words):
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN,
    )
    return process, process.stdout.readline().split()[1]


def ended(process):
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    return err


def test_a_meter_is_recorded_and_played(wire, tmp_path, capsys):
    kept = tmp_path / "kept.log"

    def read(line):
        words = ["meter", "read", line, "identity", "--driver", "mercury234", "--address", "48"]
        assert run([*words, "--password", "111111", "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    meters, line = started(
        "simulate", "mercury234", "--listen", "tcp://127.0.0.1:0", "--address", "48"
    )
    proxy, through = started(
        "wire", "record", line, "--listen", "tcp://127.0.0.1:0", "--log", str(kept),
        "--driver", "mercury234",
    )  # fmt: skip
    told = read(through)
    said = ended(proxy)
    meters.terminate()
    meters.communicate(timeout=30)
    assert f"exchanges in {kept}, 0 of them unanswered" in said
    assert "Masked in 1 requests: the secrets of 'open channel'." in said
    assert "01 01 01 01 01 01" not in kept.read_text()
    assert oct(kept.stat().st_mode & 0o777) == "0o600"

    player, line = started("wire", "replay", str(kept), "--listen", "tcp://127.0.0.1:0")
    assert read(line) == told
    assert "0 were not" in ended(player)
