"""What the tests see as `_socket.socket`: each method is one call of the library's Socket."""

import array
import os
import struct
import warnings
import weakref

import _socket as system_socket

from .addresses import to_object, to_tuple
from .values import Fd, Room, Undefined

# Never open: what stands for a descriptor that could not be handed to Node.
UNOPEN_FD = 2**31 - 1
INT = struct.Struct("=i")


class BaseSocket:
    """A socket that lives in Node. This process has a duplicate of its descriptor, for select()."""

    channels = None
    # All that live, for the calls that get a descriptor by its number.
    sockets = weakref.WeakSet()

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        self._fd = -1
        if fileno is None:
            made, fds = self.channel.call("socket", family, type, proto)
            self._take(made, fds[0])
        else:
            self._adopt(family, type, proto, fileno)

    def _adopt(self, family, type, proto, fileno):
        if isinstance(fileno, int) and fileno >= 0:
            try:
                os.fstat(fileno)
            except OSError:
                fileno = UNOPEN_FD
            else:
                made, _ = self.channel.call("adopt", family, type, proto, *self._shared(fileno))
                self._take(made, fileno)
                return
        self.channel.call("socket", family, type, proto, {"fd": fileno})
        raise AssertionError("the library adopted what is no descriptor")

    @classmethod
    def _shared(cls, number):
        """The handle of a socket that has the number already: then both share Node's one too."""
        for each in list(cls.sockets):
            if each._fd == number:
                return None, each._here()[1]
        return (Fd(number),)

    @classmethod
    def _wrap(cls, made, fd):
        """A socket around one that Node made."""
        self = cls.__new__(cls)
        self._take(made, fd)
        return self

    def _take(self, made, fd):
        self._home = self.channel
        self._handles = {self._home: made["handle"]}
        # Where the timeout that was set last is known.
        self._timeout_set = set()
        self._timeout = Undefined
        self._family, self._type, self._proto = made["family"], made["type"], made["proto"]
        self._fd = fd
        self._inheritable = os.get_inheritable(fd)
        self.sockets.add(self)

    def _here(self):
        """The current channel with the socket's handle there, where it is adopted if need be."""
        channel = self.channel
        if self._fd < 0 and channel not in self._handles:
            # Closed: the Node that closed it knows what that means.
            return self._home, self._handles[self._home]
        if channel not in self._handles:
            kind = (self._family, self._type, self._proto)
            made, _ = channel.call("adopt", *kind, Fd(self._fd))
            self._handles[channel] = made["handle"]
            self._timeout_set.discard(channel)
        handle = self._handles[channel]
        if self._timeout is not Undefined and channel not in self._timeout_set:
            self._timeout_set.add(channel)
            channel.call("method", handle, "settimeout", self._timeout)
        return channel, handle

    def _call(self, name, *args):
        channel, handle = self._here()
        return channel.call(name, handle, *args)

    def _close_elsewhere(self, kept):
        # The handles stay good: another thread may be about to close the socket too.
        for channel, handle in list(self._handles.items()):
            if channel is not kept:
                channel.drop(handle, "closeHere")

    def __del__(self):
        fd = getattr(self, "_fd", -1)
        if fd < 0:
            return
        warnings.warn(f"unclosed {self._describe()}", ResourceWarning, source=self)
        self._fd = -1
        try:
            os.close(fd)
        except OSError:
            pass
        for channel, handle in self._handles.items():
            channel.drop(handle)

    def _describe(self):
        return repr(self) if self.channels.can_call() else f"<socket fd={self._fd}>"

    def __repr__(self):
        return (
            f"<socket object, fd={self.fileno()}, family={self._family}, "
            f"type={self._type}, proto={self._proto}>"
        )

    family = property(lambda self: self._family)
    type = property(lambda self: self._type)
    proto = property(lambda self: self._proto)
    timeout = property(lambda self: self.gettimeout())
    channel = property(lambda self: self.channels.current())

    def _method(self, name, *args):
        return self._call("method", name, *args)[0]

    def _object(self, address):
        return to_object(self._family, self._proto, address)

    def _tuple(self, address):
        return to_tuple(self._family, self._proto, address)

    # Life

    def fileno(self):
        return self._fd

    def close(self):
        self._home, handle = self._here()
        fd, self._fd = self._fd, -1
        if fd < 0:
            self._method("close")
            return
        try:
            # Before the library's own: the peer sees the end when the last duplicate closes.
            os.close(fd)
        finally:
            self._close_elsewhere(self._home)
            self._home.call("method", handle, "close")

    def _closed_by_number(self):
        """socket.close(fd) closes the number under the socket, which doesn't know."""
        self._call("closeFd")
        os.close(self._fd)
        self._fd = -1

    def detach(self):
        self._home, handle = self._here()
        fd, self._fd = self._fd, -1
        self._close_elsewhere(self._home)
        self._home.call("detach", handle)
        return fd

    def _accept(self):
        (made, address), fds = self._call("accept")
        return BaseSocket._wrap(made, fds[0]), self._tuple(address)

    # Addresses and connections

    def bind(self, address):
        self._method("bind", self._object(address))

    def listen(self, backlog=Undefined):
        self._method("listen", backlog)

    def connect(self, address):
        self._method("connect", self._object(address))

    def connect_ex(self, address):
        return self._method("connectEx", self._object(address))

    def getsockname(self):
        return self._tuple(self._method("getsockname"))

    def getpeername(self):
        return self._tuple(self._method("getpeername"))

    def shutdown(self, how):
        self._method("shutdown", how)

    # Receiving

    def recv(self, bufsize, flags=0):
        return self._method("recv", bufsize, flags)

    def recvfrom(self, bufsize, flags=0):
        data, address = self._method("recvfrom", bufsize, flags)
        return data, self._tuple(address)

    def recv_into(self, buffer, nbytes=0, flags=0):
        return self._into("recvInto", buffer, nbytes, flags)[0]

    def recvfrom_into(self, buffer, nbytes=0, flags=0):
        count, address = self._into("recvfromInto", buffer, nbytes, flags)
        return count, self._tuple(address)

    def _into(self, method, buffer, nbytes, flags):
        view = _writable(buffer)
        args = (Room(len(view)), nbytes, flags)
        (count, data, address), _ = self._call("into", method, *args)
        view[:count] = data
        return count, address

    def recvmsg(self, bufsize, ancbufsize=0, flags=0):
        got, fds = self._call("recvmsg", bufsize, ancbufsize, flags)
        return got["data"], _ancillary(got["ancillary"], fds), got["flags"], self._tuple(got["address"])

    def recvmsg_into(self, buffers, ancbufsize=0, flags=0):
        views = [_writable(buffer) for buffer in buffers]
        rooms = [Room(len(view)) for view in views]
        got, fds = self._call("recvmsgInto", rooms, ancbufsize, flags)
        left = got["bytes"]
        for view, data in zip(views, got["buffers"]):
            count = min(left, len(view))
            view[:count] = data[:count]
            left -= count
        return got["bytes"], _ancillary(got["ancillary"], fds), got["flags"], self._tuple(got["address"])

    # Sending

    def send(self, data, flags=0):
        return self._method("send", data, flags)

    def sendall(self, data, flags=0):
        self._method("sendall", data, flags)

    def sendto(self, *args):
        if not 2 <= len(args) <= 3:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({len(args)} given)")
        data, address = args[0], args[-1]
        flags = args[1] if len(args) == 3 else 0
        try:
            return self._method("sendto", data, self._object(address), flags)
        except TypeError as error:
            raise _in_python_words(error, data, address) from error

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
        fds = []
        ancillary = [_ancillary_item(item, fds) for item in ancdata]
        target = None if address is None else self._object(address)
        args = (list(buffers), ancillary, flags, target)
        return self._call("sendmsg", [Fd(fd) for fd in fds], *args)[0]

    def sendmsg_afalg(self, msg=(), *, op, iv=None, assoclen=None, flags=0):
        request = {"buffers": list(msg), "op": op, "flags": flags}
        if iv is not None:
            request["iv"] = iv
        if assoclen is not None:
            request["assoclen"] = assoclen
        return self._method("sendmsgAfalg", request)

    # Options and modes

    def getsockopt(self, level, name, buflen=Undefined):
        return self._method("getsockopt", level, name, buflen)

    def setsockopt(self, level, name, value, *size):
        self._method("setsockopt", level, name, value, *size)

    def settimeout(self, value):
        self._set_timeout(value, "settimeout", value)

    def gettimeout(self):
        seconds = self._method("gettimeout")
        return None if seconds is None else float(seconds)

    def setblocking(self, flag):
        self._set_timeout(None if flag else 0, "setblocking", bool(flag))

    def _set_timeout(self, seconds, method, value):
        channel, handle = self._here()
        channel.call("method", handle, method, value)
        self._timeout = seconds
        self._timeout_set = {channel}

    def getblocking(self):
        return self._method("getblocking")


