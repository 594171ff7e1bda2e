"""LINE as people write it: tcp://host:port, serial:///dev/ttyUSB0?baud=9600, rfc2217://, listen://.

``listen://host:port/NAME`` is a gateway that calls us: the hub listens there, and of all that
call the gateway NAME is told by its first packet.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from typing_extensions import override

from hub.errors import BadLine

Kind: TypeAlias = Literal["tcp", "serial", "rfc2217", "listen"]
Parity: TypeAlias = Literal["N", "E", "O"]

DEFAULT_BAUD = 9600
NETWORK_LATENCY_S = 0.05  # a gateway in the same building
SERIAL_LATENCY_S = 0.02  # USB adapters hand bytes over every 16 ms
CALLED_LATENCY_S = 0.5  # those who call us are modems, mostly

_SCHEMES: dict[str, Kind] = {
    "tcp": "tcp",
    "socket": "tcp",
    "serial": "serial",
    "rfc2217": "rfc2217",
    "listen": "listen",
}
_HOW = (
    "Write it tcp://host:port, serial:///dev/ttyUSB0?baud=9600, rfc2217://host:port "
    "or listen://host:port/NAME."
)
_OPTIONS = "baud, parity, stop, echo, latency, gap, hello"
_MAX_BAUD = 4_000_000
_MIN_BAUD = 50
_MAX_LATENCY_S = 60.0
_MAX_GAP_S = 1.0
_MAX_PORT = 65535
_MAX_HELLO = 64


@dataclass(frozen=True, slots=True)
class LineAddress:
    """Where a line is and how its bytes travel; ``str()`` gives the one canonical spelling."""

    kind: Kind
    host: str = ""
    port: int = 0
    device: str = ""
    baud: int = DEFAULT_BAUD  # over TCP: the speed behind the gateway
    parity: Parity = "N"
    stop_bits: int = 1
    echo: bool = False  # the adapter hears itself
    latency_s: float | None = None  # one way, and the longest pause it makes inside a frame
    gap_s: float = 0.0  # quiet before each request, where a gateway or meter needs more than usual
    name: str = ""  # of a gateway that calls us: its first packet holds it as a word
    hello: str = ""  # hex that this packet begins with instead, if it is not text

    @property
    def delay_s(self) -> float:
        """The latency to reckon with: as written, or what is usual for this kind of line."""
        if self.latency_s is not None:
            return self.latency_s
        if self.kind == "listen":
            return CALLED_LATENCY_S
        return SERIAL_LATENCY_S if self.kind == "serial" else NETWORK_LATENCY_S

    @property
    def char_s(self) -> float:
        """Seconds that one byte takes on the wire: start, eight data, parity and stop bits."""
        return (9 + (self.parity != "N") + self.stop_bits) / self.baud

    @override
    def __str__(self) -> str:
        if self.kind == "serial":
            place = f"serial://{quote(self.device)}"
        else:
            host = f"[{self.host}]" if ":" in self.host else self.host
            place = f"{self.kind}://{host}:{self.port}"
            if self.kind == "listen":
                place += f"/{self.name}"
        options = []
        if self.baud != DEFAULT_BAUD:
            options.append(f"baud={self.baud}")
        if self.parity != "N":
            options.append(f"parity={self.parity}")
        if self.stop_bits != 1:
            options.append(f"stop={self.stop_bits}")
        if self.echo:
            options.append("echo=1")
        if self.latency_s is not None:
            options.append(f"latency={self.latency_s:g}")
        if self.gap_s:
            options.append(f"gap={self.gap_s:g}")
        if self.hello:
            options.append(f"hello={self.hello}")
        return f"{place}?{'&'.join(options)}" if options else place


def parse_line(text: str, *, listen: bool = False) -> LineAddress:
    """Read a LINE; ``BadLine`` says in one sentence what is wrong with it.

    ``listen`` allows port 0, which means "any free port" to a listener and nothing to a caller.
    """
    text = text.strip()
    if text.startswith("/"):
        raise BadLine(f"'{text}' is a device, not a line; write serial://{text}.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadLine(f"'{text}' is not a line: {error}. {_HOW}") from error
    kind = _SCHEMES.get(parts.scheme)
    if kind is None:
        raise BadLine(f"'{text}' is not a line: it begins with no known scheme. {_HOW}")
    if parts.fragment or "@" in parts.netloc:
        raise BadLine(f"A line has neither '@' nor '#' in it. {_HOW}")
    options = _options(parts.query)
    if "hello" in options and kind != "listen":
        raise BadLine("The option 'hello' is for gateways that call: listen://host:port/NAME.")
    if kind == "serial":
        return replace(LineAddress("serial", device=_device(text, parts)), **options)
    host = parts.hostname or ""
    if not re.fullmatch(r"[\w.:%-]+", host):
        raise BadLine(f"'{text}' names no host. {_HOW}")
    if port is None or not (listen or port):
        raise BadLine(f"'{text}' names no port (1 to {_MAX_PORT}). {_HOW}")
    place = LineAddress(kind, host=host, port=port, name=_name(text, kind, parts.path))
    return replace(place, **options)


def _device(text: str, parts: SplitResult) -> str:
    device = unquote(parts.netloc + parts.path)
    if not re.fullmatch(r"/.+|COM\d+", device) or "\0" in device:
        raise BadLine(
            f"'{text}' names no device; write the full path, as in serial:///dev/ttyUSB0."
        )
    return device


def _name(text: str, kind: Kind, path: str) -> str:
    """Return whose call it is; only gateways that call have a name."""
    if kind != "listen":
        if path not in ("", "/"):
            raise BadLine(f"'{text}' has a path, but a network line is a host and a port. {_HOW}")
        return ""
    name = path.removeprefix("/")
    if not re.fullmatch(r"[A-Za-z0-9_.:+-]{1,64}", name):
        raise BadLine(
            f"'{text}' does not name the gateway that will call; write its name or IMEI as in "
            "listen://0.0.0.0:5020/860000000000001."
        )
    return name


def _options(query: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise BadLine(
            f"'?{query}' are not options of a line; write ?name=value&name=value."
        ) from error
    for name, value in pairs:
        if name not in _READERS:
            raise BadLine(f"A line has no option '{name}'; it knows {_OPTIONS}.")
        field, read = _READERS[name]
        if field in found:
            raise BadLine(f"The line's option '{name}' is written twice.")
        found[field] = read(value)
    return found


def _baud(value: str) -> int:
    if value.isascii() and value.isdigit() and _MIN_BAUD <= int(value[:9]) <= _MAX_BAUD:
        return int(value)
    raise BadLine(f"'baud={value}' is no speed; write a number from {_MIN_BAUD} to {_MAX_BAUD}.")


def _parity(value: str) -> str:
    letter = value[:1].upper()
    if value.upper() in ("N", "E", "O", "NONE", "EVEN", "ODD"):
        return letter
    raise BadLine(f"'parity={value}' is no parity; write N, E or O.")


def _stop_bits(value: str) -> int:
    if value in ("1", "2"):
        return int(value)
    raise BadLine(f"'stop={value}' is no number of stop bits; write 1 or 2.")


def _echo(value: str) -> bool:
    if value in ("0", "1"):
        return value == "1"
    raise BadLine(f"'echo={value}' is neither 1 (the adapter hears itself) nor 0.")


def _seconds(name: str, most: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if 0 <= seconds <= most:
            return seconds
        raise BadLine(f"'{name}={value}' is no {name}; write seconds, from 0 to {most:g}.")

    return read


def _hello(value: str) -> str:
    try:
        packet = bytes.fromhex(value)
    except ValueError:
        packet = b""
    if 0 < len(packet) <= _MAX_HELLO:
        return packet.hex()
    raise BadLine(
        f"'hello={value}' is no beginning of a packet; write 1 to {_MAX_HELLO} bytes as hex."
    )


_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "baud": ("baud", _baud),
    "parity": ("parity", _parity),
    "stop": ("stop_bits", _stop_bits),
    "echo": ("echo", _echo),
    "latency": ("latency_s", _seconds("latency", _MAX_LATENCY_S)),
    "gap": ("gap_s", _seconds("gap", _MAX_GAP_S)),
    "hello": ("hello", _hello),
}
