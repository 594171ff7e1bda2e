"""The energy registers: which array holds what, and how to read them in few exchanges."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from struct import unpack
from types import MappingProxyType

from hub.plugins.api import (
    DeviceFault,
    FrameGarbled,
    NotSupported,
    Quantity,
    Register,
    ReplyTimeout,
    rest,
)
from hub.plugins.mercury234.frames import data_of
from hub.plugins.mercury234.models import LONG_ANSWERS_SINCE, QUADRANTS_SINCE, Facts
from hub.plugins.mercury234.session import LATE_ANSWERS_S, Session

NOT_METERED = 0xFFFFFFFF
TARIFFS = range(5)  # 0 is the sum
LOSSES = 5  # technical losses, where a tariff stands
FAST_TARIFF = 6  # T1 T2 T3 T4 sum [losses] in one answer
FAST_ORDER = (1, 2, 3, 4, 0, LOSSES)
ENERGY_CODE, QUADRANT_CODE = 0x05, 0x15
# Names among the habits. What was refused is a string of hex digits, one an array, and an L if
# losses were.
FAST = {ENERGY_CODE: "fast", QUADRANT_CODE: "fast_quadrants"}
REFUSED = {ENERGY_CODE: "no_arrays", QUADRANT_CODE: "no_quadrants"}
FAST_REFUSED, LOSSES_REFUSED = "no", "L"
FAST_KNOWN = ("5", "6")  # elements of the long answer

# What the columns of an answer count: value group C of the OBIS code, and the unit.
ENERGY = ((1, "Wh"), (2, "Wh"), (3, "varh"), (4, "varh"))
PHASES = ((21, "Wh"), (41, "Wh"), (61, "Wh"))
QUADRANTS = ((5, "varh"), (6, "varh"), (7, "varh"), (8, "varh"))
# Losses of line and transformer, A+ A- R+ R-: OBIS group C 83 has them by its group E.
LOSS_CODES = ("83.8.7", "83.8.8", "83.8.16", "83.8.17")
EXPORT, PHASE_ARRAY = (2,), 6
REACTIVE = (3, 4, 5, 6, 7, 8)

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


def columns(code: int, array: int) -> tuple[tuple[int, str], ...]:
    """Return what the elements of an answer count."""
    if code == QUADRANT_CODE:
        return QUADRANTS
    return PHASES if array == PHASE_ARRAY else ENERGY


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """What one fast read brings: the code asked with, array, and month (0 if none)."""

    code: int
    array: int
    month: int

    @property
    def columns(self) -> tuple[tuple[int, str], ...]:
        return columns(self.code, self.array)

    @property
    def size(self) -> int:
        """Return the bytes of one tariff."""
        return 4 * len(self.columns)

    def body(self, tariff: int) -> bytes:
        return bytes((self.code, self.array << 4 | self.month, tariff))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a register stands: in which spot, at which tariff, in which column."""

    spot: Spot
    tariff: int
    column: int


def latest_months(today: datetime) -> Iterator[tuple[int, str]]:
    """Yield month number and 'YYYY-MM' of the twelve months a meter keeps, the latest first."""
    year, month = today.year, today.month
    for _ in range(MONTHS_KEPT):
        yield month, f"{year:04d}-{month:02d}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def table(today: datetime | None) -> Mapping[Register, Place]:
    """Return every register of the family; those of months only if ``today`` is known.

    ``today`` is the meter's face: a month is its latest occurrence, so without a date nobody can
    say which month an answer is about.
    """
    return _table(today and datetime(today.year, today.month, 1))  # noqa: DTZ001 - a face


@lru_cache(maxsize=4)
def _table(today: datetime | None) -> Mapping[Register, Place]:
    # thousands of places, asked for at each reading of every meter
    spots = [(array, 0, period) for array, period in PERIODS.items()]
    if today is not None:
        spots += [
            (array, month, prefix + name)
            for array, prefix in MONTHLY.items()
            for month, name in latest_months(today)
        ]
    found: dict[Register, Place] = {}
    for array, month, period in spots:
        by_phase = array == PHASE_ARRAY
        for code in (ENERGY_CODE,) if by_phase else (ENERGY_CODE, QUADRANT_CODE):
            spot = Spot(code, array, month)
            for column, (group, _unit) in enumerate(spot.columns):
                for tariff in TARIFFS:
                    found[Register(f"{group}.8.{tariff}", period)] = Place(spot, tariff, column)
        if not by_phase:
            spot = Spot(ENERGY_CODE, array, month)
            for column, obis in enumerate(LOSS_CODES):
                found[Register(obis, period)] = Place(spot, LOSSES, column)
    return MappingProxyType(found)


