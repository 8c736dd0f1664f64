import asyncio

from serve import bind
from control import ASK_BYTES, REQUEST_BYTES, count_answer, parse_request

BATCH = 64  # between two turns of the loop; arbitrary


class Source(asyncio.DatagramProtocol):
    count = 0

    def connection_made(self, transport):
        self.transport = transport
        self.writable = asyncio.Event()
        self.writable.set()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def datagram_received(self, data, remote):
        if len(data) == ASK_BYTES:
            self.transport.sendto(count_answer(self.count), remote)
        elif len(data) == REQUEST_BYTES:
            self.task = asyncio.ensure_future(self.send(*parse_request(data), remote))

    async def send(self, count, size, remote):
        data = b"x" * size
        for sent in range(count):
            self.transport.sendto(data, remote)
            self.count += 1
            if sent % BATCH == 0:
                await self.writable.wait()
                await asyncio.sleep(0)


bind(Source)
