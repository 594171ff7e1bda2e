"""What the operating system says about a port or a connection, in plain sentences."""

import errno
import socket

from hub.errors import LineBusy, LineDown, LinkError
from hub.wire.address import LineAddress

_NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_NO_DEVICE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM})
_REFUSED = f"[Errno {errno.ECONNREFUSED}]"
_HELD = frozenset({errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK})


def explained(error: OSError, address: LineAddress, *, listening: bool = False) -> LinkError:
    """Turn an operating system's error into the hub's, with the next step in its sentence."""
    if address.kind == "serial":
        return _about_port(error, address.device)
    place = f"{address.host}:{address.port}"
    return _about_listening(error, place) if listening else _about_network(error, place)


def _about_listening(error: OSError, place: str) -> LinkError:
    if error.errno == errno.EADDRINUSE:
        return LineBusy(f"Something listens at {place} already; stop it or take another port.")
    return LineDown(f"Can't listen at {place} ({error}); check the address or take another port.")


def _about_network(error: OSError, place: str) -> LinkError:
    # a name with several addresses fails with one error that quotes all of them
    if isinstance(error, ConnectionRefusedError) or _REFUSED in str(error):
        return LineDown(f"Nothing listens at {place}; start the gateway or check the port.")
    if isinstance(error, socket.gaierror):
        return LineDown(f"The host of {place} is not known; check its name and the name server.")
    if isinstance(error, TimeoutError):
        return LineDown(f"{place} does not answer; check the address and that the gateway is on.")
    if error.errno in _NO_ROUTE:
        return LineDown(f"There is no way to {place}; check the network and the address.")
    return LineDown(f"{place} can't be reached ({error}); check the network and the gateway.")


def _about_port(error: OSError, device: str) -> LinkError:
    if error.errno in _HELD or "exclusively lock" in str(error):
        return LineBusy(f"Another process holds {device}; stop it and try again.")
    if error.errno in _NO_RIGHT:
        return LineDown(
            f"{device} may not be opened by this user; add it to the group that owns the port "
            "(sudo usermod -aG dialout USER) and sign in again."
        )
    if error.errno in _NO_DEVICE:
        return LineDown(f"There is no port {device}; plug the adapter in or check the path.")
    return LineDown(f"{device} can't be used ({error}); check the adapter and its settings.")
