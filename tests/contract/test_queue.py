# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What every crash queue promises."""

import multiprocessing
import random
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from socorro.queue import (
    CrashQueue,
    InvalidTask,
    Message,
    QueueDepth,
    QueueName,
    QueueUnavailable,
    Task,
    open_queue,
)
from tests.contract.processes import lines, running, wait_until
from tests.contract.reports import new_id

EMPTY = QueueDepth(ready=0, leased=0, delayed=0, dead=0)

# What SQS does not promise: an exact order, no doubles, and to tell what it holds.
only_exact = pytest.mark.parametrize("queue_url", ["local"], indirect=True)


def publish(queue: CrashQueue, count: int, name: QueueName = QueueName.STANDARD) -> list[Task]:
    """Publish new tasks one after the other."""
    tasks = [Task(new_id()) for _ in range(count)]
    for task in tasks:
        queue.publish(name, [task])
    return tasks


def take_one(queue: CrashQueue) -> Message:
    """Take a message that must be there, now or soon."""
    (message,) = queue.receive(1, wait=30)
    return message


def test_a_published_task_is_received(queue: CrashQueue) -> None:
    (task,) = publish(queue, 1)
    message = take_one(queue)
    assert message.task == task
    assert message.queue is QueueName.STANDARD
    assert message.attempts == 1


def take_all(queue: CrashQueue) -> list[Task]:
    """Take and acknowledge until nothing comes for a while."""
    taken = []
    while messages := queue.receive(10, wait=0.5):
        for message in messages:
            assert queue.acknowledge(message)
            taken.append(message.task)
    return taken


def test_an_empty_queue_gives_nothing_after_the_wait(queue: CrashQueue) -> None:
    assert queue.receive(10, wait=0) == []
    assert queue.receive(10, wait=0.05) == []


@only_exact
def test_messages_come_in_the_order_of_arrival(queue: CrashQueue) -> None:
    tasks = publish(queue, 20)
    assert [message.task for message in queue.receive(20, wait=0)] == tasks


def test_at_most_as_many_messages_come_as_were_asked_for(queue: CrashQueue) -> None:
    publish(queue, 5)
    assert len(queue.receive(2, wait=0)) == 2
    assert len(queue.receive(10, wait=0)) == 3


def test_priority_comes_first_and_reprocessing_last(queue: CrashQueue) -> None:
    for name in (QueueName.REPROCESSING, QueueName.STANDARD, QueueName.PRIORITY):
        publish(queue, 1, name)
    assert [message.queue for message in queue.receive(3, wait=0)] == list(QueueName)


def test_a_receiver_looks_only_into_the_queues_it_names(queue: CrashQueue) -> None:
    publish(queue, 1, QueueName.STANDARD)
    assert queue.receive(1, wait=0, queues=[QueueName.PRIORITY, QueueName.REPROCESSING]) == []


def test_many_tasks_are_published_at_once(queue: CrashQueue) -> None:
    tasks = [Task(new_id()) for _ in range(1234)]
    queue.publish(QueueName.REPROCESSING, tasks)
    assert queue.depth()[QueueName.REPROCESSING] == QueueDepth(1234, 0, 0, 0)


def test_publishing_nothing_is_nothing(queue: CrashQueue) -> None:
    queue.publish(QueueName.STANDARD, [])
    assert queue.receive(1, wait=0) == []


def test_a_ruleset_travels_with_its_task(queue: CrashQueue) -> None:
    task = Task(new_id(), "regenerate_signature")
    queue.publish(QueueName.REPROCESSING, [task])
    assert take_one(queue).task == task


def test_a_leased_message_is_hidden(queue: CrashQueue) -> None:
    publish(queue, 1)
    take_one(queue)
    assert queue.receive(1, wait=0) == []


def test_a_message_comes_back_when_its_lease_ends(
    queue: CrashQueue, brief_queue: CrashQueue
) -> None:
    (task,) = publish(queue, 1)
    lost = take_one(brief_queue)
    again = take_one(queue)
    assert again.task == task
    assert again.attempts == 2
    assert again.receipt != lost.receipt


