"""Appeals of a contract: the list, a new one, the thread with its replies."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote
from zoneinfo import ZoneInfo

from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.errors import HubError, InputRefused, Missing
from hub.services.appeals import Draft, new_key
from hub.services.drafts import FileView
from hub.web.features.appeals.about import ABOUT, attached, of_point
from hub.web.features.appeals.views import (
    AboutEvent,
    AppealsView,
    Bubble,
    FileRow,
    NewAppealView,
    ThreadView,
    Writing,
)
from hub.web.kit import flash
from hub.web.kit.error_words import error_words, field_words
from hub.web.kit.forms import Form
from hub.web.kit.i18n import gettext
from hub.web.kit.messages import appeal_row, appeal_state
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import redirect, respond, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.uploads import LARGEST_UPLOAD, sent_fields, sent_files
from hub.web.kit.visitor import frame, signed_in

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
    """Show the form with e-mail and phone filled in, or as it was left."""
    who = signed_in(request)
    person = services(request).persons.look(who.user_id)
    values = {"key": new_key(), "email": person.email, "phone": person.phone}
    values |= {name: request.query_params.get(name, "") for name in ABOUT}
    about = attached(request, who, contract_id, values)
    if about is not None:
        values["subject"] = about.subject
    return _form(request, contract_id, values, about)


@post(
    "/contracts/{contract_id:int}/appeals/new",
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD,
    keeps="key|email|phone|subject|text|point|event",
)
def send_appeal(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    who, made, data = signed_in(request), services(request), sent_fields(request)
    values = {name: data.get(name, "") for name in (*FIELDS, *ABOUT)}
    begun = made.appeals.begin(who, known_id(contract_id))
    about = attached(request, who, contract_id, values)
    named = of_point(begun.points, values["point"]) if about is None else about.text
    place = _place(contract_id, about)

    def show(refused: HubError | None = None) -> Response[str]:
        return _form(request, contract_id, values, about, refused=refused)

    done = _put_by(request, place, values, show, takes_files=begun.takes_files)
    if done is not None:
        return done
    draft = Draft(**{name: values[name] for name in FIELDS})
    if named:
        draft = replace(draft, text=f"{draft.text.strip()}\n\n{named}".strip())
    try:
        appeal_id = made.appeals.create(who.user_id, contract_id, draft, place)
    except Missing:
        raise
    except HubError as error:
        return show(error)
    answer = redirect(request, f"/appeals/{appeal_id}")
    flash.put(request, answer, Flash(gettext("The appeal is kept and goes to the supplier.")))
    return answer


@get("/appeals/{appeal_id:int}", sync_to_thread=True)
def thread(request: AnyRequest, appeal_id: FromPath[int]) -> Response[str]:
    return _thread(request, appeal_id, {"key": new_key()})


@post(
    "/appeals/{appeal_id:int}/reply",
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD,
    keeps="key|text",
    page="/appeals/{appeal_id}",
)
def reply(request: AnyRequest, appeal_id: FromPath[int]) -> Response[str]:
    who, made, data = signed_in(request), services(request).appeals, sent_fields(request)
    values = {name: data.get(name, "") for name in ("key", "text")}
    place = f"/appeals/{appeal_id}/reply"
    takes_files = made.one(who, known_id(appeal_id)).takes_files

    def show(refused: HubError | None = None) -> Response[str]:
        return _thread(request, appeal_id, values, refused=refused)

    done = _put_by(request, place, values, show, takes_files=takes_files)
    if done is not None:
        return done
    try:
        made.reply(who.user_id, appeal_id, values["key"], values["text"], place)
    except InputRefused as refused:
        return show(refused)
    return redirect(request, f"/appeals/{appeal_id}")


@get("/appeals/files/{file_id:int}", sync_to_thread=True)
def file(request: AnyRequest, file_id: FromPath[int]) -> Response[bytes]:
    """Give a file to be saved; it is never shown as a page of ours."""
    who = signed_in(request)
    found, content = services(request).drafts.file(who.user_id, known_id(file_id))
    return Response(
        content,
        media_type=found.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )


def _put_by(
    request: AnyRequest,
    place: str,
    values: Mapping[str, str],
    show: Callable[[HubError | None], Response[str]],
    *,
    takes_files: bool,
) -> Response[str] | None:
    """Do what the other buttons of a form do, and keep the files that came with any of them.

    None: it is to be sent, and nothing stands in its way. ``act``: save (answers nothing),
    attach, «remove ID», afresh. A whole page comes by its own address, with what is kept.
    """
    who, made = signed_in(request), services(request)
    act, _, named = sent_fields(request).get("act", "").partition(" ")
    if act == "afresh":
        made.drafts.forget(who.user_id, place)
        return redirect(request, place.removesuffix("/reply"))
    if act == "save":
        if not made.appeals.is_sent(who.user_id, values["key"]):
            made.drafts.keep(who.user_id, place, values)
        return Response("", status_code=204, headers={"Cache-Control": "no-store"})
    refused = None
    files = sent_files(request) if takes_files else []
    try:
        if files:
            made.drafts.attach(who.user_id, place, values, files)
        elif act:
            made.drafts.keep(who.user_id, place, values)
    except InputRefused as error:
        refused = error
    if act == "remove" and named.isascii() and named.isdecimal():
        made.drafts.detach(who.user_id, place, int(named[:18]))
    if act and refused is None and not wants_fragment(request):
        return redirect(request, place.removesuffix("/reply"))
    return show(refused) if act or refused else None


@post(
    "/appeals/{appeal_id:int}/again",
    sync_to_thread=True,
    status_code=200,
    page="/appeals/{appeal_id}",
)
def send_again(request: AnyRequest, appeal_id: FromPath[int]) -> Response[str]:
    """Send once more what may or may not have arrived."""
    services(request).appeals.send_again(signed_in(request).user_id, known_id(appeal_id))
    return redirect(request, f"/appeals/{appeal_id}")


def _page(text: str) -> int:
    """Read a page's number; what is none is a page that is not there."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_PAGES):
        raise Missing
    return int(text)


