# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A processor that ends in the middle of a crash, on each kind of storage and queue."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from socorro.crash_id import make_crash_id
from socorro.queue import CrashQueue, QueueDepth, QueueName, Task
from socorro.search import DateRange, Query, SearchIndex, open_index
from socorro.storage import CrashReport, CrashStorage
from tests.contract.processes import wait_until
from tests.contract.reports import spool
from tests.processor.stackwalk.programs import write_program

LEASE_SECONDS = 6
DUMP = b"MDMP" * 100


@dataclass
class Road:
    """Storage, queue and index, and a stackwalker that a test can hold up."""

    folder: Path
    urls: dict[str, str]
    storage: CrashStorage
    queue: CrashQueue
    index: SearchIndex

    @property
    def held_up(self) -> Path:
        """While this file exists, a stack walk does not end."""
        return self.folder / "held-up"

    @property
    def walking(self) -> Path:
        """Made when a stack walk begins."""
        return self.folder / "walking"

    def publish(self) -> str:
        crash_id = make_crash_id(datetime.now(UTC))
        dumps = {"upload_file_minidump": spool(self.storage, DUMP)}
        self.storage.save_raw_crash(CrashReport(crash_id, {"ProductName": "DemoApp"}, dumps))
        self.queue.publish(QueueName.STANDARD, [Task(crash_id)])
        return crash_id

    @contextmanager
    def processor(self, name: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a processor until the end of the block; its log is ``<name>.log``."""
        temporary = self.folder / f"tmp-{name}"
        temporary.mkdir()
        environment = {
            **os.environ,
            **self.urls,
            "SOCORRO_DATA": str(self.folder / f"data-{name}"),
            "TMPDIR": str(temporary),
            "STACKWALKER": "command",
            "STACKWALKER_COMMAND": str(self.folder / "stackwalker"),
            **settings,
        }
        command = [sys.executable, "-m", "socorro", "processor"]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def is_ready(self, name: str) -> bool:
        return "ready" in (self.folder / f"{name}.log").read_text()

    def depth(self) -> QueueDepth:
        return self.queue.depth()[QueueName.STANDARD]


@pytest.fixture
def road(
    tmp_path: Path, storage_url: str, storage: CrashStorage, queue_url: str, queue: CrashQueue
) -> Iterator[Road]:
    index_url = f"embedded://{tmp_path}/search"
    index = open_index(index_url)
    urls = {
        "CRASH_STORAGE": storage_url,
        "CRASH_QUEUE": queue_url,
        "SEARCH": index_url,
        "LEASE_SECONDS": str(LEASE_SECONDS),
    }
    road = Road(tmp_path, urls, storage, queue, index)
    road.held_up.touch()
    script = f'touch "{road.walking}"; while [ -e "{road.held_up}" ]; do sleep 0.05; done; exit 1'
    write_program(tmp_path / "stackwalker", script)
    yield road
    road.held_up.unlink(missing_ok=True)
    index.close()


# The kinds go together as they do in deployments.
pytestmark = pytest.mark.parametrize(
    ("storage_url", "queue_url"), [("fs", "local"), ("s3", "sqs")], indirect=True
)


def test_a_crash_whose_processor_was_killed_comes_back_after_its_lease_and_is_saved_once(
    road: Road,
) -> None:
    crash_id = road.publish()
    with road.processor("first") as first:
        wait_until(road.walking.exists, "the first processor works on it")
        with road.processor("second"):
            wait_until(lambda: road.is_ready("second"), "the second processor is ready")
            first.send_signal(signal.SIGKILL)
            first.wait()
            killed = time.monotonic()
            assert road.depth() == QueueDepth(ready=0, leased=1, delayed=0, dead=0)
            assert not road.storage.has_processed_crash(crash_id)
            road.held_up.unlink()
            wait_until(lambda: road.storage.has_processed_crash(crash_id), "the second took it")
            # The first renewed its lease each third of it.
            assert time.monotonic() - killed > LEASE_SECONDS / 2
            empty = QueueDepth(ready=0, leased=0, delayed=0, dead=0)
            wait_until(lambda: road.depth() == empty, "the message is gone")
            wait_until(lambda: road.index.pending() == 0, "it is indexed")
    now = datetime.now(UTC)
    this_week = DateRange(now - timedelta(days=7), now + timedelta(days=1))
    found = road.index.search(Query(this_week))
    assert [hit["uuid"] for hit in found.hits] == [crash_id]
    assert road.storage.load_processed_crash(crash_id)["uuid"] == crash_id


def test_a_processor_that_has_to_stop_gives_its_crash_back_at_once(road: Road) -> None:
    crash_id = road.publish()
    with road.processor("first", STOP_SECONDS="0.5", LEASE_SECONDS="600") as first:
        wait_until(road.walking.exists, "the processor works on it")
        assert list((road.folder / "tmp-first").iterdir()) != []
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0, (road.folder / "first.log").read_text()
    (message,) = road.queue.receive(1, wait=20)
    # It was no attempt: stopping says nothing about the crash.
    assert (message.task.crash_id, message.attempts) == (crash_id, 1)
    # Its minidump is somebody's private data.
    assert list((road.folder / "tmp-first").iterdir()) == []


def test_a_processor_that_stops_finishes_a_crash_that_is_quick(road: Road) -> None:
    crash_id = road.publish()
    with road.processor("first", STOP_SECONDS="30") as first:
        wait_until(road.walking.exists, "the processor works on it")
        first.send_signal(signal.SIGTERM)
        road.held_up.unlink()
        assert first.wait(30) == 0
    assert road.storage.has_processed_crash(crash_id)
    assert road.depth() == QueueDepth(ready=0, leased=0, delayed=0, dead=0)
