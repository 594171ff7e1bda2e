"""``hub collect`` meets what goes wrong at its edges: each one plain sentence and an exit code."""

import json
import socket
import socketserver
import threading

import pytest
import structlog
from sqlmodel import select

from hub.cli import run
from hub.collector import holder
from hub.services import lines, meters
from hub.store.tables import Line, MeterState


@pytest.fixture
def hub(store, monkeypatch, capsys):
    """Run a command over the store of this test: exit code and what it said."""
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{store.path}")
    monkeypatch.setenv("HUB_KEYS", store.keys[0])
    monkeypatch.setenv("HUB_LOG_LEVEL", "error")
    store.clock = None

    def call(*words: str) -> tuple[int, str]:
        code = run(words)
        return code, capsys.readouterr().err

    yield call
    structlog.reset_defaults()


def add(store, port: int, address: int = 1) -> int:
    meter_id = meters.add_meter(
        store,
        line=f"tcp://127.0.0.1:{port}?latency=0",
        driver="mercury234",
        settings=json.dumps({"address": address}),
    )
    meters.start_again(store, meter_id)  # due now, by the real clock too
    return meter_id


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_nothing_to_do_is_no_failure(hub):
    assert hub("collect", "--once") == (0, "0 read, 0 not\n")


def test_without_keys_it_refuses_to_start(hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HUB_KEYS")
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "none"))
    code, said = hub("collect", "--once")
    assert code == 1
    assert "hub keys new" in said


def test_a_wrong_setting_is_named(hub, monkeypatch):
    monkeypatch.setenv("HUB_KEYS", "short")
    code, said = hub("collect", "--once")
    assert code == 2
    assert "hub keys new" in said


def test_a_missing_folder_is_a_sentence(hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{tmp_path}/none/hub.db")
    code, said = hub("collect", "--once")
    assert code == 1
    assert said.count("\n") == 1
    assert "create it" in said


def test_a_dead_line_is_one_sentence_for_all_its_meters(hub, store, closed_port):
    for address in (1, 2, 3):
        add(store, closed_port, address)
    code, said = hub("collect", "--once")
    assert code == 1
    *logged, sentence, summary = said.splitlines()
    assert logged == []
    assert sentence.startswith(f"tcp://127.0.0.1:{closed_port}")
    assert summary == "0 read, 1 not"
    with store.read() as unit:
        assert unit.session.exec(select(Line)).one().error_code == "line.down"
        assert {row.failures for row in unit.session.exec(select(MeterState))} == {0}


def test_a_second_collector_on_the_line_is_told(hub, store, closed_port):
    add(store, closed_port)
    # The holder is alive: it is this very process.
    lines.claim(store, 1, holder.own_name(), is_dead=lambda name: False)
    code, said = hub("collect", "--once")
    assert code == 1
    assert "Another collector holds the line" in said


class Noise(socketserver.BaseRequestHandler):
    """Whatever is asked, the answer is no frame."""

    def handle(self) -> None:
        while self.request.recv(100):
            self.request.sendall(b"\x55\xaa\x13")


def test_garbled_answers_are_one_sentence(hub, store):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Noise) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        meter_id = add(store, server.server_address[1])
        code, said = hub("collect", "--once")
        server.shutdown()
        thread.join()
    assert code == 1
    assert f"meter {meter_id}: Answers arrive damaged" in said
