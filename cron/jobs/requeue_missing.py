# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The jobs that look through days of raw crashes for missing ones.

Raw storage is the truth, and the only place that can be listed, so that is what is walked. At
millions of crashes a day the walk itself is cheap; asking about each crash is not. Crashes are
therefore looked at in groups (those of a day whose ids start with the same three digits), and
`RecentDays` remembers the groups all of whose crashes were settled: as long as the same ids are
in it, such a group costs nothing but its listing.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from cron.job import JobRun
from cron.jobs.missing import Finder, Stores
from socorro.queue import open_queue
from socorro.search import open_index
from socorro.settings import Settings
from socorro.storage import CrashStorage, open_storage

logger = logging.getLogger(__name__)

_BATCH = 500
_GROUP_DIGITS = 3
_PROGRESS_SECONDS = 15.0
_MOST_DAYS = 400


@dataclass(frozen=True)
class Group:
    """The crashes of a day whose ids start alike."""

    day: date
    prefix: str
    crash_ids: tuple[str, ...]


class Memory:
    """Knows the groups of crashes that need no second look; some 100 bytes for each."""

    def __init__(self) -> None:
        self._settled: dict[tuple[date, str], int] = {}

    def knows(self, group: Group) -> bool:
        """Say whether exactly these crashes were settled before."""
        return self._settled.get((group.day, group.prefix)) == hash(group.crash_ids)

    def add(self, group: Group) -> None:
        """Remember a group all of whose crashes are settled."""
        self._settled[group.day, group.prefix] = hash(group.crash_ids)

    def keep_only(self, days: Collection[date]) -> None:
        """Forget the groups of other days."""
        self._settled = {key: value for key, value in self._settled.items() if key[0] in days}


class RecentDays:
    """The job that looks at the last REQUEUE_DAYS days; it remembers what is settled."""

    def __init__(self) -> None:
        self._memory = Memory()

    def __call__(self, run: JobRun) -> None:
        """Queue or index what is missing."""
        days = _days(run, run.settings.requeue_days)
        self._memory.keep_only(days)
        with _stores(run.settings) as stores:
            _look_through(run, stores, days, self._memory, trust_index=True)


def sweep_days(run: JobRun) -> None:
    """Look at the last REQUEUE_SWEEP_DAYS days, or all since the last sweep if those are more."""
    number = run.settings.requeue_sweep_days
    if run.last_success is not None:
        number = max(number, min((run.now - run.last_success).days + 2, _MOST_DAYS))
    with _stores(run.settings) as stores:
        _look_through(run, stores, _days(run, number), Memory(), trust_index=False)


def _days(run: JobRun, number: int) -> list[date]:
    """Return the latest `number` days and tomorrow, which a collector's clock may be in."""
    tomorrow = run.now.date() + timedelta(days=1)
    return [tomorrow - timedelta(days=back) for back in range(number + 1)]


def _look_through(
    run: JobRun, stores: Stores, days: Iterable[date], memory: Memory, *, trust_index: bool
) -> None:
    finder = Finder(
        stores,
        now=run.now,
        grace=timedelta(seconds=run.settings.requeue_after),
        trust_index=trust_index,
    )
    seen = queued = indexed = 0
    report = _every(_PROGRESS_SECONDS)
    for batch in _batches(_unsettled(run, stores.raw, days, memory)):
        findings = finder.mend(crash_id for group in batch for crash_id in group.crash_ids)
        for group in batch:
            if findings.unsettled.isdisjoint(group.crash_ids):
                memory.add(group)
        seen += sum(len(group.crash_ids) for group in batch)
        queued += findings.queued
        indexed += findings.indexed
        if report():
            logger.info("looked at %d crashes so far, now at %s", seen, batch[-1].day)
    if queued or indexed:
        logger.warning(
            "of %d crashes looked at, %d were missing and are queued again, %d were put into the "
            "search index",
            seen,
            queued,
            indexed,
        )


def _unsettled(
    run: JobRun, storage: CrashStorage, days: Iterable[date], memory: Memory
) -> Iterator[Group]:
    for group in _groups(storage, days):
        run.check()
        if not memory.knows(group):
            yield group


def _groups(storage: CrashStorage, days: Iterable[date]) -> Iterator[Group]:
    for day in days:
        crash_ids = storage.list_raw_crashes(day)
        for prefix, members in groupby(crash_ids, key=lambda name: name[:_GROUP_DIGITS]):
            yield Group(day, prefix, tuple(members))


def _batches(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Yield groups together that hold some 500 crashes: small ones are not worth a query each."""
    batch: list[Group] = []
    size = 0
    for group in groups:
        batch.append(group)
        size += len(group.crash_ids)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _every(seconds: float) -> Callable[[], bool]:
    """Return a function that says true once in a while."""
    last = time.monotonic()

    def is_time() -> bool:
        nonlocal last
        if time.monotonic() - last < seconds:
            return False
        last = time.monotonic()
        return True

    return is_time


@contextmanager
def _stores(settings: Settings) -> Iterator[Stores]:
    """Open the stores for one run."""
    queue = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
    try:
        index = open_index(settings.search)
        try:
            raw = open_storage(settings.crash_storage)
            yield Stores(raw, open_storage(settings.processed_storage_url), queue, index)
        finally:
            index.close()
    finally:
        queue.close()
