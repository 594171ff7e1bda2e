"""Errors as pages, fragments and problems: what happened, whose matter it is, what to do now."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import structlog
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.response import Response

from hub.errors import Blame, Conflict, HubError, Missing, Retry
from hub.web.kit.edge import ONE_TIME_PATHS
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.problems import API, Problem, answer, refusal
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import redirect, respond, wants_fragment
from hub.web.kit.shell import Shell
from hub.web.kit.typed import page_of, place_of

log = structlog.get_logger("hub.web")

SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """What the error page and the fragment say."""

    status: int
    title: str
    text: str
    retry: bool = False
    code: str | None = None
    at: datetime | None = None


TEXTS: dict[int, tuple[str, str]] = {
    400: (
        N_("The request could not be read"),
        N_("Go back, check what was entered and send it again."),
    ),
    403: (
        N_("The page has been open too long"),
        N_("For your safety the form is no longer valid. Reload the page and send it again."),
    ),
    404: (
        N_("There is no such page"),
        N_("The link may be out of date, or you have no access to this meter."),
    ),
    405: (
        N_("This address can't do that"),
        N_("Go back and use the button on the page."),
    ),
    409: (
        N_("This has been changed meanwhile"),
        N_("Reload the page and try again."),
    ),
    429: (
        N_("Too many attempts"),
        N_("Wait a few minutes and try again."),
    ),
    503: (
        N_("The service is busy with itself"),
        N_("The data are safe. Try again in a minute."),
    ),
}
OURS = (
    N_("The page could not be opened"),
    N_("The fault is ours, you did everything right. Try again in a minute."),
)


def masked(path: str) -> str:
    """Hide the token of a one-time link; a log must not open an account."""
    for start in ONE_TIME_PATHS:
        if path.startswith(start):
            return f"{start}…"
    return path


def failure_of(error: Exception, now: datetime) -> Failure:
    """Say what to tell about an error; a 5xx gets a code that the log has too."""
    if isinstance(error, HTTPException):
        status = error.status_code
    elif isinstance(error, Missing):
        status = 404
    elif isinstance(error, Conflict):
        status = 409
    elif isinstance(error, HubError) and error.retry is not Retry.NEVER:
        status = 429 if error.blame is Blame.USER else 503
    else:
        status = SERVER_ERROR
    title, text = TEXTS.get(status, OURS if status >= SERVER_ERROR else TEXTS[400])
    code = None
    if status >= SERVER_ERROR:
        token = secrets.token_hex(3).upper()
        code = f"{token[:4]}-{token[4:]}"
    return Failure(
        status=status,
        title=gettext(title),
        text=gettext(text),
        retry=status in {403, 409, 429} or status >= SERVER_ERROR,
        code=code,
        at=now if code else None,
    )


def sign_in_address(request: AnyRequest) -> str:
    """Give the sign-in page that leads back to what was asked for, or to the form that was sent."""
    back = place_of(request) if request.method == "GET" else page_of(request)
    return f"/login?next={quote(back, safe='/')}"


ShellOf = Callable[[AnyRequest], Shell | None]


def on_error(shell_of: ShellOf) -> Callable[[AnyRequest, Exception], Response[Any]]:
    """Make the error handler of the whole portal.

    ``shell_of`` gives the frame of a signed-in visitor; if it fails too, the bare page is shown.
    """

    def handle(request: AnyRequest, error: Exception) -> Response[Any]:
        by_program = request.url.path.startswith(API)
        if by_program and (refused := refusal(request, error)):
            return refused
        if not by_program and isinstance(error, NotAuthorizedException):
            return redirect(request, sign_in_address(request))
        failure = failure_of(error, datetime.now(UTC))
        if failure.status >= SERVER_ERROR:
            log.error(
                "request failed",
                path=masked(request.url.path),
                support=failure.code,
                exc_info=error,
            )
        if by_program:
            title, text = failure.title, failure.text
            return answer(Problem(failure.status, title, text, support=failure.code or ""))
        if wants_fragment(request):
            return respond(
                request, "kit/_failed.html", context={"failure": failure}, status=failure.status
            )
        return respond(
            request,
            "kit/error.html",
            context={"failure": failure},
            shell=_frame(shell_of, request),
            status=failure.status,
        )

    return handle


def _frame(shell_of: ShellOf, request: AnyRequest) -> Shell | None:
    try:
        return shell_of(request)
    except HubError:
        log.exception("no frame for the error page", path=masked(request.url.path))
        return None
