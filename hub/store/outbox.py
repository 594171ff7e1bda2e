"""What must happen after a commit: put in the same transaction, done at least once.

Delayed work (mail, refreshes) is claimed under a lease and told done or failed. Signals say that
something changed; nobody delivers them, pages look for ids above the last one they saw.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, delete, or_, select, update

from hub.store.tables import Outbox
from hub.store.unit import Unit

CHANGED = "changed"
LEASE = timedelta(seconds=60)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed row. ``key`` is the receiver's protection from doing it twice."""

    id: int
    kind: str
    key: str
    body: Mapping[str, Any]
    attempts: int
    token: str


@dataclass(frozen=True, slots=True)
class Signal:
    id: int
    body: Mapping[str, Any]


def put(
    unit: Unit, kind: str, key: str, body: Mapping[str, Any], *, due_at: datetime | None = None
) -> bool:
    """Put work into the outbox; False if this key is there already (then nothing changes)."""
    if holds(unit, key):
        return False
    now = unit.now()
    unit.session.add(
        Outbox(kind=kind, key=key, body=dict(body), created_at=now, due_at=due_at or now)
    )
    return True


def holds(unit: Unit, key: str) -> bool:
    """Whether work with this key was ever put."""
    return unit.session.exec(select(Outbox.id).where(Outbox.key == key)).first() is not None


def signal(unit: Unit, body: Mapping[str, Any]) -> None:
    """Say that something changed."""
    now = unit.now()
    key = f"{CHANGED}/{secrets.token_hex(8)}"
    unit.session.add(
        Outbox(kind=CHANGED, key=key, body=dict(body), created_at=now, due_at=now, done_at=now)
    )


def latest(unit: Unit) -> int:
    """Return the highest id given so far, to watch from; 0 if none is left."""
    found = unit.session.exec(select(Outbox.id).order_by(col(Outbox.id).desc()).limit(1)).first()
    return found or 0


def signals(unit: Unit, after: int, *, since: datetime | None = None) -> list[Signal]:
    """List signals above an id, and (ids may be committed out of order) those since an instant."""
    newer = col(Outbox.id) > after
    wanted = newer if since is None else or_(newer, col(Outbox.created_at) >= since)
    rows = unit.session.exec(
        select(Outbox).where(Outbox.kind == CHANGED, wanted).order_by(col(Outbox.id))
    )
    return [Signal(row.id or 0, row.body) for row in rows]


def claim(unit: Unit, kinds: Collection[str], *, limit: int = 20) -> list[Work]:
    """Take due work of these kinds for a minute; whoever dies meanwhile loses it to others."""
    now = unit.now()
    token = secrets.token_hex(16)
    due = (
        select(Outbox.id)
        .where(
            col(Outbox.done_at).is_(None),
            Outbox.due_at <= now,
            col(Outbox.kind).in_(kinds),
            or_(col(Outbox.claimed_until).is_(None), col(Outbox.claimed_until) < now),
        )
        .order_by(col(Outbox.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = unit.session.execute(
        update(Outbox)
        .where(col(Outbox.id).in_(due))
        .values(claim_token=token, claimed_until=now + LEASE, attempts=Outbox.attempts + 1)
        .returning(
            col(Outbox.id), col(Outbox.kind), col(Outbox.key), col(Outbox.body),
            col(Outbox.attempts),
        )
    )  # fmt: skip
    return [
        Work(id_, kind, key, body, attempts, token)
        for id_, kind, key, body, attempts in sorted(rows, key=lambda row: int(row[0]))
    ]


def done(unit: Unit, work: Work) -> bool:
    """Mark work as done; False if the claim had run out and somebody else has it."""
    changed = unit.session.execute(
        update(Outbox)
        .where(col(Outbox.id) == work.id, col(Outbox.claim_token) == work.token)
        .values(done_at=unit.now(), claimed_until=None, error="")
        .returning(col(Outbox.id))
    )
    return changed.first() is not None


def failed(unit: Unit, work: Work, error: str, *, again: bool = True) -> None:
    """Give work back for a later try, the wait doubling to an hour; ``again=False``: give up."""
    now = unit.now()
    wait = min(FIRST_WAIT * 2 ** (work.attempts - 1), LONGEST_WAIT)
    unit.session.execute(
        update(Outbox)
        .where(col(Outbox.id) == work.id, col(Outbox.claim_token) == work.token)
        .values(
            due_at=now + wait,
            claimed_until=None,
            error=error[:500],
            done_at=None if again else now,
        )
    )


def forget(unit: Unit, keys: Collection[str]) -> None:
    """Let go of work by its keys, done or not."""
    unit.session.execute(delete(Outbox).where(col(Outbox.key).in_(keys)))


def forget_notices(unit: Unit, ids: Collection[int]) -> None:
    """Let go of messages that tell of notices, done or not."""
    unit.session.execute(delete(Outbox).where(col(Outbox.body)["notice"].as_integer().in_(ids)))


def prune(unit: Unit, before: datetime) -> int:
    """Forget what was done before an instant; returns how much that was."""
    gone = unit.session.execute(
        delete(Outbox).where(col(Outbox.done_at) < before).returning(col(Outbox.id))
    )
    return len(gone.all())
