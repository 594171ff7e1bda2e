"""Reads what the meter latched: all in one answer, or part by part."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

from hub.plugins.api import (
    DeviceFault,
    FixedValues,
    FrameGarbled,
    MeterTime,
    NotSupported,
    Quantity,
    Register,
    ReplyTimeout,
)
from hub.plugins.mercury234 import values
from hub.plugins.mercury234.registers import ENERGY, parse_element
from hub.plugins.mercury234.session import Session, lacking, note_lack

LATCHED = 0x14
ALL_FIXED, ANYTHING = f"{LATCHED:02X}{values.ALL:02X}", f"{LATCHED:02X}"  # as remembered
ATTEMPTS = 2  # at values that are latched anew while they are read


def has_fixed(habits: Mapping[str, str]) -> bool:
    return ANYTHING not in lacking(habits)


def parse_all(wire: bytes) -> FixedValues | None:
    """Read the 178 bytes of 08 14 A0; None: nothing was latched yet. ValueError if senseless."""
    fixed = values.parse_fixed_at(wire[: values.CLOCK_BYTES])
    if fixed is None:
        return None
    found: dict[Register, Quantity] = {}
    at = values.CLOCK_BYTES
    for tariff in values.ENERGY_ORDER:
        found |= energy(tariff, wire[at : at + values.ENERGY_BYTES])
        at += values.ENERGY_BYTES
    for kind, part in values.split(wire[at:], values.ALWAYS, fixed=True):
        found |= values.quantities(kind, part, fixed=True)
    return FixedValues(fixed=fixed, values=found)


def energy(tariff: int, wire: bytes) -> dict[Register, Quantity]:
    """Read the energies of one tariff as they were when they were latched."""
    return {
        Register(f"{group}.8.{tariff}"): Quantity(Decimal(value), unit)
        for (group, unit), value in zip(ENERGY, parse_element(wire), strict=True)
        if value is not None
    }


class FixedReader:
    """Reads for one visit. What the meter refuses is remembered and not asked for again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._habits = session.habits

    async def read(self) -> FixedValues | None:
        """Read them; None: nothing was latched yet. NotSupported: the meter can't."""
        if ALL_FIXED not in lacking(self._habits):
            try:
                found, _ = await self._session.sense(
                    bytes((0x08, LATCHED, values.ALL)), values.ALL_FIXED_SIZE, parse=parse_all
                )
            except NotSupported:
                note_lack(self._habits, ALL_FIXED)
            except (ReplyTimeout, FrameGarbled, DeviceFault):
                pass  # the parts are shorter, and may arrive whole
            else:
                return found
        for _ in range(ATTEMPTS):
            fixed = await self.fixed_at()
            if fixed is None:
                return None
            parts = await self._parts()
            if await self.fixed_at() == fixed:
                return FixedValues(fixed=fixed, values=parts)
        raise FrameGarbled("The values were latched anew while they were read; read them again.")

    async def fixed_at(self) -> MeterTime | None:
        """Read when values were latched; None: never yet."""
        try:
            fixed, _ = await self._session.sense(
                bytes((0x08, LATCHED, values.FIXED_AT)),
                values.CLOCK_BYTES,
                parse=values.parse_fixed_at,
            )
        except NotSupported:
            note_lack(self._habits, ANYTHING)
            raise
        return fixed

    async def _parts(self) -> dict[Register, Quantity]:
        found: dict[Register, Quantity] = {}
        for tariff in values.ENERGY_ORDER:
            found |= await self._part(
                values.FIXED_ENERGY | tariff,
                values.ENERGY_BYTES,
                partial(energy, tariff),
            )
        for kind in values.ALWAYS:
            found |= await self._part(
                kind.bwri | kind.phases[0],
                values.group_bytes(kind, fixed=True),
                partial(values.quantities, kind, fixed=True),
            )
        return found

    async def _part(
        self, bwri: int, size: int, parse: Callable[[bytes], dict[Register, Quantity]]
    ) -> dict[Register, Quantity]:
        request = f"{LATCHED:02X}{bwri:02X}"
        if request in lacking(self._habits):
            return {}
        try:
            found, _ = await self._session.sense(bytes((0x08, LATCHED, bwri)), size, parse=parse)
        except NotSupported:
            note_lack(self._habits, request)
            return {}
        except DeviceFault:
            return {}
        return found
