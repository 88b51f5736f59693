# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The long-lived stackwalker: one disposable child that keeps parsed symbols between crashes."""

import json
import logging
import math
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from processor.stackwalk import modules
from processor.stackwalk.child import Child, ChildDied, ChildTimedOut, ChildTooTalkative, version_of
from processor.stackwalk.questions import Questions
from processor.stackwalk.result import (
    BAD_OUTPUT,
    DIED,
    KILLED,
    MEMORY_LIMIT,
    OK,
    OUT_OF_MEMORY,
    OUTPUT_TOO_LARGE,
    TIMEOUT,
    UNAVAILABLE,
    WalkResult,
    empty_minidump,
    failed,
    walked,
)
from socorro.metrics import METRICS
from socorro.symbols.servers import SymbolServers

logger = logging.getLogger(__name__)

# Bytes beyond the budget that a child may hold between walks before it is replaced; a healthy one
# holds a few MiB.
_SLACK = 256 * 1024 * 1024
_CLOSE_GRACE = 1.0


class _BadAnswer(Exception):
    """The child broke the protocol."""


@dataclass(frozen=True)
class _Header:
    status: str
    log: str
    output_bytes: int
    symbols: list[modules.ModuleSymbols]


class LongLivedStackwalker:
    """Keeps one child and asks it for one stack walk at a time; safe to share between threads.

    The child starts with the first walk. It is killed and replaced when it does not answer within
    `deadline` seconds, when it dies, or when it holds too much memory after a walk; the crash at
    hand then gets a result that says so. A child that dies on a crash may have been worn out by
    earlier ones: the crash is tried once more, in the time it has left, by a fresh child.

    `memory_limit` bounds the child's address space and `symbol_budget` its parsed symbols, both in
    bytes; a budget beyond half of the limit is cut to that. Symbols that are in none of the folders
    are asked of `servers`, here and not in the child: that works on hostile data and has neither
    network nor credentials.
    """

    def __init__(
        self,
        binary: Path,
        symbol_paths: Sequence[Path],
        *,
        deadline: float,
        memory_limit: int,
        symbol_budget: int,
        servers: SymbolServers | None = None,
    ) -> None:
        self._binary = binary
        self._deadline = deadline
        budget = min(symbol_budget, memory_limit // 2)
        self._replace_above = min(budget + _SLACK, memory_limit)
        self._command: list[str | Path] = [
            binary,
            "--symbol-budget",
            str(budget),
            "--memory-limit",
            str(memory_limit),
            # Its own alarm, should this process not be there to end it.
            "--deadline",
            str(math.ceil(deadline) + 1),
        ]
        for folder in symbol_paths:
            self._command += ["--symbols-path", folder.absolute()]
        self._servers = servers
        if servers is not None:
            self._command.append("--ask")
            for folder in servers.folders:
                self._command += ["--cache-path", folder.absolute()]
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._walks = 0

    @cached_property
    def version(self) -> str:
        return version_of(self._binary)

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is no child."""
        return self._child.pid if self._child else None

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:
        empty = empty_minidump(minidump, self.version)
        if empty is not None:
            return empty
        with self._lock:
            return self._walk(minidump, annotations, time.monotonic() + self._deadline)

    def close(self) -> None:
        with self._lock:
            if self._child is not None:
                self._child.end(_CLOSE_GRACE)
                self._child = None
        if self._servers is not None:
            self._servers.close()

    def _walk(self, minidump: Path, annotations: Path | None, deadline: float) -> WalkResult:
        fresh = self._child is None
        try:
            child = self._running_child()
        except OSError as error:
            return failed(UNAVAILABLE, f"{self._binary}: {error.strerror}", self.version)
        try:
            header, output = self._ask(child, minidump, annotations, deadline)
        except ChildDied:
            result = self._buried(child)
            return result if fresh else self._walk(minidump, annotations, deadline)
        except ChildTimedOut:
            self._replace(child, TIMEOUT)
            stderr = f"No answer within {self._deadline:g} seconds."
            return failed(TIMEOUT, stderr, self.version, KILLED)
        except ChildTooTalkative:
            self._replace(child, OUTPUT_TOO_LARGE)
            return failed(OUTPUT_TOO_LARGE, child.stderr, self.version, KILLED)
        except _BadAnswer as error:
            self._replace(child, BAD_OUTPUT)
            return failed(BAD_OUTPUT, str(error), self.version, KILLED)
        if child.resident_bytes() > self._replace_above:
            self._replace(child, MEMORY_LIMIT)
        if header.status != OK:
            return failed(header.status, header.log, self.version)
        result = walked(output, header.log, self.version)
        if result.output is not None:
            modules.tell(result.output, header.symbols, self._servers)
        return result

    def _running_child(self) -> Child:
        if self._child is None:
            self._child = Child(self._command)
        return self._child

    def _ask(
        self, child: Child, minidump: Path, annotations: Path | None, deadline: float
    ) -> tuple[_Header, bytes]:
        self._walks += 1
        request = {
            "id": self._walks,
            "minidump": str(minidump.absolute()),
            "annotations": str(annotations.absolute()) if annotations else None,
        }
        child.send(json.dumps(request).encode() + b"\n")
        try:
            line = Questions(child, self._servers, deadline).read_answer()
        except (ValueError, RecursionError) as error:
            raise _BadAnswer("The stackwalker's question is not one.") from error
        header = _parsed_header(line, self._walks)
        # The newline that ends the output belongs to the answer.
        output = child.read_bytes(header.output_bytes + 1, deadline)
        return header, output[:-1]

    def _buried(self, child: Child) -> WalkResult:
        """End what is left of a child that died, and say why it did."""
        return_code = self._end(child)
        if return_code == -signal.SIGALRM:
            status = TIMEOUT
        elif OUT_OF_MEMORY in child.stderr:
            status = MEMORY_LIMIT
        else:
            status = DIED
        _report(status, return_code)
        return failed(status, child.stderr, self.version, return_code)

    def _replace(self, child: Child, reason: str) -> None:
        _report(reason, self._end(child))

    def _end(self, child: Child) -> int:
        """End the child; the next walk starts another. Returns the return code."""
        self._child = None
        return child.end()


def _report(reason: str, return_code: int) -> None:
    METRICS.incr("processor.stackwalker.replaced", tags=[f"reason:{reason}"])
    logger.warning("the stackwalker was replaced: %s (return code %d)", reason, return_code)


def _parsed_header(line: bytes, request_id: int) -> _Header:
    try:
        fields = json.loads(line)
        symbols = modules.parsed(fields.get("symbols"))
        header = _Header(fields["status"], fields["log"], int(fields["output_bytes"]), symbols)
        right = fields["id"] == request_id and header.output_bytes >= 0
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        right = False
    if not right:
        raise _BadAnswer("The stackwalker's answer is not one.")
    return header
