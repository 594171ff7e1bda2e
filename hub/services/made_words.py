"""Notices that the hub made, in words, in the language of the moment: title and paragraphs.

They are kept as facts (``made_notices``), so each reader gets them in their own language, and the
time is the point's. What was missing, estimated or in doubt is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from hub.domain.clock import MeterTime
from hub.domain.meters import PHASE_LETTERS
from hub.domain.notices import Source
from hub.domain.rules import RuleKind
from hub.locale import N_, gettext, language, ngettext
from hub.services.pieces import DEFAULT_ZONE
from hub.services.sentences import (
    NO_TERMS,
    Happening,
    Terms,
    book_title,
    day_words,
    kind_title,
    sentence,
)
from hub.store.events import face_of

ZONE: Final = "zone"  # the point's, in which times are told
DETAIL: Final = "detail."  # begins the names of an event's own facts
Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Worded:
    """A notice in words. ``event_on``: the local day of its event, for the journal."""

    title: str
    paragraphs: tuple[str, ...]
    event_on: date | None = None


def word_made(
    source: str, kind: str, name: str, facts: Facts, terms: Mapping[str, Terms] | None = None
) -> Worded:
    """Word a notice of a point's ``name``; ``terms``: drivers' own words, by driver."""
    if source == Source.METER:
        return _of_event(kind, name, facts, terms or {})
    title, told = _RULES[RuleKind(kind)]
    numbers = {each: number(facts[each]) for each in ("limit", "value", "low", "high")
               if each in facts}  # fmt: skip
    paragraphs = (told(facts, numbers), *_quality(facts))
    return Worded(f"{title(facts, numbers)}: {name}", paragraphs)


# -- events ------------------------------------------------------------------------------------


def _of_event(kind: str, name: str, facts: Facts, terms: Mapping[str, Terms]) -> Worded:
    own = terms.get(facts.get("driver", ""), NO_TERMS)
    began, ended, face = _instant(facts, "began"), facts.get("ended"), face_of(facts["face"])
    over = None if ended is None else _instant(facts, "ended")
    happening = Happening(
        kind=kind,
        began=began,
        ended=over,
        lasted=None if over is None else over - began,
        shown=face.face if isinstance(face, MeterTime) else None,
        end_unknown="end_unknown" in facts,
        detail={
            name.removeprefix(DETAIL): value
            for name, value in facts.items()
            if name.startswith(DETAIL)
        },
        raw=bytes.fromhex(facts.get("raw", "")),
        book=book_title(facts.get("book", ""), own.books),
        faults=own.faults,
    )
    paragraphs = [f"{sentence(happening)}."]
    count = int(facts["count"])
    if count > 1:
        said = ngettext(
            "Within that hour it happened %(n)s time.",
            "Within that hour it happened %(n)s times.",
            count,
        )
        paragraphs.append(said % {"n": count})
    return Worded(f"{kind_title(kind)}: {name}", tuple(paragraphs), began.date())


# -- own rules ---------------------------------------------------------------------------------


def _day_title(_facts: Facts, numbers: Facts) -> str:
    return gettext("More than %(limit)s kWh a day") % numbers


def _day(facts: Facts, numbers: Facts) -> str:
    said = gettext(
        "On %(day)s %(value)s kWh were used by %(time)s. Your limit is %(limit)s kWh a day."
    )
    until = _instant(facts, "until")
    day = date.fromisoformat(facts["first"])
    time = f"{until:%H:%M}" if until.date() == day else "24:00"
    return said % {**numbers, "day": day_words(day, None), "time": time}


def _month_title(_facts: Facts, numbers: Facts) -> str:
    return gettext("More than %(limit)s kWh a month") % numbers


def _month(facts: Facts, numbers: Facts) -> str:
    said = gettext(
        "In %(month)s %(value)s kWh were used by %(moment)s. Your limit is %(limit)s kWh a month."
    )
    month = format_date(date.fromisoformat(facts["first"]), "LLLL y", locale=language.get())
    return said % {**numbers, "month": month, "moment": _moment(_instant(facts, "until"))}


def _power_title(_facts: Facts, numbers: Facts) -> str:
    return gettext("Power above %(limit)s kW") % numbers


def _power(facts: Facts, numbers: Facts) -> str:
    said = gettext(
        "On %(day)s from %(starts)s to %(ends)s the mean power was %(value)s kW. "
        "Your limit is %(limit)s kW."
    )
    starts, ends = _instant(facts, "starts"), _instant(facts, "ends")
    times = {"starts": f"{starts:%H:%M}", "ends": f"{ends:%H:%M}"}
    return said % {**numbers, **times, "day": day_words(starts, None)}


def _silence_title(facts: Facts, _numbers: Facts) -> str:
    hours = int(facts["limit"])
    return ngettext(
        "No data for more than %(n)s hour", "No data for more than %(n)s hours", hours
    ) % {"n": hours}


def _silence(facts: Facts, _numbers: Facts) -> str:
    said = gettext(
        "There are no data since %(moment)s. The meter is asked again and again by itself; what "
        "it has kept comes later."
    )
    return said % {"moment": _moment(_instant(facts, "last"))}


def _voltage_title(_facts: Facts, numbers: Facts) -> str:
    return gettext("Voltage outside %(low)s–%(high)s V") % numbers


def _voltage(facts: Facts, numbers: Facts) -> str:
    phases = [
        gettext("%(volts)s V in phase %(phase)s")
        % {"volts": number(facts[f"phase_{phase}"]), "phase": PHASE_LETTERS[phase - 1]}
        for phase in (1, 2, 3)
        if f"phase_{phase}" in facts
    ]
    said = gettext("On %(moment)s the meter showed %(phases)s. Your limits are %(low)s–%(high)s V.")
    return said % {
        **numbers,
        "moment": _moment(_instant(facts, "at")),
        "phases": ", ".join(phases),
    }


Say = Callable[[Facts, Facts], str]
_RULES: Final[Mapping[RuleKind, tuple[Say, Say]]] = {
    RuleKind.DAY_ENERGY: (_day_title, _day),
    RuleKind.MONTH_ENERGY: (_month_title, _month),
    RuleKind.POWER: (_power_title, _power),
    RuleKind.SILENCE: (_silence_title, _silence),
    RuleKind.VOLTAGE: (_voltage_title, _voltage),
}


def _quality(facts: Facts) -> list[str]:
    """Say how well the numbers are known, where they are not known well."""
    found = []
    for name in ("missing", "partial", "estimated", "manual"):
        count = int(facts.get(name, 0))
        if count:
            found.append(_MARKS[name](count) % {"n": count})
    if "doubt" in facts:
        found.append(gettext(_DOUBT))
    return found


_DOUBT = N_("The meter's registers do not agree with these half-hours; they are being checked.")
_MARKS: Final[Mapping[str, Callable[[int], str]]] = {
    "missing": lambda n: ngettext(
        "%(n)s half-hour has no value, so it may be even more.",
        "%(n)s half-hours have no value, so it may be even more.",
        n,
    ),
    "partial": lambda n: ngettext(
        "%(n)s half-hour is not whole, so it may be even more.",
        "%(n)s half-hours are not whole, so it may be even more.",
        n,
    ),
    "estimated": lambda n: ngettext(
        "%(n)s half-hour of these is estimated, not measured.",
        "%(n)s half-hours of these are estimated, not measured.",
        n,
    ),
    "manual": lambda n: ngettext(
        "%(n)s half-hour of these was entered by hand.",
        "%(n)s half-hours of these were entered by hand.",
        n,
    ),
}


# -- parts -------------------------------------------------------------------------------------


def number(text: str) -> str:
    """Write a number as the language does, with all its decimals."""
    return format_decimal(Decimal(text), locale=language.get(), decimal_quantization=False)


def _instant(facts: Facts, name: str) -> datetime:
    return datetime.fromisoformat(facts[name]).astimezone(ZoneInfo(facts.get(ZONE) or DEFAULT_ZONE))


def _moment(at: datetime) -> str:
    return f"{day_words(at, None)}, {at:%H:%M}"
