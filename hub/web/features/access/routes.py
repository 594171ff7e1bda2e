"""Sign-in, registration with its letter, sign-out, and the person's own data.

The page «check your mail» is reached by a redirect; which address it names travels in a signed
cookie, so that no e-mail stands in an address or a log.
"""

import math
from datetime import UTC, datetime
from typing import Annotated

from litestar import Router, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from hub.errors import (
    EmailTaken,
    HubError,
    InputRefused,
    LinkSpent,
    NotConfirmed,
    SignInRefused,
    TooManyAttempts,
)
from hub.services.accounts import CONFIRM_LASTS, MailSent, Registration, check_registration
from hub.settings import Settings
from hub.web.features.access.views import (
    ConfirmView,
    LoginView,
    ProfileView,
    RegisterView,
    SentView,
)
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import FieldError, Form
from hub.web.kit.i18n import gettext, language
from hub.web.kit.requests import AnyRequest, Typed, client_address
from hub.web.kit.respond import local_path, redirect, respond
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import begin, forget, frame, session_of, signed_in, visitor

PENDING_COOKIE = "pending"
PENDING_S = int(CONFIRM_LASTS.total_seconds())
INVALID, TOO_MANY, GONE = 422, 429, 410
REMEMBER = "remember"
REGISTER_FIELDS = ("email", "full_name", "phone", "password", "password_again")


# -- sign-in -----------------------------------------------------------------------------------


@get("/login", sync_to_thread=True)
def login_page(
    request: AnyRequest, to: Annotated[str, QueryParameter(name="next")] = "/"
) -> Response[str]:
    if visitor(request) is not None:
        return redirect(request, local_path(to))
    form = Form({REMEMBER: "1"})
    return _login(request, form, local_path(to))


@post("/login", sync_to_thread=True, status_code=200)
def sign_in(request: AnyRequest, data: Typed) -> Response[str]:
    email, to = data.get("email", ""), local_path(data.get("next"))
    remember = bool(data.get(REMEMBER))
    accounts = services(request).accounts
    try:
        session = accounts.sign_in(
            email,
            data.get("password", ""),
            client_address(request),
            request.headers.get("user-agent", ""),
            remember=remember,
        )
    except (SignInRefused, NotConfirmed, TooManyAttempts) as error:
        values = {"email": email, REMEMBER: data.get(REMEMBER, "")}
        unconfirmed = isinstance(error, NotConfirmed)
        form = Form(values, alert=error_words(error))
        answer = _login(request, form, to, resend=unconfirmed, status=_status(error))
        if unconfirmed:
            _remember_letter(request, answer, email, None)
        return answer
    accounts.sign_out(session_of(request))
    answer = redirect(request, to)
    begin(request, answer, session, remember=remember)
    return answer


def _login(
    request: AnyRequest, form: Form, to: str, *, resend: bool = False, status: int = 200
) -> Response[str]:
    settings: Settings = request.app.state.settings
    email, _, password = settings.demo_login.partition(" ") if settings.demo else ("", "", "")
    view = LoginView(form, to, email, password, resend)
    return respond(
        request,
        "access/login.html",
        fragment="login_form",
        context={"view": view},
        status=status,
    )


def _status(error: HubError) -> int:
    return TOO_MANY if isinstance(error, TooManyAttempts) else INVALID


@post("/logout", sync_to_thread=True, status_code=200)
def sign_out(request: AnyRequest) -> Response[str]:
    services(request).accounts.sign_out(session_of(request))
    answer = redirect(request, "/login")
    forget(request, answer)
    return answer


# -- registration ------------------------------------------------------------------------------


@get("/register", sync_to_thread=True)
def register_page(request: AnyRequest) -> Response[str]:
    return _register(request, Form())


@post("/register", sync_to_thread=True, status_code=200)
def register(request: AnyRequest, data: Typed) -> Response[str]:
    values = {name: data.get(name, "") for name in REGISTER_FIELDS[:3]}
    typed = Registration(
        **values,
        password=data.get("password", ""),
        password_again=data.get("password_again", ""),
        language=language.get(),
    )
    wrong = _wrong(typed)
    if wrong:
        return _register(request, Form(values, field_words(InputRefused(wrong))), INVALID)
    try:
        sent = services(request).accounts.register(typed, client_address(request))
    except EmailTaken:
        taken = field_words(InputRefused({"email": EmailTaken.code}))
        return _register(request, Form(values, taken), INVALID)
    except TooManyAttempts as error:
        return _register(request, Form(values, alert=error_words(error)), TOO_MANY)
    answer = redirect(request, "/register/sent")
    _remember_letter(request, answer, sent.email, sent)
    return answer


