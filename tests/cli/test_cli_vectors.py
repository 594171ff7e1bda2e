"""Every published exchange decodes on the command line to the names and values given for it.

What is done with those that are marked is in docs/devices/mercury234.md.
"""

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


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_request_alone_is_explained_and_nothing_is_decoded(vector, capsys, monkeypatch):
    monkeypatch.setenv("HUB_PLUGINS", "mercury234")
    command = ["wire", "decode", "--driver", "mercury234", vector["request_hex"]]
    assert run([*command, "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert (explained["response"], explained["decoded"]) == ({}, {})
    assert explained["request"]["says"]
    assert run(command) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Request: {explained['request']['says'][0]}\n")
    assert "Response" not in text


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_text_is_sentences(vector, capsys, monkeypatch):
    if not vector["response_hex"]:
        return
    monkeypatch.setenv("HUB_PLUGINS", "mercury234")
    exchange = [vector["request_hex"], vector["response_hex"]]
    assert run(["wire", "decode", "--driver", "mercury234", *exchange]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == [
        "Request", "Response",
    ]  # fmt: skip
    assert all(line.endswith((".", "?")) and "{" not in line for line in lines)


MARKED = {"synthetic": 9, "inconsistent": 3}


def test_every_marked_exchange_is_in_the_devices_page():
    page = (Path(__file__).parents[2] / "docs/devices/mercury234.md").read_text("utf-8")
    for mark, count in MARKED.items():
        marked = [vector["id"] for vector in VECTORS if vector.get(mark)]
        assert len(marked) == count
        assert all(f"`{name}`" in page for name in marked)
