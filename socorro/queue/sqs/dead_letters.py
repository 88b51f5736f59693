# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Where messages go that cannot be processed."""

import json
import time

from socorro.queue.sqs.errors import NotAllowed
from socorro.queue.sqs.names import Names
from socorro.queue.sqs.service import Service

# An operator who makes the queue, or a policy, need not restart anything.
_KNOWN_SECONDS = 300.0


class DeadLetters:
    """Finds the dead-letter queue of each queue; safe in threads."""

    def __init__(self, service: Service, names: Names) -> None:
        self._service = service
        self._names = names
        self._known: dict[str, tuple[float, str | None]] = {}

    def of(self, queue: str) -> str | None:
        """Return the dead-letter queue of a queue, known for some minutes; None if it has none."""
        until, known = self._known.get(queue, (0.0, None))
        if until > time.monotonic():
            return known
        found = self.look_up(queue)
        self._known[queue] = (time.monotonic() + _KNOWN_SECONDS, found)
        return found

    def look_up(self, queue: str) -> str | None:
        """Ask where the dead letters of a queue go.

        It is the target of the redrive policy, by which SQS itself moves messages that were
        delivered too often, else the queue beside it that has our suffix.
        """
        for candidate in (self._target(queue), self._names.dead(queue)):
            if candidate and self._may_have(candidate):
                return candidate
        return None

    def _target(self, queue: str) -> str:
        try:
            return _name_in(self._service.redrive_policy(queue))
        except NotAllowed:
            return ""

    def _may_have(self, queue: str) -> bool:
        try:
            return self._service.exists(queue)
        except NotAllowed:
            return False


def _name_in(policy: str) -> str:
    """Return the name of the queue in a redrive policy, empty if it has none.

    The target is of the same account and region, as SQS demands.
    """
    try:
        parsed = json.loads(policy)
    except ValueError:
        return ""
    target = parsed.get("deadLetterTargetArn") if isinstance(parsed, dict) else None
    return target.rpartition(":")[2] if isinstance(target, str) else ""
