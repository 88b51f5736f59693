# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The ids of crashes that are stored and could not be published yet: kept on this machine."""

import fcntl
import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from socorro.crash_id import is_crash_id
from socorro.storage.durable import sync_file

# Counting stops here: a directory of millions takes seconds.
MAX_COUNTED = 10_000
_LOCK = ".lock"


class Unpublished:
    """A folder with an empty file for each id. Safe in threads and processes.

    A file's name is a whole entry, so there is nothing that a killed process could leave half done,
    and an id that is added twice is there once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, crash_id: str) -> None:
        """Keep an id; when it returns, the id survives a power cut. Raises OSError."""
        path = self.folder / crash_id
        try:
            path.touch(mode=0o600)
        except FileNotFoundError:
            self._make()
            path.touch(mode=0o600)
        sync_file(self.folder)

    def some(self, limit: int) -> list[str]:
        """Return up to `limit` ids, in no order. Raises OSError."""
        return list(itertools.islice(self._ids(), limit))

    def remove(self, crash_ids: Iterable[str]) -> None:
        """Forget ids that are published. Raises OSError."""
        for crash_id in crash_ids:
            (self.folder / crash_id).unlink(missing_ok=True)

    def count(self) -> int:
        """Return how many ids wait, at most `MAX_COUNTED`. Raises OSError."""
        return sum(1 for _ in itertools.islice(self._ids(), MAX_COUNTED))

    def verify(self) -> None:
        """Check that ids can be kept: write a file and delete it. Raises OSError."""
        self._make()
        path = self.folder / f".verify-{os.getpid()}"
        try:
            path.touch(mode=0o600)
            sync_file(self.folder)
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the lock of the folder if no other process has it; yield whether it is held.

        Who holds it publishes the ids, and moves what is in the fallback storage. Raises OSError.
        """
        self._make()
        with (self.folder / _LOCK).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _make(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_file(self.folder.parent)

    def _ids(self) -> Iterator[str]:
        try:
            entries = os.scandir(self.folder)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                if is_crash_id(entry.name):
                    yield entry.name
