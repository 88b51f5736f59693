# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The folder for the files of the crash in work: fetched minidumps, annotations for the walk.

They are other people's private data, so none may stay behind. A processor that ends removes its
folder; one that is killed cannot, so the next one that starts removes that of the dead. The living
are told from the dead by a lock, which a process holds for as long as it lives.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

_STARTING = "socorro-starting-"
_PREFIX = "socorro-processor-"
_LOCK = "lock"


class WorkFolder:
    """A folder of this process alone; `path` is where it is."""

    def __init__(self, parent: Path | None = None) -> None:
        """Make the folder in `parent`, by default where temporary files go. Raises OSError."""
        self._parent = parent or Path(tempfile.gettempdir())
        # Locked before it has the name that others look for.
        unlocked = Path(tempfile.mkdtemp(prefix=_STARTING, dir=self._parent))
        self._lock = _locked(unlocked / _LOCK, "xb")
        self.path = unlocked.rename(self._parent / unlocked.name.replace(_STARTING, _PREFIX, 1))
        self._remove_those_of_the_dead()

    def remove(self) -> None:
        """Remove the folder with everything in it; nothing happens the second time."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _remove_those_of_the_dead(self) -> None:
        for folder in self._parent.glob(f"{_PREFIX}*"):
            if folder != self.path and _is_ours(folder):
                _remove_if_dead(folder)


def _is_ours(folder: Path) -> bool:
    """Others may write where temporary files go: nothing of theirs is followed or removed."""
    with suppress(OSError):
        return not folder.is_symlink() and folder.stat().st_uid == os.getuid()
    return False


def _remove_if_dead(folder: Path) -> None:
    try:
        lock = _locked(folder / _LOCK, "rb")
    except OSError:
        # Somebody holds it and lives, or removed it meanwhile.
        return
    with lock:
        shutil.rmtree(folder, ignore_errors=True)


def _locked(path: Path, mode: str) -> IO[bytes]:
    """Open a lock file and lock it. Raises OSError if another process holds the lock."""
    lock: IO[bytes] = path.open(mode)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock
