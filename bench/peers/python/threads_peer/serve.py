"""What the threaded roles share: a thread for each connection, blocking calls."""

import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import control  # noqa: E402


def _run(handle, connection):
    with connection:
        try:
            handle(connection)
        except ConnectionError:
            pass


def serve(handle):
    """Listens on 127.0.0.1, any port, and runs handle(connection) in a thread each."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    control.ready(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_run, args=(handle, connection), daemon=True).start()


def bind():
    """A UDP socket on 127.0.0.1, any port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, control.UDP_BUFFER_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, control.UDP_BUFFER_BYTES)
    sock.bind(("127.0.0.1", 0))
    control.ready(sock.getsockname()[1])
    return sock