def answerable(
    facts: Facts | None, habits: Mapping[str, str], today: datetime | None
) -> frozenset[Register]:
    """Return what may be asked of a meter of these facts; ``habits``: what it said no to.

    Quadrants are offered by tariff only where all tariffs come in one answer.
    """
    variant = facts.variant if facts else None
    without: set[int] = set()
    if variant and variant.energy_kind == "A":
        without.update(REACTIVE)
    if variant and variant.directions == 1:
        without.update(EXPORT)
    phases = variant is None or variant.has_phase_energy
    quadrants = facts is not None and facts.since(QUADRANTS_SINCE)
    fast_quadrants = habits.get(FAST[QUADRANT_CODE], "?")

    def has(place: Place) -> bool:
        spot = place.spot
        return (
            not refused(habits, spot)
            and spot.columns[place.column][0] not in without
            and (phases or spot.array != PHASE_ARRAY)
            and (spot.code != QUADRANT_CODE or (quadrants and worth_asking(place)))
            and (place.tariff != LOSSES or has_losses(habits))
        )

    def worth_asking(place: Place) -> bool:
        # tariff by tariff they would double the cost of a visit, for what nobody is billed by
        now = place.spot.array == 0
        return not place.tariff or fast_quadrants in FAST_KNOWN or (now and fast_quadrants == "?")

    return frozenset(register for register, place in table(today).items() if has(place))


def refused(habits: Mapping[str, str], spot: Spot) -> bool:
    """Tell whether the meter said no to this array; quadrants have no more arrays than energy."""
    return any(f"{spot.array:X}" in habits.get(REFUSED[c], "") for c in {ENERGY_CODE, spot.code})


def has_losses(habits: Mapping[str, str]) -> bool:
    """Tell whether losses may be asked for: a fast read without them says that there are none."""
    said_no = LOSSES_REFUSED in habits.get(REFUSED[ENERGY_CODE], "")
    return not said_no and habits.get(FAST[ENERGY_CODE]) != "5"


def parse_element(wire: bytes) -> tuple[int | None, ...]:
    """Return one element's columns, whole Wh or varh; None where this meter has no such."""
    half = unpack(f"<{len(wire) // 2}H", wire)  # bytes 2-1-4-3: the high half first
    values = [half[at] << 16 | half[at + 1] for at in range(0, len(half), 2)]
    return tuple([None if value == NOT_METERED else value for value in values])


def any_metered(element: Sequence[int | None]) -> bool:
    return any(value is not None for value in element)


def parse_fast(wire: bytes, size: int) -> dict[int, tuple[int | None, ...]]:
    """Return elements of ``size`` bytes by tariff out of the answer to tariff 6."""
    return {
        tariff: parse_element(wire[at : at + size])
        for tariff, at in zip(FAST_ORDER, range(0, len(wire), size), strict=False)
    }


