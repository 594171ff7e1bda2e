"""The two ways into the database: ``store.read()`` and ``store.write()``.

A unit is one transaction with one connection. Reading units see one state of the database and
can't write; writing units hold SQLite's only write lock from their first statement on, so they
are short. No unit stays open while a line, a supplier, a hash or a template is waited for.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from hub.errors import StoreUnavailable
from hub.store import engines, schema
from hub.store.secrets import Secrets


class DbCursor(Protocol):
    """What of a DBAPI cursor the store uses; parameters are written ``?`` on both databases."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ..., /) -> Any: ...
    def executemany(self, sql: str, parameters: Any, /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class PostgresCursor:
    """A psycopg cursor that takes ``?`` for a parameter, as sqlite3 does."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.fetchone = cursor.fetchone
        self.fetchall = cursor.fetchall

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> Any:
        return self.cursor.execute(sql.replace("?", "%s"), parameters)

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        return self.cursor.executemany(sql.replace("?", "%s"), parameters)


class Unit:
    """One transaction: the ORM session and the DBAPI cursor see the same state."""

    __slots__ = ("connection", "opened", "store", "writing")

    def __init__(self, store: "Store", connection: Connection, *, writing: bool) -> None:
        self.store = store
        self.connection = connection
        self.writing = writing
        self.opened: Session | None = None

    @property
    def session(self) -> Session:
        """The ORM session, made when it is first asked for: most pages need none."""
        if self.opened is None:
            self.opened = Session(self.connection, expire_on_commit=False)
        return self.opened

    def cursor(self) -> DbCursor:
        """Return a DBAPI cursor inside this transaction."""
        raw: Any = self.connection.connection.cursor()
        return PostgresCursor(raw) if self.store.path is None else raw

    def now(self) -> datetime:
        """Read the database's clock, aware UTC."""
        return self.store.now()

    @property
    def secrets(self) -> Secrets:
        return self.store.secrets


class Store:
    """A database of the hub. Threads may share it; each unit has its own connection."""

    def __init__(
        self, url: str, keys: Sequence[str], clock: Callable[[], datetime] | None = None
    ) -> None:
        self.url = engines.database_url(url)
        self.path: Path | None = engines.sqlite_file(self.url)
        self.where = str(self.path) if self.path else self.url.render_as_string()
        self.keys = tuple(keys)
        self.clock = clock
        self.reader = engines.engine_for(self.url, writing=False)
        self.writer = engines.engine_for(self.url, writing=True)

    @classmethod
    def open(
        cls, url: str, *, keys: Sequence[str], clock: Callable[[], datetime] | None = None
    ) -> "Store":
        """Open and touch the database; an SQLite file is made if its folder exists.

        ``clock`` stands in for the database's clock. Raises StoreUnavailable.
        """
        store = cls(url, keys, clock)
        if store.path is not None and not store.path.parent.is_dir():
            raise StoreUnavailable(
                f"The folder {store.path.parent} does not exist; create it, "
                "or name another place for the database."
            )
        with store.failures():
            try:
                if store.path is not None:
                    engines.make_private(store.path)
                with store.reader.connect() as connection:
                    connection.exec_driver_sql("SELECT 1")
            except BaseException:
                store.close()
                raise
        return store

    @cached_property
    def secrets(self) -> Secrets:
        """Sealing with this installation's keys; KeysMissing without any."""
        return Secrets(self.keys)

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """Open a unit that never writes."""
        with self.failures(), self.reader.connect() as connection:
            engines.begin_reading(connection)
            unit = Unit(self, connection, writing=False)
            try:
                yield unit
            finally:
                if unit.opened is not None:
                    unit.opened.close()

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Open a unit that is committed as a whole at the end, or not at all if the body raises."""
        # The lock is taken now, so that nothing the body reads can be changed meanwhile.
        with self.failures(), self.writer.begin() as connection:
            unit = Unit(self, connection, writing=True)
            try:
                yield unit
                if unit.opened is not None:
                    unit.opened.commit()
            finally:
                if unit.opened is not None:
                    unit.opened.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Failures of the database as StoreErrors with one plain sentence."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            meaning = engines.meaning(error, self.where)
            if meaning is None:
                raise
            raise meaning from error

    def now(self) -> datetime:
        """Read the database's clock, aware UTC: the one that leases and due times go by.

        SQLite has no clock but this machine's, and nobody elsewhere uses its file.
        """
        if self.clock is not None:
            return self.clock()
        if self.path is not None:
            return datetime.now(UTC)
        with self.failures(), self.reader.connect() as connection:
            told: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            return told.astimezone(UTC)

    def upgrade(self) -> None:
        """Bring the tables to this version; safe when several processes start at once."""
        with self.failures():
            schema.upgrade(self.url, self.path)

    def check_schema(self) -> None:
        """Raise SchemaOutdated unless the tables are of exactly this version."""
        with self.failures(), self.reader.connect() as connection:
            schema.check(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self.reader.dispose()
        self.writer.dispose()
