from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from metering import a_meter, a_page, a_slot, an_installation, everything, utc
from sqlmodel import select

from hub.domain.clock import MeterTime
from hub.domain.meters import Quantity, Register
from hub.errors import LineBusy
from hub.services import balance, lines, readings
from hub.services.storing import store_profile_page
from hub.store.tables import Audit, BalanceCheck, LedgerGap, RegisterReading

SHOWN = MeterTime(datetime(2026, 11, 24, 13, 0, 5))
READ_AT = datetime(2026, 11, 24, 10, 0, 4, 250, tzinfo=UTC)


def wh(value: int) -> Quantity:
    return Quantity(Decimal(value), "Wh")


def put(store, meter, read, *, read_at=READ_AT, shown=SHOWN):
    return readings.store_registers(
        store, meter.meter_id, read, shown=shown, read_at=read_at, lease=meter.lease
    )


def stored(store) -> dict:
    with store.read() as unit:
        rows = unit.session.exec(select(RegisterReading)).all()
        return {(row.obis, row.taken_at): (row.value, row.day_start) for row in rows}


def test_registers_are_dated_by_the_face_and_its_base(store):
    meter = a_meter(store)
    put(
        store,
        meter,
        {
            Register("1.8.0", "now"): wh(900),
            Register("1.8.0", "at:day:0"): wh(850),
            Register("1.8.0", "at:day:1"): wh(800),
            Register("1.8.1", "at:month:2026-10"): wh(300),
            Register("1.8.0", "at:year:0"): wh(10),
            Register("1.8.0", "of:day:0"): wh(50),
            Register("32.7.0", "now"): Quantity(Decimal("230.1"), "V"),
        },
    )
    day = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert stored(store) == {
        ("1.8.0", READ_AT.replace(microsecond=0)): (900, False),
        ("1.8.0", day): (850, True),
        ("1.8.0", day - timedelta(days=1)): (800, True),
        ("1.8.1", datetime(2026, 9, 30, 21, 0, tzinfo=UTC)): (300, True),
        ("1.8.0", datetime(2025, 12, 31, 21, 0, tzinfo=UTC)): (10, True),
    }


def test_a_day_with_two_names_is_one_reading(store):
    meter = a_meter(store)
    put(
        store,
        meter,
        {Register("1.8.0", "at:month:2026-01"): wh(5), Register("1.8.0", "at:year:0"): wh(5)},
    )
    assert len(stored(store)) == 1


def test_the_same_registers_again_change_nothing(store):
    meter = a_meter(store)
    read = {Register("1.8.0", "now"): wh(900), Register("1.8.0", "at:day:0"): wh(850)}
    put(store, meter, read)
    before = everything(store)
    put(store, meter, read)
    assert everything(store) == before


def test_of_a_days_readings_of_now_the_last_stays(store):
    meter = a_meter(store)
    for hours, value in ((0, 100), (2, 120), (1, 110), (30, 200)):
        read_at = READ_AT.replace(microsecond=0) + timedelta(hours=hours)
        put(store, meter, {Register("1.8.0"): wh(value)}, read_at=read_at)
    assert [value for value, _ in stored(store).values()] == [120, 200]


def test_a_day_start_that_changes_is_in_the_audit_log(store):
    meter = a_meter(store)
    put(store, meter, {Register("1.8.0", "at:day:0"): wh(850)})
    put(store, meter, {Register("1.8.0", "at:day:0"): wh(851)})
    with store.read() as unit:
        (row,) = unit.session.exec(select(Audit)).all()
    assert (row.act, row.detail["old"], row.detail["new"]) == ("register_changed", 850, 851)


def test_only_what_is_not_stored_is_asked_for(store):
    meter = a_meter(store)
    on_offer = {Register("1.8.0", period) for period in ("now", "at:day:0", "at:day:1", "of:day:0")}
    assert len(readings.wanted(store, meter.meter_id, on_offer, SHOWN)) == 3
    put(store, meter, {Register("1.8.0", "at:day:1"): wh(1)})
    left = readings.wanted(store, meter.meter_id, on_offer, SHOWN)
    assert [register.period for register in left] == ["at:day:0", "now"]


