"""The Python side's end of the pipe to Node: many threads call, one thread reads the answers."""

import _thread
import array
import collections
import fcntl
import json
import os
import socket as stdlib
import struct
import subprocess

from .errors import HostFailure, exception_of
from .values import Outgoing, decode

HOST_SCRIPT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "host", "main.mjs")
HEADER = struct.Struct("<II")
MAX_FDS = 253  # SCM_MAX_FD of the kernel

# The test module replaces the names in the module; the channel keeps the system's.
_Socket = stdlib.socket
_SOL_SOCKET, _SCM_RIGHTS = stdlib.SOL_SOCKET, stdlib.SCM_RIGHTS
_SEQPACKET = stdlib.SOCK_SEQPACKET


class _Call:
    """A call that waits for its reply."""

    __slots__ = ("lock", "reply", "raw", "fds")

    def __init__(self):
        self.lock = _thread.allocate_lock()
        self.lock.acquire()
        self.reply = self.raw = None
        self.fds = []

    def settle(self, reply, raw, fds):
        self.reply, self.raw, self.fds = reply, raw, fds
        self.lock.release()


class Channel:
    def __init__(self, sync=False):
        self._sync = sync
        self.ended = False
        self._frames, frames = stdlib.socketpair()
        self._outgoing, incoming = stdlib.socketpair(type=_SEQPACKET)
        self._incoming, outgoing = stdlib.socketpair(type=_SEQPACKET)
        self._write_lock = _thread.allocate_lock()
        self._calls = {}
        self._last_id = 0
        self._dropped = collections.deque()
        self.process = _start_host([frames, incoming, outgoing], sync)
        for end in (frames, incoming, outgoing):
            end.close()
        self.reader = _thread.start_new_thread(self._read_replies, ())

    def call(self, name, *args):
        """Makes a call and waits; gives the result and the descriptors that came with it."""
        outgoing = Outgoing()
        encoded = outgoing.encode(args)
        call = _Call()
        call_id = self._post(name, encoded, outgoing, call)
        try:
            call.lock.acquire()
        except BaseException:
            # A signal handler raised: what waits in Node mustn't go on without a caller.
            if self._sync:
                self.ended = True
                self.process.kill()
            else:
                self._post("abort", [call_id], Outgoing(), None)
            raise
        if call.reply is None:
            raise HostFailure("Cannot call Node: the process ended")
        if "error" in call.reply:
            raise exception_of(call.reply["error"])
        return decode(call.reply["result"], call.raw), call.fds

    def post(self, name, *args):
        """Makes a call that nobody waits for."""
        outgoing = Outgoing()
        self._post(name, outgoing.encode(args), outgoing, None)

    def is_writing(self):
        return self._write_lock.locked()

    def drop(self, handle, name="drop"):
        """Closes what nobody refers to any more. It may run inside any other call: it can't wait."""
        if self.ended:
            return
        self._dropped.append((name, handle))
        if self._write_lock.acquire(False):
            try:
                self._flush_dropped()
            finally:
                self._write_lock.release()

    def _post(self, name, args, outgoing, call):
        with self._write_lock:
            self._flush_dropped()
            return self._write(name, args, outgoing, call)

    def _flush_dropped(self):
        while self._dropped:
            name, handle = self._dropped.popleft()
            self._write(name, [handle], Outgoing(), None)

    def _write(self, name, args, outgoing, call):
        self._last_id += 1
        call_id = self._last_id
        fds = outgoing.fds
        if fds:
            # First, so that nothing is written when one of them is not open.
            rights = array.array("i", fds)
            self._outgoing.sendmsg([b"\0"], [(_SOL_SOCKET, _SCM_RIGHTS, rights)])
        if call is not None:
            self._calls[call_id] = call
        message = {"id": call_id, "name": name, "args": args, "fds": len(fds)}
        text = json.dumps(message).encode()
        self._frames.sendall(b"".join([HEADER.pack(len(text), outgoing.size), text, *outgoing.parts]))
        return call_id

    def _read_replies(self):
        try:
            while True:
                json_bytes, raw_bytes = HEADER.unpack(self._read(HEADER.size))
                reply = json.loads(self._read(json_bytes))
                raw = self._read(raw_bytes)
                fds = self._read_fds() if reply["fds"] else []
                call = self._calls.pop(reply["id"], None)
                if call is None:
                    for fd in fds:
                        os.close(fd)
                else:
                    call.settle(reply, raw, fds)
        except (EOFError, OSError):
            for call in list(self._calls.values()):
                call.settle(None, b"", [])

    def _read(self, size):
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._frames.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]
        return data

    def _read_fds(self):
        _, ancillary, _, _ = self._incoming.recvmsg(1, stdlib.CMSG_SPACE(MAX_FDS * 4))
        fds = array.array("i")
        for _, _, data in ancillary:
            fds.frombytes(data)
        for fd in fds:
            os.set_inheritable(fd, False)
        return list(fds)


def _start_host(ends, sync):
    # Node wants them as 3, 4 and 5. The shell renames them, since a preexec_fn would run Python
    # between fork and exec; copies above 5 so that no renaming overwrites one still to come.
    spare = [fcntl.fcntl(end, fcntl.F_DUPFD, 6) for end in ends]
    renames = " ".join(f"{target}<&{number} {number}<&-" for target, number in zip((3, 4, 5), spare))
    node = os.environ.get("SOCKEYE_NODE", "node")
    arguments = ["--enable-source-maps", HOST_SCRIPT, *(["--sync"] if sync else [])]
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$0" "$@" {renames}', node, *arguments],
        pass_fds=spare,
        stdin=subprocess.DEVNULL,
        stdout=2,
    )
    for number in spare:
        os.close(number)
    return process
