"""Whole counts in numbered cells, multiplied into exact kWh only when somebody looks."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

ZERO = Fraction(0)


class Ledger:
    """Whole counts in numbered cells for each factor; kWh only when asked."""

    __slots__ = ("counts", "slots")

    def __init__(self, cells: int) -> None:
        self.counts: dict[tuple[int, int], list[int]] = {}
        self.slots = [0] * cells

    def add(self, factor: Fraction, counts: list[int], slots: list[int], weight: int = 1) -> None:
        self._add((factor.numerator, factor.denominator), counts)
        if weight != 1:
            slots = [count * weight for count in slots]
        self.slots = list(map(int.__add__, self.slots, slots))

    def _add(self, factor: tuple[int, int], counts: list[int]) -> None:
        known = self.counts.get(factor)
        self.counts[factor] = counts if known is None else list(map(int.__add__, known, counts))

    def join(self, other: "Ledger") -> None:
        """Add cell by cell; the shorter of the two is as if it went on without value."""
        size = max(len(self.slots), len(other.slots))
        self._widen(size)
        for factor, counts in other.counts.items():
            self._add(factor, _widened(counts, size))
        self.slots = list(map(int.__add__, self.slots, _widened(other.slots, size)))

    def _widen(self, size: int) -> None:
        if len(self.slots) < size:
            self.slots = _widened(self.slots, size)
            self.counts = {key: _widened(counts, size) for key, counts in self.counts.items()}

    def join_all(self, others: "Sequence[Ledger]") -> None:
        """Join many ledgers of one size: column sums by factor."""
        by_factor: dict[tuple[int, int], list[list[int]]] = {}
        for other in others:
            for factor, counts in other.counts.items():
                by_factor.setdefault(factor, []).append(counts)
        whole = Ledger(0)
        whole.counts = {factor: _sums(rows) for factor, rows in by_factor.items()}
        whole.slots = _sums([other.slots for other in others])
        self.join(whole)

    def energy(self, cell: int) -> Fraction | None:
        """Give the kWh of a cell, None if no slot has a value."""
        if not self.slots[cell]:
            return None
        found = None
        for (numerator, denominator), counts in self.counts.items():
            if counts[cell]:
                value = Fraction(counts[cell] * numerator, denominator)
                found = value if found is None else found + value
        return ZERO if found is None else found

    def energies(self) -> tuple[Fraction | None, ...]:
        return tuple(self.energy(cell) for cell in range(len(self.slots)))

    def total(self) -> "Ledger":
        """Put all cells into one."""
        whole = Ledger(1)
        whole.counts = {key: [sum(counts)] for key, counts in self.counts.items()}
        whole.slots = [sum(self.slots)]
        return whole

    def only(self, cell: int) -> "Ledger":
        """Take one cell."""
        one = Ledger(1)
        one.counts = {key: [counts[cell]] for key, counts in self.counts.items()}
        one.slots = [self.slots[cell]]
        return one


def _widened(numbers: list[int], size: int) -> list[int]:
    return numbers + [0] * (size - len(numbers)) if len(numbers) < size else numbers


def _sums(rows: list[list[int]]) -> list[int]:
    return list(map(sum, zip(*rows, strict=True)))


def flat(numbers: memoryview) -> list[int]:
    """List the numbers of an array of any shape (int32 or int64)."""
    whole: Any = numbers.cast("B").cast("q" if numbers.itemsize == 8 else "i")  # noqa: PLR2004 - bytes
    listed: list[int] = whole.tolist()
    return listed


def column_of(sums: memoryview, column: int, channels: int) -> list[int]:
    """List one channel of sums (series, keys, channels)."""
    return flat(sums)[column::channels]
