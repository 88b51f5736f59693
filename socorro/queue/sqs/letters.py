# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What stands in messages: bodies, and our own attributes beside them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

Attributes = Mapping[str, "MessageAttributeValueTypeDef"]

# The collectors of existing deployments write it when they start; it asks for nothing.
TEST_BODY = "test"
ATTEMPTS = "socorro-attempts"
_REASON = "socorro-reason"
_QUEUE = "socorro-queue"
# Another name: an operator who sends a dead letter back wants it to be tried anew.
_DEAD_AFTER = "socorro-dead-after"
_REASON_LENGTH = 256
_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Letter:
    """A message of SQS that was taken from a queue, whatever its body is.

    SQS counts the deliveries of each message, and one that was sent anew begins at 1 again: the
    attempts before that stand in an attribute, which other publishers do not write. `attempts` is
    the sum, this delivery included.
    """

    body: str
    receipt: str
    attempts: int

    @classmethod
    def of(cls, raw: "MessageTypeDef") -> "Letter":
        """Return what an answer holds. Raises LookupError and others if it is not SQS's."""
        deliveries = raw.get("Attributes", {}).get("ApproximateReceiveCount", "")
        noted = raw.get("MessageAttributes", {}).get(ATTEMPTS)
        before = noted.get("StringValue", "") if noted else ""
        return cls(
            body=raw["Body"],
            receipt=raw["ReceiptHandle"],
            attempts=max(1, _count(deliveries)) + _count(before),
        )


def attempts_before(attempts: int) -> Attributes:
    """Return the attributes of a message that is sent anew."""
    return {ATTEMPTS: _number(attempts)} if attempts else {}


def obituary(reason: str, queue: str, attempts: int) -> Attributes:
    """Return the attributes of a dead letter; `queue` is where it was taken from."""
    printable = "".join(one if one.isprintable() else " " for one in reason[:_REASON_LENGTH])
    return {
        _REASON: _text(printable.strip() or "none"),
        _QUEUE: _text(queue),
        _DEAD_AFTER: _number(attempts),
    }


def _count(text: str) -> int:
    return int(text) if _COUNT.fullmatch(text) else 0


def _number(value: int) -> "MessageAttributeValueTypeDef":
    return {"DataType": "Number", "StringValue": str(value)}


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}
