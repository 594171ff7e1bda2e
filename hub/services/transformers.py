"""The transformers of a point by dated sets, as its supplier tells them, and what they multiply.

A transformer has its own dates; a set is what hangs at the point between two changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from hub.plugins.api import TransformerCard
from hub.services.cards import transformer_of
from hub.store.points import InstallationRow, PointRow

CURRENT, VOLTAGE = "current", "voltage"
PHASES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class TransformerSet:
    """What hangs at a point from a day to the day before ``to_on``; None: unknown, or still.

    ``current`` and ``voltage`` are by phase 1, 2, 3; a phase without one is None.
    """

    from_on: date | None
    to_on: date | None
    current: tuple[TransformerCard | None, ...]
    voltage: tuple[TransformerCard | None, ...]
    in_force: bool


@dataclass(frozen=True, slots=True)
class Transformers:
    """``sets``: the one in force first, then the others, newest first.

    The ratios are those that the hub multiplies with, since ``since``; None where no meter is
    installed that it knows.
    """

    sets: tuple[TransformerSet, ...]
    current_ratio: int | None
    voltage_ratio: int | None
    since: date | None


def transformers_of(
    row: PointRow, installed: InstallationRow | None, since: date | None, today: date
) -> Transformers:
    """Put what the supplier told of a point into sets; ``since``: of the ratios, a local day."""
    return Transformers(
        sets_of([transformer_of(card) for card in row.transformers], today),
        None if installed is None else installed.current_ratio,
        None if installed is None else installed.voltage_ratio,
        since,
    )


def sets_of(cards: Sequence[TransformerCard], today: date) -> tuple[TransformerSet, ...]:
    """Cut the time at each change; what hung nowhere in between is no set."""
    days = {card.from_on or date.min for card in cards}
    days |= {card.to_on for card in cards if card.to_on is not None}
    begins = sorted(days)
    found = []
    for begin, end in zip(begins, [*begins[1:], None][: len(begins)], strict=True):
        here = [card for card in cards if _hangs(card, begin)]
        if not here:
            continue
        in_force = begin <= today and (end is None or end > today)
        found.append(
            TransformerSet(
                None if begin == date.min else begin,
                end,
                _by_phase(here, CURRENT),
                _by_phase(here, VOLTAGE),
                in_force,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.in_force, each.from_on or date.min))[::-1])


def _hangs(card: TransformerCard, day: date) -> bool:
    return (card.from_on or date.min) <= day and (card.to_on is None or card.to_on > day)


def _by_phase(cards: Iterable[TransformerCard], kind: str) -> tuple[TransformerCard | None, ...]:
    """Give the transformer of each phase; of two told for one phase the newer."""
    by_phase = {
        card.phase: card
        for card in sorted(cards, key=lambda card: card.from_on or date.min)
        if card.kind == kind
    }
    return tuple(by_phase.get(phase) for phase in PHASES) if by_phase else ()
