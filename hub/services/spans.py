"""Sums and comparisons of spans of days, one point or a batch of alike points at a time.

A comparison counts only slots that both spans have, day laid beside day from its own midnight.
Only P+; whole counts until somebody looks.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from corefast.profile import aggregate
from hub.domain.calendar import Level, day_starts, slot_at
from hub.domain.tariffs import Schedule, runs
from hub.services.ledger import Ledger, column_of, flat
from hub.services.pieces import TO_PRESENT, Load, Piece, gathered, spread

ACTIVE = 0  # P+
TO_ABSENT = bytes(1 if byte == 0 else 0 for byte in range(256))
NO_ZONES = Schedule()
FIRST_KEY = array("i", [0])


@dataclass(slots=True)
class Span:
    """What a figure is made of, before it is worded as kWh."""

    so_far: Ledger
    now: Ledger
    before: Ledger
    expected: int


def no_span() -> Span:
    return Span(Ledger(1), Ledger(1), Ledger(1), 0)


def join_span(into: Span, more: Span) -> None:
    into.so_far.join(more.so_far)
    into.now.join(more.now)
    into.before.join(more.before)
    into.expected += more.expected


def active_column(piece: Piece) -> int | None:
    channels = piece.held.channels
    return channels.index(ACTIVE) if ACTIVE in channels else None


def ledgers_of(
    group: Sequence[Load],
    flags: bytes,
    bounds: "array[int]",
    keys: "array[int]",
    n_keys: int,
) -> list[Ledger]:
    held = group[0].pieces[0].held
    values, slots_each = held.batch.values, len(held.flags)
    shaped = memoryview(flags).cast("B", (len(flags) // slots_each, slots_each))
    sums, counts = aggregate(values, shaped, bounds, keys, n_keys)
    column = active_column(group[0].pieces[0]) or 0
    wholes = column_of(sums, column, len(held.channels))
    slots = flat(counts)
    found = []
    for load in group:
        piece = load.pieces[0]
        at = piece.held.index * n_keys
        ledger = Ledger(0)
        factor = (piece.factor.numerator, piece.factor.denominator)
        ledger.counts[factor] = wholes[at : at + n_keys]
        ledger.slots = slots[at : at + n_keys]
        found.append(ledger)
    return found


def by_day(load: Load, first: date, last: date) -> Ledger:
    """Sum each local day, all zones together."""
    found = Ledger((last - first).days + 1)
    for piece in load.pieces:
        column = active_column(piece)
        cut = runs(NO_ZONES, load.time_zone, first, last, piece.minutes, Level.DAY)
        start, end = max(piece.start, cut.first_slot), min(piece.end, cut.end_slot)
        if column is None or start >= end:
            continue
        bounds, keys = cut.within(piece.held.origin, start, end)
        flags = memoryview(piece.flags).cast("B", (1, len(piece.flags)))
        sums, counts = aggregate(piece.held.values, flags, bounds, keys, cut.n_keys)
        found.add(
            piece.factor, column_of(sums, column, len(piece.held.channels)), flat(counts),
            piece.minutes // load.minutes,
        )  # fmt: skip
    return found


def by_day_of(group: Sequence[Load], first: date, last: date) -> list[Ledger]:
    """Sum each local day of each point, all zones together."""
    held = group[0].pieces[0].held
    cut = runs(NO_ZONES, group[0].time_zone, first, last, held.minutes, Level.DAY)
    bounds, keys = cut.within(held.origin, cut.first_slot, cut.end_slot)
    return ledgers_of(group, held.batch.flags, bounds, keys, cut.n_keys)


def compared(load: Load, days: tuple[date, date], before: tuple[date, date], end: int) -> Span:
    """Sum the slots that both spans have; day is laid beside day from its own midnight."""
    span = no_span()
    minutes = load.minutes
    since = slot_at(load.since, minutes)
    starts = [slot_at(at, minutes) for at in day_starts(load.time_zone, *days)]
    due = max(min(starts[-1], end // minutes), starts[0])
    span.expected = max(due - max(starts[0], since), 0)
    earlier = [slot_at(at, minutes) for at in day_starts(load.time_zone, *before)]
    for low, other, count in _beside(starts, earlier, due):
        both = _present(load, low, count) & _present(load, other, count)
        if both:
            absent = both.to_bytes(count, "little").translate(TO_ABSENT)
            for at, ledger in ((low, span.now), (other, span.before)):
                for piece in load.pieces:
                    _add_masked(ledger, load, piece, at, absent)
    return span


def _beside(starts: Sequence[int], earlier: Sequence[int], due: int) -> list[tuple[int, int, int]]:
    """Pair up stretches of slots, as long as possible; usually the whole span is one."""
    joined: list[tuple[int, int, int]] = []
    for (low, high), (other, until) in zip(pairwise(starts), pairwise(earlier), strict=False):
        count = min(min(high, due) - low, until - other)
        if count <= 0:
            continue
        if joined:
            at, beside, so_far = joined[-1]
            if at + so_far == low and beside + so_far == other:
                joined[-1] = (at, beside, so_far + count)
                continue
        joined.append((low, other, count))
    return joined


def _present(load: Load, low: int, count: int) -> int:
    """Slots that have a value, as one number with a byte for each slot."""
    found = 0
    for piece in load.pieces:
        wide = piece.minutes // load.minutes
        start, end = max(piece.start * wide, low), min(piece.end * wide, low + count)
        if start >= end:
            continue
        first = start // wide
        window = piece.flags[first - piece.held.origin : -(-end // wide) - piece.held.origin]
        present = spread(window.translate(TO_PRESENT), wide)
        present = present[start - first * wide : end - first * wide]
        found |= int.from_bytes(present, "little") << 8 * (start - low)
    return found


def _add_masked(ledger: Ledger, load: Load, piece: Piece, low: int, absent: bytes) -> None:
    """Sum the piece's slots from ``low`` on, without those whose byte in ``absent`` is set."""
    wide = piece.minutes // load.minutes
    start, end = max(piece.start, -(-low // wide)), min(piece.end, (low + len(absent)) // wide)
    column = active_column(piece)
    if start >= end or column is None:
        return
    origin = piece.held.origin
    mask = gathered(absent[start * wide - low : end * wide - low], wide)
    window = piece.flags[start - origin : end - origin]
    size = end - start
    flags = (int.from_bytes(window, "little") | int.from_bytes(mask, "little")).to_bytes(
        size, "little"
    )
    channels = len(piece.held.channels)
    raw = piece.held.values.cast("B")[
        (start - origin) * channels * 4 : (end - origin) * channels * 4
    ]
    sums, counts = aggregate(
        raw.cast("I", (1, size, channels)),
        memoryview(flags).cast("B", (1, size)),
        array("i", [0, size]),
        FIRST_KEY,
        1,
    )
    ledger.add(piece.factor, [sums[0, 0, column]], [counts[0, 0]], wide)


def compared_of(
    group: Sequence[Load], days: tuple[date, date], before: tuple[date, date], end: int
) -> list[Span]:
    """Compare all points at once if the two spans lie beside each other as a whole.

    All flags are one long number, so that moving one span onto the other is a shift; what moves
    across from the next series lies outside of the slots that are summed.
    """
    zone, minutes = group[0].time_zone, group[0].minutes
    starts = [slot_at(at, minutes) for at in day_starts(zone, *days)]
    earlier = [slot_at(at, minutes) for at in day_starts(zone, *before)]
    due = max(min(starts[-1], end // minutes), starts[0])
    beside = _beside(starts, earlier, due)
    if len(beside) != 1:
        return [compared(load, days, before, end) for load in group]
    low, other, count = beside[0]
    held = group[0].pieces[0].held
    flags = held.batch.flags
    size = len(flags)
    number = int.from_bytes(flags, "little")
    shift = 8 * (low - other)
    mask = (1 << 8 * size) - 1
    pairs = []
    for at, moved in ((low, number << shift & mask), (other, number >> shift)):
        both = (number | moved).to_bytes(size, "little")
        bounds = array("i", [at - held.origin, at - held.origin + count])
        pairs.append(ledgers_of(group, both, bounds, FIRST_KEY, 1))
    return [
        Span(Ledger(1), now, was, max(due - max(starts[0], slot_at(load.since, minutes)), 0))
        for load, now, was in zip(group, *pairs, strict=True)
    ]