def test_without_the_lease_no_reading_is_stored(store):
    meter = a_meter(store)
    lines.release(store, meter.lease)
    with pytest.raises(LineBusy):
        put(store, meter, {Register("1.8.0"): wh(1)})
    assert stored(store) == {}


# -- balance -----------------------------------------------------------------------------------


def day_of(store, meter, counts, *, registers, page=None):
    """A day of slots and the registers around it, in Wh."""
    slots = [a_slot(n, (count, None, 0, None)) for n, count in enumerate(counts)]
    store_profile_page(store, meter.meter_id, page or a_page(slots, more=False), lease=meter.lease)
    before, after = registers
    for value, day in ((before, 1), (after, 2)):
        shown = MeterTime(datetime(2026, 11, day, 9, 0))
        put(store, meter, {Register("1.8.0", "at:day:0"): wh(value)}, shown=shown,
            read_at=utc(18 + 48 * (day - 1)))  # fmt: skip


def check(store, meter):
    return balance.check_balance(store, meter.meter_id, lease=meter.lease)


@pytest.mark.parametrize(
    ("off", "state"), [(0, "ok"), (49, "ok"), (-49, "ok"), (50, "in_doubt"), (-50, "in_doubt")]
)
def test_one_watt_hour_and_one_count_a_slot_are_allowed(store, off, state):
    meter = a_meter(store)
    day_of(store, meter, [10] * 48, registers=(1000, 1480 + off))
    (found,) = check(store, meter)
    assert (found.state, found.registers_wh, found.slots_wh) == (state, 480 + off, 480)
    with store.read() as unit:
        doubts = unit.session.exec(select(LedgerGap)).all()
    assert [(row.reason, row.from_at, row.to_at) for row in doubts] == (
        [("in_doubt", utc(0), utc(48))] if state == "in_doubt" else []
    )


def test_a_doubt_opens_the_ledger_once(store):
    meter = a_meter(store)
    day_of(store, meter, [10] * 48, registers=(1000, 2000))
    assert check(store, meter)[0].rereads == 1
    assert check(store, meter) == []
    with store.read() as unit:
        assert len(unit.session.exec(select(LedgerGap)).all()) == 1


def test_a_well_span_is_not_looked_at_again(store):
    meter = a_meter(store)
    day_of(store, meter, [10] * 48, registers=(1000, 1480))
    assert len(check(store, meter)) == 1
    assert check(store, meter) == []
    with store.read() as unit:
        assert len(unit.session.exec(select(BalanceCheck)).all()) == 1


def test_gaps_partial_slots_and_resets_are_not_checkable(store):
    meter = a_meter(store)
    slots = [a_slot(n, (10, None, 0, None)) for n in range(48) if n != 7]
    day_of(store, meter, [], registers=(1000, 1470), page=a_page(slots, more=False))
    (found,) = check(store, meter)
    assert found.state == "not_checkable"
    # The gap is filled: now it can be checked.
    store_profile_page(
        store, meter.meter_id, a_page([a_slot(7, (10, None, 0, None))]), lease=meter.lease,
        by_span=True,
    )  # fmt: skip
    assert [item.state for item in check(store, meter)] == ["ok"]


def test_a_register_that_went_back_is_not_checkable(store):
    meter = a_meter(store)
    day_of(store, meter, [10] * 48, registers=(1480, 0))
    assert check(store, meter)[0].state == "not_checkable"


def test_channels_the_profile_lacks_are_not_checked(store):
    meter = a_meter(store)
    an_installation(store, meter.meter_id)
    day_of(store, meter, [10] * 48, registers=(1000, 1480))
    for value, day in ((5, 1), (6, 2)):
        shown = MeterTime(datetime(2026, 11, day, 9, 0))
        put(store, meter, {Register("2.8.0", "at:day:0"): wh(value)}, shown=shown)
    assert [item.obis for item in check(store, meter)] == ["1.8.0"]
