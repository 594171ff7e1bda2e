"""«Журналы событий»: what happened at a point, in words, by topic and period."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.calendar import month_end, month_start
from hub.domain.events import Severity
from hub.services.events import EventFilter, EventView
from hub.services.pages import JournalPage
from hub.services.sentences import NO_TERMS, Terms, duration
from hub.web.features.journal.rows import event_row
from hub.web.features.journal.topics import KINDS_OF, TOPICS, topic_of
from hub.web.features.journal.views import EventDay, JournalView, Topic
from hub.web.kit.downloads import Cell, Column, Sheet, download, files, head_facts
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import head_of, known_id, time_words
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.spans import (
    DaySpan,
    address,
    day_span,
    one_of,
    period_bar,
    place_in,
    read_place,
)
from hub.web.kit.views import Choice, PointHead
from hub.web.kit.visitor import frame, signed_in

MOST_DAYS = 3653
DRIFT_WORTH_SAYING_S = 2
SEVERITIES = {
    Severity.INFO: N_("Information"),
    Severity.WARNING: N_("Warning"),
    Severity.ALARM: N_("Alarm"),
}


@get("/points/{point_id:int}/journal", sync_to_thread=True)
def journal(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the events of a period, newest first, fifty at a time."""
    who = signed_in(request)
    made = services(request)
    topic = one_of(request, "topic", {"": "", **TOPICS}, "")
    after = read_place(request.query_params.get("after", ""))
    spans: list[DaySpan] = []

    def choose(today: date) -> EventFilter:
        span = _span(request, today)
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


def journal_file(request: AnyRequest, point_id: FromPath[int]) -> Response[Any]:
    """Give all events of the period and the topic as a file, whatever page is looked at."""
    who = signed_in(request)
    made = services(request)
    topic = one_of(request, "topic", {"": "", **TOPICS}, "")
    spans: list[DaySpan] = []

    def choose(today: date) -> EventFilter:
        span = _span(request, today)
        spans.append(span)
        return EventFilter(first=span.first, last=span.last, kinds=KINDS_OF.get(topic, ()))

    card, pages = made.pages.events_of(who, known_id(point_id), choose)
    now, span = made.pages.clock(), spans[-1]
    head = head_of(card, now, "journal")
    facts = head_facts(
        head, gettext("Event journals"), period=span.label(head.today),
        zone=f"{time_words(card, now)} {_clock_words(card.connection.drift_s)}".strip(),
    )  # fmt: skip
    if topic:
        facts.append((gettext("Kind of event"), gettext(TOPICS[topic][0])))
    columns = [
        gettext("Begun"), gettext("Ended"), gettext("Kind of event"), gettext("Severity"),
        gettext("Event"), gettext("Note"), gettext("Quality"), gettext("Meter's clock"),
        gettext("Meter"),
    ]  # fmt: skip
    name = f"journal-{head.id}-{span.first}-{span.last}"
    rows = (
        _sheet_row(event, made.terms.get(page.drivers.get(event.meter_id, ""), NO_TERMS), head)
        for page in pages
        for event in page.events
    )
    return download(request, Sheet(name, facts, [Column(title) for title in columns], rows))


def _sheet_row(event: EventView, terms: Terms, head: PointHead) -> list[Cell]:
    row = event_row(event, terms, head.today, None)
    ended = event.ended_local
    return [
        event.began_local.replace(tzinfo=None),
        None if ended is None else ended.replace(tzinfo=None),
        gettext(TOPICS[topic_of(event.kind)][0]),
        gettext(SEVERITIES[event.severity]),
        row.title,
        row.note or None,
        _quality(event),
        row.aside or None,
        event.serial,
    ]


def _quality(event: EventView) -> str:
    """Say how well the times are known."""
    if event.open:
        return gettext("Goes on")
    return gettext("End unknown") if event.end_unknown else gettext("Measured")


def _span(request: AnyRequest, today: date) -> DaySpan:
    return day_span(request, today, DaySpan(month_start(today), month_end(today)), MOST_DAYS)


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
        (
            each.began_local.date(),
            event_row(each, spoken.get(each.meter_id, NO_TERMS), today, _report(found, each)),
        )
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
        older=address(here, span, topic=topic, after=place_in(*events.next))
        if events.next
        else None,
        newest=address(here, span, topic=topic) if paged else None,
        clamped=span.clamped,
    )


def _report(found: JournalPage, event: EventView) -> str | None:
    """Give the address of an appeal about an event; what is nobody's harm needs none."""
    if not found.appeals or event.severity is Severity.INFO:
        return None
    card = found.card
    return f"/contracts/{card.contract_id}/appeals/new?point={card.id}&event={event.id}"


def _clock_words(drift_s: float | None) -> str:
    if drift_s is None or abs(drift_s) < DRIFT_WORTH_SAYING_S:
        return ""
    ahead = timedelta(seconds=round(abs(drift_s)))
    if drift_s > 0:
        return gettext("The meter's clock is fast by %(time)s.") % {"time": duration(ahead)}
    return gettext("The meter's clock is slow by %(time)s.") % {"time": duration(ahead)}


router = Router(
    "/",
    route_handlers=[journal, *files("/points/{point_id:int}/journal", journal_file)],
)
