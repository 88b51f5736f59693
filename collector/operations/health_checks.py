# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Checks of what the collector stands on, each within a bounded time."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from collector.saving.unpublished import Unpublished
from socorro.queue import CrashQueue, QueueUnavailable
from socorro.sentry import report_error
from socorro.settings import Settings
from socorro.storage import CrashStorage, StorageUnavailable
from socorro.storage.fallback import StorageWithFallback

logger = logging.getLogger(__name__)

# Common load balancers wait for 5 s.
LIMIT_SECONDS = 4.0
# A check writes to disks; asking more often than this gets the last answer.
FRESH_SECONDS = 1.0


class HealthProblem(TypedDict):
    """One thing that does not work: the kind of error and a sentence."""

    name: str
    msg: str


Problems = list[HealthProblem]


class BoundedCheck:
    """A check that runs in a thread, so that one that hangs keeps nobody waiting for long."""

    def __init__(self, name: str, check: Callable[[], Problems]) -> None:
        self._name = name
        self._check = check
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._began = 0.0
        self._ended = float("-inf")
        self._problems: Problems = []

    def begin(self) -> None:
        """Start the check unless it runs, or has just been done."""
        with self._lock:
            fresh = time.monotonic() - self._ended < FRESH_SECONDS
            if fresh or (self._thread is not None and self._thread.is_alive()):
                return
            self._began = time.monotonic()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def problems(self) -> Problems:
        """Return what was found, or that the check has not ended within `LIMIT_SECONDS`."""
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, self._began + LIMIT_SECONDS - time.monotonic()))
            if thread.is_alive():
                text = f"{self._name}: no answer within {LIMIT_SECONDS:g} s"
                return [HealthProblem(name="NoAnswer", msg=text)]
        return self._problems

    def _run(self) -> None:
        try:
            problems = self._check()
        except Exception as error:  # noqa: BLE001
            # The outermost frame of its thread: without it, an old answer would stand for ever.
            report_error(error)
            text = f"{self._name}: {type(error).__name__} in our own code"
            problems = [HealthProblem(name="CheckFailed", msg=text)]
        for problem in problems:
            logger.warning("heartbeat: %s", problem["msg"])
        self._problems = problems
        self._ended = time.monotonic()


class HealthChecks:
    """All checks of one collector."""

    def __init__(
        self,
        settings: Settings,
        store: StorageWithFallback,
        queue: CrashQueue,
        unpublished: Unpublished,
    ) -> None:
        self._unpublished = unpublished
        # Number of ids that waited to be published when that was last looked at.
        self.waiting = 0
        self._checks = [
            BoundedCheck("crash storage", lambda: _storage_problems(store.main)),
            BoundedCheck("crash queue", lambda: _queue_problems(queue)),
            BoundedCheck("unpublished ids", self._count_unpublished),
            BoundedCheck(
                "disks",
                lambda: _disk_problems(_folders(store, unpublished), settings.min_free_disk),
            ),
        ]
        if (fallback := store.fallback) is not None:
            check = BoundedCheck("fallback", lambda: _storage_problems(fallback, "fallback: "))
            self._checks.insert(1, check)

    def problems(self) -> Problems:
        """Return all that does not work, after at most about `LIMIT_SECONDS`."""
        for check in self._checks:
            check.begin()
        found: Problems = []
        for check in self._checks:
            found += check.problems()
        return found

    def _count_unpublished(self) -> Problems:
        try:
            self._unpublished.verify()
            self.waiting = self._unpublished.count()
        except OSError as error:
            return [HealthProblem(name=type(error).__name__, msg=f"unpublished ids: {error}")]
        return []


def _storage_problems(storage: CrashStorage, prefix: str = "") -> Problems:
    try:
        storage.verify()
    except StorageUnavailable as error:
        return [HealthProblem(name="StorageUnavailable", msg=f"{prefix}{error}")]
    return []


def _queue_problems(queue: CrashQueue) -> Problems:
    try:
        queue.verify()
    except QueueUnavailable as error:
        return [HealthProblem(name="QueueUnavailable", msg=str(error))]
    return []


def _folders(store: StorageWithFallback, unpublished: Unpublished) -> list[Path]:
    """Return a folder of each disk that reports are written to, of those that can be reached."""
    folders = [unpublished.folder]
    for storage in (store.main, store.fallback):
        if storage is not None:
            # One that is down is the problem of another check.
            with suppress(StorageUnavailable):
                folders.append(storage.spool)
    by_device: dict[int, Path] = {}
    for folder in folders:
        with suppress(OSError):
            by_device[folder.stat().st_dev] = folder
    return list(by_device.values())


def _disk_problems(folders: Iterable[Path], min_free: int) -> Problems:
    problems: Problems = []
    for folder in folders:
        free = shutil.disk_usage(folder).free
        if free < min_free:
            text = (
                f"{free} bytes are free on the disk of {folder}, "
                f"fewer than MIN_FREE_DISK={min_free}"
            )
            problems.append(HealthProblem(name="DiskFull", msg=text))
    return problems
