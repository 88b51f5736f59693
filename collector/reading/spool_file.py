# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A file on its way into storage, in the first of several folders that takes it."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from socorro.storage import StorageUnavailable

_COPIED = 64 * 1024


class SpoolFile:
    """A file that grows. It moves to the next folder when one cannot be written any more.

    `path` is None for a file without a name, which is gone when it is closed. Every method raises
    StorageUnavailable when no folder is left.
    """

    def __init__(self, folders: Sequence[Path], suffix: str | None) -> None:
        self.path: Path | None = None
        self.size = 0
        self._folders = list(folders)
        self._suffix = suffix
        self._descriptor: int | None = None

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        while True:
            try:
                _write_all_at(self._opened(), data, self.size)
            except OSError as error:
                self._move_on(error)
            else:
                self.size += len(data)
                return

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `end` in pieces."""
        while start < end:
            piece = self._read_some(start, end - start)
            start += len(piece)
            yield piece

    def shrink(self, size: int) -> None:
        """Forget what was written after the first `size` bytes."""
        self.size = min(self.size, size)

    def fileno(self) -> int:
        """Return the descriptor of what was written."""
        self.write(b"")
        return self._opened()

    def finish(self) -> Path:
        """End writing and return the path, for storage to take the file over.

        Raises ValueError for a file without a name.
        """
        # An empty file is one as well.
        self.write(b"")
        self.close()
        if self.path is None:
            raise ValueError("a file without a name")
        return self.path

    def close(self) -> None:
        """End writing; a file with a name stays."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def remove(self) -> None:
        """Close the file and remove it, if nobody took it over."""
        self.close()
        # One that cannot be removed is swept later; it must not turn a taken report into an error.
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = self._open()
        return self._descriptor

    def _open(self) -> int:
        folder = self._folders[0]
        if self._suffix is None:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                return os.dup(file.fileno())
        self.path = folder / f"{secrets.token_hex(16)}{self._suffix}"
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def _move_on(self, error: OSError) -> None:
        """Go on in the next folder, with what is written so far."""
        old_path, old_descriptor = self.path, self._descriptor
        self.path = self._descriptor = None
        del self._folders[0]
        try:
            while self._folders:
                if self._copied(old_descriptor):
                    return
                del self._folders[0]
        finally:
            if old_descriptor is not None:
                os.close(old_descriptor)
            if old_path is not None:
                with contextlib.suppress(OSError):
                    old_path.unlink(missing_ok=True)
        raise StorageUnavailable(f"spool: {error}") from error

    def _copied(self, source: int | None) -> bool:
        try:
            target = self._opened()
            position = 0
            while source is not None and position < self.size:
                piece = os.pread(source, min(_COPIED, self.size - position), position)
                if not piece:
                    raise OSError("what was written is gone")
                _write_all_at(target, piece, position)
                position += len(piece)
        except OSError:
            self.remove()
            self.path = None
            return False
        return True

    def _read_some(self, start: int, size: int) -> bytes:
        try:
            piece = os.pread(self.fileno(), min(_COPIED, size), start)
        except OSError as error:
            raise StorageUnavailable(f"spool: {error}") from error
        if not piece:
            raise StorageUnavailable("spool: what was written is gone")
        return piece


def _write_all_at(descriptor: int, data: bytes, position: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, position)
        rest = rest[written:]
        position += written