def _place(contract_id: int, about: AboutEvent | None) -> str:
    """Give the address of a new appeal's form: that of an event has one of its own."""
    here = f"/contracts/{contract_id}/appeals/new"
    return here if about is None else f"{here}?point={about.point}&event={about.event}"


def _writing(
    request: AnyRequest,
    action: str,
    values: Mapping[str, str],
    refused: HubError | None,
    zone: ZoneInfo,
    *,
    takes_files: bool,
) -> Writing:
    """Make the form: as it was sent, or as it was left when it is opened anew."""
    made = services(request)
    draft = made.drafts.find(signed_in(request).user_id, action)
    opened = request.method == "GET" and draft is not None
    if opened and draft is not None:
        values = {**values, **draft.fields}
    match refused:
        case None:
            form = Form(values)
        case InputRefused():
            form = Form(values, field_words(refused))
        case _:
            form = Form(values, alert=error_words(refused))
    files = draft.files if draft is not None else ()
    return Writing(
        action=action,
        form=form,
        now=made.appeals.clock().astimezone(zone),
        files=tuple(map(file_row, files)) if takes_files else None,
        kept_at=draft.changed_at.astimezone(zone) if opened and draft is not None else None,
    )


def _fragment(request: AnyRequest, whole: str) -> str:
    """Name the block to swap: the list of files for its own buttons."""
    act = sent_fields(request).get("act", "")
    return "appeal_files" if act.startswith(("attach", "remove")) else whole


def _form(
    request: AnyRequest,
    contract_id: int,
    values: Mapping[str, str],
    about: AboutEvent | None,
    *,
    refused: HubError | None = None,
) -> Response[str]:
    begun = services(request).appeals.begin(signed_in(request), known_id(contract_id))
    writing = _writing(
        request,
        _place(contract_id, about),
        values,
        refused,
        ZoneInfo(begun.time_zone),
        takes_files=begun.takes_files,
    )
    view = NewAppealView(
        back=f"/contracts/{contract_id}/appeals",
        writing=writing,
        emergency_phone=request.app.state.settings.emergency_phone,
        points=tuple((str(each.id), each.name) for each in begun.points),
        about=about,
    )
    return respond(
        request,
        "appeals/new.html",
        fragment=_fragment(request, "appeal_form"),
        context={"view": view, "writing": writing},
        shell=lambda: frame(request, begun.shell, "appeals"),
        status=writing.form.status,
    )


def _thread(
    request: AnyRequest,
    appeal_id: int,
    values: Mapping[str, str],
    *,
    refused: HubError | None = None,
) -> Response[str]:
    who, made = signed_in(request), services(request).appeals
    found = made.one(who, known_id(appeal_id))
    item, zone = found.appeal, ZoneInfo(found.time_zone)
    writing = None
    if found.can_reply:
        writing = _writing(
            request,
            f"/appeals/{appeal_id}/reply",
            values,
            refused,
            zone,
            takes_files=found.takes_files,
        )
    view = ThreadView(
        id=item.id,
        back=f"/contracts/{item.contract_id}/appeals",
        number=item.number,
        subject=item.subject,
        state=appeal_state(item),
        begun=item.created_at.astimezone(zone),
        due_on=item.due_on if item.state in {"sent", "in_work"} else None,
        bubbles=tuple(
            Bubble(
                said.who,
                said.text,
                said.at.astimezone(zone),
                bool(said.state),
                tuple(map(file_row, said.files)),
            )
            for said in found.thread
        ),
        files=tuple(map(file_row, found.files)),
        writing=writing,
        live=item.state == "waiting" or any(said.state for said in found.thread),
        uncertain=item.state == "uncertain",
        reason=item.remote_state if item.state == "refused" else "",
        now=made.clock().astimezone(zone),
    )
    return respond(
        request,
        "appeals/thread.html",
        fragment=_fragment(request, "reply_form" if request.method == "POST" else "said"),
        context={"view": view, "writing": writing},
        shell=lambda: frame(request, found.shell, "appeals"),
        status=writing.form.status if writing else 200,
    )


def file_row(file: FileView) -> FileRow:
    return FileRow(
        file.id,
        file.name,
        file.size,
        f"/appeals/files/{file.id}" if file.here else None,
        picture=file.here and file.media_type.startswith("image/"),
        lost=file.size < 0,
    )


router = Router(
    "/",
    route_handlers=[section, new_appeal, send_appeal, thread, reply, send_again, file],
)
