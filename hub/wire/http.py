"""The only HTTP way out: to hosts that an operator set, and to nothing else.

Rules: https only; a name is resolved once, and the connection goes to that very address; private,
loopback, link-local and multicast addresses are refused unless the operator listed the host, and
plain http is for listed hosts alone; certificates are verified; no redirect to another host; 30 s
and 10 MB an answer. Cookies belong to one account. Of an address only the host is logged.
"""

import asyncio
import json as json_text
import socket
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Self

import httpx
import structlog

from hub.errors import AnswerChanged, ContractBroken, HubError, SupplierDown, TooManyRequests

log = structlog.get_logger("hub.wire.http")

WHOLE_S = 30.0
CONNECT_S = 10.0
LARGEST = 10_000_000
REDIRECTS = 5
MOVED = {301, 302, 303, 307, 308}
SEE_OTHER = 303
USER_AGENT = "metering-hub"
TOO_MANY = 429
LONGEST_WAIT_S = 3600


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Whom one plugin may reach, and how a failure is named.

    ``hosts``: what the plugin declared for its settings.
    """

    plugin: str
    hosts: Collection[str]
    down: Callable[[str], HubError] = SupplierDown


class Answered:
    """An answer, read whole. ``url`` is the last one after redirects."""

    def __init__(self, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.url = url
        self.headers = headers
        self._body = body

    def content(self) -> bytes:
        return self._body

    @cached_property
    def _charset(self) -> str:
        said = httpx.Response(self.status, headers={"content-type": self.type})
        return said.charset_encoding or "utf-8"

    @property
    def type(self) -> str:
        return self.headers.get("content-type", "")

    def text(self) -> str:
        """Decode as the answer says, UTF-8 if it says nothing; what is damaged is replaced."""
        try:
            return self._body.decode(self._charset, "replace")
        except LookupError:
            return self._body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Read JSON; AnswerChanged if the answer is none, as the page of a broken proxy."""
        if "json" not in self.type.lower():
            raise AnswerChanged(
                f"{_place(self.url)} answered {self.type or 'nothing'} where JSON was due."
            )
        try:
            return json_text.loads(self._body)
        except ValueError as error:
            raise AnswerChanged(
                f"{_place(self.url)} answered JSON that breaks off or is damaged."
            ) from error


