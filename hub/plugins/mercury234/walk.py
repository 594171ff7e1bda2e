"""From records to a page: what is believed, what is a gap, and where a page may end.

The place of a record is arithmetic, its stamp is evidence. A record is taken at once if its stamp
follows from the one before it or from the last record; one that is old by half a ring was not
written; anything else is believed only when the meter says it twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from hub.plugins.api import Counts, Gap, MeterTime, Slot, SlotMark
from hub.plugins.mercury234.ring import (
    Mark,
    Record,
    divides_day,
    is_blank,
    on_grid,
    parse_record,
    shown,
    std,
)


class Sense(Enum):
    """What to make of a record."""

    SLOT = auto()
    GAP = auto()  # not written, or overwritten
    ODD = auto()  # ask again


@dataclass(frozen=True, slots=True)
class Judged:
    sense: Sense
    record: Record | None = None
    std: datetime | None = None  # its end, after snapping an interrupted interval


@dataclass(frozen=True, slots=True)
class Entry:
    """One place walked over."""

    back: int  # records before the last one
    mark: Mark
    record: Record | None = None  # None: no value here
    sure: bool = True  # False: no record tells the stamp, and the clock was moved since


@dataclass(slots=True)
class Walker:
    """Judges records in the order of the ring. Only ends above floor, up to ceiling, are news."""

    last: Mark
    ring_records: int
    floor: datetime | None = None
    ceiling: datetime | None = None
    before: Entry | None = None  # the latest place that fixed the phase of stamps
    summer: bool = False
    stale: tuple[int, datetime] | None = None  # a place that an earlier lap wrote, and its stamp

    def due(self, back: int) -> list[tuple[datetime, int]]:
        """Return the stamps that would surprise nobody, each with its period."""
        by_last = self.last.std - timedelta(minutes=self.last.minutes * back)
        due = [(by_last, self.last.minutes)]
        if self.before is not None:
            minutes = self.before.mark.minutes
            ahead = timedelta(minutes=minutes * (self.before.back - back))
            due.insert(0, (self.before.mark.std + ahead, minutes))
        return due

    def judge(self, wire: bytes, back: int) -> Judged:
        """Say what a record is, by its stamp."""
        if is_blank(wire):
            return Judged(Sense.GAP)
        try:
            record = parse_record(wire)
        except ValueError:
            return Judged(Sense.ODD)
        for at, minutes in self.due(back):
            if record.minutes != minutes:
                continue
            # an interrupted interval may be stamped off the grid
            near = abs(record.std - at) < timedelta(minutes=minutes) and record.incomplete
            if record.std == at or (near and not on_grid(record.ends.face, minutes)):
                return self._slot(record, at)
        if self._older_lap(record, back) and self._left_over(record, back):
            return Judged(Sense.GAP)
        return Judged(Sense.ODD, record, record.std)

    def believe(self, judged: Judged, back: int) -> Judged:
        """Judge an odd record that the meter said twice: the clock or the period was changed."""
        record = judged.record
        if record is None or not on_grid(record.ends.face, record.minutes):
            return Judged(Sense.GAP)
        if self._older_lap(record, back):
            self.stale = (back, record.std)
            return Judged(Sense.GAP)
        if record.std > self.last.std + self._lap / 2:
            return Judged(Sense.GAP)
        before = self.before
        backward = before is not None and record.std <= before.mark.std
        if backward and before is not None and record.minutes != before.mark.minutes:
            return Judged(Sense.GAP)
        return self._slot(record, record.std)

    def _slot(self, record: Record, at: datetime) -> Judged:
        if self.floor is not None and at <= self.floor:
            return Judged(Sense.GAP)
        if self.ceiling is not None and at > self.ceiling:
            return Judged(Sense.GAP)
        if not divides_day(record.minutes) or all(count is None for count in record.counts):
            return Judged(Sense.GAP)
        return Judged(Sense.SLOT, record, at)

    @property
    def _lap(self) -> timedelta:
        return timedelta(minutes=self.last.minutes * self.ring_records)

    def _older_lap(self, record: Record, back: int) -> bool:
        """Tell whether this is what an earlier lap left: the place was not written since."""
        return record.minutes == self.last.minutes and all(
            record.std <= at - self._lap / 2 for at, _ in self.due(back)
        )

    def _left_over(self, record: Record, back: int) -> bool:
        """Tell whether it is left by exact laps, or follows another that is; if not, ask again."""
        follows = self.stale is not None and record.std - self.stale[1] == timedelta(
            minutes=record.minutes * (self.stale[0] - back)
        )
        if follows or any(
            (at - record.std) % self._lap == timedelta(0) for at, _ in self.due(back)
        ):
            self.stale = (back, record.std)
            return True
        return False

    def entry(self, judged: Judged, back: int, address: int) -> Entry:
        """Note a place; a slot fixes the phase for those that follow."""
        if judged.sense is Sense.SLOT and judged.record is not None and judged.std is not None:
            summer = bool(judged.record.ends.summer)
            mark = Mark(address, shown(judged.std, summer=summer), judged.record.minutes)
            entry = Entry(back, mark, judged.record)
            self.before, self.summer = entry, summer
            return entry
        due = self.due(back)
        at, minutes = due[0]
        mark = Mark(address, shown(at, summer=self.summer), minutes)
        return Entry(back, mark, sure=all(each == due[0] for each in due))


def added(left: Counts, right: Counts) -> Counts:
    """Return the sums by channel; None only where neither has a value."""

    def one(first: int | None, second: int | None) -> int | None:
        return second if first is None else first if second is None else first + second

    a_plus, a_minus, r_plus, r_minus = map(one, left, right)
    return a_plus, a_minus, r_plus, r_minus


@dataclass(slots=True)
class Draft:
    """A page in the making: entries of one period and one set of channels."""

    entries: list[Entry] = field(default_factory=list)
    _kind: tuple[int, tuple[bool, ...]] | None = None

    def fits(self, record: Record | None) -> bool:
        """Tell whether a record (or its absence) may stand on this page."""
        return record is None or self._kind in {None, _kind(record)}

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if entry.record is not None:
            self._kind = _kind(entry.record)

    def end_before(self, follower: Entry) -> bool:
        """End the page where nothing on it shares a stamp with what comes after.

        It ends with a slot, so that no gap is told in pieces; a page without slots ends at a
        place whose stamp is sure, so that a cursor can stand there. False, and the page is as it
        was, if nothing would be left.
        """
        slots = [index for index, entry in enumerate(self.entries, 1) if entry.record is not None]
        places = [index for index, entry in enumerate(self.entries, 1) if entry.sure]
        for index in reversed(slots or places):
            if not self._shared(index, follower):
                del self.entries[index:]
                return True
        return False

    def _shared(self, index: int, follower: Entry) -> bool:
        after = [*self.entries[index:], follower]
        first = min((e.mark.std for e in after if e.record is not None), default=None)
        return first is not None and any(
            entry.record is not None and entry.mark.std >= first for entry in self.entries[:index]
        )

    def slots(self) -> list[Slot]:
        """Return the slots, oldest first; records with one stamp are one slot."""
        by_end: dict[datetime, Slot] = {}
        for entry in self.entries:
            if entry.record is None:
                continue
            mark = SlotMark.PARTIAL if entry.record.incomplete else SlotMark(0)
            slot = Slot(entry.mark.ends, entry.mark.minutes, entry.record.counts, mark)
            twin = by_end.get(entry.mark.std)
            if twin is not None:
                slot = Slot(
                    twin.ends,
                    twin.minutes,
                    added(twin.counts, slot.counts),
                    twin.marks | slot.marks | SlotMark.PARTIAL | SlotMark.CLOCK_MOVED,
                )
            by_end[entry.mark.std] = slot
        return [by_end[end] for end in sorted(by_end)]


def _kind(record: Record) -> tuple[int, tuple[bool, ...]]:
    """Return the period, and which channels a record has."""
    return record.minutes, tuple(count is not None for count in record.counts)


def gaps(start: MeterTime | None, slots: Sequence[Slot], end: MeterTime | None) -> Iterator[Gap]:
    """Yield what lies uncovered from ``start`` over the slots to ``end``; None: no such edge."""
    edge = start
    for slot in slots:
        starts = std(slot.ends) - timedelta(minutes=slot.minutes)
        begins = shown(starts, summer=bool(slot.ends.summer))
        if edge is not None and starts > std(edge):
            yield Gap(edge, begins)
        edge = slot.ends
    if end is not None and edge is not None and std(end) > std(edge):
        yield Gap(edge, end)
