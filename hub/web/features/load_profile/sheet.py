"""The profile's file: each interval of the period, its power, energy, zone and quality."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.services.pages import IntervalsPage
from hub.services.slots import SlotView
from hub.web.features.load_profile.chart import flag_of
from hub.web.features.load_profile.present import STEPS, Zones
from hub.web.features.load_profile.words import source_words
from hub.web.kit.downloads import Cell, Column, Sheet, head_facts
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
    measured = {"known": sums.total.measured, "expected": sums.total.expected}
    facts.append((gettext("With data"), gettext("%(known)s of %(expected)s") % measured))
    if span.clamped:
        facts.append((gettext("Note"), gettext("Fewer days are given than were asked for.")))
    columns = [
        Column(gettext("Begun")), Column(gettext("Ended")), Column(gettext("Zone")),
        *(Column(gettext(POWERS[channel]), 2) for channel in sums.channels),
        Column(gettext("P+, kWh"), 2), Column(gettext("Quality")),
    ]  # fmt: skip
    name = f"profile-{card.id}-{span.first}-{span.last}"
    return Sheet(name, facts, columns, _rows(found.slots, sums.channels, card.time_zone))


def _rows(
    slots: Iterable[SlotView], channels: Sequence[int], time_zone: str
) -> Iterator[list[Cell]]:
    zone = ZoneInfo(time_zone)
    words = {flag: gettext(text) for flag, text in QUALITY.items()}
    for slot in slots:
        end = (slot.start_at + timedelta(minutes=slot.minutes)).astimezone(zone)
        yield [
            slot.local_start.replace(tzinfo=None),
            end.replace(tzinfo=None),
            slot.zone or None,
            *(decimal_of(slot.power(channel)) for channel in channels),
            decimal_of(slot.energy[0]),
            words[flag_of(slot.flags, future=slot.future)],
        ]
