import asyncio

from serve import serve
from control import option

PATH = option("path")


class FileSender(asyncio.Protocol):
    def connection_made(self, transport):
        self.task = asyncio.ensure_future(self.send(transport))

    async def send(self, transport):
        try:
            with open(PATH, "rb") as file:
                await asyncio.get_running_loop().sendfile(transport, file)
        except OSError:
            pass
        finally:
            transport.close()


serve(FileSender)
