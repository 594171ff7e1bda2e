"""The wire log keeps exchanges, never secrets."""

import asyncio
import logging
from datetime import timedelta

import pytest
import wire_toy as toy
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import run_virtual
from wire_script import START, on_line

from hub.errors import FrameGarbled, ReplyTimeout
from hub.plugins.api import NEED_MORE, Ask, Verdict
from hub.wire.address import LineAddress
from hub.wire.capture import FLUSH_S, Exchanged, WireLog, masked, without_secrets

PASSWORD = b"\x11\x22\x33\x44\x55\x66"
OPEN = b"\x07\x01\x01" + PASSWORD + b"\xaa\xbb"
HIDE = (slice(3, 9),)
SHOWN = "11 22 33", "44 55 66", "22 33 44"


def done(**changed):
    whole = {
        "line": "tcp://gate:1",
        "key": "7",
        "sent_at": START,
        "request": b"\x07\x03",
        "received": b"\x07\x05",
        "verdict": "",
        "seconds": 0.03125,
    }
    return Exchanged(**(whole | changed))


def test_an_exchange_is_a_piece_of_a_transcript():
    log = WireLog()
    log.exchange(done())
    log.exchange(done(received=b"", verdict="timeout", sent_at=START + timedelta(seconds=1)))
    log.note(START, "tcp://gate:1", "un\nasked: 01")
    assert log.lines() == (
        "# 2026-11-24T10:00:00.000000Z tcp://gate:1 7",
        "> 07 03",
        "< 07 05",
        "# 0.0312 s",
        "# 2026-11-24T10:00:01.000000Z tcp://gate:1 7",
        "> 07 03",
        "! timeout",
        "# 0.0312 s",
        "# 2026-11-24T10:00:00.000000Z tcp://gate:1 un asked: 01",
    )


def test_memory_is_a_ring():
    log = WireLog(memory=8)
    for second in range(10):
        log.exchange(done(sent_at=START + timedelta(seconds=second)))
    assert len(log.lines()) == 8
    assert log.lines()[0].startswith("# 2026-11-24T10:00:08")


def test_a_file_is_private_appended_to_and_turned_over(tmp_path):
    path = tmp_path / "wire.log"
    for _ in range(2):
        WireLog(path, max_bytes=1000, keep=2).exchange(done())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().count("> 07 03") == 2
    log = WireLog(path, max_bytes=1000, keep=2)
    for _ in range(100):
        log.exchange(done())
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["wire.log", "wire.log.1", "wire.log.2"]
    assert all(file.stat().st_size <= 1000 for file in files)


def test_a_file_that_can_not_be_written_costs_lines_and_one_warning(tmp_path, caplog):
    log = WireLog(tmp_path / "no" / "such" / "folder.log")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            log.exchange(done())
    assert log.lost == 12
    assert len(log.lines()) == 12
    assert len(caplog.records) == 1


def test_masks():
    assert masked(OPEN, HIDE) == "07 01 01 ** ** ** ** ** ** AA BB"
    assert masked(OPEN, ()) == "07 01 01 11 22 33 44 55 66 AA BB"
    assert masked(b"\x01\x02\x03", (slice(-2, None), slice(50, 60))) == "01 ** **"
    assert without_secrets(OPEN + OPEN, OPEN, HIDE).count("**") == 12


@given(st.binary(min_size=2, max_size=8), st.binary(max_size=20), st.binary(max_size=20))
def test_a_secret_that_comes_back_is_masked(secret, before, after):
    request = b"\x07\x01" + secret
    shown = without_secrets(before + secret + after, request, (slice(2, None),))
    assert len(shown.split()) == len(before + secret + after)
    place = len(before)
    assert shown.split()[place : place + len(secret)] == ["**"] * len(secret)


def rule(data):
    return Verdict(4) if len(data) == 4 else NEED_MORE


@pytest.mark.parametrize(
    "script",
    [
        [(0.02, b"\x07\x00\xaa\xbb")],
        [(0.01, OPEN), (0.02, b"\x07\x00\xaa\xbb")],  # an echo on a line not marked so
        [(0.01, OPEN[:5] + b"\x00" + OPEN[6:])],  # a damaged echo
        [(0.01, OPEN[:6])],
        [],
        [(0.9, OPEN)],  # comes when nobody listens any more
    ],
)
@pytest.mark.parametrize("echo", [False, True])
def test_a_password_is_in_no_log(script, echo, tmp_path):
    path = tmp_path / "wire.log"
    log = WireLog(path)
    address = LineAddress("serial", device="/dev/x", echo=echo)

    async def main(line, _link):
        seat = line.seat(toy.TIMING, is_mutating=lambda _frame: False, key="7")
        for step in (
            Ask(request=OPEN, rule=rule, hide=HIDE),
            Ask(request=lambda _at: OPEN, rule=rule, hide=HIDE),
            Ask(request=b"\x07\x03", rule=rule),
        ):
            task = asyncio.create_task(seat.once(step))
            await asyncio.wait([task])
            assert task.exception() is None or isinstance(
                task.exception(), ReplyTimeout | FrameGarbled
            )

    on_line(main, script, script, script, address=address, log=log)
    text = path.read_text()
    assert text.splitlines() == list(log.lines())
    assert text.count("> 07 01 01 ** ** ** ** ** ** AA BB") == 2
    # the last ask has no secret of its own; an echo of the ones before it is masked there too
    for piece in SHOWN:
        assert piece not in text.split("> 07 03")[0]


def test_lines_of_a_loop_are_written_together_and_not_late(tmp_path):
    path = tmp_path / "wire.log"
    log = WireLog(path)

    async def main():
        log.exchange(done())
        log.exchange(done())
        assert not path.exists()
        await asyncio.sleep(FLUSH_S + 0.01)
        assert path.read_text().splitlines() == list(log.lines())
        log.exchange(done())
        log.flush()
        assert path.read_text().splitlines() == list(log.lines())

    run_virtual(main(), START)


def test_a_burst_does_not_wait_and_keeps_to_the_size_of_a_file(tmp_path):
    log = WireLog(tmp_path / "wire.log", max_bytes=1000, keep=200)

    async def main():
        for _ in range(500):
            log.exchange(done())
        log.flush()

    run_virtual(main(), START)
    files = list(tmp_path.iterdir())
    assert all(file.stat().st_size <= 1000 for file in files)
    assert sum(file.read_text().count("> 07 03") for file in files) == 500
