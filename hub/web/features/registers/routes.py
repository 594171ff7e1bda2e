"""«Показания»: registers and consumption of a point by day, week or month."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import dropwhile
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.calendar import Level, month_end, month_start, previous_month
from hub.services.forecast import Forecast
from hub.services.pages import Asked, ReadingsPage
from hub.services.registers import Period
from hub.web.features.registers.views import (
    CostCell,
    ForecastView,
    Quality,
    ReadingRow,
    ReadingsView,
)
from hub.web.kit.changes import change_of
from hub.web.kit.downloads import (
    Cell,
    Column,
    Sheet,
    change_facts,
    download,
    files,
    head_facts,
    roubles,
)
from hub.web.kit.exact import decimal_of
from hub.web.kit.formats import day, day_short, month, month_short, number, span
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import (
    growing_of,
    grown,
    head_of,
    in_reading_order,
    known_id,
    time_words,
    zone_names,
    zone_number,
)
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.small_charts import DayBar
from hub.web.kit.spans import DaySpan, address, day_span, one_of, period_bar
from hub.web.kit.views import Choice
from hub.web.kit.visitor import frame, signed_in

DAY = timedelta(days=1)
SCALES = {"days": Level.DAY, "weeks": Level.WEEK, "months": Level.MONTH}
WORDS = {"days": N_("Days"), "weeks": N_("Weeks"), "months": N_("Months")}
MOST_DAYS = {"days": 92, "weeks": 371, "months": 3653}
WEEKS, MONTHS = 12, 12  # shown when nothing else is asked for
BLOCKS = {"growing": "growing", "rows": "reading_rows"}


@get("/points/{point_id:int}/readings", sync_to_thread=True)
def readings(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the registers of a point at the ends of days, weeks or months."""
    found, view = _asked(request, point_id)
    fragment = BLOCKS.get(request.query_params.get("block", ""), "tab")
    headers = None
    if fragment == "growing":
        headers = grown(request.query_params.get("days"), view.growing)
    return respond(
        request,
        "registers/list.html",
        fragment=fragment,
        context={"view": view},
        shell=lambda: frame(request, found.shell, "points"),
        headers=headers,
    )


def readings_file(request: AnyRequest, point_id: FromPath[int]) -> Response[Any]:
    """Give the table of the same address as a file."""
    return download(request, readings_sheet(_asked(request, point_id)[1]))


def _asked(request: AnyRequest, point_id: int) -> tuple[ReadingsPage, ReadingsView]:
    who = signed_in(request)
    made = services(request)
    scale = one_of(request, "scale", SCALES, "days")
    now = made.pages.clock()
    spans: list[DaySpan] = []

    def choose(today: date) -> Asked:
        found = day_span(request, today, usual_span(scale, today), MOST_DAYS[scale])
        spans.append(found)
        return Asked(found.first, found.last, SCALES[scale])

    found = made.pages.readings_of(who, known_id(point_id), choose)
    return found, readings_view(found, spans[-1], scale, now)


def usual_span(scale: str, today: date) -> DaySpan:
    """Give what is shown unless the address says otherwise: a month of days, a year of months."""
    if scale == "days":
        return DaySpan(month_start(today), month_end(today))
    if scale == "weeks":
        monday = today - timedelta(days=today.weekday())
        return DaySpan(monday - timedelta(weeks=WEEKS - 1), monday + 6 * DAY)
    first = month_start(today)
    for _ in range(MONTHS - 1):
        first = previous_month(first)
    return DaySpan(first, month_end(today))


