"""The outermost layer: language, a usable CSRF cookie, security headers on every answer.

It wraps the whole application rather than routes, because an unknown address has no route and
must still answer in the visitor's language and under the policy.
"""

from http.cookies import CookieError, SimpleCookie

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.kit import i18n

CSRF_COOKIE = "csrftoken"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
ONE_TIME_PATHS = ("/register/confirm/", "/recover/")


class Edge:
    """ASGI wrapper; one per application."""

    def __init__(self, app: ASGIApp, *, csrf_secret: str, secure: bool) -> None:
        self.app = app
        self.csrf_secret = csrf_secret
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        cookies = _cookies(headers.get(b"cookie", b""))
        accept = headers.get(b"accept-language", b"").decode("latin-1")
        i18n.language.set(i18n.choose(cookies.get(i18n.LANGUAGE_COOKIE), accept))
        token = cookies.get(CSRF_COOKIE)
        if token is not None and not self._ours(token):
            # Litestar keeps a cookie of an old secret for ever, and every POST of that browser
            # would be refused; without the cookie the next page hands out a good one.
            self._drop_cookie(scope, cookies)
        path = scope["path"]

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableScopeHeaders.from_message(message)
                for name, value in HEADERS.items():
                    if name not in answer:
                        answer[name] = value
                if path.startswith(ONE_TIME_PATHS):
                    answer["referrer-policy"] = "no-referrer"
                if self.secure:
                    answer["strict-transport-security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, send_dressed)

    def _ours(self, token: str) -> bool:
        secret, proof = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
        return bool(proof) and generate_csrf_hash(secret, self.csrf_secret) == proof

    @staticmethod
    def _drop_cookie(scope: Scope, cookies: dict[str, str]) -> None:
        kept = "; ".join(
            f"{name}={value}" for name, value in cookies.items() if name != CSRF_COOKIE
        )
        scope["headers"] = [
            (name, kept.encode("latin-1") if name == b"cookie" else value)
            for name, value in scope["headers"]
        ]


def _cookies(header: bytes) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header.decode("latin-1"))
    except CookieError:
        return {}
    return {name: morsel.coded_value for name, morsel in jar.items()}
