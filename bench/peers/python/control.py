"""The conversation with the harness over stdin and stdout, and the one-way rules."""

import gc
import os
import struct
import sys
import threading

ASK_BYTES = 4
REQUEST_BYTES = 8
UDP_BUFFER_BYTES = 4 << 20


def option(name):
    """The value after --name, or None."""
    flag = "--" + name
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else None


def _watch_stdin():
    for line in sys.stdin:
        if line == "gc\n":
            gc.collect()
            print("collected", flush=True)
    os._exit(0)


def ready(port):
    """Prints `ready PORT`; answers `gc` on stdin with `collected`; ends with stdin."""
    threading.Thread(target=_watch_stdin, daemon=True).start()
    print("ready", port, flush=True)


def count_answer(count):
    """The answer to a request for the count: 8 bytes, big-endian."""
    return struct.pack(">Q", count)


def parse_request(data):
    """Count and size of a request of 8 bytes."""
    return struct.unpack(">II", data)
