"""What is due: a pure function of the meters' and lines' states and the time."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.errors import BadLine
from hub.services.lines import Due, LineRow, StateRow
from hub.wire.address import LineAddress, parse_line

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AFTER_THE_SLOT = timedelta(seconds=20)  # a meter needs a moment to write the slot that ended
SPREAD_S = 60  # visits of different meters start within this time


@dataclass(frozen=True, slots=True)
class LineWork:
    """The meters of one line that are due: those that a person waits for, then the longest due.

    ``glances``: those whose values of now an open page waits for, due or not.
    """

    line: LineRow
    meters: tuple[StateRow, ...]
    glances: tuple[StateRow, ...] = ()


def plan(due: Due, *, reach: Collection[str] = ()) -> list[LineWork]:
    """Choose the lines to work on now.

    A line that is down waits for its next try, unless a person waits for one of its meters. A line
    with a ``reach`` tag (a port of one machine) is left to collectors that announce the tag.
    """
    by_line: dict[int, list[StateRow]] = {}
    for state in due.states:
        if state.urgent_at or (not state.stopped and state.due_at <= due.now):
            by_line.setdefault(state.line_id, []).append(state)
    glances: dict[int, list[StateRow]] = {}
    for state in due.glances:
        glances.setdefault(state.line_id, []).append(state)
    return [
        LineWork(
            line,
            tuple(sorted(by_line.get(line.id, ()), key=lambda state: state.urgent_at is None)),
            tuple(glances.get(line.id, ())),
        )
        for line in due.lines
        if (line.id in by_line or line.id in glances)
        and (not line.reach or line.reach in reach)
        and (
            line.next_try_at is None
            or line.next_try_at <= due.now
            or any(state.urgent_at for state in by_line.get(line.id, ()))
        )
    ]


def called_lines(due: Due, *, reach: Collection[str] = ()) -> list[LineAddress]:
    """List the lines within reach whose gateways call us; one that is written wrongly is left out.

    All of them, due or not: a gateway that calls keeps its connection until it is needed.
    """
    found = []
    for line in due.lines:
        if line.address.startswith("listen:") and (not line.reach or line.reach in reach):
            with suppress(BadLine):
                found.append(parse_line(line.address))
    return found


def next_visit(now: datetime, every_minutes: int, meter_id: int) -> datetime:
    """Return when a meter is due again: soon after the next period has ended, spread by meter."""
    every = timedelta(minutes=max(every_minutes, 1))
    # Knuth's multiplier scatters neighbouring ids over the spread.
    spread = timedelta(seconds=meter_id * 2654435761 % 2**32 % SPREAD_S)
    offset = min(AFTER_THE_SLOT + spread, every / 2)
    periods = (now - EPOCH - offset) // every + 1
    return EPOCH + periods * every + offset


def rest_s(due: Due, *, longest_s: float) -> float:
    """Return how long there is nothing new to do, in seconds."""
    if due.next_at is None:
        return longest_s
    return min(max((due.next_at - due.now).total_seconds(), 0.05), longest_s)
