# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A child process that is talked to with deadlines and never trusted."""

import fcntl
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

# Bytes of standard error that are kept: the last ones say why a child died.
MAX_STDERR = 16 * 1024
# More than the largest JSON of a stack walk (64 MiB) and its header.
MAX_OUTPUT = 80 * 1024 * 1024
# More than the longest line that is asked for: messages of 16 KiB, escaped, and some figures.
_MAX_LINE = 1024 * 1024
_READ_SIZE = 256 * 1024
_VERSION_TIMEOUT = 10.0
_PIPE_SIZE = 256 * 1024


class ChildDied(Exception):
    """The child ended, or closed its output, before it answered."""


# The groups of the children of this process that may still live.
_LIVING: set[int] = set()


def kill_children() -> None:
    """End every child of this process at once, for a process that has to end itself."""
    for group in tuple(_LIVING):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


class ChildTimedOut(Exception):
    """The child did not answer before the deadline."""


class ChildTooTalkative(Exception):
    """The child wrote more than anyone asked for."""


class Child:
    """One process, in a session of its own so that a terminal's Ctrl-C spares the walk at hand.

    It gets no environment: it works on hostile data and needs no secrets. Raises OSError if the
    program cannot be started.
    """

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={},
            start_new_session=True,
        )
        _LIVING.add(self._process.pid)
        # Pipes were asked for, so there are pipes.
        self._stdin = cast("IO[bytes]", self._process.stdin)
        _widen(self._stdin)
        outlets = (cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr))
        self._streams = (self._stdin, *outlets)
        self._output = bytearray()
        self._stderr = bytearray()
        self._selector = selectors.DefaultSelector()
        for stream, buffer in zip(outlets, (self._output, self._stderr), strict=True):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, buffer)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The last of what it wrote to standard error."""
        return self._stderr.decode("utf-8", "replace")

    def limit(self, what: int, amount: int) -> None:
        """Set a resource limit (`resource.RLIMIT_...`) on the running child."""
        with suppress(ProcessLookupError):
            resource.prlimit(self._process.pid, what, (amount, amount))

    def send(self, data: bytes) -> None:
        """Write to its standard input; `data` fits into a pipe. Raises ChildDied.

        A child that does not read what it asked for counts as dead, too: nobody waits for it.
        """
        try:
            self._stdin.write(data)
            self._stdin.flush()
        except OSError as error:
            raise ChildDied from error

    def read_line(self, deadline: float) -> bytes:
        """The next line of its output, without the newline.

        `deadline` is a time of `time.monotonic`. Raises ChildDied, ChildTimedOut or
        ChildTooTalkative.
        """
        self._read_until(lambda: b"\n" in self._output, deadline, _MAX_LINE)
        line = self._take(self._output.index(b"\n") + 1)
        return line[:-1]

    def read_bytes(self, count: int, deadline: float) -> bytes:
        """The next `count` bytes of its output; deadline and errors as for `read_line`."""
        self._read_until(lambda: len(self._output) >= count, deadline)
        return self._take(count)

    def read_to_end(self, deadline: float) -> bytes:
        """All output to its end; deadline and errors as for `read_line`."""
        with suppress(ChildDied):
            self._read_until(lambda: False, deadline)
        return self._take(len(self._output))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._output[:count])
        del self._output[:count]
        return taken

    def _read_until(
        self, done: Callable[[], bool], deadline: float, most: int = MAX_OUTPUT
    ) -> None:
        while not done():
            if not self._selector.get_map():
                raise ChildDied
            if len(self._output) > most:
                raise ChildTooTalkative
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise ChildTimedOut
            for key, _ in ready:
                self._read_some(key)

    def _read_some(self, key: selectors.SelectorKey) -> None:
        piece = os.read(key.fd, _READ_SIZE)
        if not piece:
            self._selector.unregister(key.fileobj)
        key.data.extend(piece)
        del self._stderr[:-MAX_STDERR]

    def resident_bytes(self) -> int:
        """The memory that it holds now; 0 once it is gone."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * resource.getpagesize()

    def end(self, grace: float = 0.0) -> int:
        """Kill it unless it ends by itself within `grace` seconds; reap it.

        Returns its return code, minus the signal if one ended it.
        """
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return_code = self._process.wait()
        _LIVING.discard(self._process.pid)
        self._read_what_is_left()
        self._selector.close()
        for stream in self._streams:
            stream.close()
        return return_code

    def _read_what_is_left(self) -> None:
        with suppress(ChildDied, ChildTimedOut, ChildTooTalkative):
            self._read_until(lambda: False, time.monotonic())


def _widen(stream: IO[bytes]) -> None:
    """Let a pipe take many short answers, and refuse instead of blocking when it is full."""
    os.set_blocking(stream.fileno(), False)
    with suppress(OSError):
        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_SIZE)


def version_of(binary: Path) -> str:
    """What a program's `--version` says; "unknown" if it cannot be asked."""
    try:
        child = Child([binary, "--version"])
    except OSError:
        return "unknown"
    try:
        answer = child.read_to_end(time.monotonic() + _VERSION_TIMEOUT)
    except (ChildTimedOut, ChildTooTalkative):
        answer = b""
    finally:
        child.end()
    return answer.decode("utf-8", "replace").strip()[:100] or "unknown"
