"""Contracts: the door to the one used last, adding one, and what its three dots lead to."""

import re
from urllib.parse import urlsplit

import structlog
from anyio import to_thread
from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.errors import (
    Blame,
    ContractAlreadyLinked,
    CredentialsRejected,
    HubError,
    InputRefused,
    Missing,
    StillOnTheWay,
    TooManyAttempts,
)
from hub.store.accounts import SignedIn
from hub.web.features.contracts.views import ChangeView, NewContractView, SupplierChoice
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import FieldError, Form
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import local_path, redirect, respond
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.typed import opened, sent
from hub.web.kit.visitor import frame, signed_in

INVALID, TOO_MANY = 422, 429
# Pages that ask something; who comes from one wants the page before it.
FORMS = re.compile(r"/contracts/(new|[0-9]+/(edit|password|unlink))")
KEPT = ("supplier", "name", "login", "back")
# What connectors call their hints; a hint that is a sentence is shown as it is.
HINTS = {
    "supplier.house.login_hint": N_("The number of the personal account from the bill."),
    "supplier.house.number_hint": N_("The contract's number from the letter."),
}

log = structlog.get_logger("hub.web.contracts")


@get("/", sync_to_thread=True)
def door(request: AnyRequest) -> Response[str]:
    who = signed_in(request)
    view = services(request).shell.look(who)
    if view.current is not None:
        return redirect(request, f"/contracts/{view.current.id}")
    return respond(request, "home/empty.html", shell=lambda: frame(request, view, "home"))


@get("/contracts/new", sync_to_thread=True)
def new_contract(request: AnyRequest) -> Response[str]:
    """Show the form: as a dialog over the page that asked, or as a page."""
    who = signed_in(request)
    form = opened(request, who.user_id, {"back": _asked_from(request)})
    return _page(request, who, form, "contract_dialog")


@post("/contracts/new", status_code=200, keeps="supplier|name|login|back")
async def link_contract(request: AnyRequest, data: Typed) -> Response[str]:
    """Ask the supplier and add the contract; a refusal keeps all but the password."""
    who = await to_thread.run_sync(signed_in, request)
    contracts = services(request).contracts
    try:
        contract_id = await contracts.link(
            who.user_id,
            _number(data.get("supplier", "")),
            data.get("name", ""),
            data.get("login", ""),
            data.get("password", ""),
        )
    except HubError as error:
        return await to_thread.run_sync(_refused, request, who, data, error)
    await to_thread.run_sync(sent, request, who.user_id)
    answer = redirect(request, f"/contracts/{contract_id}")
    flash.put(request, answer, Flash(gettext("The contract is added.")))
    return answer


