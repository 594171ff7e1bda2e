"""Events in plain words, in the language of the moment: for pages, letters and the command line.

A sentence is plain text. Its numbers are computed: how long something lasted, by how much a clock
was moved. Times are whole seconds; they are of the point's zone (or of the meter's face, where
there is no zone), with the meter's clock beside where that differs by more than a minute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from babel import Locale

from hub.domain.clock import MeterTime
from hub.domain.events import KINDS, Group, Severity, kind_of
from hub.domain.journal import JournalEntry
from hub.domain.meters import PHASE_LETTERS
from hub.locale import N_, NBSP, gettext, language, ngettext

if TYPE_CHECKING:  # events are told of in these words themselves
    from hub.services.events import EventView

CLOCK_DIFFERS: Final = timedelta(minutes=1)
DAY: Final = 86_400

TITLES: Final[Mapping[str, str]] = {
    "power_lost": N_("Power lost"),
    "phase_voltage_lost": N_("No voltage at a phase"),
    "voltage_below_limit": N_("Voltage below limit"),
    "voltage_below_normal": N_("Voltage below normal"),
    "voltage_above_normal": N_("Voltage above normal"),
    "voltage_above_limit": N_("Voltage above limit"),
    "phase_current_lost": N_("No current in a phase"),
    "frequency_below_limit": N_("Frequency below limit"),
    "frequency_below_normal": N_("Frequency below normal"),
    "frequency_above_normal": N_("Frequency above normal"),
    "frequency_above_limit": N_("Frequency above limit"),
    "power_limit_exceeded": N_("Power limit exceeded"),
    "energy_limit_exceeded": N_("Energy limit exceeded"),
    "case_opened": N_("Case opened"),
    "terminal_cover_opened": N_("Terminal cover opened"),
    "magnetic_field": N_("Magnetic field"),
    "tariff_schedule_changed": N_("Tariff schedule changed"),
    "holidays_changed": N_("Holidays changed"),
    "profile_initialised": N_("Power profile started anew"),
    "power_limit_changed": N_("Power limit changed"),
    "energy_limit_changed": N_("Energy limits changed"),
    "loss_parameters_changed": N_("Loss parameters changed"),
    "maxima_schedule_changed": N_("Schedule of maxima changed"),
    "maxima_reset": N_("Maxima reset"),
    "energy_reset": N_("Energy registers reset"),
    "parameters_written": N_("Parameters written"),
    "self_test_changed": N_("Self-test changed"),
    "clock_corrected": N_("Clock moved"),
    "clock_drifted": N_("Clock off"),
    "clock_correction_refused": N_("Clock not corrected"),
    "journal_lost": N_("Entries lost"),
    "meter_replaced": N_("Meter replaced"),
}
UNKNOWN_TITLE: Final = N_("Unknown event")

SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.INFO: N_("Information"),
    Severity.WARNING: N_("Warning"),
    Severity.ALARM: N_("Alarm"),
}
GROUPS: Final[Mapping[Group, str]] = {
    Group.VOLTAGE: N_("Voltage"),
    Group.CURRENT: N_("Current"),
    Group.POWER: N_("Power supply and relay"),
    Group.PROGRAMMING: N_("Settings"),
    Group.TAMPERING: N_("External influence"),
    Group.COMMUNICATION: N_("Communication"),
    Group.ACCESS: N_("Access"),
    Group.SELF_TEST: N_("Self-test"),
    Group.QUALITY: N_("Power quality"),
    Group.CLOCK: N_("Clock"),
    Group.POWER_CONTROL: N_("Power limits"),
}

# What happened, to stand behind a time: "On 12 November at 14:03 <clause>".
_CLAUSES: Final[Mapping[str, str]] = {
    "power_lost": N_("the power was lost"),
    "phase_voltage_lost": N_("the voltage of phase %(phase)s was lost"),
    "voltage_below_limit": N_("the voltage of phase %(phase)s fell below the limit"),
    "voltage_below_normal": N_("the voltage of phase %(phase)s fell below normal"),
    "voltage_above_normal": N_("the voltage of phase %(phase)s rose above normal"),
    "voltage_above_limit": N_("the voltage of phase %(phase)s rose above the limit"),
    "phase_current_lost": N_("the current of phase %(phase)s ceased"),
    "frequency_below_limit": N_("the frequency fell below the limit"),
    "frequency_below_normal": N_("the frequency fell below normal"),
    "frequency_above_normal": N_("the frequency rose above normal"),
    "frequency_above_limit": N_("the frequency rose above the limit"),
    "power_limit_exceeded": N_("the power limit was exceeded"),
    "energy_limit_exceeded": N_("the energy limit of tariff %(tariff)s was exceeded"),
    "case_opened": N_("the meter's case was opened"),
    "terminal_cover_opened": N_("the terminal cover was opened"),
    "magnetic_field": N_("the meter was in a magnetic field"),
    "tariff_schedule_changed": N_("the tariff schedule was changed"),
    "holidays_changed": N_("the list of holidays was changed"),
    "profile_initialised": N_("the power profile was started anew"),
    "power_limit_changed": N_("the power limit was changed"),
    "energy_limit_changed": N_("the energy limits were changed"),
    "loss_parameters_changed": N_("the loss parameters were changed"),
    "maxima_schedule_changed": N_("the schedule of maxima was changed"),
    "maxima_reset": N_("the maxima of power were reset"),
    "energy_reset": N_("the energy registers were reset"),
}
_REFUSED: Final[Mapping[str, str]] = {
    "by_meter": N_("the meter refused"),
    "too_far": N_("that is more than can be corrected, it has to be set"),
}


class Terms(Protocol):
    """A driver's own words, message ids: what its journals and its self-test's codes are called."""

    @property
    def books(self) -> Mapping[str, str]: ...

    @property
    def faults(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Terms given apart; without any, books and codes are told by their numbers."""

    books: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


