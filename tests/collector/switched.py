# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Storage and queue that tests switch off."""

import threading
from collections.abc import Sequence
from pathlib import Path

from socorro.queue import LocalQueue, QueueName, QueueUnavailable, Task
from socorro.storage import CrashReport, FilesystemStorage, StorageUnavailable


class SwitchedStorage(FilesystemStorage):
    """A storage that can be switched off, or made to hang; counts how often it was asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.down = False
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def save_raw_crash(self, report: CrashReport) -> None:
        self._check()
        super().save_raw_crash(report)

    def has_raw_crash(self, crash_id: str) -> bool:
        self._check()
        return super().has_raw_crash(crash_id)

    def verify(self) -> None:
        self._check()
        super().verify()

    def _check(self) -> None:
        self.asked += 1
        assert self.may_answer.wait(60)
        if self.down:
            raise StorageUnavailable(f"{self.root.name} is switched off")


class SwitchedQueue(LocalQueue):
    """A queue that can be switched off; tells how often it was tried and with which batches."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, lease_seconds=60)
        self.down = False
        self.tries = 0
        self.batches: list[int] = []

    def publish(self, queue: QueueName, tasks: Sequence[Task]) -> None:
        self.tries += 1
        self._check()
        super().publish(queue, tasks)
        self.batches.append(len(tasks))

    def verify(self) -> None:
        self._check()
        super().verify()

    def published(self) -> list[str]:
        """Take all ids out of the queue; sorted."""
        return sorted(message.task.crash_id for message in self.receive(10_000, wait=0))

    def _check(self) -> None:
        if self.down:
            raise QueueUnavailable("the queue is switched off")
