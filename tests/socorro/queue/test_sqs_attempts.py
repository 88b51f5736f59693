# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Attempts and dead letters in SQS, on a real server."""

import json
import logging
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from markus.testing import MetricsMock

from socorro.queue import CrashQueue, Message, QueueDepth, QueueName, Task, open_queue
from socorro.queue.sqs import dead_letters
from tests.contract.reports import new_id
from tests.servers import SqsServer
from tests.socorro.queue.wire import Queues, Wire, tasks, values

REASON = "it ended its processor too often"


def take_one(queue: CrashQueue) -> Message:
    (message,) = queue.receive(1, wait=30)
    return message


def test_a_crash_that_only_waits_never_uses_up_its_attempts(
    prefix: str, sqs_server: SqsServer
) -> None:
    # SQS itself would move it to the dead letters after the second delivery.
    sqs_server.create_queues(prefix, max_receives=2)
    queue = open_queue(sqs_server.url(prefix), lease_seconds=60)
    (task,) = tasks(1)
    queue.publish(QueueName.STANDARD, [task])
    for _ in range(6):
        message = take_one(queue)
        assert (message.task, message.attempts) == (task, 1)
        assert queue.release(message)
    assert queue.depth()[QueueName.STANDARD] == QueueDepth(1, 0, 0, 0)


def test_attempts_before_and_after_waiting_add_up(known: Wire) -> None:
    task = Task(new_id(), "regenerate_signature")
    known.queue.publish(QueueName.STANDARD, [task])
    assert known.queue.release(take_one(known.queue), attempted=True)
    second = take_one(known.queue)
    assert second.attempts == 2
    assert known.queue.release(second)
    again = take_one(known.queue)
    assert (again.task, again.attempts) == (task, 2)
    assert known.queue.release(again, attempted=True)
    assert take_one(known.queue).attempts == 3


def test_giving_back_an_attempt_is_one_request_and_waiting_two(known: Wire) -> None:
    known.queue.publish(QueueName.PRIORITY, tasks(1))
    message = take_one(known.queue)
    known.proxy.clear()
    assert known.queue.release(message, attempted=True)
    assert known.actions() == ["ChangeMessageVisibility"]
    message = take_one(known.queue)
    known.proxy.clear()
    assert known.queue.release(message)
    assert known.actions() == ["SendMessage", "DeleteMessage"]


@pytest.mark.parametrize(
    ("attribute", "attempts"),
    [
        (("Number", "3"), 4),
        (("Number", "-3"), 1),
        (("Number", "1e9"), 1),
        (("String", "many"), 1),
        (("String", "9" * 5000), 1),
        (("String", "²"), 1),
    ],
)
def test_attempts_that_somebody_else_wrote_are_numbers_or_nothing(
    known: Wire, queues: Queues, attribute: tuple[str, str], attempts: int
) -> None:
    queues.send("standard", new_id(), socorro_attempts=attribute)
    assert take_one(known.queue).attempts == attempts


def test_a_dead_letter_tells_what_happened(known: Wire, queues: Queues, prefix: str) -> None:
    task = Task(new_id(), "regenerate_signature")
    known.queue.publish(QueueName.REPROCESSING, [task])
    assert known.queue.bury(take_one(known.queue), "line\none\x00\ud800 " + "x" * 300)
    (letter,) = queues.letters("reprocessing-dead")
    assert letter["Body"] == task.body
    assert values(letter) == {
        "socorro-reason": "line one   " + "x" * 245,
        "socorro-queue": f"{prefix}-reprocessing",
        "socorro-dead-after": "1",
    }
    assert queues.letters("reprocessing") == []


def test_a_dead_letter_that_an_operator_sends_back_is_tried_anew(
    known: Wire, queues: Queues
) -> None:
    known.queue.publish(QueueName.STANDARD, tasks(1))
    for _ in range(4):
        assert known.queue.release(take_one(known.queue), attempted=True)
    assert known.queue.bury(take_one(known.queue), REASON)
    (letter,) = queues.letters("standard-dead")
    attributes = {key.replace("-", "_"): ("String", value) for key, value in values(letter).items()}
    queues.send("standard", letter["Body"], **attributes)
    assert take_one(known.queue).attempts == 1


def test_the_target_of_the_redrive_policy_gets_the_dead_letters(
    known: Wire, queues: Queues
) -> None:
    queues.create("graveyard")
    redrive(queues, "standard", queues.attribute("graveyard", "QueueArn"))
    known.queue.publish(QueueName.STANDARD, tasks(1))
    assert known.queue.bury(take_one(known.queue), REASON)
    assert len(queues.letters("graveyard")) == 1
    assert queues.letters("standard-dead") == []
    assert known.queue.depth()[QueueName.STANDARD].dead == 1


