# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Files and folders that survive a power cut.

Paths are texts here: this is in the way of each report, where `pathlib` is most of the work.
"""

# ruff: noqa: PTH102, PTH103, PTH105, PTH108, PTH110, PTH112, PTH120

import os
import secrets
import shutil
import threading
from contextlib import suppress

# A day of all kinds of objects has some 20,000 folders.
_MAX_KNOWN = 100_000


class DurableFolders:
    """Makes folders below `root`, each entry synced into its parent.

    A folder that exists may have been made a moment ago by another process that has not synced it
    yet, so each process syncs the way to every folder once, and remembers that it did.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def ensure(self, folder: str) -> None:
        """Make a folder and those above it, durably. Raises OSError."""
        if folder in self._known:
            return
        self._make(folder)
        with self._lock:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known.add(folder)

    def forget(self, folder: str) -> None:
        """Look anew at a folder and those above it the next time."""
        with self._lock:
            while folder not in ("", "/"):
                self._known.discard(folder)
                folder = os.path.dirname(folder)

    def _make(self, folder: str) -> None:
        if folder == self._root:
            self._make_root()
            return
        parent = os.path.dirname(folder)
        self.ensure(parent)
        try:
            os.mkdir(folder)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise
        sync_file(parent)

    def _make_root(self) -> None:
        # What lies above an existing root is the operator's, and perhaps not ours to open.
        if not os.path.isdir(self._root):
            os.makedirs(self._root, exist_ok=True)
            sync_file(os.path.dirname(self._root))


class DurableFiles:
    """Files below a folder: each has its whole content under its name, or is not there.

    What is being written lies in `aside`, a folder on the same file system. All methods raise
    OSError.
    """

    def __init__(self, root: str, aside: str) -> None:
        self.folders = DurableFolders(root)
        self._aside = aside

    def aside(self) -> str:
        """Return the folder for what is being written, made unless it is there."""
        if not os.path.isdir(self._aside):
            os.makedirs(self._aside, exist_ok=True)
        return self._aside

    def write(self, path: str, body: bytes) -> None:
        """Make a file with this content, or replace one."""
        aside = self._name_aside()
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                _write_all(descriptor, body)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._rename(aside, path)
        except BaseException:
            _remove_quietly(aside)
            raise

    def adopt(self, source: str, path: str) -> None:
        """Move a file that lies aside under its name; one of another folder is copied."""
        if os.path.dirname(source) == self._aside:
            sync_file(source)
            self._rename(source, path)
            return
        aside = self._name_aside()
        try:
            shutil.copyfile(source, aside)
            sync_file(aside)
            self._rename(aside, path)
        except BaseException:
            _remove_quietly(aside)
            raise

    def give_back(self, path: str, source: str) -> None:
        """Undo what `adopt` did, or what it did a part of."""
        if os.path.exists(source):
            self.remove(path)
        elif os.path.exists(path):
            os.replace(path, source)
            sync_file(os.path.dirname(path))

    def remove(self, path: str) -> None:
        """Remove a file for good; nothing happens when there is none."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        sync_file(os.path.dirname(path))

    def _name_aside(self) -> str:
        return f"{self.aside()}/{secrets.token_hex(16)}.tmp"

    def _rename(self, source: str, path: str) -> None:
        folder = os.path.dirname(path)
        self.folders.ensure(folder)
        try:
            os.replace(source, path)
        except FileNotFoundError:
            # Somebody removed the folder while we ran.
            self.folders.forget(folder)
            self.folders.ensure(folder)
            os.replace(source, path)
        sync_file(folder)


def sync_file(path: str | os.PathLike[str]) -> None:
    """Wait until a file's content, or a folder's entries, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, body: bytes) -> None:
    rest = memoryview(body)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _remove_quietly(path: str) -> None:
    # What cannot be removed is swept later.
    with suppress(OSError):
        os.unlink(path)
