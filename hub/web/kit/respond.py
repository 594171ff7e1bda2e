"""Page or fragment: decided here and nowhere else."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment
from jinja2_fragments import render_block
from litestar.datastructures import Cookie
from litestar.response import Response
from litestar.utils.scope.state import ScopeState

from hub.web.kit import flash
from hub.web.kit.i18n import language
from hub.web.kit.rendering import csrf_field
from hub.web.kit.requests import AnyRequest
from hub.web.kit.shell import Shell

LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")
VARY = "HX-Request, HX-Boosted, HX-History-Restore-Request, HX-Request-Type"


def wants_fragment(request: AnyRequest) -> bool:
    """Whether htmx asks for a part of the page, by the four headers that htmx 4 still sends."""
    headers = request.headers
    return (
        headers.get("hx-request") == "true"
        and headers.get("hx-boosted") != "true"
        and headers.get("hx-history-restore-request") != "true"
        and headers.get("hx-request-type") != "full"
    )


def respond(
    request: AnyRequest,
    page: str,
    *,
    fragment: str | None = None,
    context: Mapping[str, Any] | None = None,
    shell: Shell | Callable[[], Shell] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """Render the page, or its block ``fragment`` when htmx asks for it.

    ``shell`` may be a callable: it is called only for a whole page. Rendering happens here, in
    the handler's worker thread, not on the event loop.
    """
    env: Environment = request.app.state.templates[language.get()]
    token = ScopeState.from_scope(request.scope).csrf_token
    token = token if isinstance(token, str) else ""
    values: dict[str, Any] = {
        "request": request,
        "path": request.url.path,
        "csrf_token": token,
        "csrf_input": csrf_field(token),
        "htmx_headers": json.dumps({"X-CSRFToken": token}),
        "shell": None,
        "is_fragment": False,
        "flashes": (),
        "brand": request.app.state.brand,
        "demo": request.app.state.settings.demo,
        **(context or {}),
    }
    sent = {"Vary": VARY, "Cache-Control": "no-store", **(headers or {})}
    if fragment is not None and wants_fragment(request):
        html = render_block(env, page, fragment, {**values, "is_fragment": True})
        return Response(html, media_type="text/html", status_code=status, headers=sent)
    values["shell"] = shell() if callable(shell) else shell
    values["flashes"] = flash.take(request)
    html = env.get_template(page).render(values)
    response = Response(html, media_type="text/html", status_code=status, headers=sent)
    if values["flashes"]:
        response.set_cookie(Cookie(flash.FLASH_COOKIE, value="", max_age=0))
    return response


def redirect(
    request: AnyRequest, to: str, *, trigger: Mapping[str, Any] | None = None
) -> Response[str]:
    """After a write: 303 for a form, ``HX-Redirect`` for htmx (fetch would follow a 303 itself)."""
    if request.headers.get("hx-request") == "true":
        headers = {"HX-Redirect": to, "Cache-Control": "no-store"}
        if trigger:
            headers["HX-Trigger"] = json.dumps(trigger)
        return Response("", media_type="text/html", status_code=200, headers=headers)
    return Response(
        "",
        media_type="text/html",
        status_code=303,
        headers={"Location": to, "Cache-Control": "no-store"},
    )


def local_path(text: str | None, default: str = "/") -> str:
    """Take a path of this site out of a ``next`` parameter; anything else is the default.

    Browsers drop tabs and line ends inside an address, and read a backslash as a slash, so a path
    with any of them may lead elsewhere.
    """
    return text if text and LOCAL_PATH.fullmatch(text) else default
