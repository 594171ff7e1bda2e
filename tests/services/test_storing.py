from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metering import (
    a_gap,
    a_lease,
    a_meter,
    a_page,
    a_slot,
    an_installation,
    everything,
    utc,
    values,
)
from sqlmodel import select

from hub.domain.clock import MeterTime
from hub.domain.profile import SlotMark
from hub.errors import ContractBroken, LineBusy, PeriodUnsupported
from hub.services import lines, storing
from hub.services import meters as services
from hub.services.storing import store_profile_page
from hub.store import gaps, meters, outbox, series
from hub.store.tables import LedgerGap, MeterState, Revision


def put(store, meter, page, **more):
    return store_profile_page(store, meter.meter_id, page, lease=meter.lease, **more)


def ledger(store):
    with store.read() as unit:
        rows = unit.session.exec(select(LedgerGap).order_by(LedgerGap.from_at)).all()
        return [(row.from_at, row.to_at, row.state, row.reason) for row in rows]


def test_a_page_is_stored_with_its_cursor_state_and_signal(store):
    meter = a_meter(store)
    point = an_installation(store, meter.meter_id)
    stored = put(store, meter, a_page([a_slot(n, 100 + n) for n in range(60)], at="60"))
    assert (stored.filled, stored.revised, stored.gaps, stored.moved) == (60, 0, 0, True)
    held = values(store, meter.meter_id)
    assert held == {utc(n): (1, 0, (100 + n, (100 + n) // 2)) for n in range(60)}
    with store.read() as unit:
        assert meters.cursor(unit, meter.meter_id).body == "60"
        state = unit.session.get(MeterState, meter.meter_id)
        assert (state.profile_from_at, state.profile_through_at) == (utc(0), utc(60))
        assert not state.profile_done
        (signal,) = outbox.signals(unit, 0)
        assert signal.body == {"meter": meter.meter_id, "points": [point]}


def test_what_the_driver_learned_outlives_a_visit_that_is_cut_short(store):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(0, 1)]), learned={"pointer": "record"})
    assert services.errand(store, meter.meter_id).meter.learned == {"pointer": "record"}
    put(store, meter, a_page([a_slot(1, 1)]))
    assert services.errand(store, meter.meter_id).meter.learned == {"pointer": "record"}


def test_a_page_that_comes_again_changes_nothing(store, clock):
    meter = a_meter(store)
    pages = [
        a_page([a_slot(n, n) for n in range(40)], at="40", gaps=[a_gap(40, 50)]),
        a_page([a_slot(n, n) for n in range(50, 90)], at="90", more=False),
    ]
    for page in pages:
        put(store, meter, page)
    before = everything(store)
    clock.advance(hours=1)
    assert not put(store, meter, pages[-1]).changed
    assert everything(store) == before
    again = put(store, meter, pages[0])
    assert not again.changed
    assert again.moved
    put(store, meter, pages[1])
    skip = ("cursor", "meter")
    now = everything(store)
    assert {k: v for k, v in now.items() if k not in skip} == {
        k: v for k, v in before.items() if k not in skip
    }


def test_without_the_lease_nothing_is_stored(store):
    meter = a_meter(store)
    before = everything(store)
    other = a_lease(store, meter.meter_id)
    with pytest.raises(LineBusy, match="not stored"):
        put(store, meter, a_page([a_slot(0, 1)]))
    assert everything(store) == before
    lines.release(store, meter.lease)
    meter.lease = other
    assert put(store, meter, a_page([a_slot(0, 1)])).filled == 1
    lines.release(store, other)
    with pytest.raises(LineBusy):
        put(store, meter, a_page([a_slot(1, 1)]))


def test_a_failure_in_the_middle_leaves_nothing(store, monkeypatch):
    meter = a_meter(store)
    before = everything(store)
    monkeypatch.setattr(storing, "keep_state", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        put(store, meter, a_page([a_slot(n, 1) for n in range(100)]))
    assert everything(store) == before


def test_changed_values_are_revised_and_the_old_ones_kept(store, clock):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(0, 10), a_slot(1, 11)]))
    clock.advance(hours=2)
    stored = put(store, meter, a_page([a_slot(0, 10), a_slot(1, 15)], at="1"))
    assert (stored.same, stored.revised, stored.filled) == (1, 1, 0)
    assert values(store, meter.meter_id)[utc(1)] == (1, 0, (15, 7))
    with store.read() as unit:
        (row,) = unit.session.exec(select(Revision)).all()
        assert (row.old_counts, row.old_flags, row.at) == ([11, 5], 0, clock())
        assert (row.slot, row.why, row.actor) == (43, "meter", "collector")


