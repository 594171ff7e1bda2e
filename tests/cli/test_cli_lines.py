"""Commands on lines: gateways that call, as processes that talk to each other."""

import json
import socket

import pytest

from hub.cli import run


@pytest.fixture
def port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_a_meter_behind_a_gateway_that_calls(simulated, toys, port, capsys):
    line = f"listen://127.0.0.1:{port}/roof-3"
    process, ready = simulated("toymeter", "--listen", line)
    assert ready[:2] == ["ready", line]
    code = run(
        ["meter", "read", line, "identity", "--driver", "toymeter", "--address", "1", "--json"]
    )
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, f"Waiting for roof-3 to call 127.0.0.1:{port} …\n")
    assert json.loads(shown.out)["maker"]
    process.terminate()
    assert process.wait(10) == 0
