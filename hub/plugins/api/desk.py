"""All that a connector or notifier gets from the hub."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.plugins.api.supplier import Books


class Answer(Protocol):
    status: int
    url: str
    headers: Mapping[str, str]

    def text(self) -> str: ...
    def json(self) -> Any: ...
    def content(self) -> bytes: ...


class Http(Protocol):
    """hub/wire/http.py: bound to one account and to the installation's hosts."""

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...

    async def send(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,  # never repeated by the hub
    ) -> Answer: ...


class Log(Protocol):
    def note(self, event: str, /, **fields: object) -> None: ...


class Drop(Protocol):
    """One configured folder. A name with a separator, or a link, is refused."""

    async def names(self) -> Sequence[str]: ...

    async def read(self, name: str) -> bytes:
        """At most 50 MB."""

    async def archive(self, name: str) -> None:
        """Taken; move it away."""

    async def put(self, name: str, content: bytes) -> None:
        """Store whole or not at all; the same name replaces."""


@dataclass(frozen=True, slots=True)
class Desk:
    http: Http
    log: Log
    now: Callable[[], datetime]
    language: str
    books: Books | None = None  # only if the spec wants 'books' and an operator allowed it
    drop: Drop | None = None  # only if the spec wants 'drop' and an operator allowed it
