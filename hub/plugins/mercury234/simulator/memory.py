"""The ring of the power profile: a record for each slot that the clock has passed.

Record numbers count from 1 after initialisation and grow with time whether the meter has power
or not; a number modulo the size of the ring is the place. A slot that passed without a second
of power is never written, so its place keeps what lay there one turn before, or zeros.
A slot cut short is written with the incomplete flag; its period byte stays the whole period.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.clock import Calendar
from hub.plugins.mercury234.simulator.load import Counter

RECORD = 15
PLACE = 16

_OVERFLOW = 0x01
_INCOMPLETE = 0x02
_WINTER = 0x08
_BIT_17 = 0x10


class TruthSlot(NamedTuple):
    """What the load model says of one slot, not what the meter sends.

    ``end`` is the face at the end of the slot, ``winter`` tells the two hours of autumn apart.
    ``counts`` are A+, A-, R+, R- in counts of 1/(2A) kWh, None where not metered; the whole is
    None for a slot that was never written. ``partial``: the power was off for part of it.
    """

    end: datetime
    minutes: int
    counts: tuple[int | None, int | None, int | None, int | None] | None
    partial: bool
    winter: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """Standard seconds without power, first to one past the last."""

    start: int
    end: int


class Ring:
    """The main profile of one meter.

    Args:
        places: 8192 for a 131x8 memory, 4096 for 65.5x8.
        first_end: standard second at which the pointer stood at zero.
        wide: firmware 7.1.0 and later, where an address field is a record number and status
            bit 4 tells the profiles apart instead of being the 17th address bit.
        offgrid: a record that a power failure ended bears the minute of the failure.

    """

    def __init__(
        self, counter: Counter, calendar: Calendar, outages: Sequence[Outage],
        *, places: int, period: int, first_end: int, wide: bool,
        offgrid: bool = False,
    ) -> None:  # fmt: skip
        self._counter = counter
        self._calendar = calendar
        self._outages = outages
        self.places = places
        self._period = period
        self._slot = period * 60
        self._zero = first_end
        self._wide = wide
        self._offgrid = offgrid

    def passed(self, standard: int) -> int:
        """Return the number of the last slot that has ended."""
        return max(0, (standard - self._zero) // self._slot)

    def last_written(self, standard: int) -> int:
        """Return the number of the last record that the meter has written; 0 for none."""
        number = self.passed(standard)
        while number > 0 and not self._powered(number):
            number -= 1
        return number

    def end_of(self, number: int) -> int:
        return self._zero + number * self._slot

    def number_at(self, end: int) -> int:
        """Return the number of the first slot that ends at this standard second or later."""
        return -((self._zero - end) // self._slot)

    def slot(self, number: int) -> TruthSlot:
        """Tell the truth about a record number, from the load model."""
        end = self.end_of(number)
        face, winter = self._calendar.face(end), not self._calendar.is_summer(end)
        powered = self._powered(number)
        if number < 1 or not powered:
            return TruthSlot(face, self._period, None, partial=True, winter=winter)
        first, second, third, fourth = (
            self._counter.upto(channel, end) - self._counter.upto(channel, end - self._slot)
            if metered else None
            for channel, metered in enumerate(self._counter.metered)
        )  # fmt: skip
        counts = (first, second, third, fourth)
        return TruthSlot(face, self._period, counts, partial=powered < self._slot, winter=winter)

    def maxima(self, start: int, end: int, hours: Sequence[tuple[int, int]]) -> list[int | None]:
        """Return the highest counts of whole slots that end within a span, None for none.

        Args:
            start: standard second after which slots end.
            end: standard second up to which they end.
            hours: stretches of the day on the face; a slot lies inside one or is not counted.

        Returns:
            for each channel the highest of each stretch.

        """
        highest: list[int | None] = [None] * (4 * len(hours))
        for number in range(max(1, self.number_at(start + 1)), self.number_at(end + 1)):
            minute = self._calendar.face_seconds(self.end_of(number)) // 60 % 1440
            for index, (first, last) in enumerate(hours):
                if not first * 60 + self._period <= minute <= last * 60:
                    continue
                for channel, count in enumerate(self.slot(number).counts or ()):
                    at = channel * len(hours) + index
                    if count is not None:
                        highest[at] = max(highest[at] or 0, count)
        return highest

    def last_record(self, standard: int) -> bytes:
        """Answer to 08 13: where the last written record lies and its stamp, nine bytes."""
        number = self.last_written(standard)
        place = number % self.places
        field = place if self._wide else place * PLACE & 0xFFFF
        status = self._status(number)
        if not self._wide and place * PLACE > 0xFFFF:
            status |= _BIT_17
        when = layouts.stamp(self._calendar.face(self._stamped(number)))
        return field.to_bytes(2, "big") + bytes((status,)) + when + bytes((self._period,))

    def records(self, standard: int, places: range) -> bytes:
        """Return the content of places of the ring, whatever lies there."""
        newest = self.passed(standard)
        return b"".join(self._content(newest, place % self.places) for place in places)

    def words(self, standard: int, places: range, channel: int) -> bytes:
        """Little-endian words of one channel from places of the ring."""
        newest = self.passed(standard)
        start = 7 + 2 * channel
        return b"".join(
            self._content(newest, place % self.places)[start : start + 2] for place in places
        )

    def _content(self, newest: int, place: int) -> bytes:
        number = newest - (newest - place) % self.places
        while number > 0 and not self._powered(number):
            number -= self.places
        if number < 1:
            return bytes(RECORD)
        slot = self.slot(number)
        status = self._status(number)
        if not self._wide and place * PLACE > 0xFFFF:
            status |= _BIT_17
        counts = slot.counts or ()
        return b"".join((
            bytes((status,)),
            layouts.stamp(self._calendar.face(self._stamped(number))),
            bytes((slot.minutes,)),
            *(
                (layouts.MASKED_WORD if count is None else count).to_bytes(2, "little")
                for count in counts
            ),
        ))  # fmt: skip

    def _status(self, number: int) -> int:
        status = 0 if self._calendar.is_summer(self.end_of(number)) else _WINTER
        if number >= self.places:
            status |= _OVERFLOW
        if self._powered(number) < self._slot:
            status |= _INCOMPLETE
        return status

    def _stamped(self, number: int) -> int:
        """Return the standard second that a record bears: its end, or when power failed."""
        end = self.end_of(number)
        for outage in self._outages if self._offgrid else ():
            if end - self._slot < outage.start < end <= outage.end:
                return outage.start
        return end

    def _powered(self, number: int) -> int:
        """Seconds with power in a slot."""
        end = self.end_of(number)
        start = end - self._slot
        off = sum(
            min(end, outage.end) - max(start, outage.start)
            for outage in self._outages
            if outage.start < end and outage.end > start
        )
        return self._slot - off
