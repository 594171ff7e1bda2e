"""How readings that people send are worded wherever they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.domain.submitting import Face
from hub.services.submissions import BilledReading, SubmissionForm, SubmissionView
from hub.web.kit.error_words import WORDS
from hub.web.kit.formats import day, exact, moment, number, span
from hub.web.kit.i18n import N_, gettext, ngettext
from hub.web.kit.point_head import zone_label, zone_names, zone_number
from hub.web.kit.views import RegisterText

BASES = {
    "accepted": N_("accepted"),
    "average": N_("by the average"),
    "norm": N_("by the norm"),
}
# state of what was sent: label, colour, symbol
STATES = {
    "waiting": (N_("Waits to be sent"), "warn", "clock"),
    "sent": (N_("The supplier checks"), "info", "clock"),
    "accepted": (N_("Accepted"), "ok", "circle-check"),
    "refused": (N_("Not accepted"), "bad", "circle-x"),
    "uncertain": (N_("Not known whether it arrived"), "warn", "circle-alert"),
}


@dataclass(frozen=True, slots=True)
class Sending:
    """The state column of a point that people read.

    ``wanted``: readings are taken today and none were sent; ``live``: the state will change by
    itself, so the page asks again.
    """

    point_id: int
    label: str
    kind: str
    symbol: str
    about: str
    can_send: bool
    wanted: bool
    live: bool


def sending_of(form: SubmissionForm, now: datetime) -> Sending:
    """Say what became of what was sent, else when readings are taken."""
    current = form.current
    if current is None:
        label, kind, symbol, about = _window_tag(form)
    else:
        label, kind, symbol = state_tag(current.state)
        about = _about(form, current, now)
    return Sending(
        point_id=form.point_id,
        label=label,
        kind=kind,
        symbol=symbol,
        about=about,
        can_send=form.can_send,
        wanted=wants(form),
        live=current is not None and current.state in {"waiting", "sent", "uncertain"},
    )


def wants(form: SubmissionForm) -> bool:
    """Whether readings are taken today and none of this time were sent, or they were refused."""
    current = form.current
    sent = current is not None and current.state != "refused"
    return form.can_send and form.is_open and form.window is not None and not sent


def state_tag(state: str) -> tuple[str, str, str]:
    label, kind, symbol = STATES[state]
    return gettext(label), kind, symbol


def _about(form: SubmissionForm, current: SubmissionView, now: datetime) -> str:
    local_now = now.astimezone(ZoneInfo(form.time_zone))
    at = moment(current.created_at.astimezone(local_now.tzinfo), local_now)
    if current.state == "waiting":
        return gettext("kept %(moment)s, that day counts") % {"moment": at}
    if current.state == "refused":
        return current.reason or refusal_words(current.error_code)
    return gettext("sent %(moment)s") % {"moment": at}


def refusal_words(code: str) -> str:
    """Say why readings did not get to the supplier, where it has no words of its own."""
    known = WORDS.get(code)
    return gettext(known[0]) if known else gettext("The supplier gave no reason.")


def _window_tag(form: SubmissionForm) -> tuple[str, str, str, str]:
    if not form.can_send:
        return "", "", "", gettext("this supplier takes no readings here")
    if form.window is None:
        return "", "", "", gettext("readings are taken on any day")
    days = span(*form.window, form.today)
    if form.is_open:
        left = (form.window[1] - form.today).days + 1
        label = ngettext("%(num)s day left", "%(num)s days left", left) % {"num": left}
        return label, "warn", "clock", gettext("readings are taken on %(days)s") % {"days": days}
    return (
        gettext("Closed now"),
        "",
        "clock",
        gettext("readings are taken on %(days)s") % {"days": days},
    )


def window_words(form: SubmissionForm) -> str:
    """Say in a sentence when the supplier takes readings."""
    if form.window is None:
        return gettext("The supplier takes readings on any day.")
    first, last = form.window
    days = span(first, last, form.today)
    if not form.is_open:
        opens = day(first, form.today)
        return gettext("Not open now. Readings are taken on %(days)s: opens on %(day)s.") % {
            "days": days,
            "day": opens,
        }
    left = (last - form.today).days + 1
    words = ngettext(
        "Readings are taken on %(days)s. Today is %(day)s, %(num)s day is left.",
        "Readings are taken on %(days)s. Today is %(day)s, %(num)s days are left.",
        left,
    )
    return words % {"days": days, "day": day(form.today), "num": left}


# -- registers ---------------------------------------------------------------------------------


def shown(value: Decimal, digits: Face) -> str:
    """Write a reading with the decimals of its meter."""
    return exact(value) if digits.decimal_digits is None else number(value, digits.decimal_digits)


def newest_of(form: SubmissionForm) -> tuple[tuple[RegisterText, ...], date | None]:
    """Give the newest reading of each zone, and the day of the newest."""
    names = zone_names(zone_number(zone) for zone in form.zones)
    found = {zone: form.before[zone] for zone in form.zones if zone in form.before}
    registers = tuple(
        RegisterText(zone_label(zone, names), shown(each.value, form.face), zone_number(zone))
        for zone, each in found.items()
    )
    return registers, max((each.taken_on for each in found.values()), default=None)


def values_words(values: Mapping[str, Decimal], digits: Face) -> tuple[RegisterText, ...]:
    """Word readings of one day."""
    names = zone_names(zone_number(zone) for zone in values)
    return tuple(
        RegisterText(zone_label(zone, names), shown(value, digits), zone_number(zone))
        for zone, value in values.items()
    )


def basis_of(billed: tuple[BilledReading, ...], on: date | None) -> str:
    """Say how the supplier came to the readings of a day; '' where it does not bill by them."""
    bases = {each.basis for each in billed if each.taken_on == on}
    return gettext(BASES[bases.pop()]) if len(bases) == 1 and bases <= BASES.keys() else ""