def _wrong(typed: Registration) -> dict[str, str]:
    """Say what is wrong in the form; here a phone is asked for, an administrator may leave it."""
    wrong = {} if typed.phone.strip() else {"phone": "account.phone_empty"}
    try:
        check_registration(typed)
    except InputRefused as refused:
        wrong |= refused.fields
    return {name: wrong[name] for name in REGISTER_FIELDS if name in wrong}


def _register(request: AnyRequest, form: Form, status: int = 200) -> Response[str]:
    return respond(
        request,
        "access/register.html",
        fragment="register_form",
        context={"view": RegisterView(form)},
        status=status,
    )


@get("/register/sent", sync_to_thread=True)
def sent_page(request: AnyRequest) -> Response[str]:
    match flash.kept(request, PENDING_COOKIE):
        case [email, again_at]:
            return _sent(request, email, again_at)
        case _:
            return redirect(request, "/register")


@post("/register/resend", sync_to_thread=True, status_code=200)
def resend(request: AnyRequest, data: Typed) -> Response[str]:
    email = data.get("email", "")
    try:
        sent = services(request).accounts.resend(email, client_address(request))
    except TooManyAttempts as error:
        return _sent(request, email, alert=error_words(error), status=TOO_MANY)
    except InputRefused:
        return redirect(request, "/register")
    answer = _sent(request, sent.email, sent.again_at.isoformat())
    _remember_letter(request, answer, sent.email, sent)
    return answer


def _sent(
    request: AnyRequest,
    email: str,
    again_at: str = "",
    *,
    alert: FieldError | None = None,
    status: int = 200,
) -> Response[str]:
    wait = 0.0
    if again_at:
        wait = (datetime.fromisoformat(again_at) - datetime.now(UTC)).total_seconds()
    view = SentView(
        email=email,
        hours=PENDING_S // 3600,
        wait_seconds=max(0, math.ceil(wait)),
        demo=request.app.state.settings.demo,
        alert=alert,
    )
    return respond(
        request, "access/sent.html", fragment="resend", context={"view": view}, status=status
    )


def _remember_letter(
    request: AnyRequest, answer: Response[str], email: str, sent: MailSent | None
) -> None:
    again_at = sent.again_at.isoformat() if sent else ""
    flash.keep(request, answer, PENDING_COOKIE, [email, again_at], PENDING_S)


@get("/register/confirm/{token:str}", sync_to_thread=True)
def confirm_page(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Show the button; opening the link, as mail scanners do, spends nothing."""
    return _confirm(request, token, usable=services(request).accounts.link_works(token))


@post("/register/confirm/{token:str}", sync_to_thread=True, status_code=200)
def confirm(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    try:
        services(request).accounts.confirm(token)
    except LinkSpent:
        return _confirm(request, token, usable=False)
    answer = redirect(request, "/login")
    flash.put(request, answer, Flash(gettext("The e-mail is confirmed. Now sign in.")))
    return answer


def _confirm(request: AnyRequest, token: str, *, usable: bool) -> Response[str]:
    view = ConfirmView(token, usable)
    return respond(
        request, "access/confirm.html", context={"view": view}, status=200 if usable else GONE
    )


# -- the person --------------------------------------------------------------------------------


@get("/account", sync_to_thread=True)
def account(request: AnyRequest) -> Response[str]:
    who = signed_in(request)
    made = services(request)
    person = made.accounts.person(who.user_id)
    view = ProfileView(person.full_name, person.email, person.phone or None)
    return respond(
        request,
        "access/profile.html",
        context={"view": view},
        shell=lambda: frame(request, made.shell.look(who)),
    )


router = Router(
    "/",
    route_handlers=[
        login_page, sign_in, sign_out, register_page, register, sent_page, resend,
        confirm_page, confirm, account,
    ],
    include_in_schema=False,
)  # fmt: skip
