# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes are handed on in batches, and wait while the queue is full."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from socorro.crash_id import parse_crash_id
from socorro.queue import LocalQueue, QueueName, Task
from socorro.reprocessing.destination import QueueDestination
from socorro.reprocessing.pace import Pace
from socorro.reprocessing.sending import Manner, send

IDS = [parse_crash_id(f"{number:08x}-0000-0000-0000-000000261120") for number in range(1203)]


@pytest.fixture
def queue(tmp_path: Path) -> LocalQueue:
    return LocalQueue(tmp_path / "queue", lease_seconds=60)


def test_each_batch_is_told_when_it_is_kept(queue: LocalQueue) -> None:
    sent: list[list[str]] = []

    def check(batch: list[str]) -> None:
        sent.append(batch)
        assert queue.holding(batch) == frozenset(batch)

    destination = QueueDestination(queue, QueueName.REPROCESSING)
    send(iter(IDS), destination, Manner("regenerate_signature", Pace()), check)
    assert [len(batch) for batch in sent] == [500, 500, 203]
    assert [each for batch in sent for each in batch] == IDS
    (message,) = queue.receive(1, wait=0, queues=[QueueName.REPROCESSING])
    assert message.task == Task(IDS[0], "regenerate_signature")


def test_no_more_crashes_wait_than_may(queue: LocalQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor takes one whenever we wait for room."""

    def work(_: float) -> None:
        (message,) = queue.receive(1, wait=0, queues=[QueueName.REPROCESSING])
        queue.acknowledge(message)

    monkeypatch.setattr("socorro.reprocessing.sending.time.sleep", work)
    most = 0

    def look(_: Sequence[str]) -> None:
        nonlocal most
        most = max(most, queue.depth()[QueueName.REPROCESSING].ready)

    destination = QueueDestination(queue, QueueName.REPROCESSING)
    send(IDS[:50], destination, Manner("default", Pace(), most_waiting=7), look)
    assert most == 7
