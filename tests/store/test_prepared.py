"""Prepared statements give what the ORM session gives, on the columns that the hub has."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, select
from sqlmodel import SQLModel

from hub.store.prepared import Prepared
from hub.store.tables import Line, Meter

METER = SQLModel.metadata.tables["meter"].c
COLUMNS = (METER.id, METER.serial, METER.drift_s, METER.drift_at, METER.learned)
ALL = select(*COLUMNS).order_by(METER.id)
SOME = ALL.where(
    METER.serial.in_(bindparam("serials", expanding=True)), METER.drift_at >= bindparam("since")
)
AT = datetime(2026, 11, 24, 9, 32, 5, 123, tzinfo=UTC)


def add(unit, serial, **facts):
    line = Line(address=f"tcp://192.0.2.1:{serial}")
    unit.session.add(line)
    unit.session.flush()
    unit.session.add(Meter(line_id=line.id, driver="mercury234", serial=serial, **facts))


@pytest.fixture
def meters(store):
    with store.write() as unit:
        add(unit, "1")
        add(unit, "2", drift_at=AT, drift_s=-1.5, learned={"номер": "два"})
        add(unit, "3", drift_at=AT.replace(year=2025))


def test_it_gives_what_the_session_gives(store, meters):
    prepared = Prepared(ALL, tuple)
    with store.read() as unit:
        rows = prepared.all(unit)
        assert rows == [tuple(row) for row in unit.session.execute(ALL)]
    assert rows[0][2:] == (None, None, {})
    assert rows[1][2:] == (-1.5, AT, {"номер": "два"})
    assert rows[1][3].tzinfo is UTC


def test_values_go_in_as_their_columns_keep_them(store, meters):
    prepared = Prepared(SOME, lambda row: row[1])
    with store.read() as unit:
        for serials in (["1", "2", "3"], ["2"], ["3", "1"], []):
            values = {"serials": serials, "since": AT}
            wanted = [row[1] for row in unit.session.execute(SOME, values)]
            assert prepared.all(unit, **values) == wanted
        assert prepared.first(unit, serials=["2", "3"], since=AT.replace(year=2024)) == "2"
        assert prepared.first(unit, serials=["1"], since=AT) is None


def test_it_sees_what_its_unit_has_not_written_yet(store, meters):
    prepared = Prepared(ALL, tuple)
    with store.write() as unit:
        add(unit, "4")
        assert len(prepared.all(unit)) == 4
