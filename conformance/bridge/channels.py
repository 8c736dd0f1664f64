"""Which pipe to Node a call takes: the process's one, or with SOCKEYE_SYNC the thread's own."""

import _thread
import os
import threading

from .channel import Channel

# The main thread and a test's client, each with a Node that may block. Made ahead: some tests count
# the threads at their beginning and end, and each channel has one.
SYNC_CHANNELS = 3


class _Lease:
    """A thread's hold on a channel; it ends with the thread."""

    def __init__(self, pool):
        self.pool = pool
        self.channel = pool.pop() if pool else Channel(sync=True)

    def __del__(self):
        self.pool.append(self.channel)


class Channels:
    def __init__(self):
        self._sync = "SOCKEYE_SYNC" in os.environ
        self._start()
        os.register_at_fork(after_in_child=self._start)

    def _start(self):
        """At the beginning, and in a forked child: no thread reads the parent's replies there."""
        self._local = threading.local()
        self._all = [Channel(self._sync) for _ in range(SYNC_CHANNELS if self._sync else 1)]
        self._pool = list(self._all)

    def current(self):
        if not self._sync:
            return self._all[0]
        lease = getattr(self._local, "lease", None)
        if lease is None or lease.channel.ended:
            if lease is not None:
                lease.channel = Channel(sync=True)
            else:
                lease = self._local.lease = _Lease(self._pool)
            if lease.channel not in self._all:
                self._all.append(lease.channel)
        return lease.channel

    def others(self):
        current = self.current()
        return [channel for channel in self._all if channel is not current and not channel.ended]

    def can_call(self):
        """Whether a finalizer may make a call: not from a thread that reads, nor within another."""
        readers = {channel.reader for channel in self._all}
        return _thread.get_ident() not in readers and not any(each.is_writing() for each in self._all)
