"""Limits of power and energy: what they note, and how they switch the load off.

What runs is compared with them at each half-hour, when something changes, and at the very second
at which an energy limit is come to.
"""

from bisect import bisect_left
from functools import partial
from typing import TYPE_CHECKING

from hub.plugins.mercury234.simulator import books
from hub.plugins.mercury234.simulator.load import CELL
from hub.plugins.mercury234.simulator.writes import TARIFFS

if TYPE_CHECKING:
    from hub.plugins.mercury234.simulator.life import Life


class Limits:
    """The watch over the limits of one meter.

    ``over_power`` says whether the power that runs is above its limit, ``exceeded`` has the
    tariffs whose energy limits have been come to and noted.
    """

    def __init__(self, life: "Life", constant: int) -> None:
        self.over_power = False
        self.exceeded: set[int] = set()
        self._life = life
        self._constant = constant
        self._tripping = False
        self._watching = False

    def settle(self) -> None:
        """Look at the power, because something has changed."""
        life = self._life
        self.over_power = self._is_too_much()
        if self.over_power and life.settings.power_control and not self._tripping:
            self._tripping = True
            life.at(life.right + life.settings.power_control_s, self._trip)
        if not self._watching and self._any():
            self._watching = True
            life.at(life.right, self._watch)

    def _any(self) -> bool:
        settings = self._life.settings
        return bool(settings.power_limit or any(settings.energy_limits))

    def _watch(self) -> None:
        """Look at the half-hour that begins, and again at the next one."""
        life = self._life
        if not self._any():
            self._watching = False
            return
        if self._is_too_much() != self.over_power:
            life.settle()
        end = (life.run // CELL + 1) * CELL
        for tariff, limit in zip(TARIFFS, life.settings.energy_limits, strict=True):
            if limit and tariff not in self.exceeded:
                self._foresee(tariff, end)
        life.at(life.right + max(1, end - life.run), self._watch)

    def _is_too_much(self) -> bool:
        """Tell whether the power that runs is above the limit; without power it is as it was."""
        life = self._life
        limit = life.settings.power_limit
        if not limit or not life.network.powered:
            return self.over_power and bool(limit)
        return life.counter.running(0, life.run) * 100_000 // self._constant > limit

    def _trip(self) -> None:
        self._tripping = False
        if self.over_power and self._life.settings.power_control:
            self._life.change(power_tripped=True)

    def _foresee(self, tariff: int, end: int) -> None:
        """Find the second of this half-hour in which an energy limit is come to."""
        life = self._life
        if not self._is_over(tariff, end):
            return
        crossed = bisect_left(range(life.run, end), 1, key=partial(self._is_over, tariff))
        life.at(life.right + crossed, partial(self._exceed, tariff))

    def _is_over(self, tariff: int, run: int) -> bool:
        limit = self._life.settings.energy_limits[tariff - 1]
        if not limit or tariff in self.exceeded:
            return False
        return (self._life.registers.since_reset(run, tariff)[0] or 0) >= limit

    def _exceed(self, tariff: int) -> None:
        life = self._life
        if self._is_over(tariff, life.run):
            self.exceeded.add(tariff)
            life.notes.write(books.energy_limit(tariff), life.run)
            life.change(tripped=life.settings.tripped | {tariff})
