"""The profile page's views out of the services' values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final

from hub.domain.calendar import Level, month_end, month_start, previous_month
from hub.services.comparing import Against, earlier_days
from hub.services.pages import ProfilePage
from hub.services.profile import Sum
from hub.services.slots import SlotView
from hub.web.features.load_profile.chart import CHANNELS, beside_points, flag_of, points_of
from hub.web.features.load_profile.views import (
    Calendar,
    CalendarDay,
    DayRow,
    ProfileView,
    SlotRow,
    Table,
    Totals,
    ZoneTotal,
)
from hub.web.features.load_profile.words import sentences, source_words
from hub.web.kit.changes import change_of
from hub.web.kit.exact import decimal_of
from hub.web.kit.formats import day, day_short, month, month_short, number, span
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import (
    growing_of,
    head_of,
    in_reading_order,
    local,
    time_words,
    zone_names,
    zone_number,
)
from hub.web.kit.small_charts import DayBar
from hub.web.kit.spans import DAY, EARLIEST, DaySpan, address, period_bar
from hub.web.kit.views import Change, Choice

LEVELS: Final = {"day": Level.DAY, "week": Level.WEEK, "month": Level.MONTH}
STEPS: Final = {"30": N_("30 minutes"), "60": N_("Hour")}
LEVEL_WORDS = {"day": N_("Days"), "week": N_("Weeks"), "month": N_("Months")}
VERSUS: Final = {"none": None, "previous": Against.PREVIOUS, "year": Against.YEAR}
VERSUS_WORDS = {
    "none": N_("No comparison"),
    "previous": N_("Previous period"),
    "year": N_("A year ago"),
}
HALF_HOUR, WEEK_DAYS = 30, 7
P_MINUS = 1


@dataclass(frozen=True)
class View:
    """How the page is looked at: what the address says, within limits.

    ``by`` is a key of LEVELS, ``vs`` one of VERSUS; ``day``: its intervals stand in the table;
    ``chart``: short enough for the script's chart; ``vs_said``: the address says it; ``month``: a
    day of the calendar's month, if not the span's.
    """

    span: DaySpan
    today: date
    by: str
    step: int
    day: date | None
    chart: bool
    vs: str = "none"
    vs_said: bool = False
    month: date | None = None

    def at(self, path: str, found: DaySpan, **more: str) -> str:
        """Give the address of another span that keeps the step and the level."""
        return address(path, found, **(self.kept | more))

    @cached_property
    def kept(self) -> dict[str, str]:
        return {
            "step": "" if self.step == HALF_HOUR else str(self.step),
            "by": "" if self.by == "day" else self.by,
            "vs": self.vs if self.vs_said else "",
        }


@dataclass(frozen=True, slots=True)
class Zones:
    """Zones of the contract in reading order: the number shown and the name in the sums."""

    names: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, zones: tuple[str, ...]) -> "Zones":
        by_number = {zone_number(name): name for name in zones}
        return cls(tuple((n, by_number[n]) for n in in_reading_order(by_number)))

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(number for number, _name in self.names)

    def energies(self, item: Sum) -> list[Decimal | None]:
        return [decimal_of(item.zones[name][0]) for _number, name in self.names]


def profile_view(found: ProfilePage, view: View, now: datetime) -> ProfileView:
    """Word the page."""
    card, sums, asked = found.card, found.sums, view.span
    here = f"/points/{card.id}/profile"
    zones = Zones.of(sums.zones)
    self_href = view.at(here, asked, **_day(view.day))
    points = points_of(found.columns) if found.columns and asked.days <= WEEK_DAYS else ()
    vs = "" if view.vs == "none" else view.vs
    data = address(f"{here}.json", asked, step=view.kept["step"], vs=vs)
    compare = (
        beside_points(found.columns, found.beside)
        if points and found.beside and found.columns
        else ()
    )
    change = change_of(found.comparison, view.today)
    return ProfileView(
        head=head_of(card, now, "profile"),
        period=period_bar(here, asked, view.today, **view.kept),
        scales=_scales(here, view),
        steps=tuple(
            Choice(
                gettext(words),
                view.at(here, asked, step=_unless(key, "30")),
                int(key) == view.step,
            )
            for key, words in STEPS.items()
        ),
        totals=_totals(found, zones, change),
        points=points,
        zone_names=zone_names(zones.numbers),
        channels=tuple(CHANNELS[channel] for channel in sums.channels),
        table=_table(found, view, zones, here),
        calendar=_calendar(found, view, here),
        self_href=self_href,
        data_href=data if view.chart else "",
        zone_words=time_words(card, now),
        growing=growing_of([card], now, self_href),
        bars=[] if points else [_bar(item, view, zones, here) for item in sums.items],
        source=source_words(sums.sources),
        levels=tuple(
            Choice(gettext(words), view.at(here, asked, by=_unless(key, "day")), key == view.by)
            for key, words in LEVEL_WORDS.items()
        ),
        clamped=asked.clamped,
        begins=_begins(found, view, here),
        compare=compare,
        compare_label=_compare_label(view) if change and view.chart else "",
        versus=tuple(
            Choice(gettext(words), view.at(here, asked, vs=key, **_day(view.day)), key == view.vs)
            for key, words in VERSUS_WORDS.items()
        ),
        table_href=f"{view.at(here, asked)}&block=table" if view.chart else "",
        estimated=bool(sums.total.estimated or sums.total.manual),
        partial=bool(sums.total.partial),
        step=gettext(STEPS[str(view.step)]),
    )


def _compare_label(view: View) -> str:
    """Name the earlier days that the dotted line is of, all of them."""
    against = VERSUS[view.vs]
    if against is None:
        return ""
    return DaySpan(*earlier_days(view.span.first, view.span.last, against)).label(view.today)


def _begins(found: ProfilePage, view: View, here: str) -> Choice | None:
    """Lead to the first day of the history from a period that lies before it."""
    first = local(found.card.connection.history_from, found.card.time_zone)
    if first is None or found.sums.total.measured or view.span.last >= first.date():
        return None
    to = DaySpan(first.date(), first.date() + (view.span.last - view.span.first))
    return Choice(day(first.date(), view.today), view.at(here, to), current=False)


def _unless(value: str, usual: str) -> str:
    """Leave the usual choice out of the address."""
    return "" if value == usual else value


def _day(shown: date | None) -> dict[str, str]:
    return {} if shown is None else {"day": shown.isoformat()}


def _scales(here: str, view: View) -> tuple[Choice, ...]:
    """Offer a day, three days, a week and a month around the day that stays in sight."""
    anchor = view.span.anchor(view.today)
    monday = anchor - timedelta(days=anchor.weekday())
    offered = (
        (gettext("Day"), DaySpan(anchor, anchor)),
        (gettext("3 days"), DaySpan(anchor - 2 * DAY, anchor)),
        (gettext("Week"), DaySpan(monday, monday + 6 * DAY)),
        (gettext("Month"), DaySpan(month_start(anchor), month_end(anchor))),
    )
    shown = (view.span.first, view.span.last)
    return tuple(
        Choice(label, view.at(here, each), (each.first, each.last) == shown)
        for label, each in offered
    )


def _totals(found: ProfilePage, zones: Zones, change: Change | None) -> Totals:
    sums = found.sums
    total, peak = sums.total, sums.peak
    names = zone_names(zones.numbers)
    energies = zip(zones.numbers, zones.energies(total), strict=True)
    return Totals(
        kwh=decimal_of(total.energy[0]),
        zones=[ZoneTotal(zone, names[zone], kwh) for zone, kwh in energies if kwh is not None],
        maximum_kw=decimal_of(peak.power) if peak else None,
        maximum_at=local(peak.start_at, sums.time_zone) if peak else None,
        known=total.measured,
        expected=total.expected,
        minutes=sums.minutes,
        fed_kwh=decimal_of(total.energy[P_MINUS]) or None,
        kopecks=found.cost,
        change=change,
    )


# -- table -------------------------------------------------------------------------------------


def _table(found: ProfilePage, view: View, zones: Zones, here: str) -> Table:
    total = found.sums.total
    if view.day is not None:
        of_day = [slot.energy[0] for slot in found.slots if slot.energy[0] is not None]
        return Table(
            day=view.day,
            slots=[_slot(slot) for slot in found.slots],
            back_href=view.at(here, view.span) if view.span.days > 1 else "",
            total=decimal_of(sum(of_day, Fraction(0))) if of_day else None,
            known=sum(not slot.missing for slot in found.slots),
            expected=len(found.slots),
        )
    begun = [item for item in found.sums.items if item.first <= view.today]
    return Table(
        days=[_row(item, view, zones, found.sums.channels, here) for item in reversed(begun)],
        zones=zones.numbers,
        totals=zones.energies(total),
        others=_others(total, found.sums.channels),
        total=decimal_of(total.energy[0]),
        known=total.measured,
        expected=total.expected,
    )


def _others(item: Sum, channels: Sequence[int]) -> list[Decimal | None]:
    return [decimal_of(item.energy[channel]) for channel in channels if channel]


def _row(item: Sum, view: View, zones: Zones, channels: Sequence[int], here: str) -> DayRow:
    if view.by == "day":
        href = view.at(here, view.span, day=item.first.isoformat())
    else:
        href = address(here, DaySpan(item.first, item.last))
    return DayRow(
        day=item.first,
        label=_label(item, view),
        zones=zones.energies(item),
        kwh=decimal_of(item.energy[0]),
        maximum_kw=decimal_of(item.peak.power) if item.peak else None,
        known=item.measured,
        expected=item.expected,
        estimated=item.estimated + item.manual,
        partial=item.partial,
        damaged=item.damaged,
        href=href,
        others=_others(item, channels),
    )


def _label(item: Sum, view: View) -> str:
    """Name a week or a month; a day is named by the template."""
    if view.by == "day":
        return ""
    whole = DaySpan(item.first, item.last)
    if view.by == "month" and whole.is_month:
        return month(item.first, view.today)
    return span(item.first, item.last, view.today)


def _slot(slot: SlotView) -> SlotRow:
    p_plus, p_minus, q_plus, q_minus = (decimal_of(slot.power(channel)) for channel in range(4))
    start = slot.local_start
    end = (slot.start_at + timedelta(minutes=slot.minutes)).astimezone(start.tzinfo)
    return SlotRow(
        start,
        end,
        zone_number(slot.zone),
        p_plus,
        p_minus,
        q_plus,
        q_minus,
        decimal_of(slot.energy[0]),
        flag_of(slot.flags, future=slot.future),
    )


# -- bars and calendar -------------------------------------------------------------------------


def _bar(item: Sum, view: View, zones: Zones, here: str) -> DayBar:
    energy = decimal_of(item.energy[0])
    if zones.names:
        known = zip(zones.numbers, zones.energies(item), strict=True)
        parts = {zone: value for zone, value in known if value is not None}
    else:
        parts = {} if energy is None else {0: energy}
    labels = {"day": str(item.first.day), "month": month_short(item.first)}
    return DayBar(
        item.first,
        labels.get(view.by) or day_short(item.first),
        parts or None,
        complete=item.complete,
        href=address(here, DaySpan(item.first, item.last)),
        title=_title(item, view, energy),
    )


def _title(item: Sum, view: View, energy: Decimal | None) -> str:
    name = span(item.first, item.last, view.today)
    if energy is None:
        return f"{name}: {gettext('No data')}"
    return f"{name}: {gettext('%(kwh)s kWh') % {'kwh': number(energy, 1)}}"


def _calendar(found: ProfilePage, view: View, here: str) -> Calendar:
    items = found.month
    before, after = previous_month(items[0].first), items[-1].last + DAY
    return Calendar(
        month=items[0].first,
        days=[_calendar_day(item, view, here) for item in items],
        known=sum(item.measured for item in items),
        expected=sum(item.expected for item in items),
        sentences=sentences(found),
        previous=view.at(here, view.span, month=before.isoformat(), **_day(view.day))
        if before >= EARLIEST
        else "",
        following=view.at(here, view.span, month=after.isoformat(), **_day(view.day))
        if after <= view.today
        else "",
    )


def _calendar_day(item: Sum, view: View, here: str) -> CalendarDay:
    first = item.first
    if first > view.today:
        return CalendarDay(first, "future")
    if item.missing:
        kind = "gap"
    elif not item.expected:
        kind = "none"
    elif item.partial:
        kind = "part"
    else:
        kind = "est" if item.estimated or item.manual else "full"
    return CalendarDay(
        first,
        kind,
        item.measured,
        item.expected,
        today=first == view.today,
        shown=view.span.first <= first <= view.span.last and view.span.days <= WEEK_DAYS,
        href=view.at(here, DaySpan(first, first)),
    )
