"""What of a contract's points waits for a person by a day: readings to send, a verification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.domain.calendar import local_day
from hub.plugins.api import PointFact
from hub.services.pieces import DEFAULT_ZONE
from hub.services.submissions import SubmissionForm
from hub.store.points import PointRow

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
    rows: Sequence[PointRow], forms: Mapping[int, SubmissionForm], now: datetime
) -> dict[int, Due]:
    """Give what waits, by point; points at which nothing does are left out.

    ``forms``: of the points that people read.
    """
    found = {}
    for row in rows:
        today = local_day(row.time_zone or DEFAULT_ZONE, now)
        verify_by = _day(row.facts.get(PointFact.NEXT_VERIFICATION_ON, ""))
        if verify_by is not None and verify_by > today + VERIFY_WITHIN:
            verify_by = None
        span = _open_window(forms[row.id]) if row.id in forms else None
        if span or verify_by:
            found[row.id] = Due(today, span, verify_by)
    return found


def _open_window(form: SubmissionForm) -> tuple[date, date] | None:
    """Give the window that is open, unless readings of it are known already."""
    if form.window is None or not (form.is_open and form.can_send):
        return None
    newest = max((each.taken_on for each in form.before.values()), default=date.min)
    return None if newest >= form.window[0] else form.window


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
