"""«Профиль»: the person's own data, a new password, the sessions."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import segno
from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response, Stream

from hub.errors import InputRefused, LinkSpent, Missing, TooManyAttempts
from hub.services.persons import NewPassword, SessionView
from hub.web.features.account import channels, phone, rules, tokens
from hub.web.features.account.page import TIME_ZONE, own_form, refused, show, status_of
from hub.web.features.account.views import (
    CodesView,
    DataView,
    DeleteView,
    EmailView,
    FactorView,
    SecurityView,
    SessionRow,
)
from hub.web.kit import flash
from hub.web.kit.error_words import field_words
from hub.web.kit.formats import day, moment
from hub.web.kit.forms import Form
from hub.web.kit.i18n import gettext, language
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.typed import opened, sent
from hub.web.kit.visitor import forget, session_of, signed_in, speak

GONE = 410
NOTHING = Form()
# What a browser calls itself, most telling first.
BROWSERS = (("YaBrowser", "Яндекс Браузер"), ("Edg", "Edge"), ("OPR", "Opera"),
            ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
SMALL = re.compile(r"Android|iPhone|Mobile")


# -- data --------------------------------------------------------------------------------------


@get("/account", sync_to_thread=True)
def data_page(request: AnyRequest) -> Response[str]:
    who = signed_in(request)
    person = services(request).persons.look(who.user_id)
    form = opened(request, who.user_id, own_form(person).values)
    return _data(request, form, opened(request, who.user_id, {}, "/account/email"))


@post("/account/theme", sync_to_thread=True, status_code=200, page="/account")
def change_theme(request: AnyRequest, data: Typed) -> Response[str]:
    """Keep how pages look; the whole page comes again, in the new look."""
    with suppress(InputRefused):  # the page shows what is kept
        services(request).persons.change_theme(signed_in(request).user_id, data.get("theme", ""))
    return redirect(request, "/account")


@post("/account", sync_to_thread=True, status_code=200, keeps="full_name|phone|language")
def change_data(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    values = {name: data.get(name, "") for name in ("full_name", "phone", "language")}
    try:
        services(request).persons.change(who.user_id, **values)
    except InputRefused as error:
        return _data(request, Form(values, field_words(error)))
    sent(request, who.user_id)
    answer = redirect(request, "/account")
    speak(request, answer, values["language"])
    token = language.set(values["language"])
    flash.put(request, answer, Flash(gettext("Saved. The name is in the header already.")))
    language.reset(token)
    return answer


def _data(request: AnyRequest, form: Form, email_form: Form = NOTHING) -> Response[str]:
    who = signed_in(request)
    fragment = "data_form" if form.failed else "tab"
    card = phone.phone_card(request)
    view = DataView(who.email, form, email_form, theme=who.theme, phone=card)
    return show(request, "account/data.html", fragment, view, form.status)


@post("/account/email", sync_to_thread=True, status_code=200, keeps="email", page="/account")
def change_email(request: AnyRequest, data: Typed) -> Response[str]:
    """Send a link to the new address; the answer is the same if somebody has it already."""
    who, persons = signed_in(request), services(request).persons
    email = data.get("email", "")
    try:
        new = persons.change_email(who.user_id, email, data.get("email_password", ""))
    except (InputRefused, TooManyAttempts) as error:
        form = refused(error, {"email": email})
        person = persons.look(who.user_id)
        card = phone.phone_card(request)
        view = DataView(who.email, own_form(person), form, theme=who.theme, phone=card)
        return show(request, "account/data.html", "email_form", view, status_of(error))
    sent(request, who.user_id)
    answer = redirect(request, "/account")
    words = gettext("We have sent a letter to %(email)s. The old address works until then.")
    flash.put(request, answer, Flash(words % {"email": new}))
    return answer


@get("/account/email/{token:str}", sync_to_thread=True)
def email_page(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Show the button; opening the link spends nothing."""
    email = services(request).persons.new_email(signed_in(request).user_id, token)
    return show(
        request, "account/email.html", None, EmailView(token, email), 200 if email else GONE
    )


