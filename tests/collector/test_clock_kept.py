"""A wrong clock in virtual time: policy, collector, driver and virtual meter; large: the proof."""

from proof.clock import Trial, run_trial

from hub.domain.consent import Act
from hub.services.orders import State


def test_a_fast_clock_is_corrected_in_its_hours_and_the_half_hours_are_marked(tmp_path):
    out = run_trial(Trial(fast_s=200, days=1, every_minutes=180, firmware="2.3.4"), tmp_path)
    assert out.failed == []
    assert abs(out.errors_s[-1]) <= 2
    assert len(out.steps) == 1
    assert out.hours <= {1, 2, 3, 4}
    assert out.marked > 0
    assert (out.unmarked, out.over_marked, out.wrong, out.missing) == (0, 0, 0, 0)
    assert out.events["clock_corrected"] == 1  # by the meter's own journal
    assert [one.state for one in out.orders] == [State.CONFIRMED]


def test_a_clock_20_minutes_slow_is_set_by_an_order_only(tmp_path):
    out = run_trial(Trial(fast_s=-1200, days=2, set_after_days=1, every_minutes=180), tmp_path)
    assert out.failed == []
    assert out.before_set_s == -1200
    assert abs(out.errors_s[-1]) <= 2
    assert [(one.act, one.state) for one in out.orders] == [(Act.SET_CLOCK, State.CONFIRMED)]
    assert out.events["clock_correction_refused"] == 1
    assert out.marked > 0
    assert (out.unmarked, out.over_marked, out.wrong, out.missing) == (0, 0, 0, 0)
