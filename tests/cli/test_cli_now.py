"""``hub meter now``: asks the collector, waits, and says how it ended."""

import json
import threading

import pytest
import structlog

from hub.cli import run
from hub.services import meters
from hub.store import meters as meters_store


@pytest.fixture
def now(store, monkeypatch, capsys):
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{store.path}")
    monkeypatch.setenv("HUB_KEYS", store.keys[0])
    monkeypatch.setattr("hub.cli.meter_now.LOOK_EVERY_S", 0.02)
    store.clock = None

    def call(*words):
        code = run(["meter", "now", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    yield call
    structlog.reset_defaults()


@pytest.fixture
def meter_id(store):
    return meters.add_meter(store, line="tcp://gate:1", driver="toy", settings="{}")


def answers(store, meter_id, **values):
    """What a collector does: sees that somebody asks, and leaves an answer."""

    def work():
        while True:
            with store.write() as unit:
                row = meters_store.state(unit, meter_id)
                if row.urgent_at is not None:
                    row.urgent_at = None
                    row.tried_at = unit.now()
                    for name, value in values.items():
                        setattr(row, name, value(unit) if callable(value) else value)
                    return

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_it_was_read(now, store, meter_id):
    thread = answers(store, meter_id, seen_at=lambda unit: unit.now())
    assert now(str(meter_id)) == (0, f"Meter {meter_id} was read.\n", "")
    thread.join()


def test_it_failed(now, store, meter_id):
    thread = answers(store, meter_id, error_text="The meter is tired.")
    code, out, err = now(str(meter_id), "--json")
    thread.join()
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert (told["read"], told["error"]) == (False, "The meter is tired.")


def test_no_collector(now, store, meter_id):
    code, out, err = now(str(meter_id), "--wait", "0")
    assert (code, out) == (1, "")
    assert "start 'hub collect'" in err
    with store.read() as unit:
        assert meters_store.fare(unit, meter_id).urgent_at is not None  # it stays asked for


def test_no_such_meter(now):
    code, _, err = now("77")
    assert code == 1
    assert "no meter 77" in err
