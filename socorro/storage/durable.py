# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Files and folders that survive a power cut."""

import os
import threading
from pathlib import Path

# A day of all kinds of objects has some 20,000 folders.
_MAX_KNOWN = 100_000


class DurableFolders:
    """Makes folders below `root`, each entry synced into its parent.

    A folder that exists may have been made a moment ago by another process that has not synced it
    yet, so each process syncs the way to every folder once, and remembers that it did.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: set[Path] = set()
        self._lock = threading.Lock()

    def ensure(self, folder: Path) -> None:
        """Make a folder and those above it, durably. Raises OSError."""
        if folder in self._known:
            return
        self._make(folder)
        with self._lock:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known.add(folder)

    def forget(self, folder: Path) -> None:
        """Look anew at a folder and those above it the next time."""
        with self._lock:
            self._known.difference_update({folder, *folder.parents})

    def _make(self, folder: Path) -> None:
        if folder == self._root:
            self._make_root()
            return
        self.ensure(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_file(folder.parent)

    def _make_root(self) -> None:
        # What lies above an existing root is the operator's, and perhaps not ours to open.
        if not self._root.is_dir():
            self._root.mkdir(parents=True, exist_ok=True)
            sync_file(self._root.parent)


def sync_file(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
