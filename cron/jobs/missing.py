# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Finds crashes that got lost between raw storage, queue, processed storage and index."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cron.models import MissingCrash
from socorro.crash_id import Throttle, is_crash_id, throttle_of
from socorro.fields import search_document
from socorro.logging import crash_context
from socorro.metrics import METRICS
from socorro.queue import CrashQueue, QueueName, QueueUnavailable, Task
from socorro.search import SearchIndex
from socorro.storage import CrashNotFound, CrashStorage, StorageError, StorageUnavailable

logger = logging.getLogger(__name__)

_LONGEST_WAIT = timedelta(days=1)
_BACKLOG_PATIENCE = timedelta(hours=1)
# A report from further ahead than this says nothing about its age.
_CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Stores:
    """The places where a crash can be."""

    raw: CrashStorage
    processed: CrashStorage
    queue: CrashQueue
    index: SearchIndex


@dataclass(frozen=True)
class Findings:
    """What came of looking at some crashes.

    `unsettled` are the ids that were not yet where all crashes end, in the index; `queued` and
    `indexed` count what was done about them.
    """

    unsettled: frozenset[str]
    queued: int
    indexed: int


class Finder:
    """Looks at batches of crash ids and mends what is missing.

    A crash passes raw storage, queue, processed storage, index, and only then leaves the queue.
    Looking into the queue first and into processed storage second can therefore not miss a crash
    that is being finished meanwhile: if it has left the queue, it is processed.

    `trust_index` takes an indexed crash for processed without looking, which spares most of the
    work. `grace` is the age below which a raw crash may still be on its way into the queue.
    """

    def __init__(
        self, stores: Stores, *, now: datetime, grace: timedelta, trust_index: bool
    ) -> None:
        self._stores = stores
        self._now = now
        self._grace = grace
        self._trust_index = trust_index

    def mend(self, crash_ids: Iterable[str]) -> Findings:
        """Queue or index those of the ids that need it."""
        open_ids = [crash_id for crash_id in crash_ids if _is_ours(crash_id)]
        if self._trust_index:
            open_ids = _without(open_ids, self._stores.index.containing(open_ids))
        unsettled = frozenset(open_ids)
        open_ids = _without(open_ids, self._stores.queue.holding(open_ids))
        processed = {
            crash_id
            for crash_id in open_ids
            if self._stores.processed.has_processed_crash(crash_id)
        }
        indexed, unreadable = self._index(processed)
        missing = [*_without(open_ids, processed), *unreadable]
        return Findings(unsettled, self._queue(missing), indexed)

    def _index(self, crash_ids: Collection[str]) -> tuple[int, list[str]]:
        """Index processed crashes that are not; return their number, and what cannot be read."""
        indexed, unreadable = 0, []
        for crash_id in sorted(set(crash_ids) - self._stores.index.containing(crash_ids)):
            with crash_context(crash_id):
                try:
                    self._put(crash_id)
                except CrashNotFound:
                    continue
                except StorageUnavailable:
                    raise
                except StorageError as error:
                    logger.warning("the processed crash is broken and is made anew: %s", error)
                    unreadable.append(crash_id)
                    continue
                logger.info("put a processed crash into the search index, which lacked it")
            METRICS.incr("cron.requeue_missing.indexed")
            indexed += 1
        return indexed, unreadable

    def _put(self, crash_id: str) -> None:
        """Index a processed crash, and again if a processor replaced it meanwhile.

        A processor saves before it indexes. If its document got into the index before our older
        one, then its processed crash is in storage by now, and differs.
        """
        processed = self._stores.processed.load_processed_crash(crash_id)
        while True:
            self._stores.index.put(search_document(processed))
            again = self._stores.processed.load_processed_crash(crash_id)
            if again == processed:
                return
            processed = again

    def _queue(self, missing: Sequence[str]) -> int:
        """Queue those of the missing crashes that are due; return their number."""
        if not missing:
            return 0
        found = MissingCrash.objects.filter(crash_id__in=missing)
        known = {row.crash_id: row for row in found}
        patience = self._patience()
        rows = [known.get(crash_id) or self._first_seen(crash_id) for crash_id in missing]
        due = [row for row in rows if row is not None and self._is_due(row, patience)]
        # Reading raw crashes took a while; who was late to queue one may have done so by now.
        late = self._stores.queue.holding([row.crash_id for row in due])
        due = [row for row in due if row.crash_id not in late]
        if due:
            self._stores.queue.publish(QueueName.STANDARD, [Task(row.crash_id) for row in due])
        for row in due:
            row.queued = self._now
            row.times_queued += 1
            row.save()
            with crash_context(row.crash_id):
                logger.info("queued a missing crash again, for the %d. time", row.times_queued)
            METRICS.incr("cron.requeue_missing.queued")
        return len(due)

    def _first_seen(self, crash_id: str) -> MissingCrash | None:
        """Return a new row for a crash that is missing; None if it is too young or gone.

        Its age is told by the time that the collector wrote into it. Where that is no time, the
        row is kept, so that the age counts from now.
        """
        try:
            raw = self._stores.raw.load_raw_crash(crash_id)
        except CrashNotFound:
            return None
        except StorageUnavailable:
            raise
        except StorageError:
            raw = {}
        arrived = _time_of(raw.get("submitted_timestamp"))
        if arrived is None or arrived > self._now + _CLOCK_SKEW:
            row, _ = MissingCrash.objects.get_or_create(
                crash_id=crash_id, defaults={"found": self._now}
            )
            return row
        row = MissingCrash(crash_id=crash_id, found=arrived)
        return row if self._is_due(row, self._grace) else None

    def _patience(self) -> timedelta:
        """Return how long a crash may be neither processed nor known to wait in the queue.

        A queue that cannot be looked into may hold it behind others: queueing it again would make
        a backlog longer.
        """
        queue = self._stores.queue
        if not queue.opaque:
            return self._grace
        try:
            backlog = any(depth.ready for depth in queue.depth().values())
        except QueueUnavailable as error:
            # Some may publish and receive, but not ask for the depth.
            logger.info("the backlog is not known: %s", error)
            backlog = True
        return max(self._grace, _BACKLOG_PATIENCE) if backlog else self._grace

    def _is_due(self, row: MissingCrash, patience: timedelta) -> bool:
        """Say whether a crash waited long enough; twice as long after each time."""
        wait = patience * (1 << min(row.times_queued, 20))
        if row.times_queued:
            wait = min(wait, max(_LONGEST_WAIT, patience))
        since = row.queued or row.found
        return since + wait <= self._now


def _is_ours(crash_id: str) -> bool:
    """Say whether it is an id, and not one of a deferred crash, which waits for its release."""
    return is_crash_id(crash_id) and throttle_of(crash_id) != Throttle.DEFER


def _without(crash_ids: Sequence[str], settled: Collection[str]) -> list[str]:
    return [crash_id for crash_id in crash_ids if crash_id not in settled]


def _time_of(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