def test_without_the_target_of_its_redrive_policy_a_queue_has_our_dead_letters(
    known: Wire, queues: Queues
) -> None:
    queues.create("graveyard")
    redrive(queues, "standard", queues.attribute("graveyard", "QueueArn"))
    queues.delete("graveyard")
    known.queue.publish(QueueName.STANDARD, tasks(1))
    assert known.queue.bury(take_one(known.queue), REASON)
    assert len(queues.letters("standard-dead")) == 1


def redrive(queues: Queues, name: str, target: str) -> None:
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 10})
    queues.client.set_queue_attributes(
        QueueUrl=queues.address(name), Attributes={"RedrivePolicy": policy}
    )


@pytest.fixture
def three(bare: Wire, queues: Queues) -> Wire:
    """Three queues and no dead letters, as existing deployments have them."""
    for name in QueueName:
        queues.create(name)
    return bare


def test_three_queues_are_enough(three: Wire, caplog: pytest.LogCaptureFixture) -> None:
    three.queue.verify()
    (task,) = tasks(1)
    three.queue.publish(QueueName.STANDARD, [task])
    message = take_one(three.queue)
    with MetricsMock() as metrics, caplog.at_level(logging.ERROR):
        assert three.queue.bury(message, REASON)
    metrics.assert_incr("socorro.queue.dead_letter_dropped")
    assert f"deleted '{task.crash_id}' from" in caplog.text
    assert three.queue.depth()[QueueName.STANDARD] == QueueDepth(0, 0, 0, 0)
    assert not three.queue.bury(message, REASON)


def test_without_dead_letters_a_body_that_is_no_task_is_logged_and_deleted(
    three: Wire, queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    queues.send("standard", "hello " * 50)
    assert three.queue.receive(1, wait=0) == []
    assert "no task, taken from" in caplog.text
    assert "hello " * 15 not in caplog.text
    assert three.queue.depth()[QueueName.STANDARD] == QueueDepth(0, 0, 0, 0)


def test_dead_letters_that_are_made_later_are_found_without_a_restart(
    three: Wire, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert three.queue.depth()[QueueName.STANDARD].dead == 0
    queues.create("standard-dead")
    queues.send("standard-dead", "an old one")
    assert three.queue.depth()[QueueName.STANDARD].dead == 0
    later = time.monotonic() + dead_letters._KNOWN_SECONDS + 1
    monkeypatch.setattr(dead_letters, "time", SimpleNamespace(monotonic=lambda: later))
    assert three.queue.depth()[QueueName.STANDARD].dead == 1


def test_the_depth_is_six_requests_once_all_is_known(known: Wire) -> None:
    known.queue.depth()
    known.proxy.clear()
    known.queue.depth()
    assert known.actions() == ["GetQueueAttributes"] * 6


def test_provisioning_makes_three_queues_and_their_dead_letters(bare: Wire, queues: Queues) -> None:
    bare.queue.provision()
    made = [name for queue in QueueName for name in (str(queue), f"{queue}-dead")]
    assert queues.names() == sorted(made)
    assert queues.attribute("standard", "ReceiveMessageWaitTimeSeconds") == "20"
    bare.queue.verify()


def test_provisioning_leaves_what_is_there_as_it_is(bare: Wire, queues: Queues) -> None:
    queues.create("graveyard")
    queues.create("standard", {"VisibilityTimeout": "77"})
    redrive(queues, "standard", queues.attribute("graveyard", "QueueArn"))
    bare.queue.provision()
    assert queues.attribute("standard", "VisibilityTimeout") == "77"
    assert queues.attribute("standard", "ReceiveMessageWaitTimeSeconds") == "0"
    # Its dead letters have a place already.
    assert "standard-dead" not in queues.names()
    before = queues.names()
    bare.proxy.clear()
    bare.queue.provision()
    assert "CreateQueue" not in bare.actions()
    assert queues.names() == before


@pytest.mark.parametrize(
    "settle",
    [
        lambda queue, message: queue.acknowledge(message),
        lambda queue, message: queue.release(message),
        lambda queue, message: queue.release(message, attempted=True),
        lambda queue, message: queue.bury(message, REASON),
    ],
)
def test_a_message_is_settled_once(
    known: Wire, settle: Callable[[CrashQueue, Message], bool]
) -> None:
    known.queue.publish(QueueName.STANDARD, tasks(1))
    message = take_one(known.queue)
    assert settle(known.queue, message)
    known.proxy.clear()
    assert not known.queue.acknowledge(message)
    assert not known.queue.extend(message)
    assert not known.queue.release(message)
    assert not known.queue.release(message, attempted=True)
    assert not known.queue.bury(message, REASON)
    # What is over is over without asking.
    assert known.actions() == []