def readings_view(found: ReadingsPage, asked: DaySpan, scale: str, now: datetime) -> ReadingsView:
    """Word the periods that have begun; the newest row comes first, as one reads a bill."""
    card, told = found.card, found.periods
    here = f"/points/{card.id}/readings"
    today = now.astimezone(ZoneInfo(card.time_zone)).date()
    places = {zone_number(each.label): at for at, each in enumerate(told.tariffs)}
    zones = in_reading_order(places) or [0]
    names = zone_names(zones)
    shown = [places[zone] for zone in zones]
    begun = list(dropwhile(_before_all, (p for p in told.periods if p.first <= today)))
    usual = "" if scale == "days" else scale
    href = address(here, asked, scale=usual)
    return ReadingsView(
        head=head_of(card, now, "readings"),
        period=period_bar(here, asked, today, scale=usual),
        scales=tuple(
            Choice(gettext(WORDS[key]), f"{here}?scale={key}", key == scale) for key in SCALES
        ),
        zones=tuple((zone, names.get(zone, "")) for zone in zones),
        bars=[_bar(each, scale, zones, shown, card.id) for each in told.periods],
        rows=[_row(each, scale, shown, card.id, today) for each in reversed(begun)],
        total_used=[decimal_of(told.whole.used[place]) for place in shown],
        total=decimal_of(told.whole.used[-1]),
        quality=_quality(told.whole),
        self_href=href,
        scale=scale,
        zone_words=time_words(card, now),
        growing=growing_of([card], now, href),
        clamped=asked.clamped,
        nearby=any(not each.exact for each in begun),
        replaced=any(each.replaced for each in begun),
        priced=told.priced,
        cost=_cost(told.whole),
        change=change_of(told.comparison, today),
        forecast=_forecast(told.forecast),
    )


def _cost(each: Period) -> CostCell | None:
    return None if each.cost is None else CostCell(each.cost.kopecks, each.cost.from_slots)


def _forecast(found: Forecast | None) -> ForecastView | None:
    if found is None:
        return None
    kwh, low, high = (decimal_of(each) for each in (found.energy, found.low, found.high))
    if kwh is None or low is None or high is None:
        return None
    return ForecastView(found.month, kwh, low, high, found.days)


def _before_all(each: Period) -> bool:
    """Say whether this was before any meter was here."""
    return not each.expected and not any((*each.start, *each.end))


def _quality(each: Period) -> Quality:
    return Quality(
        each.measured,
        each.expected,
        each.estimated,
        each.partial,
        running=each.running,
        unread=each.used[-1] is None,
        from_slots=each.from_slots,
    )


def _bar(
    each: Period, scale: str, zones: Sequence[int], shown: Sequence[int], point_id: int
) -> DayBar:
    used = [decimal_of(each.used[place]) for place in shown]
    parts = {zone: value for zone, value in zip(zones, used, strict=True) if value is not None}
    label = day_short(each.first) if scale == "weeks" else str(each.first.day)
    return DayBar(
        each.first,
        month_short(each.first) if scale == "months" else label,
        parts or None,
        complete=_quality(each).complete,
        expected=decimal_of(each.before) if each.expected and not _quality(each).whole else None,
        before=decimal_of(each.before),
        href=_profile(each, point_id),
        title=_title(each, scale, decimal_of(each.used[-1])),
    )


def _title(each: Period, scale: str, total: Decimal | None) -> str:
    if total is None:
        return f"{_label(each, scale, each.last)}: {gettext('No data')}"
    kwh = gettext("%(kwh)s kWh") % {"kwh": number(total, 1)}
    return f"{_label(each, scale, each.last)}: {kwh}"


def _row(each: Period, scale: str, shown: Sequence[int], point_id: int, today: date) -> ReadingRow:
    ends = [each.end[place] for place in shown]
    return ReadingRow(
        label=_label(each, scale, today),
        start=each.first,
        last=each.last,
        registers=[None if end is None else end.value for end in ends],
        used=[decimal_of(each.used[place]) for place in shown],
        total=decimal_of(each.used[-1]),
        quality=_quality(each),
        href=_profile(each, point_id),
        cost=_cost(each),
    )


def _label(each: Period, scale: str, today: date) -> str:
    if scale == "days":
        return day(each.first, today)
    if scale == "months" and DaySpan(each.first, each.last).is_month:
        return month(each.first, today)
    return span(each.first, each.last, today)


# -- the file ----------------------------------------------------------------------------------


