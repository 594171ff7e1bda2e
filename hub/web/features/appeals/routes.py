"""Appeals of a contract: the list, a new one, the thread with its replies."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.errors import HubError, InputRefused, Missing
from hub.services import appeals as told
from hub.services.appeals import Draft, new_key
from hub.web.features.appeals.about import ABOUT, attached
from hub.web.features.appeals.views import (
    AboutEvent,
    AppealsView,
    Bubble,
    NewAppealView,
    ThreadView,
)
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import Form
from hub.web.kit.i18n import gettext
from hub.web.kit.messages import appeal_row, appeal_state
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, respond
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import frame, signed_in

INVALID = 422
FIELDS = ("key", "email", "phone", "subject", "text")
MOST_PAGES = 10_000


@get("/contracts/{contract_id:int}/appeals", sync_to_thread=True)
def section(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    who, made = signed_in(request), services(request).appeals
    page = _page(request.query_params.get("page", "1"))
    found = made.page(who, known_id(contract_id), page)
    if page > 1 and not found.items:
        raise Missing
    here = f"/contracts/{contract_id}/appeals"
    view = AppealsView(
        rows=tuple(appeal_row(item, found.time_zone) for item in found.items),
        new_href=f"{here}/new" if found.can_write else None,
        newer=f"{here}?page={found.page - 1}" if found.page > 1 else None,
        older=f"{here}?page={found.page + 1}" if found.more else None,
        now=made.clock().astimezone(ZoneInfo(found.time_zone)),
    )
    return respond(
        request,
        "appeals/list.html",
        context={"view": view},
        shell=lambda: frame(request, found.shell, "appeals"),
    )


@get("/contracts/{contract_id:int}/appeals/new", sync_to_thread=True)
def new_appeal(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    """Show the form with e-mail and phone filled in."""
    who = signed_in(request)
    person = services(request).persons.look(who.user_id)
    values = {"key": new_key(), "email": person.email, "phone": person.phone}
    values |= {name: request.query_params.get(name, "") for name in ABOUT}
    about = attached(request, who, contract_id, values)
    if about is not None:
        values["subject"] = about.subject
    return _form(request, contract_id, Form(values), about)


@post("/contracts/{contract_id:int}/appeals/new", sync_to_thread=True, status_code=200)
def send_appeal(request: AnyRequest, contract_id: FromPath[int], data: Typed) -> Response[str]:
    who = signed_in(request)
    values = {name: data.get(name, "") for name in (*FIELDS, *ABOUT)}
    about = attached(request, who, contract_id, values)
    draft = Draft(**{name: values[name] for name in FIELDS})
    if about is not None:
        draft = replace(draft, text=f"{draft.text.strip()}\n\n{about.text}".strip())
    try:
        appeal_id = services(request).appeals.create(who.user_id, known_id(contract_id), draft)
    except InputRefused as refused:
        return _form(request, contract_id, Form(values, field_words(refused)), about)
    except Missing:
        raise
    except HubError as error:
        return _form(request, contract_id, Form(values, alert=error_words(error)), about)
    answer = redirect(request, f"/appeals/{appeal_id}")
    flash.put(request, answer, Flash(gettext("The appeal is kept and goes to the supplier.")))
    return answer


@get("/appeals/{appeal_id:int}", sync_to_thread=True)
def thread(request: AnyRequest, appeal_id: FromPath[int]) -> Response[str]:
    return _thread(request, appeal_id, Form({"key": new_key()}))


@post("/appeals/{appeal_id:int}/reply", sync_to_thread=True, status_code=200)
def reply(request: AnyRequest, appeal_id: FromPath[int], data: Typed) -> Response[str]:
    who = signed_in(request)
    values = {name: data.get(name, "") for name in ("key", "text")}
    try:
        services(request).appeals.reply(
            who.user_id, known_id(appeal_id), values["key"], values["text"]
        )
    except InputRefused as refused:
        return _thread(request, appeal_id, Form(values, field_words(refused)))
    return redirect(request, f"/appeals/{appeal_id}")


@post("/appeals/{appeal_id:int}/again", sync_to_thread=True, status_code=200)
def send_again(request: AnyRequest, appeal_id: FromPath[int]) -> Response[str]:
    """Send once more what may or may not have arrived."""
    services(request).appeals.send_again(signed_in(request).user_id, known_id(appeal_id))
    return redirect(request, f"/appeals/{appeal_id}")


def _page(text: str) -> int:
    """Read a page's number; what is none is a page that is not there."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_PAGES):
        raise Missing
    return int(text)


def _form(
    request: AnyRequest, contract_id: int, form: Form, about: AboutEvent | None
) -> Response[str]:
    who, made = signed_in(request), services(request)
    shell = made.shell.look(who, known_id(contract_id))
    here = f"/contracts/{contract_id}/appeals"
    view = NewAppealView(
        action=f"{here}/new",
        back=here,
        form=form,
        longest=told.LONGEST_BODY,
        emergency_phone=request.app.state.settings.emergency_phone,
        about=about,
    )
    return respond(
        request,
        "appeals/new.html",
        fragment="appeal_form",
        context={"view": view},
        shell=lambda: frame(request, shell, "appeals"),
        status=form.status,
    )


def _thread(request: AnyRequest, appeal_id: int, form: Form) -> Response[str]:
    who, made = signed_in(request), services(request).appeals
    found = made.one(who, known_id(appeal_id))
    item, zone = found.appeal, ZoneInfo(found.time_zone)
    view = ThreadView(
        id=item.id,
        back=f"/contracts/{item.contract_id}/appeals",
        number=item.number,
        subject=item.subject,
        state=appeal_state(item),
        begun=item.created_at.astimezone(zone),
        due_on=item.due_on if item.state in {"sent", "in_work"} else None,
        bubbles=tuple(
            Bubble(said.who, said.text, said.at.astimezone(zone), bool(said.state))
            for said in found.thread
        ),
        reply=form if found.can_reply else None,
        live=item.state == "waiting" or any(said.state for said in found.thread),
        uncertain=item.state == "uncertain",
        reason=item.remote_state if item.state == "refused" else "",
        now=made.clock().astimezone(zone),
    )
    return respond(
        request,
        "appeals/thread.html",
        fragment="reply_form" if form.failed else "said",
        context={"view": view},
        shell=lambda: frame(request, found.shell, "appeals"),
        status=form.status,
    )


router = Router(
    "/",
    route_handlers=[section, new_appeal, send_appeal, thread, reply, send_again],
    include_in_schema=False,
)
