"""Who is asking: the session cookie, the signed-in user, and the frame made for them."""

from zoneinfo import ZoneInfo

from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.response import Response

from hub.services.accounts import SESSION_LASTS, NewSession
from hub.services.clock import utc_now
from hub.services.shell import OldNews as OldNewsView
from hub.services.shell import ShellView
from hub.store.accounts import SignedIn
from hub.web.kit.edge import CSRF_COOKIE, cookie_name
from hub.web.kit.i18n import LANGUAGE_COOKIE
from hub.web.kit.point_head import local
from hub.web.kit.requests import AnyRequest
from hub.web.kit.services import services
from hub.web.kit.shell import OldNews, Shell, ShellContract
from hub.web.kit.typed import MARK_AFTER_SIGN_OUT, MARK_LASTS, keep_typed, last_user, mark

SESSION_COOKIE = "session"
A_YEAR = 31_536_000


def session_of(request: AnyRequest) -> str:
    """Give the session id that the browser sent; empty if none."""
    return request.cookies.get(cookie_name(SESSION_COOKIE, secure=request.app.state.secure), "")


def visitor(request: AnyRequest) -> SignedIn | None:
    """Find who is signed in; looked up once a request. Only in a worker thread."""
    if not hasattr(request.state, "visitor"):
        request.state.visitor = services(request).accounts.current(session_of(request))
    found: SignedIn | None = request.state.visitor
    return found


def signed_in(request: AnyRequest) -> SignedIn:
    """Give who is signed in; for nobody NotAuthorized, which leads to the sign-in page.

    What was typed into the form that was sent is kept until its author has signed in again.
    """
    found = visitor(request)
    if found is None:
        if request.method == "POST":
            keep_typed(request)
        raise NotAuthorizedException
    return found


def frame(request: AnyRequest, view: ShellView, section: str = "") -> Shell:
    """Dress what the service says of the frame. ``section``: see `Shell`."""
    settings = request.app.state.settings
    contracts = services(request).contracts
    return Shell(
        full_name=view.full_name,
        email=view.email,
        contracts=tuple(
            ShellContract(
                each.id,
                each.name,
                each.supplier,
                each.number,
                each.unread,
                by_code=contracts.by_code(each.connector),
            )
            for each in view.contracts
        ),
        current_id=view.current.id if view.current else None,
        section=section,
        unread=view.unread,
        old_news=_old_news(view.old_news),
        emergency_phone=settings.emergency_phone,
        demo=settings.demo,
        theme=view.theme or None,
    )


def _old_news(told: OldNewsView | None) -> OldNews | None:
    if told is None:
        return None
    return OldNews(
        told.supplier,
        told.kind,
        utc_now().astimezone(ZoneInfo(told.time_zone)),
        local(told.as_of, told.time_zone),
        local(told.next_try_at, told.time_zone),
        local(told.since, told.time_zone),
    )


def frame_of(request: AnyRequest) -> Shell | None:
    """Give the frame of whoever is signed in, for pages that belong to no contract."""
    who = visitor(request)
    return None if who is None else frame(request, services(request).shell.look(who))


def begin(
    request: AnyRequest, response: Response[str], session: NewSession, *, remember: bool
) -> None:
    """Give the browser its session, and with the next page a new CSRF cookie.

    Whoever was signed in here last keeps theirs: forms that are still open in other tabs can be
    sent. Not remembered, the session's cookie ends with the browser.
    """
    secure = request.app.state.secure
    if session.language:
        speak(request, response, session.language)
    response.set_cookie(
        Cookie(
            cookie_name(SESSION_COOKIE, secure=secure),
            value=session.session_id,
            max_age=int(SESSION_LASTS.total_seconds()) if remember else None,
            httponly=True,
            secure=secure,
            samesite="lax",
        )
    )
    if last_user(request) != session.user_id:
        _take_away(request, response, CSRF_COOKIE)
    mark(request, response, session.user_id, MARK_LASTS)


def speak(request: AnyRequest, response: Response[str], language: str) -> None:
    """Let this browser's pages come in a language."""
    response.set_cookie(
        Cookie(
            LANGUAGE_COOKIE,
            value=language,
            max_age=A_YEAR,
            samesite="lax",
            secure=request.app.state.secure,
        )
    )


def forget(request: AnyRequest, response: Response[str]) -> None:
    """Take the session's cookie away.

    The CSRF cookie stays until the next sign-in: forms in other tabs lead to the door, not to an
    error, and what is typed there is kept for a while.
    """
    user_id = last_user(request)
    if user_id is not None:
        mark(request, response, user_id, MARK_AFTER_SIGN_OUT)
    _take_away(request, response, SESSION_COOKIE)


def _take_away(request: AnyRequest, response: Response[str], name: str) -> None:
    secure = request.app.state.secure
    response.set_cookie(
        Cookie(
            cookie_name(name, secure=secure),
            value="",
            max_age=0,
            httponly=True,
            secure=secure,
            samesite="lax",
        )
    )
