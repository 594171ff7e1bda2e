"""«Профиль мощности»: the page and the data of its chart."""

from datetime import date, timedelta
from typing import Any

from litestar import Router, get
from litestar.exceptions import ValidationException
from litestar.params import FromPath
from litestar.response import Response
from litestar.serialization import encode_json

from hub.services.pages import Asked
from hub.web.features.load_profile.chart import chart_data
from hub.web.features.load_profile.present import LEVELS, STEPS, VERSUS, View, profile_view
from hub.web.features.load_profile.sheet import profile_sheet
from hub.web.kit.downloads import download, files
from hub.web.kit.point_head import grown, known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.spans import DAY, DaySpan, day_span, one_day, one_of
from hub.web.kit.visitor import frame, signed_in

MOST_DAYS = 3653
MOST_DAYS_BY_DAY = 371
MOST_CHART_DAYS = 31
MOST_FILE_DAYS = 371
DAYS_AT_FIRST = 3
DRAWN_AS_STEPS = 7  # days; in a longer picture a half-hour is less than a pixel
BLOCKS = {
    "growing": "growing",
    "totals": "profile_totals",
    "table": "profile_table",
    "calendar": "profile_calendar",
}


@get("/points/{point_id:int}/profile", sync_to_thread=True)
def profile(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the profile of a span of days: totals, chart, completeness, days or half-hours."""
    who = signed_in(request)
    made = services(request)
    step = one_of(request, "step", STEPS, "30")
    level = one_of(request, "by", LEVELS, "day")
    day, month = one_day(request, "day"), one_day(request, "month")
    asked_vs = request.query_params.get("vs", "")
    views: list[View] = []

    def choose(today: date) -> Asked:
        usual = DaySpan(today - (DAYS_AT_FIRST - 1) * DAY, today)
        span = day_span(request, today, usual, MOST_DAYS)
        by = "month" if level == "day" and span.days > MOST_DAYS_BY_DAY else level
        inside = day is not None and span.first <= day <= span.last
        shown = day if inside else span.first if span.days == 1 else None
        steps = span.days <= DRAWN_AS_STEPS
        vs = _versus(request, span)
        views.append(
            View(
                span,
                today,
                by,
                int(step),
                shown,
                chart=span.days <= MOST_CHART_DAYS,
                vs=vs,
                vs_said=bool(asked_vs),
                month=month,
            )
        )
        return Asked(
            span.first,
            span.last,
            LEVELS[by],
            int(step) if steps or shown is not None else None,
            month=min(month, today) if month is not None else span.anchor(today),
            day=shown,
            against=VERSUS[vs],
        )

    found = made.pages.profile_of(who, known_id(point_id), choose)
    view = profile_view(found, views[-1], made.pages.clock())
    fragment = BLOCKS.get(request.query_params.get("block", ""), "tab")
    headers = None
    if fragment == "growing":
        headers = grown(request.query_params.get("days"), view.growing)
    return respond(
        request,
        "load_profile/profile.html",
        fragment=fragment,
        context={"view": view},
        shell=lambda: frame(request, found.shell, "points"),
        headers=headers,
    )


def _versus(request: AnyRequest, span: DaySpan) -> str:
    """Say what the span is compared with.

    In a longer picture a second line of half-hours hides the first, unless it is asked for.
    """
    usual = "previous" if span.days <= DRAWN_AS_STEPS else "none"
    return one_of(request, "vs", VERSUS, usual)


def profile_file(request: AnyRequest, point_id: FromPath[int]) -> Response[Any]:
    """Give each interval of the period as a file; of more than a year its newest year."""
    who = signed_in(request)
    made = services(request)
    step = one_of(request, "step", STEPS, "30")
    spans: list[DaySpan] = []

    def choose(today: date) -> Asked:
        usual = DaySpan(today - (DAYS_AT_FIRST - 1) * DAY, today)
        span = day_span(request, today, usual, MOST_FILE_DAYS)
        spans.append(span)
        return Asked(span.first, span.last, step=int(step), against=VERSUS[_versus(request, span)])

    found = made.pages.intervals_of(who, known_id(point_id), choose)
    return download(request, profile_sheet(found, spans[-1], made.pages.clock()))


@get("/points/{point_id:int}/profile.json", sync_to_thread=True)
def profile_data(request: AnyRequest, point_id: FromPath[int]) -> Response[bytes]:
    """Give the intervals of at most a month for the chart's script."""
    who = signed_in(request)
    made = services(request)
    step = one_of(request, "step", STEPS, "30")
    first, last = one_day(request, "from"), one_day(request, "to")
    if first is None or last is None or not timedelta(0) <= last - first < MOST_CHART_DAYS * DAY:
        raise ValidationException("Half-hours are given for 1 to 31 days; say from and to.")
    against = VERSUS[one_of(request, "vs", VERSUS, "none")]
    found = made.pages.chart(
        who, known_id(point_id), (first, last), step=int(step), against=against
    )
    return Response(
        encode_json(chart_data(found)),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


router = Router(
    "/",
    route_handlers=[profile, *files("/points/{point_id:int}/profile", profile_file), profile_data],
)
