"""What goes wrong around the collector and the database: one sentence, the next step, nothing lost.

Real commands in processes of their own. What a bad meter makes of ``hub meter read`` is in
``test_bad_meter``.
"""

import ctypes
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import serial
from proof.equality import Served

from hub.collector import holder
from hub.services import lines
from hub.services.lines import Lease
from hub.services.meters import add_meter
from hub.store.secrets import new_key
from hub.store.unit import Store

pytestmark = pytest.mark.e2e

KEY = new_key()
DROP_CAPABILITY, WRITE_ANYWHERE = 24, 1  # prctl's PR_CAPBSET_DROP and CAP_DAC_OVERRIDE


def like_anybody():
    """Take from root the right to write where nobody may; others never had it."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(DROP_CAPABILITY, WRITE_ANYWHERE, 0, 0, 0)


def run(folder, *words, user=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.run(
        [sys.executable, "-m", "hub", *words],
        env=clean | {"HUB_DATA_DIR": str(folder), "HUB_KEYS": KEY, "HUB_LOG_LEVEL": "error"},
        capture_output=True, text=True, check=False, timeout=120, preexec_fn=user,
    )  # fmt: skip


def fails(done, *words, code=1):
    """One line on stderr, with these words in it, and no traceback."""
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


def opened(folder):
    return Store.open(f"sqlite:///{folder}/hub.db", keys=[KEY])


@pytest.fixture
def data(tmp_path):
    """Give a data folder with a database in it."""
    folder = tmp_path / "data"
    folder.mkdir()
    store = opened(folder)
    store.upgrade()
    store.close()
    return folder


@pytest.fixture(scope="module")
def served():
    """Give virtual meters whose history is a few days long."""
    one = Served({"since": f"{datetime.now(UTC) - timedelta(days=5):%Y-%m-%d}"}, now=None)
    yield one
    one.stop()


def add(folder, line, address=2, password="111111"):
    store = opened(folder)
    try:
        settings = f'{{"address": {address}, "password": "{password}"}}'
        return add_meter(store, line=line, driver="mercury234", settings=settings)
    finally:
        store.close()


def rows(folder, table):
    with sqlite3.connect(folder / "hub.db") as base:
        return base.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608


def collected(folder, *words):
    """``hub collect --once`` that fails: a line for who failed, and the sum."""
    done = run(folder, "collect", "--once")
    assert (done.returncode, done.stdout) == (1, "")
    told = done.stderr.splitlines()
    said = [line for line in told if line.startswith(("meter ", "tcp://", "serial://"))]
    assert len(said) == 1
    assert told[-1] == "0 read, 1 not"
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in said[0]


def test_a_wrong_password_is_named(data, served):
    add(data, served.line, password="654321")
    collected(data, "meter 1: ", "refused the password", "set it anew")
    assert "654321" not in str(rows(data, "meter_state"))
    assert run(data, "collect", "--once").stderr == "0 read, 0 not\n"  # it waits for a person


def test_an_unknown_address_is_named(data, served):
    add(data, served.line, address=77)
    collected(data, "meter 1: No answer", "check the address")


def test_a_dead_line_is_named(data):
    ended = Served({}, now=None)
    ended.stop()
    add(data, ended.line)
    collected(data, f"{ended.line}: Nothing listens at 127.0.0.1", "start the gateway")


def test_garbled_answers_are_named(data):
    noisy = Served({}, ["damage=0.5", "seed=4"], now=None)
    try:
        add(data, noisy.line)
        collected(data, "meter 1: ", "check ")
    finally:
        noisy.stop()


def test_a_second_collector_is_told_who_holds_the_line(data, served):
    add(data, served.line)
    store = opened(data)
    try:
        held = lines.claim(store, 1, holder.own_name(), is_dead=holder.is_dead)
        assert isinstance(held, Lease)
        collected(data, "Another collector holds the line", "stop it, or let it do the work")
        assert lines.renew(store, held)  # it was left alone
        lines.release(store, held)
    finally:
        store.close()
    done = run(data, "collect", "--once")
    assert (done.returncode, done.stderr) == (0, "1 read, 0 not\n")


def test_a_port_that_another_process_uses_is_left_to_it(tmp_path):
    served = Served({}, pty=True, now=None)
    try:
        device = served.line.removeprefix("serial://").partition("?")[0]
        with serial.Serial(device, exclusive=True):
            fails(served.asked("clock"), f"Another process holds {device}", "stop it")
        assert served.asked("clock").returncode == 0
    finally:
        served.stop()


@pytest.mark.parametrize("words", [("collect", "--once"), ("db", "upgrade"), ("serve", "--port=0")])
def test_a_folder_that_may_not_be_made_is_named(tmp_path, words):
    tmp_path.chmod(0o555)
    try:
        done = run(tmp_path / "data", *words, user=like_anybody)
    finally:
        tmp_path.chmod(0o755)
    fails(done, str(tmp_path / "data"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("collect", "--once"), ("db", "upgrade")])
def test_a_database_in_a_folder_that_is_read_only_is_named(data, served, words):
    add(data, served.line)
    before = {table: rows(data, table) for table in ("meter", "line", "meter_state", "block")}
    files = sorted(data.iterdir())
    for each in files:
        each.chmod(0o444)
    data.chmod(0o555)
    try:
        done = run(data, *words, user=like_anybody)
    finally:
        data.chmod(0o755)
        for each in files:
            each.chmod(0o644)
    fails(done, f"{data} can't be written", "give this user write access")
    assert {table: rows(data, table) for table in before} == before


def test_a_damaged_block_is_found_repaired_and_read_again(data, served):
    add(data, served.line)
    assert run(data, "collect", "--once").returncode == 0
    assert run(data, "db", "check").stdout == "The database is well.\n"
    before = rows(data, "block")
    day = before[-1][1]
    with sqlite3.connect(data / "hub.db") as base:
        base.execute("UPDATE block SET body = ? WHERE day = ?", (before[-1][2][:-3], day))
    found = run(data, "db", "check")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.count("\n") == 1
    assert "Damaged: meter" in found.stdout
    assert "'hub db check --repair'" in found.stdout
    repaired = run(data, "db", "check", "--repair")
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert "will be read again" in repaired.stdout
    assert run(data, "collect", "--once").stderr == "1 read, 0 not\n"
    assert run(data, "db", "check").stdout == "The database is well.\n"
    after = rows(data, "block")
    assert after[: len(before) - 1] == before[:-1]
    assert [row[:2] for row in after] == [row[:2] for row in before]


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"not a database, and longer than its header" * 30)
    for words in (("collect", "--once"), ("db", "check"), ("db", "upgrade")):
        fails(run(tmp_path, *words), "hub.db", "restore")


def test_keys_that_are_missing_are_named(data, served):
    add(data, served.line)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    done = subprocess.run(
        [sys.executable, "-m", "hub", "collect", "--once"],
        env=clean | {"HUB_DATA_DIR": str(data)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    fails(done, "HUB_KEYS", "hub keys new")
