"""LINE: one spelling out, many in, and a sentence for nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadLine
from hub.wire.address import LineAddress, parse_line


@pytest.mark.parametrize(
    ("text", "address", "canonical"),
    [
        ("tcp://10.0.0.7:4001", LineAddress("tcp", "10.0.0.7", 4001), "tcp://10.0.0.7:4001"),
        ("socket://gate:7/", LineAddress("tcp", "gate", 7), "tcp://gate:7"),
        ("TCP://[::1]:4001", LineAddress("tcp", "::1", 4001), "tcp://[::1]:4001"),
        (
            " rfc2217://gate:2217?baud=2400&parity=odd ",
            LineAddress("rfc2217", "gate", 2217, baud=2400, parity="O"),
            "rfc2217://gate:2217?baud=2400&parity=O",
        ),
        (
            "serial:///dev/ttyUSB0?baud=9600&parity=N&echo=1&latency=0.5",
            LineAddress("serial", device="/dev/ttyUSB0", echo=True, latency_s=0.5),
            "serial:///dev/ttyUSB0?echo=1&latency=0.5",
        ),
        (
            "serial:///dev/serial/by-id/usb-a%20b?stop=2",
            LineAddress("serial", device="/dev/serial/by-id/usb-a b", stop_bits=2),
            "serial:///dev/serial/by-id/usb-a%20b?stop=2",
        ),
        (
            "tcp://gate:4001?gap=0.025",
            LineAddress("tcp", "gate", 4001, gap_s=0.025),
            "tcp://gate:4001?gap=0.025",
        ),
        ("serial://COM3", LineAddress("serial", device="COM3"), "serial://COM3"),
    ],
)
def test_a_line_has_one_canonical_spelling(text, address, canonical):
    assert parse_line(text) == address
    assert str(address) == canonical
    assert parse_line(canonical) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "scheme"),
        ("10.0.0.7:4001", "scheme"),
        ("/dev/ttyUSB0", "serial:///dev/ttyUSB0"),
        ("http://gate:80", "scheme"),
        ("tcp://gate", "port"),
        ("tcp://gate:0", "port"),
        ("tcp://gate:99999", "not a line"),
        ("tcp://gate:x", "not a line"),
        ("tcp://:4001", "host"),
        ("tcp://[::1:4001", "not a line"),
        ("tcp://me:secret@gate:4001", "'@'"),
        ("tcp://gate:4001/path", "path"),
        ("tcp://gate:4001#x", "'#'"),
        ("serial://ttyUSB0", "full path"),
        ("serial://", "full path"),
        ("serial:///dev/ttyUSB0?baud=fast", "baud=fast"),
        ("serial:///dev/ttyUSB0?baud=-1", "baud=-1"),
        ("serial:///dev/ttyUSB0?parity=M", "parity=M"),
        ("serial:///dev/ttyUSB0?stop=3", "stop=3"),
        ("serial:///dev/ttyUSB0?echo=yes", "echo=yes"),
        ("serial:///dev/ttyUSB0?latency=nan", "latency=nan"),
        ("serial:///dev/ttyUSB0?gap=2", "gap=2"),
        ("serial:///dev/ttyUSB0?speed=9600", "'speed'"),
        ("serial:///dev/ttyUSB0?baud=9600&baud=300", "twice"),
        ("serial:///dev/ttyUSB0?baud", "options"),
    ],
)
def test_nonsense_gets_a_sentence(text, says):
    with pytest.raises(BadLine) as caught:
        parse_line(text)
    assert says in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_listener_may_take_any_free_port():
    assert parse_line("tcp://127.0.0.1:0", listen=True).port == 0


@given(st.text(max_size=60))
def test_any_text_is_a_line_or_a_bad_line(text):
    try:
        address = parse_line(text)
    except BadLine:
        return
    assert parse_line(str(address)) == address


@given(st.text(max_size=40), st.sampled_from(["tcp://", "serial:///", "rfc2217://h:1?"]))
def test_any_tail_is_a_line_or_a_bad_line(tail, head):
    test_any_text_is_a_line_or_a_bad_line.hypothesis.inner_test(head + tail)


def test_latency_and_byte_time():
    assert parse_line("tcp://g:1").delay_s == 0.05
    assert parse_line("tcp://g:1?latency=1.5").delay_s == 1.5
    assert parse_line("serial:///dev/x?baud=2400&parity=O").char_s == pytest.approx(11 / 2400)
