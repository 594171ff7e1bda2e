"""Who is asking: the session cookie, the signed-in user, and the frame made for them."""

from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.response import Response

from hub.services.accounts import NewSession
from hub.services.shell import ShellView
from hub.store.accounts import SignedIn
from hub.web.kit.edge import CSRF_COOKIE
from hub.web.kit.requests import AnyRequest
from hub.web.kit.services import services
from hub.web.kit.shell import Shell, ShellContract

SESSION_COOKIE = "session"
REMEMBERED_S = 30 * 24 * 3600


def visitor(request: AnyRequest) -> SignedIn | None:
    """Find who is signed in; looked up once a request. Only in a worker thread."""
    if not hasattr(request.state, "visitor"):
        session = request.cookies.get(SESSION_COOKIE, "")
        request.state.visitor = services(request).accounts.current(session)
    found: SignedIn | None = request.state.visitor
    return found


def signed_in(request: AnyRequest) -> SignedIn:
    """Give who is signed in; for nobody NotAuthorized, which leads to the sign-in page."""
    found = visitor(request)
    if found is None:
        raise NotAuthorizedException
    return found


def frame(request: AnyRequest, view: ShellView, section: str = "") -> Shell:
    """Dress what the service says of the frame. ``section``: see `Shell`."""
    settings = request.app.state.settings
    return Shell(
        full_name=view.full_name,
        email=view.email,
        contracts=tuple(
            ShellContract(each.id, each.name, each.supplier, each.number, unread=each.unread)
            for each in view.contracts
        ),
        current_id=view.current.id if view.current else None,
        section=section,
        emergency_phone=settings.emergency_phone,
        demo=settings.demo,
        theme=view.theme or None,
    )


def frame_of(request: AnyRequest) -> Shell | None:
    """Give the frame of whoever is signed in, for pages that belong to no contract."""
    who = visitor(request)
    return None if who is None else frame(request, services(request).shell.look(who))


def begin(
    request: AnyRequest, response: Response[str], session: NewSession, *, remember: bool
) -> None:
    """Give the browser its session, and with the next page a new CSRF cookie.

    Not remembered, the session's cookie ends with the browser.
    """
    response.set_cookie(
        Cookie(
            SESSION_COOKIE,
            value=session.session_id,
            max_age=REMEMBERED_S if remember else None,
            httponly=True,
            secure=request.app.state.secure,
            samesite="lax",
        )
    )
    response.set_cookie(Cookie(CSRF_COOKIE, value="", max_age=0))


def forget(response: Response[str]) -> None:
    """Take the session's cookie away, and the CSRF cookie that went with it."""
    response.set_cookie(Cookie(SESSION_COOKIE, value="", max_age=0, httponly=True))
    response.set_cookie(Cookie(CSRF_COOKIE, value="", max_age=0))
