"""Every published exchange decodes on the command line to the names and values given for it."""

import json
from pathlib import Path

import pytest

from hub.cli import run

VECTORS = json.loads(
    (Path(__file__).parents[1] / "plugins/mercury234/mercury23x-vectors.json").read_text("utf-8")
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector_decodes_to_what_is_given(vector, capsys, monkeypatch):
    monkeypatch.setenv("HUB_PLUGINS", "mercury234")
    exchange = [vector["request_hex"], *filter(None, [vector.get("response_hex")])]
    assert run(["wire", "decode", "--driver", "mercury234", *exchange, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    explained = json.loads(shown.out)
    assert list(explained) == ["request", "response", "decoded"]
    assert explained["decoded"] == vector["decoded"]
