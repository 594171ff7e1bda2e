"""The section «notifications» of a contract; there is nothing in it yet, and it says so."""

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.visitor import frame, signed_in


@get("/contracts/{contract_id:int}/notifications", sync_to_thread=True)
def section(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    view = services(request).shell.look(signed_in(request), contract_id)
    return respond(
        request, "notifications/list.html", shell=lambda: frame(request, view, "notifications")
    )


router = Router("/", route_handlers=[section], include_in_schema=False)
