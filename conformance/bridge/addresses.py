"""Python's address tuples and the library's address objects."""

import os

import _socket as system_socket


def _constant(name):
    return getattr(system_socket, name, None)


def to_object(family, proto, address):
    """What the library takes for a Python address; what is none goes through as it is."""
    encode = _ENCODERS.get(family)
    if encode is None:
        return address
    return encode(address, proto)


def to_tuple(family, proto, address):
    """What Python gives for the library's address; None where there is none."""
    if address is None:
        return None
    if "data" in address:
        return address["family"], address["data"]
    decode = _DECODERS.get(family)
    return decode(address, proto) if decode else address


def _fields(names, required):
    def encode(address, _proto):
        if not isinstance(address, tuple):
            return address
        if not required <= len(address) <= len(names):
            raise TypeError(f"address has {len(address)} parts: expected {', '.join(names)}")
        return dict(zip(names, map(_text, address)))

    return encode


def _text(value):
    # A host or an interface may be bytes in Python; they are text in the library.
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, bytearray)) else value


def _tuple_of(names):
    return lambda address, _proto: tuple(address[name] for name in names)


def _unix(address, _proto):
    if isinstance(address, str):
        try:
            address.encode()
        except UnicodeEncodeError:
            address = os.fsencode(address)
    if isinstance(address, (str, bytes, bytearray)):
        return {"path": address}
    return address


def _unix_path(address, _proto):
    path = address["path"]
    if isinstance(path, str) and not path.startswith("\0"):
        return path
    data = path.encode() if isinstance(path, str) else path
    # Python has abstract names as bytes, other paths as text in the file system's encoding.
    return data if data.startswith(b"\0") else os.fsdecode(data)


_PACKET = ("interface", "protocol", "pkttype", "hatype", "hwaddr")


def _packet(address, proto):
    encoded = _fields(_PACKET, 2)(address, proto)
    if isinstance(encoded, dict) and len(address) > 4:
        encoded["hwaddr"] = address[4]
    return encoded


_ISOTP = ("interface", "rxId", "txId")
_J1939 = ("interface", "name", "pgn", "addr")


def _can_names(proto):
    return {_constant("CAN_ISOTP"): _ISOTP, _constant("CAN_J1939"): _J1939}.get(proto, ("interface",))


def _can(address, proto):
    names = _can_names(proto)
    return _fields(names, len(names))(address, proto)


def _can_tuple(address, proto):
    return tuple(address[name] for name in _can_names(proto))


_BLUETOOTH = {
    "BTPROTO_L2CAP": ("bdaddr", "psm"),
    "BTPROTO_RFCOMM": ("bdaddr", "channel"),
    "BTPROTO_HCI": ("device",),
    "BTPROTO_SCO": ("bdaddr",),
}


def _bluetooth_names(proto):
    names = {_constant(name): fields for name, fields in _BLUETOOTH.items() if _constant(name) is not None}
    return names.get(proto, ("bdaddr",))


def _bluetooth(address, proto):
    names = _bluetooth_names(proto)
    if isinstance(address, tuple):
        return _fields(names, len(names))(address, proto)
    return {names[0]: _text(address)}


def _bluetooth_tuple(address, proto):
    names = _bluetooth_names(proto)
    values = tuple(address[name] for name in names)
    return values if len(values) > 1 else values[0]


_TIPC = {
    "TIPC_ADDR_NAMESEQ": ("type", "lower", "upper"),
    "TIPC_ADDR_NAME": ("type", "instance", "domain"),
    "TIPC_ADDR_ID": ("node", "ref", None),
}


def _tipc_names(kind):
    for name, fields in _TIPC.items():
        if kind == _constant(name):
            return fields
    raise TypeError(f"unknown TIPC address type {kind}")


def _tipc(address, _proto):
    if not isinstance(address, tuple) or not 4 <= len(address) <= 5:
        return address
    fields = {name: value for name, value in zip(_tipc_names(address[0]), address[1:4]) if name}
    scope = {"scope": address[4]} if len(address) == 5 else {}
    return {"addrType": address[0], **fields, **scope}


def _tipc_tuple(address, _proto):
    fields = _tipc_names(address["addrType"])
    values = [address.get(name, 0) if name else 0 for name in fields]
    return address["addrType"], *values, address.get("scope", 0)


_BY_FAMILY = {
    "AF_INET": (_fields(("host", "port"), 2), _tuple_of(("host", "port"))),
    "AF_RDS": (_fields(("host", "port"), 2), _tuple_of(("host", "port"))),
    "AF_INET6": (
        _fields(("host", "port", "flowinfo", "scopeId"), 2),
        _tuple_of(("host", "port", "flowinfo", "scopeId")),
    ),
    "AF_UNIX": (_unix, _unix_path),
    "AF_NETLINK": (_fields(("pid", "groups"), 2), _tuple_of(("pid", "groups"))),
    "AF_VSOCK": (_fields(("cid", "port"), 2), _tuple_of(("cid", "port"))),
    "AF_QIPCRTR": (_fields(("node", "port"), 2), _tuple_of(("node", "port"))),
    "AF_ALG": (_fields(("type", "name", "feat", "mask"), 2), _tuple_of(("type", "name"))),
    "AF_PACKET": (_packet, _tuple_of(_PACKET)),
    "AF_CAN": (_can, _can_tuple),
    "AF_BLUETOOTH": (_bluetooth, _bluetooth_tuple),
    "AF_TIPC": (_tipc, _tipc_tuple),
}
_KNOWN = {_constant(name): pair for name, pair in _BY_FAMILY.items() if _constant(name) is not None}
_ENCODERS = {family: encode for family, (encode, _) in _KNOWN.items()}
_DECODERS = {family: decode for family, (_, decode) in _KNOWN.items()}
