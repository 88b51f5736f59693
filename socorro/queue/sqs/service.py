# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The requests to SQS, one method each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from socorro.aws import AwsUrl, make_client
from socorro.queue.sqs.errors import NoSuchQueue, explained, is_lost_lease
from socorro.queue.sqs.letters import ATTEMPTS, Attributes, Letter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

# The collector publishes while its client waits, after the report is safe. A queue that hangs costs
# it two attempts of 5 s and a pause of up to 1 s between them.
_CONNECT_SECONDS = 2
# More than the longest poll.
_READ_SECONDS = 5
_ATTEMPTS = 2
# About as many as the threads of a collector's worker; they are made when they are needed.
_CONNECTIONS = 128
_COUNTS: "Sequence[QueueAttributeNameType]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Service:
    """A client of one process and the addresses of its queues; safe in threads.

    All methods raise QueueUnavailable, and NoSuchQueue or NotAllowed where that is why.
    """

    def __init__(self, url: AwsUrl) -> None:
        self._url = url
        self._addresses: dict[str, str] = {}
        with explained(url):
            self._client: SQSClient = make_client(
                "sqs",
                url,
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=_CONNECTIONS,
            )

    def look_up(self, queue: str) -> str:
        """Ask for the address of a queue, known or not."""
        with self._forgotten_if_gone(queue), explained(self._url, queue):
            address = self._client.get_queue_url(QueueName=queue)["QueueUrl"]
        self._addresses[queue] = address
        return address

    def exists(self, queue: str) -> bool:
        """Ask whether there is a queue."""
        try:
            self.look_up(queue)
        except NoSuchQueue:
            return False
        return True

    def create(self, queue: str, attributes: "Mapping[QueueAttributeNameType, str]") -> None:
        """Make a queue."""
        with explained(self._url, queue):
            self._client.create_queue(QueueName=queue, Attributes=attributes)

    def redrive_policy(self, queue: str) -> str:
        """Return the redrive policy of a queue, which is JSON; empty if it has none."""
        with self._address(queue) as address:
            answer = self._client.get_queue_attributes(
                QueueUrl=address, AttributeNames=["RedrivePolicy"]
            )
            return answer.get("Attributes", {}).get("RedrivePolicy", "")

    def counts(self, queue: str) -> tuple[int, int, int]:
        """Return about how many messages are ready, in work and delayed."""
        with self._address(queue) as address:
            answer = self._client.get_queue_attributes(QueueUrl=address, AttributeNames=_COUNTS)
            ready, leased, delayed = (int(answer["Attributes"][name]) for name in _COUNTS)
        return ready, leased, delayed

    def send(self, queue: str, body: str, attributes: Attributes, *, delay: int = 0) -> None:
        """Send a message that is delivered after `delay` seconds."""
        with self._address(queue) as address:
            sent = self._client.send_message(
                QueueUrl=address,
                MessageBody=body,
                MessageAttributes=attributes,
                DelaySeconds=delay,
            )
            # Nothing may be deleted for an answer that is none.
            _ = sent["MessageId"]

    def send_batch(self, queue: str, bodies: Sequence[str]) -> dict[int, str]:
        """Send up to 10 messages; return the error codes of those not taken, by position."""
        with self._address(queue) as address:
            answer = self._client.send_message_batch(
                QueueUrl=address,
                Entries=[
                    {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
                ],
            )
            taken = {entry["Id"] for entry in answer.get("Successful", [])}
            codes = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
        return {
            number: codes.get(str(number), "no answer")
            for number in range(len(bodies))
            if str(number) not in taken
        }

    def receive(self, queue: str, limit: int, *, wait: int, lease: int) -> list[Letter]:
        """Take up to `limit` (1 to 10) messages, waiting up to `wait` whole seconds for one."""
        with self._address(queue) as address:
            answer = self._client.receive_message(
                QueueUrl=address,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait,
                VisibilityTimeout=lease,
                # The name by which older servers know it, too.
                AttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=[ATTEMPTS],
            )
            return [Letter.of(raw) for raw in answer.get("Messages", [])]

    def hide(self, queue: str, receipt: str, seconds: int) -> bool:
        """Let a message in work stay hidden for so long from now on; False if it is not ours."""
        return self._settle(
            queue,
            lambda address: self._client.change_message_visibility(
                QueueUrl=address, ReceiptHandle=receipt, VisibilityTimeout=seconds
            ),
        )

    def delete(self, queue: str, receipt: str) -> bool:
        """Delete a message in work; False if SQS says that it is not ours."""
        return self._settle(
            queue,
            lambda address: self._client.delete_message(QueueUrl=address, ReceiptHandle=receipt),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _settle(self, queue: str, request: Callable[[str], object]) -> bool:
        # Slow to import, and not needed to check a URL.
        from botocore.exceptions import ClientError

        with self._address(queue) as address:
            try:
                request(address)
            except ClientError as error:
                if is_lost_lease(error):
                    return False
                raise
        return True

    @contextmanager
    def _address(self, queue: str) -> Iterator[str]:
        """Lend the address of a queue; the errors within are those of a request for it."""
        address = self._addresses.get(queue) or self.look_up(queue)
        with self._forgotten_if_gone(queue), explained(self._url, queue):
            yield address

    @contextmanager
    def _forgotten_if_gone(self, queue: str) -> Iterator[None]:
        try:
            yield
        except NoSuchQueue:
            # It may be made anew, and elsewhere.
            self._addresses.pop(queue, None)
            raise
