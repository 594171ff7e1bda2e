"""«Передать показания»: a page of its own, and a form that opens under a row."""

import hashlib
from collections.abc import Mapping

from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.errors import Conflict, HubError, InputRefused, Missing
from hub.services.appeals import new_key
from hub.services.submissions import Checked, Doubtful, SubmissionForm
from hub.web.features.submissions.present import field_name, submit_view
from hub.web.features.submissions.views import SubmitView
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import FieldError, Form
from hub.web.kit.i18n import gettext
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, respond, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.typed import opened, sent
from hub.web.kit.visitor import frame, signed_in

BLOCKS = {"state": "state", "preview": "preview", "sent": "sent"}
NOTHING = Form()


@get("/points/{point_id:int}/submit", sync_to_thread=True)
def submit_page(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the form, or what became of what was sent; ``again`` asks for the form all the same."""
    made = services(request).submissions
    who = signed_in(request)
    form = made.form(who.user_id, known_id(point_id))
    asked = request.query_params
    block = BLOCKS.get(asked.get("block", ""), "submit")
    typed = {name: asked.get(name, "") for name in map(field_name(form), range(len(form.zones)))}
    values = {**typed, "key": new_key()}
    opens = Form(values) if block == "preview" else opened(request, who.user_id, values)
    again = "again" in asked or block == "preview" or opens.returned
    view = _view(request, form, opens, again=again)
    return _answer(request, view, form, block)


@post(
    "/points/{point_id:int}/submit",
    sync_to_thread=True,
    status_code=200,
    keeps="key|reading-.*",
)
def submit(request: AnyRequest, point_id: FromPath[int], data: Typed) -> Response[str]:
    """Send what was typed; ``act`` count only reckons what it comes to."""
    who, made = signed_in(request), services(request).submissions
    form = made.form(who.user_id, known_id(point_id))
    values = _values(form, data)
    typed = Form({**data, "key": data.get("key") or new_key()})
    if data.get("act") == "count":
        return _answer(request, _view(request, form, typed, again=True), form, "submit")
    checked = made.check(who.user_id, form.point_id, values)
    try:
        made.submit(
            who.user_id,
            form.point_id,
            typed.value("key"),
            values,
            confirmed=data.get("confirmed") == proof_of(form, checked),
        )
    except Doubtful:
        words = FieldError(
            gettext("Confirm it below, or correct it."), gettext("Check the reading once more")
        )
        return _refused(request, form, Form(typed.values, alert=words))
    except InputRefused as refused:
        return _refused(request, form, _errors(form, typed, refused))
    except (Missing, Conflict):
        raise
    except HubError as error:
        return _refused(request, form, Form(typed.values, alert=error_words(error)))
    sent(request, who.user_id)
    if not wants_fragment(request):
        return redirect(request, f"/points/{point_id}/submit")
    form = made.form(who.user_id, form.point_id)
    view = _view(request, form, NOTHING)
    return _answer(request, view, form, "submit", {"HX-Trigger": "readingsSent"})


@post(
    "/points/{point_id:int}/submit/again",
    sync_to_thread=True,
    status_code=200,
    page="/points/{point_id}/submit",
)
def send_again(request: AnyRequest, point_id: FromPath[int], data: Typed) -> Response[str]:
    """Send once more what may or may not have arrived: its owner says so."""
    who, made = signed_in(request), services(request).submissions
    number = data.get("submission", "")
    if not (number.isascii() and number.isdecimal()):
        raise Missing
    made.send_again(who.user_id, known_id(int(number[:20])), new_key())
    return redirect(request, f"/points/{known_id(point_id)}/submit")


def proof_of(form: SubmissionForm, checked: Checked) -> str:
    """Name the doubtful values, so that a confirmation is for these and no others."""
    doubtful = [f"{zone}={checked.values[zone]}" for zone in form.zones if zone in checked.doubts]
    return hashlib.sha256("&".join(doubtful).encode()).hexdigest()[:16]


def _values(form: SubmissionForm, data: Mapping[str, str]) -> dict[str, str]:
    """Give what was typed, by zone."""
    name = field_name(form)
    return {zone: data.get(name(at), "") for at, zone in enumerate(form.zones)}


def _errors(form: SubmissionForm, typed: Form, refused: InputRefused) -> Form:
    """Put what is wrong beside the fields; the window belongs to none of them."""
    name = field_name(form)
    words = dict(field_words(refused))
    alert = words.pop("window", None)
    errors = {
        name(at): FieldError(
            f"{words[zone].short.capitalize()}. {words[zone].text}", words[zone].short
        )
        for at, zone in enumerate(form.zones)
        if zone in words
    }
    return Form(typed.values, errors, alert)


def _refused(request: AnyRequest, form: SubmissionForm, typed: Form) -> Response[str]:
    return _answer(request, _view(request, form, typed, again=True), form, "submit")


def _view(
    request: AnyRequest, form: SubmissionForm, typed: Form, *, again: bool = False
) -> SubmitView:
    made = services(request).submissions
    user = signed_in(request).user_id
    values = _values(form, typed.values)
    checked = made.check(user, form.point_id, values)
    return submit_view(
        form,
        made.prices(user, form.point_id),
        checked,
        typed,
        proof=proof_of(form, checked),
        again=again,
        now=made.clock(),
    )


def _answer(
    request: AnyRequest,
    view: SubmitView,
    form: SubmissionForm,
    block: str,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    made = services(request)
    return respond(
        request,
        "submissions/submit.html",
        fragment=block,
        context={"view": view},
        shell=lambda: frame(
            request, made.shell.look(signed_in(request), form.contract_id), "points"
        ),
        status=view.form.form.status if view.form else 200,
        headers=headers,
    )


router = Router("/", route_handlers=[submit_page, submit, send_again])