def test_partial_never_replaces_measured_but_measured_replaces_partial(store):
    meter = a_meter(store)
    part = a_slot(0, 5, marks=SlotMark.POWER_LOST)
    put(store, meter, a_page([part]))
    assert values(store, meter.meter_id)[utc(0)] == (1, 2, (5, 2))
    assert put(store, meter, a_page([a_slot(0, 9)])).revised == 1
    assert values(store, meter.meter_id)[utc(0)] == (1, 0, (9, 4))
    assert put(store, meter, a_page([part])).same == 1
    assert values(store, meter.meter_id)[utc(0)] == (1, 0, (9, 4))


def test_other_scale_channels_or_period_open_another_series(store):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(0, 1)]))
    put(store, meter, a_page([a_slot(1, 1)], scale=Fraction(500)))
    put(store, meter, a_page([a_slot(2, (1, 2, 3, 4))]))
    put(store, meter, a_page([a_slot(1, 1, minutes=60)]))
    put(store, meter, a_page([a_slot(4, 1)]))
    with store.read() as unit:
        keys = [item.key for item in series.of_meter(unit, meter.meter_id)]
    assert [(key.shape.minutes, key.shape.channels, key.scale) for key in keys] == [
        (30, 0b0101, 1000),
        (30, 0b0101, 500),
        (30, 0b1111, 1000),
        (60, 0b0101, 1000),
    ]


def test_a_period_that_does_not_divide_a_day_is_refused(store):
    meter = a_meter(store)
    with pytest.raises(PeriodUnsupported, match="7 minutes"):
        put(store, meter, a_page([a_slot(0, 1, minutes=7)]))
    assert values(store, meter.meter_id) == {}


def test_a_slot_without_any_value_is_the_plugins_fault(store):
    meter = a_meter(store)
    with pytest.raises(ContractBroken):
        put(store, meter, a_page([a_slot(0, (None, None, None, None))]))


def test_stamps_go_by_their_own_season_and_the_dated_base(store):
    meter = a_meter(store)
    an_installation(
        store,
        meter.meter_id,
        clock_base_minutes=120,
        from_at=datetime(2020, 1, 1, tzinfo=UTC),
        to_at=datetime(2026, 11, 1, 9, 0, tzinfo=UTC),
    )
    an_installation(
        store,
        meter.meter_id,
        clock_base_minutes=240,
        from_at=datetime(2026, 11, 1, 9, 0, tzinfo=UTC),
    )
    put(store, meter, a_page([a_slot(0, 1), a_slot(10, 2, summer=True), a_slot(40, 3)]))
    assert set(values(store, meter.meter_id)) == {
        datetime(2026, 10, 31, 22, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 2, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 16, 0, tzinfo=UTC),
    }


def test_both_hours_of_the_season_change_are_kept_apart(store):
    """The face shows 02:30 twice; the flags tell the two apart."""
    meter = a_meter(store)
    put(
        store,
        meter,
        a_page([a_slot(4, 1, summer=True), a_slot(5, 2, summer=True),
                a_slot(4, 3, summer=False), a_slot(5, 4, summer=False)]),
    )  # fmt: skip
    assert [counts[0] for _, _, counts in values(store, meter.meter_id).values()] == [1, 2, 3, 4]


def test_stamps_off_the_grid_are_partial_and_meet_in_their_slot(store):
    meter = a_meter(store)
    odd = a_slot(0, 5)
    odd = type(odd)(MeterTime(odd.ends.face - timedelta(minutes=13)), 30, odd.counts)
    put(store, meter, a_page([odd, a_slot(0, 7)]))
    assert values(store, meter.meter_id) == {utc(0): (1, 2, (12, 5))}


