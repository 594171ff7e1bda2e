"""What of a contract's points waits for a person by a day: readings to send, a verification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.domain.calendar import local_day
from hub.domain.submitting import Window
from hub.plugins.api import PointFact
from hub.services.pieces import DEFAULT_ZONE
from hub.services.submissions import BilledReading
from hub.store import told as kept
from hub.store.points import PointRow
from hub.store.unit import Unit

VERIFY_WITHIN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Due:
    """What waits at a point, on its own ``today``.

    ``readings``: the days of the window that is open now, in which nothing was sent yet.
    ``verify_by``: within 90 days, or over.
    """

    today: date
    readings: tuple[date, date] | None = None
    verify_by: date | None = None


def due_in(
    unit: Unit,
    contract_id: int,
    rows: Sequence[PointRow],
    billed: Mapping[int, Sequence[BilledReading]],
    now: datetime,
    *,
    takes: bool,
) -> dict[int, Due]:
    """Give what waits, by point; points at which nothing does are left out.

    ``billed``: the readings that the supplier has; ``takes``: it takes readings of consumers.
    """
    windows = _windows(unit, contract_id) if takes else {}
    sent = {point: max(each.taken_on for each in readings) for point, readings in billed.items()}
    for each in kept.submissions(unit, list(windows)) if windows else ():
        if each.state != "refused":
            newest = sent.get(each.contract_point_id, each.taken_on)
            sent[each.contract_point_id] = max(newest, each.taken_on)
    found = {}
    for row in rows:
        today = local_day(row.time_zone or DEFAULT_ZONE, now)
        window = windows.get(row.id, Window())
        span = window.span(today) if window.is_open(today) else None
        if span is not None and sent.get(row.id, date.min) >= span[0]:
            span = None
        verify_by = _day(row.facts.get(PointFact.NEXT_VERIFICATION_ON, ""))
        if verify_by is not None and verify_by > today + VERIFY_WITHIN:
            verify_by = None
        if span or verify_by:
            found[row.id] = Due(today, span, verify_by)
    return found


def _windows(unit: Unit, contract_id: int) -> dict[int, Window]:
    """Give the days on which the supplier takes the readings of each point that people read."""
    return {
        point.id or 0: Window(point.submit_from_day, point.submit_to_day)
        for point in kept.read_by_people(unit, contract_id)
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
