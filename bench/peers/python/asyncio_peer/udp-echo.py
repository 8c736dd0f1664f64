import asyncio

from serve import bind


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, remote):
        self.transport.sendto(data, remote)


bind(Echo)
