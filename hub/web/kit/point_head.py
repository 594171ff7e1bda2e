"""What the pages of points share: state, head, zones, and history that is still being read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from hub.errors import Missing
from hub.services.points import Connection, Contact, PointCard
from hub.services.registers import LatestReadings
from hub.services.usage import ELECTRICITY
from hub.web.kit.formats import MINUS, clock, kilowatts, number
from hub.web.kit.i18n import N_, gettext, language
from hub.web.kit.views import Choice, Growing, PointHead, RegisterText

NOT_SILENT_BEFORE = timedelta(hours=1)
TRIES_BEFORE_SILENT = 3  # of a meter that has never answered
STILL_NOW = timedelta(minutes=1)
LARGEST_ID = 2**63 - 1
DUE_DAYS = 90  # before a verification ends it is said
READING_ORDER = (1, 3, 2, 4)
NAMES = {
    frozenset({1, 2}): {1: N_("day"), 2: N_("night")},
    frozenset({1, 2, 3}): {1: N_("peak"), 2: N_("night"), 3: N_("half-peak")},
}
RESOURCES = {
    "electricity": N_("Electricity"),
    "water": N_("Water"),
    "gas": N_("Gas"),
    "heat": N_("Heat"),
    "other": N_("Other"),
}
SYMBOLS = {"electricity": "zap", "water": "droplet", "gas": "flame", "heat": "thermometer"}
UNITS = {"kWh": N_("kWh"), "m3": N_("m³"), "Gcal": N_("Gcal")}


def symbol_of(resource: str) -> str:
    """Name the icon of a resource."""
    return SYMBOLS.get(resource, "gauge")


def unit_words(unit: str) -> str:
    return gettext(UNITS.get(unit, unit))


def zone_label(zone: str, names: Mapping[int, str]) -> str:
    """Write a zone as bills do, «T1 день»; the register of a meter without zones is its total."""
    return f"{zone} {names.get(zone_number(zone), '')}".strip() if zone else gettext("Total")


def known_id(number: int) -> int:
    """Refuse a number that no row can have; Missing, as for any that is not there."""
    if number > LARGEST_ID:
        raise Missing
    return number


def local(instant: datetime | None, time_zone: str) -> datetime | None:
    """Put an instant on the clock of the point."""
    return None if instant is None else instant.astimezone(ZoneInfo(time_zone))


def told_day(text: str | None) -> date | None:
    """Read a day that a supplier told; what is no day is as good as unknown."""
    try:
        return date.fromisoformat(text.strip()) if text else None
    except ValueError:
        return None


def zone_number(name: str) -> int:
    """Give 1 to 4 for T1 to T4; any other is 0 and is drawn without a zone's colour."""
    return int(name[1]) if len(name) == 2 and name[0] == "T" and name[1] in "1234" else 0  # noqa: PLR2004


def zone_names(numbers: Iterable[int]) -> dict[int, str]:
    """Name zones as bills do; nothing for a set of zones that has no usual names."""
    numbers = [each for each in numbers if each]
    names = NAMES.get(frozenset(numbers), {})
    return {each: gettext(names[each]) if each in names else "" for each in numbers}


def in_reading_order(numbers: Iterable[int]) -> list[int]:
    """Order zones as they are read: T1, T3, T2, T4."""
    found = set(numbers)
    return [each for each in READING_ORDER if each in found]


def state_of(card: PointCard, now: datetime) -> str:
    """Say online, waiting, reading, silent, told (by the supplier, no meter here) or manual.

    A meter that failed just now is not silent yet, nor one that never answered until it was tried
    a few times; reading: its first visit is not over.
    """
    if not card.smart:
        return "manual"
    connection = card.connection
    if connection.contact is Contact.NONE and card.joined:
        return "told"
    failing = connection.contact in {Contact.FAILING, Contact.LINE_DOWN, Contact.STOPPED}
    if connection.seen_at is None:
        if failing and connection.failures >= TRIES_BEFORE_SILENT:
            return "silent"
        begun = card.latest is not None or connection.history_to is not None
        return "reading" if begun and connection.contact is Contact.WAITING else "waiting"
    if failing and now - connection.seen_at > NOT_SILENT_BEFORE:
        return "silent"
    return "online"


def zones_of(latest: LatestReadings) -> dict[int, Decimal]:
    """Give the registers by zone; where T1 is the only one it is the total, 0."""
    found = {zone_number(each.tariff.label): each.value for each in latest.readings}
    return {0: found[1]} if found.keys() - {0} == {1} else found


