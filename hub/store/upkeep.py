"""The database as a whole: is it well, keep a copy, bring a copy back."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlmodel import col, select, update

from hub.errors import StoreUnavailable
from hub.store import blocks, schema, tables
from hub.store.series import StoredSeries, every
from hub.store.unit import Store, Unit

PAGES_A_STEP = 1000
NO_POSTGRES = (
    "This keeps copies of SQLite files; copy a PostgreSQL database with pg_dump and pg_restore."
)


def damaged_blocks(unit: Unit) -> list[tuple[StoredSeries, int]]:
    """Unpack every block of the database; list the series and UTC days that can't be."""
    found = []
    cursor = unit.cursor()
    for item in every(unit):
        cursor.execute("SELECT day, body FROM block WHERE series_id = ? ORDER BY day", (item.id,))
        rows = cursor.fetchall()
        days = blocks.unpacked(item.id, item.key.shape, 0, [body for _, body in rows])
        found += [(item, int(rows[index][0])) for index in days.damaged]
    return found


def integrity(store: Store) -> list[str]:
    """List what the database itself finds wrong; nothing for a well one."""
    if store.path is None:
        return []
    with store.read() as unit:
        cursor = unit.cursor()
        cursor.execute("PRAGMA integrity_check")
        return [str(row[0]) for row in cursor.fetchall() if row[0] != "ok"]


def backup(store: Store, to: Path) -> int:
    """Copy the database while it is in use; returns the bytes. The copy appears whole or not."""
    if store.path is None:
        raise StoreUnavailable(NO_POSTGRES)
    beside = to.with_name(to.name + ".part")
    try:
        beside.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(store.path)) as source,
            closing(sqlite3.connect(beside)) as copy,
        ):
            source.backup(copy, pages=PAGES_A_STEP)
            # A copy is one file: without this it would need its log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
        beside.chmod(0o600)
        beside.replace(to)
        return to.stat().st_size
    except (OSError, sqlite3.Error) as error:
        beside.unlink(missing_ok=True)
        raise StoreUnavailable(
            f"The backup {to} can't be written ({error}); check the folder and its free space."
        ) from error


def restore(store: Store, source: Path) -> Path | None:
    """Put a backup in the database's place; returns where what was there before is kept.

    The copy is checked first. Whoever has the database open sees the restored state from the
    next unit on.
    """
    if store.path is None:
        raise StoreUnavailable(NO_POSTGRES)
    check_backup(source)
    kept: Path | None = None
    with store.read() as unit:
        cursor = unit.cursor()
        cursor.execute("SELECT count(*) FROM sqlite_master")
        if cursor.fetchone()[0]:
            kept = store.path.with_name(store.path.name + ".before-restore")
    if kept is not None:
        backup(store, kept)
    with (
        store.failures(),
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy,
        closing(sqlite3.connect(store.path)) as target,
    ):
        copy.backup(target)
    return kept


def check_backup(path: Path) -> None:
    """Raise StoreUnavailable unless this is a whole database of the hub that we can work with."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            (said,) = copy.execute("PRAGMA integrity_check").fetchone()
            row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The file {path} is no backup of the hub ({error}); name another."
        ) from error
    if said != "ok":
        raise StoreUnavailable(f"The backup {path} is damaged ({said}); take an older one.")
    if row is None or row[0] not in schema.known():
        raise StoreUnavailable(
            f"The backup {path} was made by a newer version of the hub; install that version."
        )


def reseal_all(unit: Unit) -> int:
    """Seal every secret of the database with the first key; returns how many there are."""
    count = 0
    for table in tables.Row.metadata.sorted_tables:
        for column in table.columns:
            if not column.name.startswith("sealed_"):
                continue
            (key,) = table.primary_key.columns  # what is sealed names its row by one number
            rows = unit.session.execute(select(key, column).where(column != "")).all()
            for row, sealed in rows:
                unit.session.execute(
                    update(table).where(key == row).values({column: unit.secrets.reseal(sealed)})
                )
                count += 1
    return count


def meter_names(unit: Unit) -> dict[int, str]:
    """Name the meters for people: serial number, or the id where none is known yet."""
    rows = unit.session.exec(select(tables.Meter).order_by(col(tables.Meter.id)))
    return {row.id or 0: row.serial or f"#{row.id}" for row in rows}
