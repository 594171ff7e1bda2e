"""Numbers, dates and spans as the pages write them.

Names and separators are Babel's; the assembling is ours, because a page with a day of half-hours
formats some hundreds of numbers. All datetimes are aware and already in the zone they are shown
in (the metering point's): a filter never moves a time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from babel import Locale

from hub.web.kit.i18n import NBSP, gettext, language, ngettext

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
UNKNOWN = DASH
KIBI, MEBI = 1024, 1024 * 1024

Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Words:
    """What Babel knows of one language, looked up once."""

    decimal: str
    group: str
    months: dict[int, str]
    months_short: dict[int, str]
    months_alone: dict[int, str]
    days_short: dict[int, str]
    days: dict[int, str]


@lru_cache(maxsize=4)
def words(name: str) -> Words:
    locale = Locale.parse(name)
    symbols = locale.number_symbols["latn"]
    days = locale.days["stand-alone" if name == "ru" else "format"]
    return Words(
        decimal=str(symbols["decimal"]),
        group=NBSP if name == "ru" else str(symbols["group"]),
        months=dict(locale.months["format"]["wide"]),
        months_short=_short(locale.months["format"]["wide"]),
        months_alone=dict(locale.months["stand-alone"]["wide"]),
        days_short=dict(days["abbreviated"]),
        days=dict(days["wide"]),
    )


LETTERS = 3


def _short(months: Mapping[int, str]) -> dict[int, str]:
    """Cut to three letters, all months alike (Babel's ru has «нояб.» beside «окт.»)."""
    return {
        at: f"{name[:LETTERS]}." if len(name) > LETTERS + 1 else name for at, name in months.items()
    }


def _words() -> Words:
    return words(language.get())


# -- numbers -----------------------------------------------------------------------------------


_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(10))


def number(value: Number | None, decimals: int = 0) -> str:
    """``3 124,02``; an unknown value is a dash, never a zero."""
    if value is None:
        return UNKNOWN
    if isinstance(value, Decimal):
        step = _STEPS[decimals] if decimals < len(_STEPS) else Decimal(1).scaleb(-decimals)
        value = value.quantize(step, ROUND_HALF_UP)
    text = f"{value:,.{decimals}f}"
    if text[0] == "-":
        text = MINUS + text[1:] if text.strip("-0.,") else text[1:]
    known = _words()
    return text.replace(",", known.group).replace(".", known.decimal)


def signed(value: Number, decimals: int = 0) -> str:
    text = number(value, decimals)
    return f"+{text}" if value > 0 else text


FEW_DECIMALS_FROM = 100


def energy_card(kwh: Number | None) -> str:
    """Energy on a card: whole from 100 kWh, one decimal below."""
    whole = kwh is not None and not -FEW_DECIMALS_FROM < kwh < FEW_DECIMALS_FROM
    return number(kwh, 0 if whole else 1)


KILO = 1000


def kilowatts(watts: Decimal | None) -> str:
    """Write a power of watts as large figures have it, without its unit: ``28,9``, ``0,32``."""
    if watts is None:
        return UNKNOWN
    return number(watts / KILO, 1 if abs(watts) >= KILO else 2)


def energy_total(kwh: Number | None) -> str:
    return number(kwh, 1)


def energy_row(kwh: Number | None) -> str:
    return number(kwh, 2)


def exact(value: Decimal | None) -> str:
    """All stored decimals, as the meter's face has them."""
    if value is None:
        return UNKNOWN
    exponent = value.as_tuple().exponent
    return number(value, max(0, -exponent) if isinstance(exponent, int) else 0)


def face(value: Decimal | None) -> str:
    """Write a register in running text: decimals kept, no grouping (``3124,027``)."""
    return exact(value).replace(NBSP, "").replace(_words().group, "")


def money(kopecks: int | None) -> str:
    if kopecks is None:
        return UNKNOWN
    return f"{number(Decimal(kopecks) / 100, 2)}{NBSP}₽"


def percent(part: int, whole: int) -> str:
    """Completeness, rounded down to a tenth: 100 only if all are there."""
    if whole <= 0:
        return UNKNOWN
    share = (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_FLOOR)
    return of_hundred(number(share, 0 if share == share.to_integral_value() else 1))


def share(part: Number, whole: Number) -> str:
    """Write a zone's part of a total, in whole percent."""
    if not whole:
        return UNKNOWN
    return of_hundred(number(Decimal(str(part)) * 100 / Decimal(str(whole)), 0))


def of_hundred(text: str) -> str:
    """Put the sign after a space in Russian and right after the number in English."""
    return f"{text}{NBSP if language.get() == 'ru' else ''}%"


def serial(text: str | None) -> str:
    """Write a serial number in groups of three from the right, for reading; digits only."""
    if not text:
        return UNKNOWN
    if not text.isdigit():
        return text
    head = len(text) % 3
    groups = ([text[:head]] if head else []) + [
        text[at : at + 3] for at in range(head, len(text), 3)
    ]
    return NBSP.join(groups)


