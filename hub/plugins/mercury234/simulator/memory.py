"""The ring of a power profile: a record for each slot that the clock has passed.

Record numbers count from 1 after initialisation and grow with time whether the meter has power
or not; a number modulo the size of the ring is the place. A slot that passed without a second
of power is never written, so its place keeps what lay there one turn before, or zeros.
A slot cut short is written with the incomplete flag; its period byte stays the whole period.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.clock import Calendar
from hub.plugins.mercury234.simulator.slots import Slots
from hub.plugins.mercury234.simulator.spans import NEVER, Spans
from hub.plugins.mercury234.simulator.timeline import Timeline

RECORD = 15
PLACE = 16

_OVERFLOW = 0x01
_INCOMPLETE = 0x02
_INITIALISING = 0x04
_WINTER = 0x08
_BIT_17 = _ADDITIONAL = 0x10
_KEPT = 20_000  # slots and records in memory a ring, then made anew


class TruthSlot(NamedTuple):
    """What the load model says of one slot, not what the meter sends.

    ``end`` is the face at the end of the slot, ``winter`` tells the two hours of autumn apart.
    ``counts`` are A+, A-, R+, R- in counts of 1/(2A) kWh, None where not metered; the whole is
    None for a slot that was never written. ``partial``: the power was off for part of it, or
    the clock was moved in it.
    """

    end: datetime
    minutes: int
    counts: tuple[int | None, int | None, int | None, int | None] | None
    partial: bool
    winter: bool


class Counted(Protocol):
    """What a ring records."""

    @property
    def metered(self) -> Sequence[bool]: ...

    def upto(self, channel: int, run: int, tariff: int = 0) -> int: ...


@dataclass(slots=True)
class _Epoch:
    """A ring from one initialisation to the next."""

    slots: Slots
    ready: int
    wiped: bool
    past: int = NEVER


class Ring:
    """One profile of one meter.

    Args:
        counted: what is recorded.
        calendar, timeline: of the meter.
        off, slowed: stretches without power, and with the clock being slowed down.
        places: 8192 for a 131x8 memory, 4096 for 65.5x8.
        wide: firmware 7.1.0 and later, where an address field is a record number and status
            bit 4 tells the profiles apart instead of being the 17th address bit.
        offgrid: a record that a power failure ended bears the minute of the failure.
        base: bytes before this ring in its memory.
        additional: this is the second profile.

    """

    def __init__(
        self, counted: Counted, calendar: Calendar, timeline: Timeline, *, off: Spans,
        slowed: Spans, places: int, wide: bool, offgrid: bool = False, base: int = 0,
        additional: bool = False,
    ) -> None:  # fmt: skip
        self._counted = counted
        self._calendar = calendar
        self._timeline = timeline
        self._off = off
        self._slowed = slowed
        self.places = places
        self.base = base
        self._wide = wide
        self._offgrid = offgrid
        self._additional = additional
        self._epochs: list[_Epoch] = []
        self._known: dict[tuple[int, int], TruthSlot] = {}
        self._recorded: dict[tuple[int, int], bytes | None] = {}

    def begin(self, run: int, period: int, *, ready: int, wiped: bool) -> None:
        """Begin anew with the pointer at zero; nothing is recorded before ``ready``."""
        if self._epochs:
            self._epochs[-1].past = run
        slots = Slots(self._timeline, run, period * 60)
        self._epochs.append(_Epoch(slots, ready, wiped))

    def last_written(self, run: int) -> int:
        """Return the number of the last record since the initialisation; 0 for none."""
        at = self._epoch(run)
        epoch = self._epochs[at]
        number = epoch.slots.passed(run)
        while number > 0 and not self._was_written(epoch, number):
            number -= 1
        return max(0, number)

    def held(self, run: int) -> tuple[datetime, datetime]:
        """Return the face before the oldest slot that has a place in the ring, and at its end."""
        slots = self._epochs[self._epoch(run)].slots
        newest = slots.passed(run)
        before = max(0, newest - self.places)
        face = self._calendar.face
        return face(slots.end(before)[1]), face(slots.end(newest)[1])

    def between(self, first: int, last: int) -> Iterator[TruthSlot]:
        """Give the slots whose stamps, by the clock, lie within; in the order of recording."""
        for at, epoch in enumerate(self._epochs):
            upto = NEVER if epoch.past == NEVER else epoch.slots.passed(epoch.past)
            for number in epoch.slots.stamped(first, last, upto):
                yield self._slot(at, number)

    def maxima(self, start: int, end: int, hours: Sequence[tuple[int, int]]) -> list[int | None]:
        """Return the highest counts of whole slots that end within a span, None for none.

        Args:
            start: run second after which slots end.
            end: run second up to which they end.
            hours: stretches of the day on the face; a slot lies inside one or is not counted.

        Returns:
            for each channel the highest of each stretch.

        """
        highest: list[int | None] = [None] * (4 * len(hours))
        at = self._epoch(end)
        slots = self._epochs[at].slots
        for number in range(slots.passed(start) + 1, slots.passed(end) + 1):
            clock = slots.end(number)[1]
            minute = self._calendar.face_seconds(clock) // 60 % 1440
            for index, (first, last) in enumerate(hours):
                if not first + slots.length // 60 <= minute <= last:
                    continue
                for channel, count in enumerate(self._slot(at, number).counts or ()):
                    place = channel * len(hours) + index
                    if count is not None:
                        highest[place] = max(highest[place] or 0, count)
        return highest

    def last_record(self, run: int) -> bytes:
        """Answer to 08 13 and 15: where the last written record lies and its stamp."""
        at = self._epoch(run)
        epoch = self._epochs[at]
        number = self.last_written(run)
        status = self._status(at, number)
        if run < epoch.ready:
            status |= _INITIALISING
        place = number % self.places
        field = place if self._wide else place * PLACE + self.base & 0xFFFF
        when = layouts.stamp(self._calendar.face(self._stamp(at, number)))
        period = bytes((epoch.slots.length // 60,))
        return field.to_bytes(2, "big") + bytes((status,)) + when + period

    def records(self, run: int, places: range) -> bytes:
        """Return the content of places of the ring, whatever lies there."""
        return b"".join(self._content(run, place % self.places) for place in places)

    def words(self, run: int, places: range, channel: int) -> bytes:
        """Little-endian words of one channel from places of the ring."""
        start = 7 + 2 * channel
        return b"".join(
            self._content(run, place % self.places)[start : start + 2] for place in places
        )

    def _epoch(self, run: int) -> int:
        at = len(self._epochs) - 1
        while at and run < self._epochs[at].slots.start:
            at -= 1
        return at

    def _was_written(self, epoch: _Epoch, number: int) -> bool:
        start, end = epoch.slots.end(number - 1)[0], epoch.slots.end(number)[0]
        return end > max(start, epoch.ready) and self._off.seconds(start, end) < end - start

    def _slot(self, at: int, number: int) -> TruthSlot:
        found = self._known.get((at, number))
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[at, number] = self._made(at, number)
        return found

    def _made(self, at: int, number: int) -> TruthSlot:
        epoch = self._epochs[at]
        start, (end, clock) = epoch.slots.end(number - 1)[0], epoch.slots.end(number)
        minutes = epoch.slots.length // 60
        face, winter = self._calendar.face(clock), not self._calendar.is_summer(clock)
        if number < 1 or not self._was_written(epoch, number):
            return TruthSlot(face, minutes, None, partial=True, winter=winter)
        first, second, third, fourth = (
            self._counted.upto(channel, end) - self._counted.upto(channel, start)
            if metered else None
            for channel, metered in enumerate(self._counted.metered)
        )  # fmt: skip
        whole = end - start - self._off.seconds(
            start, end
        ) == epoch.slots.length and self._timeline.shift(start) == self._timeline.shift(end - 1)
        return TruthSlot(
            face, minutes, (first, second, third, fourth), winter=winter,
            partial=not whole or self._slowed.seconds(start, end) > 0,
        )  # fmt: skip

    def _content(self, run: int, place: int) -> bytes:
        for at in range(self._epoch(run), -1, -1):
            epoch = self._epochs[at]
            newest = epoch.slots.passed(min(run, epoch.past))
            number = newest - (newest - place) % self.places
            while number > 0:
                record = self._record(at, number)
                if record is not None:
                    return record
                number -= self.places
            if epoch.wiped:
                break
        return bytes(RECORD)

    def _record(self, at: int, number: int) -> bytes | None:
        """Return the record of a slot that has passed, None if it was never written."""
        key = at, number
        if key not in self._recorded:
            if len(self._recorded) >= _KEPT:
                self._recorded.clear()
            self._recorded[key] = self._encode(at, number)
        return self._recorded[key]

    def _encode(self, at: int, number: int) -> bytes | None:
        slot = self._slot(at, number)
        if slot.counts is None:
            return None
        return b"".join((
            bytes((self._status(at, number),)),
            layouts.stamp(self._calendar.face(self._stamp(at, number))),
            bytes((slot.minutes,)),
            *(
                (layouts.MASKED_WORD if count is None else min(count, 0xFFFE)).to_bytes(2, "little")
                for count in slot.counts
            ),
        ))  # fmt: skip

    def _status(self, at: int, number: int) -> int:
        slot = self._slot(at, number)
        status = _WINTER if slot.winter else 0
        if number >= self.places:
            status |= _OVERFLOW
        if number > 0 and slot.partial:
            status |= _INCOMPLETE
        if self._wide:
            return status | (_ADDITIONAL if self._additional else 0)
        address = number % self.places * PLACE + self.base
        return status | (_BIT_17 if address > 0xFFFF else 0)

    def _stamp(self, at: int, number: int) -> int:
        """Return the clock that a record bears: its end, or when power failed."""
        slots = self._epochs[at].slots
        end, clock = slots.end(number)
        if self._offgrid and number > 0:
            failed = self._off.cut(slots.end(number - 1)[0], end)
            if failed is not None:
                return self._timeline.clock(failed)
        return clock
