"""What the tests see as `socket.socket`: Python's layer above `_socket.socket`, done by the library."""

import os
import socket as stdlib
import sys

from .base_socket import BaseSocket
from .socket_file import SocketFile
from .values import Fd, Undefined


def enum_of(module_name, value):
    try:
        return getattr(sys.modules["socket"], module_name)(value)
    except ValueError:
        return value


class socket(BaseSocket):
    __module__ = "socket"

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        self._io_refs = 0
        self._closed = False
        super().__init__(family, type, proto, fileno)

    @classmethod
    def _wrap(cls, made, fd):
        self = super()._wrap(made, fd)
        self._io_refs = 0
        self._closed = False
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        if not self._closed:
            self.close()

    def __repr__(self):
        closed = getattr(self, "_closed", True) or self._fd < 0
        kind = f"<{type(self).__module__}.{type(self).__qualname__}{' [closed]' if closed else ''}"
        text = f"{kind} fd={self.fileno()}, family={self.family}, type={self.type}, proto={self.proto}"
        for name, method in (("laddr", "getsockname"), ("raddr", "getpeername")):
            try:
                address = None if closed else getattr(self, method)()
            except OSError:
                continue
            if address:
                text += f", {name}={address}"
        return text + ">"

    def __getstate__(self):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    family = property(lambda self: enum_of("AddressFamily", self._family))
    type = property(lambda self: enum_of("SocketKind", self._type))

    def accept(self):
        (made, address), fds = self._call("accept")
        return socket._wrap(made, fds[0]), self._tuple(address)

    def dup(self):
        made, fds = self._call("dup")
        return type(self)._wrap(made, fds[0])

    def close(self):
        self._closed = True
        if self._io_refs <= 0:
            super().close()
        else:
            # The library keeps its descriptor for the files; so does this process its duplicate.
            self._method("close")
            self._close_elsewhere(self.channel)

    def _file_closed(self):
        self._io_refs -= 1
        if self._closed and self._io_refs == 0 and self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)
            self._close_elsewhere(self._home)

    def detach(self):
        self._closed = True
        return super().detach()

    def makefile(self, mode="r", buffering=None, *, encoding=None, errors=None, newline=None):
        options = {"buffering": buffering, "encoding": encoding, "errors": errors, "newline": newline}
        file = SocketFile(self, mode, options)
        self._io_refs += 1
        return file

    def get_inheritable(self):
        # Two descriptors have two flags; a change of ours behind the library's back is made there too.
        ours = os.get_inheritable(self._fd)
        if ours != self._inheritable:
            self._method("setinheritable", ours)
            self._inheritable = ours
        return self._method("getinheritable")

    def set_inheritable(self, inheritable):
        self._method("setinheritable", bool(inheritable))
        os.set_inheritable(self._fd, inheritable)
        self._inheritable = inheritable

    def sendfile(self, file, offset=0, count=None):
        try:
            return self._sendfile_use_sendfile(file, offset, count)
        except stdlib._GiveupOnSendfile:
            return self._send_read(file, offset, count)

    def _sendfile_use_sendfile(self, file, offset=0, count=None):
        if "b" not in getattr(file, "mode", "b"):
            raise ValueError("file should be opened in binary mode")
        try:
            number = file.fileno()
            os.fstat(number)
        except (AttributeError, OSError) as error:
            raise stdlib._GiveupOnSendfile(error)
        limit = Undefined if count is None else count
        return self._call("sendfile", Fd(number), offset, limit)[0]

    # The library chooses between sendfile(2) and send(2) itself.
    _sendfile_use_send = _sendfile_use_sendfile

    def _send_read(self, file, offset, count):
        """An object without a descriptor: only Python can read it."""
        file.seek(offset)
        data = file.read() if count is None else file.read(count)
        self.sendall(data)
        return len(data)
