# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What load balancers and operators ask the collector."""

import json
import logging
import shutil
import threading
import time
from typing import TypedDict

import falcon

from socorro.build import build_facts
from socorro.queue import CrashQueue, QueueUnavailable
from socorro.settings import Settings
from socorro.storage import CrashStorage, StorageUnavailable

logger = logging.getLogger(__name__)

# A check writes to disk; asking more often than this gets the last answer.
_FRESH_SECONDS = 1.0


class HealthProblem(TypedDict):
    """One thing that does not work: the kind of error and a sentence."""

    name: str
    msg: str


class HeartbeatResource:
    """``/__heartbeat__``: 200 when reports can be taken, 503 with the reasons when not."""

    def __init__(self, settings: Settings, storage: CrashStorage, queue: CrashQueue) -> None:
        self._settings = settings
        self._storage = storage
        self._queue = queue
        self._lock = threading.Lock()
        self._checked_at = -_FRESH_SECONDS
        self._problems: list[HealthProblem] = []

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the problems found."""
        with self._lock:
            if time.monotonic() - self._checked_at >= _FRESH_SECONDS:
                self._problems = self._check()
                self._checked_at = time.monotonic()
            problems = self._problems
        resp.status = 503 if problems else 200
        resp.media = {"errors": problems}

    on_head = on_get

    def _check(self) -> list[HealthProblem]:
        problems: list[HealthProblem] = []
        try:
            self._storage.verify()
            problems += self._check_disk()
        except (StorageUnavailable, OSError) as error:
            problems.append(_problem(error))
        try:
            self._queue.verify()
        except QueueUnavailable as error:
            problems.append(_problem(error))
        for problem in problems:
            logger.warning("heartbeat: %s", problem["msg"])
        return problems

    def _check_disk(self) -> list[HealthProblem]:
        free = shutil.disk_usage(self._storage.spool).free
        if free >= self._settings.min_free_disk:
            return []
        message = (
            f"{free} bytes are free on the disk of the spool, "
            f"fewer than MIN_FREE_DISK={self._settings.min_free_disk}"
        )
        return [HealthProblem(name="DiskFull", msg=message)]


class LoadBalancerHeartbeatResource:
    """``/__lbheartbeat__``: 200 while the process serves."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with nothing."""
        resp.content_type = "application/json; charset=utf-8"

    on_head = on_get


class VersionResource:
    """``/__version__``: the version, and what a build wrote into version.json."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the version as JSON."""
        resp.content_type = "application/json; charset=utf-8"
        resp.text = json.dumps(build_facts())

    on_head = on_get


def _problem(error: Exception) -> HealthProblem:
    return HealthProblem(name=type(error).__name__, msg=str(error))
