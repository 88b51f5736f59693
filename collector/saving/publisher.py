# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Publishing crash ids, now or as soon as the queue can be reached again."""

import logging

from collector.saving.unpublished import Unpublished
from socorro.breaker import Breaker
from socorro.metrics import METRICS
from socorro.queue import CrashQueue, QueueName, QueueUnavailable, Task

logger = logging.getLogger(__name__)

_BATCH = 500


class Publisher:
    """Puts crash ids into the standard queue.

    Reports are safe in storage before their ids come here, so a queue that is down keeps no client
    waiting: ids are kept in a folder, and published when the queue is back.
    """

    def __init__(self, queue: CrashQueue, unpublished: Unpublished) -> None:
        self._queue = queue
        self._unpublished = unpublished
        self._breaker = Breaker("the crash queue", queue.verify, (QueueUnavailable,))

    def publish(self, crash_id: str) -> bool:
        """Publish an id, or keep it for later. Never raises.

        False if neither works: then only the job that looks for missing crashes will find it.
        """
        # While the queue is known to be down, no client has to wait for that to be found again.
        if self._breaker.trusted:
            return self._try(crash_id) or self._keep(crash_id) or _drop()
        return self._keep(crash_id) or self._try(crash_id) or _drop()

    def publish_waiting(self) -> int:
        """Publish all ids that were kept; return how many.

        For the holder of the folder's lock. Raises QueueUnavailable and OSError, and then some may
        be published already; a crash that is published twice is processed twice, to the same end.
        """
        published = 0
        while ids := self._unpublished.some(_BATCH):
            self._queue.publish(QueueName.STANDARD, [Task(crash_id) for crash_id in ids])
            self._unpublished.remove(ids)
            published += len(ids)
        return published

    def close(self) -> None:
        """End the checks in the background."""
        self._breaker.close()

    def _try(self, crash_id: str) -> bool:
        try:
            with METRICS.timer("collector.crashmover.crash_publish.time"):
                self._queue.publish(QueueName.STANDARD, [Task(crash_id)])
        except QueueUnavailable as error:
            self._breaker.failed()
            METRICS.incr(
                "collector.crashmover.retry_count", tags=["count:publish_crash_exception.count"]
            )
            logger.warning("could not publish, will try again: %s", error)
            return False
        return True

    def _keep(self, crash_id: str) -> bool:
        try:
            self._unpublished.add(crash_id)
        except OSError as error:
            logger.error("an id that could not be published cannot be kept either: %s", error)
            return False
        return True


def _drop() -> bool:
    METRICS.incr("collector.crashmover.publish_crash_dropped.count")
    logger.error("was not published; cronrun will find it")
    return False
