"""An event as a row of the page: its title, what it means, when, how long, what the meter wrote."""

from datetime import date, timedelta

from hub.domain.clock import MeterTime
from hub.domain.events import Severity
from hub.services.events import EventView
from hub.services.sentences import Happening, Terms, moved_between, of_view, title
from hub.web.features.journal.topics import TOPICS, topic_of
from hub.web.features.journal.views import EventRow
from hub.web.kit.formats import clock, day_short, duration
from hub.web.kit.i18n import N_, NBSP, gettext

MOODS = {Severity.INFO: "info", Severity.WARNING: "warn", Severity.ALARM: "bad"}
GRAVE = {Severity.WARNING: N_("Warning:"), Severity.ALARM: N_("Alarm:")}
SYMBOLS = {
    "voltage_below_limit": "trending-down",
    "voltage_below_normal": "trending-down",
    "voltage_above_normal": "trending-up",
    "voltage_above_limit": "trending-up",
    "phase_voltage_lost": "unplug",
}
_NOT_ASKED = N_("If you have not called for a technician, tell the supplier.")
_KEEPS_ON = N_("If it happens often, tell the supplier.")
# What an event means to a consumer, and what can be done.
NOTES = {
    "power_lost": N_("The meter had no power; half-hours of that time are not whole."),
    "phase_voltage_lost": N_("One phase had no voltage; the others went on."),
    "phase_current_lost": N_("Nothing was drawn through this phase."),
    "voltage_below_limit": _KEEPS_ON,
    "voltage_above_limit": N_("Devices may be harmed. If it happens often, tell the supplier."),
    "voltage_below_normal": _KEEPS_ON,
    "voltage_above_normal": _KEEPS_ON,
    "case_opened": _NOT_ASKED,
    "terminal_cover_opened": _NOT_ASKED,
    "magnetic_field": N_(
        "A strong magnet was near the meter. If it was not you, tell the supplier."
    ),
    "power_limit_exceeded": N_("More was drawn than the limit that is set in the meter."),
    "journal_lost": N_("The meter keeps few entries and wrote over them before they were read."),
}


def event_row(event: EventView, terms: Terms, today: date, report: str | None) -> EventRow:
    """Word an event; ``report`` is the address that tells the supplier of it."""
    happening = of_view(event, terms)
    _, symbol = TOPICS[topic_of(event.kind)]
    aside = ""
    if event.clock_differs:
        aside = gettext("by the meter's clock: %(time)s") % {"time": _face(event)}
    grave = GRAVE.get(event.severity)
    return EventRow(
        id=event.id,
        symbol=SYMBOLS.get(event.kind, symbol),
        mood=MOODS[event.severity],
        grave=gettext(grave) if grave else "",
        title=title(happening, today),
        note=_note(happening),
        when=_when(event),
        lasted=_lasted(event),
        aside=aside,
        details=_details(event, happening),
        report=report,
    )


def _note(event: Happening) -> str:
    parts = []
    if event.kind == "clock_corrected":
        times = moved_between(event)
        if times is not None:
            parts.append(gettext("It was %(before)s and became %(after)s.") % times)
    if event.kind in NOTES:
        parts.append(gettext(NOTES[event.kind]))
    if event.end_unknown:
        parts.append(gettext("Its end was not recorded."))
    return " ".join(parts)


def _when(event: EventView) -> str:
    """Say from when to when, next to the day that stands above."""
    began, ended = event.began_local, event.ended_local
    if event.kind == "parameters_written":
        return ""
    if event.open:
        return gettext("since %(time)s") % {"time": clock(began)}
    if ended is None or ended <= began:
        return clock(began)
    if ended.date() == began.date():
        return f"{clock(began)}–{clock(ended)}"
    return f"{clock(began)} – {day_short(ended.date())}, {clock(ended)}"


def _lasted(event: EventView) -> str:
    if event.open:
        return gettext("goes on")
    if event.ended_at is None or event.kind == "journal_lost":
        return ""
    lasted = event.ended_at - event.began_at
    return duration(lasted) if lasted > timedelta(0) else ""


def _details(event: EventView, happening: Happening) -> list[tuple[str, str]]:
    """Give what the meter wrote, as it wrote it."""
    if event.source != "meter":
        return []
    rows = [
        (gettext("Journal"), f"{happening.book} ({event.entry.book})"),
        (gettext("Meter"), f"№{NBSP}{event.serial}"),
        (gettext("By the meter's clock"), _face(event)),
    ]
    if happening.raw:
        rows.append((gettext("Bytes"), happening.raw.hex(" ").upper()))
    return rows


def _face(event: EventView) -> str:
    began, ended = event.entry.began, event.entry.ended
    texts = [
        f"{each.face if isinstance(each, MeterTime) else each:%d.%m.%Y %H:%M:%S}"
        for each in (began, ended)
        if each is not None
    ]
    return " – ".join(texts)
