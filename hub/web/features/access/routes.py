"""Sign-in, registration with its letter, a forgotten password, sign-out.

The page «check your mail» is reached by a redirect; which address it names travels in a signed
cookie, so that no e-mail stands in an address or a log.
"""

import math
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

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
from hub.services.accounts import (
    CODE_WITHIN,
    CONFIRM_LASTS,
    CodeNeeded,
    MailSent,
    NewSession,
    Registration,
    check_registration,
)
from hub.services.processing import ProcessingText
from hub.services.recovery import LASTS as RECOVERY_LASTS
from hub.settings import Settings
from hub.web.features.access.views import (
    CodeView,
    ConfirmView,
    LoginView,
    ProcessingView,
    RecoverSentView,
    RecoverView,
    RegisterView,
    ResetView,
    SentView,
)
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import FieldError, Form
from hub.web.kit.i18n import gettext, language
from hub.web.kit.requests import AnyRequest, Typed, client_address
from hub.web.kit.respond import local_path, redirect, respond, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import begin, forget, session_of, visitor

PENDING_COOKIE = "pending"
PENDING_S = int(CONFIRM_LASTS.total_seconds())
HALF_IN_COOKIE = "half_in"
LAST_DIGITS = 2  # of the phone: whose it is, the password alone does not tell
HALF_IN_S = int(CODE_WITHIN.total_seconds())
RECOVERING_COOKIE = "recovering"
RECOVERING_S = int(RECOVERY_LASTS.total_seconds())
INVALID, TOO_MANY, GONE = 422, 429, 410
REMEMBER = "remember"
CONSENT = "consent"
REGISTER_FIELDS = ("email", "full_name", "phone", "password", "password_again", CONSENT)


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
    if isinstance(session, CodeNeeded):
        answer = redirect(request, f"/login/code?next={quote(to)}")
        flash.keep(request, answer, HALF_IN_COOKIE, [session.token], HALF_IN_S)
        with suppress(TooManyAttempts):  # the page tells of the codes that have come, and of others
            services(request).second_factors.send(accounts.half_in(session.token) or 0)
        return answer
    return _let_in(request, session, to)


def _let_in(request: AnyRequest, session: NewSession, to: str) -> Response[str]:
    services(request).accounts.sign_out(session_of(request))
    answer = redirect(request, to)
    begin(request, answer, session, remember=session.remembered)
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


@get("/login/code", sync_to_thread=True)
def code_page(
    request: AnyRequest, to: Annotated[str, QueryParameter(name="next")] = "/"
) -> Response[str]:
    user_id = _half_in(request)
    if user_id is None:
        return redirect(request, "/login")
    return _code(request, user_id, Form(), local_path(to))


@post("/login/code/send", sync_to_thread=True, status_code=200)
def send_code(request: AnyRequest, data: Typed) -> Response[str]:
    """Send one more code by SMS, to who knew the password a moment ago."""
    user_id, to = _half_in(request), local_path(data.get("next"))
    if user_id is None:
        return redirect(request, "/login")
    try:
        services(request).second_factors.send(user_id)
    except TooManyAttempts as error:
        return _code(request, user_id, Form(alert=error_words(error)), to, TOO_MANY)
    if wants_fragment(request):
        return _code(request, user_id, Form(), to)
    return redirect(request, f"/login/code?next={quote(to)}")


def _half_in(request: AnyRequest) -> int | None:
    token = "".join(flash.kept(request, HALF_IN_COOKIE))
    return services(request).accounts.half_in(token)


@post("/login/code", sync_to_thread=True, status_code=200)
def sign_in_with_code(request: AnyRequest, data: Typed) -> Response[str]:
    """Take the code; the password was right a moment ago, in this browser."""
    made, to = services(request), local_path(data.get("next"))
    token = "".join(flash.kept(request, HALF_IN_COOKIE))
    user_id = made.accounts.half_in(token)
    if user_id is None:
        return redirect(request, "/login")
    try:
        made.second_factors.check(user_id, data.get("code", ""))
        session = made.accounts.sign_in_with_code(
            token, client_address(request), request.headers.get("user-agent", "")
        )
    except InputRefused as error:
        return _code(request, user_id, Form(errors=field_words(error)), to)
    except TooManyAttempts as error:
        return _code(request, user_id, Form(alert=error_words(error)), to, TOO_MANY)
    except LinkSpent:
        return redirect(request, "/login")
    return _let_in(request, session, to)


def _code(
    request: AnyRequest, user_id: int, form: Form, to: str, status: int | None = None
) -> Response[str]:
    phone = services(request).second_factors.look(user_id).phone
    return respond(
        request,
        "access/code.html",
        fragment="code_form",
        context={"view": CodeView(form, to, phone[-LAST_DIGITS:])},
        status=status or form.status,
    )


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
        consent=_processing(request).version if data.get(CONSENT) else "",
        language=language.get(),
    )
    values[CONSENT] = data.get(CONSENT, "")
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
    """Say what is wrong in the form.

    Here a phone and a consent are asked for; an administrator may add a user without.
    """
    wrong = {} if typed.phone.strip() else {"phone": "account.phone_empty"}
    if not typed.consent:
        wrong[CONSENT] = "account.consent_missing"
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


def _processing(request: AnyRequest) -> ProcessingText:
    text: ProcessingText = request.app.state.processing
    return text


