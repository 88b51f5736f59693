# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Errors of the client library as `QueueUnavailable` with a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from socorro.aws import AwsUrl, error_code, explain, is_misconfigured
from socorro.queue.base import QueueMisconfigured, QueueUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_NO_SUCH_QUEUE = frozenset({"NonExistentQueue", "QueueDoesNotExist"})
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException"})
_LOST_LEASE = frozenset({"MessageNotInflight", "ReceiptHandleIsInvalid"})


class NoSuchQueue(QueueMisconfigured):
    """A queue does not exist, or is hidden from these credentials."""


class NotAllowed(QueueMisconfigured):
    """These credentials may not do that."""


def label(url: AwsUrl) -> str:
    """Return what every error begins with."""
    return f"crash queue sqs://{url.name} ({url.place})"


@contextmanager
def explained(url: AwsUrl, queue: str = "") -> Iterator[None]:
    """Turn what goes wrong within the block, which asks for `queue`, into QueueUnavailable."""
    # Slow to import, and not needed by those who keep everything on one machine.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refusal(error, url, queue) from error
    except BotoCoreError as error:
        raise _kind(error)(f"{label(url)}: {explain(error, url)}") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # What we send is checked: this comes from an answer of another shape, be it in the parser.
        raise QueueUnavailable(f"{label(url)}: it does not answer as SQS does") from error


def is_lost_lease(error: "ClientError") -> bool:
    """Whether SQS says that a receipt is not, or no longer, that of a message in work.

    It has several codes for that; InvalidParameterValue is also one of parameters that are wrong.
    """
    code = _code(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    return code in _LOST_LEASE or (code == "InvalidParameterValue" and "ReceiptHandle" in message)


def _refusal(error: "ClientError", url: AwsUrl, queue: str) -> QueueUnavailable:
    if _code(error) in _NO_SUCH_QUEUE:
        return NoSuchQueue(
            f"{label(url)}: there is no queue {queue}; make it, for example with socorro provision"
        )
    kind = NotAllowed if _code(error) in _DENIED else _kind(error)
    return kind(f"{label(url)}: {explain(error, url)}")


def _kind(error: "BotoCoreError | ClientError") -> type[QueueUnavailable]:
    return QueueMisconfigured if is_misconfigured(error) else QueueUnavailable


def _code(error: "ClientError") -> str:
    """Return the code without the name of the service that some of them begin with."""
    return error_code(error).rpartition(".")[2]
