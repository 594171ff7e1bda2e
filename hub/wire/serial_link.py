"""Serial ports, ptys and ``rfc2217://`` through pyserial, in one thread a line."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import serial

from hub.errors import LineDown, LinkError
from hub.wire.address import LineAddress
from hub.wire.trouble import explained

T = TypeVar("T")

POLL_S = 0.01  # how soon a reading thread notices that it is no longer wanted
CLOSE_S = 2.0
WRITE_S = 5.0  # a frame at 300 baud is out by then


class SerialLink:
    """An open port. Every call of pyserial happens in this link's own thread."""

    def __init__(self, address: LineAddress) -> None:
        self._address = address
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub-serial")
        self._port: Any = None
        self._stop = threading.Event()
        self._closed = False

    async def open(self) -> None:
        """Open the port; if nobody waits for it any more, it is closed again."""
        try:
            await self._call(self._open_port)
        except BaseException:
            await self.close()
            raise

    async def send(self, data: bytes, /) -> None:
        await self._call(self._write, data)

    async def receive(self, timeout: float, /) -> bytes:  # noqa: ASYNC109 - a wait of the wire
        self._stop.clear()
        try:
            return await self._call(self._read, time.monotonic() + max(timeout, 0.0))
        except asyncio.CancelledError:
            self._stop.set()
            raise

    async def drain(self) -> bytes:
        return await self._call(self._take)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._stop.set()
        port_closed = asyncio.wrap_future(self._thread.submit(self._close_port))
        self._thread.shutdown(wait=False)
        # whoever opens the port next must find it free; a call that hangs is not waited out
        await asyncio.wait([port_closed], timeout=CLOSE_S)

    async def _call(self, work: Callable[..., T], *arguments: object) -> T:
        if self._closed:
            raise LineDown(f"The port of {self._address} is closed.")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except LinkError:
            raise
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise _explained(error, self._address) from error

    # -- in the thread

    def _open_port(self) -> None:
        address = self._address
        settings: dict[str, Any] = {
            "baudrate": address.baud,
            "bytesize": serial.EIGHTBITS,
            "parity": address.parity,
            "stopbits": address.stop_bits,
            "timeout": POLL_S,
        }
        if address.kind == "rfc2217":
            host = f"[{address.host}]" if ":" in address.host else address.host
            self._port = serial.serial_for_url(f"rfc2217://{host}:{address.port}", **settings)
        else:
            # a second master on the port would tear both conversations apart
            self._port = serial.serial_for_url(
                address.device, exclusive=True, write_timeout=WRITE_S, **settings
            )

    def _write(self, data: bytes) -> None:
        self._port.write(data)

    def _read(self, until: float) -> bytes:
        port = self._port
        while True:
            # one byte wakes us, the rest is there already
            data: bytes = port.read(1)
            if data:
                return data + self._take()
            if time.monotonic() >= until or self._stop.is_set():
                return b""

    def _take(self) -> bytes:
        waiting = self._port.in_waiting
        return bytes(self._port.read(waiting)) if waiting else b""

    def _close_port(self) -> None:
        if self._port is not None:
            self._port.close()


async def open_serial(address: LineAddress) -> SerialLink:
    """Open a serial port, a pty or a remote port; errors are sentences."""
    link = SerialLink(address)
    await link.open()
    return link


def _explained(error: OSError | ValueError, address: LineAddress) -> LinkError:
    if isinstance(error, OSError):
        if error.errno is None and isinstance(error.__context__, OSError):
            error = error.__context__  # pyserial wraps what the system said
        return explained(error, address)
    return LineDown(f"{address} can't be set up as written ({error}); check its options.")
