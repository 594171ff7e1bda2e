"""Reads the instantaneous values: all in one answer, else in groups, else one by one."""

from collections.abc import Mapping

from hub.plugins.api import (
    DeviceFault,
    FrameGarbled,
    NotSupported,
    Quantity,
    Register,
    ReplyTimeout,
)
from hub.plugins.mercury234.session import Session, lacking, note_lack
from hub.plugins.mercury234.values import (
    ACTIVE,
    ALL,
    ALL_SIZES,
    KINDS,
    TEMPERATURE,
    Kind,
    everything,
    group_bytes,
    quantities,
    quantity,
    sample,
)

ONE_VALUE, GROUP = 0x11, 0x16
ALL_NOW, ANY_GROUP = f"{GROUP:02X}{ALL:02X}", f"{GROUP:02X}"  # as they are remembered
ALL_BYTES = "all"  # name among the habits: how long that answer is


def has_snapshot(habits: Mapping[str, str]) -> bool:
    """Tell whether any way of asking is left."""
    return not {ALL_NOW, ANY_GROUP, _single(ACTIVE)} <= lacking(habits)


class SnapshotReader:
    """Reads for one visit. What the meter refuses is remembered and not asked for again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._habits = session.habits

    async def read(self) -> dict[Register, Quantity]:
        """Read all that the meter has; NotSupported if that is nothing.

        What the line did not bring any more is absent, if it brought other things.
        """
        found = await self._all_at_once()
        damage: FrameGarbled | None = None
        for kind in KINDS:
            if any(Register(obis) in found for obis in kind.obis):
                continue
            try:
                found |= await self._group(kind)
            except FrameGarbled as error:
                damage = error  # or a value that no such quantity has; others may be well
            except ReplyTimeout:
                if not found:
                    raise
                break
        if not found:
            raise damage or NotSupported("The meter has no instantaneous values to tell.")
        return found

    async def _all_at_once(self) -> dict[Register, Quantity]:
        if ALL_NOW in lacking(self._habits):
            return {}
        known = [size for size in ALL_SIZES if str(size) == self._habits.get(ALL_BYTES)]
        try:
            found, reply = await self._session.sense(
                bytes((0x08, GROUP, ALL)), *(known or ALL_SIZES), parse=everything
            )
        except NotSupported:
            note_lack(self._habits, ALL_NOW)
            return {}
        except (ReplyTimeout, FrameGarbled, DeviceFault):
            self._habits.pop(ALL_BYTES, None)  # groups are shorter, and may arrive whole
            return {}
        self._habits[ALL_BYTES] = str(len(reply.frame) - 3)
        return found

    async def _group(self, kind: Kind) -> dict[Register, Quantity]:
        request = f"{GROUP:02X}{kind.bwri:02X}"
        if kind is TEMPERATURE or not lacking(self._habits).isdisjoint({request, ANY_GROUP}):
            return await self._one_by_one(kind)
        try:
            found, _ = await self._session.sense(
                bytes((0x08, GROUP, kind.bwri | kind.phases[0])),
                group_bytes(kind),
                parse=lambda wire: quantities(kind, wire),
            )
        except NotSupported:
            note_lack(self._habits, ANY_GROUP if kind is ACTIVE else request)
            return await self._one_by_one(kind)
        except DeviceFault:
            return {}
        return found

    async def _one_by_one(self, kind: Kind) -> dict[Register, Quantity]:
        found: dict[Register, Quantity] = {}
        if _single(kind) in lacking(self._habits):
            return found
        for bwri, obis in zip(kind.singles(), kind.obis, strict=True):
            try:
                found[Register(obis)], _ = await self._session.sense(
                    bytes((0x08, ONE_VALUE, bwri)),
                    kind.width,
                    parse=lambda wire: quantity(kind, sample(kind, wire)),
                )
            except NotSupported:
                if not found:
                    note_lack(self._habits, _single(kind))
                    return found
            except DeviceFault:
                continue
        return found


def _single(kind: Kind) -> str:
    return f"{ONE_VALUE:02X}{kind.bwri:02X}"