def readings_sheet(view: ReadingsView) -> Sheet:
    """Give the page's table: its rows in its order, all digits, and the total below."""
    tariffs = [zone for zone, _name in view.zones if zone]
    register = gettext("Reading %(zone)s, kWh")
    used = gettext("Consumption %(zone)s, kWh")
    total = gettext("Total")
    columns = [
        Column(gettext("First day")),
        Column(gettext("Last day")),
        *(Column(register % {"zone": f"T{zone}" if zone else total}, 2) for zone, _ in view.zones),
        *(Column(used % {"zone": f"T{zone}"}, 1) for zone in tariffs),
        Column(gettext("Consumption in all, kWh"), 1),
        Column(gettext("Quality")),
    ]
    if view.any_before:
        months = view.scale == "months"
        earlier = gettext("A year earlier") if months else gettext("4 weeks earlier")
        columns.append(Column(f"{earlier}, {gettext('kWh')}", 1))
    if view.priced:
        columns += [Column(gettext("Cost, ₽"), 2), Column(gettext("Cost is by"))]
    facts = head_facts(
        view.head, gettext("Readings"), period=view.period.label,
        step=gettext(WORDS[view.scale]), zone=view.zone_words,
    )  # fmt: skip
    facts += change_facts(view.change)
    if view.forecast:
        f = view.forecast
        about = gettext("about %(kwh)s") % {"kwh": number(f.kwh)}
        likely = {"low": number(f.low), "high": number(f.high)}
        most = gettext("most likely from %(low)s to %(high)s") % likely
        title = gettext("Forecast for %(month)s") % {"month": month(f.month, view.head.today)}
        facts.append((title, f"{about} {gettext('kWh')}, {most}"))
    name = f"readings-{view.head.id}-{view.period.first}-{view.period.last}"
    return Sheet(name, facts, columns, list(_sheet_rows(view, bool(tariffs))))


def _sheet_rows(view: ReadingsView, has_zones: bool) -> Iterator[list[Cell]]:  # noqa: FBT001
    before = {bar.start: bar.before for bar in view.bars}
    for row in view.rows:
        zones = row.used if has_zones else ()
        words = _quality_words(row.quality)
        earlier = [before.get(row.start)] if view.any_before else []
        cost = _cost_cells(row.cost) if view.priced else []
        yield [row.start, row.last, *row.registers, *zones, row.total, words, *earlier, *cost]
    if view.rows:
        zones = view.total_used if has_zones else ()
        none = [None] * len(view.zones)
        earlier = [None] if view.any_before else []
        cost = _cost_cells(view.cost) if view.priced else []
        yield [gettext("Total"), None, *none, *zones, view.total, None, *earlier, *cost]


def _cost_cells(cost: CostCell | None) -> list[Cell]:
    if cost is None:
        return [None, None]
    by = gettext("half-hours") if cost.from_slots else gettext("registers")
    return [roubles(cost.kopecks), by]


def _quality_words(quality: Quality) -> str:
    """Say how good a row is, as its tag does."""
    facts = {"known": quality.known, "expected": quality.expected}
    by_slots = gettext("By half-hours")
    if quality.kind == "running":
        text = gettext("Under way, %(known)s/%(expected)s") % facts
        return f"{text}, {by_slots}" if quality.from_slots else text
    if quality.kind == "none":
        return gettext("No data")
    if quality.kind == "partial":
        return gettext("Incomplete, %(known)s/%(expected)s") % facts
    if quality.kind == "parts":
        return gettext("Incomplete: %(n)s intervals.") % {"n": quality.partial}
    if quality.kind == "estimated":
        return gettext("Estimated, %(n)s of %(expected)s") % {**facts, "n": quality.estimated}
    return by_slots if quality.kind == "slots" else gettext("Measured")


def _profile(each: Period, point_id: int) -> str:
    return address(f"/points/{point_id}/profile", DaySpan(each.first, each.last))


router = Router(
    "/", route_handlers=[readings, *files("/points/{point_id:int}/readings", readings_file)]
)
