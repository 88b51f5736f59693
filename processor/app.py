# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The processor: one process that takes crash ids until it is told to stop."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from processor.heartbeat import Heartbeat
from processor.recovery import requeue_unwalked
from processor.room import Room
from processor.ruleset import load_rulesets
from processor.stackwalk.child import kill_children
from processor.walker import WalkerSource
from processor.work import Storages, Worker
from processor.workfolder import WorkFolder
from socorro.backends import verify
from socorro.logging import crash_context, set_up_logging
from socorro.metrics import set_up_metrics
from socorro.queue import CrashQueue, Message, QueueName, QueueUnavailable, open_queue
from socorro.search import SearchUnavailable, open_index
from socorro.sentry import report_error, set_up_sentry
from socorro.settings import SettingError, Settings
from socorro.stopping import stop_on_signals
from socorro.storage import open_storage

logger = logging.getLogger(__name__)

_RECEIVE_WAIT = 2.0
_PAUSE = 1.0
_OUTAGE_PAUSE = 5.0
_RECOVERY_PAUSE = 3.0


class Processor:
    """Everything that one processor process holds."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        """Open the backends and check the rules; `stopping` will end `run`.

        Raises SettingError, and RulesetError for rules that cannot work.
        """
        self._settings = settings
        self._stopping = stopping
        self._in_work: Message | None = None
        self._walkers = WalkerSource(settings)
        self._work_folder = _work_folder()
        self._room = Room(self._work_folder.path, settings.min_free_disk)
        self._heartbeat = Heartbeat()
        self._queue = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
        self._index = open_index(settings.search)
        self._worker = Worker(
            storages=_storages(settings),
            queue=self._queue,
            index=self._index,
            rulesets=load_rulesets(settings, self._walkers),
            max_attempts=settings.max_attempts,
            work_folder=self._work_folder.path,
        )

    def run(self) -> None:
        """Work until asked to stop; the crash in work is finished. Blocks."""
        threads = [
            threading.Thread(target=self._index_in_background, name="indexer"),
            threading.Thread(target=self._recover_in_background, name="recovery"),
        ]
        for thread in threads:
            thread.start()
        threading.Thread(target=self._give_back_in_time, name="release", daemon=True).start()
        try:
            self._take_crashes()
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
            self._walkers.close()
            self._queue.close()
            self._index.close()
            self._work_folder.remove()

    def _take_crashes(self) -> None:
        # In the order of their priority, always: however many crashes are processed again, a fresh
        # one is the next that is taken.
        order = [name for name in QueueName if name in self._settings.processor_queues]
        while not self._stopping.is_set():
            self._heartbeat.beat()
            if not self._room.is_there():
                self._stopping.wait(_OUTAGE_PAUSE)
                continue
            try:
                healthy = self._take_one(order)
            except QueueUnavailable as error:
                logger.error("%s", error)
                self._stopping.wait(_OUTAGE_PAUSE)
                continue
            if not healthy:
                self._stopping.wait(_PAUSE)

    def _take_one(self, order: Sequence[QueueName]) -> bool:
        healthy = True
        # One at a time: a crash that ends this process must not count as an attempt at others.
        for message in self._queue.receive(1, wait=_RECEIVE_WAIT, queues=order):
            with crash_context(message.task.crash_id), _lease(self._queue, message, self._settings):
                self._in_work = message
                try:
                    healthy = self._worker.settle(message)
                finally:
                    self._in_work = None
        return healthy

    def _give_back_in_time(self) -> None:
        """Once asked to stop: end a process whose crash takes too long, without losing the crash.

        Whoever asked kills us soon; then the crash would come back only when its lease runs out.
        """
        self._stopping.wait()
        time.sleep(self._settings.stop_seconds)
        message = self._in_work
        if message is None:
            return
        with crash_context(message.task.crash_id):
            try:
                self._queue.release(message)
                logger.warning("given back to the queue: this processor has to stop")
            except QueueUnavailable as error:
                logger.error("its lease has to run out, it could not be given back: %s", error)
        # The thread that works on the crash cannot be ended otherwise.
        kill_children()
        self._work_folder.remove()
        logging.shutdown()
        os._exit(0)

    def _index_in_background(self) -> None:
        while not self._stopping.is_set():
            try:
                self._index.run_indexer(self._stopping)
            except Exception as error:
                logger.exception("the indexer failed and starts again")
                report_error(error)
            self._stopping.wait(_PAUSE)

    def _recover_in_background(self) -> None:
        """Once there is a stackwalker, queue the crashes that were processed without one."""
        while not self._stopping.wait(_RECOVERY_PAUSE):
            if not self._walkers.is_ready():
                continue
            try:
                requeue_unwalked(self._index, self._queue)
                return
            except (SearchUnavailable, QueueUnavailable) as error:
                logger.warning("could not look for crashes without a stack walk: %s", error)
                self._stopping.wait(_OUTAGE_PAUSE)


def _work_folder() -> WorkFolder:
    try:
        return WorkFolder()
    except OSError as error:
        raise SettingError(f"TMPDIR: cannot keep the files of a crash in it: {error}.") from error


def _storages(settings: Settings) -> Storages:
    exported = settings.telemetry_storage
    return Storages(
        raw=open_storage(settings.crash_storage),
        processed=open_storage(settings.processed_storage_url),
        telemetry=open_storage(exported) if exported else None,
    )


@contextmanager
def _lease(queue: CrashQueue, message: Message, settings: Settings) -> Iterator[None]:
    """Extend the lease of a message while the crash is in work."""
    done = threading.Event()

    def extend() -> None:
        while not done.wait(settings.lease_seconds / 3):
            try:
                queue.extend(message)
            except QueueUnavailable as error:
                logger.warning("could not extend the lease: %s", error)

    keeper = threading.Thread(target=extend, name="lease")
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def main(settings: Settings) -> None:
    """Run a processor until SIGTERM or SIGINT. Raises SettingError for a wrong setting."""
    set_up_logging(settings, "processor")
    set_up_metrics(settings)
    set_up_sentry(settings, "processor")
    verify(settings)
    processor = Processor(settings, stop_on_signals())
    logger.info("ready")
    processor.run()
    logger.info("stopped")
