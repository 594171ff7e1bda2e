"""The vocabulary of events, and what tells entries apart."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.domain.clock import MeterTime
from hub.domain.events import KINDS, UNKNOWN, UNNAMED, Fact, Severity, kind_of
from hub.domain.journal import JournalEntry


def test_kinds_are_kept_under_their_names() -> None:
    for name, kind in KINDS.items():
        assert kind.name == name
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert UNKNOWN not in KINDS


def test_units_stand_in_the_names_of_fields() -> None:
    seconds = {f for kind in KINDS.values() for f in kind.fields if f.endswith("_s")}
    assert seconds == {"shift_s", "drift_s", "threshold_s"}
    assert all(KINDS[kind].fields[f] is Fact.NUMBER for kind in KINDS for f in KINDS[kind].fields
               if f in seconds)  # fmt: skip


def test_an_unknown_name_is_unnamed_not_an_error() -> None:
    assert kind_of("tea_spilt") is UNNAMED
    assert kind_of("power_lost") is KINDS["power_lost"]


def test_a_short_outage_is_only_an_information() -> None:
    lost = KINDS["power_lost"]
    assert lost.severity_of(timedelta(seconds=59)) is Severity.INFO
    assert lost.severity_of(timedelta(minutes=1)) is Severity.WARNING
    assert lost.severity_of(None) is Severity.WARNING
    assert lost.severity_of(timedelta(seconds=-1)) is Severity.WARNING  # the clock was set back
    lost = KINDS["journal_lost"]  # of no length: before the first reading
    assert lost.severity_of(timedelta()) is Severity.INFO
    assert lost.severity_of(timedelta(minutes=1)) is Severity.WARNING
    assert KINDS["magnetic_field"].severity_of(timedelta()) is Severity.ALARM


def test_the_key_is_the_same_when_the_end_comes_and_differs_in_all_else() -> None:
    began = datetime(2026, 11, 12, 14, 3)
    entry = JournalEntry("04", "phase_voltage_lost", MeterTime(began), detail={"phase": "2"})
    assert entry.key == "04/phase_voltage_lost/2/2026-11-12T14:03:00/0"
    later = MeterTime(began + timedelta(minutes=5))
    assert replace(entry, ended=later, raw=b"\x01").key == entry.key
    others = [
        replace(entry, book="03"),
        replace(entry, kind="unknown"),
        replace(entry, began=later),
        replace(entry, began=began.replace(tzinfo=UTC)),
        replace(entry, detail={"phase": "1"}),
        replace(entry, nth=1),
    ]
    assert len({entry.key, *(other.key for other in others)}) == len(others) + 1
