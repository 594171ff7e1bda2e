"""Every recorded exchange in the names and values of the protocol paper."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corefast.crc import seal
from hub.plugins.mercury234.explain import explain
from hub.plugins.mercury234.writes import act

VECTORS = json.loads((Path(__file__).parent / "mercury23x-vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_recorded_exchange_decodes_to_the_papers_words(vector):
    said = explain(bytes.fromhex(vector["request_hex"]), bytes.fromhex(vector["response_hex"]), {})
    assert json.dumps(said.decoded) == json.dumps(vector["decoded"])
    assert said.request["crc"] == "ok"
    assert "error" not in said.response


# What a request alone has to say, by the words of its meaning in the file.
SAID = {
    "U group": "voltage",
    "I group": "current",
    "P group": "active power, sum and phases",
    "Q group": "reactive power, sum and phases",
    "S group": "apparent power, sum and phases",
    "cos phi": "power factor, sum and phases",
    "frequency": "frequency",
    "angles": "voltage angle",
    "energy since reset, sum": "energy since reset, the sum of tariffs",
    "energy T2": "energy since reset, tariff 2",
    "clock": "the clock",
    "status word": "0A: status word",
    "serial": "serial number",
    "ratios": "transformer ratios",
    "channel test": "whether the meter is there",
    "fixation time": "the time of latching",
    "fixed U": "the latched voltage",
    "fast config": "identity: serial, date, firmware, variant",
    "open level 1": "Opens the channel at level 1",
    "close channel": "Closes the channel",
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_request_alone_says_what_is_asked(vector):
    said = explain(bytes.fromhex(vector["request_hex"]), None, {})
    assert (said.response, said.decoded) == ({}, {})
    assert said.request["crc"] == "ok"
    assert said.request["name"] != "unknown"
    text = " ".join(said.request["says"])
    assert "no paper lists" not in text or vector["id"] in {
        "doc236-016", "doc236-017", "doc236-028",
    }  # fmt: skip
    for meaning, words in SAID.items():
        if not vector["response_hex"] and meaning in vector["meaning"]:
            assert words in text


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_write_says_what_it_would_do_and_whether_the_hub_may(vector):
    request = bytes.fromhex(vector["request_hex"])
    said = explain(request, None, {}).request
    if request[1] != 3:
        assert "act" not in said
        return
    leaves = act(request)
    assert said.get("act") == leaves
    assert ("The hub never sends it." in said["says"]) is (leaves is None)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_answer_is_told_in_sentences(vector):
    if not vector["response_hex"]:
        return
    said = explain(bytes.fromhex(vector["request_hex"]), bytes.fromhex(vector["response_hex"]), {})
    assert said.response["says"]
    assert all(sentence.endswith(".") for sentence in said.response["says"])


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


def told(request, response, **hints):
    said = explain(seal(bytes.fromhex(request)), seal(bytes.fromhex(response)), hints)
    assert "error" not in said.response
    return said.decoded, said.response


@pytest.mark.parametrize(
    ("request_hex", "response_hex", "place", "shown"),
    [
        ("80 04 06 00", "80 21500918010809513018 0108", "second_at", "2008-01-18T30:51:09"),
        ("80 04 06 00", "80 21500918010800000041 0108", "second_at", "2008-01-41T00:00:00"),
        ("80 04 06 00", "80 2A500918010800000001 0108", "first_at", "2A 50 09 18 01 08"),
        ("80 04 00", "80 0060120224112601", "time", "2026-11-24T12:60:00"),
        ("80 08 13", "80 0001 0A 24 00 31 02 26 1E", "time", "2026-02-31T24:00"),
        ("80 06 03 0010 0F", "80 0A100005FF081E 0000 0000 0000 0000", "ends_at", "10 00 05 FF 08"),
        ("80 04 13 00", "80 32022613 0000000000000000", "date", "2026-02-32"),
    ],
)
def test_damaged_stamp_is_said_and_not_told_as_a_date(request_hex, response_hex, place, shown):
    _, response = told(request_hex, response_hex)
    assert response["not_times"] == {place: f"not a time: {shown}"}
    assert f"not a time: {shown}" in " ".join(response["says"])


def test_good_stamps_are_none_of_them():
    for vector in VECTORS:
        if vector["response_hex"] and vector["id"] != "doc236-magn-06":
            request, response = (bytes.fromhex(vector[f"re{d}_hex"]) for d in ("quest", "sponse"))
            assert "not_times" not in explain(request, response, {}).response


def test_published_bytes_alone_have_their_words_beside_them():
    decoded, response = told("80 08 18", "80 94 42")
    assert decoded == {"raw_hex": "94 42"}
    assert response["load_off_by"] == ["energy_limit:1", "energy_limit:4"]
    assert response["load_on"] is False
    assert response["reconnection_forbidden"] is True
    _, response = told("80 08 0A", "80 00 80 00 00 01 00")
    assert response["faults"] == {"E-01": "battery below 2.2 V", "E-48": "battery below 2.65 V"}
    decoded, _ = told("80 08 17", "80 00 04")
    assert decoded == {"tariff": 3, "single_tariff": False}
    decoded, _ = told("80 08 1A 01", "80 00 00 70 0A")
    assert decoded == {"energy_limit_wh": 2672}
    decoded, _ = told("80 08 20", "80" + "5046 A451 3C5A A861 5613 7413 9C13 BA13")
    assert decoded["voltage_min_v"] == 180.0
    assert decoded["frequency_max_hz"] == 50.5


def test_all_instantaneous_values_in_one_answer():
    sizes = {"active_power": 4, "voltage": 3, "voltage_angle": 3, "current": 3, "frequency": 1}
    for length, more in ((78, {}), (86, {"voltage_thd": 3, "temperature": 1}), (95, {})):
        decoded, response = told("80 08 16 A0", "80" + "00" * length)
        assert {name: len(decoded[name]) for name in sizes | more} == sizes | more
        assert ("rest_hex" in decoded) is (length == 95)
        assert any("Active power, phase 3: active power 0.0 W" in s for s in response["says"])


def test_all_latched_values_in_one_answer():
    wire = "20551101210108 01" + "0000700A FFFFFFFF 0000E803 FFFFFFFF" * 5 + "00" * 90
    decoded, response = told("80 08 14 A0", "80" + wire)
    assert decoded["time"] == "2008-01-21T11:55:20"
    assert list(decoded["tariffs"]) == ["1", "2", "3", "4", "sum"]
    assert decoded["tariffs"]["sum"]["active_import_wh"] == 2672
    assert len(decoded["power_factor"]) == 4
    assert "active import 2672 Wh, active export not metered" in " ".join(response["says"])


def test_blocks_of_journals_are_their_records():
    decoded, response = told("80 04 02 FE", "80" + "532310230108 592310230108" * 10)
    assert [record["second_at"] for record in decoded["records"]] == ["2008-01-23T10:23:59"] * 10
    assert len(response["says"]) == 10
    decoded, _ = told("80 04 20 FA", "80" + "430915180108 301015180108" * 19 + "00" * 12)
    assert len(decoded["records"]) == 20
    assert decoded["records"][19] == {"first_at": None, "second_at": None}
    decoded, _ = told("80 04 09 FE", "80" + "070118030308" * 10)
    assert len(decoded["records"]) == 10
    asked = explain(seal(bytes.fromhex("80 04 20 FD")), None, {}).request["says"]
    assert asked == ["Asks for records 20 to 39 of journal 20, Phase 1 voltage below limit."]


def test_quadrants_losses_and_memory_five():
    decoded, _ = told("80 15 00 00", "80 00000100 00000200 00000300 FFFFFFFF")
    assert decoded == {
        "reactive_q1_varh": 1, "reactive_q2_varh": 2, "reactive_q3_varh": 3,
        "reactive_q4_varh": None,
    }  # fmt: skip
    element = "00000100 00000200 00000300 00000400"
    decoded, _ = told("80 05 00 06", "80" + element * 6)
    assert decoded["tariffs"]["losses"]["active_import_wh"] == 1
    decoded, _ = told("80 06 05 00 10 0F", "80 0A 10 00 05 03 08 1E 04 29 FF FF 00 00 00 00")
    assert decoded["counts"]["active_import"] == 10500
    decoded, _ = told("80 06 13 00 10 04", "80 04 29 FF FF")
    assert decoded == {"counts_in_order": [10500, None]}


def test_code_repeated_in_an_answer_is_told():
    decoded, response = told("80 08 02", "80 08 00 01 00 28")
    assert decoded == {"voltage_ratio": 1, "current_ratio": 40}
    assert "repeat mode" in response["says"][0]
    decoded, response = told("80 00", "80 00 80")
    assert decoded["status_text"] == "ok"
    assert "repeat mode" in response["says"][0]


def test_raw_write_is_never_the_hubs():
    said = explain(seal(bytes.fromhex("80 07 02 00 00 01 FF")), None, {}).request
    assert said["says"][-1] == "The hub never sends it."


@pytest.mark.parametrize("code", ["01 01", "03 1F 01"])
def test_echo_is_no_answer_and_gives_no_password_away(code):
    frame = seal(b"\x30" + bytes.fromhex(code) + b"SECRET")
    said = explain(frame, frame, {})
    assert "echo" in said.response["error"]
    assert said.decoded == {}
    assert b"SECRET".hex() not in str(said).lower().replace(" ", "")


def test_map_of_written_parameters_is_told_in_both_orders():
    _, response = told("80 04 13 06", "80 27020813 0021000000000000")
    assert response["parameters_if_the_first_byte_is_lowest"] == ["08", "0D"]
    assert response["parameters_if_the_last_is"] == ["28", "2D"]
    _, response = told("80 04 13 06", "80 27020801 0000000100000000")
    assert response["parameters"] == ["18"]
