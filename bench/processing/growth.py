# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a crash costs in a system that holds many: storage, queue and index of three sizes.

All are filled first; then the same number of new crashes goes through each in turns, so that
whatever else the machine does meanwhile concerns all of them.
"""

import os
import random
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.processing.documents import ParsedWalks
from processor.ruleset import load_rulesets
from processor.work import Storages, Worker
from socorro.crash_id import make_crash_id
from socorro.fields import search_document
from socorro.queue import QueueName, Task, open_queue
from socorro.search.embedded import EmbeddedIndex
from socorro.settings import Settings
from socorro.storage import CrashReport, FilesystemStorage
from socorro.storage.encoding import encode_processed_crash, encode_raw_crash

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 7
PER_ROUND = 150
# The largest system may cost so many times what the smallest costs for a crash.
MAXIMUM_GROWTH = 1.25

_DAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
_BATCH = 2_000
_POLL = 0.02
_INDEX_SECONDS = 600.0


@dataclass(frozen=True)
class SizeCost:
    """Milliseconds of processor time for one crash in a system that holds `size` others."""

    size: int
    milliseconds: float


def measure_growth(settings: Settings, folder: Path) -> list[SizeCost]:
    """Return the median cost of a new crash for each size, smallest first."""
    systems = [System(settings, folder / str(size)) for size in SIZES]
    for system, size in zip(systems, SIZES, strict=True):
        system.fill(size)
        system.process(PER_ROUND)  # not measured: code and files get warm
    costs: list[list[float]] = [[] for _ in systems]
    for _ in range(ROUNDS):
        for system, taken in zip(systems, costs, strict=True):
            taken.append(system.process(PER_ROUND))
    for system in systems:
        system.close()
    return [
        SizeCost(size, statistics.median(taken)) for size, taken in zip(SIZES, costs, strict=True)
    ]


class System:
    """Storage, queue, index and a worker of their own, below one folder."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._folder = folder
        self._storage = FilesystemStorage(folder / "crashes")
        self._telemetry = FilesystemStorage(folder / "telemetry")
        self._queue = open_queue(f"local://{folder}/queue", lease_seconds=600)
        self._index = EmbeddedIndex(folder / "search")
        self._rulesets = load_rulesets(settings, ParsedWalks(), online=False)
        work_folder = folder / "work"
        work_folder.mkdir(parents=True)
        self._queue.provision()
        self._worker = Worker(
            storages=Storages(self._storage, self._storage, self._telemetry),
            queue=self._queue,
            index=self._index,
            rulesets=self._rulesets,
            max_attempts=3,
            work_folder=work_folder,
        )

    def fill(self, count: int) -> None:
        """Put processed crashes into storage and index, and into the reprocessing queue.

        They are written as the pipeline would, but not synced one by one, and not exported.
        """
        for start in range(0, count, _BATCH):
            batch = [self._write(n) for n in range(start, min(start + _BATCH, count))]
            self._index.put_all([search_document(processed) for processed in batch])
            tasks = [Task(processed["uuid"]) for processed in batch]
            self._queue.publish(QueueName.REPROCESSING, tasks)
        os.sync()
        self._index_everything()

    def process(self, count: int) -> float:
        """Take new crashes through everything; return milliseconds of processor time for each.

        The index has them, merges included, before the clock stops.
        """
        crash_ids = [self._store(annotations) for annotations in _annotations(count)]
        self._queue.publish(QueueName.STANDARD, [Task(crash_id) for crash_id in crash_ids])
        started = time.process_time()
        settled = 0
        while settled < count:
            for message in self._queue.receive(1, wait=0, queues=(QueueName.STANDARD,)):
                self._worker.settle(message)
                settled += 1
        self._index_everything()
        milliseconds = (time.process_time() - started) / count * 1000
        if len(self._index.containing(crash_ids)) != count:
            raise RuntimeError("crashes are missing from the index")
        return milliseconds

    def close(self) -> None:
        """Release files and connections."""
        self._queue.close()
        self._index.close()

    def _index_everything(self) -> None:
        stopping = threading.Event()
        indexer = threading.Thread(target=self._index.run_indexer, args=(stopping,))
        indexer.start()
        deadline = time.monotonic() + _INDEX_SECONDS
        while self._index.pending() and time.monotonic() < deadline:
            time.sleep(_POLL)
        stopping.set()
        indexer.join()

    def _store(self, annotations: Mapping[str, Any]) -> str:
        crash_id: str = annotations["uuid"]
        self._storage.save_raw_crash(CrashReport(crash_id, annotations, {}))
        return crash_id

    def _write(self, number: int) -> dict[str, Any]:
        raw_crash = _annotation_set(random.Random(number))
        crash_id = raw_crash["uuid"]
        processed = _processed(raw_crash, number)
        self._write_file("raw_crash", crash_id, encode_raw_crash(raw_crash))
        self._write_file("dump_names", crash_id, b"[]")
        body = encode_processed_crash(processed)
        self._write_file("processed_crash", crash_id, body)
        return processed

    def _write_file(self, kind: str, crash_id: str, body: bytes) -> None:
        path = (
            self._folder / "crashes" / "v1" / kind / f"20{crash_id[-6:]}" / crash_id[:3] / crash_id
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def _annotations(count: int) -> Iterator[dict[str, Any]]:
    choose = random.Random(count)
    return (_annotation_set(choose) for _ in range(count))


def _annotation_set(choose: random.Random) -> dict[str, Any]:
    version = f"{choose.randrange(100, 150)}.0"
    return {
        "uuid": make_crash_id(_DAY),
        "submitted_timestamp": "2026-11-23T08:00:00.000000+00:00",
        "metadata": {"dump_checksums": {}, "payload": "multipart"},
        "ProductName": choose.choice(("Browser", "Mail", "DemoApp")),
        "Version": version,
        "BuildID": f"202611{choose.randrange(10, 30)}080000",
        "ReleaseChannel": choose.choice(("release", "beta", "nightly")),
        "CrashTime": "1795420000",
        "InstallTime": "1795400000",
        "StartupTime": "1795410000",
        "Notes": " ".join(f"word{choose.randrange(5000)}" for _ in range(12)),
        "MozCrashReason": f"MOZ_RELEASE_ASSERT(value{choose.randrange(300)} < limit)",
        "AsyncShutdownTimeout": "",
        "TotalPhysicalMemory": str(choose.randrange(2**36)),
        "useragent_locale": choose.choice(("en-US", "de", "fr")),
    }


def _processed(raw_crash: Mapping[str, Any], number: int) -> dict[str, Any]:
    frames = [f"frame{number * n % 9973}" for n in range(1, 12)]
    return {
        "uuid": raw_crash["uuid"],
        "crash_id": raw_crash["uuid"],
        "date_processed": "2026-11-23T08:00:00+00:00",
        "signature": f"acme::Component{number % 5003}::Run",
        "proto_signature": " | ".join(frames),
        "product": raw_crash["ProductName"],
        "version": raw_crash["Version"],
        "build": int(raw_crash["BuildID"]),
        "release_channel": raw_crash["ReleaseChannel"],
        "app_notes": raw_crash["Notes"],
        "moz_crash_reason": raw_crash["MozCrashReason"],
        "os_name": ("Windows", "Linux", "Mac OS X")[number % 3],
        "uptime": number % 100_000,
        "success": True,
    }
