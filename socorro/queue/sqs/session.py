# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a process has while it talks with SQS."""

import logging
from dataclasses import dataclass

from socorro.aws import AwsUrl
from socorro.metrics import METRICS
from socorro.queue.sqs.dead_letters import DeadLetters
from socorro.queue.sqs.letters import Attributes
from socorro.queue.sqs.names import Names
from socorro.queue.sqs.service import Service

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """The requests of one process, and what it knows about the queues."""

    service: Service
    dead_letters: DeadLetters

    @classmethod
    def open(cls, url: AwsUrl, names: Names) -> "Session":
        """Return a session that connects at its first request. Raises QueueUnavailable."""
        service = Service(url)
        return cls(service, DeadLetters(service, names))

    def move_to_dead_letters(
        self, queue: str, receipt: str, body: str, attributes: Attributes
    ) -> bool:
        """Move a message in work; False if its lease was lost. Without dead letters it is deleted.

        It is sent first: a message that is there twice is better than none.
        """
        dead = self.dead_letters.of(queue)
        if dead is not None:
            self.service.send(dead, body, attributes)
            return self.service.delete(queue, receipt)
        deleted = self.service.delete(queue, receipt)
        if deleted:
            METRICS.incr("queue.dead_letter_dropped", tags=[f"queue:{queue}"])
            logger.error("deleted %s from %s, which has no dead letters", repr(body)[:80], queue)
        return deleted
