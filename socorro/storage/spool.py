# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Folders for dumps on their way into storage."""

import contextlib
import os
import stat
import tempfile
import time
from pathlib import Path

from socorro.storage.base import StorageUnavailable

# An interrupted save leaves its files in the spool; none that old can belong to a living one.
_STALE_SECONDS = 86400


def private_spool() -> Path:
    """Return the spool of this user below the system's folder of temporary files, made if needed.

    Dumps are memory of other people's programs, and anybody may write to that folder. Raises
    StorageUnavailable if what has the spool's name is not a folder of this user alone, and OSError
    if it cannot be made.
    """
    folder = Path(tempfile.gettempdir()) / f"socorro-spool-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StorageUnavailable(
            f"crash storage: the spool {folder} is not a folder that only this user can open; "
            "remove it, or name another with ?spool=FOLDER"
        )
    return folder


def sweep(spool: Path) -> None:
    """Remove what interrupted saves have left behind. Raises OSError if it cannot be looked for.

    What cannot be removed stays: it is nothing that saves would need.
    """
    oldest = time.time() - _STALE_SECONDS
    for path in spool.iterdir():
        # Another process may finish, or sweep, at the same time.
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime < oldest:
                path.unlink()
