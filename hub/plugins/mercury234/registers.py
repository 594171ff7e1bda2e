"""The energy registers: which array holds what, and how to read them in few exchanges."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.plugins.api import (
    DeviceFault,
    FrameGarbled,
    NotSupported,
    Quantity,
    Register,
    ReplyTimeout,
)
from hub.plugins.mercury234.frames import data_of, word_2143
from hub.plugins.mercury234.models import LONG_ANSWERS_SINCE, Facts
from hub.plugins.mercury234.session import Session

NOT_METERED = 0xFFFFFFFF
TARIFFS = range(5)  # 0 is the sum
FAST_TARIFF = 6  # T1 T2 T3 T4 sum [losses] in one answer
FAST_ORDER = (1, 2, 3, 4, 0)
FAST, NO_ARRAYS = "fast", "no_arrays"  # names among the habits
FAST_REFUSED = "no"

# What the columns of an answer count: value group C of the OBIS code, and the unit.
ENERGY = ((1, "Wh"), (2, "Wh"), (3, "varh"), (4, "varh"))
PHASES = ((21, "Wh"), (41, "Wh"), (61, "Wh"))
REACTIVE, EXPORT, PHASE_ARRAY = (3, 4), (2,), 6

PERIODS = {
    0x0: "now",
    0x1: "of:year:0",
    0x2: "of:year:1",
    0x4: "of:day:0",
    0x5: "of:day:1",
    0x6: "now",
    0x9: "at:year:0",
    0xA: "at:year:1",
    0xC: "at:day:0",
    0xD: "at:day:1",
}
MONTHLY = {0x3: "of:month:", 0xB: "at:month:"}
MONTHS_KEPT = 12
SINGLE_READS = 3  # of all tariffs, while they do not make up their sum
ROUNDING_WH = 10  # the sum and its tariffs may drop fractions apart


def columns(array: int) -> tuple[tuple[int, str], ...]:
    return PHASES if array == PHASE_ARRAY else ENERGY


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a register stands: array, month (0 if none) and tariff."""

    array: int
    month: int
    tariff: int

    def body(self, tariff: int | None = None) -> bytes:
        asked = self.tariff if tariff is None else tariff
        return bytes((0x05, self.array << 4 | self.month, asked))


def latest_months(today: datetime) -> Iterator[tuple[int, str]]:
    """Yield month number and 'YYYY-MM' of the twelve months a meter keeps, the latest first."""
    year, month = today.year, today.month
    for _ in range(MONTHS_KEPT):
        yield month, f"{year:04d}-{month:02d}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def table(today: datetime | None) -> dict[Register, Place]:
    """Return every register of the family; those of months only if ``today`` is known.

    ``today`` is the meter's face: a month is its latest occurrence, so without a date nobody can
    say which month an answer is about.
    """
    spots = [(array, 0, period) for array, period in PERIODS.items()]
    if today is not None:
        spots += [
            (array, month, prefix + name)
            for array, prefix in MONTHLY.items()
            for month, name in latest_months(today)
        ]
    return {
        Register(f"{group}.8.{tariff}", period): Place(array, month, tariff)
        for array, month, period in spots
        for group, _unit in columns(array)
        for tariff in TARIFFS
    }


def answerable(facts: Facts | None, refused: str, today: datetime | None) -> frozenset[Register]:
    """Return what may be asked of a meter of these facts; ``refused``: arrays it said no to."""
    variant = facts.variant if facts else None
    without: set[int] = set()
    if variant and variant.energy_kind == "A":
        without.update(REACTIVE)
    if variant and variant.directions == 1:
        without.update(EXPORT)
    phases = variant is None or variant.has_phase_energy

    def has(register: Register, place: Place) -> bool:
        return (
            f"{place.array:X}" not in refused
            and int(register.obis.split(".")[0]) not in without
            and (phases or place.array != PHASE_ARRAY)
        )

    return frozenset(reg for reg, place in table(today).items() if has(reg, place))


def parse_element(array: int, wire: bytes) -> tuple[int | None, ...]:
    """Return one element's columns, whole Wh or varh; None where this meter has no such."""
    values = (word_2143(wire[at : at + 4]) for at in range(0, 4 * len(columns(array)), 4))
    return tuple(None if value == NOT_METERED else value for value in values)


def parse_fast(array: int, wire: bytes) -> dict[int, tuple[int | None, ...]]:
    """Return elements by tariff out of the answer to tariff 6."""
    size = 4 * len(columns(array))
    return {
        tariff: parse_element(array, wire[index * size : (index + 1) * size])
        for index, tariff in enumerate(FAST_ORDER)
    }


