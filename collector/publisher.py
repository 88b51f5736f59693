# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Publishing crash ids, now or as soon as the queue can be reached again."""

import logging
import random
import threading
from collections import deque

from socorro.metrics import METRICS
from socorro.queue import CrashQueue, QueueName, QueueUnavailable, Task

logger = logging.getLogger(__name__)

# Some 10 MB. What does not fit, and what a killed process held, cronrun finds in raw storage.
_MAX_WAITING = 100_000
_BATCH = 500
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 15.0


class Publisher:
    """Puts crash ids into the standard queue.

    Reports are safe in storage before their ids come here, so a queue that is down keeps no client
    waiting: ids are held in memory and a thread publishes them when it is back.
    """

    def __init__(self, queue: CrashQueue) -> None:
        self._queue = queue
        self._waiting: deque[str] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def waiting(self) -> int:
        """Number of ids that could not be published yet."""
        return len(self._waiting)

    def publish(self, crash_id: str) -> None:
        """Publish an id, or keep it for later; never raises."""
        # While older ids wait the queue is known to be down: do not make each client wait for it.
        if not self._waiting:
            try:
                with METRICS.timer("collector.crashmover.crash_publish.time"):
                    self._queue.publish(QueueName.STANDARD, [Task(crash_id)])
                return
            except QueueUnavailable as error:
                logger.warning("could not publish, will try again: %s", error)
        self._keep(crash_id)

    def close(self, timeout: float = 5.0) -> None:
        """Try for the last time, for at most about `timeout` seconds."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        if self._waiting:
            logger.warning(
                "%d crash ids were not published; cronrun will find them", len(self._waiting)
            )

    def _keep(self, crash_id: str) -> None:
        with self._lock:
            if len(self._waiting) >= _MAX_WAITING:
                METRICS.incr("collector.crashmover.publish_crash_dropped.count")
                logger.warning("too many ids wait to be published; cronrun will find this one")
                return
            self._waiting.append(crash_id)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._publish_waiting, name="publisher", daemon=True
                )
                self._thread.start()

    def _publish_waiting(self) -> None:
        delay = _FIRST_DELAY
        while True:
            last_try = self._stopping.wait(delay * random.uniform(0.75, 1.25))  # noqa: S311
            delay = _FIRST_DELAY if self._publish_batches() else min(2 * delay, _LONGEST_DELAY)
            with self._lock:
                if last_try or not self._waiting:
                    self._thread = None
                    return

    def _publish_batches(self) -> bool:
        """Publish all that waits; False at the first failure."""
        while self._waiting:
            with self._lock:
                batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
            try:
                self._queue.publish(QueueName.STANDARD, [Task(crash_id) for crash_id in batch])
            except QueueUnavailable as error:
                logger.warning("%d crash ids wait to be published: %s", self.waiting, error)
                return False
            # Only this thread takes ids away.
            with self._lock:
                for _ in batch:
                    self._waiting.popleft()
        logger.info("all waiting crash ids are published")
        return True
