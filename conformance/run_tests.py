"""Runs tests of CPython's own suite, with its socket module or with the bridge; see README.md.

run_tests.py real|bridge list MODULE            prints the names of all its tests
run_tests.py real|bridge run MODULE LIMIT FILE  runs those named in FILE; one JSON line each, to fd 1
"""

import faulthandler
import json
import os
import sys
import time
import traceback
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# With the system's socket in them: they serve the test runner, not the tests.
import asyncio  # noqa: E402,F401
import logging.handlers  # noqa: E402,F401
import multiprocessing.connection  # noqa: E402,F401
import selectors  # noqa: E402,F401

# These must see the bridge.
RELOADED = ("socketserver", "test.support.socket_helper")


class Report(unittest.TestResult):
    """One JSON line when a test starts, one when it ends."""

    def __init__(self, out, limit):
        super().__init__()
        self._out = out
        self._limit = limit

    def _write(self, **fields):
        self._out.write(json.dumps(fields) + "\n")
        self._out.flush()

    def startTest(self, test):
        super().startTest(test)
        self._status, self._detail = "passed", ""
        self._begin = time.monotonic()
        self._write(id=test.id(), status="started")
        faulthandler.dump_traceback_later(self._limit, exit=True)

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        seconds = round(time.monotonic() - self._begin, 3)
        self._write(id=test.id(), status=self._status, detail=self._detail, seconds=seconds)
        super().stopTest(test)

    def _record(self, status, detail):
        self._status = status
        self._detail = f"{self._detail}\n{detail}".strip()

    def addError(self, test, err):
        self._record("error", "".join(traceback.format_exception(*err)))

    def addFailure(self, test, err):
        self._record("failed", "".join(traceback.format_exception(*err)))

    def addSkip(self, test, reason):
        # A whole class that is skipped reports so without starting a test.
        self._record("skipped", reason)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._record("failed", f"{subtest}\n{''.join(traceback.format_exception(*err))}")


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main(kind, action, module_name, *rest):
    if kind == "bridge":
        from bridge import modules

        for name in RELOADED:
            sys.modules.pop(name, None)
        modules.install()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = __import__(module_name, fromlist=["*"])
    tests = list(flatten(unittest.defaultTestLoader.loadTestsFromModule(module)))
    if action == "list":
        out.write("".join(f"{test.id()}\n" for test in tests))
        out.flush()
        os._exit(0)
    limit, names_file = float(rest[0]), rest[1]
    with open(names_file, encoding="utf-8") as file:
        wanted = set(file.read().split())
    suite = unittest.TestSuite(test for test in tests if test.id() in wanted)
    suite.run(Report(out, limit))
    out.flush()
    # The reader thread never ends by itself.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