NO_TERMS: Final = Named()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What a sentence is made of.

    Args:
        began, ended: as they are to be shown, in the point's zone or on the meter's face.
        lasted: between the instants; None: there is no end, or it is not known.
        shown: what the meter's clock showed when it began; None: it is ``began``.
        end_unknown: it has ended, and nobody can tell when.
        book: the journal's title, in the language of the sentence.
        faults: what the codes of the self-test mean, message ids.

    """

    kind: str
    began: datetime
    ended: datetime | None = None
    lasted: timedelta | None = None
    shown: datetime | None = None
    end_unknown: bool = False
    detail: Mapping[str, str]
    raw: bytes = b""
    book: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)


def of_entry(entry: JournalEntry, terms: Terms = NO_TERMS) -> Happening:
    """Take an entry as it was read, on the meter's face; ``terms`` of its driver."""
    began, ended = face_of(entry.began), None if entry.ended is None else face_of(entry.ended)
    return Happening(
        kind=entry.kind,
        began=began,
        ended=ended,
        lasted=None if ended is None else ended - began,
        detail=entry.detail or {},
        raw=entry.raw,
        book=book_title(entry.book, terms.books),
        faults=terms.faults,
    )


def of_view(view: "EventView", terms: Terms = NO_TERMS) -> Happening:
    """Take a stored event, in its point's zone; ``terms`` of its meter's driver."""
    entry = view.entry
    return Happening(
        kind=entry.kind,
        began=view.began_local,
        ended=view.ended_local,
        lasted=None if view.ended_at is None else view.ended_at - view.began_at,
        shown=entry.began.face if isinstance(entry.began, MeterTime) else None,
        end_unknown=view.end_unknown,
        detail=entry.detail or {},
        raw=entry.raw,
        book=book_title(entry.book, terms.books),
        faults=terms.faults,
    )


def book_title(book: str, titles: Mapping[str, str]) -> str:
    """Return a journal's title in words; its number where the driver has none for it."""
    return gettext(titles[book]) if book in titles else book


def kind_title(kind: str) -> str:
    """Name a kind of event, for filters and headings."""
    return gettext(TITLES.get(kind, UNKNOWN_TITLE))


def face_of(when: MeterTime | datetime) -> datetime:
    """Return the time that is shown: a meter's face, or a supplier's instant."""
    return when.face if isinstance(when, MeterTime) else when


# -- sentences ---------------------------------------------------------------------------------


def sentence(event: Happening, today: date | None = None) -> str:
    """Say what happened, when, and for how long.

    With ``today`` the year is left out where it is this one. An event that the vocabulary has
    not is said by its raw name and facts.
    """
    said = clause(event, today)
    if event.kind == "journal_lost":
        return _capital(said)
    facts = {"day": day_words(event.began, today), "time": _minutes(event.began)}
    clock = _clock_beside(event)
    if event.kind == "parameters_written":  # known to the day
        when = gettext("On %(day)s")
    elif clock:
        when = gettext("On %(day)s at %(time)s (%(clock)s by the meter's clock)")
        facts["clock"] = clock
    else:
        when = gettext("On %(day)s at %(time)s")
    return _capital(f"{when % facts} {said}")


