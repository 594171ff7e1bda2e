"""Health, metrics and the API's schema: what machines ask the portal."""

import contextlib
import hmac
import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from litestar import Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.response import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from typing_extensions import override

from hub.errors import HubError
from hub.services.line_figures import LineFigures
from hub.web.kit.i18n import gettext
from hub.web.kit.line_metrics import as_prometheus
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond

Probe = Callable[[], None]
LineFiguresNow = Callable[[], Sequence[LineFigures]]
OK, UNAVAILABLE = 200, 503
# A proxy on this machine asks for somebody elsewhere.
PROXIES_SAY = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
               "forwarded", "via")  # fmt: skip


def may_see_details(request: AnyRequest) -> bool:
    """Whether the asker is this machine itself or knows the token."""
    token: str | None = request.app.state.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    if request.client is None or any(name in request.headers for name in PROXIES_SAY):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


@get("/health/live", sync_to_thread=False, media_type="text/plain")
def live() -> str:
    return "ok"


@get("/health/ready", sync_to_thread=True)
def ready(request: AnyRequest) -> Response[dict[str, Any]]:
    """Run every probe of the application; details only for who may see them."""
    probes: dict[str, Probe] = request.app.state.probes
    failed: dict[str, str] = {}
    for name, probe in probes.items():
        try:
            probe()
        except HubError as error:
            failed[name] = str(error)
    body: dict[str, Any] = {"ready": not failed}
    if may_see_details(request):
        body["checks"] = {name: failed.get(name, "ok") for name in probes}
    return Response(
        body, status_code=UNAVAILABLE if failed else OK, headers={"Cache-Control": "no-store"}
    )


@get("/metrics", sync_to_thread=True)
def metrics(request: AnyRequest) -> Response[bytes]:
    """Tell this process's figures and those of all lines; the latter not if the store is away."""
    if not may_see_details(request):
        raise NotFoundException
    body = generate_latest()
    line_figures: LineFiguresNow | None = request.app.state.line_figures
    if line_figures is not None:
        with contextlib.suppress(HubError):
            body += as_prometheus(line_figures())
    return Response(body, media_type=CONTENT_TYPE_LATEST)


class SchemaPage(OpenAPIRenderPlugin):
    """A page of our own: Litestar's load scripts and fonts from elsewhere."""

    def __init__(self) -> None:
        super().__init__(path="/")

    @override
    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        """List the operations; the file itself is beside the page."""
        operations = [
            (method.upper(), path, gettext(summary), scope)
            for path, methods in sorted((openapi_schema.get("paths") or {}).items())
            for method, operation in methods.items()
            for summary, scope in [(operation["summary"], *operation["security"][0]["token"])]
        ]
        page = respond(request, "kit/schema.html", context={"operations": operations})
        return page.content.encode()


router = Router("/", route_handlers=[live, ready, metrics])
