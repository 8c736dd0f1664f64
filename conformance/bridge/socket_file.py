"""What `socket.makefile` gives: the library's SocketFile."""

from .values import Room


class SocketFile:
    def __init__(self, sock, mode, options):
        self._channel, handle = sock._here()
        self._handle, _ = self._channel.call("makefile", handle, mode, options)
        self._sock = sock
        self.mode = mode

    def _call(self, method, *args):
        return self._channel.call("file", self._handle, method, *args)[0]

    def _get(self, name):
        return self._channel.call("fileProperty", self._handle, name)[0]

    closed = property(lambda self: self._get("closed"))

    @property
    def name(self):
        # The library's number for the descriptor is Node's; where it has one, ours is the socket's.
        return self._sock.fileno() if self._get("name") >= 0 else -1

    def fileno(self):
        return self._sock.fileno() if self._call("fileno") >= 0 else -1

    def read(self, size=-1):
        return self._call("read", size)

    def readline(self, size=-1):
        return self._call("readline", size)

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")
        count, data = self._channel.call("fileReadInto", self._handle, Room(len(view)))[0]
        if count is not None:
            view[:count] = data
        return count

    def write(self, data):
        return self._call("write", data)

    def flush(self):
        self._call("flush")

    def readable(self):
        return self._call("readable")

    def writable(self):
        return self._call("writable")

    def seekable(self):
        return self._call("seekable")

    def close(self):
        sock, self._sock = self._sock, None
        if sock is None:
            return
        try:
            self._call("close")
        finally:
            sock._file_closed()

    def __iter__(self):
        return iter(self.readline, b"" if "b" in self.mode else "")

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        self.close()

    def __del__(self):
        # A file that is dropped lets go of its socket, as io's do.
        sock, self._sock = getattr(self, "_sock", None), None
        if sock is not None:
            self._channel.drop(self._handle, "dropFile")
            sock._file_closed()
