"""What belongs to a person or a contract: its row, and all rows that hang on it by foreign keys.

Tables that come later belong to it by their keys alone, so neither the archive of a person's data
nor the deletion of an account can forget one.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, or_, select, update
from sqlmodel import SQLModel

from hub.store.unit import Unit

A_CHUNK = 500
# Seals, hashes and what the hub counts for itself tell a person nothing; files are files.
INSIDE = ("sealed", "hash", "claim", "token", "content")
CARRIED = ("submission", "appeal", "appeal_reply", "sms")  # works whose keys name rows or a person
_T = SQLModel.metadata.tables


def hanging_on(root: str, row_id: int) -> dict[str, ColumnElement[bool]]:
    """Say by table which rows are of this row of ``root``, also through others; parents first."""
    found: dict[str, ColumnElement[bool]] = {root: _T[root].c.id == row_id}
    for table in SQLModel.metadata.sorted_tables:
        hangs = [
            key.parent.in_(select(key.column).where(found[key.column.table.name]))
            for key in table.foreign_keys
            if key.column.table.name in found
        ]
        if hangs:
            found[table.name] = or_(*hangs)
    return found


def delete_from(unit: Unit, root: str, row_id: int) -> None:
    """Delete a row and all that hangs on it."""
    unit.session.flush()
    for name, rows in reversed(hanging_on(root, row_id).items()):
        unit.session.connection().execute(delete(_T[name]).where(rows))
    unit.session.expire_all()


def rows_of(unit: Unit, user_id: int, name: str) -> Iterator[dict[str, Any]]:
    """Give a person's rows of a table without what is sealed or hashed, a few hundred at a time."""
    table: Table = _T[name]
    shown = [
        column
        for column in table.c
        if column.foreign_keys or not any(part in column.name for part in INSIDE)
    ]
    asked = (
        select(*shown)
        .where(hanging_on("user", user_id)[name])
        .order_by(*table.primary_key.columns)
        .execution_options(yield_per=A_CHUNK)
    )
    for row in unit.session.connection().execute(asked):
        yield dict(zip((column.name for column in shown), row, strict=True))


def erase_person(unit: Unit, user_id: int, addresses: list[str], counted: list[str]) -> None:
    """Delete a person with all that is theirs: messages to them, works of theirs on their way.

    The log keeps that ``user N`` did something, without its details. ``counted``: hashed subjects
    of attempts that tell of them.
    """
    run = unit.session.connection().execute
    outbox, audit = _T["outbox"].c, _T["audit"].c
    notices = unit.session.scalars(
        select(_T["notice"].c.id).where(hanging_on("user", user_id)["notice"])
    )
    keys = [f"notice_read/{notice_id}" for notice_id in notices]
    carried = [outbox.key.startswith(f"{kind}/{user_id}/", autoescape=True) for kind in CARRIED]
    letters = outbox.body["to"].as_string().in_(addresses)
    run(delete(_T["outbox"]).where(or_(letters, outbox.key.in_(keys), *carried)))
    run(delete(_T["mail"]).where(_T["mail"].c.recipient.in_(addresses)))
    run(delete(_T["glance"]).where(_T["glance"].c.user_id == user_id))
    run(delete(_T["attempts"]).where(_T["attempts"].c.subject_hash.in_(counted)))
    run(update(_T["audit"]).where(audit.actor == f"user {user_id}").values(detail={}))
    delete_from(unit, "user", user_id)
