"""What crosses between Python and Node: the table of host/values.mjs, from this side."""

import math
import operator

MAX_SAFE_INTEGER = 2**53 - 1


class Room:
    """A buffer that Node makes: Python's own can't be written to from there."""

    def __init__(self, length):
        self.length = length


class Fd:
    """A descriptor of this process that travels with the call."""

    def __init__(self, number):
        self.number = number


class Undefined:
    """An argument that the caller left out."""


class Outgoing:
    """The arguments of one call: JSON, byte strings, descriptors."""

    def __init__(self):
        self.parts = []
        self.size = 0
        self.fds = []

    def encode(self, value):
        if value is None or isinstance(value, (bool, str)):
            return value
        if value is Undefined:
            return {"$": "undefined"}
        if isinstance(value, int):
            return self._integer(int(value))
        if isinstance(value, float):
            return value if math.isfinite(value) else _number(repr(value))
        if isinstance(value, Room):
            return {"$": "room", "length": value.length}
        if isinstance(value, Fd):
            return {"$": "fd", "index": self.add_fd(value.number)}
        if isinstance(value, dict):
            return {key: self.encode(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.encode(item) for item in value]
        return self._other(value)

    def add_fd(self, number):
        self.fds.append(number)
        return len(self.fds) - 1

    def add_bytes(self, data):
        at = self.size
        self.parts.append(data)
        self.size += len(data)
        return {"$": "bytes", "at": at, "length": len(data)}

    def _integer(self, value):
        if abs(value) <= MAX_SAFE_INTEGER:
            return value
        return _number(str(value))

    def _other(self, value):
        try:
            return self.add_bytes(memoryview(value).tobytes())
        except TypeError:
            pass
        try:
            return self._integer(operator.index(value))
        except TypeError:
            return {"$": "foreign"}


def _number(text):
    return {"$": "number", "text": {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(text, text)}


def decode(value, raw):
    if isinstance(value, list):
        return [decode(item, raw) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$")
    if kind == "bytes":
        return bytes(raw[value["at"] : value["at"] + value["length"]])
    if kind == "bigint":
        return int(value["text"])
    if kind == "number":
        return float(value["text"])
    return {key: decode(item, raw) for key, item in value.items()}