def test_a_stale_receipt_settles_nothing(queue: CrashQueue, brief_queue: CrashQueue) -> None:
    publish(queue, 1)
    lost = take_one(brief_queue)
    held = take_one(queue)
    assert not queue.acknowledge(lost)
    assert not queue.extend(lost)
    assert not queue.release(lost)
    assert not queue.bury(lost, "stale")
    assert queue.depth()[QueueName.STANDARD] == QueueDepth(0, 1, 0, 0)
    assert queue.acknowledge(held)


def test_an_acknowledged_message_is_gone(
    queue: CrashQueue, brief_queue: CrashQueue, brief_lease: float
) -> None:
    publish(queue, 1)
    message = take_one(brief_queue)
    assert queue.acknowledge(message)
    assert not queue.acknowledge(message)
    assert queue.receive(1, wait=brief_lease + 0.5) == []
    assert queue.depth()[QueueName.STANDARD] == EMPTY


def test_an_extended_lease_lasts(
    queue: CrashQueue, brief_queue: CrashQueue, brief_lease: float
) -> None:
    publish(queue, 1)
    message = take_one(brief_queue)
    # Renewed through the queue with long leases, the message stays hidden beyond its brief one.
    assert queue.extend(message)
    assert queue.receive(1, wait=brief_lease + 0.5) == []
    assert queue.acknowledge(message)


def test_a_released_message_comes_back_at_once_and_uncounted(queue: CrashQueue) -> None:
    publish(queue, 1)
    assert queue.release(take_one(queue))
    assert take_one(queue).attempts == 1


def test_a_released_attempt_counts_when_it_was_one(queue: CrashQueue) -> None:
    publish(queue, 1)
    assert queue.release(take_one(queue), attempted=True)
    assert take_one(queue).attempts == 2


def test_a_delayed_message_is_hidden_until_its_time(queue: CrashQueue) -> None:
    (task,) = publish(queue, 1)
    assert queue.release(take_one(queue), delay=0.3)
    assert queue.receive(1, wait=0) == []
    assert queue.depth()[QueueName.STANDARD] == QueueDepth(0, 0, 1, 0)
    assert take_one(queue).task == task


@only_exact
def test_a_released_message_waits_behind_those_that_came_since(queue: CrashQueue) -> None:
    (first,) = publish(queue, 1)
    message = take_one(queue)
    (second,) = publish(queue, 1)
    queue.release(message)
    assert [message.task for message in queue.receive(2, wait=0)] == [second, first]


def test_a_buried_message_is_a_dead_letter(queue: CrashQueue) -> None:
    publish(queue, 1, QueueName.PRIORITY)
    message = take_one(queue)
    assert queue.bury(message, "it ended its processor too often")
    assert not queue.bury(message, "again")
    assert queue.receive(1, wait=0) == []
    assert queue.depth()[QueueName.PRIORITY] == QueueDepth(0, 0, 0, 1)
    assert queue.holding([message.task.crash_id]) == frozenset()


@only_exact
def test_a_task_that_waits_already_is_not_doubled(queue: CrashQueue) -> None:
    (task,) = publish(queue, 1)
    queue.publish(QueueName.STANDARD, [task, task])
    assert queue.depth()[QueueName.STANDARD].ready == 1


@only_exact
def test_a_task_whose_lease_ran_out_is_not_doubled(
    queue: CrashQueue, brief_queue: CrashQueue
) -> None:
    (task,) = publish(queue, 1)
    take_one(brief_queue)
    wait_until(lambda: queue.depth()[QueueName.STANDARD].ready == 1, "the lease ran out")
    queue.publish(QueueName.STANDARD, [task])
    assert queue.depth()[QueueName.STANDARD].ready == 1


def test_a_task_that_is_being_worked_on_is_queued_again(queue: CrashQueue) -> None:
    # What the worker has read may be older than the reason for publishing.
    (task,) = publish(queue, 1)
    message = take_one(queue)
    queue.publish(QueueName.STANDARD, [task])
    assert queue.acknowledge(message)
    assert take_one(queue).task == task


