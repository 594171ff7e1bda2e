from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.collector.backoff import FIRST, JITTER, LONGEST, after_failure, wait
from hub.collector.plan import next_visit, plan, rest_s
from hub.errors import AccessDenied, ContractBroken, Refused, ReplyTimeout, WrongDevice
from hub.services.lines import Due, LineRow, StateRow

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def a_line(line_id: int, *, reach: str = "", next_try_at: datetime | None = None) -> LineRow:
    return LineRow(line_id, f"tcp://l:{line_id}", reach, "", None, 0, next_try_at, None, "", "")


def a_state(meter_id: int, line_id: int, *, minutes: int = 0, stopped: bool = False) -> StateRow:
    due_at = NOW + timedelta(minutes=minutes)
    return StateRow(meter_id, line_id, due_at, 30, 0, stopped, None, "", "")


def a_due(lines: list, states: list, next_at: datetime | None = None) -> Due:
    return Due(NOW, tuple(lines), tuple(states), next_at)


def test_meters_are_planned_by_line_and_only_when_due():
    lines = [a_line(1), a_line(2)]
    states = [a_state(1, 1), a_state(2, 2, minutes=1), a_state(3, 1, stopped=True), a_state(4, 1)]
    (work,) = plan(a_due(lines, states))
    assert work.line.id == 1
    assert [state.meter_id for state in work.meters] == [1, 4]


def test_a_line_that_is_down_waits():
    later = a_line(1, next_try_at=NOW + timedelta(seconds=1))
    assert plan(a_due([later], [a_state(1, 1)])) == []
    assert plan(a_due([a_line(1, next_try_at=NOW)], [a_state(1, 1)]))


def test_a_port_of_another_machine_is_left_to_it():
    due = a_due([a_line(1, reach="cellar")], [a_state(1, 1)])
    assert plan(due) == []
    assert plan(due, reach=["cellar"])


@given(st.integers(0, 10**6), st.integers(1, 1440), st.integers(1, 10**9))
def test_the_next_visit_is_after_now_and_within_a_period(seconds, every, meter_id):
    now = NOW + timedelta(seconds=seconds)
    at = next_visit(now, every, meter_id)
    assert now < at <= now + timedelta(minutes=every)
    assert next_visit(at, every, meter_id) == at + timedelta(minutes=every)


def test_visits_of_neighbours_are_spread_after_the_half_hour():
    at = [next_visit(NOW, 30, meter_id) - NOW for meter_id in range(1, 50)]
    assert min(at) >= timedelta(seconds=20)
    assert max(at) <= timedelta(seconds=80)
    assert len(set(at)) > 30


def test_there_is_a_rest_until_the_next_meter():
    assert rest_s(a_due([], []), longest_s=2) == 2
    assert rest_s(a_due([], [], NOW + timedelta(seconds=1)), longest_s=2) == 1
    assert rest_s(a_due([], [], NOW + timedelta(hours=1)), longest_s=2) == 2


@given(st.integers(1, 100), st.floats(0, 1))
def test_the_wait_doubles_to_an_hour_with_jitter(failures, luck):
    plain = FIRST * 2 ** (failures - 1) if failures < 7 else LONGEST
    assert plain * (1 - JITTER) <= wait(failures, luck) <= plain * (1 + JITTER)


def stand(error):
    return after_failure(error, 2, now=NOW, regular_at=NOW + timedelta(minutes=30), luck=0.5)


def test_consequences_of_failures():
    regular = NOW + timedelta(minutes=30)
    for error in (AccessDenied(), WrongDevice()):
        assert stand(error).stopped
        assert stand(error).failures == 2
    assert (stand(Refused()).due_at, stand(Refused()).failures) == (regular, 2)
    for error in (ReplyTimeout(), ContractBroken()):
        assert not stand(error).stopped
        assert (stand(error).due_at, stand(error).failures) == (NOW + timedelta(minutes=4), 3)


def test_a_meter_that_was_read_before_is_stopped_by_its_second_refusal():
    def after(failures, error):
        return after_failure(
            error, failures, now=NOW, regular_at=NOW + timedelta(hours=1), luck=0.5, proven=True
        )

    first = after(0, AccessDenied())
    assert (first.due_at, first.failures, first.stopped) == (NOW + timedelta(minutes=1), 1, False)
    assert after(1, AccessDenied()).stopped
    assert after(0, WrongDevice()).stopped