def _writable(buffer):
    view = memoryview(buffer)
    if view.readonly:
        raise TypeError("read-write bytes-like object expected")
    return view.cast("B")


def _ancillary(messages, fds):
    return [(item["level"], item["type"], _received(item, fds)) for item in messages]


def _received(item, fds):
    data = item["data"]
    if (item["level"], item["type"]) != (system_socket.SOL_SOCKET, system_socket.SCM_RIGHTS):
        return data
    whole = len(data) - len(data) % INT.size
    numbers = array.array("i", [fds[index] for (index,) in INT.iter_unpack(data[:whole])])
    return numbers.tobytes() + data[whole:]


def _ancillary_item(item, fds):
    """The library's form of a control message; descriptors become places in the list `fds`."""
    try:
        level, kind, data = item
    except (TypeError, ValueError):
        return item
    encoded = {"level": level, "type": kind, "data": data}
    if (level, kind) == (system_socket.SOL_SOCKET, system_socket.SCM_RIGHTS):
        try:
            encoded.update(data=_places(memoryview(data).tobytes(), fds), rights=True)
        except TypeError:
            pass
    return encoded


def _places(data, fds):
    whole = len(data) - len(data) % INT.size
    places = bytearray()
    for (fd,) in INT.iter_unpack(data[:whole]):
        try:
            os.fstat(fd)
        except OSError:
            places += INT.pack(-1)
        else:
            places += INT.pack(len(fds))
            fds.append(fd)
    return bytes(places) + data[whole:]


def _in_python_words(error, data, address):
    """The library refused an argument; the tests want to read CPython's sentence about it."""
    try:
        memoryview(data)
    except TypeError:
        return TypeError(f"a bytes-like object is required, not {type(data).__name__!r}")
    if not isinstance(address, tuple):
        return TypeError(f"address must be tuple, not {type(address).__name__}")
    return error
