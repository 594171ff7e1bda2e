"""Lines: which ones have work, who holds them, and how they fare."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.store import glances, leases, line_stats, meters, outbox
from hub.store.leases import Holder, Lease
from hub.store.meters import LineRow, StateRow
from hub.store.unit import Store, Unit

__all__ = ["TERM", "Due", "Holder", "Lease", "LineRow", "StateRow"]

TERM = leases.TERM
KEEP_SIGNALS = timedelta(days=1)
GLANCE_LASTS = timedelta(seconds=30)  # a page that has waited so long has asked again, or is gone


@dataclass(frozen=True, slots=True)
class Due:
    """What the collector plans from, as of ``now`` by the database's clock."""

    now: datetime
    lines: tuple[LineRow, ...]
    states: tuple[StateRow, ...]
    next_at: datetime | None  # when the next meter becomes due; None: never
    glances: tuple[StateRow, ...] = ()  # meters whose values of now an open page waits for


def due(store: Store) -> Due:
    """Read the lines and the meters that are due."""
    with store.read() as unit:
        now = unit.now()
        return Due(
            now,
            tuple(meters.lines(unit)),
            tuple(meters.states(unit, due_by=now)),
            meters.next_due(unit, now),
            tuple(glances.waiting(unit, now - GLANCE_LASTS)),
        )


def claim(
    store: Store, line_id: int, name: str, *, is_dead: Callable[[str], bool]
) -> Lease | Holder:
    """Take a line; whoever holds it comes back instead, unless it is known to be dead."""
    with store.write() as unit:
        holder = leases.holder(unit, line_id)
        dead = holder.name if holder.name and is_dead(holder.name) else ""
        return leases.claim(unit, line_id, name, dead=dead) or holder


@dataclass(frozen=True, slots=True)
class Carried:
    """What a line has carried since it was last told: counts by name."""

    counts: Mapping[str, float]
    heard: bool  # somebody answered
    visit_s: Mapping[int, float]  # how long the last visit took, by meter


def renew(store: Store, lease: Lease, carried: Carried | None = None) -> bool:
    """Hold on to a line and add to its counts; False: it was lost."""
    with store.write() as unit:
        kept = leases.renew(unit, lease)
        if kept and carried is not None:
            _add(unit, lease, carried)
        return kept


def release(store: Store, lease: Lease, carried: Carried | None = None) -> None:
    """Add to a line's counts and let it go."""
    with store.write() as unit:
        if leases.release(unit, lease) and carried is not None:
            _add(unit, lease, carried)


def _add(unit: Unit, lease: Lease, carried: Carried) -> None:
    line_stats.add(
        unit, lease.line_id, carried.counts, heard=carried.heard, visit_s=carried.visit_s
    )


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
    """Note that nobody on a line can be reached; its meters are not to blame.

    Who waits for one of them has this as the answer.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        for state in meters.asked_for(unit, lease.line_id):
            state.urgent_at = None
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
