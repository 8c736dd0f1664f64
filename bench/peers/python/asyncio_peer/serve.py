"""What the asyncio roles share. Protocols, not streams: they are asyncio's fast way."""

import asyncio
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import control  # noqa: E402


def serve(protocol):
    """Listens on 127.0.0.1, any port, with a protocol for each connection."""

    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=4096)
        control.ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def bind(protocol):
    """A UDP socket on 127.0.0.1, any port, with the protocol."""

    async def main():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, control.UDP_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, control.UDP_BUFFER_BYTES)
        sock.bind(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(protocol, sock=sock)
        control.ready(sock.getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(main())
