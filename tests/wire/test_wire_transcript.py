"""Logs are read back as they were written, and played as a line."""

import contextlib
from datetime import UTC, datetime

import pytest
import wire_toy as toy
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import run_virtual, virtual_line

from hub.wire.capture import Exchanged, WireLog
from hub.wire.line import Line
from hub.wire.runner import run
from hub.wire.transcript import Entry, Remark, Replay, read_log

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def exchanged(request, received=b"", verdict="", **more):
    return Exchanged(
        line="tcp://gate:1", key="37", sent_at=NOON, request=request, received=received,
        verdict=verdict, seconds=0.25, **more,
    )  # fmt: skip


def entries(lines):
    return [item for item in read_log(lines) if isinstance(item, Entry)]


def test_what_was_logged_is_read_back():
    log = WireLog()
    log.note(NOON, "tcp://gate:1", "open")
    log.exchange(exchanged(b"\x25\x00", b"\x25\x01"))
    log.exchange(exchanged(b"\x25\x02", verdict="timeout"))
    log.note(NOON, "tcp://gate:1", "unasked: 01 02")
    log.exchange(exchanged(b"\x25\x03", b"\xff\xff", "garbled"))
    log.exchange(exchanged(b"\x25\x01\x06", b"\x25\x00", hide=(slice(1, 3),)))
    items = list(read_log(log.lines()))
    assert [item.text for item in items if isinstance(item, Remark)] == [
        "2026-11-24T12:00:00.000000Z tcp://gate:1 open",
        "2026-11-24T12:00:00.000000Z tcp://gate:1 unasked: 01 02",
    ]
    whole, silent, damaged, masked = entries(log.lines())
    assert (whole.at, whole.line, whole.key, whole.seconds) == (NOON, "tcp://gate:1", "37", 0.25)
    assert (whole.request_bytes, whole.received_bytes, whole.verdict) == (
        b"\x25\x00",
        b"\x25\x01",
        "",
    )
    assert (silent.received_bytes, silent.verdict) == (b"", "timeout")
    assert (damaged.received_bytes, damaged.verdict) == (b"\xff\xff", "garbled")
    assert masked.request == [0x25, None, None]
    assert masked.request_bytes is None


def test_a_transcript_by_hand_is_read():
    one, two = entries(["# a comment", "> 01 02", "< 03", "", "> 0a ** ", "! timeout", "# the end"])
    assert (one.request_bytes, one.received_bytes, one.at, one.seconds) == (
        b"\1\2",
        b"\3",
        None,
        None,
    )
    assert (two.request, two.verdict) == ([10, None], "timeout")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("< 00", "answers no request"),
        ("! timeout", "answers no request"),
        ("> 0", "hexadecimal"),
        ("> 00 0G", "hexadecimal"),
        (">", "hexadecimal"),
        ("GET / HTTP/1.1", "begins with none"),
        ("> " + "00 " * 50_000, "hexadecimal"),
    ],
)
def test_what_is_no_log_is_said_with_its_line(line, why):
    with pytest.raises(ValueError, match=rf"Line 2 can't be read.*{why}"):
        list(read_log(["# well", line]))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=40),
            st.binary(max_size=40),
            st.sampled_from(["", "timeout", "garbled", "cancelled", "down", "refused"]),
            st.sampled_from([(), (slice(0, 3),), (slice(1, None),)]),
        ),
        max_size=8,
    )
)
def test_any_log_is_read_back_exchange_by_exchange(exchanges):
    log = WireLog()
    for request, received, verdict, hide in exchanges:
        log.exchange(exchanged(request, received, verdict, hide=hide))
    found = entries(log.lines())
    assert [(len(one.request), len(one.received), one.verdict) for one in found] == [
        (len(request), len(received), verdict) for request, received, verdict, _ in exchanges
    ]
    for one, (request, received, _, hide) in zip(found, exchanges, strict=True):
        if not hide:
            assert (one.request_bytes, one.received_bytes) == (request, received)


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=30), max_size=10))
def test_any_text_is_a_log_or_a_sentence(lines):
    with contextlib.suppress(ValueError):
        assert all(isinstance(item, Entry | Remark) for item in read_log(lines))


# -- played


def test_answers_come_in_their_order_and_the_last_one_stays():
    log = ["> 01", "< 0A", "> 02", "! timeout", "> 01", "< 0B", "# 2.5 s", "> 01 ** 03", "< ** 0C"]
    replay = Replay(entries(log))

    def ask(*data):
        return list(replay.receive(bytes(data), NOON))

    assert [ask(1), ask(1), ask(1)] == [[(0.0, b"\x0a")], [(0.0, b"\x0b")], [(0.0, b"\x0b")]]
    assert ask(2) == []
    assert ask(1, 99, 3) == [(0.0, b"\x00\x0c")]
    assert (ask(1, 99, 4), ask(7)) == ([], [])
    assert (replay.size, replay.answered, replay.strangers) == (4, 5, 2)
    timed = Replay(entries(log), timed=True)
    timed.receive(b"\x01", NOON)
    assert list(timed.receive(b"\x01", NOON)) == [(2.5, b"\x0b")]


def visit(simulator, log=None):
    async def main():
        open_link, address = virtual_line(simulator)
        async with Line(open_link, address, log=log, now=lambda: NOON) as line:
            seat = line.seat(toy.TIMING, is_mutating=toy.is_mutating, key="7")
            return await run(toy.visit(7, [3, 4, 5, 3]), seat, deadline=60)

    return run_virtual(main(), NOON)


def test_a_visit_that_was_logged_is_played_to_the_driver_again():
    log = WireLog()
    told = visit(toy.Toy(7), log)
    replay = Replay(entries(log.lines()))
    assert visit(replay) == told
    assert (replay.strangers, replay.answered) == (0, 6)
