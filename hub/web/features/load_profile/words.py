"""What the profile page says of its data: gaps, damage, sources."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.services.pages import Hole, ProfilePage
from hub.services.profile import Sum
from hub.web.kit.formats import DASH, clock, day, interval
from hub.web.kit.i18n import N_, gettext

MOST_HOLES = 4
SOURCES = {
    "driver": N_("meter"),
    "supplier": N_("supplier"),
    "manual": N_("entered by hand"),
    "estimate": N_("calculation"),
}


def source_words(sources: Sequence[str]) -> str | None:
    """Name the sources that gave any value, best first."""
    return ", ".join(gettext(SOURCES[each]) for each in sources) or None


def sentences(found: ProfilePage) -> tuple[str, ...]:
    """Say what is missing of the period, the newest first, and what is done about it."""
    zone = ZoneInfo(found.card.time_zone)
    said = [_hole(hole, zone) for hole in reversed(found.holes)]
    more = len(said) - MOST_HOLES
    if more > 0:
        said = said[:MOST_HOLES]
        said.append(gettext("And earlier: %(n)s more.") % {"n": more})
    told = {hole.reason for hole in found.holes}
    if "damaged" not in told:
        said += _damaged(found.sums.items)
    return tuple(said)


def _damaged(items: Iterable[Sum]) -> list[str]:
    broken = [item for item in items if item.damaged]
    return [
        gettext("What was stored of %(day)s is damaged; the hub will read it again.")
        % {"day": day(item.first)}
        for item in broken[-MOST_HOLES:]
    ]


def _hole(hole: Hole, zone: ZoneInfo) -> str:
    span = {"span": _span(hole.from_at.astimezone(zone), hole.to_at.astimezone(zone))}
    if hole.state == "gone":
        return gettext("%(span)s: the meter has no record of this time.") % span
    if hole.reason == "damaged":
        return gettext("%(span)s: what was stored is damaged; the hub reads it again.") % span
    return gettext("%(span)s: no data yet; the hub keeps asking the meter.") % span


def _span(start: datetime, end: datetime) -> str:
    if start.date() == end.date() or (clock(end) == "00:00" and (end - start).days < 1):
        return f"{day(start)}, {interval(start, end)}"
    return f"{day(start)}, {clock(start)} {DASH} {day(end)}, {clock(end)}"
