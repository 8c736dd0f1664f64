"""4-byte big-endian length prefixes over arbitrary chunks."""

import struct

PREFIX = struct.Struct(">I")
MAX_FRAME_BYTES = 1 << 20


class FrameReader:
    """push() gives the whole messages of a chunk and keeps the rest."""

    def __init__(self):
        self._kept = b""

    def push(self, chunk):
        data = self._kept + chunk
        messages, at = [], 0
        while len(data) - at >= PREFIX.size:
            (length,) = PREFIX.unpack_from(data, at)
            if length > MAX_FRAME_BYTES:
                raise ValueError("cannot read frame: %d bytes" % length)
            end = at + PREFIX.size + length
            if end > len(data):
                break
            messages.append(data[at + PREFIX.size : end])
            at = end
        self._kept = data[at:]
        return messages


def frames(messages):
    """The messages, each with its length in front, joined."""
    return b"".join(PREFIX.pack(len(message)) + message for message in messages)
