"""What all pages of «Профиль» do alike."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from litestar.response import Response

from hub.errors import HubError, InputRefused, TooManyAttempts
from hub.services.persons import PersonView
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import Form
from hub.web.kit.i18n import language
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.visitor import frame, signed_in

INVALID, TOO_MANY = 422, 429
TIME_ZONE = ZoneInfo("Europe/Moscow")


def own_form(person: PersonView) -> Form:
    return Form(
        {
            "full_name": person.full_name,
            "phone": person.phone,
            "language": person.language or language.get(),
        }
    )


def refused(error: InputRefused | TooManyAttempts, values: Mapping[str, str]) -> Form:
    """Give the form again, with what was typed and what is wrong."""
    if isinstance(error, InputRefused):
        return Form(values, field_words(error))
    return Form(values, alert=error_words(error))


def status_of(error: HubError) -> int:
    return TOO_MANY if isinstance(error, TooManyAttempts) else INVALID


def show(
    request: AnyRequest, page: str, fragment: str | None, view: object, status: int
) -> Response[str]:
    made, who = services(request), signed_in(request)
    return respond(
        request,
        page,
        fragment=fragment,
        context={"view": view},
        shell=lambda: frame(request, made.shell.look(who)),
        status=status,
    )
