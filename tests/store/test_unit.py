import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel, select

from hub.errors import Conflict, KeysMissing, SchemaOutdated, StoreUnavailable
from hub.store.engines import meaning
from hub.store.secrets import new_key
from hub.store.tables import Line, Supplier
from hub.store.unit import Store


def test_write_is_whole_or_nothing(store):
    with pytest.raises(RuntimeError, match="half way"), store.write() as unit:  # noqa: PT012
        unit.session.add(Line(address="tcp://a:1"))
        unit.session.flush()
        raise RuntimeError("half way")
    with store.read() as unit:
        assert unit.session.exec(select(Line)).all() == []


def test_session_and_cursor_are_one_transaction(store):
    with store.write() as unit:
        unit.session.add(Line(address="tcp://a:1"))
        unit.session.flush()
        cursor = unit.cursor()
        cursor.execute("SELECT count(*) FROM line WHERE address = ?", ("tcp://a:1",))
        assert cursor.fetchone() == (1,)


def test_reading_unit_can_not_write(store):
    with pytest.raises(StoreUnavailable), store.read() as unit:  # noqa: PT012
        unit.session.add(Line(address="tcp://a:1"))
        unit.session.flush()


def test_a_broken_rule_of_the_tables_is_a_conflict(store):
    with store.write() as unit:
        unit.session.add(Line(address="tcp://a:1"))
    with pytest.raises(Conflict), store.write() as unit:
        unit.session.add(Line(address="tcp://a:1"))


def test_foreign_keys_hold(store):
    with pytest.raises(Conflict), store.write() as unit:
        unit.cursor().execute("INSERT INTO block (series_id, day, body) VALUES (7, 1, x'00')")


def test_read_change_write_from_many_threads_loses_nothing(store, clock):
    with store.write() as unit:
        unit.session.add(Supplier(connector="c", title="0", created_at=clock()))

    def add_one() -> None:
        for _ in range(25):
            with store.write() as unit:
                row = unit.session.exec(select(Supplier)).one()
                row.title = str(int(row.title) + 1)
                unit.session.add(row)

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as unit:
        assert unit.session.exec(select(Supplier)).one().title == "100"


def test_a_reader_sees_one_state(store):
    with store.read() as reading:
        assert reading.session.exec(select(Line)).all() == []
        with store.write() as unit:
            unit.session.add(Line(address="tcp://a:1"))
        assert reading.session.exec(select(Line)).all() == []
    with store.read() as reading:
        assert len(reading.session.exec(select(Line)).all()) == 1


def test_times_come_back_aware(store, clock):
    with store.write() as unit:
        unit.session.add(Supplier(connector="c", title="t", created_at=clock()))
    with store.read() as unit:
        assert unit.session.exec(select(Supplier)).one().created_at == clock()


def test_migrations_and_models_agree(store):
    store.check_schema()
    with store.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_blocks_have_no_rowid(store):
    with store.read() as unit:
        cursor = unit.cursor()
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'block'")
        assert "WITHOUT ROWID" in cursor.fetchone()[0]


def test_schema_of_another_version_is_named(tmp_path):
    empty = Store.open(f"sqlite:///{tmp_path}/new.sqlite", keys=[])
    with pytest.raises(SchemaOutdated, match="hub db upgrade"):
        empty.check_schema()
    empty.upgrade()
    empty.check_schema()
    empty.upgrade()
    with empty.write() as unit:
        unit.cursor().execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="newer version"):
        empty.upgrade()
    empty.close()


def test_upgrades_at_once_do_not_collide(tmp_path):
    failures: list[Exception] = []

    def upgrade() -> None:
        try:
            store = Store.open(f"sqlite:///{tmp_path}/new.sqlite", keys=[])
            store.upgrade()
            store.check_schema()
            store.close()
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"folder .* does not exist; create it"):
        Store.open(f"sqlite:///{tmp_path}/none/hub.sqlite", keys=[])


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    path = tmp_path / "hub.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match="is not a database of the hub"):
        Store.open(f"sqlite:///{path}", keys=[])


def test_urls_that_are_none(tmp_path):
    for url in ("nonsense", "mysql://a/b", "sqlite://"):
        with pytest.raises(StoreUnavailable):
            Store.open(url, keys=[])


def test_full_disk_is_one_sentence_and_loses_nothing(store, clock):
    with store.write() as unit:
        unit.session.add(Line(address="tcp://a:1"))
    with (  # noqa: PT012
        pytest.raises(StoreUnavailable, match="no space left"),
        store.write() as unit,
    ):
        cursor = unit.cursor()
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        unit.session.add(Supplier(connector="c", title="x" * 100_000, created_at=clock()))
    with store.read() as unit:
        assert unit.session.exec(select(Line)).one().address == "tcp://a:1"
        assert unit.session.exec(select(Supplier)).all() == []


READ_ONLY = """
import os, sys
from hub.errors import StoreUnavailable
from hub.store.tables import Line
from hub.store.unit import Store
if os.getuid() == 0:  # root may write anywhere, so look with another user's eyes
    os.setgid(65534)
    os.setuid(65534)
try:
    store = Store.open(sys.argv[1], keys=[])
    with store.write() as unit:
        unit.session.add(Line(address="tcp://b:1"))
except StoreUnavailable as error:
    print(error)
"""


def test_read_only_folder_is_one_sentence_and_loses_nothing(empty_database):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copyfile(empty_database, folder / "hub.sqlite")
        (folder / "hub.sqlite").chmod(0o444)
        folder.chmod(0o555)
        said = subprocess.run(
            [sys.executable, "-c", READ_ONLY, f"sqlite:///{folder}/hub.sqlite"],
            capture_output=True,
            text=True,
            check=True,
        )
        folder.chmod(0o755)
        (sentence,) = said.stdout.splitlines()
        assert "write" in sentence
        assert (folder / "hub.sqlite").read_bytes() == empty_database.read_bytes()


def test_failures_of_the_disk_are_told_by_sqlites_name():
    for name, words in (
        ("SQLITE_READONLY_DBMOVED", "write access"),
        ("SQLITE_IOERR_WRITE", "disk failed"),
        ("SQLITE_CORRUPT_INDEX", "hub db restore"),
        ("SQLITE_BUSY", "busy"),
        ("SQLITE_CANTOPEN", "can't be opened"),
    ):
        error = sqlite3.OperationalError("x")
        error.sqlite_errorname = name
        assert words in str(meaning(error, "hub.sqlite"))
    assert meaning(sqlite3.ProgrammingError("x"), "hub.sqlite") is None


def test_keys_are_asked_for_only_when_needed(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.sqlite", keys=[])
    with pytest.raises(KeysMissing):
        store.secrets.seal("x", table="t", row=1, field="f")
    store.close()
    store = Store.open(f"sqlite:///{tmp_path}/hub.sqlite", keys=[new_key()])
    assert store.secrets.seal("x", table="t", row=1, field="f")
    store.close()


def test_only_its_owner_reads_the_database_and_errors_tell_no_values(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}", keys=[])
    store.upgrade()
    with store.write() as unit:
        unit.session.connection().exec_driver_sql("CREATE TABLE seen (secret TEXT UNIQUE)")
        for name in ("hub.db", "hub.db-wal", "hub.db-shm"):
            assert (tmp_path / name).stat().st_mode & 0o077 == 0, name
        insert, values = text("INSERT INTO seen VALUES (:it)"), {"it": "Correct horse"}
        unit.session.connection().execute(insert, values)
        with pytest.raises(DBAPIError) as told:
            unit.session.connection().execute(insert, values)
    assert "Correct horse" not in str(told.value)
    store.close()