def agrees(elements: Mapping[int, Sequence[int | None]]) -> bool:
    """Tell whether the sum is the sum of its tariffs, give or take what rounding drops."""
    for total, *parts in zip(*[elements[tariff] for tariff in TARIFFS], strict=True):
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
        spots: dict[Spot, set[int]] = {}
        for place in wanted.values():
            spots.setdefault(place.spot, set()).add(place.tariff)
        found: dict[Spot, Mapping[int, tuple[int | None, ...]]] = {}
        for spot, tariffs in sorted(spots.items()):
            try:
                found[spot] = await self._spot(spot, sorted(tariffs))
            except (ReplyTimeout, FrameGarbled):
                if not any(found.values()):
                    raise
                break
            self._note_masked(spot, found[spot])
        result: dict[Register, Quantity] = {}
        for register, place in wanted.items():
            element = found[place.spot].get(place.tariff) if place.spot in found else None
            value = element[place.column] if element else None
            if value is not None:
                result[register] = Quantity(Decimal(value), place.spot.columns[place.column][1])
        return result

    async def _spot(
        self, spot: Spot, tariffs: Sequence[int]
    ) -> Mapping[int, tuple[int | None, ...]]:
        if refused(self._habits, spot):
            return {}
        if len(tariffs) > 1 and self._fast(spot):
            try:
                return await self._read_fast(spot)
            except (NotSupported, DeviceFault):
                pass  # no long answers, or not of this array: single reads will tell
            except (ReplyTimeout, FrameGarbled):
                self._damaged = True
        metered = [tariff for tariff in tariffs if tariff != LOSSES]
        elements: dict[int, tuple[int | None, ...]] = {}
        if metered:
            try:
                elements = await self._read_singly(spot, metered)
            except NotSupported:
                self._forget(spot.code, f"{spot.array:X}")
                return {}
        if len(metered) > 1 and self._fast(spot) and FAST[spot.code] not in self._habits:
            self._habits[FAST[spot.code]] = FAST_REFUSED
        if LOSSES in tariffs and has_losses(self._habits):
            elements |= await self._losses(spot, needed=not elements)
        return elements

    async def _losses(self, spot: Spot, *, needed: bool) -> dict[int, tuple[int | None, ...]]:
        """Read them alone; what the line does not bring is absent unless it is all there is."""
        try:
            reply = await self._session.data(spot.body(LOSSES), spot.size)
            return {LOSSES: parse_element(data_of(reply.frame))}
        except NotSupported:
            self._forget(spot.code, LOSSES_REFUSED)
        except (ReplyTimeout, FrameGarbled):
            if needed:
                raise
        return {}

    def _note_masked(self, spot: Spot, elements: Mapping[int, Sequence[int | None]]) -> None:
        """Remember losses and quadrants that this execution does not count at all."""
        blank = {tariff for tariff, element in elements.items() if not any_metered(element)}
        if LOSSES in blank:
            self._forget(ENERGY_CODE, LOSSES_REFUSED)
        if spot.code == QUADRANT_CODE and elements and blank == elements.keys():
            self._forget(QUADRANT_CODE, f"{spot.array:X}")

    async def _read_singly(
        self, spot: Spot, tariffs: Sequence[int]
    ) -> dict[int, tuple[int | None, ...]]:
        """Read tariff by tariff; NotSupported if there is not even one.

        If the sum is not that of its tariffs, only what the meter says twice is believed; late
        answers, each taken for the one that is due next, are let pass before.
        """
        before: dict[int, tuple[int | None, ...]] = {}
        data, size = self._session.data, spot.size
        for _ in range(SINGLE_READS):
            elements: dict[int, tuple[int | None, ...]] = {}
            try:
                for tariff in tariffs:
                    reply = await data(spot.body(tariff), size)
                    elements[tariff] = parse_element(data_of(reply.frame))
            except NotSupported:
                if not elements:
                    raise
                return elements
            if elements == before or not elements.keys() >= set(TARIFFS) or agrees(elements):
                return elements
            before = elements
            await rest(LATE_ANSWERS_S)
        return {}

    def _fast(self, spot: Spot) -> bool:
        if self._damaged or self._habits.get(FAST[spot.code]) == FAST_REFUSED:
            return False
        return self._facts.since(LONG_ANSWERS_SINCE)

    def _forget(self, code: int, what: str) -> None:
        known = set(self._habits.get(REFUSED[code], "")) | {what}
        self._habits[REFUSED[code]] = "".join(sorted(known))

    async def _read_fast(self, spot: Spot) -> Mapping[int, tuple[int | None, ...]]:
        first = await self._ask_fast(spot)
        elements = parse_fast(first, spot.size)
        if agrees(elements):
            return elements
        # a damaged frame may pass the CRC; only what the meter says twice is believed
        await rest(LATE_ANSWERS_S)
        second = await self._ask_fast(spot)
        if second == first or agrees(parse_fast(second, spot.size)):
            return parse_fast(second, spot.size)
        return {}

    async def _ask_fast(self, spot: Spot) -> bytes:
        known = self._habits.get(FAST[spot.code]) in FAST_KNOWN
        sizes = (5 * spot.size, 6 * spot.size)
        reply = await self._session.data(spot.body(FAST_TARIFF), *sizes, firm=known)
        wire = data_of(reply.frame)
        self._habits[FAST[spot.code]] = str(len(wire) // spot.size)
        return wire


def monthly(wanted: Collection[Register]) -> bool:
    """Tell whether any of these goes by the date of a month."""
    return any(":month:" in register.period for register in wanted)
