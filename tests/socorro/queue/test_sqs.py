# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""SQS on the wire: a real server behind a proxy that counts requests and makes trouble."""

import logging

import pytest

from socorro.queue import QueueName, QueueUnavailable, open_queue
from socorro.queue.sqs import queue as queue_module
from socorro.queue.sqs import receiving, service
from tests.servers import SqsServer
from tests.socorro.queue.wire import Queues, Wire, tasks


def test_the_address_of_a_queue_is_looked_up_once(wire: Wire) -> None:
    wire.queue.publish(QueueName.STANDARD, tasks(1))
    assert wire.actions() == ["GetQueueUrl", "SendMessageBatch"]
    wire.queue.publish(QueueName.STANDARD, tasks(1))
    assert wire.actions() == ["SendMessageBatch"]


def test_a_crash_costs_one_request_to_publish_two_to_receive_and_one_to_acknowledge(
    known: Wire,
) -> None:
    known.queue.publish(QueueName.STANDARD, tasks(1))
    (message,) = known.queue.receive(1, wait=1)
    assert known.queue.acknowledge(message)
    # The priority queue is looked at first.
    receive = ["ReceiveMessage"] * 2
    assert known.actions() == ["SendMessageBatch", *receive, "DeleteMessage"]


def test_tasks_are_published_ten_at_a_time(known: Wire) -> None:
    published = tasks(25)
    known.queue.publish(QueueName.STANDARD, published)
    assert known.actions() == ["SendMessageBatch"] * 3
    taken = known.queue.receive(25, wait=0, queues=[QueueName.STANDARD])
    assert {message.task for message in taken} == set(published)
    assert known.actions() == ["ReceiveMessage"] * 3


def test_once_there_are_enough_messages_no_other_queue_is_asked(known: Wire) -> None:
    known.queue.publish(QueueName.PRIORITY, tasks(3))
    known.proxy.clear()
    assert len(known.queue.receive(2, wait=1)) == 2
    assert known.actions() == ["ReceiveMessage"]


def test_an_idle_receiver_looks_at_each_queue_and_then_waits_in_sqs(known: Wire) -> None:
    assert known.queue.receive(1, wait=1) == []
    assert known.actions() == ["ReceiveMessage"] * 4


