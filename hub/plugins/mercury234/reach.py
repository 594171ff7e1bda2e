"""How much to ask for at once: long answers are the likeliest to be damaged."""

from collections.abc import MutableMapping
from dataclasses import dataclass

BLOCK = 17  # records in the longest answer, 255 bytes
SHORT = 4
PATIENCE = 4  # good reads in a row before a longer one is tried again
MOST_PATIENCE = 256
REFUSED, PROVED = "no", "yes"


@dataclass(frozen=True, slots=True)
class Way:
    """One kind of read: its name among the habits, and how many records it brings."""

    name: str
    count: int


BLOCKS, RELATIVE = Way("blocks", BLOCK), Way("relative", BLOCK)
RELATIVE_SHORT, SINGLES = Way("relative", SHORT), Way("singles", 1)


class Reach:
    """Goes down to shorter reads after damage, up again after a run of good ones."""

    def __init__(self, habits: MutableMapping[str, str], *, blocks: bool, relative: bool) -> None:
        self._habits = habits
        self._allowed = {"blocks": blocks, "relative": relative, "singles": True}
        self._steps_down = 0
        self._good = 0
        self._patience = PATIENCE

    def way(self, wanted: int = BLOCK) -> Way:
        """Return the read to use now if so many records are wanted."""
        ladder = self._ladder()
        way = ladder[min(self._steps_down, len(ladder) - 1)]
        if way is BLOCKS and wanted < BLOCK and RELATIVE_SHORT in ladder:
            return RELATIVE  # brings just these
        return way

    def refuse(self, way: Way) -> None:
        """Remember that the meter does not have this kind of read."""
        self._habits[way.name] = REFUSED

    def prove(self, way: Way) -> None:
        """Remember that this kind of read brought what was due."""
        self._habits[way.name] = PROVED

    def proved(self, way: Way) -> bool:
        """Tell whether this kind of read ever brought what was due."""
        return self._habits.get(way.name) == PROVED

    def damaged(self) -> bool:
        """Go down a step. False: there is no shorter read."""
        ladder = self._ladder()
        if self._steps_down >= len(ladder) - 1:
            return False
        self._steps_down += 1
        self._good = 0
        self._patience = min(self._patience * 2, MOST_PATIENCE)
        return True

    def arrived(self) -> None:
        """Count a good read, perhaps go up a step."""
        if not self._steps_down:
            self._patience = PATIENCE
            return
        self._good += 1
        if self._good >= self._patience:
            self._steps_down = min(self._steps_down, len(self._ladder()) - 1) - 1
            self._good = 0

    def _ladder(self) -> list[Way]:
        has = {
            name: allowed and self._habits.get(name) != REFUSED
            for name, allowed in self._allowed.items()
        }
        ladder = [BLOCKS] if has["blocks"] else [RELATIVE] if has["relative"] else []
        if has["relative"]:
            ladder.append(RELATIVE_SHORT)
        return [*ladder, SINGLES]
