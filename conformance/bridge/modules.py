"""The modules `socket` and `_socket` as the tests see them."""

import enum
import os
import socket as stdlib
import sys
import types

import _socket as system_socket

from .addresses import to_object, to_tuple
from .base_socket import UNOPEN_FD, BaseSocket
from .channels import Channels
from .socket_object import enum_of, socket
from .values import Fd, Undefined

# What these two have of their own: exceptions, private helpers that a test names.
SHARED = (
    "error herror gaierror timeout SocketIO _GLOBAL_DEFAULT_TIMEOUT _GiveupOnSendfile _LOCALHOST _LOCALHOST_V6 "
    "EBADF EAGAIN EWOULDBLOCK errorTab os sys io selectors errno"
).split()

# Python's name, the library's.
PLAIN = {
    "CMSG_LEN": "CMSG_LEN",
    "CMSG_SPACE": "CMSG_SPACE",
    "getdefaulttimeout": "getdefaulttimeout",
    "gethostname": "gethostname",
    "sethostname": "sethostname",
    "gethostbyname": "gethostbyname",
    "getfqdn": "getfqdn",
    "getprotobyname": "getprotobyname",
    "getservbyname": "getservbyname",
    "getservbyport": "getservbyport",
    "has_dualstack_ipv6": "hasDualstackIpv6",
    "htonl": "htonl",
    "htons": "htons",
    "ntohl": "ntohl",
    "ntohs": "ntohs",
    "inet_aton": "inetAton",
    "inet_ntoa": "inetNtoa",
    "inet_ntop": "inetNtop",
    "inet_pton": "inetPton",
    "if_indextoname": "ifIndextoname",
    "if_nametoindex": "ifNametoindex",
}
NAMES_A_HOST = {"gethostbyname", "getfqdn", "gethostbyaddr", "gethostbyname_ex"}
NO_TIMEOUT = stdlib._GLOBAL_DEFAULT_TIMEOUT


def _text(value):
    if isinstance(value, str):
        value.encode()  # a lone surrogate has no bytes to look up: UnicodeEncodeError
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, bytearray)) else value


