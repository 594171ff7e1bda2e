"""«Токены доступа»: what a person lets programs do for them through ``/api/v1``."""

from datetime import UTC, datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.errors import InputRefused, TooManyAttempts
from hub.services.tokens import LASTS, Scope, TokenView, TypedToken
from hub.web.features.account.page import TIME_ZONE, refused, show, status_of
from hub.web.features.account.token_views import RevokeView, TokenFormView, TokenRow, TokensView
from hub.web.kit import flash
from hub.web.kit.formats import day, moment
from hub.web.kit.forms import Form
from hub.web.kit.i18n import N_, gettext, ngettext
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.typed import opened, sent
from hub.web.kit.visitor import signed_in

HERE = "/account/tokens"
NEW = f"{HERE}/new"
FORM_PAGE = "account/token_form.html"
OK = 200
KEPT = "name|days|which|scope_[a-z_]+|contract_[0-9]+"
# What a scope is called, and what it opens.
SCOPES = {
    Scope.POINTS: (N_("Contracts and points"), N_("their names, numbers and meters")),
    Scope.READINGS: (N_("Readings"), N_("registers by day, week and month, and what you sent")),
    Scope.PROFILE: (N_("Power profile"), N_("half-hours with their marks of quality")),
    Scope.JOURNAL: (N_("Event journals"), N_("what happened at the meter")),
    Scope.SUBMIT: (N_("Submit readings"), N_("for meters that are not read by themselves")),
}
ALL, CHOSEN = "all", "chosen"
USUAL = {"days": "90", "which": ALL, "scope_read_points": "1"}


@get(HERE, sync_to_thread=True)
def tokens_page(request: AnyRequest) -> Response[str]:
    now = datetime.now(UTC).astimezone(TIME_ZONE)
    found = services(request).tokens.listed(signed_in(request).user_id)
    view = TokensView(tuple(_row(each, now) for each in found))
    return show(request, "account/tokens.html", "tab", view, OK)


@get(NEW, sync_to_thread=True)
def new_token(request: AnyRequest) -> Response[str]:
    form = opened(request, signed_in(request).user_id, {})
    if not form.returned:
        form = Form(USUAL)
    return show(request, FORM_PAGE, "token_form", _form(request, form), OK)


@post(NEW, sync_to_thread=True, status_code=OK, keeps=KEPT)
def make_token(request: AnyRequest, data: Typed) -> Response[str]:
    """Make the token and show it, this once; ``act`` code only sends one by SMS."""
    who = signed_in(request)
    if data.get("act") == "code":
        return _send_code(request, Form({**data, "proof": ""}))
    chosen = {
        int(name.removeprefix("contract_"))
        for name in data
        if name.startswith("contract_") and name[9:].isdecimal() and name.isascii()
    }
    typed = TypedToken(
        name=data.get("name", ""),
        scopes={scope for scope in Scope if data.get(_field(scope))},
        contract_ids=None if data.get("which") == ALL else chosen,
        days=data.get("days", ""),
        proof=data.get("proof", ""),
    )
    try:
        secret = services(request).tokens.make(who.user_id, typed)
    except (InputRefused, TooManyAttempts) as error:
        view = _form(request, refused(error, {**data, "proof": ""}))
        return show(request, FORM_PAGE, "token_form", view, status_of(error))
    sent(request, who.user_id)
    base = request.app.state.settings.base_url or str(request.base_url).rstrip("/")
    view = TokenFormView((), (), (), secret=secret, example=f"{base}/api/v1/contracts")
    return show(request, FORM_PAGE, "token_form", view, OK)


@get(f"{HERE}/{{token_id:int}}/revoke", sync_to_thread=True)
def revoke_page(request: AnyRequest, token_id: FromPath[int]) -> Response[str]:
    """Ask before it ends."""
    found = services(request).tokens.one(signed_in(request).user_id, known_id(token_id))
    view = RevokeView(found.id, found.name, found.prefix)
    return show(request, "account/token_revoke.html", None, view, OK)


@post(f"{HERE}/{{token_id:int}}/revoke", sync_to_thread=True, status_code=OK)
def revoke_token(request: AnyRequest, token_id: FromPath[int]) -> Response[str]:
    services(request).tokens.revoke(signed_in(request).user_id, known_id(token_id))
    answer = redirect(request, HERE)
    flash.put(request, answer, Flash(gettext("The token is revoked. It opens nothing any more.")))
    return answer


HANDLERS = (tokens_page, new_token, make_token, revoke_page, revoke_token)


# -- parts -------------------------------------------------------------------------------------


def _send_code(request: AnyRequest, form: Form) -> Response[str]:
    """Send a code; the form comes again with all that was typed."""
    status = OK
    try:
        services(request).second_factors.send(signed_in(request).user_id)
    except TooManyAttempts as error:
        form, status = refused(error, form.values), status_of(error)
    return show(request, FORM_PAGE, "token_form", _form(request, form), status)


def _field(scope: Scope) -> str:
    return f"scope_{scope.value.replace(':', '_')}"


def _row(token: TokenView, now: datetime) -> TokenRow:
    ends = day(token.expires_at.astimezone(TIME_ZONE).date(), now.date())
    lasts = gettext("expired %(day)s") if token.expired else gettext("works until %(day)s")
    used = gettext("not used yet")
    if token.used_at is not None:
        at = moment(token.used_at.astimezone(TIME_ZONE), now)
        used = gettext("last used %(moment)s") % {"moment": at}
    contracts = gettext("all contracts")
    if token.contracts is not None:
        contracts = ", ".join(token.contracts) or gettext("no contract any more")
    return TokenRow(
        id=token.id,
        name=token.name,
        prefix=token.prefix,
        allows=", ".join(gettext(SCOPES[scope][0]) for scope in token.scopes),
        contracts=contracts,
        lasts=lasts % {"day": ends},
        used=used,
        expired=token.expired,
    )


def _form(request: AnyRequest, form: Form) -> TokenFormView:
    made, who = services(request), signed_in(request)
    factor = made.second_factors.look(who.user_id)
    by_code = factor.on_at is not None
    return TokenFormView(
        scopes=tuple(
            (_field(scope), gettext(label), gettext(about))
            for scope, (label, about) in SCOPES.items()
        ),
        contracts=tuple(
            (f"contract_{each.id}", each.name) for each in made.contracts.listed(who.user_id)
        ),
        days=tuple(
            (str(days), ngettext("%(n)s day", "%(n)s days", days) % {"n": days}) for days in LASTS
        ),
        form=form,
        by_code=by_code,
        phone=factor.phone if by_code else "",
    )
