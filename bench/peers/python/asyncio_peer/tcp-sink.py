import asyncio

from serve import serve


class Sink(asyncio.BufferedProtocol):
    def __init__(self):
        self.buffer = bytearray(64 << 10)

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        pass


serve(Sink)
