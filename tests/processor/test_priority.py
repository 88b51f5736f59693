# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes that are processed again delay no fresh one, whatever their number."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from processor.app import Processor
from processor.work import Worker
from socorro import settings
from socorro.crash_id import make_crash_id
from socorro.queue import LocalQueue, Message, QueueName, Task

BACKLOG = 60
FRESH = 40


def tasks(number: int) -> list[Task]:
    return [Task(make_crash_id(datetime.now(UTC))) for _ in range(number)]


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalQueue:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    return LocalQueue(tmp_path / "queue", lease_seconds=60)


def test_while_fresh_crashes_come_none_is_processed_again(
    queue: LocalQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each crash that is taken brings the next fresh one: the backlog must wait for the last."""
    queue.publish(QueueName.REPROCESSING, tasks(BACKLOG))
    queue.publish(QueueName.STANDARD, tasks(1))
    coming = iter(tasks(FRESH - 1))
    stopping = threading.Event()
    taken: list[QueueName] = []

    def settle(_: Worker, message: Message) -> bool:
        taken.append(message.queue)
        queue.publish(QueueName.STANDARD, [task for task in [next(coming, None)] if task])
        if len(taken) == BACKLOG + FRESH:
            stopping.set()
        return queue.acknowledge(message)

    monkeypatch.setattr(Worker, "settle", settle)
    Processor(settings.load(), stopping).run()
    assert taken == [QueueName.STANDARD] * FRESH + [QueueName.REPROCESSING] * BACKLOG


def test_the_order_is_priority_then_fresh_then_again(
    queue: LocalQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    taken: list[QueueName] = []
    for name in (QueueName.REPROCESSING, QueueName.STANDARD, QueueName.PRIORITY):
        queue.publish(name, tasks(2))

    def settle(_: Worker, message: Message) -> bool:
        taken.append(message.queue)
        if len(taken) == 6:
            stopping.set()
        return queue.acknowledge(message)

    monkeypatch.setattr(Worker, "settle", settle)
    Processor(settings.load(), stopping).run()
    first, second, last = QueueName.PRIORITY, QueueName.STANDARD, QueueName.REPROCESSING
    assert taken == [first, first, second, second, last, last]


def test_a_processor_can_be_kept_free_of_what_is_processed_again(
    queue: LocalQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCESSOR_QUEUES", "standard, priority")
    queue.publish(QueueName.REPROCESSING, tasks(3))
    queue.publish(QueueName.STANDARD, tasks(1))
    stopping = threading.Event()
    asked: list[list[QueueName]] = []
    receive = LocalQueue.receive

    def spy(self: LocalQueue, limit: int, *, wait: float, queues: list[QueueName]) -> list[Message]:
        asked.append(queues)
        if len(asked) == 2:
            stopping.set()
        return receive(self, limit, wait=0, queues=queues)

    monkeypatch.setattr(LocalQueue, "receive", spy)
    monkeypatch.setattr(Worker, "settle", lambda _, message: queue.acknowledge(message))
    Processor(settings.load(), stopping).run()
    assert asked == [[QueueName.PRIORITY, QueueName.STANDARD]] * 2
    assert queue.depth()[QueueName.STANDARD].ready == 0
    assert queue.depth()[QueueName.REPROCESSING].ready == 3


@pytest.mark.parametrize("value", ["", " , ", "standard,fresh"])
def test_other_names_of_queues_are_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSOR_QUEUES", value)
    with pytest.raises(settings.SettingError, match=r"PROCESSOR_QUEUES=.*priority, standard"):
        settings.load()
