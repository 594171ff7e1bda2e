"""Readings of a point that people read, with what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hub.services.submissions import SubmissionForm, SubmissionView
from hub.store import told as kept
from hub.store.told import ReadingRow
from hub.store.unit import Unit

TOLD = "told"


@dataclass(frozen=True, slots=True)
class PastReading:
    """Readings of one day, by zone.

    ``state``: of a submission, or ``told`` where the supplier alone tells of it, then ``source``
    is who read the meter (ours, theirs, estimated) and ``basis`` how it came about. ``at``: when
    it was sent or told; ``reason``: of a refusal, in the supplier's words.
    """

    taken_on: date
    values: Mapping[str, Decimal]
    state: str
    at: datetime
    reason: str = ""
    error_code: str = ""
    basis: str = ""
    source: str = ""


def past_in(unit: Unit, form: SubmissionForm) -> tuple[PastReading, ...]:
    """List what was sent and what the supplier tells, newest first, each reading once."""
    told: dict[tuple[date, str, str], dict[str, ReadingRow]] = {}
    for row in kept.readings(unit, [form.point_id]):
        told.setdefault((row.taken_on, row.basis, row.source), {})[row.zone] = row
    found = [_sent(each) for each in form.sent]
    accepted = [each for each in found if each.state == "accepted"]
    for (taken_on, basis, source), rows in told.items():
        values = {zone: Decimal(row.value) for zone, row in rows.items()}
        if not any(each.taken_on == taken_on and each.values == values for each in accepted):
            at = max(row.told_at for row in rows.values())
            found.append(PastReading(taken_on, values, TOLD, at, basis=basis, source=source))
    return tuple(sorted(found, key=lambda each: (each.taken_on, each.at), reverse=True))


def _sent(view: SubmissionView) -> PastReading:
    return PastReading(
        taken_on=view.taken_on,
        values={zone: Decimal(value) for zone, value in view.values.items()},
        state=view.state,
        at=view.created_at,
        reason=view.reason,
        error_code=view.error_code,
    )
