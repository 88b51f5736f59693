# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Uploads side by side, which are given up when their time is over."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import BinaryIO

# A Python process cannot sign and send more at once than these keep busy; more would only wait for
# each other.
SIDE_BY_SIDE = 32
LAST = 16


class TooLate(Exception):
    """The time for some uploads is over."""


class UploadThreads:
    """The threads of one process that upload for those who have a client waiting.

    A request that is on its way cannot be called back. So nobody who has to answer in time sends
    one himself: he waits for a thread, and leaves it when the time is over.
    """

    def __init__(self) -> None:
        self.side_by_side = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="upload")
        # Of their own, so that a report that only lacks its last object does not queue behind the
        # first ones of others: with a slow storage, all would be begun and none finished.
        self.last = ThreadPoolExecutor(LAST, thread_name_prefix="upload-last")

    def close(self) -> None:
        """End the threads when they are done; returns at once."""
        self.side_by_side.shutdown(wait=False)
        self.last.shutdown(wait=False)


class Abandonable:
    """A file as the body of an upload; reading fails once nobody waits for the upload any more.

    That ends an upload in the middle: what is incomplete is never stored.
    """

    def __init__(self, file: BinaryIO, abandoned: threading.Event) -> None:
        self._file = file
        self._abandoned = abandoned

    def read(self, size: int = -1) -> bytes:
        """Read as a file does. Raises OSError."""
        if self._abandoned.is_set():
            raise OSError("the upload was given up")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek as a file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Tell as a file does."""
        return self._file.tell()


def run_all(
    threads: ThreadPoolExecutor, uploads: Sequence[Callable[[], None]], deadline: float
) -> None:
    """Run uploads side by side; return when all are done.

    Raises the error of the first that fails, or TooLate at the deadline (of the monotonic clock).
    Those that wait for a thread then are never begun; those that run are left alone.
    """
    if time.monotonic() >= deadline:
        raise TooLate
    futures = [threads.submit(upload) for upload in uploads]
    try:
        done, running = wait(futures, deadline - time.monotonic(), return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        if running:
            raise TooLate
    finally:
        for future in futures:
            future.cancel()
