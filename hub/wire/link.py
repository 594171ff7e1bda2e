"""What a link is: bytes out, bytes in, and nothing about meters."""

from typing import Protocol


class Link(Protocol):
    """An open way to a line. All methods raise ``LineDown`` once it has broken off."""

    async def send(self, data: bytes, /) -> None:
        """Hand the bytes over; they may still be on their way when this returns."""

    async def receive(self, timeout: float, /) -> bytes:  # noqa: ASYNC109 - a wait of the wire
        """Return the bytes that are there, or the next within ``timeout`` seconds, or none."""

    async def drain(self) -> bytes:
        """Throw away what came unasked, and return it. Does not wait."""

    async def close(self) -> None:
        """Let go of the port or the connection; may be called twice."""
