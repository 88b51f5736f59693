# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Catching up after outages, in the background: ids published, reports moved home, spools swept."""

import logging
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from collector.saving.homecoming import Homecoming
from collector.saving.publisher import Publisher
from collector.saving.unpublished import Unpublished
from socorro.metrics import METRICS
from socorro.queue import QueueUnavailable
from socorro.sentry import report_error
from socorro.storage import StorageUnavailable
from socorro.storage.fallback import StorageWithFallback
from socorro.storage.spool import sweep

logger = logging.getLogger(__name__)

_ROUND_SECONDS = 2.0
_LONGEST_DELAY = 15.0
_SWEEP_SECONDS = 600.0


@dataclass(frozen=True)
class Round:
    """What one round did and what it had to leave, each at least so many.

    `problems` are sentences on what was in the way. `alone` is false, and all else empty, if
    another process holds the lock and does the same.
    """

    published: int = 0
    unpublished: int = 0
    moved: int = 0
    in_fallback: int = 0
    problems: tuple[str, ...] = ()
    alone: bool = True

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.alone and not (self.unpublished or self.in_fallback or self.problems)


class CatchUp:
    """Rounds of catching up, of one process at a time for each folder of unpublished ids."""

    def __init__(
        self,
        store: StorageWithFallback,
        publisher: Publisher,
        unpublished: Unpublished,
        *,
        look_seconds: float = 60.0,
    ) -> None:
        """Look into the fallback storage every `look_seconds`, for what other processes left there.

        What this process left there is looked for at once; looking costs a request on S3.
        """
        self._store = store
        self._publisher = publisher
        self._unpublished = unpublished
        self._homecoming = (
            None if store.fallback is None else Homecoming(store.main, store.fallback, publisher)
        )
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._look_seconds = look_seconds
        self._look_at = 0.0
        self._sweep_at = 0.0

    def start(self) -> None:
        """Catch up in a thread of this process, begun once; it ends with `close`."""
        # Not when the application is made: that may be before a fork, which threads do not survive.
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self.run, name="crashmover", daemon=True)
                self._thread.start()

    def look_soon(self) -> None:
        """Tell that there is something in the fallback storage."""
        self._look.set()

    def close(self, timeout: float = 5.0) -> None:
        """End the thread after a last round of publishing, for at most about `timeout` seconds."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def run(self, stopping: threading.Event | None = None) -> None:
        """Catch up until told to stop."""
        stopping = stopping or self._stopping
        # The first round at once: an earlier process may have left something.
        delay = 0.0
        last_told: tuple[str, ...] = ()
        while not stopping.wait(delay * random.uniform(0.75, 1.25)):  # noqa: S311
            done = self._round_whatever_happens(stopping)
            if done.problems != last_told:
                last_told = done.problems
                for problem in done.problems:
                    logger.warning("cannot catch up: %s", problem)
            longer = max(2 * delay, _ROUND_SECONDS)
            delay = min(longer, _LONGEST_DELAY) if done.problems else _ROUND_SECONDS
        with suppress(QueueUnavailable, OSError), self._unpublished.lock() as alone:
            if alone:
                self._publisher.publish_waiting()

    def _round_whatever_happens(self, stopping: threading.Event) -> Round:
        """Do a round; the outermost loop, so an error of ours must not end it."""
        try:
            return self.round(stopping)
        except Exception as error:
            logger.exception("a round of catching up failed")
            report_error(error)
            return Round(problems=(f"{type(error).__name__} in our own code",))

    def round(self, stopping: threading.Event, *, everything: bool = False) -> Round:
        """Do what there is to do, unless another process does.

        `everything` looks into the fallback storage also if it is not time for that.
        """
        try:
            with self._unpublished.lock() as alone:
                return self._round(stopping, everything) if alone else Round(alone=False)
        except OSError as error:
            return Round(problems=(f"the folder of unpublished ids: {error}",))

    def _round(self, stopping: threading.Event, everything: bool) -> Round:
        problems: list[str] = []
        published = self._publish(problems)
        moved, in_fallback = self._move(stopping, everything, problems)
        self._sweep(problems)
        unpublished = self._unpublished.count()
        METRICS.gauge("collector.crashmover.unpublished", unpublished)
        return Round(published, unpublished, moved, in_fallback, tuple(problems))

    def _publish(self, problems: list[str]) -> int:
        if not self._unpublished.some(1):
            return 0
        try:
            published = self._publisher.publish_waiting()
        except QueueUnavailable as error:
            problems.append(str(error))
            return 0
        logger.info("published %d crash ids that had waited for the queue", published)
        return published

    def _move(
        self, stopping: threading.Event, everything: bool, problems: list[str]
    ) -> tuple[int, int]:
        """Return how many reports were moved home, and how many are left."""
        due = everything or self._look.is_set() or time.monotonic() >= self._look_at
        if self._homecoming is None or not due:
            return 0, 0
        # What comes from now on is looked for in the next round.
        self._look.clear()
        self._look_at = time.monotonic() + self._look_seconds
        moved = 0
        left = 0
        try:
            done = self._homecoming.move_all(stopping)
            moved, left = done.moved, done.left
        except (StorageUnavailable, OSError) as error:
            problems.append(str(error))
            left = self._count()
        METRICS.gauge("collector.crashmover.fallback", left)
        if problems:
            self._look.set()
        return moved, left

    def _count(self) -> int:
        try:
            return self._homecoming.waiting() if self._homecoming is not None else 0
        except (StorageUnavailable, OSError):
            return 0

    def _sweep(self, problems: list[str]) -> None:
        if time.monotonic() < self._sweep_at:
            return
        self._sweep_at = time.monotonic() + _SWEEP_SECONDS
        for storage in (self._store.main, self._store.fallback):
            try:
                if storage is not None:
                    sweep(storage.spool)
            except (StorageUnavailable, OSError) as error:
                problems.append(f"a spool cannot be swept: {error}")
