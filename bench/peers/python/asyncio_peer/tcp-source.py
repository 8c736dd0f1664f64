import asyncio

from serve import serve

CHUNK = b"x" * (64 << 10)


class Source(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.writable = asyncio.Event()
        self.writable.set()
        self.task = asyncio.ensure_future(self.send())

    async def send(self):
        while not self.transport.is_closing():
            self.transport.write(CHUNK)
            await self.writable.wait()
            await asyncio.sleep(0)

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def connection_lost(self, error):
        self.task.cancel()


serve(Source)
