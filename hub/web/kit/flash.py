"""One sentence carried over a redirect, in a signed cookie that lives a minute."""

import base64
import hashlib
import hmac
import json

from litestar.datastructures import Cookie
from litestar.response import Response

from hub.web.kit.requests import AnyRequest
from hub.web.kit.shell import Flash

FLASH_COOKIE = "flash"
KINDS = {"ok", "info", "warn", "bad"}


def _sign(secret: str, payload: bytes) -> str:
    return hmac.new(secret.encode(), b"flash:" + payload, hashlib.sha256).hexdigest()[:32]


def put(response: Response[object], secret: str, flash: Flash, *, secure: bool) -> None:
    """Add the sentence to a redirect; the next whole page shows it once."""
    payload = base64.urlsafe_b64encode(json.dumps([flash.text, flash.kind]).encode())
    value = f"{payload.decode()}.{_sign(secret, payload)}"
    response.set_cookie(
        Cookie(FLASH_COOKIE, value=value, max_age=60, httponly=True, secure=secure, samesite="lax")
    )


def take(request: AnyRequest, secret: str) -> tuple[Flash, ...]:
    """Read the sentences of this request; a cookie that is not ours counts as none."""
    payload, _, proof = request.cookies.get(FLASH_COOKIE, "").partition(".")
    if not proof or not hmac.compare_digest(proof, _sign(secret, payload.encode())):
        return ()
    text, kind = json.loads(base64.urlsafe_b64decode(payload))
    return (Flash(text, kind if kind in KINDS else "info"),)
