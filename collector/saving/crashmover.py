# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash mover: takes a report from the collector's hands into storage and the queue."""

from pathlib import Path

from collector.saving.catch_up import CatchUp
from collector.saving.publisher import Publisher
from socorro.metrics import METRICS
from socorro.storage import CrashReport, StorageUnavailable
from socorro.storage.fallback import StorageWithFallback


class CrashMover:
    """Saves reports durably, then publishes their ids."""

    def __init__(self, store: StorageWithFallback, publisher: Publisher, catch_up: CatchUp) -> None:
        self.catch_up = catch_up
        self._store = store
        self._publisher = publisher

    @property
    def spools(self) -> list[Path]:
        """Folders for the files of a report, the best one first. Raises StorageUnavailable."""
        return self._store.spools

    def check(self) -> None:
        """Raise StorageUnavailable if it is known that no storage will take a report."""
        self._store.check()

    def move(self, report: CrashReport, *, publish: bool, chosen_id: bool) -> None:
        """Store a report; when this returns, the client can be told its id.

        `publish` is false for a report that waits until somebody asks for it. With `chosen_id` the
        id is the client's: the report may be stored already, and is then sent again because an
        answer was lost; what was acknowledged is not touched. Raises StorageUnavailable, and then
        nothing of the report can be seen, unless a storage kept it and its answer was lost.
        """
        with METRICS.timer("collector.crashmover.crash_handling.time"):
            self._move(report, publish=publish, chosen_id=chosen_id)

    def close(self) -> None:
        """End what works in the background, after a last try to publish what waits."""
        self.catch_up.close()
        self._publisher.close()
        self._store.close()

    def _move(self, report: CrashReport, *, publish: bool, chosen_id: bool) -> None:
        try:
            in_main = self._store.save(report, may_exist=chosen_id)
        except StorageUnavailable:
            METRICS.incr("collector.crashmover.save_crash_dropped.count")
            raise
        METRICS.incr("collector.crashmover.save_crash.count")
        if not in_main:
            # It is published when it is home, where processors look.
            METRICS.incr("collector.crashmover.saved_to_fallback.count")
            self.catch_up.look_soon()
        elif publish:
            self._publisher.publish(report.crash_id)
