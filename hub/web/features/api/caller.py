"""Whose token comes with a call: proven before anything else of it is read."""

from typing import Any

from anyio import to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from hub.errors import TokenRefused
from hub.services.points import PointCard, Points
from hub.services.tokens import Caller
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.services import services

BEARER = "bearer "


async def with_token(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Guard every call by the ``scope`` that its handler names."""
    sent = connection.headers.get("authorization", "")
    if not sent.lower().startswith(BEARER):
        raise TokenRefused
    tokens, secret = connection.app.state.services.tokens, sent[len(BEARER) :].strip()
    found = await to_thread.run_sync(tokens.caller, secret, handler.opt["scope"])
    connection.state.caller = found


def caller(request: AnyRequest) -> Caller:
    found: Caller = request.state.caller
    return found


def own_point(request: AnyRequest, point_id: int) -> PointCard:
    """Give a point that the token may see; Missing for any other."""
    who, made = caller(request), services(request)
    card = Points(made.store, made.pages.clock).card(who.user_id, known_id(point_id))
    who.check(card.contract_id)
    return card
