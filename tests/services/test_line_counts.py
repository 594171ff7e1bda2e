"""What lines have carried is added up with their leases."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.services import lines, meters
from hub.services.lines import Carried
from hub.store import line_stats


@pytest.fixture
def lease(store):
    meters.add_meter(store, line="tcp://gate:1", driver="toy", settings="{}")
    with store.read() as unit:
        (row,) = lines.meters.lines(unit)
    return lines.claim(store, row.id, "me", is_dead=lambda name: False)


def figures(store):
    with store.read() as unit:
        (found,) = line_stats.figures(unit)
    return found


def carried(asks, *, heard=True, **visit_s):
    return Carried(
        {"asks": asks, "wire_s": asks / 4},
        heard=heard,
        visit_s={int(name[1:]): seconds for name, seconds in visit_s.items()},
    )


def test_counts_add_up_and_the_last_two_hours_stay_apart(store, clock, lease):
    began = clock.at
    assert lines.renew(store, lease, carried(10, m1=2.5))
    clock.advance(minutes=50)
    # the lease has run out and nobody took it
    assert lines.renew(store, lease, carried(5, heard=False, m2=7.0))
    found = figures(store)
    assert (found.total, found.recent) == ({"asks": 15, "wire_s": 3.75},) * 2
    assert (found.since_at, found.recent_at, found.at) == (began, began, clock.at)
    assert found.heard_at == began
    assert found.visit_s == {1: 2.5, 2: 7.0}
    clock.advance(hours=1)
    lines.renew(store, lease, carried(1, m1=3.0))
    clock.advance(hours=1)
    lines.release(store, lease, carried(2))
    found = figures(store)
    assert found.total["asks"] == 18
    assert found.recent["asks"] == 3
    assert found.recent_at == began + timedelta(hours=1, minutes=50)
    assert found.heard_at == clock.at
    assert found.visit_s == {1: 3.0, 2: 7.0}


def test_who_has_lost_the_line_adds_nothing(store, clock, lease):
    clock.advance(minutes=2)
    assert isinstance(
        lines.claim(store, lease.line_id, "you", is_dead=lambda name: False), lines.Lease
    )
    assert not lines.renew(store, lease, carried(10))
    lines.release(store, lease, carried(10))
    with store.read() as unit:
        assert line_stats.figures(unit) == []


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), max_size=5))
def test_sums_are_sums(all_counts):
    total = {}
    for counts in all_counts:
        total = line_stats._sum(total, counts)
    assert total == {
        name: sum(counts.get(name, 0) for counts in all_counts)
        for name in {name for counts in all_counts for name in counts}
    }