def _number(text: str) -> int:
    """Read a supplier's id; a text that is none belongs to no supplier."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0  # noqa: PLR2004 - fits a BIGINT


def _refused(
    request: AnyRequest, who: SignedIn, data: dict[str, str], error: HubError
) -> Response[str]:
    values = {name: data.get(name, "") for name in KEPT}
    existing = None
    status = TOO_MANY if isinstance(error, TooManyAttempts) else INVALID
    match error:
        case Missing():
            unknown = InputRefused({"supplier": "contract.supplier_unknown"})
            form = Form(values, field_words(unknown))
        case ContractAlreadyLinked():
            name = str(error.details["name"])
            existing = f"/contracts/{error.details['contract_id']}"
            words = gettext("This contract is already in your list: «%(name)s»") % {"name": name}
            form = Form(values, alert=FieldError(gettext("Nothing has to be added."), words))
        case CredentialsRejected() if _by_code(request, values["supplier"]):
            # Here the hub has checked, by the letter; no supplier was asked.
            alert = FieldError(
                gettext("Check both against the letter and type the code again. After 5 wrong tries"
                        " ask the supplier for a new one."),
                gettext("The contract's number and the code do not fit"),
            )  # fmt: skip
            again = InputRefused({"password": "contract.password_again"})
            form = Form(values, field_words(again), alert)
        case _:
            form = _form_of(error, values)
    return _page(request, who, form, "contract_form", existing=existing, status=status)


def _by_code(request: AnyRequest, supplier: str) -> bool:
    """Say whether the contracts of the chosen supplier are linked by a code."""
    choices = services(request).contracts.suppliers()
    return any(each.by_code for each in choices if str(each.id) == supplier)


def _form_of(error: HubError, values: dict[str, str]) -> Form:
    """Word what the supplier or the hub said to a login and a password."""
    match error:
        case InputRefused():
            return Form(values, field_words(error))
        case CredentialsRejected():
            again = InputRefused({"password": "contract.password_again"})
            return Form(values, field_words(again), error_words(error))
    if error.blame in {Blame.HUB, Blame.PLUGIN}:
        # No traceback: a connector's complaint may quote what was typed.
        log.error("login not proved", code=error.code, error=str(error))
    return Form(values, alert=error_words(error))


def _page(
    request: AnyRequest,
    who: SignedIn,
    form: Form,
    fragment: str,
    *,
    existing: str | None = None,
    status: int = 200,
) -> Response[str]:
    made = services(request)
    view = NewContractView(
        suppliers=tuple(
            SupplierChoice(
                str(each.id),
                each.title,
                _hint(each.hint),
                gettext("The one-time code from the supplier's letter.") if each.by_code else "",
            )
            for each in made.contracts.suppliers()
        ),
        form=form,
        back=local_path(form.value("back")),
        existing_href=existing,
    )
    return respond(
        request,
        "contracts/new.html",
        fragment=fragment,
        context={"view": view},
        shell=lambda: frame(request, made.shell.look(who)),
        status=status,
    )


def _hint(hint: str) -> str:
    if hint in HINTS:
        return gettext(HINTS[hint])
    return hint if " " in hint else ""


def _asked_from(request: AnyRequest) -> str:
    """Give the page that the visitor came from, if it is one of ours: there «Cancel» leads."""
    came = urlsplit(request.headers.get("referer", ""))
    ours = came.netloc == request.headers.get("host", "")
    return local_path(came.path) if ours and not FORMS.fullmatch(came.path) else "/"


# -- the three dots of a contract --------------------------------------------------------------


@get("/contracts/{contract_id:int}/edit", sync_to_thread=True)
def edit_page(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    who = signed_in(request)
    found = services(request).contracts.one(who.user_id, known_id(contract_id))
    form = opened(request, who.user_id, {"back": _asked_from(request), "name": found.name})
    return _change(request, "edit", contract_id, form)


@post("/contracts/{contract_id:int}/edit", sync_to_thread=True, status_code=200, keeps="name|back")
def rename(request: AnyRequest, contract_id: FromPath[int], data: Typed) -> Response[str]:
    who, values = signed_in(request), _values(data, "name")
    try:
        name = services(request).contracts.rename(
            who.user_id, known_id(contract_id), values["name"]
        )
    except InputRefused as error:
        return _change(request, "edit", contract_id, Form(values, field_words(error)))
    sent(request, who.user_id)
    return _done(
        request, values, gettext("The contract is now called «%(name)s».") % {"name": name}
    )


@post(
    "/contracts/{contract_id:int}/refresh",
    sync_to_thread=True,
    status_code=200,
    page="/contracts/{contract_id}",
)
def refresh(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    """Have the supplier asked at once; what it tells comes to the pages by itself."""
    who = signed_in(request)
    services(request).contracts.refresh_soon(who.user_id, known_id(contract_id))
    words = gettext("We are asking the supplier. What is new will be here in a minute.")
    return _done(request, {"back": _asked_from(request)}, words)


@get("/contracts/{contract_id:int}/password", sync_to_thread=True)
def password_page(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    return _change(request, "password", contract_id, Form({"back": _asked_from(request)}))


@post("/contracts/{contract_id:int}/password", status_code=200)
async def replace_password(
    request: AnyRequest, contract_id: FromPath[int], data: Typed
) -> Response[str]:
    """Prove the new password at the supplier and keep it; a refusal keeps the old one."""
    who, values = await to_thread.run_sync(signed_in, request), _values(data)
    try:
        await services(request).contracts.replace_password(
            who.user_id, known_id(contract_id), data.get("password", "")
        )
    except Missing:
        raise
    except HubError as error:
        form = _form_of(error, values)
        status = TOO_MANY if isinstance(error, TooManyAttempts) else INVALID
        return await to_thread.run_sync(_change, request, "password", contract_id, form, status)
    return _done(request, values, gettext("The new password is kept. We are asking the supplier."))


@get("/contracts/{contract_id:int}/unlink", sync_to_thread=True)
def unlink_page(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    """Say what goes and what stays, and ask."""
    return _change(request, "unlink", contract_id, Form({"back": _asked_from(request)}))


@post("/contracts/{contract_id:int}/unlink", sync_to_thread=True, status_code=200)
def unlink(request: AnyRequest, contract_id: FromPath[int], data: Typed) -> Response[str]:
    """Let go of the contract; the door leads on to the next one, or to the invitation."""
    who, contracts = signed_in(request), services(request).contracts
    found = contracts.one(who.user_id, known_id(contract_id))
    try:
        contracts.unlink(who.user_id, found.id)
    except StillOnTheWay as error:
        form = Form(_values(data), alert=error_words(error))
        return _change(request, "unlink", contract_id, form)
    words = gettext("The contract «%(name)s» is unlinked.") % {"name": found.name}
    return _done(request, {}, words)


def _values(data: dict[str, str], *names: str) -> dict[str, str]:
    return {name: data.get(name, "") for name in (*names, "back")}


def _done(request: AnyRequest, values: dict[str, str], words: str) -> Response[str]:
    """Lead back to the page that asked."""
    answer = redirect(request, local_path(values.get("back")))
    flash.put(request, answer, Flash(words))
    return answer


def _change(
    request: AnyRequest, what: str, contract_id: int, form: Form, status: int | None = None
) -> Response[str]:
    """Show one of the forms: as a dialog over the page that asked, or as a page."""
    who, made = signed_in(request), services(request)
    found = made.contracts.one(who.user_id, known_id(contract_id))
    view = ChangeView(
        id=found.id,
        name=found.name,
        number=found.number,
        supplier=found.supplier,
        form=form,
        back=local_path(form.value("back")),
        by_code=found.by_code,
        on_the_way=found.on_the_way,
    )
    return respond(
        request,
        f"contracts/{what}.html",
        fragment=f"{what}_form" if request.method == "POST" else f"{what}_dialog",
        context={"view": view},
        shell=lambda: frame(request, made.shell.look(who, found.id)),
        status=form.status if status is None else status,
    )


router = Router(
    "/",
    route_handlers=[
        door,
        new_contract,
        link_contract,
        edit_page,
        rename,
        refresh,
        password_page,
        replace_password,
        unlink_page,
        unlink,
    ],
)
