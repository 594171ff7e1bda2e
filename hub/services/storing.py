"""Storing what a meter's profile says: one page, one transaction, any number of times.

Slots, their revisions, the gap ledger, the cursor, the meter's state and the signal to pages are
committed together or not at all. A page that has been stored changes nothing when it comes again.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.domain.calendar import instant_of
from hub.domain.clock import ClockBases
from hub.domain.profile import ProfilePage, SlotMark
from hub.domain.revisions import Decision, decide
from hub.domain.series import Placed, Span, joined, place, without
from hub.errors import ContractBroken
from hub.store import blocks, gaps, leases, meters, outbox, rules, series
from hub.store.blocks import DAY_MINUTES, DayBuffer
from hub.store.gaps import GapReason, GapState, StoredGap
from hub.store.leases import Lease
from hub.store.series import Revised, SeriesKey
from hub.store.unit import Store, Unit

# Of each source: who says what a revision was made of, and who wrote it.
TELLERS = {"driver": ("meter", "collector"), "supplier": ("supplier", "exchange")}


@dataclass(slots=True)
class PageStored:
    """What a page changed; nothing at all when it was stored before."""

    filled: int = 0
    revised: int = 0
    same: int = 0
    gaps: int = 0  # noted or closed
    moved: bool = False  # the cursor

    @property
    def changed(self) -> bool:
        """Say whether a page that shows this meter would look different now."""
        return bool(self.filled or self.revised or self.gaps)


def store_profile_page(
    store: Store,
    meter_id: int,
    page: ProfilePage,
    *,
    lease: Lease,
    by_span: bool = False,
    learned: Mapping[str, str] | None = None,
) -> PageStored:
    """Store a page of a meter's profile.

    ``by_span``: it was asked for by a span, so its cursor is not the meter's and slots that are
    missing in it are no news. ``learned``: habits of the meter that the driver knows by now, so
    that they outlive a visit that is cut short. Raises LineBusy (nothing is stored) if the
    lease was lost, PeriodUnsupported if the slots don't fit into days.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        stored = PageStored()
        bases = meters.clock_bases(unit, meter_id)
        placed = place(page.slots, bases)
        for shape, records in placed.items():
            if not shape.channels:
                raise ContractBroken(
                    "The driver gave a slot without any value; report it to the plugin's maker."
                )
            key = SeriesKey(meter_id, shape, page.milliwatt_hours_per_count)
            put_records(unit, key, records, stored)
        spans = joined(
            [
                (record.start, record.start + shape.minutes)
                for shape, records in placed.items()
                for record in records
            ]
        )
        keep_ledger(unit, meter_id, page, bases=bases, spans=spans, stored=stored, by_span=by_span)
        if learned is not None:
            meters.change_meter(unit, meter_id, learned=dict(learned))
        if not by_span:
            stored.moved = meters.move_cursor(unit, meter_id, page.next)
        keep_state(unit, meter_id, spans, read_to_end=not by_span and not page.more)
        if stored.changed:
            tell(unit, meter_id)
        return stored


def tell(unit: Unit, meter_id: int) -> None:
    """Say that this meter's values changed: to pages, and to consumers' rules."""
    rules.touch_meter(unit, meter_id)
    outbox.signal(unit, {"meter": meter_id, "points": meters.points_of(unit, meter_id)})


# -- slots -------------------------------------------------------------------------------------


