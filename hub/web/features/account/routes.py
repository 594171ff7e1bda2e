"""«Профиль»: the person's own data, a new password, the sessions."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from litestar import Router, get, post
from litestar.response import Response

from hub.errors import InputRefused, Missing, TooManyAttempts
from hub.services.persons import NewPassword, SessionView
from hub.web.features.account.views import DataView, SecurityView, SessionRow
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.formats import moment
from hub.web.kit.forms import Form
from hub.web.kit.i18n import gettext
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, respond, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import frame, session_of, signed_in

INVALID, TOO_MANY = 422, 429
TIME_ZONE = ZoneInfo("Europe/Moscow")
# What a browser calls itself, most telling first.
BROWSERS = (("YaBrowser", "Яндекс Браузер"), ("Edg", "Edge"), ("OPR", "Opera"),
            ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
SMALL = re.compile(r"Android|iPhone|Mobile")


# -- data --------------------------------------------------------------------------------------


@get("/account", sync_to_thread=True)
def data_page(request: AnyRequest) -> Response[str]:
    person = services(request).persons.look(signed_in(request).user_id)
    return _data(request, Form({"full_name": person.full_name, "phone": person.phone}))


@post("/account", sync_to_thread=True, status_code=200)
def change_data(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    values = {name: data.get(name, "") for name in ("full_name", "phone")}
    try:
        services(request).persons.change(who.user_id, values["full_name"], values["phone"])
    except InputRefused as error:
        return _data(request, Form(values, field_words(error)))
    answer = redirect(request, "/account")
    flash.put(request, answer, Flash(gettext("Saved. The name is in the header already.")))
    return answer


def _data(request: AnyRequest, form: Form) -> Response[str]:
    who = signed_in(request)
    fragment = "data_form" if form.failed else "tab"
    return _page(request, "account/data.html", fragment, DataView(who.email, form), form.status)


# -- security ----------------------------------------------------------------------------------


@get("/account/security", sync_to_thread=True)
def security_page(request: AnyRequest) -> Response[str]:
    return _security(request, Form(), "tab")


@post("/account/password", sync_to_thread=True, status_code=200)
def change_password(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    typed = NewPassword(*(data.get(name, "") for name in ("current", "password", "password_again")))
    try:
        services(request).persons.change_password(who.user_id, session_of(request), typed)
    except InputRefused as error:
        return _security(request, Form(errors=field_words(error)), "password_form")
    except TooManyAttempts as error:
        form = Form(alert=error_words(error))
        return _security(request, form, "password_form", TOO_MANY)
    answer = redirect(request, "/account/security")
    flash.put(
        request, answer, Flash(gettext("The password is changed. Other sessions have ended."))
    )
    return answer


@post("/account/sessions/end", sync_to_thread=True, status_code=200)
def end_sessions(request: AnyRequest, data: Typed) -> Response[str]:
    """End the session that is named, or all but this one."""
    who, persons = signed_in(request), services(request).persons
    named = data.get("session", "")
    try:
        if named:
            persons.end_session(who.user_id, named)
        else:
            persons.end_others(who.user_id, session_of(request))
    except Missing:
        pass  # it has ended meanwhile, which is what was wanted
    if wants_fragment(request):
        return _security(request, Form(), "sessions")
    answer = redirect(request, "/account/security")
    words = (
        gettext("The session has ended.") if named else gettext("The other sessions have ended.")
    )
    flash.put(request, answer, Flash(words))
    return answer


def _security(
    request: AnyRequest, form: Form, fragment: str, status: int | None = None
) -> Response[str]:
    who = signed_in(request)
    rows = services(request).persons.sessions(who.user_id, session_of(request))
    view = SecurityView(tuple(_row(each) for each in rows), form)
    return _page(request, "account/security.html", fragment, view, status or form.status)


def _row(session: SessionView) -> SessionRow:
    agent = session.device
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    device = ", ".join(part for part in (browser, system) if part)
    seen = moment(session.seen_at.astimezone(TIME_ZONE), datetime.now(UTC).astimezone(TIME_ZONE))
    return SessionRow(
        session.id_hash,
        device or gettext("Unknown browser"),
        "smartphone" if SMALL.search(agent) else "monitor",
        ", ".join(part for part in (session.address, "" if session.own else seen) if part),
        session.own,
    )


def _page(
    request: AnyRequest, page: str, fragment: str, view: DataView | SecurityView, status: int
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


router = Router(
    "/",
    route_handlers=[data_page, change_data, security_page, change_password, end_sessions],
    include_in_schema=False,
)
