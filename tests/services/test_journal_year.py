"""Journals of a virtual meter, read daily into the store, are what the meter says it wrote.

``make proof journals`` does a year of each case with kills; here are weeks of it.
"""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import journal_year
import pytest
from journal_year import CASES, Reading, differences, opened, silence_wanted, year_wanted

from hub.store.secrets import new_key

WEEKS = 40  # days


@pytest.mark.parametrize("name", ["firmware 9.0.0", "firmware 2.0.0, one by one", "two seals"])
def test_daily_visits_find_every_entry(store, clock, name):
    reading = Reading(CASES[name], store, clock)
    reading.read(WEEKS)
    wanted = year_wanted(reading)
    assert len(wanted) > 100
    assert differences(wanted, reading.stored()) == (0, 0)


def test_a_bad_line_brings_no_wrong_entry(store, clock):
    reading = Reading(CASES["a bad line"], store, clock)
    reading.read(20)
    assert differences(year_wanted(reading), reading.stored()) == (0, 0)


def test_a_long_silence_is_a_loss_with_its_bounds(store, clock):
    reading = Reading(replace(CASES["160 days of silence"], silence=(5, 35)), store, clock)
    reading.read(WEEKS)
    wanted, losses = silence_wanted(reading)
    assert losses
    assert differences(wanted, reading.stored()) == (0, 0)


def test_the_comparison_finds_what_is_missing_and_what_is_wrong(store, clock):
    reading = Reading(CASES["firmware 9.0.0"], store, clock)
    reading.read(5)
    found = reading.stored()
    wrong = found[0]._replace(began="2026-01-01T00:00:00")
    assert differences(year_wanted(reading), found[1:]) == (1, 0)
    assert differences(year_wanted(reading), [wrong, *found[1:]]) == (1, 1)
    assert differences(year_wanted(reading), [found[0], *found]) == (0, 1)


def test_kills_lose_and_double_nothing(tmp_path, empty_database):
    database, key = tmp_path / "hub.sqlite", new_key()
    shutil.copyfile(empty_database, database)

    def child(*kill: str) -> int:
        return subprocess.run(
            [sys.executable, journal_year.__file__, database, "firmware 9.0.0", "12", *kill],
            env=os.environ | {"HUB_KEYS": key},
            check=False,
        ).returncode

    for number, when in (("30", "before"), ("31", "after")):
        assert child(number, when) == -signal.SIGKILL
    assert child() == 0
    store, clock = opened(database, key)
    reading = Reading(CASES["firmware 9.0.0"], store, clock)
    assert reading.last_visit.date().isoformat() == "2026-01-13"
    assert differences(year_wanted(reading), reading.stored()) == (0, 0)
    store.close()
