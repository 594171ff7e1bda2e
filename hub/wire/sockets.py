"""What every TCP connection of a line is set to: a peer that vanished is found out."""

import contextlib
import socket

IDLE_S = 30  # silence after which the peer is asked whether it still lives
PROBE_S = 10
PROBES = 3
UNSENT_S = 60  # bytes that nobody has confirmed for so long: the peer is gone


def keep_alive(sock: socket.socket) -> None:
    """Have the system notice a peer that was switched off, on a connection idle or in use.

    A gateway that loses power, and a provider's address translation that forgets a connection,
    say nothing. Without this a connection half open looks like a silent meter for hours.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_S),
        ("TCP_KEEPINTVL", PROBE_S),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", UNSENT_S * 1000),
    ):
        if hasattr(socket, name):  # each system has its own choice of them
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
