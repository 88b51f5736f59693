# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Thousands of broken minidumps and raw crashes: each costs one crash at most.

None is lost, none keeps its processor, none takes more memory than allowed. Seeds are fixed.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from processor.ruleset import load_rulesets
from processor.walker import WalkerSource
from processor.work import Storages, Worker
from socorro.crash_id import make_crash_id
from socorro.fields import search_document, telemetry_document
from socorro.fields.checking import check_processed_crash
from socorro.packaged import SAMPLES
from socorro.queue import LocalQueue, QueueName, Task
from socorro.search import SearchIndex, open_index
from socorro.settings import load
from socorro.storage import CrashReport, FilesystemStorage
from tests.processor.mutations import mutated_minidump, mutated_raw_crash
from tests.processor.stackwalk.conftest import MIB, SYMBOLS

pytestmark = pytest.mark.timeout(7200)

MINIDUMPS = [path.read_bytes() for path in sorted(SAMPLES.glob("**/*.dmp"))]
ANNOTATIONS = {
    "ProductName": "Firefox",
    "Version": "123.0b4",
    "BuildID": "20261101000000",
    "ReleaseChannel": "beta",
    "CrashTime": "1795000000",
    "StartupTime": "1794999000",
    "InstallTime": "1794000000",
    "Add-ons": "a@example.com:1.0,b%40example.com",
    "TelemetryEnvironment": '{"partner": {"distributionId": "acme"}}',
    "JavaStackTrace": "java.lang.Exception: message\n\tat a.b(C.java:1)",
    "Breadcrumbs": '[{"category": "tap", "message": "there"}]',
    "AsyncShutdownTimeout": '{"phase": "quit", "conditions": [{"name": "one"}]}',
}
# A walk has this long; more would hold a processor.
DEADLINE = 20.0
CHILD_MEMORY = 1024 * MIB
# What this process may grow by after it has warmed up: caches, and what the allocator keeps.
GROWTH = 256 * MIB
WARM = 50


class Factory:
    """A processor's worker with real engines, and what it takes in memory."""

    def __init__(self, folder: Path) -> None:
        settings = replace(
            load(),
            data=folder,
            symbols=",".join(map(str, SYMBOLS)),
            stackwalker_deadline=DEADLINE,
            stackwalker_memory=CHILD_MEMORY,
        )
        self.walkers = WalkerSource(settings)
        self.storage = FilesystemStorage(folder / "crashes")
        self.telemetry = FilesystemStorage(folder / "telemetry")
        self.queue = LocalQueue(folder / "queue", lease_seconds=60)
        self.index: SearchIndex = open_index(f"embedded://{folder}/search")
        self.crash_ids: set[str] = set()
        self._memory: list[int] = []
        self._peaks: list[int] = []
        self._worker = Worker(
            storages=Storages(raw=self.storage, processed=self.storage, telemetry=self.telemetry),
            queue=self.queue,
            index=self.index,
            rulesets=load_rulesets(settings, self.walkers, online=False),
            max_attempts=2,
            work_folder=folder,
        )

    def save(self, annotations: dict[str, Any], minidump: bytes | None) -> str:
        """Store a report and queue it."""
        now = datetime.now(UTC)
        crash_id = make_crash_id(now)
        dumps = {}
        if minidump is not None:
            path = self.storage.spool / f"{crash_id}.dump"
            path.write_bytes(minidump)
            dumps["upload_file_minidump"] = path
        raw_crash = {"submitted_timestamp": now.isoformat(), **annotations, "uuid": crash_id}
        self.storage.save_raw_crash(CrashReport(crash_id, raw_crash, dumps))
        self.queue.publish(QueueName.STANDARD, [Task(crash_id, "default")])
        self.crash_ids.add(crash_id)
        return crash_id

    def settle_all(self) -> None:
        """Work until the queue is empty; crashes that are given back come again at once."""
        while True:
            messages = self.queue.receive(1, wait=0)
            for message in messages:
                assert self._worker.settle(message)
            depth = self.queue.depth()[QueueName.STANDARD]
            if not messages and not depth.delayed:
                assert (depth.ready, depth.leased) == (0, 0)
                return

    def check(self, crash_id: str) -> dict[str, Any]:
        """Return the result of a crash, which fits the schema and went everywhere."""
        processed = self.storage.load_processed_crash(crash_id)
        findings = check_processed_crash(processed)
        assert findings.problems == ()
        assert findings.unknown == ()
        assert processed["uuid"] == crash_id
        assert self.telemetry.load_telemetry_crash(crash_id) == as_stored(
            telemetry_document(processed)
        )
        assert search_document(processed)["uuid"] == crash_id
        self._memory.append(psutil.Process().memory_info().rss)
        self._peaks += peaks_of_children()
        return processed

    def check_memory(self) -> None:
        """Fail if this process has grown on and on, or a stackwalker beyond its limit."""
        if len(self._memory) > WARM:
            assert max(self._memory[WARM:]) - self._memory[WARM] < GROWTH
        assert 0 < max(self._peaks) <= CHILD_MEMORY


