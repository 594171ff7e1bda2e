"""Reads how the meter is and what it is set to."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from hub.plugins.api import (
    AccessDenied,
    DeviceFault,
    FrameGarbled,
    MeterState,
    NotSupported,
    Quantity,
    Refused,
    Register,
    ReplyTimeout,
    rest,
)
from hub.plugins.mercury234 import parameters
from hub.plugins.mercury234.frames import spaced, word_132, word_2143
from hub.plugins.mercury234.models import LONG_IDENTITY_SINCE, Facts
from hub.plugins.mercury234.parameters import PARAMETERS, Load
from hub.plugins.mercury234.registers import NOT_METERED
from hub.plugins.mercury234.ring import parse_last
from hub.plugins.mercury234.session import LATE_ANSWERS_S, Session, lacking, note_lack

T = TypeVar("T")

IDENTITY, STATUS_WORD, MAXIMA, LAST_RECORD, TARIFF, LOAD, POWER_LIMIT, ENERGY_LIMIT = (
    0x01, 0x0A, 0x0D, 0x13, 0x17, 0x18, 0x19, 0x1A,
)  # fmt: skip
TARIFFS = range(1, 5)
# What is told in the maker's own words.
DETAILS = (
    0x04, 0x07, 0x08, 0x09, 0x0B, 0x0C, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x21, 0x24, 0x26,
    IDENTITY,
)  # fmt: skip
ADDITIONAL, MAXIMA_HOURS = 0x04, 0x0C
MONTHS_SHOWN = 2


def has_load_control(habits: Mapping[str, str]) -> bool:
    return f"{LOAD:02X}" not in lacking(habits)


def has_limits(habits: Mapping[str, str]) -> bool:
    return not {f"{POWER_LIMIT:02X}", f"{ENERGY_LIMIT:02X}"} <= lacking(habits)


def power(count: int, minutes: int, imp_per_kwh: int) -> Decimal:
    """Return the mean power in W or var of a count in so many minutes, to a milliwatt."""
    watts = Decimal(count * 30_000) / (minutes * imp_per_kwh)
    return watts.quantize(Decimal("0.001")).normalize() + 0


class StateReader:
    """Reads for one visit. What the meter refuses is remembered and not asked for again."""

    def __init__(self, session: Session, facts: Facts) -> None:
        self._session = session
        self._habits = session.habits
        self._facts = facts

    async def read(self, today: datetime) -> MeterState:
        """Read all that the meter tells; ``today`` is its face, by which maxima have a month."""
        load = await self.load()
        power_limit = await self.power_limit()
        return MeterState(
            faults=await self.faults(),
            tariff=await self._ask(TARIFF, 2, parse=parameters.tariff_now),
            load_on=None if load is None else not load.off,
            load_off_by=frozenset() if load is None else load.off_by,
            controls=frozenset() if load is None else load.controls,
            power_limit=power_limit,
            energy_limits=await self.energy_limits(),
            maxima=await self._maxima(today),
            detail=await self._detail(load, today),
        )

    async def faults(self) -> frozenset[str] | None:
        """Read the status word; None: the meter has none."""
        return await self._ask(STATUS_WORD, 4, 5, 6, parse=parameters.faults)

    async def load(self, *, firm: bool = False) -> Load | None:
        """Read the load control word; None: the meter has none, or, not ``firm``, gives none."""
        return await self._ask(LOAD, 2, parse=Load.parse, firm=firm)

    async def power_limit(self) -> Quantity | None:
        count = await self._ask(POWER_LIMIT, 3, parse=word_132)
        return None if count is None else Quantity(Decimal(count).scaleb(-2), "W")

    async def energy_limit(self, tariff: int) -> Quantity | None:
        count = await self._ask(
            ENERGY_LIMIT, 4, parse=word_2143, argument=bytes((tariff,)), once=tariff > 1
        )
        return None if count in {None, NOT_METERED} else Quantity(Decimal(count), "Wh")

    async def energy_limits(self) -> dict[int, Quantity]:
        found = {tariff: await self.energy_limit(tariff) for tariff in TARIFFS}
        return {tariff: limit for tariff, limit in found.items() if limit is not None}

    async def _maxima(self, today: datetime) -> dict[Register, Quantity]:
        """Read this month's and the last one's; empty if their scale is not known."""
        variant = self._facts.variant
        constant = variant.imp_per_kwh if variant else None
        if constant is None:
            return {}
        last = await self._ask(LAST_RECORD, 9, parse=parse_last)
        if last is None or not last.minutes:
            return {}
        found: dict[Register, Quantity] = {}
        year, month = today.year, today.month
        for back in range(MONTHS_SHOWN):
            counts = await self._ask(
                MAXIMA, 16, parse=parameters.maxima, argument=bytes((month,)), once=back > 0
            )
            for (obis, unit, part), count in zip(parameters.MAXIMA, counts or (), strict=False):
                if count is not None:
                    register = Register(obis, f"max:{year:04d}-{month:02d}:{part}")
                    found[register] = Quantity(power(count, last.minutes, constant), unit)
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        return found

    async def _detail(self, load: Load | None, today: datetime) -> dict[str, str]:
        """Read the maker's own; what the line does not bring is absent."""
        found: dict[str, str] = {}
        if load is not None:
            found["reconnection_forbidden"] = _text(load.reconnection_forbidden)
        for number in DETAILS:
            prefix = "additional_" if number == ADDITIONAL else ""
            try:
                words = await self._words(number, today)
            except FrameGarbled:
                continue
            except ReplyTimeout:
                break
            found |= {prefix + name: _text(value) for name, value in words.items()}
        return found

    async def _words(self, number: int, today: datetime) -> parameters.Words:
        parameter = PARAMETERS[number]
        if number == IDENTITY:
            if not self._facts.since(LONG_IDENTITY_SINCE):
                return {}
            tail = parameters.identity_tail
            return await self._ask(number, 16, 24, parse=tail, argument=b"\0", name="0100") or {}
        month = bytes((today.month,)) if number == MAXIMA_HOURS else b""
        name = f"parameter_{number:02x}_hex"
        read = parameter.words or (lambda wire: {name: spaced(wire)})
        return await self._ask(number, *parameter.sizes, parse=read, argument=month) or {}

    async def _ask(
        self,
        number: int,
        *sizes: int,
        parse: Callable[[bytes], T],
        argument: bytes = b"",
        once: bool = False,
        name: str = "",
        firm: bool = False,
    ) -> T | None:
        """Read one parameter; None if the meter has or gives none.

        A refusal is remembered, but not ``once``: that of a second month or tariff means little.
        A fault may pass: it is asked once more, and one that stays is raised where ``firm``.
        """
        name = name or f"{number:02X}"
        if name in lacking(self._habits):
            return None
        body = bytes((0x08, number)) + argument
        for is_last in (False, True):
            try:
                found, _ = await self._session.sense(body, *sizes, parse=parse)
            except NotSupported:
                if not once:
                    note_lack(self._habits, name)
                return None
            except (AccessDenied, DeviceFault, Refused) as error:
                if not is_last and not isinstance(error, AccessDenied):
                    await rest(LATE_ANSWERS_S)
                    continue
                if firm:
                    raise
                return None
            else:
                return found
        return None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)
