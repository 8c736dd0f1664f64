"""drip-feed.py PORT COUNT DEADLINE: the clients of drip-feed.mjs; prints what they saw as JSON."""

import json
import select
import socket
import struct
import sys
import threading
import time

ADDRESS = ("127.0.0.1", int(sys.argv[1]))
COUNT = int(sys.argv[2])
DEADLINE = float(sys.argv[3])
FRAME = struct.pack("!I", 64) + b"x" * 64
# A frame of 1,000 bytes, of which a byte a second comes.
DRIP = struct.pack("!I", 1000)
GOOD_PAUSE = 0.005


def receive_exactly(source, size):
    data = b""
    while len(data) < size:
        chunk = source.recv(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


def serve_well(latencies, stop):
    good = socket.create_connection(ADDRESS)
    good.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while not stop.is_set():
        before = time.monotonic()
        good.sendall(FRAME)
        receive_exactly(good, len(FRAME))
        latencies.append((time.monotonic() - before) * 1000)
        time.sleep(GOOD_PAUSE)


def drip():
    poller = select.epoll()
    started, lasted, by_fd = {}, {}, {}
    for _ in range(COUNT):
        one = socket.create_connection(ADDRESS)
        one.setblocking(False)
        one.send(DRIP[:1])
        started[one.fileno()] = time.monotonic()
        by_fd[one.fileno()] = one
        poller.register(one, select.EPOLLIN | select.EPOLLRDHUP)
    byte, next_drip = 1, time.monotonic() + 1
    give_up = time.monotonic() + DEADLINE + 10
    while by_fd and time.monotonic() < give_up:
        for fd, _ in poller.poll(max(0, next_drip - time.monotonic())):
            lasted[fd] = time.monotonic() - started[fd]
            poller.unregister(fd)
            # Kept open, so that its number isn't another's.
            by_fd.pop(fd)
        if time.monotonic() < next_drip:
            continue
        for one in by_fd.values():
            try:
                one.send(DRIP[byte : byte + 1] or b"x")
            except OSError:
                pass
        byte, next_drip = byte + 1, next_drip + 1
    return lasted, by_fd


latencies, stop = [], threading.Event()
threads = [threading.Thread(target=serve_well, args=(latencies, stop)) for _ in range(4)]
for thread in threads:
    thread.start()
lasted, left = drip()
stop.set()
for thread in threads:
    thread.join()
latencies.sort()
print(
    json.dumps(
        {
            "firstClosedSeconds": min(lasted.values()),
            "lastClosedSeconds": max(lasted.values()),
            "stillOpen": len(left),
            "samples": len(latencies),
            "p50Ms": latencies[len(latencies) // 2],
            "p99Ms": latencies[len(latencies) * 99 // 100],
        }
    ),
    flush=True,
)
