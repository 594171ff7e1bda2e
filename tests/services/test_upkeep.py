import pytest
from click.testing import CliRunner
from metering import a_meter, a_page, a_slot, everything, values

from hub.cli.db import db
from hub.cli.keys import keys
from hub.errors import SealBroken, StoreUnavailable
from hub.services import meters, upkeep
from hub.services.storing import store_profile_page
from hub.store.secrets import new_key
from hub.store.tables import Meter
from hub.store.unit import Store


def filled(store, slots=100):
    meter = a_meter(store, serial="00123")
    page = a_page([a_slot(n, n) for n in range(slots)], more=False)
    store_profile_page(store, meter.meter_id, page, lease=meter.lease)
    return meter


def damage(store):
    with store.write() as unit:
        unit.cursor().execute(
            "UPDATE block SET body = x'FF' WHERE day = (SELECT min(day) + 1 FROM block)"
        )


def test_damage_is_found_named_and_repaired_by_reading_again(store):
    meter = filled(store)
    assert upkeep.find_damage(store) == []
    damage(store)
    (found,) = upkeep.find_damage(store)
    assert (found.meter, found.date.isoformat()) == ("00123", "2026-11-01")
    assert upkeep.repair(store, found)
    assert upkeep.find_damage(store) == []
    assert [gap.reason for gap in meters.open_gaps(store, meter.meter_id)] == ["damaged"]


@pytest.fixture
def command(store, tmp_path, monkeypatch):
    """Run a command of the command line over the store of this test."""
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{store.path}")
    monkeypatch.delenv("HUB_KEYS", raising=False)

    def run(group, *words):
        result = CliRunner().invoke(group, words, standalone_mode=False)
        if result.exception:
            raise result.exception
        return result.return_value, result.output

    return run


def test_db_check_names_damage_and_repairs_it(store, command):
    filled(store)
    assert command(db, "check") == (0, "The database is well.\n")
    damage(store)
    code, said = command(db, "check")
    assert (code, said) == (
        1, "Damaged: meter 00123, 2026-11-01 (UTC): 'hub db check --repair'\n",
    )  # fmt: skip
    code, said = command(db, "check", "--json")
    assert '"read_again": false' in said
    code, said = command(db, "check", "--repair")
    assert code == 0
    assert "will be read again" in said
    assert command(db, "check")[0] == 0


def test_a_backup_comes_back_whole(store, command, tmp_path):
    meter = filled(store)
    before = everything(store)
    _, said = command(db, "backup", str(tmp_path / "copy.db"))
    assert "keys are not in it" in said
    page = a_page([a_slot(n, 7) for n in range(100)])
    store_profile_page(store, meter.meter_id, page, lease=meter.lease)
    changed = values(store, meter.meter_id)
    _, said = command(db, "restore", str(tmp_path / "copy.db"))
    assert "Before it was" in said
    assert everything(store) == before
    kept = Store.open(f"sqlite:///{store.path}.before-restore", keys=[])
    assert values(kept, meter.meter_id) == changed
    kept.close()


def test_what_is_no_backup_is_refused(store, command, tmp_path):
    before = everything(store)
    (tmp_path / "text").write_text("no database")
    with pytest.raises(StoreUnavailable, match="is no backup"):
        command(db, "restore", str(tmp_path / "text"))
    command(db, "backup", str(tmp_path / "copy.db"))
    other = Store.open(f"sqlite:///{tmp_path}/copy.db", keys=[])
    with other.write() as unit:
        unit.cursor().execute("UPDATE alembic_version SET version_num = 'later'")
    with other.reader.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    other.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        command(db, "restore", str(tmp_path / "copy.db"))
    assert everything(store) == before


def test_a_backup_that_can_not_be_written_is_a_sentence(store, command, tmp_path):
    with pytest.raises(StoreUnavailable, match="can't be written"):
        command(db, "backup", str(tmp_path / "none" / "copy.db"))


def test_upgrade_makes_the_tables(store, command, tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{tmp_path}/fresh.db")
    assert "is of this version" in command(db, "upgrade")[1]
    fresh = Store.open(f"sqlite:///{tmp_path}/fresh.db", keys=[])
    fresh.check_schema()
    fresh.close()


def test_keys_are_made_kept_private_and_rotated(command, tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{tmp_path}/own.db")
    path = tmp_path / "keys"
    command(keys, "new")
    assert path.stat().st_mode & 0o777 == 0o600
    (old,) = path.read_text().split()
    with pytest.raises(Exception, match="rotate"):
        command(keys, "new")
    store = Store.open(f"sqlite:///{tmp_path}/own.db", keys=[old])
    store.upgrade()
    secret = '{"address": 1, "password": "111111"}'
    meter_id = meters.add_meter(store, line="tcp://a:1", driver="toy", settings=secret)
    store.close()
    assert "1 secrets" in command(keys, "rotate")[1]
    (new,) = path.read_text().split()
    assert new != old
    for key, opens in ((new, True), (old, False)):
        store = Store.open(f"sqlite:///{tmp_path}/own.db", keys=[key])
        if opens:
            assert meters.errand(store, meter_id).meter.settings == secret
        else:
            with pytest.raises(SealBroken):
                meters.errand(store, meter_id)
        store.close()


def test_keys_of_the_environment_are_rotated_in_place(command, tmp_path, monkeypatch, store):
    meters.add_meter(store, line="tcp://a:1", driver="toy", settings="{}")
    new = new_key()
    monkeypatch.setenv("HUB_KEYS", ",".join([new, *store.keys]))
    assert "others can go" in command(keys, "rotate")[1]
    again = Store.open(f"sqlite:///{store.path}", keys=[new])
    with again.read() as unit:
        row = unit.session.get_one(Meter, 1)
        unit.secrets.open(row.sealed_settings, table="meter", row=1, field="sealed_settings")
    again.close()
    assert len(command(keys, "new")[1].strip()) == 44
