# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The folder in which the processes of a server share their metrics for Prometheus."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Prometheus' library looks for this when it is imported.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "socorro-metrics-"


def share_metrics() -> Path:
    """Make the folder, in memory where that is possible, and return it.

    Call it in a server's first process, before `socorro.prometheus` is imported there or in those
    forked from it. Folders of servers that were killed are deleted.
    """
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder there that nobody can guess
    parent = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    for folder in parent.glob(f"{_PREFIX}*"):
        _delete_unless_in_use(folder)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    # The lock lasts as long as any of the server's processes.
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


@contextmanager
def held_still(folder: Path, operation: int) -> Iterator[None]:
    """Keep others from folding counts (`operation` fcntl.LOCK_SH) or from reading (LOCK_EX)."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, operation)
        yield


def _delete_unless_in_use(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except OSError:
        # In use, or somebody else's.
        return
    finally:
        os.close(descriptor)
