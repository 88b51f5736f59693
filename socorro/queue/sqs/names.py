# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The names of the queues that a URL selects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from socorro.aws import AwsUrl
from socorro.queue.base import QueueName

DEAD_SUFFIX = "-dead"
OPTIONS = frozenset({*(str(queue) for queue in QueueName), "dead"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Names:
    """What the three queues are called in SQS, and the queues of dead letters of our own."""

    queues: Mapping[QueueName, str]
    dead_suffix: str

    @classmethod
    def of(cls, url: AwsUrl) -> "Names":
        """Return the names of ``sqs://PREFIX``: ``PREFIX-standard`` and so on unless named.

        Raises ValueError for names that SQS does not know, and for one name twice.
        """
        _check(url.name)
        names = cls(
            {queue: url.options.get(queue, f"{url.name}-{queue}") for queue in QueueName},
            url.options.get("dead", DEAD_SUFFIX),
        )
        every = [name for queue in names.queues.values() for name in (queue, names.dead(queue))]
        for name in every:
            _check(name)
            if every.count(name) > 1:
                raise ValueError(f"names the queue {name} twice")
        return names

    def dead(self, queue: str) -> str:
        """Return the name of the dead letters of a queue that has no redrive policy."""
        return queue + self.dead_suffix


def _check(name: str) -> None:
    if name.endswith(".fifo"):
        raise ValueError(
            f"names the FIFO queue {name[:85]!r}: a standard queue serves, crashes need no order"
        )
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"has the queue name {name[:85]!r}, which must be 1 to 80 letters, digits, - and _"
        )
