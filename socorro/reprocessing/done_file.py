# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A file that remembers what a long command has done, so that it goes on where it ended."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

_MARK = "socorro-progress"
_LONGEST_HEADER = 4096


class WrongDoneFile(Exception):
    """The file cannot be used; the text is a sentence."""


class Done(Protocol):
    """What is done: `lines` before this time, and those added."""

    lines: Sequence[str]

    def add(self, lines: Iterable[str]) -> None:
        """Remember lines. Raises WrongDoneFile if that fails, as on a full disk."""
        ...

    def finish(self) -> None:
        """Forget: everything is done."""
        ...


@contextmanager
def remembering(path: Path | None, what: str) -> Iterator[Done]:
    """Yield what is remembered in a file, or nothing without one. Raises WrongDoneFile."""
    if path is None:
        yield Forgetful()
        return
    with closing(DoneFile(path, what)) as done:
        yield done


class Forgetful:
    """Remembers nothing."""

    lines: Sequence[str] = ()

    def add(self, lines: Iterable[str]) -> None:
        """See `Done.add`."""

    def finish(self) -> None:
        """See `Done.finish`."""


class DoneFile:
    """Lines that are done, appended as the work goes on; the file is removed at the end.

    A line survives a killed process once `add` returned. What was done and not yet added is done
    again, which is harmless for everything that uses this.
    """

    def __init__(self, path: Path, what: str) -> None:
        """Make the file, or open that of an interrupted command that did the same `what`.

        Raises WrongDoneFile for a file that is something else, is another command's, or is in use.
        """
        self._path = path
        try:
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        except OSError as error:
            raise WrongDoneFile(f"{path} cannot be used: {error.strerror}.") from error
        try:
            self._claim()
            self.lines: Sequence[str] = self._read(what)
        except BaseException:
            self._file.close()
            raise

    def add(self, lines: Iterable[str]) -> None:
        """See `Done.add`."""
        try:
            self._file.write("".join(f"{line}\n" for line in lines).encode())
            self._file.flush()
        except OSError as error:
            raise WrongDoneFile(f"{self._path} cannot be written: {error.strerror}.") from error

    def finish(self) -> None:
        """See `Done.finish`: the file is removed."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the file for another time."""
        self._file.close()

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WrongDoneFile(f"{self._path} is in use by another command.") from error

    def _read(self, what: str) -> list[str]:
        header = json.dumps({_MARK: what})
        first = self._file.readline(_LONGEST_HEADER)
        if not first:
            self.add([header])
            return []
        if not first.startswith(f'{{"{_MARK}"'.encode()):
            raise WrongDoneFile(f"{self._path} is another file: name one that does not exist yet.")
        if first != f"{header}\n".encode():
            raise WrongDoneFile(f"{self._path} belongs to a command with other options.")
        body = self._file.read()
        # A line that was not written to its end is not done.
        whole = body[: body.rfind(b"\n") + 1]
        self._file.truncate(len(first) + len(whole))
        self._file.seek(0, os.SEEK_END)
        return whole.decode(errors="replace").splitlines()
