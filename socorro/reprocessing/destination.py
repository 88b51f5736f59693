# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Where crashes go to be processed again."""

from collections.abc import Sequence
from typing import Protocol

from socorro.queue import CrashQueue, QueueName, Task

_QUEUE_BATCH = 500


class Destination(Protocol):
    """Takes tasks, in batches of at most `batch`. Every method raises QueueUnavailable."""

    @property
    def name(self) -> str:
        """What it is, for people: "in reprocessing"."""
        ...

    @property
    def batch(self) -> int:
        """How many tasks it takes together."""
        ...

    def publish(self, tasks: Sequence[Task]) -> None:
        """Hand tasks on; when it returns, all of them are kept."""
        ...

    def waiting(self) -> int:
        """Return how many crashes wait there, as far as can be told."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class QueueDestination:
    """A queue of this installation."""

    def __init__(self, queue: CrashQueue, queue_name: QueueName) -> None:
        self._queue = queue
        self._queue_name = queue_name
        self.name = f"in {queue_name}"
        self.batch = _QUEUE_BATCH

    def publish(self, tasks: Sequence[Task]) -> None:
        """See `Destination.publish`."""
        self._queue.publish(self._queue_name, tasks)

    def waiting(self) -> int:
        """See `Destination.waiting`."""
        depth = self._queue.depth()[self._queue_name]
        return depth.ready + depth.leased + depth.delayed

    def close(self) -> None:
        """See `Destination.close`."""
        self._queue.close()
