"""Looking after the database: damage found, named and read again; copies; keys."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hub.services.storing import mark_damaged
from hub.store import upkeep
from hub.store.unit import Store

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Damage:
    """A day of a meter that can't be read. ``meter_id`` 0: not a meter's own series."""

    series_id: int
    day: int
    meter_id: int
    meter: str

    @property
    def date(self) -> date:
        """Return the day in UTC."""
        return EPOCH + timedelta(days=self.day)


def find_damage(store: Store) -> list[Damage]:
    """Look at every block of the database."""
    with store.read() as unit:
        names = upkeep.meter_names(unit)
        return [
            Damage(item.id, day, item.key.meter_id, names.get(item.key.meter_id, "-"))
            for item, day in upkeep.damaged_blocks(unit)
        ]


def repair(store: Store, damage: Damage) -> bool:
    """Have a damaged day read again from its meter; False if no meter has it."""
    return mark_damaged(store, damage.series_id, damage.day) is not None


def integrity(store: Store) -> list[str]:
    """List what the database itself finds wrong."""
    return upkeep.integrity(store)


def backup(store: Store, to: Path) -> int:
    """Copy the database while it is in use; returns the bytes."""
    return upkeep.backup(store, to)


def restore(store: Store, source: Path) -> Path | None:
    """Bring a backup back; returns where the former database is kept."""
    return upkeep.restore(store, source)


def reseal(store: Store) -> int:
    """Seal all secrets with the first key, in one transaction; returns how many."""
    with store.write() as unit:
        return upkeep.reseal_all(unit)