class Web:
    """Connections that everybody shares who asks in one event loop.

    ``private``: hosts that the operator allows to be in the own network, over plain http too.
    """

    def __init__(self, private: Collection[str] = ()) -> None:
        self._private = frozenset(private)
        self._transport = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=50, keepalive_expiry=20.0)
        )

    def client(self, may: Outgoing) -> "HttpClient":
        """Make the port of one account of one plugin: its own cookies, its own hosts."""
        return HttpClient(self._transport, may, self._private)

    async def close(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


class HttpClient:
    """What a plugin gets: ``get`` and ``send`` of `hub.plugins.api.Http`."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, may: Outgoing, private: Collection[str]
    ) -> None:
        self._transport = transport
        self._may = may
        self._private = private
        self._cookies = httpx.Cookies()

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Fetch; tried a second time if no answer came. See ``send`` for the errors."""
        full = str(httpx.URL(url, params=dict(params))) if params else url
        try:
            return await self._whole("GET", full, headers=headers)
        except _NoAnswerError:
            return await self._told(self._whole("GET", full, headers=headers))

    async def send(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> Answered:
        """Send; tried again only if the connection was refused, and never if ``once``.

        Raises SupplierDown (or what ``down`` says) when no whole answer comes, TooManyRequests
        for status 429, AnswerChanged for one that is too large or leads to another host,
        ContractBroken for a host that was not declared. Other statuses are the plugin's matter.
        """
        try:
            return await self._whole(method, url, form=form, json=json, headers=headers)
        except _NoAnswerError as error:
            if once or not error.unsent:
                raise self._may.down(str(error)) from error
        return await self._told(self._whole(method, url, form=form, json=json, headers=headers))

    async def _told(self, asking: Any) -> Answered:
        try:
            answered: Answered = await asking
        except _NoAnswerError as error:
            raise self._may.down(str(error)) from error
        return answered

    async def _whole(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Ask and follow redirects on the same host, all within the time."""
        began = time.monotonic()
        status = 0
        try:
            async with asyncio.timeout(WHOLE_S):
                for _ in range(REDIRECTS + 1):
                    request = self._request(method, url, form=form, json=json, headers=headers)
                    answer = await self._once(request)
                    status = answer.status
                    onward = answer.headers.get("location")
                    if status not in MOVED or not onward:
                        break
                    url = self._onward(url, onward)
                    if status == SEE_OTHER or (status != 307 and method == "POST"):  # noqa: PLR2004 - RFC 9110
                        method, form, json = "GET", None, None
                else:
                    raise AnswerChanged(f"{_place(url)} leads in a circle.")
        except TimeoutError as error:
            raise _NoAnswerError(
                f"{_place(url)} did not answer within {WHOLE_S:.0f} s; it is tried again later."
            ) from error
        finally:
            log.info(
                "http", plugin=self._may.plugin, method=method, host=_place(url), status=status,
                seconds=round(time.monotonic() - began, 3),
            )  # fmt: skip
        if status == TOO_MANY:
            raise TooManyRequests(_wait(answer.headers.get("retry-after", "")))
        return answer

    def _request(
        self, method: str, url: str, *, form: Mapping[str, str] | None, json: Any,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:  # fmt: skip
        self._check(url)
        request = httpx.Request(
            method,
            url,
            data=dict(form) if form is not None else None,
            json=json,
            headers={"user-agent": USER_AGENT, **(headers or {})},
        )
        self._cookies.set_cookie_header(request)
        return request

    def _check(self, url: str) -> None:
        place = httpx.URL(url)
        if place.host not in self._may.hosts:
            raise ContractBroken(
                f"{place.host or 'This address'} is not among the hosts that the plugin "
                f"'{self._may.plugin}' declared."
            )
        if place.scheme != "https" and not (place.scheme == "http" and place.host in self._private):
            raise ContractBroken(
                f"{place.host} was to be reached by {place.scheme or 'nothing'}; only https is "
                "allowed, and http to hosts in HUB_PRIVATE_HOSTS."
            )

    def _onward(self, url: str, location: str) -> str:
        here, there = httpx.URL(url), httpx.URL(url).join(location)
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            raise AnswerChanged(f"{_place(url)} leads to {there.host}, which is another host.")
        return str(there)

    async def _once(self, request: httpx.Request) -> Answered:
        """Do one request to the address that its name has now."""
        named = request.url
        request.url = named.copy_with(host=str(await self._address(named)))
        request.extensions = {
            "sni_hostname": named.host,
            "timeout": {"connect": CONNECT_S, "read": WHOLE_S, "write": WHOLE_S, "pool": CONNECT_S},
        }
        try:
            response = await self._transport.handle_async_request(request)
            request.url = named  # cookies belong to the name
            response.request = request
            try:
                body = await self._body(response, named)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _NoAnswerError(
                f"{_place(str(named))} can't be reached; it is tried again later.", unsent=True
            ) from error
        except httpx.HTTPError as error:
            raise _NoAnswerError(
                f"{_place(str(named))} broke off its answer; it is tried again later."
            ) from error
        self._cookies.extract_cookies(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answered(response.status_code, str(named), headers, body)

    async def _body(self, response: httpx.Response, url: httpx.URL) -> bytes:
        parts, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > LARGEST:
                raise AnswerChanged(
                    f"{_place(str(url))} answered more than {LARGEST // 1_000_000} MB."
                )
            parts.append(chunk)
        return b"".join(parts)

    async def _address(self, url: httpx.URL) -> IPv4Address | IPv6Address:
        """Resolve a name and pick an address that may be reached."""
        loop = asyncio.get_running_loop()
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _NoAnswerError(
                f"The name {url.host} is not known; it is tried again later.", unsent=True
            ) from error
        addresses = [ip_address(each[4][0]) for each in found]
        public = [each for each in addresses if each.is_global and not each.is_multicast]
        if url.host in self._private:
            return addresses[0]
        if not public or len(public) < len(addresses):
            raise ContractBroken(
                f"{url.host} is in a private network; list it in HUB_PRIVATE_HOSTS if it is meant."
            )
        return public[0]


class _NoAnswerError(Exception):
    """No whole answer came; ``unsent``: not even the request went out."""

    def __init__(self, sentence: str, *, unsent: bool = False) -> None:
        super().__init__(sentence)
        self.unsent = unsent


def _wait(said: str) -> timedelta:
    seconds = int(said) if said.isascii() and said.isdecimal() else 60
    return timedelta(seconds=min(seconds, LONGEST_WAIT_S))


def _place(url: str) -> str:
    """Name the host alone: the rest of an address may be secret."""
    try:
        return httpx.URL(url).host or "This address"
    except httpx.InvalidURL:
        return "This address"
