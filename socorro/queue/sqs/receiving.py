# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Taking messages from several queues, in order, with as few requests as that allows."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from socorro.queue.base import InvalidTask, Message, QueueName, QueueUnavailable, Task
from socorro.queue.sqs.leases import Leases
from socorro.queue.sqs.letters import TEST_BODY, Letter, obituary
from socorro.queue.sqs.names import Names
from socorro.queue.sqs.session import Session

logger = logging.getLogger(__name__)

# What SQS hands out at once.
_BATCH = 10
# SQS waits on one queue at a time; the others are looked at in between.
_LONG_POLL_SECONDS = 2
# Bodies that are no tasks are replaced by the next messages, but not without end.
_PASS_SECONDS = 2.0


@dataclass(frozen=True)
class Receiver:
    """One call of `CrashQueue.receive`: nothing that it took is held when it is over."""

    session: Session
    names: Names
    leases: Leases
    lease_seconds: int
    limit: int

    def receive(self, queues: Sequence[QueueName], wait: float) -> list[Message]:
        """Return up to `limit` messages; wait for a first one for up to `wait` seconds."""
        deadline = time.monotonic() + wait
        messages = self._pass(queues)
        while not messages and (left := deadline - time.monotonic()) > 0:
            messages = self._wait(queues, left)
        return messages

    def _wait(self, queues: Sequence[QueueName], seconds: float) -> list[Message]:
        """Wait for the queue in which most arrives; then look at the others, if there is time."""
        whole = min(_LONG_POLL_SECONDS, round(seconds))
        if not whole:
            time.sleep(seconds)
            return self._pass(queues)
        patient = QueueName.STANDARD if QueueName.STANDARD in queues else queues[0]
        messages = self._tasks(patient, self._poll(patient, self.limit, wait=whole))
        others = [queue for queue in queues if queue is not patient]
        return messages if messages or whole >= seconds else self._pass(others)

    def _pass(self, queues: Sequence[QueueName]) -> list[Message]:
        """Look into the queues, one after the other, until there are enough messages."""
        messages: list[Message] = []
        until = time.monotonic() + _PASS_SECONDS
        for queue in queues:
            try:
                self._take(queue, messages, until)
            except QueueUnavailable as error:
                if not messages:
                    raise
                # Those that were taken are leased, and nobody else will get them for long.
                logger.warning("%s", error)
                break
        return messages

    def _take(self, queue: QueueName, messages: list[Message], until: float) -> None:
        """Add what one queue has, up to the limit."""
        while (wanted := self.limit - len(messages)) > 0:
            found = self._poll(queue, wanted)
            messages += self._tasks(queue, found)
            if len(found) < min(wanted, _BATCH) or time.monotonic() > until:
                return

    def _poll(self, queue: QueueName, wanted: int, *, wait: int = 0) -> list[Letter]:
        found = self.session.service.receive(
            self.names.queues[queue], min(wanted, _BATCH), wait=wait, lease=self.lease_seconds
        )
        for letter in found:
            self.leases.begin(letter.receipt, self.lease_seconds)
        return found

    def _tasks(self, queue: QueueName, found: Sequence[Letter]) -> list[Message]:
        messages = []
        for letter in found:
            try:
                task = Task.parse(letter.body)
            except InvalidTask as error:
                self._put_aside(self.names.queues[queue], letter, str(error))
            else:
                messages.append(Message(task, queue, letter.attempts, letter.receipt))
        return messages

    def _put_aside(self, queue: str, letter: Letter, reason: str) -> None:
        """Remove a message that asks for nothing we know; others must not have to wait for it."""
        try:
            if letter.body == TEST_BODY:
                logger.debug("deleted the test message of a publisher from %s", queue)
                self.session.service.delete(queue, letter.receipt)
                return
            logger.error("no task, taken from %s: %s", queue, repr(letter.body)[:80])
            note = obituary(reason, queue, letter.attempts)
            self.session.move_to_dead_letters(queue, letter.receipt, letter.body, note)
        except QueueUnavailable as error:
            logger.warning("it comes back, it could not be removed: %s", error)
