# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""kill -9 of a processor at each step of its way with a crash, on each kind of backend.

The crash comes back when its lease is over, is processed, and is in the index once; how often it
was tried is counted, so that one that always kills its processor ends.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from socorro.crash_id import make_crash_id
from socorro.queue import CrashQueue, Message, QueueDepth, QueueName, Task, open_queue
from socorro.search import DateRange, Query, SearchIndex, open_index
from socorro.storage import CrashNotFound, CrashReport, CrashStorage, FilesystemStorage
from tests.contract.killed_processor import STEPS
from tests.contract.processes import wait_until
from tests.contract.reports import spool
from tests.processor.stackwalk.programs import write_program

LEASE_SECONDS = 4
EMPTY = QueueDepth(ready=0, leased=0, delayed=0, dead=0)
WALK = '{"status": "OK", "crash_info": {"type": "SIGSEGV", "crashing_thread": 0}, "threads": []}'
ORDER = list(STEPS)


@dataclass
class Place:
    """Backends, and processors that work on them."""

    folder: Path
    environment: dict[str, str]
    storage: CrashStorage
    telemetry: FilesystemStorage
    queue: CrashQueue
    index: SearchIndex

    def publish(self) -> str:
        now = datetime.now(UTC)
        crash_id = make_crash_id(now)
        raw = {"ProductName": "DemoApp", "submitted_timestamp": now.isoformat()}
        dumps = {"upload_file_minidump": spool(self.storage, b"MDMP" * 100)}
        self.storage.save_raw_crash(CrashReport(crash_id, raw, dumps))
        self.queue.publish(QueueName.STANDARD, [Task(crash_id)])
        return crash_id

    def kill_at(self, step: str) -> None:
        """Run a processor until it is killed right after a step."""
        with self._running("tests.contract.killed_processor", step) as process:
            assert process.wait(60) == -signal.SIGKILL, self.log

    @contextmanager
    def processor(self) -> Iterator[None]:
        """Run a processor to which nothing happens."""
        with self._running("socorro", "processor"):
            yield

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments], env=self.environment, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def depth(self) -> QueueDepth:
        return self.queue.depth()[QueueName.STANDARD]

    def after_lease(self) -> Message:
        """Return the message that comes back, and give it back untried."""
        (message,) = self.queue.receive(1, wait=LEASE_SECONDS * 5)
        assert self.queue.release(message)
        return message

    def found(self) -> list[str]:
        now = datetime.now(UTC)
        this_week = DateRange(now - timedelta(days=7), now + timedelta(days=1))
        return [hit["uuid"] for hit in self.index.search(Query(this_week)).hits]

    def exported(self, crash_id: str) -> bool:
        try:
            return bool(self.telemetry.load_telemetry_crash(crash_id)["uuid"] == crash_id)
        except CrashNotFound:
            return False

    def check_result(self, crash_id: str) -> dict[str, Any]:
        """Check that the crash is where it belongs, once; return its processed crash."""
        wait_until(lambda: self.index.pending() == 0, "it is indexed")
        assert self.found() == [crash_id]
        assert self.exported(crash_id)
        return self.storage.load_processed_crash(crash_id)


@pytest.fixture
def place(
    tmp_path: Path, storage_url: str, storage: CrashStorage, queue_url: str
) -> Iterator[Place]:
    version = '[ "$1" != --version ] || exec echo minidump-stackwalk 0.27.0'
    walker = write_program(tmp_path / "stackwalker", f"{version}\necho '{WALK}'")
    index_url = f"embedded://{tmp_path}/search"
    environment = {
        **os.environ,
        "SOCORRO_DATA": str(tmp_path / "data"),
        "CRASH_STORAGE": storage_url,
        "CRASH_QUEUE": queue_url,
        "SEARCH": index_url,
        "TELEMETRY_STORAGE": f"fs://{tmp_path}/telemetry",
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "MAX_ATTEMPTS": "2",
        "STACKWALKER": "command",
        "STACKWALKER_COMMAND": str(walker),
    }
    queue = open_queue(queue_url, lease_seconds=LEASE_SECONDS)
    index = open_index(index_url)
    telemetry = FilesystemStorage(tmp_path / "telemetry")
    yield Place(tmp_path, environment, storage, telemetry, queue, index)
    index.close()
    queue.close()


here = pytest.mark.parametrize(("storage_url", "queue_url"), [("fs", "local")], indirect=True)
both = pytest.mark.parametrize(
    ("storage_url", "queue_url"), [("fs", "local"), ("s3", "sqs")], indirect=True
)


def check_killed_at(place: Place, step: str) -> None:
    """Kill a processor at a step; check what is there then, and what another makes of it."""
    crash_id = place.publish()
    place.kill_at(step)
    # What comes before the step in the order is done, and nothing that comes after it.
    done = ORDER[: ORDER.index(step) + 1]
    assert place.storage.has_processed_crash(crash_id) == ("saved" in done)
    assert place.index.containing([crash_id]) == ({crash_id} if "indexed" in done else set())
    assert place.exported(crash_id) == ("exported" in done)

    message = place.after_lease()
    assert (message.task, message.attempts) == (Task(crash_id), 2)
    with place.processor():
        wait_until(lambda: place.depth() == EMPTY, "another processor has done it")
        processed = place.check_result(crash_id)
    assert processed["success"] is True
    assert processed["mdsw_status_string"] == "OK"
    # The first result, where there was one, is remembered.
    assert len(processed["processor_history"]) == ("saved" in done)


@here
@pytest.mark.parametrize("step", ORDER[:-1])
def test_a_crash_whose_processor_is_killed_is_processed_after_its_lease_and_indexed_once(
    place: Place, step: str
) -> None:
    check_killed_at(place, step)


@pytest.mark.parametrize(("storage_url", "queue_url"), [("s3", "sqs")], indirect=True)
@pytest.mark.parametrize("step", ["loaded", "indexed"])
def test_it_is_the_same_with_servers(place: Place, step: str) -> None:
    check_killed_at(place, step)


@both
def test_a_crash_that_is_acknowledged_is_done_whatever_happens_to_its_processor(
    place: Place,
) -> None:
    crash_id = place.publish()
    place.kill_at("acknowledged")
    assert place.depth() == EMPTY
    other = place.publish()
    with place.processor():
        wait_until(lambda: place.storage.has_processed_crash(other), "the next one is processed")
        wait_until(lambda: place.depth() == EMPTY, "and acknowledged")
        wait_until(lambda: place.index.pending() == 0, "and indexed")
    assert sorted(place.found()) == sorted([crash_id, other])
    assert place.exported(crash_id)
    assert place.storage.load_processed_crash(crash_id)["processor_history"] == []


@here
@pytest.mark.parametrize("step", ["loaded", "saved"])
def test_a_crash_that_kills_each_processor_ends_as_one_with_an_error_or_with_its_result(
    place: Place, step: str
) -> None:
    crash_id = place.publish()
    for attempt in (1, 2):
        place.kill_at(step)
        assert place.after_lease().attempts == attempt + 1
    with place.processor():
        buried = QueueDepth(ready=0, leased=0, delayed=0, dead=1)
        wait_until(lambda: place.depth() == buried, "it is given up")
        processed = place.check_result(crash_id)
    if step == "loaded":
        assert processed["success"] is False
        assert processed["signature"] == "EMPTY: crash failed to process"
        assert "gave up: processing ended 2 times" in processed["processor_notes"]
    else:
        assert processed["success"] is True
    assert "gave up: processing ended 2 times" in place.log
