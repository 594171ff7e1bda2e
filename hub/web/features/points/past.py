"""Readings of a meter that people read, with what became of each."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.services.past_readings import TOLD, PastReading
from hub.services.submissions import SubmissionForm
from hub.web.features.points.views import PastRow, PastView
from hub.web.kit.formats import moment
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import unit_words
from hub.web.kit.sending import (
    BASES,
    refusal_words,
    sending_of,
    state_tag,
    values_words,
    window_words,
)

READ_BY = {
    "ours": N_("sent by you"),
    "theirs": N_("read by the supplier"),
    "estimated": N_("estimated by the supplier"),
}


def past_view(form: SubmissionForm, past: Sequence[PastReading], now: datetime) -> PastView:
    """Word the readings that people sent or the supplier told, with what became of each."""
    zone = ZoneInfo(form.time_zone)
    rows = []
    for each in past:
        if each.state == TOLD:
            tag = gettext(BASES.get(each.basis, N_("told by the supplier"))), "", "check"
            by = gettext(READ_BY.get(each.source, READ_BY["theirs"]))
        else:
            tag = state_tag(each.state)
            by = gettext("sent by you %(moment)s") % {
                "moment": moment(each.at.astimezone(zone), now.astimezone(zone))
            }
        refused = each.state == "refused"
        rows.append(
            PastRow(
                taken_on=each.taken_on,
                values=values_words(each.values, form.face),
                tag=tag,
                by=by,
                reason=(each.reason or refusal_words(each.error_code)) if refused else "",
            )
        )
    sending = sending_of(form, now)
    return PastView(tuple(rows), unit_words(form.unit), sending, window_words(form))