def headline(event: Happening, today: date | None = None) -> str:
    """Say what happened without its time, to stand beside it."""
    return _capital(clause(event, today))


def title(event: Happening, today: date | None = None) -> str:
    """Say what happened without its time and how long it lasted, to stand beside both."""
    if event.kind in _CLAUSES:
        return _capital(_bare(event))
    if event.kind == "clock_corrected":
        return _capital(_moved_by(event))
    return headline(event, today)


def _bare(event: Happening) -> str:
    facts = {name: _fact(event.detail, name) for name in KINDS[event.kind].fields}
    return gettext(_CLAUSES[event.kind]) % facts


def clause(event: Happening, today: date | None = None) -> str:
    """Say what happened, and for how long, in words that go on behind a time."""
    if event.kind == "journal_lost":
        return _lost(event, today)
    if event.kind in _CLAUSES:
        return _bare(event) + _tail(event, today)
    if event.kind in _SPECIAL:
        return _SPECIAL[event.kind](event)
    return _unknown(event)


def _tail(event: Happening, today: date | None) -> str:
    """Say how long it lasted, or that it goes on."""
    if not kind_of(event.kind).lasting:
        return ""
    if event.end_unknown:
        return gettext(", its end was not recorded")
    if event.ended is None or event.lasted is None:
        return gettext(", and it goes on")
    if event.lasted < timedelta():
        end = f"{day_words(event.ended, today)} {_minutes(event.ended)}"
        return gettext(", until %(end)s by a clock that was set back") % {"end": end}
    if event.lasted < timedelta(seconds=1):
        return gettext(", for less than a second")
    return gettext(", for %(duration)s") % {"duration": duration(event.lasted)}


def _moved_by(event: Happening) -> str:
    seconds = _number(event.detail, "shift_s")
    if seconds is None:
        return gettext("the meter's clock was moved")
    amount = {"amount": duration(timedelta(seconds=abs(seconds)))}
    if round(seconds) == 0:
        return gettext("the meter's clock was moved by less than a second")
    if seconds > 0:
        return gettext("the meter's clock was moved forward by %(amount)s") % amount
    return gettext("the meter's clock was moved back by %(amount)s") % amount


def _moved(event: Happening) -> str:
    said, times = _moved_by(event), moved_between(event)
    if times is None or _number(event.detail, "shift_s") is None:
        return said
    return said + gettext(", from %(before)s to %(after)s") % times


def moved_between(event: Happening) -> dict[str, str] | None:
    """Write what a clock showed before and after it was moved; None where that is not told."""
    before, after = _time(event.detail, "before"), _time(event.detail, "after")
    if before is None or after is None:
        return None
    same_day = before.date() == after.date()
    return {
        "before": _seconds(before) if same_day else f"{day_words(before, None)} {_seconds(before)}",
        "after": _seconds(after) if same_day else f"{day_words(after, None)} {_seconds(after)}",
    }


def _off(detail: Mapping[str, str]) -> str | None:
    """Say by how much the clock is off; None where that is not told."""
    seconds = _number(detail, "drift_s")
    if seconds is None:
        return None
    amount = {"amount": duration(timedelta(seconds=abs(seconds)))}
    if seconds < 0:
        return gettext("the meter's clock is %(amount)s slow") % amount
    return gettext("the meter's clock is %(amount)s fast") % amount


def _drifted(event: Happening) -> str:
    detail = event.detail
    said = _off(detail) or gettext("the meter's clock is off")
    threshold = _number(detail, "threshold_s")
    if threshold is None:
        return said
    limit = duration(timedelta(seconds=threshold))
    return said + gettext(", more than the allowed %(limit)s") % {"limit": limit}


def _not_corrected(event: Happening) -> str:
    detail = event.detail
    parts = [gettext("the clock was not corrected"), _off(detail)]
    reason = detail.get("reason", "")
    parts.append(gettext(_REFUSED[reason]) if reason in _REFUSED else reason)
    head, *rest = (part for part in parts if part)
    return f"{head}: {'; '.join(rest)}" if rest else head


def _written(event: Happening) -> str:
    detail = event.detail
    times = _number(detail, "times")
    if times is None:
        return gettext("parameters were written")
    said = ngettext(
        "parameters were written %(n)s time", "parameters were written %(n)s times", int(times)
    ) % {"n": int(times)}
    names = detail.get("parameters", "").split()
    if not names:
        return said
    return said + gettext(" (numbers %(names)s)") % {"names": ", ".join(names)}


