"""``hub doctor --lines``: figures of lines and meters, for people and for programs."""

import json
from datetime import timedelta

import pytest

from hub.cli import run
from hub.services import lines, meters
from hub.services.lines import Carried
from hub.store import meters as meters_store


@pytest.fixture
def doctor(store, monkeypatch, capsys):
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{store.path}")
    monkeypatch.delenv("HUB_KEYS", raising=False)
    store.clock = None

    def call(*words):
        code = run(["doctor", "--lines", *words])
        shown = capsys.readouterr()
        assert shown.err == ""
        return code, shown.out

    return call


def test_no_line_yet(doctor):
    assert doctor() == (0, "There is no line yet.\n")
    assert json.loads(doctor("--json")[1]) == {"lines": []}


@pytest.fixture
def two_lines(store):
    """A line that carries well with two meters, and one that is down."""
    first = meters.add_meter(
        store, line="tcp://gate:1", driver="toy", settings="{}", maker="Acme", serial="1"
    )
    second = meters.add_meter(
        store, line="tcp://gate:1", driver="toy", settings="{}", maker="Acme", serial="2"
    )
    meters.add_meter(store, line="tcp://gate:2", driver="toy", settings="{}")
    one, two = (
        lines.claim(store, line_id, f"boot/ns {pid} 9", is_dead=lambda name: False)
        for line_id, pid in ((1, 4711), (2, 4712))
    )
    counts = {
        "asks": 200, "repeats": 10, "timeouts": 8, "garbled": 2, "reconnects": 1, "bytes_out": 900,
        "bytes_in": 4000, "bytes_unasked": 3, "wire_s": 90.0, "held_s": 120.0, "visits": 2,
        "visits_failed": 0,
    }  # fmt: skip
    assert lines.renew(store, one, Carried(counts, heard=True, visit_s={first: 1.5, second: 44.25}))
    lines.went_down(
        store, two, code="line.down", text="Nothing listens.", failures=1,
        next_try_at=store.now() + timedelta(minutes=1),
    )  # fmt: skip
    lines.release(store, two)
    return first, second


def test_for_people_it_is_two_tables(doctor, two_lines, store):
    with store.write() as unit:
        meters_store.state(unit, two_lines[0]).failures = 3
        meters_store.state(unit, two_lines[0]).error_text = "Tired."
    code, out = doctor()
    assert code == 1
    head, well, down, why, _, _, _, meter_head, slow, fast, unread = out.splitlines()
    assert head.split()[:4] == ["LINE", "STATE", "METERS", "ASKED"]
    assert "held by 4711" in well
    assert "200" in well
    assert "4.0 %" in well  # timeouts
    assert "1.0 %" in well  # garbled
    assert "5.0 %" in well  # repeats
    assert "down since" in down
    assert why == "tcp://gate:2: Nothing listens."
    assert meter_head.split()[0] == "METER"
    assert slow.split()[:3] == [str(two_lines[1]), "Acme", "2"]
    assert "44.25" in slow
    assert fast.endswith("3 failures: Tired.")
    assert unread.endswith("well")


def test_for_programs_it_is_all_there_is(doctor, two_lines):
    code, out = doctor("--json")
    assert code == 1
    well, down = json.loads(out)["lines"]
    assert (well["line"], well["holder"], well["down_since"]) == ("tcp://gate:1", "4711", None)
    assert well["total"]["asks"] == well["recent"]["asks"] == 200
    assert well["last_answer"].endswith("Z")
    assert 0 < well["busy"] <= 1
    assert [each["visit_s"] for each in well["meters"]] == [44.25, 1.5]
    assert (down["error"], down["total"], down["busy"]) == ("line.down", {}, 0)
