# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash mover: takes a report from the collector's hands into storage and the queue."""

import logging

from collector.publisher import Publisher
from socorro.metrics import METRICS
from socorro.storage import CrashReport, CrashStorage, StorageUnavailable

logger = logging.getLogger(__name__)


class CrashMover:
    """Saves reports durably, then publishes their ids."""

    def __init__(self, storage: CrashStorage, publisher: Publisher) -> None:
        self.storage = storage
        self._publisher = publisher

    def move(self, report: CrashReport, *, publish: bool, chosen_id: bool) -> None:
        """Store a report; when this returns, the client can be told its id.

        `publish` is false for a report that waits until somebody asks for it. With `chosen_id` the
        id is the client's: the report may be stored already, and is then sent again because an
        answer was lost; what was acknowledged is not touched. Raises StorageUnavailable, and then
        nothing of the report can be seen, unless the storage kept it and its answer was lost.
        """
        try:
            if chosen_id and self.storage.has_raw_crash(report.crash_id):
                logger.info("is stored already and was left as it is")
            else:
                self._save(report)
        except StorageUnavailable:
            METRICS.incr("collector.crashmover.save_crash_dropped.count")
            raise
        if publish:
            self._publisher.publish(report.crash_id)

    def _save(self, report: CrashReport) -> None:
        with METRICS.timer("collector.crashmover.crash_save.time"):
            self.storage.save_raw_crash(report)
        METRICS.incr("collector.crashmover.save_crash.count")
