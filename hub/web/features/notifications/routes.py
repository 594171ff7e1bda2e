"""Notifications of a contract: the list, one opened, all marked as read."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.notices import Source
from hub.errors import Missing
from hub.services import notices as told
from hub.services.notice_words import source_words, words_of
from hub.services.sentences import Terms
from hub.web.features.notifications import stream
from hub.web.features.notifications.views import NoticesView, NoticeView
from hub.web.kit import flash
from hub.web.kit.i18n import gettext, ngettext
from hub.web.kit.messages import notice_row
from hub.web.kit.point_head import known_id, local
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import redirect, respond
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.views import Choice
from hub.web.kit.visitor import frame, signed_in

MOST_PAGES = 10_000


@get("/contracts/{contract_id:int}/notifications", sync_to_thread=True)
def section(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    """List a page; what is shown here is not read by that."""
    who, made = signed_in(request), services(request).notices
    only_unread = request.query_params.get("show") == "unread"
    page = _page(request.query_params.get("page", "1"))
    found = made.page(who, known_id(contract_id), page, only_unread=only_unread)
    if page > 1 and not found.items:
        raise Missing
    return respond(
        request,
        "notifications/list.html",
        fragment="notes",
        context={"view": _list(found, contract_id, made.clock(), only_unread=only_unread)},
        shell=lambda: frame(request, found.shell, "notifications"),
    )


@get("/notifications/{notice_id:int}", sync_to_thread=True)
def opened(request: AnyRequest, notice_id: FromPath[int]) -> Response[str]:
    """Open one, which marks it as read."""
    who, made = signed_in(request), services(request).notices
    found = made.open(who, known_id(notice_id))
    return respond(
        request,
        "notifications/one.html",
        context={"view": _one(found, made.clock(), services(request).terms)},
        shell=lambda: frame(request, found.shell, "notifications"),
    )


@post(
    "/contracts/{contract_id:int}/notifications/read",
    sync_to_thread=True,
    status_code=200,
    page="/contracts/{contract_id}/notifications",
)
def read_all(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    who = signed_in(request)
    count = services(request).notices.read_all(who.user_id, known_id(contract_id))
    answer = redirect(request, f"/contracts/{contract_id}/notifications")
    if count:
        words = ngettext(
            "%(num)s notification is marked as read.",
            "%(num)s notifications are marked as read.",
            count,
        )
        flash.put(request, answer, Flash(words % {"num": count}))
    return answer


def _page(text: str) -> int:
    """Read a page's number; what is none is a page that is not there."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_PAGES):
        raise Missing
    return int(text)


def _list(
    found: told.NoticesPage,
    contract_id: int,
    now: datetime,
    *,
    only_unread: bool,
) -> NoticesView:
    here = f"/contracts/{contract_id}/notifications"
    kept = "&show=unread" if only_unread else ""
    unread = found.shell.unread
    return NoticesView(
        contract_id=contract_id,
        unread=unread,
        rows=tuple(notice_row(item, found.time_zone) for item in found.items),
        filters=(
            Choice(gettext("All"), here, not only_unread),
            Choice(
                f"{gettext('Unread')} {unread}" if unread else gettext("Unread"),
                f"{here}?show=unread",
                only_unread,
            ),
        ),
        newer=f"{here}?page={found.page - 1}{kept}" if found.page > 1 else None,
        older=f"{here}?page={found.page + 1}{kept}" if found.more else None,
        now=now.astimezone(ZoneInfo(found.time_zone)),
        here=here,
        newest=found.newest,
    )


def _one(found: told.NoticePage, now: datetime, terms: Mapping[str, Terms]) -> NoticeView:
    item, zone = found.notice, found.time_zone
    worded = words_of(item, terms)
    event = None
    if worded.event_on is not None and item.point_id:
        days = f"from={worded.event_on}&to={worded.event_on}"
        event = f"/points/{item.point_id}/journal?{days}#event-{item.facts['event']}"
    return NoticeView(
        back=f"/contracts/{item.contract_id}/notifications",
        title=worded.title,
        source=source_words(item.source),
        at=item.published_at.astimezone(ZoneInfo(zone)),
        paragraphs=worded.paragraphs,
        from_at=local(item.from_at, zone),
        to_at=local(item.to_at, zone),
        appeal_href=f"/appeals/{item.appeal_id}" if item.appeal_id else None,
        point_href=f"/points/{item.point_id}" if item.point_id else None,
        event_href=event,
        of_rule=item.source == Source.RULE,
        now=now.astimezone(ZoneInfo(zone)),
    )


router = Router(
    "/",
    route_handlers=[section, opened, read_all, stream.events, stream.signs],
)
