"""Errors as programs read them: problem details (RFC 9457) with the error's own code and words."""

from dataclasses import asdict, dataclass
from typing import Any

from litestar.exceptions import ValidationException
from litestar.response import Response

from hub.errors import (
    HubError,
    InputRefused,
    Missing,
    TokenRefused,
    TokenTooNarrow,
    TooManyAttempts,
)
from hub.web.kit.error_words import FIELD_OTHER, error_words, field_words
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.requests import AnyRequest

API = "/api/"  # below it no cookie is read, and errors are problems
MEDIA_TYPE = "application/problem+json"
STATUSES: dict[type[HubError], int] = {
    TokenRefused: 401,
    TokenTooNarrow: 403,
    Missing: 404,
    InputRefused: 422,
    TooManyAttempts: 429,
}
AGAIN_AFTER_S = 60
# Where a program has no page and no form before it.
WORDS: dict[type[HubError], tuple[str, str]] = {
    Missing: (
        N_("There is no such thing"),
        N_("It may not be yours, or the token is not for its contract."),
    ),
    InputRefused: (
        N_("Something of the call can't be taken"),
        N_("Correct what is named and send it again."),
    ),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A parameter or a field of the body that can't be taken; ``code`` '': it is of no use."""

    field: str
    code: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong. ``code`` never changes; the words are in the language that was asked for.

    ``errors`` names each parameter or field that is wrong; ``support`` is in the hub's log too.
    """

    status: int
    title: str
    detail: str
    code: str = ""
    errors: tuple[Wrong, ...] = ()
    support: str = ""


def refusal(request: AnyRequest, error: Exception) -> Response[Any] | None:
    """Answer what the caller did wrong; None: it was something else."""
    wrong: tuple[Wrong, ...] = ()
    if isinstance(error, ValidationException):
        wrong = _not_read(request, error)
        error = InputRefused({})
    elif isinstance(error, InputRefused):
        wrong = tuple(
            Wrong(name, error.fields[name], words.short, words.text)
            for name, words in field_words(error).items()
        )
    kind = next((each for each in STATUSES if isinstance(error, each)), None)
    if kind is None or not isinstance(error, HubError):
        return None
    words = error_words(error)
    title, detail = map(gettext, WORDS.get(kind, (words.short, words.text)))
    found = Problem(STATUSES[kind], title, detail, error.code, wrong)
    headers = {}
    if isinstance(error, TokenRefused):
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    elif isinstance(error, TokenTooNarrow):
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    elif isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(AGAIN_AFTER_S)
    return answer(found, headers)


def _not_read(request: AnyRequest, error: ValidationException) -> tuple[Wrong, ...]:
    """Name what Litestar could not read as callers know it."""
    short = gettext(FIELD_OTHER[0])
    if not isinstance(error.extra, list):
        return (Wrong("", "", short, error.detail),)
    known = request.route_handler.parsed_fn_signature.parameters
    wrong = []
    for each in error.extra:
        name = each.get("key", "")
        sent_as = known[name].kwarg_definition if name in known else None
        name = getattr(sent_as, "name", None) or name
        wrong.append(Wrong(name.removeprefix("data"), "", short, each["message"]))
    return tuple(wrong)


def answer(found: Problem, headers: dict[str, str] | None = None) -> Response[Any]:
    """Send a problem; what there is nothing to say of is left out."""
    body = {name: value for name, value in asdict(found).items() if value}
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=found.status, media_type=MEDIA_TYPE, headers=sent)
