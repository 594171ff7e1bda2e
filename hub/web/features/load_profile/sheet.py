"""The profile's file: each interval of the period, its power, energy, zone and quality."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.services.pages import IntervalsPage
from hub.web.features.load_profile.chart import flag_of
from hub.web.features.load_profile.present import STEPS, Zones
from hub.web.features.load_profile.words import source_words
from hub.web.kit.changes import change_of
from hub.web.kit.downloads import Cell, Column, Sheet, change_facts, cost_fact, head_facts
from hub.web.kit.exact import decimal_of
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import head_of, time_words
from hub.web.kit.spans import DaySpan

POWERS = (N_("P+, kW"), N_("P−, kW"), N_("Q+, kvar"), N_("Q−, kvar"))
QUALITY = {
    "measured": N_("Measured"),
    "partial": N_("Incomplete"),
    "estimated": N_("Estimated"),
    "future": N_("Not yet"),
    "missing": N_("No data"),
}


def profile_sheet(found: IntervalsPage, span: DaySpan, now: datetime) -> Sheet:
    """Make the table of the intervals; sums of the whole stand in the head."""
    card, sums = found.card, found.sums
    head = head_of(card, now, "profile")
    step = gettext(STEPS[str(found.minutes)]) if str(found.minutes) in STEPS else ""
    facts = head_facts(
        head, gettext("Load profile"), period=span.label(head.today), step=step,
        zone=time_words(card, now),
    )  # fmt: skip
    source = source_words(sums.sources)
    if source:
        facts.append((gettext("Source"), source))
    facts.append((gettext("In all, kWh"), decimal_of(sums.total.energy[0])))
    zones = Zones.of(sums.zones)
    for (number, _name), kwh in zip(zones.names, zones.energies(sums.total), strict=True):
        facts.append((gettext("T%(zone)s, kWh") % {"zone": number}, kwh))
    facts += cost_fact(found.cost)
    change = change_of(found.comparison, head.today)
    facts += change_facts(change)
    measured = {"known": sums.total.measured, "expected": sums.total.expected}
    facts.append((gettext("With data"), gettext("%(known)s of %(expected)s") % measured))
    if span.clamped:
        facts.append((gettext("Note"), gettext("Fewer days are given than were asked for.")))
    columns = [
        Column(gettext("Begun")), Column(gettext("Ended")), Column(gettext("Zone")),
        *(Column(gettext(POWERS[channel]), 2) for channel in sums.channels),
        Column(gettext("P+, kWh"), 2), Column(gettext("Quality")),
    ]  # fmt: skip
    beside = found.beside if change else ()
    if beside:
        columns.append(Column(gettext("P+ earlier, kW"), 2))
    name = f"profile-{card.id}-{span.first}-{span.last}"
    return Sheet(name, facts, columns, _rows(found, beside))


def _rows(found: IntervalsPage, beside: Sequence[float | None]) -> Iterator[list[Cell]]:
    zone, channels = ZoneInfo(found.card.time_zone), found.sums.channels
    words = {flag: gettext(text) for flag, text in QUALITY.items()}
    for at, slot in enumerate(found.slots):
        end = (slot.start_at + timedelta(minutes=slot.minutes)).astimezone(zone)
        yield [
            slot.local_start.replace(tzinfo=None),
            end.replace(tzinfo=None),
            slot.zone or None,
            *(decimal_of(slot.power(channel)) for channel in channels),
            decimal_of(slot.energy[0]),
            words[flag_of(slot.flags, future=slot.future)],
            *([_power(beside[at], slot.minutes)] if beside else ()),
        ]


def _power(kwh: float | None, minutes: int) -> Decimal | None:
    """Give the mean kW of an earlier interval, to a milliwatt: it comes as a float."""
    return None if kwh is None else round(Decimal(kwh * 60 / minutes), 6)
