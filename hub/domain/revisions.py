"""What happens to a stored value when another one comes: fill, keep or revise.

Ranks: measured > partial > manual > estimated > no value. A lower rank never replaces a higher
one; the same value again changes nothing; filling a slot without value is no revision.
"""

from collections.abc import Sequence
from enum import Enum, auto

from hub.domain.series import ESTIMATED, MANUAL, NO_VALUE, PARTIAL, REJECTED


class Decision(Enum):
    """What to do with what has come."""

    KEEP = auto()
    FILL = auto()
    REVISE = auto()


def rank(flags: int) -> int:
    """Rank a value by its worst flag."""
    if flags & NO_VALUE:
        return 0
    if flags & ESTIMATED:
        return 1
    if flags & MANUAL:
        return 2
    if flags & PARTIAL:
        return 3
    return 4


def decide(
    old_counts: Sequence[int], old_flags: int, counts: Sequence[int], flags: int
) -> Decision:
    """Say whether a value that has come changes the stored one.

    A rejected value stays rejected while the same value comes again; another one replaces it.
    """
    if rank(flags) < rank(old_flags) or flags & NO_VALUE:
        return Decision.KEEP
    if old_flags & NO_VALUE:
        return Decision.FILL
    same = tuple(old_counts) == tuple(counts) and old_flags & ~REJECTED == flags & ~REJECTED
    return Decision.KEEP if same else Decision.REVISE
