import asyncio

from serve import bind
from control import ASK_BYTES, count_answer


class Sink(asyncio.DatagramProtocol):
    count = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, remote):
        if len(data) == ASK_BYTES:
            self.transport.sendto(count_answer(self.count), remote)
        else:
            self.count += 1


bind(Sink)