def registers_of(latest: LatestReadings | None, decimals: int | None) -> tuple[RegisterText, ...]:
    """Word the registers of the meter's face, in reading order; the total only if it is alone."""
    if latest is None:
        return ()
    by_zone = zones_of(latest)
    decimals = 2 if decimals is None else decimals
    return tuple(
        [
            RegisterText(label, number(by_zone[zone], decimals), zone)
            for zone, label in _labels(tuple(by_zone), language.get())
        ]
    )


@lru_cache(256)
def _labels(zones: tuple[int, ...], _language: str) -> tuple[tuple[int, str], ...]:
    """Order registers as they are read, each with its words: «T1 пик»."""
    order = in_reading_order(zones)
    names = zone_names(order)
    return tuple(
        (zone, f"T{zone} {names.get(zone, '')}".strip() if zone else gettext("Total"))
        for zone in order or zones
    )


def head_of(card: PointCard, now: datetime, tab: str) -> PointHead:
    """Make the head of a point's page; ``tab`` is the last part of its address, or info."""
    here, state = f"/points/{card.id}", state_of(card, now)
    seen_at = card.connection.silent_since if state == "silent" else card.connection.seen_at
    tabs = [Choice(gettext("General information"), here, tab == "info")]
    if card.smart:
        tabs += [
            Choice(gettext("Readings"), f"{here}/readings", tab == "readings"),
            Choice(gettext("Load profile"), f"{here}/profile", tab == "profile"),
            Choice(gettext("Event journals"), f"{here}/journal", tab == "journal"),
            Choice(
                gettext("Current and voltage transformers"),
                f"{here}/transformers",
                tab == "transformers",
            ),
        ]
    return PointHead(
        id=card.id,
        name=card.name,
        list_href=f"/contracts/{card.contract_id}/points",
        model=card.model or None,
        serial=card.serial or None,
        ratio=None if card.ratio == 1 else f"×{card.ratio}",
        state=state,
        last_at=local(seen_at, card.time_zone),
        never=state == "silent" and card.connection.seen_at is None,
        now=now.astimezone(ZoneInfo(card.time_zone)),
        tabs=tuple(tabs),
        power=_power_words(card, now),
        rule_href=f"/account/rules/new?point={card.id}" if _has_rules(card) else "",
    )


def _has_rules(card: PointCard) -> bool:
    return card.smart and card.joined and card.resource == ELECTRICITY


def _power_words(card: PointCard, now: datetime) -> str:
    """Say the power of now; one that was read a while ago has its time."""
    if card.power is None:
        return ""
    facts = {"power": kilowatts(card.power.watts)}
    if now - card.power.at <= STILL_NOW:
        return gettext("Now %(power)s kW") % facts
    if now - card.power.at > NOT_SILENT_BEFORE:
        return gettext("Live values")
    at = card.power.at.astimezone(ZoneInfo(card.time_zone))
    return gettext("%(power)s kW at %(time)s") % {**facts, "time": clock(at)}


def time_words(card: PointCard, now: datetime) -> str:
    """Say whose time a page shows."""
    offset = now.astimezone(ZoneInfo(card.time_zone)).utcoffset() or timedelta(0)
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = MINUS if offset < timedelta(0) else "+"
    text = f"{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
    return gettext("Local time, UTC%(offset)s.") % {"offset": text}


def is_growing(connection: Connection) -> bool:
    """Say whether the meter's history is being read, and not waiting for a cure."""
    return not connection.history_done and connection.contact in {Contact.WAITING, Contact.OK}


def growing_of(cards: Sequence[PointCard], now: datetime, href: str) -> Growing | None:
    """Tell of the history that is still being read, by the point that is farthest behind.

    ``href`` is of the page; the strip asks for it with what it shows already, and the answer
    says whether there is more.
    """
    behind: tuple[int, int] | None = None
    for card in cards:
        connection = card.connection
        if not (card.smart and card.joined and is_growing(connection)):
            continue
        first, last = connection.history_from, connection.history_to
        days = of_days = 0
        if first is not None and last is not None:
            of_days = (now - first).days + 1
            days = connection.days_held or min((last - first).days + 1, of_days)
        if behind is None or days < behind[0]:
            behind = (days, max(of_days, days + 1))
    if behind is None:
        return None
    mark = "&" if "?" in href else "?"
    return Growing(*behind, f"{href}{mark}block=growing&days={behind[0]}")


def grown(shown: str | None, growing: Growing | None) -> dict[str, str]:
    """Headers for a strip that showed ``shown`` days: tell the page when there are more."""
    now = "" if growing is None else str(growing.days)
    return {} if shown == now else {"HX-Trigger": "grown"}
