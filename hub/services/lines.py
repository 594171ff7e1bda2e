"""Lines: which ones have work, who holds them, and how they fare."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.store import leases, meters, outbox
from hub.store.leases import Holder, Lease
from hub.store.meters import LineRow, StateRow
from hub.store.unit import Store

__all__ = ["TERM", "Due", "Holder", "Lease", "LineRow", "StateRow"]

TERM = leases.TERM
KEEP_SIGNALS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """What the collector plans from, as of ``now`` by the database's clock."""

    now: datetime
    lines: tuple[LineRow, ...]
    states: tuple[StateRow, ...]
    next_at: datetime | None  # when the next meter becomes due; None: never


def due(store: Store) -> Due:
    """Read the lines and the meters that are due."""
    with store.read() as unit:
        now = unit.now()
        return Due(
            now,
            tuple(meters.lines(unit)),
            tuple(meters.states(unit, due_by=now)),
            meters.next_due(unit, now),
        )


def claim(
    store: Store, line_id: int, name: str, *, is_dead: Callable[[str], bool]
) -> Lease | Holder:
    """Take a line; whoever holds it comes back instead, unless it is known to be dead."""
    with store.write() as unit:
        holder = leases.holder(unit, line_id)
        dead = holder.name if holder.name and is_dead(holder.name) else ""
        return leases.claim(unit, line_id, name, dead=dead) or holder


def renew(store: Store, lease: Lease) -> bool:
    """Hold on to a line; False: it was lost."""
    with store.write() as unit:
        return leases.renew(unit, lease)


def release(store: Store, lease: Lease) -> None:
    """Let a line go."""
    with store.write() as unit:
        leases.release(unit, lease)


def release_dead(store: Store, *, is_dead: Callable[[str], bool]) -> int:
    """Let go what collectors held that are known to be dead; returns how many lines."""
    with store.read() as unit:
        held = [row for row in meters.lines(unit) if row.lease_holder]
    gone = [row for row in held if is_dead(row.lease_holder)]
    if gone:
        with store.write() as unit:
            for row in gone:
                lease = leases.claim(unit, row.id, row.lease_holder, dead=row.lease_holder)
                if lease is not None:
                    leases.release(unit, lease)
    return len(gone)


def went_down(
    store: Store, lease: Lease, *, code: str, text: str, failures: int, next_try_at: datetime
) -> None:
    """Note that nobody on a line can be reached; its meters are not to blame."""
    with store.write() as unit:
        leases.prove(unit, lease)
        row = meters.line(unit, lease.line_id)
        meters.change_line(
            unit,
            lease.line_id,
            failures=failures,
            next_try_at=next_try_at,
            down_since_at=row.down_since_at or unit.now(),
            error_code=code,
            error_text=text[:500],
        )


def is_well(store: Store, lease: Lease) -> bool:
    """Note that somebody on a line answered; says whether it was down before."""
    with store.write() as unit:
        leases.prove(unit, lease)
        was_down = meters.line(unit, lease.line_id).down_since_at is not None
        if was_down:
            meters.change_line(
                unit,
                lease.line_id,
                failures=0,
                next_try_at=None,
                down_since_at=None,
                error_code="",
                error_text="",
            )
        return was_down


def try_now(store: Store, addresses: Collection[str]) -> None:
    """Let lines that are down be tried at once: their gateways have called."""
    with store.write() as unit:
        for row in meters.lines(unit):
            if row.address in addresses and row.next_try_at is not None:
                meters.change_line(unit, row.id, next_try_at=None)


def tidy(store: Store) -> int:
    """Forget signals and finished work of more than a day ago; returns how many."""
    with store.write() as unit:
        return outbox.prune(unit, unit.now() - KEEP_SIGNALS)
