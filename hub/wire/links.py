"""Opens whatever kind of link a line's address names."""

from hub.wire.address import LineAddress
from hub.wire.link import Link
from hub.wire.serial_link import open_serial
from hub.wire.tcp_link import open_tcp


async def open_link(address: LineAddress) -> Link:
    """Open the line; ``LineDown`` or ``LineBusy`` with a plain sentence if it can't be."""
    if address.kind == "tcp":
        return await open_tcp(address)
    return await open_serial(address)
