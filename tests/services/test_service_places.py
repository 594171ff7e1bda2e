"""Meters that take each other's place at a point."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from hub.errors import Conflict, Missing
from hub.services.places import NewMeter, NewPlace, replace_meter, set_up
from hub.store.tables import Installation, Line, MeterEvent

PUT_IN = datetime(2026, 5, 1, tzinfo=UTC)
REPLACED = PUT_IN + timedelta(days=40)


def meter(serial):
    return NewMeter(
        line="tcp://127.0.0.1:4001", driver="d", settings="{}", maker="m", serial=serial
    )


@pytest.fixture
def place(world, store):
    return set_up(
        store,
        NewPlace(
            supplier_id=world.supplier(), number="P-1", name="x", time_zone="Europe/Moscow",
            meter=meter("1"), installed_at=PUT_IN, current_ratio=40, register_map={"T1": "T1"},
            clock_base_minutes=240,
        ),
    )  # fmt: skip


def test_one_meter_takes_the_place_of_another(store, place):
    point, first = place
    second = replace_meter(store, point, meter("2"), REPLACED)
    with store.read() as unit:
        rows = unit.session.exec(select(Installation).order_by(Installation.id)).all()
        assert len(unit.session.exec(select(Line)).all()) == 1
    assert [(row.meter_id, row.from_at, row.to_at) for row in rows] == [
        (first, PUT_IN, REPLACED),
        (second, REPLACED, None),
    ]
    assert {(row.current_ratio, row.clock_base_minutes) for row in rows} == {(40, 240)}
    assert rows[1].register_map == {"T1": "T1"}
    with store.read() as unit:
        (event,) = unit.session.exec(select(MeterEvent)).all()
    assert (event.kind, event.meter_id, event.began_at) == ("meter_replaced", second, REPLACED)
    assert event.detail == {"serial_before": "1", "serial_after": "2"}


@pytest.mark.parametrize(
    ("serial", "at", "error"),
    [("2", PUT_IN, Conflict), ("1", REPLACED, Conflict)],
)
def test_what_can_not_be_changes_nothing(store, place, serial, at, error):
    with pytest.raises(error):
        replace_meter(store, place[0], meter(serial), at)
    with store.read() as unit:
        (row,) = unit.session.exec(select(Installation)).all()
    assert row.to_at is None


def test_where_nothing_is_installed_nothing_is_replaced(store, world):
    with pytest.raises(Missing):
        replace_meter(store, world.place(world.supplier()), meter("2"), REPLACED)
