"""The phone that takes SMS: a code is sent there, and typed here."""

from litestar import post
from litestar.response import Response

from hub.errors import InputRefused, Missing, TooManyAttempts
from hub.services.phones import Phones, PhoneView
from hub.web.features.account.page import own_form, refused, show, status_of
from hub.web.features.account.views import DataView, PhoneCard
from hub.web.kit import flash
from hub.web.kit.forms import Form
from hub.web.kit.i18n import gettext
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import signed_in

HERE = "/account#phone-form"


def phone_card(request: AnyRequest, form: Form | None = None) -> PhoneCard | None:
    """Show how it stands with the phone; None where no SMS is sent from here."""
    phones = services(request).phones
    if phones is None:
        return None
    found: PhoneView = phones.look(signed_in(request).user_id)
    return PhoneCard(found.told, found.confirmed, found.asked, found.proven, form or Form())


@post("/account/phone", sync_to_thread=True, status_code=200, page="/account")
def ask_code(request: AnyRequest) -> Response[str]:
    """Send a code to the phone that the person told."""
    try:
        _phones(request).ask(signed_in(request).user_id)
    except (InputRefused, TooManyAttempts) as error:
        return _card(request, refused(error, {}), status_of(error))
    if wants_fragment(request):
        return _card(request, Form(), 200)
    return redirect(request, HERE)


@post("/account/phone/confirm", sync_to_thread=True, status_code=200, page="/account")
def confirm_phone(request: AnyRequest, data: Typed) -> Response[str]:
    """Take the code; SMS goes to the phone from now on."""
    typed = data.get("phone_code", "")
    try:
        number = _phones(request).confirm(signed_in(request).user_id, typed)
    except (InputRefused, TooManyAttempts) as error:
        return _card(request, refused(error, {"phone_code": typed}), status_of(error))
    answer = redirect(request, "/account/notifications")
    words = gettext("The phone %(phone)s is confirmed. Choose what is sent there.")
    flash.put(request, answer, Flash(words % {"phone": number}))
    return answer


def _phones(request: AnyRequest) -> Phones:
    phones = services(request).phones
    if phones is None:
        raise Missing
    return phones


def _card(request: AnyRequest, form: Form, status: int) -> Response[str]:
    who = signed_in(request)
    own = own_form(services(request).persons.look(who.user_id))
    view = DataView(who.email, own, theme=who.theme, phone=phone_card(request, form))
    return show(request, "account/data.html", "phone_form", view, status)
