"""The library's errors as Python's."""

import os
import _socket as system_socket


class ArgumentRangeError(OverflowError, ValueError):
    """JavaScript has one RangeError where Python has two."""


class ArgumentValueError(TypeError, ValueError):
    """ERR_INVALID_ARG_VALUE: Node has no error class for a value that means nothing."""


class HostFailure(Exception):
    """The Node side failed in a way that is no answer of the library's."""


def exception_of(error):
    kind, message, number = error["kind"], error["message"], error.get("errno")
    if kind == "TimeoutError":
        return TimeoutError("timed out")
    if kind == "AddressInfoError":
        return system_socket.gaierror(number, message)
    if kind == "HostError":
        return system_socket.herror(number, message)
    if kind == "SocketError":
        return _socket_error(error)
    if kind == "TypeError":
        if error.get("code") == "ERR_INVALID_ARG_VALUE":
            return ArgumentValueError(message)
        # V8's own TypeErrors have no code: the library failed to check its arguments.
        return TypeError(message) if error.get("code") else HostFailure(error["stack"])
    if kind == "RangeError":
        return ArgumentRangeError(message)
    if kind == "AggregateError":
        return ExceptionGroup(message, [exception_of(each) for each in error["errors"]])
    if error.get("code") == "ERR_INVALID_STATE":
        return ValueError(message)
    if isinstance(number, int):
        # node:fs has errors of its own, with a negative errno.
        return OSError(abs(number), os.strerror(abs(number)))
    return HostFailure(error.get("stack") or message)


def _socket_error(error):
    if error["errno"] == 0:
        return OSError(error["message"])
    return OSError(error["errno"], error["message"])
