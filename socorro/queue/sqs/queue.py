# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash queue in SQS.

At least once, and in about the order of arrival: SQS promises no more. What differs from the local
queue: a task that waits already is published a second time, nobody can look into the queues, counts
are approximate, and leases are whole seconds.
"""

import math
import random
import time
from collections.abc import Collection, Sequence

from socorro.aws import AwsUrl, PerProcess
from socorro.queue.base import Message, QueueDepth, QueueName, QueueUnavailable, Task
from socorro.queue.sqs.errors import NotAllowed, label
from socorro.queue.sqs.leases import Leases
from socorro.queue.sqs.letters import attempts_before, obituary
from socorro.queue.sqs.names import OPTIONS, Names
from socorro.queue.sqs.receiving import Receiver
from socorro.queue.sqs.session import Session

# What SendMessageBatch takes.
_BATCH = 10
# Single messages may be refused by a partition of SQS that is busy, while the others are taken.
_BATCH_ATTEMPTS = 3
_BATCH_PAUSE = 0.1
# No attempt begins after that, as it may take its time: a client of the collector waits meanwhile.
_BATCH_SECONDS = 1.0
_LONGEST_DELAY = 900
# SQS hides a message for 12 hours in all, counted from its delivery, and refuses more: an hour of
# them is left for the work that was done before.
_LONGEST_HIDING = 11 * 3600
_LONGEST_LEASE = 12 * 3600
_FOR_14_DAYS = str(14 * 86400)
# For receivers that do not say how long they wait, such as the console; ours do.
_LONG_POLL = "20"


class SqsQueue:
    """`CrashQueue` in three queues of SQS."""

    def __init__(self, url: str, *, lease_seconds: float) -> None:
        """Read ``sqs://PREFIX?...``; nothing is asked yet. Raises ValueError for a wrong URL."""
        self._url = AwsUrl.parse(url, options=OPTIONS)
        self._names = Names.of(self._url)
        self._lease = min(max(1, math.ceil(lease_seconds)), _LONGEST_LEASE)
        self._sessions = PerProcess(lambda: Session.open(self._url, self._names))
        self._leases = PerProcess(Leases)

    @property
    def engine(self) -> str:
        """See `CrashQueue.engine`."""
        return f"SQS queues {', '.join(self._names.queues.values())} {self._url.place}"

    @property
    def opaque(self) -> bool:
        """See `CrashQueue.opaque`."""
        return True

    def publish(self, queue: QueueName, tasks: Sequence[Task]) -> None:
        """See `CrashQueue.publish`: one request for each 10 tasks."""
        for start in range(0, len(tasks), _BATCH):
            bodies = [task.body for task in tasks[start : start + _BATCH]]
            refused, code = self._publish_batch(self._names.queues[queue], bodies)
            if refused:
                missing = len(tasks) - start - len(bodies) + refused
                raise QueueUnavailable(
                    f"{label(self._url)}: {missing} of {len(tasks)} ids were not taken ({code})"
                )

    def receive(
        self, limit: int, *, wait: float, queues: Sequence[QueueName] = tuple(QueueName)
    ) -> list[Message]:
        """See `CrashQueue.receive`."""
        if limit <= 0 or not queues:
            return []
        receiver = Receiver(
            self._sessions.get(), self._names, self._leases.get(), self._lease, limit
        )
        return receiver.receive(queues, wait)

    def extend(self, message: Message) -> bool:
        """See `CrashQueue.extend`."""
        leases = self._leases.get()
        if leases.is_over(message.receipt):
            return False
        extended = self._sessions.get().service.hide(
            self._names.queues[message.queue], message.receipt, self._lease
        )
        if extended:
            leases.renew(message.receipt, self._lease)
        else:
            leases.end(message.receipt)
        return extended

    def acknowledge(self, message: Message) -> bool:
        """See `CrashQueue.acknowledge`."""
        if self._leases.get().is_over(message.receipt):
            return False
        service = self._sessions.get().service
        return self._settled(
            message, service.delete(self._names.queues[message.queue], message.receipt)
        )

    def release(self, message: Message, *, delay: float = 0, attempted: bool = False) -> bool:
        """See `CrashQueue.release`: delays of more than hours are cut.

        SQS cannot take a delivery's count back, so a message that was not tried is sent anew, with
        its earlier attempts, and deleted after that: it may be there twice, but never not at all.
        """
        if self._leases.get().is_over(message.receipt):
            return False
        queue = self._names.queues[message.queue]
        service = self._sessions.get().service
        seconds = max(0, math.ceil(delay))
        if attempted:
            hidden = service.hide(queue, message.receipt, min(seconds, _LONGEST_HIDING))
            return self._settled(message, hidden)
        before = attempts_before(message.attempts - 1)
        service.send(queue, message.task.body, before, delay=min(seconds, _LONGEST_DELAY))
        return self._settled(message, service.delete(queue, message.receipt))

    def bury(self, message: Message, reason: str) -> bool:
        """See `CrashQueue.bury`; without a queue for dead letters the message is deleted."""
        if self._leases.get().is_over(message.receipt):
            return False
        queue = self._names.queues[message.queue]
        note = obituary(reason, queue, message.attempts)
        moved = self._sessions.get().move_to_dead_letters(
            queue, message.receipt, message.task.body, note
        )
        return self._settled(message, moved)

    def holding(self, crash_ids: Collection[str]) -> frozenset[str]:  # noqa: ARG002
        """See `CrashQueue.holding`: SQS does not tell."""
        return frozenset()

    def depth(self) -> dict[QueueName, QueueDepth]:
        """See `CrashQueue.depth`. Dead letters that several queues share are counted for each."""
        return {queue: self._depth_of(name) for queue, name in self._names.queues.items()}

    def verify(self) -> None:
        """See `CrashQueue.verify`: looks for the queues; nothing is sent.

        Who may not ask for attributes can still publish and receive.
        """
        service = self._sessions.get().service
        for name in self._names.queues.values():
            service.look_up(name)
            try:
                service.counts(name)
            except NotAllowed:
                continue

    def provision(self) -> None:
        """See `CrashQueue.provision`: the three queues, and one for the dead letters of each."""
        session = self._sessions.get()
        for name in self._names.queues.values():
            if session.service.exists(name):
                has_dead_letters = session.dead_letters.look_up(name) is not None
            else:
                _create(session, name)
                # Not asked about: SQS may not know a queue in its first second.
                has_dead_letters = session.service.exists(self._names.dead(name))
            if not has_dead_letters:
                _create(session, self._names.dead(name))

    def close(self) -> None:
        """See `CrashQueue.close`; another call connects again."""
        for session in self._sessions.forget():
            session.service.close()

    def _publish_batch(self, queue: str, bodies: Sequence[str]) -> tuple[int, str]:
        """Publish up to 10 bodies; return how many were not taken, and why."""
        service = self._sessions.get().service
        ends = time.monotonic() + _BATCH_SECONDS
        for attempt in range(_BATCH_ATTEMPTS):
            refused = service.send_batch(queue, bodies)
            bodies = [bodies[number] for number in refused]
            if not refused:
                return 0, ""
            if attempt + 1 == _BATCH_ATTEMPTS or time.monotonic() > ends:
                break
            time.sleep(_BATCH_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
        return len(refused), next(iter(refused.values()))

    def _settled(self, message: Message, was_ours: bool) -> bool:
        """Note that nothing more can be done with a message."""
        self._leases.get().end(message.receipt)
        return was_ours

    def _depth_of(self, name: str) -> QueueDepth:
        session = self._sessions.get()
        ready, leased, delayed = session.service.counts(name)
        dead = session.dead_letters.of(name)
        return QueueDepth(ready, leased, delayed, sum(session.service.counts(dead)) if dead else 0)


def _create(session: Session, name: str) -> None:
    session.service.create(
        name,
        {"MessageRetentionPeriod": _FOR_14_DAYS, "ReceiveMessageWaitTimeSeconds": _LONG_POLL},
    )
