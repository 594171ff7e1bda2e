"""Databases of older versions: what was in them is there afterwards."""

from alembic import command
from sqlmodel import select

from hub.store import schema
from hub.store.secrets import new_key
from hub.store.tables import ContractPoint, ContractState, HousePoint
from hub.store.unit import Store

OLD = """
INSERT INTO user (id, email, full_name, phone, password_hash, role, language, theme, created_at)
 VALUES (1, 'a@example.org', 'A', '', '-', 'consumer', '', '', '2026-01-01 00:00:00');
INSERT INTO supplier (id, connector, title, sealed_settings, card, created_at)
 VALUES (1, 'house', 'Z', '', '{}', '2026-01-01 00:00:00');
INSERT INTO contract (id, user_id, supplier_id, remote_id, name, number, holder, address, does,
  sealed_settings, linked_at, refresh_error)
 VALUES (1, 1, 1, '1', 'x', '7', '', '', '[]', '', '2026-01-02 00:00:00', '');
INSERT INTO contract_point (id, contract_id, remote_id, name, number, meter_serial, resource, unit,
  smart, place, tariff_zones, facts, told_at)
 VALUES (1, 1, 'p', 'x', '', '', 'water', 'm3', 0, '', '[]', '{}', '2026-01-02 00:00:00');
INSERT INTO house_contract (id, supplier_id, login, password_hash, number, holder, address,
  balance_kopecks)
 VALUES (1, 1, 'l', '-', '7', '', '', 0);
INSERT INTO house_point (id, house_contract_id, name, number, meter_serial, resource, unit, smart,
  place, tariff_zones, facts)
 VALUES (1, 1, 'x', '', '', 'water', 'm3', 0, '', '[]', '{}')
"""


def test_the_books_of_the_first_version_go_on(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.sqlite", keys=[new_key()])
    settings = schema.config()
    with store.writer.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        for statement in OLD.split(";"):
            connection.exec_driver_sql(statement)
    store.upgrade()
    with store.read() as unit:
        (state,) = unit.session.exec(select(ContractState)).all()
        point = unit.session.exec(select(ContractPoint)).one()
        house_point = unit.session.exec(select(HousePoint)).one()
    assert (state.contract_id, state.due_at.isoformat()) == (1, "2026-01-02T00:00:00+00:00")
    assert (point.transformers, point.submit_from_day) == ([], None)
    assert (house_point.transformers, house_point.tariff_id) == ([], None)
    store.close()