def _self_test(event: Happening) -> str:
    def named(fact: str) -> str:
        codes = event.detail.get(fact, "").split()
        meanings = event.faults
        return ", ".join(
            f"{code} ({gettext(meanings[code])})" if code in meanings else code for code in codes
        )

    parts = [
        gettext(said) % {"names": names}
        for said, names in (
            (N_("appeared %(names)s"), named("appeared")),
            (N_("gone %(names)s"), named("gone")),
        )
        if names
    ]
    if not parts:
        names = named("faults")
        if not names:
            return gettext("the self-test found no faults")
        parts.append(gettext("faults %(names)s") % {"names": names})
    return gettext("the self-test changed: %(changes)s") % {"changes": "; ".join(parts)}


def _replaced(event: Happening) -> str:
    said = gettext("meter %(before)s was replaced by meter %(after)s")
    return said % {
        "before": _fact(event.detail, "serial_before"),
        "after": _fact(event.detail, "serial_after"),
    }


_SPECIAL: Final[Mapping[str, Callable[[Happening], str]]] = {
    "clock_corrected": _moved,
    "clock_drifted": _drifted,
    "clock_correction_refused": _not_corrected,
    "parameters_written": _written,
    "self_test_changed": _self_test,
    "meter_replaced": _replaced,
}


def _lost(event: Happening, today: date | None) -> str:
    until = event.ended or event.began
    facts = {"book": event.book, "before": f"{day_words(until, today)} {_minutes(until)}"}
    if "after" not in event.detail:
        return gettext("journal “%(book)s”: entries before %(before)s are lost") % facts
    facts["after"] = f"{day_words(event.began, today)} {_minutes(event.began)}"
    said = gettext("journal “%(book)s”: entries from %(after)s to %(before)s are lost")
    return said % facts


def _unknown(event: Happening) -> str:
    facts = [f"{name} {value}" for name, value in event.detail.items()]
    if event.raw:
        facts.append(event.raw.hex(" ").upper())
    kind = "" if event.kind == "unknown" else f" {event.kind}"
    where = {"book": event.book, "kind": kind}
    said = gettext("an unknown entry%(kind)s in journal “%(book)s”") % where
    return f"{said}: {', '.join(facts)}" if facts else said


# -- parts of sentences ------------------------------------------------------------------------


def duration(lasted: timedelta) -> str:
    """Write whole seconds, to stand behind 'for' and 'by': '5 minutes 12 seconds'.

    In the accusative, where a language has one.
    """
    seconds = round(lasted.total_seconds())
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [
        (days, ngettext("%(n)s day", "%(n)s days", days)),
        (hours, ngettext("%(n)s hour", "%(n)s hours", hours)),
        (minutes, ngettext("%(n)s minute", "%(n)s minutes", minutes)),
        (rest, ngettext("%(n)s second", "%(n)s seconds", rest)),
    ]
    return " ".join(text % {"n": n} for n, text in parts if n) or parts[-1][1] % {"n": 0}


@lru_cache(maxsize=4)
def _months(name: str) -> Mapping[int, str]:
    return dict(Locale.parse(name).months["format"]["wide"])


def day_words(at: date, today: date | None) -> str:
    """Write a day, '24 November'; with its year unless that is this one."""
    text = f"{at.day}{NBSP}{_months(language.get())[at.month]}"
    return text if today is not None and at.year == today.year else f"{text} {at.year}"


def _minutes(at: datetime) -> str:
    return f"{at:%H:%M}"


def _seconds(at: datetime) -> str:
    return f"{at:%H:%M:%S}"


def _clock_beside(event: Happening) -> str | None:
    """Return what the meter's clock showed, where it is another time by more than a minute."""
    if event.shown is None:
        return None
    began = event.began.replace(tzinfo=None)
    if abs(event.shown - began) <= CLOCK_DIFFERS:
        return None
    time = _minutes(event.shown)
    if event.shown.date() == began.date():
        return time
    return f"{day_words(event.shown, began.date())} {time}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fact(detail: Mapping[str, str], name: str) -> str:
    told = detail.get(name) or "?"
    return phase_letter(told) if name == "phase" else told


def phase_letter(number: str) -> str:
    """Name a phase by its letter; what is no phase stays as it is told."""
    return PHASE_LETTERS[int(number) - 1] if number in {"1", "2", "3"} else number


def _number(detail: Mapping[str, str], name: str) -> float | None:
    try:
        return float(detail[name])
    except (KeyError, ValueError):
        return None


def _time(detail: Mapping[str, str], name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(detail[name])
    except (KeyError, ValueError):
        return None
