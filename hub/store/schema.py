"""Which version the tables are of, and how they get to ours (alembic)."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from hub.errors import SchemaOutdated, StoreUnavailable
from hub.store import engines

MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return made


def head() -> str:
    """Return the revision this version of the hub works with."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


def known() -> set[str]:
    """List the revisions that this version of the hub can bring up to date."""
    script = ScriptDirectory.from_config(config())
    return {item.revision for item in script.walk_revisions()}


def current(connection: Connection) -> str | None:
    """Return the revision of a database; None: no tables yet."""
    return MigrationContext.configure(connection).get_current_revision()


def check(connection: Connection) -> None:
    if current(connection) != head():
        raise SchemaOutdated


@contextmanager
def alone(path: Path | None) -> Iterator[None]:
    """Only one process changes an SQLite file's tables at a time."""
    if path is None:
        yield
        return
    lock = path.with_name(path.name + ".lock")
    try:
        file = lock.open("w")
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {path.parent} can't be written; give this user write access to it."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def upgrade(url: URL, path: Path | None) -> None:
    """Run what is missing, in one transaction; nothing happens if nothing is."""
    # Batch migrations rebuild tables, which SQLite's foreign keys would turn into deletes.
    engine = (
        engines.postgres_engine(url, writing=True)
        if path is None
        else engines.sqlite_engine(url, writing=True, foreign_keys=False)
    )
    try:
        with alone(path), engine.begin() as connection:
            if path is None:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7234234)")
            found = current(connection)
            if found == head():
                return
            if found is not None and found not in known():
                raise SchemaOutdated(
                    "The database is of a newer version of the hub; install that version."
                )
            settings = config()
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    finally:
        engine.dispose()
