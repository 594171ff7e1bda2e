"""Every recorded request gets an answer of the recorded shape from the virtual meter."""

import json
from pathlib import Path

import pytest
from simulator_kit import OPEN_OWNER, client

VECTORS = json.loads(
    (Path(__file__).parent / "mercury23x-vectors.json").read_text(encoding="utf-8")
)

# Writes that the recorded meter did and this one refuses: their status.
REFUSED = {
    "doc236-013": (3, "only the factory writes 0A"),
    "doc236-015": (1, "the correction is longer than four minutes from where its clock is"),
    "doc236-026": (3, "the old password is another one"),
    "doc236-027": (3, "only the factory resets the registers"),
    "doc236-034": (3, "only the factory writes 28"),
    "doc236-035": (3, "only the factory writes 29"),
}

# Recordings whose shape is that of an error, or a slip of the document.
ODD = {
    "wb-NoSessionResponse-1": "status 5 recorded: no channel",
    "wb-InternalMeterErrorResponse-1": "status 2 recorded: a broken meter",
    "doc236-057": "the document adds a record number that was not asked for",
}


MOVED = "doc236-011"


def playable() -> list[object]:
    return [pytest.param(v, id=v["id"]) for v in VECTORS if v["request_hex"] and v["id"] != MOVED]


@pytest.mark.parametrize("vector", playable())
def test_recorded_request_gets_an_answer_of_the_recorded_shape(vector):
    asker = client(directions="2")
    body = bytes.fromhex(vector["request_hex"])[1:-2]
    if body[0] not in {0x00, 0x01}:
        assert asker.ask(OPEN_OWNER) == b"\0"
    answer = asker.ask(body.hex())
    assert answer is not None
    recorded = bytes.fromhex(vector["response_hex"])[1:-2]
    if body[0] == 0x03:
        status, _ = REFUSED.get(vector["id"], (recorded[0], ""))
        assert answer == bytes((status,))
    elif vector["id"] in ODD:
        assert len(answer) != len(recorded)
        assert len(answer) > 1
    elif recorded:
        assert len(answer) == len(recorded)
    elif body[0] not in {0x00, 0x01, 0x02}:
        assert len(answer) > 1


def test_the_answer_to_a_new_address_comes_from_there():
    (vector,) = (v for v in VECTORS if v["id"] == MOVED)
    asker = client(address=0x80, directions="2")
    assert asker.ask(OPEN_OWNER) == b"\0"
    answers = asker.raw(bytes.fromhex(vector["request_hex"]))
    assert answers == [bytes.fromhex(vector["response_hex"])]


def test_recorded_status_five_comes_without_a_channel():
    (vector,) = (v for v in VECTORS if v["id"] == "wb-NoSessionResponse-1")
    body = bytes.fromhex(vector["request_hex"])[1:-2]
    assert client().ask(body.hex()) == bytes.fromhex(vector["response_hex"])[1:-2]


def test_the_exceptions_are_in_the_file():
    assert {*REFUSED, *ODD, MOVED} <= {v["id"] for v in VECTORS}
