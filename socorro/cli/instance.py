# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The one server that may run on a data folder: a lock, with the process id for who asks."""

import fcntl
import os
import signal
import time
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another server holds the data folder; the text is its process id."""


class Instance:
    """The lock ``run.lock`` of a data folder. The kernel frees it however the holder ends."""

    def __init__(self, data: Path) -> None:
        self._path = data / "run.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock for this process. Raises AlreadyRunning and OSError."""
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise AlreadyRunning(file.read().strip() or "unknown") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def running(self) -> int | None:
        """Return the process id of the server that holds the folder, None if there is none."""
        try:
            self.acquire()
        except AlreadyRunning as error:
            return int(str(error)) if str(error).isdigit() else None
        except OSError:
            return None
        self.release()
        return None

    def stop(self, timeout: float) -> int | None:
        """Ask the running server to stop, and wait for it up to `timeout` seconds.

        Returns its process id, None if none runs. Raises TimeoutError.
        """
        pid = self.running()
        if pid is None:
            return None
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while self.running() is not None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {pid} did not stop within {timeout:g} s")
            time.sleep(0.1)
        return pid
