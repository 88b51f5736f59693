# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A queue in SQS with what a test needs around it: a proxy that counts, and another client."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socorro.queue import CrashQueue, Task
from tests.contract.reports import new_id
from tests.servers import CountingProxy

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass
class Wire:
    """A queue whose requests pass through a proxy."""

    queue: CrashQueue
    proxy: CountingProxy

    def actions(self) -> list[str]:
        """Return what was asked since the last time, in order."""
        actions = [request.action for request in self.proxy.requests]
        self.proxy.clear()
        return actions


@dataclass
class Queues:
    """The queues of a prefix as others see them; names are without it."""

    client: "SQSClient"
    prefix: str

    def address(self, name: str) -> str:
        return self.client.get_queue_url(QueueName=f"{self.prefix}-{name}")["QueueUrl"]

    def names(self) -> list[str]:
        found = self.client.list_queues(QueueNamePrefix=self.prefix).get("QueueUrls", [])
        return sorted(
            address.rpartition("/")[2].removeprefix(f"{self.prefix}-") for address in found
        )

    def create(
        self, name: str, attributes: "Mapping[QueueAttributeNameType, str] | None" = None
    ) -> None:
        self.client.create_queue(QueueName=f"{self.prefix}-{name}", Attributes=attributes or {})

    def delete(self, name: str) -> None:
        self.client.delete_queue(QueueUrl=self.address(name))

    def attribute(self, name: str, attribute: "QueueAttributeNameType") -> str:
        found = self.client.get_queue_attributes(
            QueueUrl=self.address(name), AttributeNames=[attribute]
        )
        return found["Attributes"][attribute]

    def send(self, name: str, body: str, **attributes: tuple[str, str]) -> None:
        """Send a message; attributes are pairs of type and value, - is `_` in their names."""
        self.client.send_message(
            QueueUrl=self.address(name),
            MessageBody=body,
            MessageAttributes={
                key.replace("_", "-"): {"DataType": kind, "StringValue": value}
                for key, (kind, value) in attributes.items()
            },
        )

    def letters(self, name: str) -> "list[MessageTypeDef]":
        """Take up to 10 messages."""
        answer = self.client.receive_message(
            QueueUrl=self.address(name), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])


def tasks(count: int) -> list[Task]:
    """Return new tasks."""
    return [Task(new_id()) for _ in range(count)]


def values(letter: "MessageTypeDef") -> dict[str, str]:
    """Return the attributes of a message."""
    return {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
