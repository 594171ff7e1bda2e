"""``hub meter order | orders | clocks | drift`` on a store without a collector."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from hub.cli import run
from hub.domain.clock import ClockReading, MeterTime
from hub.services import clock_discipline, lines, meters, orders
from hub.services.orders import State
from hub.store.secrets import new_key
from hub.store.tables import Supplier
from hub.store.unit import Store


@pytest.fixture
def store(tmp_path, monkeypatch):
    key, url = new_key(), f"sqlite:///{tmp_path}/hub.sqlite"
    monkeypatch.setenv("HUB_DATABASE_URL", url)
    monkeypatch.setenv("HUB_KEYS", key)
    opened = Store.open(url, keys=[key])
    opened.upgrade()
    meters.add_meter(opened, line="tcp://10.0.0.1:4001", driver="toy", settings="{}")
    with opened.write() as unit:
        unit.session.add(Supplier(connector="house", title="House", created_at=unit.now()))
    yield opened
    opened.close()


def lease(store):
    return lines.claim(store, 1, "test", is_dead=lambda _: True)


def order(*arguments):
    return run(["meter", "order", "1", *arguments, "--reason", "test", "--yes", "--wait", "0"])


def test_an_order_is_given_and_listed_with_its_outcome(store, capsys):
    assert order("relay", "--off") == 0
    assert "waits for the meter's next visit" in capsys.readouterr().out
    held = lease(store)
    (found,) = orders.to_do(store, 1, lease=held)
    assert (found.act, found.parameters, found.reason) == (
        "switch_relay", {"closed": False}, "test"
    )  # fmt: skip
    assert found.actor.endswith("at the terminal")
    orders.spend(store, found.id, lease=held)
    orders.settle(store, found, State.CONFIRMED, lease=held)
    assert run(["meter", "orders", "1"]) == 0
    told = capsys.readouterr().out
    assert "switch_relay" in told
    assert "confirmed" in told
    assert run(["meter", "orders", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["orders"]
    assert (row["state"], row["meter"], row["parameters"]) == ("confirmed", 1, {"closed": False})


def test_limits_are_ordered(store, capsys):
    assert order("limits", "--power", "5000", "--energy", "1=900000", "--energy-control", "on",
                 "--json") == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"] == {
        "power_limit_w": "5000",
        "energy_limits_wh": {"1": "900000"},
        "energy_control": True,
    }
    assert told["state"] == "waiting"


def test_an_order_that_runs_out_while_somebody_waits_fails(store, capsys):
    arguments = ["clock", "--hours", "0.0001", "--wait", "30", "--reason", "test", "--yes"]
    assert run(["meter", "order", "1", *arguments]) == 1
    assert "not reached in time" in capsys.readouterr().out


def test_one_that_waits_can_be_taken_back(store, capsys):
    order("clock")
    assert run(["meter", "orders", "--withdraw", "1"]) == 0
    assert "withdrawn" in capsys.readouterr().out
    assert run(["meter", "orders", "--withdraw", "1"]) == 1
    assert "does not wait any more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("relay",), 2, "--on or --off"),
        (("limits",), 2, "which limit"),
        (("clock", "--on"), 2, "for 'relay'"),
        (("relay", "--on", "--power", "5"), 2, "for 'limits'"),
        (("limits", "--power", "much"), 1, "not negative"),
        (("limits", "--energy", "5"), 2, "KEY=VALUE"),
    ],
)
def test_what_is_wrong_is_one_sentence(store, capsys, arguments, code, words):
    assert order(*arguments) == code
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1
    assert orders.listed(store) == []


def test_nobody_orders_without_being_asked(store, capsys):
    assert run(["meter", "order", "1", "clock", "--reason", "test"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert run(["meter", "order", "99", "clock", "--reason", "test", "--yes"]) == 1
    assert "no meter 99" in capsys.readouterr().err


def test_a_policy_is_shown_and_changed(store, capsys):
    assert run(["meter", "clocks"]) == 0
    assert "off" in capsys.readouterr().out
    changed = ["clocks", "1", "--on", "--threshold", "10", "--hours", "1-5", "--json"]
    assert run(["meter", *changed]) == 0
    (told,) = json.loads(capsys.readouterr().out)["policies"]
    assert told == {
        "supplier": 1, "title": "House", "enabled": True, "threshold_s": 10, "farthest_s": 900,
        "from_hour": 1, "to_hour": 5,
    }  # fmt: skip
    assert run(["meter", "clocks"]) == 0
    assert "1-5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--on",), 2),
        (("1", "--hours", "night"), 2),
        (("1", "--hours", "1-25"), 1),
        (("9", "--on"), 1),
    ],
)
def test_a_policy_that_can_not_be_is_refused(store, capsys, arguments, code):
    assert run(["meter", "clocks", *arguments]) == code
    assert capsys.readouterr().err
    assert not clock_discipline.policies(store)[0].enabled


def test_drift_is_shown(store, capsys):
    now = datetime.now(UTC).replace(microsecond=0)
    shown = MeterTime((now + timedelta(hours=3, seconds=7)).replace(tzinfo=None))
    reading = ClockReading(shown, now, now)
    clock_discipline.note_reading(store, 1, reading, lease=lease(store))
    assert run(["meter", "drift", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["drift"]
    assert row["drift_s"] == 7
    assert run(["meter", "drift", "1"]) == 0
    assert "7.0" in capsys.readouterr().out
    assert run(["meter", "drift", "9"]) == 1
