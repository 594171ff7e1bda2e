"""Leases of lines: one master at a time, by the database's clock.

A lease is a token. Whoever stores a page proves it inside the page's own transaction, so a
collector that was overtaken can't write what it read.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, or_, select, update

from hub.errors import LineBusy
from hub.store.tables import Line
from hub.store.unit import Unit

TERM = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lease:
    line_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a line; ``name`` '': nobody."""

    name: str
    until_at: datetime | None


def holder(unit: Unit, line_id: int) -> Holder:
    row = unit.session.get_one(Line, line_id)
    return Holder(row.lease_holder if row.lease_token else "", row.lease_until)


def claim(unit: Unit, line_id: int, name: str, *, dead: str = "") -> Lease | None:
    """Take a line that is free, whose lease ran out or whose holder is known to be ``dead``.

    None: somebody else holds it.
    """
    now = unit.now()
    free = [
        col(Line.lease_token) == "",
        col(Line.lease_until).is_(None),
        col(Line.lease_until) < now,
    ]
    if dead:
        free.append(col(Line.lease_holder) == dead)
    token = secrets.token_hex(16)
    taken = unit.session.execute(
        update(Line)
        .where(col(Line.id) == line_id, or_(*free))
        .values(lease_token=token, lease_holder=name, lease_until=now + TERM)
        .returning(col(Line.id))
    ).first()
    return Lease(line_id, token) if taken else None


def renew(unit: Unit, lease: Lease) -> bool:
    """Hold on to a line for another minute; False: the lease was lost."""
    kept = unit.session.execute(
        update(Line)
        .where(col(Line.id) == lease.line_id, col(Line.lease_token) == lease.token)
        .values(lease_until=unit.now() + TERM)
        .returning(col(Line.id))
    ).first()
    return kept is not None


def release(unit: Unit, lease: Lease) -> bool:
    """Let a line go; False: it was lost already."""
    left = unit.session.execute(
        update(Line)
        .where(col(Line.id) == lease.line_id, col(Line.lease_token) == lease.token)
        .values(lease_token="", lease_holder="", lease_until=None)
        .returning(col(Line.id))
    ).first()
    return left is not None


def prove(unit: Unit, lease: Lease) -> None:
    """Raise LineBusy unless the lease is still ours; the line's row stays locked to the end."""
    held = unit.session.exec(
        select(Line.id)
        .where(Line.id == lease.line_id, Line.lease_token == lease.token)
        .with_for_update()
    ).first()
    if held is None:
        raise LineBusy("Another collector took the line meanwhile; what was read is not stored.")
