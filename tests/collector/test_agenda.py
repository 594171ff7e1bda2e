from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from hub.collector.agenda import Signs, journals_due
from hub.domain.clock import MeterTime
from hub.domain.pages import Cursor
from hub.domain.profile import Gap, ProfilePage, Slot, SlotMark

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
FACE = MeterTime(datetime(2026, 11, 24, 13))


def page(*marks, gaps=()):
    slots = tuple(Slot(FACE, 30, (1, None, None, None), mark) for mark in marks)
    return ProfilePage(
        slots=slots, milliwatt_hours_per_count=Fraction(1), gaps=gaps, next=Cursor("t", ""),
        more=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "due"), [(None, True), (0.5, False), (19.9, False), (20, True), (23.99, True)]
)
def test_journals_are_read_once_a_day(hours, due):
    read_at = None if hours is None else NOW - timedelta(hours=hours)
    assert journals_due(Signs(read_at), NOW) is due


def quiet() -> Signs:
    return Signs(NOW - timedelta(hours=1))


def test_a_quiet_meter_is_not_asked():
    signs = quiet()
    signs.see_clock(3.0, 3.5)
    signs.see_page(page(SlotMark(0), SlotMark(0)))
    assert not journals_due(signs, NOW)


@pytest.mark.parametrize(
    "seen",
    [
        page(SlotMark(0), SlotMark.POWER_LOST),
        page(SlotMark.PARTIAL),
        page(gaps=(Gap(FACE, FACE),)),
    ],
)
def test_a_disturbed_profile_is_looked_into(seen):
    signs = quiet()
    signs.see_page(seen)
    signs.see_page(page(SlotMark(0)))
    assert journals_due(signs, NOW)


@pytest.mark.parametrize("before", [None, 100.0])
def test_a_clock_that_jumped_is_looked_into(before):
    signs = quiet()
    signs.see_clock(before, 30.0)
    assert journals_due(signs, NOW)


@pytest.mark.parametrize("sign", ["asked", "changed"])
def test_whoever_asks_or_changes_something_sees_the_events(sign):
    signs = quiet()
    setattr(signs, sign, True)
    assert journals_due(signs, NOW)
