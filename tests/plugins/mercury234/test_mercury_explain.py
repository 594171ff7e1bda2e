"""Every recorded exchange in the names and values of the protocol paper."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corefast.crc import seal
from hub.plugins.mercury234.explain import explain

VECTORS = json.loads((Path(__file__).parent / "mercury23x-vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_recorded_exchange_decodes_to_the_papers_words(vector):
    said = explain(bytes.fromhex(vector["request_hex"]), bytes.fromhex(vector["response_hex"]), {})
    assert json.dumps(said.decoded) == json.dumps(vector["decoded"])
    assert said.request["crc"] == "ok"
    assert "error" not in said.response


FRAMES = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=40).map(seal),
    st.sampled_from([bytes.fromhex(vector["request_hex"]) for vector in VECTORS]),
    st.tuples(st.sampled_from([0, 0x30, 0x80]), st.integers(0, 0x20), st.binary(max_size=4)).map(
        lambda parts: seal(bytes(parts[:2]) + parts[2])
    ),
)


@given(FRAMES, st.one_of(st.none(), FRAMES, st.binary(max_size=260).map(lambda b: seal(b"0" + b))))
def test_any_bytes_are_explained(request, response):
    said = explain(request, response, {"firmware": "9.0.0", "constant": "1000"})
    json.dumps([dict(said.request), dict(said.response), dict(said.decoded)])


@given(st.sampled_from([v for v in VECTORS if v["decoded"]]), st.integers(min_value=0))
def test_damaged_response_is_said_and_not_decoded(vector, bit):
    response = bytearray.fromhex(vector["response_hex"])
    bit %= len(response) * 8
    response[bit // 8] ^= 1 << bit % 8
    said = explain(bytes.fromhex(vector["request_hex"]), bytes(response), {})
    assert said.decoded == {}
    assert "CRC" in said.response["error"]


def test_what_does_not_fit_is_said():
    request = seal(b"\x30\x08\x03")
    for response, words in (
        (b"\x30\x00", "too few"),
        (seal(b"\x30\x01\x02\x03\x04"), "4 bytes of data where 3 were due"),
        (seal(b"\x31\x01\x02\x03"), "address 49 answers where 48 was asked"),
    ):
        said = explain(request, response, {})
        assert words in str(said.response["error"])
        assert said.decoded == {}
    assert "too few" in str(explain(b"\x30", None, {}).request["error"])
    assert explain(request[:-1] + b"\0", None, {}).request["crc"] == "wrong"


@pytest.mark.parametrize("code", ["01 01", "03 1F 01"])
def test_passwords_are_masked(code):
    body = b"\x30" + bytes.fromhex(code) + b"SECRET"
    text = str(explain(seal(body), None, {}))
    assert "SECRET" not in text
    assert b"SECRET".hex() not in text.lower().replace(" ", "")


def test_hints_tell_what_bytes_alone_cannot():
    request = bytes.fromhex("80 08 13 36 25")
    response = bytes.fromhex("80 00 01 0A 09 00 04 03 08 1E 6A 42")
    for firmware, address in (("2.3.4", "00001"), ("7.1.0", "00010")):
        said = explain(request, response, {"firmware": firmware})
        assert said.response["byte_address_hex"] == address
    request = bytes.fromhex("80 06 03 00 10 0F DA 5B")
    response = bytes.fromhex("80 0A 10 00 05 03 08 1E 04 29 FF FF 00 00 FF FF FF 1F")
    energy = explain(request, response, {"constant": "1000"}).response["energy_wh"]
    assert energy["active_import"] == 5250
    assert energy["active_export"] is None


@pytest.mark.parametrize("hints", [{"firmware": "nine"}, {"constant": "0"}, {"constant": "1e3"}])
def test_a_hint_that_cannot_be_read_is_told(hints):
    request = bytes.fromhex("80 06 03 00 10 0F DA 5B")
    response = bytes.fromhex("80 0A 10 00 05 03 08 1E 04 29 FF FF 00 00 FF FF FF 1F")
    for answer in (response, None):
        with pytest.raises(ValueError, match="write"):
            explain(request, answer, hints)


def test_fast_energy_and_blocks_are_lists_of_the_same_words():
    element = bytes.fromhex("00 00 70 0A FF FF FF FF 00 00 E8 03 FF FF FF FF")
    said = explain(seal(b"\x30\x05\x00\x06"), seal(b"\x30" + element * 5), {})
    assert said.decoded["tariffs"]["sum"]["active_import_wh"] == 2672
    record = bytes.fromhex("0A 10 00 05 03 08 1E 04 29 FF FF 00 00 FF FF")
    said = explain(seal(b"\x30\x06\x03\x00\x10\xff"), seal(b"\x30" + record * 17), {})
    assert len(said.decoded["records"]) == 17
    assert said.decoded["records"][16]["counts"]["active_import"] == 10500


def test_clock_is_told_with_its_season():
    said = explain(seal(b"\x30\x04\x00"), seal(b"\x30" + bytes.fromhex("4314160327020801")), {})
    assert said.decoded == {"time": "2008-02-27T16:14:43", "weekday": 3, "winter": True}