def test_a_receiver_that_waits_looks_at_the_other_queues_now_and_then(
    known: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_LONG_POLL_SECONDS", 1)
    assert known.queue.receive(1, wait=2) == []
    assert known.actions() == ["ReceiveMessage"] * (3 + 1 + 2 + 1)


def test_a_long_poll_ends_before_the_client_gives_up() -> None:
    assert service._READ_SECONDS >= receiving._LONG_POLL_SECONDS + 3


def test_a_queue_that_hangs_keeps_a_publisher_for_twelve_seconds_at_most() -> None:
    request = service._ATTEMPTS * service._READ_SECONDS + 1
    assert service._CONNECT_SECONDS <= service._READ_SECONDS
    assert request + queue_module._BATCH_SECONDS <= 12


def test_a_queue_that_hangs_is_an_error_and_no_hang(
    known: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_READ_SECONDS", 0.3)
    # The client is made anew, with that limit; one address is looked up again.
    known.queue.close()
    known.proxy.delay(60)
    place = f"(at {known.proxy.endpoint}): {known.proxy.endpoint} does not answer in time"
    with pytest.raises(QueueUnavailable) as caught:
        known.queue.publish(QueueName.STANDARD, tasks(1))
    assert str(caught.value).endswith(place)
    assert known.actions() == ["GetQueueUrl"] * service._ATTEMPTS


def test_a_request_whose_connection_breaks_is_sent_again(known: Wire) -> None:
    known.proxy.cut_next(1)
    known.queue.publish(QueueName.STANDARD, tasks(1))
    assert known.actions() == ["SendMessageBatch"] * 2
    known.proxy.cut_next(service._ATTEMPTS)
    with pytest.raises(QueueUnavailable, match="cannot be reached"):
        known.queue.publish(QueueName.STANDARD, tasks(1))


@pytest.mark.parametrize("body", ["<html>", "[]", '{"QueueUrl": null}', ""])
def test_a_server_of_another_kind_is_an_error_that_says_so(wire: Wire, body: str) -> None:
    wire.proxy.fail_next(1, 200, body)
    with pytest.raises(QueueUnavailable, match="does not answer as SQS does"):
        wire.queue.verify()


@pytest.mark.parametrize("body", ['{"Messages": [{"Body": "x"}]}', '{"Messages": 3}'])
def test_a_message_of_another_shape_is_an_error(known: Wire, body: str) -> None:
    known.proxy.fail_next(1, 200, body)
    with pytest.raises(QueueUnavailable, match="does not answer as SQS does"):
        known.queue.receive(1, wait=0)


def test_an_answer_of_another_kind_publishes_nothing(
    known: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_BATCH_PAUSE", 0.001)
    known.proxy.fail_next(3, 200, "<html>")
    with pytest.raises(QueueUnavailable, match=r"12 of 12 ids were not taken \(no answer\)"):
        known.queue.publish(QueueName.STANDARD, tasks(12))


def test_a_check_sends_nothing(wire: Wire) -> None:
    wire.queue.verify()
    assert sorted(set(wire.actions())) == ["GetQueueAttributes", "GetQueueUrl"]


def test_a_missing_queue_is_named(sqs_server: SqsServer) -> None:
    queue = open_queue(sqs_server.url("nobody"), lease_seconds=60)
    with pytest.raises(QueueUnavailable) as caught:
        queue.verify()
    assert str(caught.value) == (
        f"crash queue sqs://nobody (at {sqs_server.endpoint}): there is no queue nobody-priority; "
        "make it, for example with socorro provision"
    )


def test_a_queue_that_was_made_anew_is_found_again(
    known: Wire, queues: Queues, prefix: str
) -> None:
    queues.delete("standard")
    with pytest.raises(QueueUnavailable, match=f"no queue {prefix}-standard"):
        known.queue.publish(QueueName.STANDARD, tasks(1))
    queues.create("standard")
    known.proxy.clear()
    known.queue.publish(QueueName.STANDARD, tasks(1))
    assert known.actions() == ["GetQueueUrl", "SendMessageBatch"]


def test_a_queue_that_fails_does_not_cost_the_messages_taken_from_others(
    known: Wire, queues: Queues, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    published = tasks(2)
    known.queue.publish(QueueName.PRIORITY, published)
    queues.delete("standard")
    taken = known.queue.receive(10, wait=0)
    assert {message.task for message in taken} == set(published)
    assert f"no queue {prefix}-standard" in caplog.text
    with pytest.raises(QueueUnavailable, match=f"no queue {prefix}-standard"):
        known.queue.receive(10, wait=0)


def test_a_closed_queue_connects_again(known: Wire) -> None:
    known.queue.close()
    known.queue.publish(QueueName.STANDARD, tasks(1))
    assert known.actions() == ["GetQueueUrl", "SendMessageBatch"]


def test_the_test_message_of_existing_collectors_vanishes_without_a_word(
    known: Wire, queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="socorro")
    queues.send("standard", "test")
    (task,) = tasks(1)
    queues.send("standard", task.body)
    (message,) = known.queue.receive(1, wait=0)
    assert message.task == task
    assert caplog.text == ""
    depths = known.queue.depth()
    assert (depths[QueueName.STANDARD].leased, depths[QueueName.STANDARD].dead) == (1, 0)


@pytest.mark.parametrize("body", ["hello\nworld", "x" * 5000, "{}", "é\u2028🦊"])
def test_a_body_that_is_no_task_becomes_a_dead_letter_and_stops_nobody(
    known: Wire, queues: Queues, prefix: str, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    queues.send("standard", body)
    (task,) = tasks(1)
    queues.send("standard", task.body)
    (message,) = known.queue.receive(1, wait=0)
    assert message.task == task
    (letter,) = queues.letters("standard-dead")
    assert letter["Body"] == body
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line == f"no task, taken from {prefix}-standard: {repr(body)[:80]}"


def test_thousands_of_bodies_that_are_no_tasks_end_a_call_in_time(
    known: Wire, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_PASS_SECONDS", 0.0)
    for _ in range(3):
        queues.send("standard", "test")
    known.proxy.clear()
    assert known.queue.receive(1, wait=0, queues=[QueueName.STANDARD]) == []
    assert known.actions() == ["ReceiveMessage", "DeleteMessage"]
