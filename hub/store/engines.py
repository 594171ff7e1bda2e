"""Database engines: how connections are opened and begun, and what their failures mean.

SQLite: the driver's own transactions are off (``isolation_level=None``) and a ``begin`` event
says how each one starts, because SQLAlchemy over sqlite3 otherwise opens none for a SELECT and
a deferred one can't wait for the write lock. Readers are ``query_only``.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from hub.errors import Conflict, HubError, StoreUnavailable

BUSY_MS = 10_000

# The first matching prefix of SQLite's error name gives the sentence.
SENTENCES = {
    "SQLITE_CANTOPEN": "can't be opened; check that its folder exists and that this user may "
    "write there.",
    "SQLITE_READONLY": "can't be written; give this user write access to the file and its folder.",
    "SQLITE_FULL": "can't grow, there is no space left; free some and try again.",
    "SQLITE_IOERR": "can't be used, the disk failed; check the disk and its free space.",
    "SQLITE_NOTADB": "is not a database of the hub; name another file or restore a backup "
    "with 'hub db restore'.",
    "SQLITE_CORRUPT": "is damaged; restore a backup with 'hub db restore'.",
    "SQLITE_BUSY": "is busy for too long; look for a process that holds it and try again.",
}


def database_url(text: str) -> URL:
    """Parse HUB_DATABASE_URL; PostgreSQL always goes through psycopg."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StoreUnavailable(
            "HUB_DATABASE_URL is not understood; write sqlite:////path/hub.sqlite "
            "or postgresql://user@host/name."
        ) from error
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def sqlite_file(url: URL) -> Path | None:
    """Name the database's file; None for PostgreSQL."""
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise StoreUnavailable(
            "The hub needs a database in a file; write sqlite:////path/hub.sqlite."
        )
    return Path(url.database)


def make_private(path: Path) -> None:
    """Make a database's file, if it is not there, that only its owner reads.

    SQLite gives the files beside it the same rights. A file that is there keeps its own.
    """
    with suppress(OSError):  # of a file that can't be made SQLite tells, when it opens it next
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def sqlite_engine(url: URL, *, writing: bool, foreign_keys: bool = True) -> Engine:
    """Make an engine whose transactions begin IMMEDIATE (writing) or DEFERRED and read only."""
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "timeout": BUSY_MS / 1000},
        hide_parameters=True,  # an error is logged with its statement; values are people's data
        pool_size=8,
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:  # noqa: ARG001
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        if not writing:
            connection.execute("PRAGMA query_only = 1")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        raw: Any = connection.connection
        if not raw.in_transaction:
            raw.execute("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")

    return engine


def begin_reading(connection: Connection) -> None:
    """Begin on SQLite what SQLAlchemy would begin at its first statement: a page may use none."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection
        raw.execute("BEGIN DEFERRED")


def postgres_engine(url: URL, *, writing: bool) -> Engine:
    """Make an engine over psycopg; reading units are READ ONLY for the server too."""
    try:
        return create_engine(
            url,
            pool_size=8,
            max_overflow=32,
            pool_pre_ping=True,
            hide_parameters=True,  # as above
            execution_options={"postgresql_readonly": not writing},
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreUnavailable(
            "PostgreSQL needs the psycopg package; install it with 'pip install psycopg[binary]'."
        ) from error


def engine_for(url: URL, *, writing: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        return sqlite_engine(url, writing=writing)
    if url.get_backend_name() == "postgresql":
        return postgres_engine(url, writing=writing)
    raise StoreUnavailable("The hub keeps its data in SQLite or PostgreSQL; set HUB_DATABASE_URL.")


def meaning(error: Exception, where: str) -> HubError | None:
    """Say what a database failure means to whoever asked; None if it is a mistake of ours."""
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return Conflict()
    origin = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(origin, "sqlite_errorname", "") or ""
    for prefix, sentence in SENTENCES.items():
        if name.startswith(prefix):
            return StoreUnavailable(f"The database {where} {sentence}")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    unreachable = type(origin).__name__ == "OperationalError" and not name
    if lost or unreachable:
        return StoreUnavailable(f"The database {where} does not answer; check its server.")
    return None