def put_records(unit: Unit, key: SeriesKey, records: list[Placed], stored: PageStored) -> None:
    """Write records of one series into their days; days that don't change are not written."""
    series_id = series.find_or_open(unit, key)
    by_day: defaultdict[int, list[Placed]] = defaultdict(list)
    for record in records:
        by_day[record.start // DAY_MINUTES].append(record)
    held = blocks.lock_days(unit, series_id, key.shape, sorted(by_day))
    cursor = unit.cursor()
    changed = False
    for day, of_day in by_day.items():
        found = held.get(day)
        if found is not None and found.damaged and key.meter_id:
            note_damage(unit, key.meter_id, day)
            stored.gaps += 1
        buffer = DayBuffer(key.shape, found)
        where = (series_id, day, key.source)
        if put_day(unit, where, buffer, of_day, stored):
            blocks.write_day(cursor, series_id, day, buffer.packed())
            changed = True
    if changed:
        blocks.mark_changed(cursor, series_id)


def put_day(
    unit: Unit,
    where: tuple[int, int, str],
    buffer: DayBuffer,
    records: list[Placed],
    stored: PageStored,
) -> bool:
    """Apply the records of one day, ``where`` (series, day, source); True if any changed it."""
    series_id, day, source = where
    teller, actor = TELLERS[source]
    revised: defaultdict[str, list[Revised]] = defaultdict(list)
    changed = False
    for record in records:
        slot = (record.start - day * DAY_MINUTES) // buffer.shape.minutes
        old, old_flags = buffer.get(slot), buffer.flags[slot]
        match decide(old, old_flags, record.counts, record.flags):
            case Decision.KEEP:
                stored.same += 1
                continue
            case Decision.FILL:
                stored.filled += 1
            case Decision.REVISE:
                stored.revised += 1
                revised[why(record, teller)].append(Revised(series_id, day, slot, old, old_flags))
        buffer.put(slot, record.counts, record.flags)
        changed = True
    for reason, items in revised.items():
        series.revise(unit, items, at=unit.now(), why=reason, actor=actor)
    return changed


def why(record: Placed, teller: str) -> str:
    """Name the reason of a revision: whose record it is, with its marks."""
    marks = [mark.name or "" for mark in SlotMark if mark in record.marks]
    return " ".join([teller, *sorted(mark.lower() for mark in marks)])


def note_damage(unit: Unit, meter_id: int, day: int) -> None:
    """Put a day whose block can't be read into the ledger, so that the meter is asked again."""
    span = (day * DAY_MINUTES, (day + 1) * DAY_MINUTES)
    through = meters.profile_through(unit, meter_id)
    if through is not None:
        span = (span[0], min(span[1], through))
    known = [gap.span for gap in gaps.missing(unit, meter_id, span) if gap.next_try_at]
    for rest in without(span, known):
        gaps.note(unit, meter_id, rest, GapReason.DAMAGED)


# -- the ledger --------------------------------------------------------------------------------


def keep_ledger(
    unit: Unit,
    meter_id: int,
    page: ProfilePage,
    *,
    bases: ClockBases,
    spans: list[Span],
    stored: PageStored,
    by_span: bool,
) -> None:
    """Note what is missing and close what the page has filled."""
    known_from, through = meters.profile_span(unit, meter_id)
    declared: list[Span] = []
    for gap in page.gaps:
        # Without a beginning it reaches back to what was read before; before that is nothing.
        begin = through if gap.starts is None else bases.minute_of(gap.starts)
        end = bases.minute_of(gap.ends)
        if begin is not None and begin < end:
            declared.append((begin, end))
    for span in joined(declared):
        note_missing(unit, meter_id, span, GapReason.NOT_WRITTEN, stored)
    if spans and not by_span:
        # From the first to the last slot ever read, all is either stored or in the ledger.
        begin, end = spans[0][0], spans[-1][1]
        if through is not None and known_from is not None:
            begin, end = min(through, begin), max(known_from, end)
        for span in without((begin, end), spans):
            note_missing(unit, meter_id, span, GapReason.NOT_READ, stored)
    if spans and stored.filled:
        touched = (spans[0][0], spans[-1][1])
        for known in gaps.missing(unit, meter_id, touched):
            rest = without(known.span, series.present(unit, meter_id, known.span))
            if rest != [known.span]:
                gaps.shrink(unit, known.id, rest)
                stored.gaps += 1


def note_missing(
    unit: Unit, meter_id: int, span: Span, reason: GapReason, stored: PageStored
) -> None:
    """Open a gap for what of a span is neither stored nor known to be missing."""
    known = [gap.span for gap in gaps.missing(unit, meter_id, span)]
    if without(span, known) == []:
        return
    for rest in without(span, [*known, *series.present(unit, meter_id, span)]):
        gaps.note(unit, meter_id, rest, reason)
        stored.gaps += 1


def keep_state(unit: Unit, meter_id: int, spans: list[Span], *, read_to_end: bool) -> None:
    """Widen what is known to be stored of a meter."""
    state = meters.state(unit, meter_id)
    if spans:
        first, last = instant_of(spans[0][0]), instant_of(spans[-1][1])
        if state.profile_from_at is None or first < state.profile_from_at:
            state.profile_from_at = first
        if state.profile_through_at is None or last > state.profile_through_at:
            state.profile_through_at = last
    if read_to_end:
        state.profile_done = True


# -- spans -------------------------------------------------------------------------------------


def finish_span(store: Store, meter_id: int, asked: StoredGap, *, lease: Lease) -> None:
    """Close a gap, as it was asked for, when the meter has answered for its whole span.

    What is still missing the meter no longer has, or never had. A span in doubt has been read
    again; whether the doubt is gone is for the balance to say.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        if asked.reason is GapReason.IN_DOUBT:
            gaps.close(unit, asked.id, GapState.FILLED)
            return
        # Storing may have cut the gap into pieces; all of them were asked for.
        left = [
            gap for gap in gaps.missing(unit, meter_id, asked.span) if gap.state is GapState.OPEN
        ]
        for gap in left:
            gaps.close(unit, gap.id, GapState.GONE)
        if left:
            tell(unit, meter_id)


def put_off_span(store: Store, asked: StoredGap, until: datetime, *, lease: Lease) -> None:
    """Ask for a gap again later: the meter did not answer for it."""
    with store.write() as unit:
        leases.prove(unit, lease)
        gaps.put_off(unit, asked.id, until)


def mark_damaged(store: Store, series_id: int, day: int) -> int | None:
    """Drop a block that can't be read and have its day read again; returns the meter's id.

    None: the block is well, or is no meter's.
    """
    with store.write() as unit:
        row = series.one(unit, series_id)
        if row is None or row.key.meter_id == 0:
            return None
        meter_id, shape = row.key.meter_id, row.key.shape
        found = blocks.lock_days(unit, series_id, shape, [day]).get(day)
        if found is None or not found.damaged:
            return None
        blocks.delete_day(unit.cursor(), series_id, day)
        blocks.mark_changed(unit.cursor(), series_id)
        note_damage(unit, meter_id, day)
        state = meters.state(unit, meter_id)
        state.due_at = min(state.due_at, unit.now())
        tell(unit, meter_id)
        return meter_id