def test_the_same_crash_may_wait_in_several_queues_and_for_several_rulesets(
    queue: CrashQueue,
) -> None:
    (task,) = publish(queue, 1)
    queue.publish(QueueName.PRIORITY, [task])
    queue.publish(QueueName.STANDARD, [Task(task.crash_id, "regenerate_signature")])
    assert len(queue.receive(10, wait=0)) == 3


def test_a_queue_that_cannot_be_asked_what_it_holds_says_so(queue: CrashQueue) -> None:
    (task,) = publish(queue, 1)
    held = queue.holding([task.crash_id])
    assert held == (frozenset() if queue.opaque else {task.crash_id})


@only_exact
def test_the_queue_tells_which_crashes_it_holds(queue: CrashQueue) -> None:
    ready, leased, delayed, done = publish(queue, 4)
    held = {message.task: message for message in queue.receive(4, wait=0)}
    queue.release(held[ready])
    queue.release(held[delayed], delay=60)
    queue.acknowledge(held[done])
    asked = [task.crash_id for task in (ready, leased, delayed, done)]
    holding = queue.holding([*asked, new_id()])
    assert holding == {ready.crash_id, leased.crash_id, delayed.crash_id}
    assert queue.holding([]) == frozenset()


@only_exact
def test_thousands_of_crashes_may_be_asked_for(queue: CrashQueue) -> None:
    (task,) = publish(queue, 1)
    asked = [new_id() for _ in range(3000)]
    assert queue.holding([*asked, task.crash_id]) == {task.crash_id}


def test_depths_of_all_queues_are_told(queue: CrashQueue) -> None:
    publish(queue, 3)
    publish(queue, 1, QueueName.PRIORITY)
    queue.receive(2, wait=0)
    assert queue.depth() == {
        QueueName.PRIORITY: QueueDepth(0, 1, 0, 0),
        QueueName.STANDARD: QueueDepth(2, 1, 0, 0),
        QueueName.REPROCESSING: EMPTY,
    }


def test_what_is_provisioned_passes_the_check_and_stays_as_it_is(queue: CrashQueue) -> None:
    queue.provision()
    (task,) = publish(queue, 1)
    queue.provision()
    queue.verify()
    assert take_one(queue).task == task


def test_the_engine_is_named_in_one_line_without_asking_it(dead_queue: CrashQueue) -> None:
    assert dead_queue.engine.startswith(("SQLite in ", "SQS queues "))
    assert len(dead_queue.engine.splitlines()) == 1


def test_a_queue_that_works_passes_its_check_and_keeps_nothing_of_it(queue: CrashQueue) -> None:
    queue.verify()
    queue.verify()
    assert queue.receive(1, wait=0) == []
    assert all(depth == EMPTY for depth in queue.depth().values())


def test_a_dead_queue_says_so(dead_queue: CrashQueue) -> None:
    message = Message(Task(new_id()), QueueName.STANDARD, 1, "receipt")
    calls: list[Callable[[], object]] = [
        lambda: dead_queue.publish(QueueName.STANDARD, [message.task]),
        lambda: dead_queue.receive(1, wait=0),
        lambda: dead_queue.extend(message),
        lambda: dead_queue.acknowledge(message),
        lambda: dead_queue.release(message),
        lambda: dead_queue.bury(message, "reason"),
        dead_queue.depth,
        dead_queue.verify,
    ]
    if not dead_queue.opaque:
        calls.append(lambda: dead_queue.holding([message.task.crash_id]))
    for call in calls:
        with pytest.raises(QueueUnavailable):
            call()


def test_closing_keeps_what_is_not_settled(queue: CrashQueue, brief_queue: CrashQueue) -> None:
    (task,) = publish(queue, 1)
    take_one(brief_queue)
    brief_queue.close()
    brief_queue.close()
    assert take_one(queue).task == task


