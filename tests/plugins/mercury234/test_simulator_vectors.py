"""Every recorded request gets an answer of the recorded shape from the virtual meter."""

import json
from pathlib import Path

import pytest
from simulator_kit import OPEN_OWNER, client

VECTORS = json.loads(
    (Path(__file__).parent / "mercury23x-vectors.json").read_text(encoding="utf-8")
)

# What this execution does not have; it must say so, and say nothing else.
ABSENT = {"doc236-099": "the layout of the tariff schedule is not in the paper"}

# Recordings whose shape is that of an error, or a slip of the document.
ODD = {
    "wb-NoSessionResponse-1": "status 5 recorded: no channel",
    "wb-InternalMeterErrorResponse-1": "status 2 recorded: a broken meter",
    "doc236-057": "the document adds a record number that was not asked for",
}


def playable() -> list[object]:
    return [pytest.param(v, id=v["id"]) for v in VECTORS if v["request_hex"]]


@pytest.mark.parametrize("vector", playable())
def test_recorded_request_gets_an_answer_of_the_recorded_shape(vector):
    asker = client(directions="2")
    body = bytes.fromhex(vector["request_hex"])[1:-2]
    if body[0] not in {0x00, 0x01}:
        assert asker.ask(OPEN_OWNER) == b"\0"
    answer = asker.ask(body.hex())
    assert answer is not None
    recorded = bytes.fromhex(vector["response_hex"])[1:-2]
    if vector["id"] in ABSENT:
        assert answer == b"\1"
    elif vector["id"] in ODD:
        assert len(answer) != len(recorded)
        assert len(answer) > 1
    elif recorded:
        assert len(answer) == len(recorded)
    elif body[0] not in {0x00, 0x01, 0x02}:
        assert len(answer) > 1


def test_recorded_status_five_comes_without_a_channel():
    (vector,) = (v for v in VECTORS if v["id"] == "wb-NoSessionResponse-1")
    body = bytes.fromhex(vector["request_hex"])[1:-2]
    assert client().ask(body.hex()) == bytes.fromhex(vector["response_hex"])[1:-2]


def test_the_exceptions_are_in_the_file():
    assert {*ABSENT, *ODD} <= {v["id"] for v in VECTORS}
