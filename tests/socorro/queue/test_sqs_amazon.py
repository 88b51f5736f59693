# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The ways of Amazon's own SQS that no server on this machine has, told by a stub."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from socorro.queue import Message, QueueName, QueueUnavailable, Task, open_queue
from socorro.queue.sqs import SqsQueue, leases, service
from socorro.queue.sqs import queue as queue_module
from tests.contract.reports import new_id
from tests.socorro.queue.wire import tasks

URL = "sqs://crashes?region=eu-west-1"
LEASE = 60
ADDRESS = "https://sqs.eu-west-1.amazonaws.com/123456789012"
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
RECEIPT = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a"
ABOUT_RECEIPT = f"Value {RECEIPT} for parameter ReceiptHandle is invalid. Reason: "


class Amazon:
    """What SQS is expected to be asked, and what it answers."""

    def __init__(self, stubber: Stubber) -> None:
        self._stubber = stubber

    def answers(self, operation: str, answer: dict[str, Any], **asked: Any) -> None:
        self._stubber.add_response(operation, answer, asked or None)

    def refuses(self, operation: str, code: str, message: str = "") -> None:
        self._stubber.add_client_error(operation, code, message, http_status_code=400)

    def knows(self, *queues: str) -> None:
        for queue in queues:
            self.answers(
                "get_queue_url", {"QueueUrl": f"{ADDRESS}/{queue}"}, QueueName=f"crashes-{queue}"
            )


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    client = boto3.client(
        "sqs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(service, "make_client", lambda *args, **limits: client)
    with Stubber(client) as stubber:
        yield Amazon(stubber)
        stubber.assert_no_pending_responses()


@pytest.fixture
def queue(amazon: Amazon) -> SqsQueue:
    return SqsQueue(URL, lease_seconds=LEASE)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(leases, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def message() -> Message:
    return Message(Task(new_id()), QueueName.STANDARD, 3, RECEIPT)


def received(queue: SqsQueue, amazon: Amazon, lease: int = LEASE) -> Message:
    """Let a message be received."""
    crash_id = new_id()
    amazon.knows("standard")
    amazon.answers(
        "receive_message",
        {
            "Messages": [
                {
                    "Body": crash_id,
                    "ReceiptHandle": RECEIPT,
                    "Attributes": {"ApproximateReceiveCount": "2"},
                }
            ]
        },
        QueueUrl=f"{ADDRESS}/standard",
        MaxNumberOfMessages=1,
        WaitTimeSeconds=0,
        VisibilityTimeout=lease,
        AttributeNames=["ApproximateReceiveCount"],
        MessageAttributeNames=["socorro-attempts"],
    )
    (taken,) = queue.receive(1, wait=0, queues=[QueueName.STANDARD])
    assert taken == Message(Task(crash_id), QueueName.STANDARD, 2, RECEIPT)
    return taken


@pytest.mark.parametrize(("seconds", "lease"), [(0.05, 1), (1.2, 2), (300.0, 300), (1e6, 43200)])
def test_leases_are_whole_seconds(amazon: Amazon, seconds: float, lease: int) -> None:
    received(SqsQueue(URL, lease_seconds=seconds), amazon, lease)


def test_entries_that_were_refused_are_sent_again_alone(
    queue: SqsQueue, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_BATCH_PAUSE", 0.0)
    published = tasks(4)
    amazon.knows("standard")
    sent_batch(amazon, published, refused=[1, 3])
    sent_batch(amazon, [published[1], published[3]], refused=[0])
    sent_batch(amazon, [published[1]], refused=[])
    queue.publish(QueueName.STANDARD, published)


def test_entries_that_are_refused_again_and_again_are_counted(
    queue: SqsQueue, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_BATCH_PAUSE", 0.0)
    published = tasks(25)
    amazon.knows("standard")
    sent_batch(amazon, published[:10], refused=[])
    sent_batch(amazon, published[10:20], refused=[4])
    for _ in range(2):
        sent_batch(amazon, [published[14]], refused=[0])
    with pytest.raises(QueueUnavailable) as caught:
        queue.publish(QueueName.STANDARD, published)
    assert str(caught.value) == (
        "crash queue sqs://crashes (in eu-west-1): 6 of 25 ids were not taken (InternalError)"
    )


def test_no_further_attempt_is_made_when_time_is_up(
    queue: SqsQueue, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_BATCH_SECONDS", -1.0)
    published = tasks(1)
    amazon.knows("standard")
    sent_batch(amazon, published, refused=[0])
    with pytest.raises(QueueUnavailable, match="1 of 1 ids"):
        queue.publish(QueueName.STANDARD, published)


def sent_batch(amazon: Amazon, batch: list[Task], refused: list[int]) -> None:
    digest = {"MessageId": "x", "MD5OfMessageBody": "x"}
    amazon.answers(
        "send_message_batch",
        {
            "Successful": [
                {"Id": str(number), **digest}
                for number in range(len(batch))
                if number not in refused
            ],
            "Failed": [
                {"Id": str(number), "Code": "InternalError", "SenderFault": False}
                for number in refused
            ],
        },
        QueueUrl=f"{ADDRESS}/standard",
        Entries=[
            {"Id": str(number), "MessageBody": task.body} for number, task in enumerate(batch)
        ],
    )


LOST = [
    ("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle."),
    ("InvalidParameterValue", f"{ABOUT_RECEIPT}The receipt handle has expired."),
    (
        "InvalidParameterValue",
        f"{ABOUT_RECEIPT}Message does not exist or is not available for visibility timeout change.",
    ),
    ("AWS.SimpleQueueService.MessageNotInflight", ""),
]


@pytest.mark.parametrize(("code", "text"), LOST)
def test_a_refused_receipt_is_a_lost_lease(
    queue: SqsQueue, amazon: Amazon, code: str, text: str
) -> None:
    amazon.knows("standard")
    amazon.refuses("delete_message", code, text)
    assert not queue.acknowledge(message())


@pytest.mark.parametrize(("code", "text"), LOST)
def test_who_lost_a_lease_does_not_ask_again(
    queue: SqsQueue, amazon: Amazon, code: str, text: str
) -> None:
    lost = message()
    amazon.knows("standard")
    amazon.refuses("change_message_visibility", code, text)
    assert not queue.extend(lost)
    assert not queue.acknowledge(lost)
    assert not queue.release(lost)


def test_a_lease_beyond_twelve_hours_is_an_error_and_not_lost(
    queue: SqsQueue, amazon: Amazon
) -> None:
    held = message()
    amazon.knows("standard")
    reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
    text = f"Value 60 for parameter VisibilityTimeout is invalid. Reason: {reason}"
    amazon.refuses("change_message_visibility", "InvalidParameterValue", text)
    with pytest.raises(QueueUnavailable, match="InvalidParameterValue"):
        queue.extend(held)
    amazon.answers("delete_message", {}, QueueUrl=f"{ADDRESS}/standard", ReceiptHandle=RECEIPT)
    assert queue.acknowledge(held)


def test_a_lease_that_has_run_out_is_lost_though_amazon_would_say_yes(
    queue: SqsQueue, amazon: Amazon, clock: SimpleNamespace
) -> None:
    # It answers 200 to the deletion by an old receipt, whether it deletes or not.
    held = received(queue, amazon)
    clock.now += LEASE
    assert not queue.acknowledge(held)
    assert not queue.extend(held)
    assert not queue.release(held)
    assert not queue.release(held, attempted=True)
    assert not queue.bury(held, "reason")


def test_an_extended_lease_runs_from_its_extension(
    queue: SqsQueue, amazon: Amazon, clock: SimpleNamespace
) -> None:
    held = received(queue, amazon)
    clock.now += LEASE - 1
    amazon.answers(
        "change_message_visibility",
        {},
        QueueUrl=f"{ADDRESS}/standard",
        ReceiptHandle=RECEIPT,
        VisibilityTimeout=LEASE,
    )
    assert queue.extend(held)
    clock.now += LEASE - 1
    amazon.answers("delete_message", {}, QueueUrl=f"{ADDRESS}/standard", ReceiptHandle=RECEIPT)
    assert queue.acknowledge(held)


@pytest.mark.parametrize(
    ("delay", "seconds"), [(-3, 0), (0, 0), (0.2, 1), (10.0, 10), (900, 900), (5000, 900)]
)
def test_a_message_that_only_waited_is_sent_anew_and_then_deleted(
    queue: SqsQueue, amazon: Amazon, delay: float, seconds: int
) -> None:
    held = message()
    amazon.knows("standard")
    amazon.answers(
        "send_message",
        {"MessageId": "x"},
        QueueUrl=f"{ADDRESS}/standard",
        MessageBody=held.task.body,
        MessageAttributes={"socorro-attempts": {"DataType": "Number", "StringValue": "2"}},
        DelaySeconds=seconds,
    )
    amazon.answers("delete_message", {}, QueueUrl=f"{ADDRESS}/standard", ReceiptHandle=RECEIPT)
    assert queue.release(held, delay=delay)


@pytest.mark.parametrize(("delay", "seconds"), [(0, 0), (0.2, 1), (20.0, 20), (90_000, 39_600)])
def test_a_message_that_was_tried_is_hidden(
    queue: SqsQueue, amazon: Amazon, delay: float, seconds: int
) -> None:
    amazon.knows("standard")
    amazon.answers(
        "change_message_visibility",
        {},
        QueueUrl=f"{ADDRESS}/standard",
        ReceiptHandle=RECEIPT,
        VisibilityTimeout=seconds,
    )
    assert queue.release(message(), delay=delay, attempted=True)


def test_a_message_that_could_not_be_sent_anew_is_not_deleted(
    queue: SqsQueue, amazon: Amazon
) -> None:
    amazon.knows("standard")
    amazon.refuses("send_message", "InternalError")
    with pytest.raises(QueueUnavailable, match="InternalError"):
        queue.release(message())


def test_a_dead_letter_that_could_not_be_sent_stays_in_its_queue(
    queue: SqsQueue, amazon: Amazon
) -> None:
    amazon.knows("standard")
    amazon.answers("get_queue_attributes", {})
    amazon.knows("standard-dead")
    amazon.refuses("send_message", "AccessDenied")
    with pytest.raises(QueueUnavailable, match="may not do SendMessage"):
        queue.bury(message(), "reason")


def test_who_may_not_ask_for_attributes_passes_the_check(queue: SqsQueue, amazon: Amazon) -> None:
    for name in QueueName:
        amazon.knows(name)
        amazon.refuses("get_queue_attributes", "AccessDenied")
    queue.verify()


def test_who_may_not_ask_for_attributes_is_told_so_for_the_depth(
    queue: SqsQueue, amazon: Amazon
) -> None:
    amazon.knows("priority")
    amazon.refuses("get_queue_attributes", "AccessDenied")
    with pytest.raises(QueueUnavailable) as caught:
        queue.depth()
    assert str(caught.value) == (
        "crash queue sqs://crashes (in eu-west-1): these credentials may not do GetQueueAttributes "
        "(AccessDenied)"
    )


def test_who_may_not_ask_for_attributes_uses_our_own_dead_letters(
    queue: SqsQueue, amazon: Amazon
) -> None:
    amazon.knows("standard")
    amazon.refuses("get_queue_attributes", "AccessDenied")
    amazon.knows("standard-dead")
    amazon.answers(
        "send_message",
        {"MessageId": "x"},
        QueueUrl=f"{ADDRESS}/standard-dead",
        MessageBody=ANY,
        MessageAttributes=ANY,
        DelaySeconds=0,
    )
    amazon.answers("delete_message", {}, QueueUrl=f"{ADDRESS}/standard", ReceiptHandle=RECEIPT)
    assert queue.bury(message(), "reason")


@pytest.mark.parametrize("code", [NO_QUEUE, "QueueDoesNotExist", "AccessDenied"])
def test_who_may_use_three_queues_alone_deletes_dead_letters(
    queue: SqsQueue, amazon: Amazon, code: str
) -> None:
    amazon.knows("standard")
    amazon.answers("get_queue_attributes", {"Attributes": {"RedrivePolicy": "{}"}})
    amazon.refuses("get_queue_url", code)
    amazon.answers("delete_message", {}, QueueUrl=f"{ADDRESS}/standard", ReceiptHandle=RECEIPT)
    assert queue.bury(message(), "reason")


@pytest.mark.parametrize("policy", ["", "no JSON", "[]", '{"deadLetterTargetArn": 3}'])
def test_a_strange_redrive_policy_is_none(queue: SqsQueue, amazon: Amazon, policy: str) -> None:
    amazon.knows("standard")
    amazon.answers("get_queue_attributes", {"Attributes": {"RedrivePolicy": policy}})
    amazon.refuses("get_queue_url", NO_QUEUE)
    amazon.answers("delete_message", {}, QueueUrl=f"{ADDRESS}/standard", ReceiptHandle=RECEIPT)
    assert queue.bury(message(), "reason")


def test_a_message_that_cannot_be_removed_stops_nobody(
    queue: SqsQueue, amazon: Amazon, caplog: pytest.LogCaptureFixture
) -> None:
    amazon.knows("standard")
    letter = {"Body": "test", "ReceiptHandle": RECEIPT}
    other = {"Body": new_id(), "ReceiptHandle": RECEIPT + "2"}
    amazon.answers("receive_message", {"Messages": [letter, other]})
    amazon.refuses("delete_message", "InternalError")
    (taken,) = queue.receive(2, wait=0, queues=[QueueName.STANDARD])
    assert taken.task.crash_id == other["Body"]
    assert "it comes back, it could not be removed" in caplog.text


def test_queues_are_made_to_keep_messages_as_long_as_sqs_can(
    queue: SqsQueue, amazon: Amazon
) -> None:
    attributes = {"MessageRetentionPeriod": "1209600", "ReceiveMessageWaitTimeSeconds": "20"}
    for name in QueueName:
        amazon.refuses("get_queue_url", NO_QUEUE)
        # What was made a moment ago may not be known yet: it is not asked about.
        made(amazon, name, attributes)
        amazon.refuses("get_queue_url", NO_QUEUE)
        made(amazon, f"{name}-dead", attributes)
    queue.provision()


def made(amazon: Amazon, name: str, attributes: dict[str, str]) -> None:
    amazon.answers(
        "create_queue",
        {"QueueUrl": f"{ADDRESS}/{name}"},
        QueueName=f"crashes-{name}",
        Attributes=attributes,
    )


def test_without_a_region_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(QueueUnavailable, match="no region is set"):
        open_queue("sqs://crashes", lease_seconds=1).verify()
