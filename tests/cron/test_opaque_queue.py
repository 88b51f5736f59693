# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Missing crashes beside a queue that cannot be asked what it holds, as SQS."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cron.jobs.missing import Finder, Stores
from socorro.crash_id import make_crash_id
from socorro.queue import LocalQueue, QueueDepth, QueueName, QueueUnavailable, Task
from socorro.search import open_index
from socorro.storage import CrashReport, FilesystemStorage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
GRACE = timedelta(minutes=5)


class OpaqueQueue(LocalQueue):
    """A queue that keeps to itself which crashes it holds, and in `secretive` also how many."""

    secretive = False

    @property
    def opaque(self) -> bool:
        return True

    def holding(self, crash_ids: Collection[str]) -> frozenset[str]:
        return frozenset()

    def depth(self) -> dict[QueueName, QueueDepth]:
        if self.secretive:
            raise QueueUnavailable("these credentials may not do GetQueueAttributes")
        return super().depth()


@pytest.fixture
def queue(tmp_path: Path) -> OpaqueQueue:
    return OpaqueQueue(tmp_path / "queue", lease_seconds=60)


@pytest.fixture
def look_for(tmp_path: Path, queue: OpaqueQueue) -> Callable[[timedelta], int]:
    """Look for a crash that arrived so long ago; return how many are ready in the queue then."""
    storage = FilesystemStorage(tmp_path / "crashes")
    stores = Stores(storage, storage, queue, open_index(f"embedded://{tmp_path}/search"))

    def look(age: timedelta) -> int:
        arrived = NOW - age
        crash_id = make_crash_id(arrived)
        storage.save_raw_crash(CrashReport(crash_id, {"submitted_timestamp": arrived.isoformat()}))
        finder = Finder(stores, now=NOW, grace=GRACE, trust_index=True)
        return finder.mend([crash_id]).queued

    return look


def test_while_nothing_waits_a_missing_crash_is_queued_after_the_usual_time(
    look_for: Callable[[timedelta], int],
) -> None:
    assert look_for(timedelta(minutes=4)) == 0
    assert look_for(timedelta(minutes=6)) == 1


def test_behind_a_backlog_a_crash_may_wait_for_an_hour(
    look_for: Callable[[timedelta], int], queue: OpaqueQueue
) -> None:
    queue.publish(QueueName.STANDARD, [Task(make_crash_id(NOW))])
    assert look_for(timedelta(minutes=59)) == 0
    assert look_for(timedelta(minutes=61)) == 1


def test_a_queue_that_does_not_tell_its_depth_may_have_a_backlog(
    look_for: Callable[[timedelta], int], queue: OpaqueQueue
) -> None:
    queue.secretive = True
    assert look_for(timedelta(minutes=59)) == 0
    assert look_for(timedelta(minutes=61)) == 1
