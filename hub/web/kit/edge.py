"""The outermost layer: language, a usable CSRF cookie, security headers on every answer.

It wraps the whole application rather than routes, because an unknown address has no route and
must still answer in the visitor's language and under the policy.
"""

import hmac
from collections.abc import Mapping

from litestar.enums import ScopeType
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.kit import i18n
from hub.web.kit.problems import API

CSRF_COOKIE = "csrftoken"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
ONE_TIME_PATHS = ("/register/confirm/", "/recover/")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
OWN_SITES = {"same-origin", "none"}


def cookie_name(name: str, *, secure: bool) -> str:
    """Name a cookie that a neighbour host must not plant; browsers guard it over HTTPS only."""
    return f"__Host-{name}" if secure else name


class Edge:
    """ASGI wrapper; one per application."""

    def __init__(self, app: ASGIApp, *, csrf_secret: str, secure: bool, base_url: str = "") -> None:
        self.app = app
        self.csrf_secret = csrf_secret
        self.base_url = base_url
        self.csrf_cookie = cookie_name(CSRF_COOKIE, secure=secure)
        dress = HEADERS | ({"strict-transport-security": "max-age=31536000"} if secure else {})
        self.usual = _encoded(dress)
        self.one_time = _encoded(dress | {"referrer-policy": "no-referrer"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        by_program = scope["path"].startswith(API)
        cookies = {} if by_program else _cookies(headers.get(b"cookie", b""))
        accept = headers.get(b"accept-language", b"").decode("latin-1")
        i18n.language.set(i18n.choose(cookies.get(i18n.LANGUAGE_COOKIE), accept))
        token = cookies.get(self.csrf_cookie)
        if by_program or (scope["method"] not in SAFE_METHODS and not self._sent_by_us(headers)):
            # Programs have tokens, and no cookie may do for one. A write without cookies is
            # nobody's, and refused: the pair of CSRF cookie and field may have been planted, but
            # where a form stood the browser says itself.
            scope["headers"] = [each for each in scope["headers"] if each[0] != b"cookie"]
        elif token is not None and not self._ours(token):
            # Litestar keeps a cookie of an old secret for ever, and every POST of that browser
            # would be refused; without the cookie the next page hands out a good one.
            self._drop_cookie(scope, cookies)
        dress = self.one_time if scope["path"].startswith(ONE_TIME_PATHS) else self.usual

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [each for each in dress if each[0] not in names]
            await send(message)

        await self.app(scope, receive, send_dressed)

    def _ours(self, token: str) -> bool:
        secret, proof = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
        return bool(proof) and hmac.compare_digest(
            generate_csrf_hash(secret, self.csrf_secret).encode(), proof.encode()
        )

    def _sent_by_us(self, headers: dict[bytes, bytes]) -> bool:
        """Whether no header of a write says that another site's page sends it."""
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site.decode("latin-1") in OWN_SITES
        origin = headers.get(b"origin", b"null").decode("latin-1")
        # Pages of one-time links send no referrer, and so their forms a null origin.
        host = headers.get(b"host", b"").decode("latin-1")
        return origin in {"null", self.base_url} or origin.partition("://")[2] == host

    def _drop_cookie(self, scope: Scope, cookies: dict[str, str]) -> None:
        kept = "; ".join(
            f"{name}={value}" for name, value in cookies.items() if name != self.csrf_cookie
        )
        scope["headers"] = [
            (name, kept.encode("latin-1") if name == b"cookie" else value)
            for name, value in scope["headers"]
        ]


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _cookies(header: bytes) -> dict[str, str]:
    pairs = (each.partition("=") for each in header.decode("latin-1").split(";"))
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}
