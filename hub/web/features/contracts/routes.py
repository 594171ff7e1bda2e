"""Adding a contract, and the door: to the contract used last, or the invitation to add one."""

from urllib.parse import urlsplit

import structlog
from anyio import to_thread
from litestar import Router, get, post
from litestar.response import Response

from hub.errors import (
    Blame,
    ContractAlreadyLinked,
    CredentialsRejected,
    HubError,
    InputRefused,
    Missing,
    TooManyAttempts,
)
from hub.store.accounts import SignedIn
from hub.web.features.contracts.views import NewContractView, SupplierChoice
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import FieldError, Form
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import local_path, redirect, respond
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import frame, signed_in

INVALID, TOO_MANY = 422, 429
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
    return _page(request, who, Form({"back": _asked_from(request)}), "contract_dialog")


@post("/contracts/new", status_code=200)
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
        case InputRefused():
            form = Form(values, field_words(error))
        case Missing():
            unknown = InputRefused({"supplier": "contract.supplier_unknown"})
            form = Form(values, field_words(unknown))
        case ContractAlreadyLinked():
            name = str(error.details["name"])
            existing = f"/contracts/{error.details['contract_id']}"
            words = gettext("This contract is already in your list: «%(name)s»") % {"name": name}
            form = Form(values, alert=FieldError(gettext("Nothing has to be added."), words))
        case CredentialsRejected():
            again = InputRefused({"password": "contract.password_again"})
            form = Form(values, field_words(again), error_words(error))
        case _:
            form = Form(values, alert=error_words(error))
            if error.blame in {Blame.HUB, Blame.PLUGIN}:
                # No traceback: a connector's complaint may quote what was typed.
                log.error("contract not linked", code=error.code, error=str(error))
    return _page(request, who, form, "contract_form", existing=existing, status=status)


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
    return local_path(came.path) if ours and came.path != "/contracts/new" else "/"


router = Router("/", route_handlers=[door, new_contract, link_contract], include_in_schema=False)
