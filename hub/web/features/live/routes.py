"""«Мгновенные значения»: the page, which asks the meter again as long as somebody looks."""

from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.services.live import LASTS
from hub.web.features.live.present import live_view
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import redirect, respond, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.visitor import frame, signed_in


@get("/points/{point_id:int}/live", sync_to_thread=True)
def show(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the last values; ``paused``: without asking for more."""
    now = int(services(request).live.clock().timestamp())
    return _page(request, point_id, since=now, paused="paused" in request.query_params)


@post("/points/{point_id:int}/live", sync_to_thread=True, status_code=200)
def ask(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Have the meter asked, within the limits of ``hub.services.live``, and show what is known.

    ``since`` in the address tells when a page began to ask by itself.
    """
    made = services(request).live
    now = int(made.clock().timestamp())
    told = request.query_params.get("since", "")
    since = int(told) if told.isascii() and told.isdecimal() and len(told) < 12 else now  # noqa: PLR2004
    who = signed_in(request)
    if now - since <= LASTS.total_seconds():
        made.ask(who, known_id(point_id))
    if not wants_fragment(request):
        return redirect(request, f"/points/{point_id}/live")
    return _page(request, point_id, since=since)


def _page(request: AnyRequest, point_id: int, *, since: int, paused: bool = False) -> Response[str]:
    who, made = signed_in(request), services(request).live
    found = made.look(who, known_id(point_id))
    first = request.method == "GET"
    view = live_view(found, made.clock(), paused=paused, since=since, first=first)
    return respond(
        request,
        "live/values.html",
        fragment="live_now",
        context={"view": view},
        shell=lambda: frame(request, found.shell, "points"),
    )


router = Router("/", route_handlers=[show, ask])
