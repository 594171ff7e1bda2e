"""«Журналы событий»: what happened at a point, in words, by topic and period."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from litestar import Router, get
from litestar.exceptions import ValidationException
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.calendar import month_end, month_start
from hub.domain.clock import MeterTime
from hub.domain.events import KINDS, UNKNOWN, Group, Severity, kind_of
from hub.services.events import EventFilter, EventView
from hub.services.pages import JournalPage
from hub.services.sentences import NO_TERMS, Terms, duration, headline, of_view
from hub.web.features.journal.views import EventDay, EventRow, JournalView, Topic
from hub.web.kit.formats import clock, day_short
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import head_of, known_id, time_words
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.spans import DaySpan, address, day_span, one_of, period_bar
from hub.web.kit.views import Choice
from hub.web.kit.visitor import frame, signed_in

MOST_DAYS = 3653
DRIFT_WORTH_SAYING_S = 2
MOODS = {Severity.INFO: "info", Severity.WARNING: "warn", Severity.ALARM: "bad"}
# How people sort what happens, and a picture for each sort.
TOPICS: Mapping[str, tuple[str, str]] = {
    "power": (N_("Power supply"), "unplug"),
    "voltage": (N_("Voltage and current"), "zap"),
    "clock": (N_("Clock"), "clock"),
    "tampering": (N_("Covers and magnet"), "package-open"),
    "limits": (N_("Limits"), "gauge"),
    "settings": (N_("Settings"), "sliders-horizontal"),
    "meter": (N_("Meter"), "activity"),
}
BY_GROUP = {
    Group.POWER: "power",
    Group.VOLTAGE: "voltage",
    Group.CURRENT: "voltage",
    Group.QUALITY: "voltage",
    Group.CLOCK: "clock",
    Group.TAMPERING: "tampering",
    Group.POWER_CONTROL: "limits",
    Group.PROGRAMMING: "settings",
}


def topic_of(kind: str) -> str:
    """Sort a kind of event; what has no group is the meter's own matter."""
    if kind == "energy_limit_exceeded":
        return "limits"
    group = kind_of(kind).group
    return BY_GROUP.get(group, "meter") if group is not None else "meter"


KINDS_OF = {
    topic: tuple(kind for kind in (*KINDS, UNKNOWN) if topic_of(kind) == topic) for topic in TOPICS
}


@get("/points/{point_id:int}/journal", sync_to_thread=True)
def journal(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the events of a period, newest first, fifty at a time."""
    who = signed_in(request)
    made = services(request)
    topic = one_of(request, "topic", {"": "", **TOPICS}, "")
    after = _after(request.query_params.get("after", ""))
    spans: list[DaySpan] = []

    def choose(today: date) -> EventFilter:
        usual = DaySpan(month_start(today), month_end(today))
        span = day_span(request, today, usual, MOST_DAYS)
        spans.append(span)
        return EventFilter(first=span.first, last=span.last, kinds=KINDS_OF.get(topic, ()))

    found = made.pages.journal_of(who, known_id(point_id), choose, after)
    view = journal_view(found, spans[-1], topic, made.pages.clock(), made.terms, paged=bool(after))
    return respond(
        request,
        "journal/list.html",
        fragment="tab",
        context={"view": view},
        shell=lambda: frame(request, found.shell, "points"),
    )


def _after(text: str) -> tuple[datetime, int] | None:
    """Read where a page goes on: seconds and microseconds since the epoch, and a number."""
    if not text:
        return None
    parts = text.split("-")
    if len(parts) != 2 or not all(p.isascii() and p.isdecimal() and len(p) < 18 for p in parts):  # noqa: PLR2004
        raise ValidationException("after is an address of ours and can't be typed.")
    at, number = (int(part) for part in parts)
    if at >= 10**16:
        raise ValidationException("after is an address of ours and can't be typed.")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at), number


def _mark(at: datetime, number: int) -> str:
    return f"{(at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}-{number}"


def journal_view(
    found: JournalPage,
    span: DaySpan,
    topic: str,
    now: datetime,
    terms: Mapping[str, Terms],
    *,
    paged: bool,
) -> JournalView:
    """Word the events of a page by day."""
    card, events = found.card, found.events
    here = f"/points/{card.id}/journal"
    today = now.astimezone(ZoneInfo(card.time_zone)).date()
    by_topic = dict.fromkeys(TOPICS, 0)
    for kind, count in events.counts.items():
        by_topic[topic_of(kind)] += count
    whole = sum(by_topic.values())
    names = {"": N_("All"), **{name: words for name, (words, _symbol) in TOPICS.items()}}
    topics = [
        Topic(Choice(gettext(words), address(here, span, topic=name), name == topic), count)
        for name, words in names.items()
        if (count := by_topic.get(name, whole)) or name == topic
    ]
    spoken = {meter: terms.get(driver, NO_TERMS) for meter, driver in events.drivers.items()}
    rows = [
        (each.began_local.date(), _row(each, spoken.get(each.meter_id, NO_TERMS), today))
        for each in events.events
    ]
    return JournalView(
        head=head_of(card, now, "journal"),
        period=period_bar(here, span, today, topic=topic),
        topics=topics,
        days=[
            EventDay(day, [row for _, row in group])
            for day, group in groupby(rows, key=lambda each: each[0])
        ],
        total=by_topic[topic] if topic else whole,
        shown=len(rows),
        ever=bool(events.kinds),
        zone_words=time_words(card, now),
        clock_words=_clock_words(card.connection.drift_s),
        older=address(here, span, topic=topic, after=_mark(*events.next)) if events.next else None,
        newest=address(here, span, topic=topic) if paged else None,
        clamped=span.clamped,
    )


def _row(event: EventView, terms: Terms, today: date) -> EventRow:
    happening = of_view(event, terms)
    _, symbol = TOPICS[topic_of(event.kind)]
    began = event.entry.began
    aside = ""
    if event.clock_differs and isinstance(began, MeterTime):
        shown = f"{began.face:%d.%m.%Y %H:%M:%S}"
        aside = gettext("by the meter's clock: %(time)s") % {"time": shown}
    return EventRow(
        event.id,
        symbol,
        MOODS[event.severity],
        headline(happening, today),
        _when(event),
        aside,
    )


def _when(event: EventView) -> str:
    """Say from when to when, next to the day that stands above."""
    began, ended = event.began_local, event.ended_local
    if event.kind == "parameters_written":
        return ""
    if event.open:
        return gettext("since %(time)s") % {"time": clock(began)}
    if ended is None or ended <= began:
        return clock(began)
    if ended.date() == began.date():
        return f"{clock(began)}–{clock(ended)}"
    return f"{clock(began)} – {day_short(ended.date())}, {clock(ended)}"


def _clock_words(drift_s: float | None) -> str:
    if drift_s is None or abs(drift_s) < DRIFT_WORTH_SAYING_S:
        return ""
    ahead = timedelta(seconds=round(abs(drift_s)))
    if drift_s > 0:
        return gettext("The meter's clock is fast by %(time)s.") % {"time": duration(ahead)}
    return gettext("The meter's clock is slow by %(time)s.") % {"time": duration(ahead)}


router = Router("/", route_handlers=[journal], include_in_schema=False)
