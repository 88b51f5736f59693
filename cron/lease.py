# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A lease in the database: one holder at a time, and free again by itself when that one dies."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q

from cron.models import Lease

logger = logging.getLogger(__name__)

DURATION = timedelta(seconds=30)
# Three renewals may fail in a row, for example on a locked database, before the lease is lost.
_RENEW_EVERY = DURATION.total_seconds() / 4

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)


def acquire(name: str, holder: str, now: datetime) -> bool:
    """Take the lease, or renew it; False while another holder has it.

    One conditional update decides, so that of several processes one gets it.
    """
    Lease.objects.get_or_create(name=name, defaults={"expires": now})
    # An expiry far ahead was written before the clock was set back: nobody would wait that out.
    free = Q(holder="") | Q(expires__lte=now) | Q(expires__gt=now + 2 * DURATION)
    takeable = Lease.objects.filter(free | Q(holder=holder), name=name)
    return takeable.update(holder=holder, expires=now + DURATION) == 1


def renew(name: str, holder: str, now: datetime) -> bool:
    """Extend the lease from now on; False if it was lost."""
    held = Lease.objects.filter(name=name, holder=holder)
    return held.update(expires=now + DURATION) == 1


def release(name: str, holder: str) -> None:
    """Give the lease back; nothing happens if another holder has it by now."""
    Lease.objects.filter(name=name, holder=holder).update(holder="")


@contextmanager
def held(name: str, holder: str, clock: Clock = utc_now) -> Iterator[threading.Event | None]:
    """Hold the lease within the block, renewing it in the background.

    Yields None when another holder has it, else an event that is set if the lease gets lost:
    somebody else may then do the same work, so that the block has to end.
    """
    if not acquire(name, holder, clock()):
        yield None
        return
    lost, done = threading.Event(), threading.Event()
    renewal = threading.Thread(
        target=_keep, args=(name, holder, clock, lost, done), name="lease", daemon=True
    )
    renewal.start()
    try:
        yield lost
    finally:
        done.set()
        renewal.join()
        release(name, holder)


def _keep(
    name: str, holder: str, clock: Clock, lost: threading.Event, done: threading.Event
) -> None:
    """Renew until `done`; set `lost` when another has the lease or ours ran out."""
    expires = clock() + DURATION
    try:
        while not done.wait(_RENEW_EVERY) and not lost.is_set():
            now = clock()
            try:
                if not renew(name, holder, now):
                    lost.set()
                expires = now + DURATION
            except DatabaseError as error:
                logger.warning("the lease %s could not be renewed: %s", name, error)
                if now >= expires:
                    lost.set()
    finally:
        # Django's connections belong to threads; nobody else would close this one.
        connection.close()
    if lost.is_set():
        logger.error("the lease %s was lost; the work under it ends", name)
