# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A crash that is stored and not yet processed: what its page does and says."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import Error

from socorro.crash_id import Throttle, throttle_of
from socorro.queue import QueueName, QueueUnavailable, Task
from webapp.crashstats import handles
from webapp.crashstats.models import PriorityRequest
from webapp.database import reason_of

logger = logging.getLogger(__name__)

# Seconds between looks: the sum is about ten minutes, after which the page stops by itself.
_PAUSES = (2, 3, 5, 8, 13, 20, 30, 30, 30, 30, 60, 60, 60, 60, 60, 60, 60)
_ASK_AGAIN_AFTER = timedelta(seconds=60)
_FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Waiting:
    """What a page about a waiting crash tells.

    `obstacle` is what kept the crash from being asked for, "queue" or "database", else empty.
    `next_look` is None when the page stops looking.
    """

    obstacle: str
    deferred: bool
    queued: int | None
    held_back: int
    looks: int
    next_look: int | None


def wait_for(crash_id: str, looks: int) -> Waiting:
    """Ask for a crash to be processed soon, and say what it waits for; this is look number
    `looks` at it, from 0."""
    obstacle = _ask(crash_id)
    queued, held_back = _depth()
    return Waiting(
        obstacle=obstacle,
        deferred=throttle_of(crash_id) == Throttle.DEFER,
        queued=queued,
        held_back=held_back,
        looks=looks + 1,
        next_look=_PAUSES[looks] if looks < len(_PAUSES) else None,
    )


def _ask(crash_id: str) -> str:
    """Publish to the priority queue unless that was done within a minute; return the obstacle."""
    try:
        if _is_due(crash_id, datetime.now(UTC)):
            _publish(crash_id)
    except Error as error:
        logger.warning("%s cannot be asked for: %s", crash_id, reason_of(error))
        return "database"
    except QueueUnavailable as error:
        logger.warning("%s cannot be asked for: %s", crash_id, error)
        return "queue"
    return ""


def _publish(crash_id: str) -> None:
    # No transaction around this, which may take a while: nobody is to wait for its locks.
    try:
        handles.queue().publish(QueueName.PRIORITY, [Task(crash_id)])
    except QueueUnavailable:
        # It is due again at once.
        PriorityRequest.objects.filter(crash_id=crash_id).delete()
        raise


def _is_due(crash_id: str, now: datetime) -> bool:
    """Say whether to publish, and note that it is done; of several who ask at once, one is told."""
    PriorityRequest.objects.filter(requested_at__lt=now - _FORGET_AFTER).delete()
    _, made = PriorityRequest.objects.get_or_create(
        crash_id=crash_id, defaults={"requested_at": now}
    )
    if made:
        return True
    old = PriorityRequest.objects.filter(
        crash_id=crash_id, requested_at__lte=now - _ASK_AGAIN_AFTER
    )
    return bool(old.update(requested_at=now))


def _depth() -> tuple[int | None, int]:
    """Return how many crashes wait or are worked on, and how many are held back for later."""
    try:
        depths = handles.queue().depth().values()
    except QueueUnavailable:
        return None, 0
    waiting = sum(depth.ready + depth.leased for depth in depths)
    return waiting, sum(depth.delayed for depth in depths)
