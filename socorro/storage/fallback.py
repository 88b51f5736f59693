# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Two storages for the reports that come in: the main one, and another for when it fails."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from socorro.breaker import Breaker
from socorro.metrics import METRICS
from socorro.storage.base import SAVE_SECONDS, CrashReport, CrashStorage, StorageUnavailable
from socorro.storage.filesystem import FilesystemStorage

logger = logging.getLogger(__name__)

# A save that takes so long hangs in the operating system, which nothing can end.
HANG_SECONDS = SAVE_SECONDS + 5


@dataclass(frozen=True, eq=False)
class _Store:
    """A storage, what is known of it, and when the saves that are in progress began."""

    storage: CrashStorage
    breaker: Breaker
    is_main: bool
    saves: dict[object, float] = field(default_factory=dict)

    @property
    def trusted(self) -> bool:
        """Whether reports should go there first."""
        latest = time.monotonic() - HANG_SECONDS
        for save, began in list(self.saves.items()):
            # Told once: the check that follows says whether it was this save alone.
            if began < latest and self.saves.pop(save, None) is not None:
                logger.warning("a report has been on its way for %g s", HANG_SECONDS)
                self.breaker.failed()
        return self.breaker.trusted

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Note that a save is in progress."""
        save = object()
        self.saves[save] = time.monotonic()
        try:
            yield
        finally:
            self.saves.pop(save, None)


class StorageWithFallback:
    """Keeps reports in the main storage, or else in the fallback.

    A storage that failed is tried again when a check in the background says that it works, or when
    the other one fails as well.
    """

    def __init__(self, main: CrashStorage, fallback: CrashStorage | None = None) -> None:
        """Raises ValueError if both are the same place."""
        if fallback is not None and same_place(main, fallback):
            raise ValueError("must be another place than that of the reports themselves")
        self.main = main
        self.fallback = fallback
        self._stores = [_store(main, "the crash storage", is_main=True)]
        if fallback is not None:
            self._stores.append(_store(fallback, "the fallback storage", is_main=False))

    @property
    def spools(self) -> list[Path]:
        """Folders for the files of a report that comes in, the best one first.

        Raises StorageUnavailable if there is none.
        """
        folders: list[Path] = []
        error: StorageUnavailable | None = None
        for store in self._in_order():
            if folders and not store.breaker.trusted:
                # A folder of a disk that hangs must not even be looked at.
                continue
            try:
                folders.append(store.storage.spool)
            except StorageUnavailable as unavailable:
                store.breaker.failed()
                error = unavailable
        if not folders:
            raise error or StorageUnavailable("crash storage: there is no spool")
        return folders

    def check(self) -> None:
        """Raise StorageUnavailable while all storages are known to be down."""
        if all(store.breaker.broken for store in self._stores):
            raise StorageUnavailable("crash storage: it is down since a while")

    def save(self, report: CrashReport, *, may_exist: bool) -> bool:
        """Store a report durably; return whether it is in the main storage.

        With `may_exist` a report that is stored already, in whichever storage can be asked, is left
        as it is. Raises StorageUnavailable if no storage takes it.
        """
        if may_exist and (store := self._holder(report.crash_id)) is not None:
            logger.info("is stored already and was left as it is")
            return store.is_main
        failure: StorageUnavailable | None = None
        for store in self._in_order():
            try:
                self._save(store, report, may_exist=may_exist)
            except StorageUnavailable as error:
                _note(store, error)
                failure = error
            else:
                return store.is_main
        raise failure or StorageUnavailable("crash storage: there is none")

    def close(self) -> None:
        """End the checks in the background."""
        for store in self._stores:
            store.breaker.close()

    def _in_order(self) -> list[_Store]:
        """Return the storages in the order in which they are tried; those that failed come last."""
        return sorted(self._stores, key=lambda store: not store.trusted)

    def _holder(self, crash_id: str) -> _Store | None:
        """Return the storage that has a report, of those that can be asked."""
        for store in self._stores:
            if len(self._stores) > 1 and not store.breaker.trusted:
                continue
            try:
                if store.storage.has_raw_crash(crash_id):
                    return store
            except StorageUnavailable as error:
                _note(store, error)
        return None

    def _save(self, store: _Store, report: CrashReport, *, may_exist: bool) -> None:
        # It may be that the storage could not be asked before.
        if may_exist and store.storage.has_raw_crash(report.crash_id):
            logger.info("is stored already and was left as it is")
            return
        with METRICS.timer("collector.crashmover.crash_save.time"), store.saving():
            store.storage.save_raw_crash(report)


def same_place(one: CrashStorage, other: CrashStorage) -> bool:
    """Say whether two storages are one: moving a report from it to itself would delete it."""
    if isinstance(one, FilesystemStorage) and isinstance(other, FilesystemStorage):
        return os.path.realpath(one.root) == os.path.realpath(other.root)
    return one.engine == other.engine


def _store(storage: CrashStorage, name: str, *, is_main: bool) -> _Store:
    return _Store(storage, Breaker(name, storage.verify, (StorageUnavailable,)), is_main)


def _note(store: _Store, error: StorageUnavailable) -> None:
    store.breaker.failed()
    METRICS.incr("collector.crashmover.retry_count", tags=["count:save_crash_exception.count"])
    logger.warning("could not be stored: %s", error)
