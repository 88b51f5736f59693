# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A lease in the database: one holder at a time, and free again by itself when that one dies."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import Error, close_old_connections, connection
from django.db.models import Q
from django.db.models.functions import Now

from cron.models import Lease
from webapp.database import reason_of

logger = logging.getLogger(__name__)

DURATION = timedelta(seconds=30)
# Three renewals may fail in a row, for example on a locked database, before the lease is lost.
_RENEW_EVERY = DURATION.total_seconds() / 4
# How long the end of the work waits for a renewal that is under way.
_JOIN_SECONDS = 10.0

# A time, or the database's expression for its own.
Moment = datetime | Now
Clock = Callable[[], Moment]


def utc_now() -> datetime:
    """Return the time of this machine, aware."""
    return datetime.now(UTC)


def database_now() -> Moment:
    """Return the time that all who may hold a lease agree on.

    PostgreSQL is shared by machines whose clocks may differ by more than a lease lasts, so there
    it is the database's. SQLite is used by one machine, and has its clock.
    """
    return Now() if connection.vendor == "postgresql" else utc_now()


class Holding:
    """A lease that is held, until it is lost."""

    def __init__(self, asked: float) -> None:
        self._lost = threading.Event()
        self._end = 0.0
        self.extend(asked)

    @property
    def lost(self) -> bool:
        """Whether somebody else may have the lease by now; once true, it stays so.

        By this process's own monotonic clock, so that nothing has to answer for it.
        """
        if time.monotonic() >= self._end:
            self._lost.set()
        return self._lost.is_set()

    def extend(self, asked: float) -> None:
        """Note a renewal that was asked for at the monotonic time `asked`."""
        self._end = asked + DURATION.total_seconds()

    def lose(self) -> None:
        """Note that another has the lease."""
        self._lost.set()


def acquire(name: str, holder: str, now: Moment) -> bool:
    """Take the lease, or renew it; False while another holder has it.

    One conditional update decides, so that of several processes one gets it.
    """
    Lease.objects.get_or_create(name=name, defaults={"expires": now})
    # An expiry far ahead was written before the clock was set back: nobody would wait that out.
    free = Q(holder="") | Q(expires__lte=now) | Q(expires__gt=now + 2 * DURATION)
    takeable = Lease.objects.filter(free | Q(holder=holder), name=name)
    return takeable.update(holder=holder, expires=now + DURATION) == 1


def renew(name: str, holder: str, now: Moment) -> bool:
    """Extend the lease from now on; False if it was lost."""
    held = Lease.objects.filter(name=name, holder=holder)
    return held.update(expires=now + DURATION) == 1


def release(name: str, holder: str) -> None:
    """Give the lease back; nothing happens if another holder has it by now."""
    Lease.objects.filter(name=name, holder=holder).update(holder="")


@contextmanager
def held(name: str, holder: str, clock: Clock = database_now) -> Iterator[Holding | None]:
    """Hold the lease within the block, renewing it in the background.

    Yields None when another holder has it. If the lease gets lost, somebody else may do the same
    work, so that the block has to end.
    """
    asked = time.monotonic()
    if not acquire(name, holder, clock()):
        yield None
        return
    holding, done = Holding(asked), threading.Event()
    renewal = threading.Thread(
        target=_keep, args=(name, holder, clock, holding, done), name="lease", daemon=True
    )
    renewal.start()
    try:
        yield holding
    finally:
        done.set()
        renewal.join(_JOIN_SECONDS)
        _give_back(name, holder)


def _keep(name: str, holder: str, clock: Clock, holding: Holding, done: threading.Event) -> None:
    """Renew until `done`, or until the lease is lost."""
    try:
        while not done.wait(_RENEW_EVERY) and not holding.lost:
            _renew_or_lose(name, holder, clock, holding)
    finally:
        # Django's connections belong to threads; nobody else would close this one.
        connection.close()
    if holding.lost:
        logger.error("the lease %s was lost; the work under it ends", name)


def _renew_or_lose(name: str, holder: str, clock: Clock, holding: Holding) -> None:
    # A connection that broke is replaced.
    close_old_connections()
    asked = time.monotonic()
    try:
        if renew(name, holder, clock()):
            holding.extend(asked)
        else:
            holding.lose()
    except Error as error:
        logger.warning("the lease %s could not be renewed: %s", name, reason_of(error))


def _give_back(name: str, holder: str) -> None:
    # The work may have broken the connection of this thread.
    close_old_connections()
    try:
        release(name, holder)
    except Error as error:
        logger.warning(
            "the lease %s could not be given back and runs out: %s", name, reason_of(error)
        )