def test_threads_share_a_queue_and_none_gets_anothers_message(queue: CrashQueue) -> None:
    tasks = publish(queue, 200)
    taken: list[Task] = []

    def work() -> None:
        while messages := queue.receive(2, wait=0):
            for message in messages:
                assert queue.acknowledge(message)
                taken.append(message.task)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(task.crash_id for task in taken) == sorted(task.crash_id for task in tasks)


def test_processes_share_a_queue_and_none_gets_anothers_message(
    queue: CrashQueue, queue_url: str, tmp_path: Path
) -> None:
    tasks = [Task(new_id()) for _ in range(200)]
    queue.publish(QueueName.STANDARD, tasks)
    outputs = [tmp_path / f"taken-{number}" for number in range(4)]
    children = [running(output, "tests.contract.receive_all", queue_url) for output in outputs]
    for process in [child.__enter__() for child in children]:
        assert process.wait(60) == 0
    taken = [crash_id for output in outputs for crash_id in lines(output)]
    assert sorted(taken) == sorted(task.crash_id for task in tasks)


# Queues of SQS are there before anybody opens them.
@pytest.mark.parametrize("queue_url", ["local"], indirect=True)
def test_processes_that_start_at_once_all_open_a_new_queue(queue_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_publish_one, args=(queue_url,)) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 6
    queue = open_queue(queue_url, lease_seconds=60)
    assert queue.depth()[QueueName.STANDARD].ready == 6


def _publish_one(url: str) -> None:
    open_queue(url, lease_seconds=60).publish(QueueName.STANDARD, [Task(new_id())])


def test_a_forked_process_may_go_on_with_the_queue_of_its_parent(queue: CrashQueue) -> None:
    publish(queue, 1)
    child = multiprocessing.get_context("fork").Process(target=publish, args=(queue, 10))
    child.start()
    publish(queue, 10)
    child.join()
    assert child.exitcode == 0
    assert queue.depth()[QueueName.STANDARD].ready == 21


def test_killing_a_publishing_process_loses_nothing(
    queue: CrashQueue, queue_url: str, tmp_path: Path, soaking: bool
) -> None:
    chance = random.Random(secrets.randbits(32))
    published: set[str] = set()
    for number in range(100 if soaking else 5):
        output = tmp_path / f"published-{number}"
        with running(output, "tests.contract.publish_forever", queue_url):
            wait_until(lambda output=output: bool(lines(output)), "a first id")
            time.sleep(chance.uniform(0, 0.03))
        published.update(lines(output))
    assert published <= {task.crash_id for task in take_all(queue)}


def test_a_message_comes_back_when_its_receiver_was_killed(
    queue: CrashQueue, queue_url: str, brief_lease: float, tmp_path: Path
) -> None:
    (task,) = publish(queue, 1)
    output = tmp_path / "held"
    with running(output, "tests.contract.receive_and_hold", queue_url, str(brief_lease)):
        wait_until(lambda: lines(output) == [task.crash_id], "the receiver holds the message")
    message = take_one(queue)
    assert message.task == task
    assert message.attempts == 2
    assert queue.acknowledge(message)
    assert queue.receive(1, wait=brief_lease + 0.5) == []
    assert queue.depth()[QueueName.STANDARD] == EMPTY


@pytest.mark.parametrize(
    "body",
    [
        "",
        "test",
        "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122\n",
        "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122:Rule Set",
        "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122:default\n",
        "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122:" + "x" * 62,
        "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122:a:b",
        "x" * 100_000,
    ],
)
def test_a_body_that_is_no_task_is_refused(body: str) -> None:
    with pytest.raises(InvalidTask):
        Task.parse(body)


@pytest.mark.parametrize("ruleset", ["default", "regenerate_signature"])
def test_a_task_survives_its_body(ruleset: str) -> None:
    task = Task(new_id(), ruleset)
    assert Task.parse(task.body) == task


def test_the_body_of_an_ordinary_task_is_the_bare_crash_id() -> None:
    crash_id = new_id()
    assert Task(crash_id).body == crash_id
    assert Task.parse(f"bp-{crash_id}") == Task(crash_id)
