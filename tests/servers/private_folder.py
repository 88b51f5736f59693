# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A temporary folder that a server under another account can reach."""

import fcntl
import os
import pwd
import shutil
import tempfile
from pathlib import Path

_BASE = Path("/var/tmp")
_LOCK = "in-use"


def private_folder(prefix: str, *, owner: str | None) -> Path:
    """Make a folder that only the account `owner` can enter (None: our own), and return it.

    Not below pytest's folder, which belongs to us alone. It is ours until this process ends; the
    folders that killed sessions left behind are removed on the way.
    """
    uid = os.geteuid() if owner is None else pwd.getpwnam(owner).pw_uid
    for other in _BASE.glob(f"{prefix}*"):
        _remove_if_left_behind(other, uid)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_BASE))
    _lock(folder)
    if owner is not None:
        shutil.chown(folder, owner, owner)
    return folder


def _lock(folder: Path) -> None:
    """Mark a folder as in use until this process ends, however it does."""
    aside = folder / f"{_LOCK}.new"
    # Never closed: the kernel does, and gives the lock up with it.
    descriptor = os.open(aside, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    aside.rename(folder / _LOCK)


def _remove_if_left_behind(folder: Path, uid: int) -> None:
    try:
        if folder.is_symlink() or folder.stat().st_uid != uid:
            return
        descriptor = os.open(folder / _LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        # Not ours, just being made, or just being removed.
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
    shutil.rmtree(folder, ignore_errors=True)
