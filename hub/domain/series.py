"""Series of slots: shape, flags, and where a meter's records belong in them.

Instants are whole minutes since 1970-01-01T00:00Z (``domain.calendar``); slots are keyed by
their start. A slot's flags say what its value is worth; no flag: measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.domain.calendar import DAY_MINUTES
from hub.domain.clock import ClockBases
from hub.domain.profile import Counts, Slot, SlotMark
from hub.errors import PeriodUnsupported

NO_MARK = SlotMark(0)
NO_VALUE, PARTIAL, ESTIMATED, MANUAL, REJECTED = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class Shape:
    """What blocks of a series look like: the period, and which channels have columns.

    ``channels``: bit 0 A+, 1 A-, 2 R+, 3 R-; a column for each bit that is set.
    """

    minutes: int
    channels: int

    @property
    def slots(self) -> int:
        """Count the slots of a day."""
        return DAY_MINUTES // self.minutes

    @property
    def columns(self) -> tuple[int, ...]:
        """List the channels that have a column, in order."""
        return columns(self.channels)


def columns(mask: int) -> tuple[int, ...]:
    """List the channels whose bits are set, in the order A+ A- R+ R-."""
    return tuple(channel for channel in range(4) if mask >> channel & 1)


def mask_of(counts: Counts) -> int:
    """Make the channel mask of a record: None is a channel that the meter does not have."""
    return sum(1 << channel for channel, count in enumerate(counts) if count is not None)


def check_period(minutes: int) -> None:
    """Raise PeriodUnsupported unless a day is a whole number of such slots."""
    if minutes <= 0 or DAY_MINUTES % minutes:
        raise PeriodUnsupported(
            f"The meter's profile period is {minutes} minutes, which does not divide a day; "
            "set a period that divides 1440 in the meter."
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A record in its slot: counts of the columns of its shape, in order."""

    start: int
    counts: tuple[int, ...]
    flags: int = 0
    marks: SlotMark = NO_MARK


def place(slots: Iterable[Slot], bases: ClockBases) -> dict[Shape, list[Placed]]:
    """Put records into the slots they belong to, by start, oldest first in each shape.

    The end stamp is converted with its own season flag; the slot is the one that holds the last
    moment of the record, which for a stamp on the grid is the stamp less its minutes. A stamp
    off the grid makes the slot partial, and so do two records in one slot: their counts are
    added. Raises PeriodUnsupported.
    """
    found: dict[Shape, dict[int, Placed]] = {}
    for slot in slots:
        check_period(slot.minutes)
        if bases.at(slot.ends, slot.minutes) % slot.minutes:
            raise PeriodUnsupported(
                f"A clock base of {bases.at(slot.ends)} minutes is no whole number of the "
                f"meter's {slot.minutes}-minute slots; correct it at the installation, or set "
                "a shorter period in the meter."
            )
        shape = Shape(slot.minutes, mask_of(slot.counts))
        ends = bases.minute_of(slot.ends, slot.minutes)
        start = -(-ends // slot.minutes) * slot.minutes - slot.minutes
        whole = start + slot.minutes == ends and not slot.ends.face.second
        counts = tuple(count for count in slot.counts if count is not None)
        record = Placed(start, counts, 0 if whole and not slot.marks else PARTIAL, slot.marks)
        line = found.setdefault(shape, {})
        line[start] = merged(line[start], record) if start in line else record
    return {shape: [line[start] for start in sorted(line)] for shape, line in found.items()}


def merged(one: Placed, other: Placed) -> Placed:
    """Add two records of one slot; the sum is partial."""
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    return Placed(one.start, counts, PARTIAL, one.marks | other.marks | SlotMark.CLOCK_MOVED)


# -- spans of minutes --------------------------------------------------------------------------


Span = tuple[int, int]  # from, up to and not including


def without(span: Span, taken: Iterable[Span]) -> list[Span]:
    """Cut what is taken out of a span; what remains, oldest first."""
    rest: list[Span] = []
    begin, end = span
    for first, last in sorted(taken):
        if last <= begin:
            continue
        if first >= end:
            break
        if first > begin:
            rest.append((begin, first))
        begin = max(begin, last)
    if begin < end:
        rest.append((begin, end))
    return rest


def joined(spans: Sequence[Span]) -> list[Span]:
    """Join spans that touch or overlap, oldest first."""
    out: list[Span] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out
