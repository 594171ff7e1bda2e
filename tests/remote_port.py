"""An RFC 2217 server over a serial device, with the state machine that pyserial ships."""

import contextlib
import socket
import threading

import serial
import serial.rfc2217

from hub.wire.address import LineAddress


class _PtyPort(serial.Serial):
    """A pty has no modem lines to ask about or to set."""

    cts = dsr = cd = True
    ri = False
    rts = property(lambda _self: True, lambda _self, _value: None)
    dtr = property(lambda _self: True, lambda _self, _value: None)


@contextlib.contextmanager
def remote_port(device):
    """An rfc2217 server for one client, in two threads, over a serial device."""
    port = _PtyPort(device, timeout=0.02, exclusive=False)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(30)
    stop = threading.Event()

    def serve_one():
        client, _ = server.accept()

        class Writes:
            def write(self, data):
                client.sendall(data)

        manager = serial.rfc2217.PortManager(port, Writes())

        def to_client():
            while not stop.is_set():
                data = port.read(1)
                if data:
                    data += port.read(port.in_waiting)
                    client.sendall(b"".join(manager.escape(data)))

        upward = threading.Thread(target=to_client)
        upward.start()
        client.settimeout(0.05)
        while not stop.is_set():
            try:
                data = client.recv(1024)
            except TimeoutError:
                continue
            if not data:
                break
            port.write(b"".join(manager.filter(data)))
        stop.set()
        upward.join()
        client.close()

    thread = threading.Thread(target=serve_one)
    thread.start()
    try:
        yield LineAddress("rfc2217", *server.getsockname())
    finally:
        stop.set()
        thread.join()
        server.close()
        port.close()
