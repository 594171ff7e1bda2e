"""Opens whatever kind of link a line's address names."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

from hub.errors import BadLine
from hub.wire.address import LineAddress
from hub.wire.incoming import CALL_S, Incoming
from hub.wire.link import Link
from hub.wire.serial_link import open_serial
from hub.wire.tcp_link import open_tcp

_log = logging.getLogger(__name__)


async def open_link(address: LineAddress) -> Link:
    """Open a line that we call; ``LineDown`` or ``LineBusy`` with a plain sentence if it can't be.

    Gateways that call us need somebody who listens in between: see ``Links``.
    """
    if address.kind == "tcp":
        return await open_tcp(address)
    if address.kind == "listen":
        raise BadLine(f"{address} is a gateway that calls; it can't be called.")
    return await open_serial(address)


class Links:
    """Opens the links of one process, those of gateways that call it included."""

    def __init__(
        self,
        *,
        patience_s: float = CALL_S,
        called: Callable[[LineAddress], None] = lambda _address: None,
        trouble: Callable[[str], None] = _log.warning,
    ) -> None:
        self.incoming = Incoming(patience_s=patience_s, called=called, trouble=trouble)

    async def open(self, address: LineAddress) -> Link:
        """Open the line; ``LineDown`` or ``LineBusy`` with a plain sentence if it can't be."""
        if address.kind == "listen":
            return await self.incoming.open(address)
        return await open_link(address)

    async def close(self) -> None:
        """Stop listening."""
        await self.incoming.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