@get("/personal-data", sync_to_thread=True)
def processing_page(request: AnyRequest) -> Response[str]:
    """Show the text that registration asks to agree to."""
    text = _processing(request)
    view = ProcessingView(text.parts[language.get()], text.version)
    return respond(request, "access/processing.html", context={"view": view})


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
    return _confirm(request, token, Form())


@post("/register/confirm/{token:str}", sync_to_thread=True, status_code=200)
def confirm(request: AnyRequest, token: FromPath[str], data: Typed) -> Response[str]:
    accounts = services(request).accounts
    same_browser = _registered_here(request, accounts.awaits(token))
    password = None if same_browser else data.get("password", "")
    try:
        accounts.confirm(token, client_address(request), password)
    except LinkSpent:
        return _confirm(request, token, Form())
    except (SignInRefused, TooManyAttempts) as error:
        wrong = FieldError(
            gettext("Type the password of the registration. If you did not register, do nothing."),
            gettext("is wrong"),
        )
        many = isinstance(error, TooManyAttempts)
        form = Form(alert=error_words(error)) if many else Form(errors={"password": wrong})
        return _confirm(request, token, form, _status(error))
    answer = redirect(request, "/login")
    flash.put(request, answer, Flash(gettext("The e-mail is confirmed. Now sign in.")))
    return answer


def _registered_here(request: AnyRequest, email: str) -> bool:
    """Tell whether this very browser sent the registration that the link belongs to."""
    pending = flash.kept(request, PENDING_COOKIE)[:1]
    return bool(email) and [each.strip().casefold() for each in pending] == [email]


def _confirm(request: AnyRequest, token: str, form: Form, status: int = 200) -> Response[str]:
    email = services(request).accounts.awaits(token)
    if not email and wants_fragment(request):
        return redirect(request, request.url.path)
    asks = not _registered_here(request, email)
    view = ConfirmView(token, usable=bool(email), email=email, asks=asks, form=form)
    return respond(
        request,
        "access/confirm.html",
        fragment="confirm_form" if email else None,
        context={"view": view},
        status=status if email else GONE,
    )


# -- recovery ----------------------------------------------------------------------------------


@get("/recover", sync_to_thread=True)
def recover_page(request: AnyRequest) -> Response[str]:
    return _recover(request, Form())


@post("/recover", sync_to_thread=True, status_code=200)
def recover(request: AnyRequest, data: Typed) -> Response[str]:
    """Answer alike whether or not there is such an account."""
    values = {"email": data.get("email", "")}
    try:
        sent = services(request).recovery.ask(values["email"], client_address(request))
    except InputRefused as error:
        return _recover(request, Form(values, field_words(error)), INVALID)
    except TooManyAttempts as error:
        return _recover(request, Form(values, alert=error_words(error)), TOO_MANY)
    answer = redirect(request, "/recover/sent")
    flash.keep(request, answer, RECOVERING_COOKIE, [sent.email], RECOVERING_S)
    return answer


def _recover(request: AnyRequest, form: Form, status: int = 200) -> Response[str]:
    return respond(
        request,
        "access/recover.html",
        fragment="recover_form",
        context={"view": RecoverView(form)},
        status=status,
    )


@get("/recover/sent", sync_to_thread=True)
def recover_sent_page(request: AnyRequest) -> Response[str]:
    match flash.kept(request, RECOVERING_COOKIE):
        case [email]:
            demo = request.app.state.settings.demo
            view = RecoverSentView(email, RECOVERING_S // 60, demo)
            return respond(request, "access/recover_sent.html", context={"view": view})
        case _:
            return redirect(request, "/recover")


@get("/recover/{token:str}", sync_to_thread=True)
def reset_page(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Show the form; opening the link spends nothing."""
    return _reset(request, token, usable=services(request).recovery.link_works(token))


@post("/recover/{token:str}", sync_to_thread=True, status_code=200)
def reset(request: AnyRequest, token: FromPath[str], data: Typed) -> Response[str]:
    recovery = services(request).recovery
    try:
        recovery.reset(token, data.get("password", ""), data.get("password_again", ""))
    except InputRefused as error:
        usable = recovery.link_works(token)
        return _reset(request, token, usable=usable, form=Form(errors=field_words(error)))
    except TooManyAttempts as error:
        return _reset(request, token, usable=True, form=Form(alert=error_words(error)))
    except LinkSpent:
        return _reset(request, token, usable=False)
    answer = redirect(request, "/login")
    forget(request, answer)
    flash.put(request, answer, Flash(gettext("The new password is set. Now sign in with it.")))
    return answer


def _reset(
    request: AnyRequest, token: str, *, usable: bool, form: Form | None = None
) -> Response[str]:
    if not usable and wants_fragment(request):
        return redirect(request, request.url.path)
    view = ResetView(token, usable, form or Form())
    return respond(
        request,
        "access/reset.html",
        fragment="reset_form" if usable else None,
        context={"view": view},
        status=view.form.status if usable else GONE,
    )


router = Router(
    "/",
    route_handlers=[
        login_page, sign_in, code_page, sign_in_with_code, send_code, sign_out, register_page,
        register, processing_page, sent_page, resend, confirm_page, confirm, recover_page, recover,
        recover_sent_page, reset_page, reset,
    ],
)  # fmt: skip
