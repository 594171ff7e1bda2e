"""Statements of pages: built by SQLAlchemy once, then run over the unit's DBAPI cursor.

What ``session.execute`` would give, without what SQLAlchemy does again at each execution: for a
page of a dozen short statements that was most of their time.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import JSON, CompoundSelect, Dialect, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import UTCDateTime

from hub.store.unit import Unit

T = TypeVar("T")
Processor: TypeAlias = Callable[[Any], Any]

EXPANDING = re.compile(r"__\[POSTCOMPILE_(\w+)\]")
MOST_JSON = 4096


class Prepared(Generic[T]):
    """A statement whose rows ``make`` puts into what the caller gets.

    Values go by the names of its ``bindparam``s; one that is ``expanding`` takes a sequence.
    What a writing unit's ORM session has not written yet is written first.
    """

    def __init__(
        self, statement: Select[Any] | CompoundSelect[Any], make: Callable[[Sequence[Any]], T]
    ) -> None:
        self.statement = statement
        self.make = make
        self.ready: dict[bool, _Ready] = {}

    def all(self, unit: Unit, **values: Any) -> list[T]:
        """Run it and give all rows."""
        is_sqlite = unit.store.path is not None
        ready = self.ready.get(is_sqlite)
        if ready is None:
            dialect = sqlite.dialect(paramstyle="named") if is_sqlite else unit.store.reader.dialect
            ready = self.ready[is_sqlite] = _ready(self.statement, dialect)
        if unit.writing and unit.opened is not None:
            unit.opened.flush()
        cursor = unit.cursor()
        cursor.execute(*ready.filled(values))
        rows, make = cursor.fetchall(), self.make
        processors = ready.processors
        if not processors:
            return [make(row) for row in rows]
        found = []
        for row in rows:
            cells = list(row)
            for place, processor in processors:
                cells[place] = processor(cells[place])
            found.append(make(cells))
        return found

    def first(self, unit: Unit, **values: Any) -> T | None:
        """Run it and give its first row; None if there is none."""
        found = self.all(unit, **values)
        return found[0] if found else None


@dataclass(slots=True)
class _Ready:
    """A statement's text for one kind of database, and how values go in and come out."""

    sql: str
    defaults: Mapping[str, Any]
    binders: Mapping[str, Processor]
    processors: tuple[tuple[int, Processor], ...]
    placeholder: str
    texts: dict[tuple[int, ...], str]
    expanding: tuple[str, ...]

    def filled(self, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Give the text and the values for a cursor."""
        given = {**self.defaults, **values}
        for name, binder in self.binders.items():
            given[name] = binder(given[name])
        if not self.expanding:
            return self.sql, given
        lists = [given.pop(name) for name in self.expanding]
        for name, members in zip(self.expanding, lists, strict=True):
            given.update({f"{name}_{place}": member for place, member in enumerate(members)})
        lengths = tuple(len(members) for members in lists)
        if lengths not in self.texts:
            self.texts[lengths] = EXPANDING.sub(
                lambda found: self._marks(found[1], lengths[self.expanding.index(found[1])]),
                self.sql,
            )
        return self.texts[lengths], given

    def _marks(self, name: str, length: int) -> str:
        marks = (self.placeholder.format(f"{name}_{place}") for place in range(length))
        return ", ".join(marks) or "NULL"


def _ready(statement: Select[Any] | CompoundSelect[Any], dialect: Dialect) -> _Ready:
    compiled = statement.compile(dialect=dialect)
    sql = str(compiled)
    columns = list(statement.selected_columns)
    outs = ((place, _out(column.type, dialect)) for place, column in enumerate(columns))
    binders = ((name, _in(bind.type, dialect)) for name, bind in compiled.binds.items())
    expanding = tuple(dict.fromkeys(EXPANDING.findall(sql)))
    return _Ready(
        sql,
        compiled.params,
        {name: binder for name, binder in binders if binder and name not in expanding},
        tuple((place, out) for place, out in outs if out),
        ":{}" if dialect.paramstyle == "named" else "%({})s",
        {},
        expanding,
    )


def _in(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """Give the type's own processor, or a quicker one to the same values."""
    if dialect.name == "sqlite":
        if isinstance(kind, UTCDateTime):
            return _instant
        if isinstance(kind, JSON):
            return _json
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


@lru_cache(MOST_JSON)
def _json(text: str | None) -> Any:
    """Parse once what many rows hold; who reads it does not change it."""
    return None if text is None else json.loads(text)
