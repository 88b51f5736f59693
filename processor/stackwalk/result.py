# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a stack walk gives, whoever does it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

OK = "OK"
UNKNOWN_ERROR = "unknown error"
# Statuses that are not rust-minidump's own.
EMPTY_MINIDUMP = "EmptyMinidump"
TIMEOUT = "Timeout"
MEMORY_LIMIT = "MemoryLimit"
DIED = "StackwalkerDied"
UNAVAILABLE = "StackwalkerUnavailable"
BAD_OUTPUT = "BadOutput"
OUTPUT_TOO_LARGE = "OutputTooLarge"

# What Rust says before it aborts for want of memory.
OUT_OF_MEMORY = "memory allocation of"

KILLED = -9
FAILED = 1


@dataclass(frozen=True)
class WalkResult:
    """The outcome of one stack walk.

    `output` is rust-minidump's JSON object, or None if there is none. `status` is "OK", or the name
    of the error: rust-minidump's ("MissingThreadList", "HeaderMismatch", ...) or one of the above.
    `return_code` is 0, 1 for a minidump that cannot be read, or minus the signal that ended the
    stackwalker. `stderr` has the stackwalker's messages, which may quote the crash: it is protected
    data.
    """

    output: dict[str, Any] | None
    return_code: int
    status: str
    stderr: str
    version: str
    success: bool


class Stackwalker(Protocol):
    """Walks the stacks of minidumps. A walk never raises for what a minidump does."""

    @property
    def version(self) -> str:
        """What the stackwalker's `--version` says, or "unknown"."""
        ...

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:
        """Walk a minidump; `annotations` is a file of the crash annotations, a JSON object."""
        ...

    def close(self) -> None:
        """End whatever still runs. Closing twice is harmless."""
        ...


class Walkers(Protocol):
    """Where a rule gets the stackwalker from, for each crash anew."""

    def get(self) -> Stackwalker | None:
        """Return the stackwalker, or None where none can be had.

        Raises StackwalkerNotReadyError while it is being built.
        """
        ...


def failed(status: str, stderr: str, version: str, return_code: int = FAILED) -> WalkResult:
    """The result of a walk that gave no output."""
    return WalkResult(None, return_code, status, stderr, version, success=False)


def empty_minidump(minidump: Path, version: str) -> WalkResult | None:
    """The result for a minidump of 0 bytes, which is not walked at all; None for any other."""
    try:
        size = minidump.stat().st_size
    except OSError:
        return None  # the stackwalker says what is wrong with it
    if size:
        return None
    return failed(EMPTY_MINIDUMP, "Shortcut for 0-bytes minidump.", version)


def walked(output: bytes, stderr: str, version: str) -> WalkResult:
    """The result of a walk that went well, from the JSON it wrote."""
    try:
        document = json.loads(output)
    except (ValueError, RecursionError) as error:
        return failed(BAD_OUTPUT, f"{stderr}The output is not JSON: {error}", version)
    if not isinstance(document, dict):
        return failed(BAD_OUTPUT, f"{stderr}The output is not a JSON object.", version)
    _put_in_order(document)
    return WalkResult(document, 0, OK, stderr, version, success=True)


def _put_in_order(document: dict[str, Any]) -> None:
    """Sort what rust-minidump writes in the order of a hash table: it differs from run to run."""
    proc_limits = document.get("proc_limits")
    if isinstance(proc_limits, dict) and isinstance(proc_limits.get("limits"), list):
        proc_limits["limits"].sort(key=json.dumps)
