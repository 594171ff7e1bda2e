"""What keeps open pages fresh: one stream of events, and the signs of the frame to be fetched."""

import json
from collections.abc import AsyncIterator
from functools import partial

from anyio import to_thread
from litestar import get
from litestar.response import Response, ServerSentEvent, ServerSentEventMessage

from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.visitor import frame, session_of, signed_in

AGAIN_MS = 5000  # a lost stream is opened again
NO_MORE = 204  # tells the browser not to come again
SECTIONS = {"home", "points", "notifications", "appeals"}


@get("/events")
async def events(request: AnyRequest) -> Response[str] | ServerSentEvent:
    """Tell which notifications are unread, contract by contract, now and whenever that changes."""
    who = await to_thread.run_sync(signed_in, request)
    watch, session = services(request).watch, session_of(request)
    if watch.full(session):
        return Response("", status_code=NO_MORE)
    lasts = partial(services(request).accounts.lasts, session)

    async def told() -> AsyncIterator[ServerSentEventMessage]:
        yield ServerSentEventMessage(retry=AGAIN_MS, comment="hub")
        async for unread in watch.follow(session, who.user_id, lasts):
            if unread is None:
                yield ServerSentEventMessage(comment="still here")
            else:
                yield ServerSentEventMessage(event="unread", data=json.dumps(unread))

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return ServerSentEvent(told(), headers=headers)


@get("/signs", sync_to_thread=True)
def signs(request: AnyRequest) -> Response[str]:
    """Give the parts of the frame that unread notifications change; Missing as the page is."""
    who = signed_in(request)
    asked = request.query_params
    contract, section = asked.get("contract", ""), asked.get("section", "")
    number = int(contract[:19]) if contract.isascii() and contract.isdecimal() else None
    view = services(request).shell.look(who, None if number is None else known_id(number))
    shell = frame(request, view, section if section in SECTIONS else "")
    return respond(request, "kit/signs.html", shell=shell)