def agrees(elements: Mapping[int, Sequence[int | None]]) -> bool:
    """Tell whether the sum is the sum of its tariffs, give or take what rounding drops."""
    for column, total in enumerate(elements[0]):
        parts = [elements[tariff][column] for tariff in TARIFFS if tariff]
        known = [part for part in parts if part is not None]
        if total is not None and known and abs(sum(known) - total) > ROUNDING_WH:
            return False
    return True


class RegisterReader:
    """Reads places for one visit."""

    def __init__(self, session: Session, facts: Facts) -> None:
        self._session = session
        self._habits = session.habits
        self._facts = facts
        self._damaged = False  # long answers do not arrive whole in this visit

    async def read(self, wanted: Mapping[Register, Place]) -> dict[Register, Quantity]:
        """Read these registers; one that the meter does not have is absent.

        So are those that the line did not bring any more, if it brought others.
        """
        spots: dict[tuple[int, int], set[int]] = {}
        for place in wanted.values():
            spots.setdefault((place.array, place.month), set()).add(place.tariff)
        found: dict[Place, tuple[int | None, ...]] = {}
        for (array, month), tariffs in sorted(spots.items()):
            try:
                elements = await self._spot(array, month, sorted(tariffs))
            except (ReplyTimeout, FrameGarbled):
                if not found:
                    raise
                break
            found.update((Place(array, month, t), element) for t, element in elements.items())
        result: dict[Register, Quantity] = {}
        for register, place in wanted.items():
            element = found.get(place)
            if element is None:
                continue
            group = int(register.obis.split(".")[0])
            for (column, unit), value in zip(columns(place.array), element, strict=True):
                if column == group and value is not None:
                    result[register] = Quantity(Decimal(value), unit)
        return result

    async def _spot(
        self, array: int, month: int, tariffs: Sequence[int]
    ) -> Mapping[int, tuple[int | None, ...]]:
        if f"{array:X}" in self._habits.get(NO_ARRAYS, ""):
            return {}
        if len(tariffs) > 1 and self._fast():
            try:
                return await self._read_fast(array, month)
            except (NotSupported, DeviceFault):
                pass  # no long answers, or not of this array: single reads will tell
            except (ReplyTimeout, FrameGarbled):
                self._damaged = True
        elements: dict[int, tuple[int | None, ...]] = {}
        try:
            elements = await self._read_singly(array, month, tariffs)
        except NotSupported:
            self._forget_array(array)
            return {}
        if len(tariffs) > 1 and self._fast() and FAST not in self._habits:
            self._habits[FAST] = FAST_REFUSED
        return elements

    async def _read_singly(
        self, array: int, month: int, tariffs: Sequence[int]
    ) -> dict[int, tuple[int | None, ...]]:
        """Read tariff by tariff; NotSupported if there is not even one.

        If the sum is not that of its tariffs, only what the meter says twice is believed.
        """
        before: dict[int, tuple[int | None, ...]] = {}
        for _ in range(SINGLE_READS):
            elements: dict[int, tuple[int | None, ...]] = {}
            try:
                for tariff in tariffs:
                    elements[tariff] = await self._read_one(Place(array, month, tariff))
            except NotSupported:
                if not elements:
                    raise
                return elements
            if elements == before or not elements.keys() >= set(TARIFFS) or agrees(elements):
                return elements
            before = elements
        return {}

    def _fast(self) -> bool:
        if self._damaged or self._habits.get(FAST) == FAST_REFUSED:
            return False
        return self._facts.since(LONG_ANSWERS_SINCE)

    def _forget_array(self, array: int) -> None:
        refused = set(self._habits.get(NO_ARRAYS, "")) | {f"{array:X}"}
        self._habits[NO_ARRAYS] = "".join(sorted(refused))

    async def _read_one(self, place: Place) -> tuple[int | None, ...]:
        reply = await self._session.data(place.body(), 4 * len(columns(place.array)))
        return parse_element(place.array, data_of(reply.frame))

    async def _read_fast(self, array: int, month: int) -> Mapping[int, tuple[int | None, ...]]:
        body = Place(array, month, FAST_TARIFF).body()
        first = await self._ask_fast(array, body)
        elements = parse_fast(array, first)
        if agrees(elements):
            return elements
        # a damaged frame may pass the CRC; only what the meter says twice is believed
        second = await self._ask_fast(array, body)
        if second == first or agrees(parse_fast(array, second)):
            return parse_fast(array, second)
        return {}

    async def _ask_fast(self, array: int, body: bytes) -> bytes:
        size = 4 * len(columns(array))
        known = self._habits.get(FAST) in {"5", "6"}
        sizes = (5 * size, 6 * size)
        reply = await self._session.data(body, *sizes, firm=known)
        wire = data_of(reply.frame)
        self._habits[FAST] = str(len(wire) // size)
        return wire


def monthly(wanted: Collection[Register]) -> bool:
    """Tell whether any of these goes by the date of a month."""
    return any(":month:" in register.period for register in wanted)
