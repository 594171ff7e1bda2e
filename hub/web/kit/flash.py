"""What a redirect carries over to the next page, in signed cookies that live shortly."""

import base64
import hashlib
import hmac
import json

from litestar.datastructures import Cookie
from litestar.response import Response

from hub.web.kit.requests import AnyRequest
from hub.web.kit.shell import Flash

FLASH_COOKIE = "flash"
FLASH_SECONDS = 60
KINDS = {"ok", "info", "warn", "bad"}


def _sign(secret: str, name: str, payload: bytes) -> str:
    return hmac.new(secret.encode(), name.encode() + b":" + payload, hashlib.sha256).hexdigest()[
        :32
    ]


def keep(
    request: AnyRequest, response: Response[str], name: str, words: list[str], seconds: int
) -> None:
    """Let the browser keep some words under a name; nobody else can write them."""
    payload = base64.urlsafe_b64encode(json.dumps(words).encode())
    response.set_cookie(
        Cookie(
            name,
            value=f"{payload.decode()}.{_sign(request.app.state.csrf_secret, name, payload)}",
            max_age=seconds,
            httponly=True,
            secure=request.app.state.secure,
            samesite="lax",
        )
    )


def kept(request: AnyRequest, name: str) -> list[str]:
    """Give the words that were kept; a cookie that is not ours counts as none."""
    cookie = request.cookies.get(name)
    if not cookie:
        return []
    payload, _, proof = cookie.encode().partition(b".")
    expected = _sign(request.app.state.csrf_secret, name, payload).encode()
    if not hmac.compare_digest(expected, proof):
        return []
    words: list[str] = json.loads(base64.urlsafe_b64decode(payload))
    return words


def put(request: AnyRequest, response: Response[str], flash: Flash) -> None:
    """Add a sentence to a redirect; the next whole page shows it once."""
    keep(request, response, FLASH_COOKIE, [flash.text, flash.kind], FLASH_SECONDS)


def take(request: AnyRequest) -> tuple[Flash, ...]:
    """Read the sentence of this request."""
    match kept(request, FLASH_COOKIE):
        case [text, kind]:
            return (Flash(text, kind if kind in KINDS else "info"),)
        case _:
            return ()