def peaks_of_children() -> list[int]:
    """Return the most that each child of this process has had in memory, in bytes."""
    statuses = []
    for child in psutil.Process().children():
        # One may just have ended.
        with suppress(OSError):
            statuses.append(Path(f"/proc/{child.pid}/status").read_text())
    found = (re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE) for status in statuses)
    return [int(peak[1]) * 1024 for peak in found if peak]


def as_stored(document: dict[str, Any]) -> Any:
    return json.loads(json.dumps(document))


@pytest.fixture
def factory(
    tmp_path: Path, stackwalker_binary: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Factory]:
    monkeypatch.setattr("processor.work._FAILURE_DELAY", 0)
    factory = Factory(tmp_path)
    yield factory
    factory.walkers.close()
    factory.index.close()


def test_every_mutated_minidump_gives_a_processed_crash(factory: Factory, soaking: bool) -> None:
    statuses = set()
    for number in range(10_000 if soaking else 300):
        minidump = mutated_minidump(MINIDUMPS, f"minidump {number}")
        crash_id = factory.save(ANNOTATIONS, minidump)
        factory.settle_all()
        processed = factory.check(crash_id)
        assert processed["product"] == "Firefox"
        assert processed["success"] is True
        statuses.add(processed["mdsw_status_string"])
        factory.storage.delete_crash(crash_id)
    assert {"OK", "MissingHeader"} <= statuses
    factory.check_memory()
    dead = sum(depth.dead for depth in factory.queue.depth().values())
    assert dead == 0
    assert factory.index.containing(sorted(factory.crash_ids)[:500]) == set(
        sorted(factory.crash_ids)[:500]
    )


def test_every_mutated_raw_crash_gives_a_processed_crash(factory: Factory, soaking: bool) -> None:
    for number in range(500 if soaking else 150):
        raw_crash = mutated_raw_crash(ANNOTATIONS, f"raw crash {number}")
        minidump = MINIDUMPS[number % len(MINIDUMPS)] if number % 3 == 0 else None
        crash_id = factory.save(raw_crash, minidump)
        factory.settle_all()
        processed = factory.check(crash_id)
        assert processed["success"] is True
    factory.check_memory()


def test_a_raw_crash_that_is_damaged_in_storage_is_processed_as_failed(
    factory: Factory, tmp_path: Path
) -> None:
    crash_id = factory.save(ANNOTATIONS, None)
    (stored,) = (tmp_path / "crashes" / "v1" / "raw_crash").glob("*/*/*")
    stored.write_bytes(stored.read_bytes()[:40])
    factory.settle_all()
    processed = factory.check(crash_id)
    assert processed["success"] is False
    assert processed["signature"] == "EMPTY: crash failed to process"
    assert "gave up" in processed["processor_notes"]