class Functions:
    """The functions of the module `socket`, each a call of the library's."""

    def __init__(self):
        for python_name, library_name in PLAIN.items():
            setattr(self, python_name, self._plain(python_name, library_name))

    @property
    def _channel(self):
        return BaseSocket.channels.current()

    def _call(self, name, *args):
        return self._channel.call("module", name, *args)[0]

    def _plain(self, python_name, library_name):
        def function(*args):
            if python_name in NAMES_A_HOST:
                args = tuple(map(_text, args))
            return self._call(library_name, *args)

        function.__name__ = function.__qualname__ = python_name
        return function

    def setdefaulttimeout(self, seconds):
        self._call("setdefaulttimeout", seconds)
        for other in BaseSocket.channels.others():
            other.post("module", "setdefaulttimeout", seconds)

    def gethostbyaddr(self, host):
        return self._host_entry("gethostbyaddr", host)

    def gethostbyname_ex(self, host):
        return self._host_entry("gethostbynameEx", host)

    def _host_entry(self, name, host):
        entry = self._call(name, _text(host))
        return entry["hostname"], entry["aliases"], entry["addresses"]

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        hints = {"family": family, "type": type, "proto": proto, "flags": flags}
        return [
            (
                enum_of("AddressFamily", found["family"]),
                enum_of("SocketKind", found["type"]),
                found["proto"],
                found["canonname"],
                to_tuple(found["family"], found["proto"], found["address"]),
            )
            for found in self._call("getaddrinfo", _text(host), _text(port), hints)
        ]

    def getnameinfo(self, sockaddr, flags):
        target = to_object(system_socket.AF_INET6, 0, sockaddr)
        found = self._call("getnameinfo", target, flags)
        return found["host"], found["service"]

    def if_nameindex(self):
        return [(each["index"], each["name"]) for each in self._call("ifNameindex")]

    def close(self, fd):
        for each in list(BaseSocket.sockets):
            if each.fileno() == fd and fd != -1:
                each._closed_by_number()
                return
        self._channel.call("closeNumber", fd if not isinstance(fd, int) or fd < 0 else UNOPEN_FD)

    def dup(self, fd):
        copy = os.dup(fd)
        os.set_inheritable(copy, False)
        return copy

    def fromfd(self, fd, family, type, proto=0):
        made, fds = self._channel.call("fromFd", Fd(fd), family, type, proto)
        return socket._wrap(made, fds[0])

    def socketpair(self, family=Undefined, type=Undefined, proto=Undefined):
        made, fds = self._channel.call("socketpair", Undefined if family is None else family, type, proto)
        return tuple(socket._wrap(each, fd) for each, fd in zip(made, fds))

    def create_connection(self, address, timeout=NO_TIMEOUT, source_address=None, *, all_errors=False):
        host, port = address
        options = {"allErrors": all_errors}
        if timeout is not NO_TIMEOUT:
            options["timeout"] = timeout
        if source_address is not None:
            options["sourceAddress"] = dict(zip(("host", "port"), source_address))
        made, fds = self._channel.call("createConnection", {"host": host, "port": port}, options)
        return socket._wrap(made, fds[0])

    def create_server(
        self, address, *, family=stdlib.AF_INET, backlog=None, reuse_port=False, dualstack_ipv6=False
    ):
        options = {"family": family, "reusePort": reuse_port, "dualstackIpv6": dualstack_ipv6}
        if backlog is not None:
            options["backlog"] = backlog
        target = to_object(family, 0, address)
        made, fds = self._channel.call("createServer", target, options)
        return socket._wrap(made, fds[0])

    def send_fds(self, sock, buffers, fds, flags=0, address=None):
        sent = [Fd(fd) for fd in fds]
        target = None if address is None else sock._object(address)
        return sock._call("sendFds", list(buffers), sent, flags, target)[0]

    def recv_fds(self, sock, bufsize, maxfds, flags=0):
        got, fds = sock._call("recvFds", bufsize, maxfds, flags)
        return got["data"], fds, got["flags"], sock._tuple(got["address"])


def _constants(channel):
    """The library's constants that Python's module has on this system too."""
    values, _ = channel.call("constants")
    return {name: value for name, value in values.items() if hasattr(system_socket, name)}


def _fill(module, functions, constants):
    vars(module).update(constants)
    for name in dir(functions):
        if not name.startswith("_"):
            setattr(module, name, getattr(functions, name))
    for name in SHARED:
        if hasattr(stdlib, name):
            setattr(module, name, getattr(stdlib, name))


def install():
    """Puts the bridge where `import socket` and `import _socket` find it."""
    BaseSocket.channels = Channels()
    channel = BaseSocket.channels.current()
    functions = Functions()
    constants = _constants(channel)
    low, high = types.ModuleType("_socket"), types.ModuleType("socket")
    for module in (low, high):
        _fill(module, functions, constants)
        module.has_ipv6 = channel.call("hasIpv6")[0]
    # As CPython builds: a socket() of the lower module is the base class of the other's.
    BaseSocket.__module__, BaseSocket.__name__, BaseSocket.__qualname__ = "_socket", "socket", "socket"
    low.socket = low.SocketType = BaseSocket
    high.socket, high.SocketType = socket, BaseSocket
    sys.modules["_socket"], sys.modules["socket"] = low, high
    for kind, name, prefix in (
        (enum.IntEnum, "AddressFamily", "AF_"),
        (enum.IntEnum, "SocketKind", "SOCK_"),
        (enum.IntFlag, "MsgFlag", "MSG_"),
        (enum.IntFlag, "AddressInfo", "AI_"),
    ):
        kind._convert_(name, "socket", lambda each: each.isupper() and each.startswith(prefix), low)
