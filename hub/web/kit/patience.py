"""Whoever connects and then speaks too slowly is let go.

Uvicorn waits for ever for the rest of a request, so that a few hundred idle connections would
keep everybody else out. Time base: seconds of the event loop's clock.
"""

from asyncio import TimerHandle, Transport
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_S = 60.0  # for a whole request: a photograph over a slow line too


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with a time limit from the first byte of a request to its last.

    A new connection has the same time to begin; between requests Uvicorn's own limit holds.
    """

    request_s = REQUEST_S
    _limit: TimerHandle | None = None

    @override
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    @override
    def on_message_begin(self) -> None:
        self._begin()
        super().on_message_begin()

    @override
    def on_message_complete(self) -> None:
        self._end()
        super().on_message_complete()

    def _begin(self) -> None:
        self._end()
        self._limit = self.loop.call_later(self.request_s, self._let_go)

    def _end(self) -> None:
        limit: Any = self._limit
        if limit is not None:
            limit.cancel()
            self._limit = None

    def _let_go(self) -> None:
        self.transport.abort()
