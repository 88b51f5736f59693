# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What happens to one message: load, run the ruleset, save, index, and only then acknowledge."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from processor.crash import Crash, clean_annotations
from processor.pipeline import FAILED_SIGNATURE, Pipeline, StackwalkerNotReadyError
from socorro.fields import search_document, telemetry_document
from socorro.metrics import METRICS
from socorro.queue import CrashQueue, Message, QueueUnavailable
from socorro.search import SearchIndex, SearchUnavailable
from socorro.sentry import report_error
from socorro.storage import CrashNotFound, CrashStorage, StorageError, StorageUnavailable

logger = logging.getLogger(__name__)

# Delays in seconds before a message that was given back is visible again.
_NOT_READY_DELAY = 3
_OUTAGE_DELAY = 10
_FAILURE_DELAY = 5


class RejectedTaskError(Exception):
    """The task can never succeed: no such raw crash, ruleset, or stored result to work on."""


@dataclass(frozen=True)
class Storages:
    """Where raw crashes come from, and where results go; without `telemetry` none is exported."""

    raw: CrashStorage
    processed: CrashStorage
    telemetry: CrashStorage | None = None


class Worker:
    """Settles messages, one at a time. Everything it does can be done twice."""

    def __init__(
        self,
        *,
        storages: Storages,
        queue: CrashQueue,
        index: SearchIndex,
        rulesets: Mapping[str, Pipeline],
        max_attempts: int,
        work_folder: Path,
    ) -> None:
        self._raw = storages.raw
        self._processed = storages.processed
        self._telemetry = storages.telemetry
        self._queue = queue
        self._index = index
        self._rulesets = rulesets
        self._max_attempts = max_attempts
        self._work_folder = work_folder

    def settle(self, message: Message) -> bool:
        """Process the crash of a message and acknowledge it, or give it back, or bury it.

        Returns whether the system is healthy: False asks the caller to pause, since storage or
        index are down or the stackwalker is not there yet.
        """
        try:
            self._settle(message)
        except StackwalkerNotReadyError:
            METRICS.incr("processor.waiting_for_stackwalker")
            logger.debug("waits for the stackwalker")
            self._queue.release(message, delay=_NOT_READY_DELAY)
            return False
        except (StorageUnavailable, SearchUnavailable) as error:
            logger.error("given back: %s", error)
            self._queue.release(message, delay=_OUTAGE_DELAY)
            return False
        except RejectedTaskError as error:
            logger.error("buried: %s", error)
            self._queue.bury(message, str(error))
        except QueueUnavailable:
            raise
        except Exception as error:
            logger.exception("failed: %s", type(error).__name__)
            report_error(error, crash_id=message.task.crash_id, ruleset=message.task.ruleset)
            self._queue.release(message, delay=_FAILURE_DELAY * message.attempts, attempted=True)
        return True

    def _settle(self, message: Message) -> None:
        crash_id = message.task.crash_id
        if message.attempts > self._max_attempts:
            self._give_up(message)
            return
        with METRICS.timer("processor.process_crash", tags=[f"ruleset:{message.task.ruleset}"]):
            new, processed = self.process(crash_id, message.task.ruleset)
            self._save(crash_id, processed)
        if not self._queue.acknowledge(message):
            logger.warning("saved, but the lease was lost: it will be processed again")
        if new:
            METRICS.timing("processor.ingestion_timing", _age_ms(processed))
        logger.info("processed: %s", processed.get("signature"))

    def process(self, crash_id: str, ruleset: str) -> tuple[bool, dict[str, Any]]:
        """Return whether the crash is new, and its processed crash; nothing is saved.

        Raises RejectedTaskError, StackwalkerNotReadyError and the errors of storage.
        """
        pipeline = self._rulesets.get(ruleset)
        if pipeline is None:
            raise RejectedTaskError(f"no ruleset {ruleset}")
        stored = self._stored(crash_id)
        if pipeline.from_stored and stored is None:
            raise RejectedTaskError(f"ruleset {ruleset} needs a processed crash")
        with tempfile.TemporaryDirectory(dir=self._work_folder) as workdir:
            folder = Path(workdir)
            # A partial ruleset works on the stored result alone: no dump has to be loaded for it.
            partial = pipeline.from_stored
            crash = Crash(crash_id, {}, {}, folder) if partial else self._load(crash_id, folder)
            return stored is None, pipeline.run(crash, stored)

    def _load(self, crash_id: str, workdir: Path) -> Crash:
        try:
            annotations = clean_annotations(self._raw.load_raw_crash(crash_id))
            names = self._raw.load_dump_names(crash_id)
            dumps = {name: self._raw.fetch_dump(crash_id, name, workdir) for name in names}
        except CrashNotFound as error:
            raise RejectedTaskError(str(error)) from error
        return Crash(crash_id, annotations, dumps, workdir)

    def _stored(self, crash_id: str) -> dict[str, Any] | None:
        try:
            return self._processed.load_processed_crash(crash_id)
        except StorageUnavailable:
            raise
        except CrashNotFound:
            return None
        except StorageError as error:
            # Processing makes it anew; only the notes of earlier runs are lost.
            logger.warning("the stored result is damaged: %s", error)
            return None

    def _save(self, crash_id: str, processed: Mapping[str, Any]) -> None:
        """Save, index and export. Whoever is killed in between is followed by one who does all."""
        with _failures("storage"), METRICS.timer("processor.storage.save_processed_crash"):
            self._processed.save_processed_crash(crash_id, processed)
        METRICS.incr("processor.save_processed_crash")
        self._show(crash_id, processed)

    def _show(self, crash_id: str, processed: Mapping[str, Any]) -> None:
        """Index and export what is saved."""
        with _failures("es"), METRICS.timer("processor.es.save_processed_crash"):
            self._index.put(search_document(processed))
        if self._telemetry is not None:
            with _failures("telemetry"), METRICS.timer("processor.telemetry.save_processed_crash"):
                self._telemetry.save_telemetry_crash(crash_id, telemetry_document(processed))

    def _give_up(self, message: Message) -> None:
        """Save a crash that ended its processor too often, with a note instead of results."""
        crash_id = message.task.crash_id
        attempts = message.attempts - 1
        note = f"gave up: processing ended {attempts} times without a result"
        stored = self._stored(crash_id)
        if stored is None:
            self._save(crash_id, self._without_results(crash_id, note))
        elif message.attempts == self._max_attempts + 1:
            # Its processors may have ended after saving. Where this ends them too, it is left out.
            self._show(crash_id, stored)
        METRICS.incr("processor.gave_up")
        logger.error("%s", note)
        self._queue.bury(message, note)

    def _without_results(self, crash_id: str, note: str) -> dict[str, Any]:
        """Return what the annotations alone say about a crash that cannot be processed."""
        annotations = self._readable_annotations(crash_id)
        with tempfile.TemporaryDirectory(dir=self._work_folder) as workdir:
            crash = Crash(crash_id, annotations, {}, Path(workdir))
            processed = self._rulesets["default"].run(crash, None)
        processed["signature"] = FAILED_SIGNATURE
        processed["success"] = False
        processed["processor_notes"] += f"\n{note}"
        return processed

    def _readable_annotations(self, crash_id: str) -> dict[str, Any]:
        """Return the annotations, none if the raw crash is damaged. Raises StorageUnavailable."""
        try:
            return clean_annotations(self._raw.load_raw_crash(crash_id))
        except StorageUnavailable:
            raise
        except CrashNotFound as error:
            raise RejectedTaskError(str(error)) from error
        except StorageError as error:
            logger.error("the raw crash is damaged: %s", error)
            return {}


@contextmanager
def _failures(destination: str) -> Iterator[None]:
    """Count when a destination fails."""
    try:
        yield
    except Exception:
        METRICS.incr("processor.save_processed_crash.failed", tags=[f"destination:{destination}"])
        raise


def _age_ms(processed: Mapping[str, Any]) -> float:
    try:
        submitted = datetime.fromisoformat(str(processed.get("submitted_timestamp")))
    except ValueError:
        return 0.0
    return (datetime.now(UTC) - submitted).total_seconds() * 1000
