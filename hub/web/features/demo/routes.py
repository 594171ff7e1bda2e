"""Letters of the demonstration, read on a page: anybody may, for they confirm the sign-in."""

from typing import Any

from litestar import Router, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from hub.services.mail import DemoMail, kept_mail, kept_mails
from hub.web.features.demo.views import Letter
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services


def only_in_the_demo(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """Keep the letters of a real installation unreachable."""
    if not connection.app.state.settings.demo:
        raise NotFoundException


@get("/", sync_to_thread=True)
def mailbox(request: AnyRequest) -> Response[str]:
    letters = [_letter(request, mail) for mail in kept_mails(services(request).store)]
    return respond(request, "demo/mail.html", fragment="letters", context={"letters": letters})


@get("/{mail_id:int}", sync_to_thread=True)
def letter(request: AnyRequest, mail_id: FromPath[int]) -> Response[str]:
    mail = kept_mail(services(request).store, known_id(mail_id))
    if mail is None:
        raise NotFoundException
    return respond(request, "demo/letter.html", context={"letter": _letter(request, mail)})


def _letter(request: AnyRequest, mail: DemoMail) -> Letter:
    base: str = request.app.state.settings.base_url
    return Letter(
        id=mail.id,
        to=mail.recipient,
        subject=mail.subject,
        sent_at=mail.at.astimezone(),
        text=mail.text,
        link=mail.link.removeprefix(base) or None,
    )


router = Router(
    "/demo/mail",
    route_handlers=[mailbox, letter],
    guards=[only_in_the_demo],
)
