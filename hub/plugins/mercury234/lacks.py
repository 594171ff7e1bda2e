"""What a meter refused for good: remembered between visits, not asked for again."""

from collections.abc import Mapping, MutableMapping

LACKS = "lacks"  # its name among the habits


def lacking(habits: Mapping[str, str]) -> frozenset[str]:
    """Return what was refused: requests in hex, without the code 08."""
    return frozenset(habits.get(LACKS, "").split())


def note_lack(habits: MutableMapping[str, str], request: str) -> None:
    """Remember a refusal; the session has seen to it that it was said twice."""
    habits[LACKS] = " ".join(sorted(lacking(habits) | {request}))
