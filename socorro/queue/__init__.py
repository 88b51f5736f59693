# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash queue: ids on their way from the collector to the processors.

`open_queue` turns a URL from the settings into a backend; everything else in the system knows
only the `CrashQueue` interface.
"""

from socorro.queue.base import (
    CrashQueue,
    InvalidTask,
    Message,
    QueueDepth,
    QueueMisconfigured,
    QueueName,
    QueueUnavailable,
    Task,
)
from socorro.queue.local import LocalQueue

__all__ = [
    "CrashQueue",
    "InvalidTask",
    "LocalQueue",
    "Message",
    "QueueDepth",
    "QueueMisconfigured",
    "QueueName",
    "QueueUnavailable",
    "Task",
    "open_queue",
]


def open_queue(url: str, *, lease_seconds: float) -> CrashQueue:
    """Return the queue that ``local://FOLDER`` or ``sqs://PREFIX?endpoint=URL&region=NAME`` names.

    `lease_seconds` is how long a received message stays hidden from other receivers. Nothing is
    asked or written yet: `CrashQueue.verify` does that. Raises ValueError for another URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "local" and rest:
        return LocalQueue(rest, lease_seconds=lease_seconds)
    if scheme == "sqs":
        # Imported here: who keeps everything on one machine does not need it.
        from socorro.queue.sqs import SqsQueue

        return SqsQueue(url, lease_seconds=lease_seconds)
    raise ValueError(
        "must start with local:// or sqs:// and name a folder or prefix of a crash queue"
    )
