import asyncio

from serve import serve
from control import option

PATH = option("path")


class FileReceiver(asyncio.BufferedProtocol):
    def connection_made(self, transport):
        self.buffer = memoryview(bytearray(256 << 10))
        self.file = open(PATH, "wb", buffering=0)

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        self.file.write(self.buffer[:nbytes])

    def connection_lost(self, error):
        self.file.close()


serve(FileReceiver)