@post("/account/email/{token:str}", sync_to_thread=True, status_code=200)
def confirm_email(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    who = signed_in(request)
    try:
        new = services(request).persons.confirm_email(who.user_id, token)
    except LinkSpent:
        return show(request, "account/email.html", None, EmailView(token, ""), GONE)
    answer = redirect(request, "/account")
    words = gettext("The e-mail is now %(email)s.")
    flash.put(request, answer, Flash(words % {"email": new}))
    return answer


# -- taking the data along, leaving ------------------------------------------------------------


@post("/account/archive", sync_to_thread=True, status_code=200, page="/account")
def take_archive(request: AnyRequest, data: Typed) -> Response[Any]:
    """Give all that is kept of the person as a ZIP, while it is made."""
    who = signed_in(request)
    try:
        pieces = services(request).leaving.archive(who.user_id, data.get("archive_password", ""))
    except (InputRefused, TooManyAttempts) as error:
        form = refused(error, {})
        own = own_form(services(request).persons.look(who.user_id))
        card = phone.phone_card(request)
        view = DataView(who.email, own, theme=who.theme, archive_form=form, phone=card)
        return show(request, "account/data.html", "archive", view, status_of(error))
    return Stream(
        pieces,
        media_type="application/zip",
        headers={
            "Content-Disposition": 'attachment; filename="my-data.zip"',
            "Cache-Control": "no-store",
        },
    )


@get("/account/delete", sync_to_thread=True)
def delete_page(request: AnyRequest) -> Response[str]:
    """Say what goes and what stays, and ask."""
    return _delete(request, Form(), 200)


@post("/account/delete", sync_to_thread=True, status_code=200)
def delete_account(request: AnyRequest, data: Typed) -> Response[str]:
    who, word = signed_in(request), data.get("word", "")
    try:
        services(request).leaving.delete(who.user_id, data.get("delete_password", ""), word)
    except (InputRefused, TooManyAttempts) as error:
        return _delete(request, refused(error, {"word": word}), status_of(error))
    answer = redirect(request, "/login")
    forget(request, answer)
    words = gettext("The account is deleted. A last letter is on its way to you.")
    flash.put(request, answer, Flash(words))
    return answer


def _delete(request: AnyRequest, form: Form, status: int) -> Response[str]:
    waiting = services(request).leaving.on_the_way(signed_in(request).user_id)
    view = DeleteView(form, waiting)
    return show(request, "account/delete.html", "delete_form", view, status)


# -- security ----------------------------------------------------------------------------------


@get("/account/security", sync_to_thread=True)
def security_page(request: AnyRequest) -> Response[str]:
    return _security(request, Form(), "tab")


@post("/account/password", sync_to_thread=True, status_code=200, page="/account/security")
def change_password(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    typed = NewPassword(*(data.get(name, "") for name in ("current", "password", "password_again")))
    try:
        services(request).persons.change_password(who.user_id, session_of(request), typed)
    except (InputRefused, TooManyAttempts) as error:
        return _security(request, refused(error, {}), "password_form", status_of(error))
    answer = redirect(request, "/account/security")
    flash.put(
        request, answer, Flash(gettext("The password is changed. Other sessions have ended."))
    )
    return answer


@post("/account/sessions/end", sync_to_thread=True, status_code=200, page="/account/security")
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
    request: AnyRequest,
    form: Form,
    fragment: str,
    status: int | None = None,
    *,
    factor: FactorView | None = None,
) -> Response[str]:
    who = signed_in(request)
    rows = services(request).persons.sessions(who.user_id, session_of(request))
    view = SecurityView(factor or _factor(request), tuple(_row(each) for each in rows), form)
    return show(request, "account/security.html", fragment, view, status or form.status)


# -- the code at sign-in -----------------------------------------------------------------------


def _factor_now(request: AnyRequest) -> Response[str]:
    """Show the card as it stands after a step, or the page that it is on."""
    if wants_fragment(request):
        return _security(request, Form(), "factor")
    return redirect(request, "/account/security")


@post("/account/factor", sync_to_thread=True, status_code=200, page="/account/security")
def begin_factor(request: AnyRequest) -> Response[str]:
    """Make a secret and show it; it comes into force with its first code."""
    who, factors = signed_in(request), services(request).second_factors
    with suppress(InputRefused):  # it is in force already, and the page says so
        factors.begin(who.user_id, who.email, str(request.app.state.brand))
    return _factor_now(request)


@post("/account/factor/sms", sync_to_thread=True, status_code=200, page="/account/security")
def begin_sms_factor(request: AnyRequest) -> Response[str]:
    """Send a code to the confirmed phone; typed, it brings codes by SMS into force."""
    try:
        services(request).second_factors.begin_sms(signed_in(request).user_id)
    except (InputRefused, TooManyAttempts) as error:
        return _factor_refused(request, error)
    return _factor_now(request)


@post("/account/factor/send", sync_to_thread=True, status_code=200, page="/account/security")
def send_factor_code(request: AnyRequest) -> Response[str]:
    """Send one more code by SMS."""
    try:
        services(request).second_factors.send(signed_in(request).user_id)
    except TooManyAttempts as error:
        return _factor_refused(request, error)
    return _factor_now(request)


@post("/account/factor/on", sync_to_thread=True, status_code=200, page="/account/security")
def turn_factor_on(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    try:
        codes = services(request).second_factors.turn_on(who.user_id, data.get("code", ""))
    except (InputRefused, TooManyAttempts) as error:
        return _factor_refused(request, error)
    return show(request, "account/codes.html", None, CodesView(tuple(codes)), 200)


@post("/account/factor/codes", sync_to_thread=True, status_code=200, page="/account/security")
def new_codes(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    try:
        codes = services(request).second_factors.new_codes(who.user_id, data.get("code", ""))
    except (InputRefused, TooManyAttempts) as error:
        return _factor_refused(request, error)
    return show(request, "account/codes.html", None, CodesView(tuple(codes)), 200)


@post("/account/factor/off", sync_to_thread=True, status_code=200, page="/account/security")
def turn_factor_off(request: AnyRequest, data: Typed) -> Response[str]:
    who = signed_in(request)
    try:
        services(request).second_factors.turn_off(who.user_id, data.get("code", ""))
    except (InputRefused, TooManyAttempts) as error:
        return _factor_refused(request, error)
    answer = redirect(request, "/account/security")
    flash.put(request, answer, Flash(gettext("No code is asked for any more.")))
    return answer


def _factor_refused(request: AnyRequest, error: InputRefused | TooManyAttempts) -> Response[str]:
    factor = _factor(request, refused(error, {}))
    return _security(request, Form(), "factor", status_of(error), factor=factor)


def _factor(request: AnyRequest, form: Form | None = None) -> FactorView:
    who, factors = signed_in(request), services(request).second_factors
    found = factors.look(who.user_id)
    if found.on_at is not None:
        since = day(found.on_at.astimezone(TIME_ZONE).date())
        return FactorView(form or Form(), since, found.codes_left, phone=found.phone)
    if found.phone:
        return FactorView(form or Form(), phone=found.phone)
    setup = factors.pending(who.user_id, who.email, str(request.app.state.brand))
    if setup is None:
        card = phone.phone_card(request)
        return FactorView(
            form or Form(), sms=card is not None, offer=card.confirmed if card else ""
        )
    groups = " ".join(re.findall(".{1,4}", setup.secret))
    qr = segno.make(setup.address, error="m").svg_data_uri(border=0)
    return FactorView(form or Form(), secret=groups, qr=qr)


# -- alike for all -----------------------------------------------------------------------------


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


router = Router(
    "/",
    route_handlers=[
        data_page, change_data, change_theme, take_archive, delete_page, delete_account,
         change_email, email_page, confirm_email,
        security_page, change_password, end_sessions, begin_factor, turn_factor_on, new_codes,
        turn_factor_off, begin_sms_factor, send_factor_code, channels.channels_page,
        channels.choose_channels, phone.ask_code, phone.confirm_phone, *rules.HANDLERS,
        *tokens.HANDLERS,
    ],
)  # fmt: skip
