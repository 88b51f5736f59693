# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The plain `minidump-stackwalk` command, started anew for each minidump."""

import math
import resource
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from processor.stackwalk.child import Child, ChildTimedOut, ChildTooTalkative, version_of
from processor.stackwalk.modules import tell_by_flags
from processor.stackwalk.result import (
    KILLED,
    MEMORY_LIMIT,
    OUT_OF_MEMORY,
    OUTPUT_TOO_LARGE,
    TIMEOUT,
    UNAVAILABLE,
    UNKNOWN_ERROR,
    WalkResult,
    empty_minidump,
    failed,
    walked,
)
from socorro.symbol_server import SymbolServer
from socorro.symbols.cache import SymbolCache


class CommandStackwalker:
    """Runs `minidump-stackwalk` once a minidump: the same JSON, but symbols are parsed each time.

    `deadline` is in seconds; `memory_limit` bounds the command's address space in bytes. The
    command downloads from the addresses of `servers` by itself, into a folder of `cache`; it is
    given no credentials, which every user could read in the list of processes.
    """

    def __init__(
        self,
        binary: Path,
        symbol_paths: Sequence[Path],
        *,
        deadline: float,
        memory_limit: int | None = None,
        servers: Sequence[SymbolServer] = (),
        cache: SymbolCache | None = None,
    ) -> None:
        self._binary = binary
        self._deadline = deadline
        self._memory_limit = memory_limit
        self._options: list[str | Path] = ["--json", "--no-color", "--verbose=error"]
        for folder in symbol_paths:
            self._options += ["--symbols-path", folder.absolute()]
        self._cache = cache
        if cache is not None:
            self._options += ["--symbols-cache", cache.commands_folder.absolute()]
            self._options += [f"--symbols-url={server.address}" for server in servers]

    @cached_property
    def version(self) -> str:
        return version_of(self._binary)

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:
        empty = empty_minidump(minidump, self.version)
        if empty is not None:
            return empty
        command = [self._binary, *self._options]
        if annotations is not None:
            command.append(f"--evil-json={annotations.absolute()}")
        # An absolute path never looks like an option.
        command.append(minidump.absolute())
        try:
            child = Child(command)
        except OSError as error:
            return failed(UNAVAILABLE, f"{self._binary}: {error.strerror}", self.version)
        return self._finish(child)

    def close(self) -> None:
        """Nothing outlives a walk."""

    def _finish(self, child: Child) -> WalkResult:
        self._limit(child)
        problem = None
        output = b""
        try:
            output = child.read_to_end(time.monotonic() + self._deadline)
        except ChildTimedOut:
            problem = TIMEOUT
        except ChildTooTalkative:
            problem = OUTPUT_TOO_LARGE
        # Its output has ended: it ends by itself within moments, unless it is to be killed.
        return_code = child.end(0.0 if problem else self._deadline)
        if problem:
            return failed(problem, child.stderr, self.version, KILLED)
        if return_code != 0:
            return failed(_status(child.stderr), child.stderr, self.version, return_code)
        if self._cache is not None:
            self._cache.tidy()
        result = walked(output, child.stderr, self.version)
        if result.output is not None:
            tell_by_flags(result.output)
        return result

    def _limit(self, child: Child) -> None:
        child.limit(resource.RLIMIT_CORE, 0)
        # Should this process die, the kernel ends the walk.
        child.limit(resource.RLIMIT_CPU, math.ceil(self._deadline) + 1)
        if self._memory_limit is not None:
            child.limit(resource.RLIMIT_AS, self._memory_limit)


def _status(stderr: str) -> str:
    """The error's name: a log that says "ERROR MissingThreadList - ..." names it second."""
    words = stderr.split(maxsplit=2)
    if len(words) > 1 and words[0] == "ERROR":
        return words[1]
    return MEMORY_LIMIT if OUT_OF_MEMORY in stderr else UNKNOWN_ERROR