# -- dates -------------------------------------------------------------------------------------


def clock(value: datetime) -> str:
    return f"{value.hour:02}:{value.minute:02}"


def day(value: date, today: date | None = None) -> str:
    """``23 ноября``, with the year unless it is this one."""
    text = f"{value.day}{NBSP}{_words().months[value.month]}"
    return text if today is None or value.year == today.year else f"{text} {value.year}"


def day_short(value: date) -> str:
    return f"{value.day}{NBSP}{_words().months_short[value.month]}"


def month_short(value: date) -> str:
    return _words().months_short[value.month]


def day_num(value: date | None) -> str:
    return UNKNOWN if value is None else f"{value.day:02}.{value.month:02}.{value.year:04}"


def moment_num(value: datetime | None) -> str:
    return UNKNOWN if value is None else f"{day_num(value)} {clock(value)}"


def weekday(value: date) -> str:
    return _words().days_short[value.weekday()]


def weekday_whole(value: date) -> str:
    """``понедельник``, where there is room."""
    return _words().days[value.weekday()]


def month(value: date, today: date | None = None) -> str:
    """Name the month alone: ``ноябрь``, with the year unless it is this one."""
    name = _words().months_alone[value.month]
    return name if today is None or value.year == today.year else f"{name} {value.year}"


def moment(value: datetime | None, now: datetime) -> str:
    """``сегодня в 09:32``, ``вчера в …``, ``21 ноября в 06:30``."""
    if value is None:
        return UNKNOWN
    ago = (now.date() - value.date()).days
    if ago == 0:
        return gettext("today at %(time)s") % {"time": clock(value)}
    if ago == 1:
        return gettext("yesterday at %(time)s") % {"time": clock(value)}
    return gettext("%(day)s at %(time)s") % {"day": day(value, now.date()), "time": clock(value)}


def since(value: datetime, now: datetime) -> str:
    """Write what follows «с»: ``09:32`` of today, else ``21 ноября, 06:30``."""
    if value.date() == now.date():
        return clock(value)
    return f"{day(value, now.date())}, {clock(value)}"


def span(first: date, last: date, today: date | None = None) -> str:
    """Days from first to last, both included: ``18-20 ноября`` with an en dash."""
    year = "" if today is None or last.year == today.year else f" {last.year}"
    if first == last:
        return day(first, today)
    months = _words().months
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{DASH}{last.day}{NBSP}{months[last.month]}{year}"
    first_year = f" {first.year}" if first.year != last.year else ""
    return f"{day(first)}{first_year} {DASH} {day(last)}{year}"


def interval(start: datetime, end: datetime) -> str:
    """``10:30-11:00``; the end of the day is 24:00 where it closes an interval."""
    closing = "24:00" if clock(end) == "00:00" else clock(end)
    return f"{clock(start)}{DASH}{closing}"


def day_interval(start: datetime, end: datetime) -> str:
    return f"{day(start)}, {interval(start, end)}"


def duration(value: timedelta) -> str:
    """Write the two largest units: ``10 ч 22 мин``."""
    seconds = int(value.total_seconds())
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [
        (days, ngettext("%(n)s day", "%(n)s days", days)),
        (hours, gettext("%(n)s h")),
        (minutes, gettext("%(n)s min")),
        (seconds, gettext("%(n)s s")),
    ]
    shown: list[str] = []
    for at, (count, _text) in enumerate(parts):
        if count:
            shown = [text % {"n": n} for n, text in parts[at : at + 2] if n]
            break
    return " ".join(shown) or gettext("%(n)s s") % {"n": 0}


def phone(text: str) -> str:
    """``+7 900 000-00-14``; a number of another shape stays as it was typed."""
    found = re.fullmatch(r"\+7(\d{3})(\d{3})(\d\d)(\d\d)", text)
    return f"+7{NBSP}{found[1]}{NBSP}{found[2]}-{found[3]}-{found[4]}" if found else text


def file_size(count: int) -> str:
    """Write bytes as people do: ``180 КБ``, ``2,1 МБ``."""
    if count < MEBI:
        return gettext("%(n)s KB") % {"n": number(max(1, round(count / KIBI)))}
    return gettext("%(n)s MB") % {"n": number(Decimal(count) / MEBI, 1)}


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "signed": signed,
    "of_hundred": of_hundred,
    "energy_card": energy_card,
    "energy_total": energy_total,
    "energy_row": energy_row,
    "exact": exact,
    "face": face,
    "money": money,
    "serial": serial,
    "clock": clock,
    "day": day,
    "day_short": day_short,
    "day_num": day_num,
    "moment_num": moment_num,
    "weekday": weekday,
    "weekday_whole": weekday_whole,
    "monthname": month,
    "moment": moment,
    "since": since,
    "duration": duration,
    "phone": phone,
    "file_size": file_size,
}
GLOBALS: dict[str, Callable[..., Any]] = {
    "span": span,
    "interval": interval,
    "day_interval": day_interval,
    "percent": percent,
    "share": share,
}
