"""``hub wire decode``: bytes in, the driver's words out."""

import json
from decimal import Decimal
from types import SimpleNamespace

import pytest

from hub.cli import run
from hub.plugins import manager
from hub.plugins.api import Explained


def explain(request, response, hints):
    if "wrong" in hints:
        raise ValueError("wrong can't be read.")
    return Explained(
        request={"bytes": request, "address": request[0]},
        response={"bytes": response, "status": None},
        decoded={"hints": hints, "energy": Decimal("0.5"), "phases": [1, 2, 3]},
    )


@pytest.fixture(autouse=True)
def acme(monkeypatch):
    spec = SimpleNamespace(explain=explain)
    plugins = SimpleNamespace(driver=lambda name: spec)
    monkeypatch.setattr(manager, "load_plugins", lambda: plugins)
    return spec


def decode(*arguments):
    return run(["wire", "decode", "--driver", "acme", *arguments])


@pytest.mark.parametrize("request_hex", ["2500 1a70", "25001A70", "25 00 1A 70", "25:00:1a:70"])
def test_hex_is_taken_as_people_write_it(capsys, request_hex):
    assert decode(request_hex, "01 02", "--firmware=2.3.4", "--hint=x=y", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "request": {"bytes": "25 00 1A 70", "address": 37},
        "response": {"bytes": "01 02", "status": None},
        "decoded": {
            "hints": {"firmware": "2.3.4", "x": "y"}, "energy": "0.5", "phases": [1, 2, 3],
        },
    }  # fmt: skip


def test_request_alone_is_enough(capsys):
    assert decode("2500") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["address", "37"] in lines
    assert ["phases", "1,", "2,", "3"] in lines
    assert ["bytes", "-"] in lines


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["2500 1a7"], 2, "is not hex"),
        (["zz"], 2, "is not hex"),
        ([""], 2, "The request is empty"),
        ([], 2, "Missing argument 'REQUEST_HEX'"),
        (["25", "--hint", "x"], 2, "KEY=VALUE"),
        (["25", "--hint", "wrong=1"], 2, "wrong can't be read"),
    ],
)
def test_wrong_input_is_one_sentence(capsys, arguments, code, said):
    assert decode(*arguments) == code
    assert said in capsys.readouterr().err


def test_driver_without_explanations_says_so(capsys, acme):
    acme.explain = None
    assert decode("25") == 1
    assert "explains no exchanges" in capsys.readouterr().err
