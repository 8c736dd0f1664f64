import asyncio

from serve import serve
from frames import FrameReader, frames


class FramedEcho(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.reader = FrameReader()

    def data_received(self, data):
        messages = self.reader.push(data)
        if messages:
            self.transport.write(frames(messages))


serve(FramedEcho)
