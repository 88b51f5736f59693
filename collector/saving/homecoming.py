# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Bringing reports home: from the fallback storage into the main one, then to the processors."""

import itertools
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from collector.saving.publisher import Publisher
from socorro.crash_id import Throttle, throttle_of
from socorro.logging import crash_context
from socorro.metrics import METRICS
from socorro.storage import (
    CrashNotFound,
    CrashReport,
    CrashStorage,
    StorageError,
    StorageUnavailable,
)

logger = logging.getLogger(__name__)

# Storages far away are waited for side by side.
_THREADS = 4
_BATCH = 64
_PROGRESS_SECONDS = 10.0
# Counting what waits stops here.
MAX_COUNTED = 10_000


@dataclass(frozen=True)
class Moved:
    """What a round did: how many reports it moved, and how many it had to leave, at least."""

    moved: int
    left: int


class _Left(Exception):
    """A report stays where it is for now."""


class Homecoming:
    """Moves reports home one by one, so that it can be killed at any step.

    A report is copied with its raw crash last, then published, and only then deleted in the
    fallback. Whoever comes next goes on from there: a report that is home already is not copied
    again, and one that is published twice is processed twice, to the same end.
    """

    def __init__(self, home: CrashStorage, away: CrashStorage, publisher: Publisher) -> None:
        self._home = home
        self._away = away
        self._publisher = publisher

    def waiting(self) -> int:
        """Return how many reports are in the fallback, at most `MAX_COUNTED`.

        Raises StorageUnavailable.
        """
        return sum(1 for _ in itertools.islice(self._ids(), MAX_COUNTED))

    def move_all(self, stopping: threading.Event) -> Moved:
        """Move what is there, until told to stop; a report that cannot be moved stays.

        Raises StorageUnavailable when one of the storages is down.
        """
        moved = left = 0
        told = time.monotonic()
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="crashmover") as threads:
            for batch in _batches(self._ids()):
                if moved + left == 0:
                    self._home.verify()
                results = list(threads.map(partial(self._try, stopping), batch))
                moved += sum(results)
                left += len(batch) - sum(results)
                if stopping.is_set():
                    break
                if left:
                    # Is it those reports, or is it the storage?
                    self._home.verify()
                if time.monotonic() - told >= _PROGRESS_SECONDS:
                    told = time.monotonic()
                    logger.info("moved home %d reports so far", moved)
        if moved:
            logger.info("moved home %d reports from the fallback storage", moved)
        return Moved(moved, left)

    def _ids(self) -> Iterator[str]:
        for day in self._away.list_days():
            yield from self._away.list_raw_crashes(day)

    def _try(self, stopping: threading.Event, crash_id: str) -> bool:
        """Move a report; say whether it is home and gone from the fallback."""
        if stopping.is_set():
            return False
        with crash_context(crash_id):
            try:
                self._move(crash_id)
            except _Left:
                return False
            except (StorageError, OSError, ValueError) as error:
                logger.error("stays in the fallback storage: %s", error)
                return False
        METRICS.incr("collector.crashmover.moved_home.count")
        return True

    def _move(self, crash_id: str) -> None:
        if self._home.has_raw_crash(crash_id):
            logger.info("is home already")
        else:
            self._copy(crash_id)
        deferred = throttle_of(crash_id) == Throttle.DEFER
        if not deferred and not self._publisher.publish(crash_id):
            raise _Left
        self._away.delete_crash(crash_id)

    def _copy(self, crash_id: str) -> None:
        spool = self._home.spool
        files: dict[str, Path] = {}
        raw_crash: Path | None = None
        try:
            names = self._away.load_dump_names(crash_id)
            for name in names:
                files[name] = _into(spool, self._away.fetch_dump(crash_id, name, spool))
            raw_crash = _into(spool, self._away.fetch_raw_crash(crash_id, spool))
            self._home.save_raw_crash(CrashReport(crash_id, raw_crash, files))
        except CrashNotFound as error:
            if not self._away.has_raw_crash(crash_id):
                # The mover of another machine was quicker.
                return
            raise StorageUnavailable(f"a part of it is missing: {error}") from error
        finally:
            _remove([*files.values(), *([] if raw_crash is None else [raw_crash])])


def _into(spool: Path, fetched: Path) -> Path:
    """Return a file in the spool, which the storage may take over."""
    if fetched.parent == spool:
        return fetched
    copy = spool / f"{uuid.uuid4().hex}.home"
    try:
        shutil.copyfile(fetched, copy)
    except OSError:
        _remove([copy])
        raise
    return copy


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        # What cannot be removed is swept later.
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _batches(ids: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(itertools.islice(ids, _BATCH)):
        yield batch
