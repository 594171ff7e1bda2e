"""The small version of ``make proof kills``; that one kills a hundred times and at each commit."""

import random

import pytest
from kills import an_order, ground, order_killed

pytestmark = pytest.mark.e2e


def test_a_killed_collector_loses_doubles_and_changes_nothing(tmp_path):
    with ground(tmp_path, days=6, count=1) as ground_:
        calm = ground_.fresh("calm")
        calm.finish()
        wanted = calm.rows()
        assert len(wanted["blocks"]) >= 6
        assert {state for *_, state, _, _ in wanted["gaps"]} == {"gone"}
        assert "ok" in {row[4] for row in wanted["balance"]}
        assert "in_doubt" not in {row[4] for row in wanted["balance"]}
        for number, when in ((3, "before"), (6, "after")):
            run = ground_.fresh("run")
            assert run.killed_at_commit(number, when)
            run.finish()
            assert run.rows() == wanted
        run = ground_.fresh("run")
        luck = random.Random(3)  # noqa: S311
        for _ in range(3):
            run.killed_after(luck.uniform(0.8, 2.0))
        run.finish()
        assert run.rows() == wanted


def test_a_collector_that_is_asked_to_end_releases_its_lines(tmp_path):
    with ground(tmp_path, days=90, count=1) as ground_:
        run = ground_.fresh("run")
        process = run.start()
        while not any(token for _, token in run.rows()["leases"]):
            assert process.poll() is None
        process.terminate()
        _, said = process.communicate(timeout=30)
        assert (process.returncode, run.rows()["leases"]) == (0, [(1, "")]), said
        run.finish()
        assert len(run.rows()["blocks"]) > 80


def test_an_order_leaves_once_at_most_whenever_its_collector_dies(tmp_path):
    """Before it is spent the next collector carries it out; after that nobody sends it again."""
    with ground(tmp_path, days=2, count=1) as place:
        known = place.fresh("known")
        known.finish()
        ordered = an_order(known)
        fates = {
            at: order_killed(place, ordered, *at)
            for at in ((3, "after"), (4, "after"), (5, "before"), (5, "after"))
        }
        assert all(fate.killed for fate in fates.values())
        assert {at: (fate.state, fate.sent) for at, fate in fates.items()} == {
            (3, "after"): ("confirmed", 1),
            (4, "after"): ("unknown", 0),  # spent, and nothing sent
            (5, "before"): ("unknown", 1),  # sent, and the answer not stored
            (5, "after"): ("confirmed", 1),
        }
