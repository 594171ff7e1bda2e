"""What was typed into a form whose session had ended: kept for its author, back after the sign-in.

A form's handler names what may be kept, a pattern of field names: ``@post(…, keeps="name|text")``;
so passwords and codes never are. The browser holds a signed mark of who signed in last. Whoever
has it can only add to that person's drafts; to see them takes that person's sign-in. A post from
another site has no cookies (``kit.edge``), so no mark either.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from litestar.response import Response

from hub.errors import HubError
from hub.services.clock import utc_now
from hub.web.kit import flash
from hub.web.kit.edge import cookie_name
from hub.web.kit.forms import Form
from hub.web.kit.requests import AnyRequest
from hub.web.kit.services import services
from hub.web.kit.uploads import sent_fields, sent_files

MARK_COOKIE = "last_user"
MARK_LASTS = timedelta(days=30)  # as the longest session: a form may be open as long
MARK_AFTER_SIGN_OUT = timedelta(hours=1)
BACK_WITHIN = timedelta(days=1)


def place_of(request: AnyRequest) -> str:
    """Give the address that a form is sent to, which is where what was typed is kept."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def page_of(request: AnyRequest) -> str:
    """Give the page of the form that was sent: at its own address, or where its handler says."""
    page: str = request.route_handler.opt.get("page", "")
    return page.format(**request.path_params) if page else place_of(request)


def mark(request: AnyRequest, response: Response[str], user_id: int, lasts: timedelta) -> None:
    """Let the browser remember who signed in last."""
    words = services(request).accounts.mark_of(user_id)
    flash.keep(request, response, _mark_name(request), words, int(lasts.total_seconds()))


def last_user(request: AnyRequest) -> int | None:
    """Find who signed in last in this browser, if the account is still there."""
    return services(request).accounts.marked(flash.kept(request, _mark_name(request)))


def _mark_name(request: AnyRequest) -> str:
    return cookie_name(MARK_COOKIE, secure=request.app.state.secure)


def keep_typed(request: AnyRequest) -> None:
    """Keep what nobody may send now for whoever was signed in here."""
    names: str = request.route_handler.opt.get("keeps", "")
    user_id = last_user(request) if names else None
    if user_id is None:
        return
    fields = {
        name: text for name, text in sent_fields(request).items() if re.fullmatch(names, name)
    }
    drafts, place = services(request).drafts, place_of(request)
    if not any(fields.values()):
        return
    with suppress(HubError):  # what can't be kept must not keep anybody from signing in
        files = sent_files(request)
        if files:
            drafts.attach(user_id, place, fields, files)
        else:
            drafts.keep(user_id, place, fields)


def opened(request: AnyRequest, user_id: int, values: Mapping[str, str], place: str = "") -> Form:
    """Make a form as its page opens it: with what was typed before the session ended, if any was.

    ``place``: where the form is sent to, if not to this address.
    """
    drafts = services(request).drafts
    found = drafts.find(user_id, place or request.url.path)
    if found is None or utc_now() - found.changed_at > BACK_WITHIN:
        return Form(values)
    return Form({**values, **found.fields}, returned=True)


def sent(request: AnyRequest, user_id: int) -> None:
    """Let go of what was kept of this form: it has arrived."""
    services(request).drafts.forget(user_id, request.url.path)