def test_gaps_are_noted_once_asked_for_and_filled_piece_by_piece(store, clock):
    meter = a_meter(store)
    put(
        store,
        meter,
        a_page([a_slot(n, n) for n in range(10)], gaps=[a_gap(None, 0), a_gap(10, 20)]),
    )
    put(store, meter, a_page([a_slot(n, n) for n in range(20, 30)], at="1"))
    assert ledger(store) == [(utc(10), utc(20), "open", "not_written")]
    # A hole that the driver did not speak of is one all the same.
    put(store, meter, a_page([a_slot(n, n) for n in (30, 34, 40)], at="2"))
    assert ledger(store)[1:] == [
        (utc(31), utc(34), "open", "not_read"),
        (utc(35), utc(40), "open", "not_read"),
    ]
    with store.read() as unit:
        asked = gaps.to_ask(unit, meter.meter_id, clock())
    assert [gap.span[0] for gap in asked] == sorted((g.span[0] for g in asked), reverse=True)
    # Of the first gap only the middle comes: it is cut in two, and both are asked for still.
    stored = put(store, meter, a_page([a_slot(n, n) for n in (14, 15)], at="x"), by_span=True)
    assert stored.filled == 2
    assert [item for item in ledger(store) if item[0] < utc(20)] == [
        (utc(10), utc(14), "open", "not_written"),
        (utc(16), utc(20), "open", "not_written"),
    ]
    with store.read() as unit:
        assert meters.cursor(unit, meter.meter_id).body == "2"
    storing.finish_span(store, meter.meter_id, asked[-1], lease=meter.lease)
    assert [item[2] for item in ledger(store)] == ["gone", "gone", "open", "open"]
    # What was given up may come after all.
    put(store, meter, a_page([a_slot(n, n) for n in range(10, 20)], at="x"), by_span=True)
    assert [item[2] for item in ledger(store)] == ["filled", "filled", "open", "open"]


def test_a_gap_that_did_not_answer_is_put_off(store, clock):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(0, 1), a_slot(5, 1)]))
    with store.read() as unit:
        (gap,) = gaps.to_ask(unit, meter.meter_id, clock())
    later = clock() + timedelta(minutes=10)
    storing.put_off_span(store, gap, later, lease=meter.lease)
    with store.read() as unit:
        assert gaps.to_ask(unit, meter.meter_id, clock()) == []
        (gap,) = gaps.to_ask(unit, meter.meter_id, later)
        assert gap.tries == 1


def test_a_gap_between_visits_is_a_gap(store):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(0, 1)], at="0", more=False))
    put(store, meter, a_page([a_slot(9, 1)], at="1", more=False))
    assert ledger(store) == [(utc(1), utc(9), "open", "not_read")]


def test_a_damaged_block_is_asked_for_again_and_hides_nothing_else(store):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(n, n) for n in range(150)], more=False))
    with store.write() as unit:
        unit.cursor().execute(
            "UPDATE block SET body = substr(body, 1, 5) "
            "WHERE day = (SELECT min(day) + 1 FROM block)"
        )
    assert len(values(store, meter.meter_id)) == 102
    (series_id,) = {series_id for series_id, _, _ in values(store, meter.meter_id).values()}
    day = (utc(6) - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert storing.mark_damaged(store, series_id, day) == meter.meter_id
    assert storing.mark_damaged(store, series_id, day) is None
    assert ledger(store) == [(utc(6), utc(54), "open", "damaged")]
    put(store, meter, a_page([a_slot(n, n) for n in range(6, 54)], at="x"), by_span=True)
    assert len(values(store, meter.meter_id)) == 150
    assert ledger(store)[0][2] == "filled"


def test_storing_into_a_damaged_block_asks_for_the_rest_of_the_day(store):
    meter = a_meter(store)
    put(store, meter, a_page([a_slot(n, n) for n in range(30)], more=False))
    with store.write() as unit:
        unit.cursor().execute("UPDATE block SET body = x'0000'")
    put(store, meter, a_page([a_slot(30, 30)], at="1", more=False))
    assert {item[3] for item in ledger(store)} == {"damaged"}
    assert ledger(store)[-1][1] == utc(30)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, 120), st.integers(1, 70), st.integers(0, 3)), max_size=8
    )
)  # fmt: skip
def test_any_pages_in_any_order_hold_what_came_last(store, pages):
    """Against a dictionary: every slot has its latest value, every hole is in the ledger."""
    meter = a_meter(store, line=f"tcp://10.0.0.1:{next(PORTS)}")
    model = {}
    for first, length, salt in pages:
        slots = [a_slot(n, n * 10 + salt) for n in range(first, first + length)]
        put(store, meter, a_page(slots, at=f"{first}.{salt}"))
        model |= {utc(n): n * 10 + salt for n in range(first, first + length)}
    held = {start: counts[0] for start, (_, _, counts) in values(store, meter.meter_id).items()}
    assert held == model
    with store.read() as unit:
        rows = unit.session.exec(
            select(LedgerGap).where(
                LedgerGap.meter_id == meter.meter_id, LedgerGap.state != "filled"
            )
        ).all()
    missing = [
        row.from_at + n * timedelta(minutes=30)
        for row in rows
        for n in range(int((row.to_at - row.from_at) / timedelta(minutes=30)))
    ]
    assert len(missing) == len(set(missing))
    expected = set()
    if model:
        at = min(model)
        while at < max(model):
            expected |= {at} - set(model)
            at += timedelta(minutes=30)
    assert set(missing) == expected


PORTS = iter(range(5000, 60000))
